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
	MemberBorn     Day
	// RegistryAnswer is what the civil registry said when it was asked for this act.
	Registry RegistryAnswer
	// Events are what the act adds to the binding's history.
	Events []Event
}

// Submit is the holder's step: with it he promises that the relation is true
// (个人承诺), and the papers have to be there. What the civil registry denies is
// refused; where it cannot say and the region wants to know, a reviewer decides. A
// repeat changes nothing.
func (pair Pair) Submit(by PersonNo, p *Policy, now time.Time) (Pair, *Refusal) {
	if pair.Binding.SideOf(by) != BySelf {
		return pair, Refuse(NotPermitted)
	}
	return pair.submit(BySelf, "", p, now)
}

func (pair Pair) submit(by Side, actor string, p *Policy, now time.Time) (Pair, *Refusal) {
	b := &pair.Binding
	if b.nextStep() == StepSubmit && b.Live() {
		if pair.Registry == NoMatch {
			return pair, Refuse(IdentityMismatch)
		}
		b.Identity = pair.Registry
		unsure := p.Binding.Evidence == Checked && pair.Registry != Match
		if unsure && !slices.ContainsFunc(b.Steps, func(s Step) bool { return s.Action == StepReview }) {
			b.Steps = append(slices.Clone(b.Steps), Step{Action: StepReview, By: ByReviewer})
		}
	}
	return pair.step(StepSubmit, Submitted, by, actor, "", p, now)
}

// Accept is the member's step. A repeat changes nothing.
func (pair Pair) Accept(by PersonNo, p *Policy, now time.Time) (Pair, *Refusal) {
	if pair.Binding.SideOf(by) != ByMember {
		return pair, Refuse(NotPermitted)
	}
	return pair.step(StepAccept, Accepted, ByMember, "", "", p, now)
}

// nextStep returns the action of the next step that is to be done, or "".
func (b *Binding) nextStep() Action {
	i := slices.IndexFunc(b.Steps, func(s Step) bool { return !s.Done })
	if i < 0 {
		return ""
	}
	return b.Steps[i].Action
}

// step marks an action done if it is the next one, and activates the binding
// after the last.
func (pair Pair) step(action Action, what Happening, by Side, actor, detail string, p *Policy, now time.Time) (Pair, *Refusal) {
	before, b := pair, pair.Binding
	b.Steps = slices.Clone(b.Steps)
	next := slices.IndexFunc(b.Steps, func(s Step) bool { return !s.Done })
	asked := slices.ContainsFunc(b.Steps, func(s Step) bool { return s.Action == action })
	did := slices.ContainsFunc(b.Steps, func(s Step) bool { return s.Action == action && s.Done })
	switch {
	case !asked || !b.Live() || b.Expired(now):
		return pair, stateForbids(b)
	case next >= 0 && b.Steps[next].Action == action:
	case action == StepSubmit && next >= 0 && b.Steps[next].Action == StepUpload:
		return pair, b.missingPaper()
	case did:
		return pair, nil
	default:
		return pair, stateForbids(b)
	}
	b.Steps[next].Done = true
	pair.Binding = b
	pair = pair.Note(now, by, actor, what, detail)
	switch pair.Binding.nextStep() {
	case StepAccept:
		pair.Binding.State = BindingAwaiting
	case StepReview:
		pair.Binding.State = BindingInReview
		if action != StepReview {
			pair.Binding.Review.Since = now
		}
	case "":
		active, refusal := pair.activate(p, now)
		if refusal != nil {
			return before, refusal
		}
		return active, nil
	default:
		pair.Binding.State = BindingDraft
	}
	return pair, nil
}

// activate makes a binding active whose steps are all done. What was true when it
// was asked for may have changed since.
func (pair Pair) activate(p *Policy, now time.Time) (Pair, *Refusal) {
	b := &pair.Binding
	if refusal := mayBind(pair.Holder, pair.Member, b.Pay != nil, p); refusal != nil {
		return pair, refusal
	}
	b.State, b.Activated, b.ShowAgreed, b.Until = BindingActive, now, b.Show, 0
	if b.Pay != nil {
		if refusal := mayBeGranted(pair.Holder, pair.Member, p); refusal != nil {
			return pair, refusal
		}
		before := pair.Holder
		pair = pair.grant(*b.Pay)
		if refusal := pair.quotasHeld(before, p); refusal != nil {
			return pair, refusal
		}
	}
	return pair.Note(now, ByRules, "", Activated, ""), nil
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
	return pair.over(BindingDeclined, ByMember, "", now).Note(now, ByMember, "", Declined, ""), nil
}

// over takes a binding's grant back and gives it a final state.
func (pair Pair) over(state BindingState, by Side, why EndWhy, now time.Time) Pair {
	pair = pair.ungrant()
	b := &pair.Binding
	b.State, b.Ended, b.EndedBy, b.EndWhy, b.Until = state, now, by, why, 0
	b.Review.By, b.Review.Lease = "", time.Time{}
	return pair
}

