// Package answer holds the one catalogue of answers: for every code of the law its
// kind, its status at both doors, the next step and the texts.
//
// The catalogue is the file catalogue.json, one row for each code, in their order
// of precedence. Its texts hold no figures, no names and no balances: what was
// found and what would have passed is in the refusal, not in the text.
//
// # Codes that double as reasons
//
// Some codes are a refusal in one place and, in another, the reason that stands
// beside a line or a share of a bill that was settled:
//
//   - item_not_covered refuses a code that the catalogue of goods does not have;
//     beside a line it says that the item is class C (丙类).
//   - person_not_insured and person_frozen refuse a patient, or a side of a
//     binding; beside a share they say why a grantor paid nothing.
//   - grant_none, grant_paused, grant_cap_reached, grant_scope and account_empty
//     never refuse a settlement: there they are the reason of a share that is zero
//     or smaller than what was left, and the status and next step of their rows do
//     not apply. Acts on bindings refuse by account_empty and grant_scope.
//
// [Row.Beside] is the text for such a place. Codes of kind [Reason] are never
// anything else.
package answer

import (
	"slices"

	"gongji/shared/family"
)

// Kind says what an answer means for whoever sent the request.
type Kind string

// The kinds of answer.
const (
	Malformed Kind = "malformed" // not taken up, nothing recorded: mend it and send it again
	Decided   Kind = "decided"   // final under this message id; says who owes
	Unknown   Kind = "unknown"   // not known: do not charge again, ask under the same id
	Reason    Kind = "reason"    // no refusal: stands beside a line or a share
)

// Next is what to do after an answer.
type Next string

// The next steps. Who sends again after Fix uses a new id if the old one was
// decided; do nothing includes waiting for somebody else.
const (
	Fix         Next = "fix"
	RefreshQR   Next = "refresh_qr"
	Requote     Next = "requote"
	CollectCash Next = "collect_cash"
	RetrySameID Next = "retry_same_id"
	DoNothing   Next = "do_nothing"
	Contact     Next = "contact"
)

// Text is a text in Simplified Chinese and in English.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Row is all that is said by one code.
type Row struct {
	Code family.Code `json:"code"`
	Kind Kind        `json:"kind"`
	// Status is the HTTP status at the JSON door; 0 for a reason.
	Status int `json:"status"`
	// HIS is the infcode at the HIS door. 0 where no envelope carries the answer:
	// the gateway answers by the HTTP status, or it never goes to a till.
	HIS  int  `json:"his"`
	Next Next `json:"next"`
	// RetryAfter is in seconds; 0 unless the status is 429 or 503.
	RetryAfter int `json:"retry_after,omitzero"`

	Title   Text `json:"title"`
	Message Text `json:"message"` // one sentence: what happened and what to do
	Cashier Text `json:"cashier"` // one line at the till: who owes what now
	Person  Text `json:"person"`  // for the family
	// Reason is the text beside a line or a share, of a refusal that doubles as one.
	Reason Text `json:"reason,omitzero"`
	// Mend says what would change the answer to "will it pay?".
	Mend Text `json:"mend,omitzero"`
	// HISText is the err_msg of the national interface, at most 200 characters,
	// with the code in brackets at its end.
	HISText string `json:"his_text"`
}

// Beside returns the text that stands beside a line or a share of a settled bill.
func (r Row) Beside() Text {
	if r.Reason != (Text{}) {
		return r.Reason
	}
	return r.Message
}

// Of returns the row of a code; a code that nobody declared is internal.
func Of(code family.Code) Row {
	i, declared := built().byCode[code]
	if !declared {
		i = built().byCode[family.Internal]
	}
	return built().rows[i]
}

// All returns every row, in order of precedence.
func All() []Row { return slices.Clone(built().rows) }

// Rule returns what a rule of the law says, by the name that a refusal carries,
// such as "grants.max_members".
func Rule(name string) (Text, bool) {
	for _, r := range built().rules {
		if r.Rule == name {
			return r.Text, true
		}
	}
	return Text{}, false
}

// Event returns what a happening of a binding's history says in plain words.
func Event(h family.Happening) Text {
	for _, e := range built().events {
		if e.Event == h {
			return e.Text
		}
	}
	return Text{}
}

// ToMend is what mends a readiness: who does what; empty where nobody needs to.
type ToMend struct{ By, Action string }

// Ready returns what a readiness says in one sentence, and what mends it.
func Ready(readiness family.Readiness) (Text, ToMend) {
	for _, r := range built().ready {
		if r.Readiness == readiness {
			return r.Text, ToMend{r.By, r.Action}
		}
	}
	return Text{}, ToMend{}
}
