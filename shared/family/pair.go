package family

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Pair is a binding with the accounts of both sides: what its acts read and write.
type Pair struct {
	Binding        Binding
	Holder, Member Account
}

// Submit is the holder's step: with it he promises that the relation is true
// (个人承诺). A repeat changes nothing.
func (pair Pair) Submit(by PersonNo, p *Policy, now time.Time) (Pair, *Refusal) {
	if pair.Binding.SideOf(by) != BySelf {
		return pair, Refuse(NotPermitted)
	}
	return pair.step(StepSubmit, p, now)
}

// Accept is the member's step. A repeat changes nothing.
func (pair Pair) Accept(by PersonNo, p *Policy, now time.Time) (Pair, *Refusal) {
	if pair.Binding.SideOf(by) != ByMember {
		return pair, Refuse(NotPermitted)
	}
	return pair.step(StepAccept, p, now)
}

// step marks an action done if it is the next one, and activates the binding
// after the last.
func (pair Pair) step(action Action, p *Policy, now time.Time) (Pair, *Refusal) {
	b := pair.Binding
	b.Steps = slices.Clone(b.Steps)
	i := slices.IndexFunc(b.Steps, func(s Step) bool { return s.Action == action })
	next := slices.IndexFunc(b.Steps, func(s Step) bool { return !s.Done })
	switch {
	case i < 0 || !b.Live():
		return pair, stateForbids(b)
	case b.Steps[i].Done:
		return pair, nil
	case i != next:
		return pair, stateForbids(b)
	}
	b.Steps[i].Done = true
	if i+1 < len(b.Steps) {
		b.State = BindingDraft
		switch b.Steps[i+1].Action {
		case StepAccept:
			b.State = BindingAwaiting
		case StepReview:
			b.State = BindingInReview
		}
		pair.Binding = b
		return pair, nil
	}
	// What was true when it was asked for may have changed since.
	if refusal := mayBind(pair.Holder, pair.Member, b.Pay != nil, p); refusal != nil {
		return pair, refusal
	}
	b.State, b.Activated, b.ShowAgreed = BindingActive, now, b.Show
	granted := pair
	granted.Binding = b
	if b.Pay != nil {
		if refusal := mayBeGranted(pair.Member, p); refusal != nil {
			return pair, refusal
		}
		granted = granted.grant(*b.Pay)
		if refusal := granted.quotasHeld(pair.Holder, p); refusal != nil {
			return pair, refusal
		}
	}
	return granted, nil
}

// Decline is the member's "no" to a binding that waits for him. A repeat changes
// nothing.
func (pair Pair) Decline(by PersonNo, now time.Time) (Pair, *Refusal) {
	b := &pair.Binding
	switch {
	case b.SideOf(by) != ByMember:
		return pair, Refuse(NotPermitted)
	case b.State == BindingDeclined:
		return pair, nil
	case b.State == BindingActive || b.State == BindingEnded:
		return pair, stateForbids(*b)
	}
	b.State, b.Ended, b.EndedBy = BindingDeclined, now, ByMember
	return pair, nil
}

// End ends the binding at once, by either side: nothing can be shown or spent
// under it from then on; refunds still come back. A repeat changes nothing.
func (pair Pair) End(by PersonNo, now time.Time) (Pair, *Refusal) {
	side := pair.Binding.SideOf(by)
	if side == "" {
		return pair, Refuse(NotFound)
	}
	if !pair.Binding.Live() {
		return pair, nil
	}
	pair = pair.ungrant()
	pair.Binding.State, pair.Binding.Ended, pair.Binding.EndedBy = BindingEnded, now, side
	return pair, nil
}

// Change is what a side changes of an active binding; nil leaves a thing as it is.
type Change struct {
	Show   *bool
	Paused *bool
	// SetPay tells that Pay is meant: new terms, or nil to end the grant alone.
	SetPay bool
	Pay    *Terms
}

