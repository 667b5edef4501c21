package main

import (
	"time"

	"gongji/shared/family"
)

// What the story sends and reads, as much of it as it needs. Names are those of
// the doors.
type (
	bindAsk struct {
		Name     string `json:"name"`
		IDNo     string `json:"id_no"`
		Relation string `json:"relation"`
		Show     bool   `json:"show"`
		Pay      *pay   `json:"pay"`
	}
	pay struct {
		Purposes   []string   `json:"purposes"`
		MonthlyCap family.Fen `json:"monthly_cap_fen"`
	}
	binding struct {
		ID       string `json:"binding_id"`
		Role     string
		State    string
		Relation string
		Guardian bool
		Steps    []struct {
			Action, By, Kind string
			Done             bool
		}
	}
	credential struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	billAsk struct {
		MessageID    string      `json:"message_id,omitempty"`
		Credential   credential  `json:"credential"`
		MedType      string      `json:"med_type"`
		Total        family.Fen  `json:"total_fen"`
		Lines        []lineAsk   `json:"lines"`
		ExpectedCash *family.Fen `json:"expected_cash_fen,omitempty"`
	}
	lineAsk struct {
		No        int        `json:"line_no"`
		Code      string     `json:"code"`
		Name      string     `json:"name"`
		Quantity  string     `json:"quantity"`
		UnitPrice family.Fen `json:"unit_price_fen"`
		Amount    family.Fen `json:"amount_fen"`
	}
)

// settlement is what a quote or settlement says, as much of it as is told.
type settlement struct {
	ID           string     `json:"settlement_id"`
	Total        family.Fen `json:"total_fen"`
	OutOfScope   family.Fen `json:"out_of_scope_fen"`
	OverLimit    family.Fen `json:"over_limit_fen"`
	FundPaid     family.Fen `json:"fund_paid_fen"`
	PersonBurden family.Fen `json:"person_burden_fen"`
	OwnPaid      family.Fen `json:"own_paid_fen"`
	SharedPaid   family.Fen `json:"shared_paid_fen"`
	CashDue      family.Fen `json:"cash_due_fen"`
	Shares       []struct {
		Grantor    string     `json:"grantor_masked"`
		RelationZH string     `json:"relation_zh"`
		RelationEN string     `json:"relation_en"`
		Paid       family.Fen `json:"paid_fen"`
		ReasonZH   string     `json:"reason_zh"`
		ReasonEN   string     `json:"reason_en"`
	}
	Lines []struct {
		Name       string
		Quantity   string
		Amount     family.Fen `json:"amount_fen"`
		Class      string
		OutOfScope family.Fen `json:"out_of_scope_fen"`
		OverLimit  family.Fen `json:"over_limit_fen"`
		PreSelfPay family.Fen `json:"pre_self_pay_fen"`
		InScope    family.Fen `json:"in_scope_fen"`
		ReasonZH   string     `json:"reason_zh"`
		ReasonEN   string     `json:"reason_en"`
	}
}

// receipt is a settlement as one person sees it.
type receipt struct {
	settlement
	Role        string
	Paid        family.Fen `json:"paid_fen"`
	SettledAt   time.Time  `json:"settled_at"`
	Institution struct{ Name string }
}
