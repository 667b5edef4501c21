package api

import (
	"reflect"
	"slices"
	"strconv"
	"time"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// This file is the shapes that several routes answer with.

// PageQuery is how every list is asked for.
type PageQuery struct {
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many items at most"`
	After string `query:"after" maxLength:"64" doc:"next_after of the page before"`
}

// notACursor refuses an after that no page ended with.
var notACursor = &family.Refusal{Code: family.Malformed, Field: "after", Detail: "not a cursor of this list"}

// Page is one page of a list.
type Page[T any] struct {
	Items     []T    `json:"items" nullable:"false"`
	NextAfter string `json:"next_after,omitempty" doc:"Ask again with after= this; absent at the end"`
}

func pageOf[T, W any](p app.Page[T], wire func(T) W) Page[W] {
	w := Page[W]{Items: make([]W, 0, len(p.Items)), NextAfter: p.Next}
	for _, item := range p.Items {
		w.Items = append(w.Items, wire(item))
	}
	return w
}

// termsWire is what a holder sets for his grant.
type termsWire struct {
	_ struct{} `nullable:"true"`

	Purposes         []string `json:"purposes" minItems:"1" maxItems:"3" nullable:"false" enum:"care,pharmacy,premium"`
	MonthlyCap       *int64   `json:"monthly_cap_fen,omitempty" nullable:"true" minimum:"1" doc:"Most in a calendar month"`
	PerSettlementCap *int64   `json:"per_settlement_cap_fen,omitempty" nullable:"true" minimum:"1" doc:"Most in one settlement"`
	Quota            *int64   `json:"quota_fen,omitempty" nullable:"true" minimum:"1" doc:"Frozen for the member (共济额度): nobody else may spend it, and no more than it is shared"`
	ValidUntil       *string  `json:"valid_until,omitempty" nullable:"true" pattern:"^[0-9]{8}$" doc:"Last day, YYYYMMDD"`
}

func (t *termsWire) terms() (*family.Terms, error) {
	if t == nil {
		return nil, nil
	}
	terms := &family.Terms{
		MonthlyCap: orZero(t.MonthlyCap), PerSettlementCap: orZero(t.PerSettlementCap), Quota: orZero(t.Quota),
	}
	for _, p := range t.Purposes {
		terms.Purposes = append(terms.Purposes, family.Purpose(p))
	}
	if t.ValidUntil != nil {
		day, err := family.ParseDay(*t.ValidUntil)
		if err != nil {
			return nil, family.Faulty("pay.valid_until", err)
		}
		terms.ValidUntil = day
	}
	return terms, nil
}

func orZero(v *int64) family.Fen {
	if v == nil {
		return 0
	}
	return family.Fen(*v)
}

// lineAsk is a line of a bill as the till sends it.
type lineAsk struct {
	Name string `json:"name" maxLength:"100"`
	GoodsAsk
}

// checkLine is a line as a person asks about it: he need not know what the till
// calls it.
type checkLine struct {
	Name string `json:"name,omitempty" nullable:"true" maxLength:"100"`
	GoodsAsk
}

// GoodsAsk is what a line is about, whoever asks.
type GoodsAsk struct {
	LineNo     int      `json:"line_no" minimum:"1" maximum:"99999"`
	Code       string   `json:"code" minLength:"1" maxLength:"50" doc:"National code"`
	Quantity   string   `json:"quantity" maxLength:"20" doc:"Decimal with at most four places, above 0"`
	UnitPrice  int64    `json:"unit_price_fen" minimum:"0" maximum:"1000000000"`
	Amount     int64    `json:"amount_fen" minimum:"0" maximum:"1000000000" doc:"Authoritative"`
	TraceCodes []string `json:"trace_codes,omitempty" nullable:"true" maxItems:"80" doc:"追溯码, one a box"`

	PrescriptionNo string `json:"prescription_no,omitempty" nullable:"true" maxLength:"50" doc:"处方号: needed where an item is paid on a prescription only"`
	SupplyDays     int    `json:"supply_days,omitempty" nullable:"true" minimum:"1" maximum:"366" doc:"How many days the quantity lasts; checked where an item limits them"`
}

// named is a line with its name.
type named interface{ line() (string, GoodsAsk) }

func (l lineAsk) line() (string, GoodsAsk)   { return l.Name, l.GoodsAsk }
func (l checkLine) line() (string, GoodsAsk) { return l.Name, l.GoodsAsk }

// billOf reads the lines of a bill, and what is told with them of the patient's need;
// nil is nothing.
func billOf[L named](medType string, asks []L, diagnoses []string) (family.Bill, *family.Need, error) {
	bill := family.Bill{MedType: family.MedType(medType), UseAccount: true, Lines: make([]family.Line, 0, len(asks))}
	need := family.Need{Diagnoses: diagnoses}
	for i, ask := range asks {
		name, l := ask.line()
		quantity, err := family.ParseQuantity(l.Quantity)
		if err != nil {
			return bill, nil, &family.Refusal{Code: family.Malformed, Field: indexed("lines", i) + ".quantity", Line: l.LineNo, Detail: err.Error()}
		}
		bill.Lines = append(bill.Lines, family.Line{
			No: l.LineNo, Code: l.Code, Name: name, Quantity: quantity,
			UnitPrice: family.Fen(l.UnitPrice), Amount: family.Fen(l.Amount), TraceCodes: l.TraceCodes,
		})
		if l.PrescriptionNo != "" || l.SupplyDays != 0 {
			if need.Prescriptions == nil {
				need.Prescriptions = map[int]family.Prescription{}
			}
			need.Prescriptions[l.LineNo] = family.Prescription{No: l.PrescriptionNo, Days: l.SupplyDays}
		}
	}
	if len(need.Diagnoses) == 0 && need.Prescriptions == nil {
		return bill, nil, nil
	}
	return bill, &need, nil
}

// patientWire is the patient as a till sees him.
type patientWire struct {
	PersonNo   string `json:"person_no,omitempty"`
	NameMasked string `json:"name_masked"`
}

// Amounts is who pays what. Always: total = fund + person_burden, and
// person_burden = own + shared + cash.
type Amounts struct {
	Total        family.Fen `json:"total_fen"`
	OutOfScope   family.Fen `json:"out_of_scope_fen" doc:"全自费"`
	OverLimit    family.Fen `json:"over_limit_fen" doc:"超限价自费"`
	PreSelfPay   family.Fen `json:"pre_self_pay_fen" doc:"先行自付"`
	InScope      family.Fen `json:"in_scope_fen" doc:"符合政策范围"`
	Deductible   family.Fen `json:"deductible_fen" doc:"起付线"`
	FundPaid     family.Fen `json:"fund_paid_fen" doc:"统筹基金支付"`
	PersonBurden family.Fen `json:"person_burden_fen" doc:"个人负担"`
	AccountBase  family.Fen `json:"account_base_fen" doc:"个人账户可支付"`
	OwnPaid      family.Fen `json:"own_paid_fen" doc:"本人个人账户支付"`
	SharedPaid   family.Fen `json:"shared_paid_fen" doc:"家庭共济支付"`
	CashDue      family.Fen `json:"cash_due_fen" doc:"现金支付"`
}

func amountsOf(b family.Breakdown) Amounts {
	return Amounts{
		b.Total, b.OutOfScope, b.OverLimit, b.PreSelfPay, b.InScope, b.Deductible, b.FundPaid, b.PersonBurden,
		b.AccountBase, b.OwnPaid, b.SharedPaid, b.CashDue,
	}
}

// shareWire is what one grantor paid and why no more.
type shareWire struct {
	GrantorMasked string     `json:"grantor_masked"`
	Relation      string     `json:"relation" doc:"What the patient is to the grantor, GB/T 4761"`
	RelationZH    string     `json:"relation_zh"`
	RelationEN    string     `json:"relation_en"`
	Paid          family.Fen `json:"paid_fen"`
	Reason        string     `json:"reason,omitempty"`
	ReasonZH      string     `json:"reason_zh,omitempty"`
	ReasonEN      string     `json:"reason_en,omitempty"`
	Explained
}

// lineWire is a line as it was decided.
type lineWire struct {
	LineNo     int        `json:"line_no"`
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	Quantity   string     `json:"quantity"`
	Amount     family.Fen `json:"amount_fen"`
	Class      string     `json:"class" enum:"A,B,C"`
	OutOfScope family.Fen `json:"out_of_scope_fen"`
	OverLimit  family.Fen `json:"over_limit_fen"`
	PreSelfPay family.Fen `json:"pre_self_pay_fen"`
	InScope    family.Fen `json:"in_scope_fen"`
	Reason     string     `json:"reason"`
	ReasonZH   string     `json:"reason_zh"`
	ReasonEN   string     `json:"reason_en"`
	Explained
	Version string     `json:"catalogue_version" doc:"First day of the version of the catalogue that priced the line"`
	Owes    family.Fen `json:"owes_fen" doc:"What of it nobody pays but the person, in cash"`
}

// Explained is what a reason rests on, and how to say it at the till and to the family.
type Explained struct {
	Rule      string `json:"rule,omitempty"`
	Observed  string `json:"observed,omitempty"`
	Allowed   string `json:"allowed,omitempty"`
	CashierZH string `json:"cashier_zh,omitempty" doc:"A line for the till"`
	CashierEN string `json:"cashier_en,omitempty"`
	PersonZH  string `json:"person_zh,omitempty" doc:"A line for the family"`
	PersonEN  string `json:"person_en,omitempty"`
}

func explain(reason family.Code, why family.Why) Explained {
	row := answer.Of(reason)
	e := Explained{Rule: why.Rule, Observed: why.Observed, Allowed: why.Allowed}
	if row.Kind == answer.Reason { // a refusal's lines say more than it does beside a line
		e.CashierZH, e.CashierEN, e.PersonZH, e.PersonEN = row.Cashier.ZH, row.Cashier.EN, row.Person.ZH, row.Person.EN
	}
	return e
}

// Settlement is a quote, a settlement, or with its signs turned a reversal or
// refund of one.
type Settlement struct {
	SettlementID string      `json:"settlement_id,omitempty" doc:"Absent in a quote"`
	Kind         string      `json:"kind" enum:"quote,settlement,reversal,refund"`
	OriginalID   string      `json:"original_settlement_id,omitempty" doc:"Of a reversal or refund"`
	Patient      patientWire `json:"patient"`
	MedType      string      `json:"med_type"`
	Amounts
	Shares    []shareWire `json:"shares" nullable:"false"`
	Lines     []lineWire  `json:"lines" nullable:"false"`
	Policy    string      `json:"policy"`
	SettledAt *time.Time  `json:"settled_at,omitempty"`
}

func settlementOf(o app.Outcome) Settlement {
	s := o.Settlement
	w := Settlement{
		SettlementID: string(s.ID), Kind: string(s.Kind), OriginalID: string(s.Original),
		Patient: patientWire{PersonNo: string(s.Patient), NameMasked: o.Names[s.Patient]},
		MedType: string(s.MedType), Amounts: amountsOf(s.Paid),
		Shares: sharesOf(o), Lines: linesWireOf(s), Policy: s.Policy,
	}
	if s.ID == "" {
		w.Kind = "quote"
	} else {
		w.SettledAt = &s.At
	}
	return w
}

func sharesOf(o app.Outcome) []shareWire {
	shares := make([]shareWire, 0, len(o.Settlement.Shares))
	for _, share := range o.Settlement.Shares {
		w := shareWire{GrantorMasked: o.Names[share.Grantor], Relation: string(share.Relation), Paid: share.Paid.Total(), Reason: string(share.Reason)}
		w.RelationZH, w.RelationEN = share.Relation.Names()
		if share.Reason != "" {
			text := answer.Of(share.Reason).Beside()
			w.ReasonZH, w.ReasonEN = text.ZH, text.EN
			w.Explained = explain(share.Reason, family.Why{Rule: share.Rule})
		}
		shares = append(shares, w)
	}
	return shares
}

func linesWireOf(s family.Settlement) []lineWire {
	lines := make([]lineWire, 0, len(s.Lines))
	for i, l := range s.Lines {
		text := answer.Of(l.Reason).Beside()
		lines = append(lines, lineWire{
			LineNo: l.No, Code: l.Code, Name: l.Name, Quantity: l.Quantity.String(), Amount: l.Amount, Class: string(l.Class),
			OutOfScope: l.Amounts.OutOfScope, OverLimit: l.Amounts.OverLimit, PreSelfPay: l.Amounts.PreSelfPay, InScope: l.Amounts.InScope,
			Reason: string(l.Reason), ReasonZH: text.ZH, ReasonEN: text.EN,
			Explained: explain(l.Reason, s.Why(i)), Version: l.Since.String(), Owes: s.Owes(i),
		})
	}
	return lines
}

// Standing is what became of a settlement since it was made.
type Standing struct {
	Settlement
	State   string   `json:"state" enum:"settled,partially_refunded,reversed"`
	Refunds []string `json:"refunds,omitempty" doc:"The reversals and refunds of it"`
	Kept    []kept   `json:"kept,omitempty" doc:"What is left of each line after refunds"`
}

type kept struct {
	LineNo   int    `json:"line_no"`
	Quantity string `json:"quantity"`
}

func standingOf(o app.Outcome) Standing {
	s := o.Settlement
	w := Standing{Settlement: settlementOf(o), State: string(s.State())}
	for _, id := range s.Refunds {
		w.Refunds = append(w.Refunds, string(id))
	}
	if s.Kind == family.Settled && len(s.Refunds) > 0 {
		w.Kept = keptOf(s)
	}
	return w
}

func keptOf(s family.Settlement) []kept {
	left := make([]kept, len(s.Lines))
	for i, l := range s.Lines {
		left[i] = kept{LineNo: l.No, Quantity: s.Kept[i].String()}
	}
	return left
}

// purposesOf returns purposes as text.
func purposesOf(t *family.Terms) []string {
	purposes := make([]string, 0, len(t.Purposes))
	for _, p := range t.Purposes {
		purposes = append(purposes, string(p))
	}
	return slices.Clip(purposes)
}

// indexed names an element of a list field.
func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// oneOf documents a route whose answer has one of several shapes.
func oneOf(path string, shapes ...any) func(huma.API) {
	return func(api huma.API) {
		registry := api.OpenAPI().Components.Schemas
		schema := &huma.Schema{}
		for _, shape := range shapes {
			schema.OneOf = append(schema.OneOf, registry.Schema(reflect.TypeOf(shape), true, ""))
		}
		api.OpenAPI().Paths[path].Get.Responses["200"].Content["application/json"].Schema = schema
	}
}

// replayHeader is "true" when an answer was given before.
func replayHeader(replay bool) string {
	if replay {
		return "true"
	}
	return ""
}
