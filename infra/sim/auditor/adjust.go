package auditor

import (
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of adjustments: what two people do to an
// account that neither a payment nor a till can put right.

// Adjustment is what somebody proposes: to add to an account, or to take from it where
// it is negative. Whoever decides on one names its Reference alone.
type Adjustment struct {
	Reference, Person string
	Amount            Pockets
	Reason            string
}

type adjustmentRecord struct {
	Adjustment
	State                 string
	ProposedBy, Proposer  string
	ProposedAt, DecidedAt time.Time
	DecidedBy             string
	Seq                   uint64
}

func adjustmentKey(reference string) store.Key {
	return store.Key{Part: "ADJUSTMENTS", Sort: reference}
}

// proposed works out what a proposal is answered.
func (v *view) proposed(r *Request, at time.Time) (effects, bool, string) {
	in, e := r.Adjust, effects{}
	has, found := read[adjustmentRecord](v, adjustmentKey(in.Reference))
	_, used := read[creditRecord](v, creditKey(in.Reference))
	_, known := read[accountRecord](v, accountKey(in.Person))
	switch {
	case r.By == in.Person:
		v.a.Reached("nobody adjusts his own account")
		return nil, false, "not_permitted"
	case found && has.Adjustment != in, !found && used:
		return nil, false, "message_reused"
	case found:
		return e, true, ""
	case !known:
		return nil, false, "not_found"
	}
	e[adjustmentKey(in.Reference)] = is("the adjustment", adjustmentRecord{Adjustment: in, State: "proposed", ProposedBy: r.Subject, Proposer: r.By, ProposedAt: at})
	return e, false, ""
}

// adjusted works out what somebody is answered who decides on a proposal.
func (v *view) adjusted(r *Request, at time.Time) (effects, bool, string) {
	e, to := effects{}, map[Op]string{OpBook: "booked", OpDrop: "rejected"}[r.Op]
	has, found := read[adjustmentRecord](v, adjustmentKey(r.Adjust.Reference))
	switch {
	case !found:
		return nil, false, "not_found"
	case has.State == to && has.DecidedBy == r.Subject:
		return e, true, ""
	}
	j := *has
	if r.Op == OpBook {
		_, used := read[creditRecord](v, creditKey(j.Reference))
		record, _ := read[accountRecord](v, accountKey(j.Person))
		me := record.Account.copied()
		after := me.Balance.plus(j.Amount)
		switch {
		case r.By == j.Person:
			v.a.Reached("nobody adjusts his own account")
			return nil, false, "not_permitted"
		case r.Subject == j.ProposedBy, r.By != "" && r.By == j.Proposer:
			v.a.Reached("who proposed an adjustment does not book it")
			return nil, false, "not_permitted"
		case j.State != "proposed":
			return nil, false, "state_forbids"
		case after.Current < 0, after.Past < 0:
			v.a.Reached("an adjustment would take more than there is")
			return nil, false, "state_forbids"
		case after.total() < me.heldInQuotas():
			v.a.Reached("an adjustment would take what is frozen for relatives")
			return nil, false, "state_forbids"
		case used:
			v.a.Reached("a credit has an adjustment's reference")
			return nil, false, "message_reused"
		}
		d := entry{Account: j.Person, At: at, Kind: "adjustment", Ref: j.Reference, Reason: j.Reason, Delta: j.Amount}
		e.book(&me, &d)
		e[creditKey(j.Reference)] = is("the adjustment's reference", creditRecord{Person: j.Person, Amount: j.Amount, Reason: j.Reason})
		j.Seq = d.Seq
	} else if j.State != "proposed" {
		return nil, false, "state_forbids"
	}
	j.State, j.DecidedBy, j.DecidedAt = to, r.Subject, at
	e[adjustmentKey(j.Reference)] = is("the adjustment", j)
	return e, false, ""
}

// twoPeople finds an entry that adjusts an account without two people behind it, and an
// adjustment that is booked without its entry.
func (a *Auditor) twoPeople(entries map[string][]*entry, adjustments map[string]*adjustmentRecord) {
	booked := 0
	for _, list := range entries {
		for _, e := range list {
			if e.Kind != "adjustment" {
				continue
			}
			booked++
			j := adjustments[e.Ref]
			if j == nil || j.State != "booked" || j.DecidedBy == "" || j.DecidedBy == j.ProposedBy || j.Person != e.Account || j.Amount != e.Delta || j.Seq != e.Seq || j.Reason != e.Reason {
				a.fault("entry %d of %s adjusts the account, and %+v stands behind it", e.Seq, e.Account, j)
			}
		}
	}
	for _, j := range adjustments {
		if j.State == "booked" {
			booked--
		}
	}
	if booked != 0 {
		a.fault("%d entries that adjust accounts more than adjustments are booked", booked)
	}
	if len(adjustments) > 0 {
		a.Reached("two people stand behind every adjustment")
	}
}
