package answer

import (
	"encoding/json"
	"net/http"

	"gongji/shared/family"
)

// Problem is the body of every error at the JSON door (RFC 9457), wherever it is
// written: in a handler, before one, or where there is none.
type Problem struct {
	Type       string `json:"type" doc:"A name of the kind of problem, urn:gongji:problem: and the code"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Instance   string `json:"instance,omitempty" doc:"The path that was asked"`
	Code       string `json:"code" doc:"From the catalogue of answers"`
	Kind       string `json:"kind" enum:"malformed,decided,unknown"`
	MessageZH  string `json:"message_zh"`
	MessageEN  string `json:"message_en"`
	CashierZH  string `json:"cashier_zh,omitempty" doc:"A line for the till: who owes what"`
	CashierEN  string `json:"cashier_en,omitempty"`
	PersonZH   string `json:"person_zh,omitempty" doc:"A line for the family"`
	PersonEN   string `json:"person_en,omitempty"`
	Next       string `json:"next" enum:"fix,refresh_qr,requote,collect_cash,retry_same_id,do_nothing,contact"`
	Field      string `json:"field,omitempty" doc:"The field at fault, such as lines[2].quantity"`
	Line       int    `json:"line,omitempty" doc:"The line at fault"`
	Rule       string `json:"rule,omitempty"`
	RuleZH     string `json:"rule_zh,omitempty"`
	RuleEN     string `json:"rule_en,omitempty"`
	Policy     string `json:"policy,omitempty" doc:"The policy that holds the rule"`
	Observed   string `json:"observed,omitempty"`
	Allowed    string `json:"allowed,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty" doc:"Seconds"`
	RequestID  string `json:"request_id,omitempty" doc:"Of an internal error, for whoever looks into it"`
}

// ProblemOf returns the document of a refusal, all but where it was met.
func ProblemOf(r *family.Refusal) Problem {
	row := Of(r.Code)
	p := Problem{
		Type: "urn:gongji:problem:" + string(row.Code), Title: row.Title.ZH + " / " + row.Title.EN,
		Status: row.Status, Code: string(row.Code), Kind: string(row.Kind),
		MessageZH: row.Message.ZH, MessageEN: row.Message.EN,
		CashierZH: row.Cashier.ZH, CashierEN: row.Cashier.EN, PersonZH: row.Person.ZH, PersonEN: row.Person.EN,
		Next: string(row.Next), RetryAfter: row.RetryAfter,
		Field: r.Field, Line: r.Line, Rule: r.Rule, Policy: r.Policy, Observed: r.Observed, Allowed: r.Allowed,
		Detail: row.Message.EN,
	}
	if r.RetryAfter > 0 {
		p.RetryAfter = r.RetryAfter
	}
	if r.Detail != "" {
		p.Detail = r.Detail
	}
	if r.Field != "" {
		p.Detail = r.Field + ": " + p.Detail
	}
	if text, ok := Rule(r.Rule); ok {
		p.RuleZH, p.RuleEN = text.ZH, text.EN
	}
	return p
}

// WriteTo answers a request with the document.
func (p Problem) WriteTo(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone; there is nobody to tell
}

// ProblemType is the media type of a problem document.
const ProblemType = "application/problem+json"
