package his

import (
	"errors"
	"fmt"

	"gongji/shared/answer"
	"gongji/shared/family"
)

// finding is one row of a pre-audit (3101, 3102). sev_deg is 1 where a settlement
// would be refused, and 3 where it would only leave more to the person: the
// institution answers "continue" or "go back".
type finding struct {
	JrID    string `json:"jr_id"`
	RuleID  string `json:"rule_id"`
	Rule    string `json:"rule_name"`
	Content string `json:"vola_cont"`
	PatnID  string `json:"patn_id"`
	MdtrtID string `json:"mdtrt_id"`
	Amount  yuan   `json:"vola_amt"`
	Stas    string `json:"vola_amt_stas"`
	Degree  string `json:"sev_deg"`
	Evid    string `json:"vola_evid"`
	Kind    string `json:"vola_bhvr_type"`
	TaskID  string `json:"task_id"`
}

// audit tells before a bill is made what the rules would say of it (3101, 3102): the
// same law as a settlement, moving nothing.
func audit(c *call) (any, error) {
	found := []finding{}
	for _, p := range c.input.first("data").list("patient_dtos", 20) {
		id := p.need("patn_id", 30)
		who, err := family.ParsePersonNo(id)
		if err != nil {
			p.wrong("patn_id", err.Error())
		}
		for _, e := range p.list("fsi_encounter_dtos", 20) {
			visit := e.text("mdtrt_id", 30)
			bill := family.Bill{MedType: family.MedType(e.text("med_type", 6)), UseAccount: false}
			if bill.MedType == "" {
				bill.MedType = family.Outpatient
			}
			for i, o := range e.list("fsi_order_dtos", maxDetails) {
				l := family.Line{
					No: i + 1, Code: o.need("hilist_code", 50), Name: clip(o.text("hilist_name", 150), 300),
					Quantity: family.Quantity(o.number("cnt", 4)), Amount: o.money("sumamt"),
				}
				l.UnitPrice = unitPrice(o, l)
				bill.Lines, bill.Total = append(bill.Lines, l), bill.Total+l.Amount
			}
			if fault := *c.input.fault; fault != nil {
				return nil, fault
			}
			rows, err := c.judge(who, bill)
			if err != nil {
				return nil, err
			}
			for _, f := range rows {
				f.JrID, f.PatnID, f.MdtrtID, f.TaskID = fmt.Sprintf("%s%d", c.message, len(found)+1), id, visit, string(c.message)
				f.Stas, f.Kind = "1", "1"
				found = append(found, f)
			}
		}
	}
	return struct {
		Result []finding `json:"result"`
	}{found}, nil
}

// judge asks the law of one bill.
func (c *call) judge(who family.PersonNo, bill family.Bill) ([]finding, error) {
	if len(bill.Lines) == 0 {
		return nil, nil
	}
	of := func(code family.Code, degree, evidence string, amount family.Fen) finding {
		row := answer.Of(code)
		return finding{RuleID: string(code), Rule: row.Title.ZH, Content: row.Beside().ZH, Degree: degree, Evid: evidence, Amount: yuan(amount)}
	}
	o, err := c.app.Check(c, who, "", c.place, bill, family.Need{})
	var refusal *family.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code != family.Malformed && status(refusal) == 200:
		amount := bill.Total
		evidence := ""
		for _, l := range bill.Lines {
			if l.No == refusal.Line {
				amount, evidence = l.Amount, l.Code
			}
		}
		return []finding{of(refusal.Code, "1", evidence, amount)}, nil
	case err != nil:
		return nil, err
	}
	var rows []finding
	for _, l := range o.Settlement.Lines {
		if own := l.Amounts.OutOfScope + l.Amounts.OverLimit; own > 0 {
			rows = append(rows, of(l.Reason, "3", l.Code, own))
		}
	}
	return rows, nil
}