// Change changes an active binding. The holder sets everything but cannot show
// what the member never agreed to; the member may pause, and take back or renew
// his consent to be shown. Limits count from what was already spent.
func (pair Pair) Change(by PersonNo, c Change, bound []Bound, p *Policy, now time.Time) (Pair, *Refusal) {
	b := pair.Binding
	side := b.SideOf(by)
	asksLink := c.Show != nil && *c.Show && !b.Show
	if c.SetPay && c.Pay != nil {
		if refusal := c.Pay.check(p, DayOf(now)); refusal != nil {
			return pair, refusal
		}
	}
	switch {
	case c.SetPay && side == ByMember:
		return pair, &Refusal{Code: NotPermitted, Field: "pay", Detail: "only the grantor sets what his account pays"}
	case asksLink && side == BySelf && b.State == BindingActive && !b.ShowAgreed && !b.Guardian:
		return pair, &Refusal{Code: NotPermitted, Field: "show", Detail: "the member has not agreed to be shown"}
	case side == "":
		return pair, Refuse(NotFound)
	case b.State != BindingActive:
		return pair, stateForbids(b)
	}
	grantsAnew := c.SetPay && c.Pay != nil && b.Pay == nil
	if grantsAnew {
		if refusal := mayBind(pair.Holder, pair.Member, true, p); refusal != nil {
			return pair, refusal
		}
	}
	if n := countLinks(bound); asksLink && n >= p.MaxLinks {
		return pair, p.refuse(BindingLimitReached, "links.max_members", strconv.Itoa(n), strconv.Itoa(p.MaxLinks))
	}
	if grantsAnew {
		if n := len(pair.Holder.Given); n >= p.Grants.MaxMembers {
			return pair, p.refuse(BindingLimitReached, "grants.max_members", strconv.Itoa(n), strconv.Itoa(p.Grants.MaxMembers))
		}
		if refusal := mayBeGranted(pair.Member, p); refusal != nil {
			return pair, refusal
		}
	}
	if c.Show != nil {
		b.Show = *c.Show
		if side == ByMember || b.Guardian {
			b.ShowAgreed = *c.Show
		}
	}
	if c.Paused != nil {
		if side == BySelf {
			b.PausedByHolder = *c.Paused
		} else {
			b.PausedByMember = *c.Paused
		}
	}
	changed := pair
	changed.Binding = b
	if c.SetPay {
		changed.Binding.Pay = c.Pay
		if c.Pay == nil {
			changed = changed.ungrant()
		} else {
			changed = changed.grant(*c.Pay)
		}
	} else if b.Pay != nil {
		changed = changed.grant(*b.Pay) // carries the pause into the grant
	}
	if refusal := changed.quotasHeld(pair.Holder, p); refusal != nil {
		return pair, refusal
	}
	return changed, nil
}

func countLinks(bound []Bound) (n int) {
	for _, b := range bound {
		if b.Show {
			n++
		}
	}
	return n
}

// grant puts the grant into the holder's account, or its new terms, and points
// the member's account at it.
func (pair Pair) grant(t Terms) Pair {
	b := pair.Binding
	pair.Holder, pair.Member = pair.Holder.clone(), pair.Member.clone()
	i := pair.Holder.grant(b.ID)
	if i < 0 {
		pair.Holder.Given = append(pair.Holder.Given, Grant{Binding: b.ID, Beneficiary: b.Member, Relation: b.Relation, Since: pair.Holder.Seq})
		pair.Member.Grantors = append(pair.Member.Grantors, Grantor{Person: b.Holder, Binding: b.ID})
		i = len(pair.Holder.Given) - 1
	}
	pair.Holder.Given[i].Terms, pair.Holder.Given[i].Paused = t, b.Paused()
	return pair
}

// ungrant takes the grant out of both accounts. What was left of a quota is the
// grantor's again by that alone.
func (pair Pair) ungrant() Pair {
	id := pair.Binding.ID
	pair.Holder, pair.Member = pair.Holder.clone(), pair.Member.clone()
	pair.Holder.Given = slices.DeleteFunc(pair.Holder.Given, func(g Grant) bool { return g.Binding == id })
	pair.Member.Grantors = slices.DeleteFunc(pair.Member.Grantors, func(g Grantor) bool { return g.Binding == id })
	return pair
}

// quotasHeld refuses to freeze more than the holder's account may share. What was
// frozen before stands: his free money may since have gone.
func (pair Pair) quotasHeld(before Account, p *Policy) *Refusal {
	money := pair.Holder.Balance
	if p.Grants.Money == PastYears {
		money.Current = 0
	}
	if held := pair.Holder.FrozenQuota(); held > before.FrozenQuota() && held > max(0, money.Total()-p.Grants.Floor) {
		return &Refusal{Code: AccountEmpty, Field: "pay.quota_fen", Policy: p.ID(), Detail: "the account does not hold what is to be frozen"}
	}
	return nil
}

// ChooseOrder puts the owner's grantors into the order that he chose, where his
// region lets people choose. The list names each of his grants once.
func ChooseOrder(a Account, order []BindingID, p *Policy) (Account, *Refusal) {
	chosen := make([]Grantor, 0, len(order))
	for i, id := range order {
		at := slices.IndexFunc(a.Grantors, func(g Grantor) bool { return g.Binding == id })
		if at < 0 || slices.Contains(order[:i], id) {
			return a, &Refusal{Code: Malformed, Field: fmt.Sprintf("order[%d]", i), Detail: "each of your grants once"}
		}
		chosen = append(chosen, a.Grantors[at])
	}
	if len(chosen) != len(a.Grantors) {
		return a, &Refusal{
			Code: Malformed, Field: "order", Detail: "each of your grants once",
			Observed: strconv.Itoa(len(order)), Allowed: strconv.Itoa(len(a.Grantors)),
		}
	}
	if p.Grants.Order != ChosenOrder {
		return a, p.refuse(StateForbids, "grants.order", string(p.Grants.Order), string(ChosenOrder))
	}
	next := a.clone()
	next.Grantors = chosen
	return next, nil
}

func stateForbids(b Binding) *Refusal {
	return &Refusal{Code: StateForbids, Field: "state", Observed: b.Standing()}
}
