package family

import (
	"slices"
	"strconv"
	"time"
)

// Consent is what a grantor has said to a settlement that waits for him.
type Consent string

// What a grantor can say. He has said nothing while it is empty.
const (
	ConsentGiven   Consent = "approved"
	ConsentRefused Consent = "declined"
)

// Question is a grantor without whom a settlement does not go on.
type Question struct {
	Grantor  PersonNo
	Binding  BindingID
	Relation Relation // what the patient is to him
	// Amount is what the settlement would take from his account, and the most that
	// it may take once he has approved.
	Amount Fen
	Said   Consent
}

// Confirmation is what a settlement waits for that takes more from a relative's
// account than his region lets pass unasked. Nothing has moved. The one who is
// asked is the one whose money it is, whoever holds the phone at the till.
//
// An approval moves nothing either: it lets the till's message pass when it comes
// again, while it waits. So the till, which alone knows whether the patient has
// meanwhile paid otherwise, has the last word.
type Confirmation struct {
	Patient PersonNo
	At      time.Time  // when the till asked
	Until   time.Time  // first moment at which it has lapsed
	Asked   []Question // never empty
}

// confirmation returns what a settlement has to wait for, or nil.
func (c *Case) confirmation(s Settlement) *Confirmation {
	if c.Confirmation != nil {
		return nil // they were asked, and what they said holds
	}
	asked := Confirmation{Patient: s.Patient, At: c.Now, Until: c.Now.Add(c.Policy.Grants.ConfirmLife)}
	for _, share := range s.Shares {
		if tier, asks := c.tier(share.Grantor, share.Relation); asks && share.Paid.Total() > tier {
			asked.Asked = append(asked.Asked, Question{share.Grantor, share.Binding, share.Relation, share.Paid.Total(), ""})
		}
	}
	if len(asked.Asked) == 0 {
		return nil
	}
	return &asked
}

// tier returns up to what amount a grantor's account pays for a relative without
// asking him, and whether there is such an amount.
func (c *Case) tier(grantor PersonNo, patientIs Relation) (Fen, bool) {
	i := slices.IndexFunc(c.Payers, func(p Payer) bool { return p.Account.Person == grantor })
	if i < 0 {
		return 0, false
	}
	tier, asks := c.Payers[i].Policy.Grants.ConfirmAbove[patientIs.Kin()]
	return tier, asks
}

// unasked returns the most that a grantor pays of a settlement that has waited:
// what he approved, or else what his region lets pass without asking. What has
// become dearer since is not asked about again; it is paid otherwise.
func (c *Case) unasked(g Grant, grantor PersonNo) Fen {
	most, asks := c.tier(grantor, g.Relation)
	if c.Confirmation == nil || !asks {
		return MaxFen
	}
	for _, a := range c.Confirmation.Asked {
		if a.Grantor == grantor && a.Binding == g.Binding && a.Said == ConsentGiven {
			most = max(most, a.Amount)
		}
	}
	return most
}

// Answer returns what the till hears of a settlement that waits; nil when it may
// go on.
func (c Confirmation) Answer(now time.Time) *Refusal {
	said := func(consent Consent) func(Question) bool { return func(a Question) bool { return a.Said == consent } }
	switch {
	case slices.ContainsFunc(c.Asked, said(ConsentRefused)):
		return Refuse(ConfirmationDeclined)
	case !now.Before(c.Until):
		return &Refusal{Code: ConfirmationLapsed, Rule: "grants.confirm_seconds", Allowed: strconv.Itoa(int(c.Until.Sub(c.At) / time.Second))}
	case slices.ContainsFunc(c.Asked, said("")):
		return &Refusal{Code: ConfirmationNeeded, Rule: "grants.confirm_above_fen", Allowed: c.Until.UTC().Format(time.RFC3339Nano)}
	}
	return nil
}

// Of returns what a grantor is asked; false when he is not.
func (c Confirmation) Of(grantor PersonNo) (Question, bool) {
	i := slices.IndexFunc(c.Asked, func(a Question) bool { return a.Grantor == grantor })
	if i < 0 {
		return Question{}, false
	}
	return c.Asked[i], true
}

// Say returns the confirmation after a grantor has approved or declined. Until the
// settlement has gone on he may still take his approval back; a "no" is final. A
// repeat changes nothing.
func (c Confirmation) Say(by PersonNo, what Consent, now time.Time) (Confirmation, *Refusal) {
	asked, found := c.Of(by)
	switch {
	case !found:
		return c, Refuse(NotFound)
	case asked.Said == what:
		return c, nil
	}
	// Somebody's "no" or the end of its time has decided it.
	if refusal := c.Answer(now); refusal != nil && refusal.Code != ConfirmationNeeded {
		return c, refusal
	}
	c.Asked = slices.Clone(c.Asked)
	for i := range c.Asked {
		if c.Asked[i].Grantor == by {
			c.Asked[i].Said = what
		}
	}
	return c, nil
}
