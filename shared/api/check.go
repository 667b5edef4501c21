package api

import (
	"context"
	"errors"
	"net/http"

	"gongji/shared/answer"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// CheckAnswer is the answer to "will it pay?": what a settlement would be, and in a
// sentence what stands in the way and what would mend it.
type CheckAnswer struct {
	Settlement
	WillPay   string         `json:"will_pay" enum:"yes,partly,no" doc:"yes: no cash is due; no: all of it is"`
	AnswerZH  string         `json:"answer_zh"`
	AnswerEN  string         `json:"answer_en"`
	Condition *conditionWire `json:"condition,omitempty" doc:"What keeps the most money out; absent when all is paid"`
}

// conditionWire is the one condition that is not met.
type conditionWire struct {
	Code   string     `json:"code" doc:"From the catalogue of answers"`
	LineNo int        `json:"line_no,omitempty"`
	Cash   family.Fen `json:"cash_fen" doc:"What is due in cash for its sake"`
	Explained
	RuleZH    string `json:"rule_zh,omitempty"`
	RuleEN    string `json:"rule_en,omitempty"`
	MessageZH string `json:"message_zh"`
	MessageEN string `json:"message_en"`
	MendZH    string `json:"mend_zh,omitempty" doc:"What would mend it"`
	MendEN    string `json:"mend_en,omitempty"`
}

// willPay are the verdicts as the contract spells them.
var willPay = map[family.Code]string{family.WillPay: "yes", family.WillPayPartly: "partly", family.WillNotPay: "no"}

func checkOf(quote Settlement, v family.Verdict) CheckAnswer {
	quote.Patient.PersonNo = "" // a relative's number is not the holder's to know
	row := answer.Of(v.Code)
	w := CheckAnswer{Settlement: quote, WillPay: willPay[v.Code], AnswerZH: row.Person.ZH, AnswerEN: row.Person.EN}
	if c := v.Condition; c != nil {
		row := answer.Of(c.Code)
		text := row.Beside()
		w.Condition = &conditionWire{
			Code: string(c.Code), LineNo: c.Line, Cash: c.Fen, Explained: explain(c.Code, family.Why{Rule: c.Rule, Observed: c.Observed, Allowed: c.Allowed}),
			MessageZH: text.ZH, MessageEN: text.EN, MendZH: row.Mend.ZH, MendEN: row.Mend.EN,
		}
		rule, _ := answer.Rule(c.Rule)
		w.Condition.RuleZH, w.Condition.RuleEN = rule.ZH, rule.EN
	}
	return w
}

// checkRoutes answer "will it pay?".
func (d *door) checkRoutes() {
	type check struct {
		Body struct {
			BindingID   string      `json:"binding_id,omitempty" nullable:"true" maxLength:"64" doc:"For a bound member; leave it out for myself"`
			Institution string      `json:"institution_code"`
			MedType     string      `json:"med_type" maxLength:"6"`
			Lines       []checkLine `json:"lines" nullable:"false" minItems:"1" doc:"At most 60"`
			Diagnoses   []string    `json:"diagnoses,omitempty" nullable:"true" maxItems:"10" doc:"ICD-10 (医保版)"`
		}
	}
	type checkAnswer struct{ Body CheckAnswer }
	route(d, Persons, huma.Operation{
		OperationID: "check", Method: http.MethodPost, Path: "/v1/checks", DefaultStatus: http.StatusOK,
		Summary: "Will it pay? As a quote, moving nothing", Tags: []string{"people"},
		Description: "What a till would be refused is refused here in the same words.",
	},
		func(ctx context.Context, in *check) (*checkAnswer, error) {
			where, err := family.ParseInstitutionCode(in.Body.Institution)
			if err != nil {
				return nil, family.Faulty("institution_code", err)
			}
			bill, need, err := billOf(in.Body.MedType, in.Body.Lines, in.Body.Diagnoses)
			if err != nil {
				return nil, err
			}
			if need == nil {
				need = &family.Need{}
			}
			for _, l := range bill.Lines {
				bill.Total += l.Amount
			}
			outcome, err := d.app.Check(ctx, person(ctx), family.BindingID(in.Body.BindingID), where, bill, *need)
			if refusal := (*family.Refusal)(nil); errors.As(err, &refusal) && refusal.Field == "total_fen" {
				refusal.Field = "lines" // the total here is theirs
			}
			if err != nil {
				return nil, err
			}
			return &checkAnswer{checkOf(settlementOf(outcome), outcome.Settlement.Verdict())}, nil
		})
}