// End ends the binding at once, by either side that the region lets end it: nothing
// can be shown or spent under it from then on; refunds still come back. What is not
// active yet, either side ends. A repeat changes nothing.
func (pair Pair) End(by PersonNo, p *Policy, now time.Time) (Pair, *Refusal) {
	side := pair.Binding.SideOf(by)
	if side == "" {
		return pair, Refuse(NotFound)
	}
	if !pair.Binding.Live() {
		return pair, nil
	}
	if refusal := pair.Binding.mayEnd(side, p); refusal != nil {
		return pair, refusal
	}
	return pair.over(BindingEnded, side, "", now).Note(now, side, "", Finished, ""), nil
}

// mayEnd refuses a side that the region does not let end an active binding.
func (b *Binding) mayEnd(side Side, p *Policy) *Refusal {
	if b.State == BindingActive && !slices.Contains(p.Binding.EndedBy, side) {
		return p.refuse(NotPermitted, "binding.ended_by", string(side), string(p.Binding.EndedBy[0]))
	}
	return nil
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
// his consent to be shown. A guardian consents for a child; from fourteen on what the
// child takes back he does not give again (个人信息保护法 28, 31). Limits count from
// what was already spent.
func (pair Pair) Change(by PersonNo, c Change, bound []Bound, p *Policy, now time.Time) (Pair, *Refusal) {
	b := pair.Binding
	side := b.SideOf(by)
	asksLink := c.Show != nil && *c.Show && !b.Show
	consentsFor := b.Guardian && ageOn(pair.MemberBorn, DayOf(now)) < ownDataAge
	if c.SetPay && c.Pay != nil {
		if refusal := c.Pay.check(p, DayOf(now)); refusal != nil {
			return pair, refusal
		}
	}
	switch {
	case c.SetPay && side == ByMember:
		return pair, &Refusal{Code: NotPermitted, Field: "pay", Detail: "only the grantor sets what his account pays"}
	case asksLink && side == BySelf && b.State == BindingActive && !b.ShowAgreed && !consentsFor:
		return pair, &Refusal{Code: NotPermitted, Field: "show", Detail: "the member has not agreed to be shown"}
	case side == BySelf && b.Grown(DayOf(now)):
		return pair, stateForbids(b)
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
		if refusal := mayBeGranted(pair.Holder, pair.Member, p); refusal != nil {
			return pair, refusal
		}
	}
	if c.Show != nil {
		b.Show = *c.Show
		if side == ByMember || consentsFor {
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
		changed.Binding.Pay, changed.Binding.Raise = c.Pay, Raise{}
		if c.Pay == nil {
			changed = changed.ungrant()
		} else {
			terms := *c.Pay
			if b.Pay != nil && p.Binding.RaiseDays > 0 {
				day := DayOf(now)
				terms, changed.Binding.Raise = b.Pay.On(day, b.Raise).raised(terms, day.plus(p.Binding.RaiseDays))
				changed.Binding.Pay = &terms
			}
			changed = changed.grant(terms)
		}
	} else if b.Pay != nil {
		changed = changed.grant(*b.Pay) // carries the pause into the grant
	}
	if refusal := changed.quotasHeld(pair.Holder, p); refusal != nil {
		return pair, refusal
	}
	return changed.noteChange(pair.Binding, side, now), nil
}

// noteChange adds to the history what a change changed.
func (pair Pair) noteChange(was Binding, side Side, now time.Time) Pair {
	is := pair.Binding
	note := func(changed bool, what Happening) {
		if changed {
			pair = pair.Note(now, side, "", what, "")
		}
	}
	note(is.Show && !was.Show, Shown)
	note(!is.Show && was.Show, Hidden)
	note(is.Paused() && !was.Paused(), PausedNow)
	note(!is.Paused() && was.Paused(), ResumedNow)
	note(is.Pay == nil && was.Pay != nil, GrantEnded)
	note(is.Pay != nil && (was.Pay == nil || !is.Pay.equal(was.Pay) || is.Raise != was.Raise), TermsChanged)
	return pair
}

func (t *Terms) equal(u *Terms) bool {
	return slices.Equal(t.Purposes, u.Purposes) && t.MonthlyCap == u.MonthlyCap && t.PerSettlementCap == u.PerSettlementCap &&
		t.Quota == u.Quota && t.ValidUntil == u.ValidUntil
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
	g := &pair.Holder.Given[i]
	g.Terms, g.Raise, g.Paused, g.Nationwide, g.OfAge = t, b.Raise, b.Paused(), b.Nationwide, 0
	if b.Guardian {
		g.OfAge = b.OfAge
	}
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
	if p.Grants.Money == PastYears && !pair.Binding.Nationwide {
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
