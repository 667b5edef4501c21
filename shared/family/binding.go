package family

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// BindingID names a binding: 26 letters and digits (ULID).
type BindingID string

// Valid tells whether a binding can have the id.
func (id BindingID) Valid() bool { return alphanumeric(string(id), 26, 26) }

// BindingState is how far a binding has come.
type BindingState string

// The states of a binding. Declined and Ended are final.
const (
	BindingDraft    BindingState = "draft"           // the holder has not submitted it
	BindingAwaiting BindingState = "awaiting_member" // the member has not answered
	BindingInReview BindingState = "in_review"       // a reviewer has not answered
	BindingActive   BindingState = "active"
	BindingDeclined BindingState = "declined"
	BindingEnded    BindingState = "ended"
)

// Side is a party to a binding.
type Side string

// The sides of a binding.
const (
	BySelf     Side = "holder" // who asked for the binding: presenter and grantor
	ByMember   Side = "member" // the relative: patient and beneficiary
	ByReviewer Side = "reviewer"
)

// Action is what a step of a binding asks for.
type Action string

// The actions of a binding's steps.
const (
	StepUpload Action = "upload"
	StepSubmit Action = "submit"
	StepAccept Action = "accept"
	StepReview Action = "review"
)

// Step is one thing to be done before a binding is active.
type Step struct {
	Action Action
	By     Side
	Kind   string // of the paper to upload
	Done   bool
}

// Binding joins a holder to a relative by two consents, each its own switch: the
// Link lets the holder show the member's code (亲情账户), the Grant lets the member
// spend from the holder's account (家庭共济).
type Binding struct {
	ID             BindingID
	Holder, Member PersonNo
	Relation       Relation // what the member is to the holder
	State          BindingState
	Steps          []Step // in the order in which they are to be done
	// Guardian tells that the holder acts for the member, who is below the age
	// of consent.
	Guardian bool
	// Show is the link's switch as it stands, ShowAgreed the consent behind it,
	// which only the member (or his guardian) can widen.
	Show, ShowAgreed bool
	// Pay holds the grant's terms, nil without a grant. The grant itself, with
	// what it has spent, lies in the holder's account.
	Pay *Terms
	// Either side pauses for itself, and only it can resume.
	PausedByHolder, PausedByMember bool

	Policy    string // under which it was asked for
	Created   time.Time
	Activated time.Time
	Ended     time.Time
	EndedBy   Side
}

// Paused tells whether either side has paused the binding.
func (b *Binding) Paused() bool { return b.PausedByHolder || b.PausedByMember }

// Live tells whether the binding holds its place among the holder's bindings.
func (b *Binding) Live() bool { return b.State != BindingDeclined && b.State != BindingEnded }

// MayShow tells whether the holder may show the member's code now.
func (b *Binding) MayShow() bool { return b.State == BindingActive && b.Show && !b.Paused() }

// Standing says in a word how the binding stands, for an answer.
func (b *Binding) Standing() string {
	switch {
	case b.State == BindingActive && b.Paused():
		return "paused"
	case b.State == BindingActive && !b.Show:
		return "active, no show"
	}
	return string(b.State)
}

// SideOf returns the side on which a person stands, or "".
func (b *Binding) SideOf(p PersonNo) Side {
	switch p {
	case b.Holder:
		return BySelf
	case b.Member:
		return ByMember
	}
	return ""
}

// Bound is one live binding of a holder, as much of it as the limits need.
type Bound struct {
	ID       BindingID
	Member   PersonNo
	Relation Relation
	Show     bool
	Pay      bool
}

// Rebound returns a holder's live bindings after one of them became b.
func Rebound(bound []Bound, b Binding) []Bound {
	next := slices.DeleteFunc(slices.Clone(bound), func(other Bound) bool { return other.ID == b.ID && !b.Live() })
	for i := range next {
		if next[i].ID == b.ID {
			next[i].Show, next[i].Pay = b.Show, b.Pay != nil
		}
	}
	return next
}

// BindingRequest is what a holder asks for, with all that decides on it.
type BindingRequest struct {
	ID             BindingID
	Holder, Member Account
	HolderBorn     Day
	MemberBorn     Day
	Relation       Relation
	Show           bool
	Pay            *Terms
	Bound          []Bound // the holder's live bindings
	Policy         *Policy // of the holder's region of insurance
	Now            time.Time
}

// RequestBinding decides on a request and returns the binding with its steps.
func RequestBinding(q BindingRequest) (Binding, *Refusal) {
	day := DayOf(q.Now)
	if !q.Show && q.Pay == nil {
		return Binding{}, &Refusal{Code: Malformed, Field: "show", Detail: "neither show nor pay is asked for"}
	}
	if q.Pay != nil {
		if refusal := q.Pay.check(q.Policy, day); refusal != nil {
			return Binding{}, refusal
		}
	}
	if refusal := mayBind(q.Holder, q.Member, q.Pay != nil, q.Policy); refusal != nil {
		return Binding{}, refusal
	}
	kin := q.Relation.Kin()
	if q.Holder.Person == q.Member.Person || !slices.Contains(q.Policy.Grants.Kins, kin) {
		return Binding{}, q.Policy.refuse(RelationNotAllowed, "grants.kins", string(q.Relation), "near relatives of 民法典 1045")
	}
	if age := ageOn(q.HolderBorn, day); age < q.Policy.ConsentAge {
		return Binding{}, q.Policy.refuse(RelationNotAllowed, "consent_age", strconv.Itoa(age), strconv.Itoa(q.Policy.ConsentAge))
	}
	if refusal := q.withinLimits(kin); refusal != nil {
		return Binding{}, refusal
	}
	if q.Pay != nil {
		if refusal := mayBeGranted(q.Member, q.Policy); refusal != nil {
			return Binding{}, refusal
		}
	}
	for _, other := range q.Bound {
		if other.Member == q.Member.Person {
			return Binding{}, Refuse(AlreadyBound)
		}
	}
	b := Binding{
		ID: q.ID, Holder: q.Holder.Person, Member: q.Member.Person, Relation: q.Relation,
		State: BindingDraft, Show: q.Show, Pay: q.Pay,
		Guardian: ageOn(q.MemberBorn, day) < q.Policy.ConsentAge,
		Policy:   q.Policy.ID(), Created: q.Now,
	}
	b.Steps = []Step{{Action: StepSubmit, By: BySelf}}
	if !b.Guardian {
		b.Steps = append(b.Steps, Step{Action: StepAccept, By: ByMember})
	}
	return b, nil
}

// withinLimits refuses one binding more than the policy allows.
func (q *BindingRequest) withinLimits(kin Kin) *Refusal {
	var links, grants, ofKin int
	for _, other := range q.Bound {
		if other.Show {
			links++
		}
		if other.Pay {
			grants++
		}
		if other.Relation.Kin() == kin && other.Member != q.Member.Person {
			ofKin++
		}
	}
	g := q.Policy.Grants
	limit, limited := g.MaxPerKin[kin]
	switch {
	case q.Show && links >= q.Policy.MaxLinks:
		return q.Policy.refuse(BindingLimitReached, "links.max_members", strconv.Itoa(links), strconv.Itoa(q.Policy.MaxLinks))
	case q.Pay != nil && grants >= g.MaxMembers:
		return q.Policy.refuse(BindingLimitReached, "grants.max_members", strconv.Itoa(grants), strconv.Itoa(g.MaxMembers))
	case limited && ofKin >= limit:
		return q.Policy.refuse(BindingLimitReached, "grants.max_per_kin."+string(kin), strconv.Itoa(ofKin), strconv.Itoa(limit))
	case len(q.Bound) >= MaxMembers:
		return q.Policy.refuse(BindingLimitReached, "bindings", strconv.Itoa(len(q.Bound)), strconv.Itoa(MaxMembers))
	}
	return nil
}

// mayBind refuses where either side's insurance or account does not allow a binding.
func mayBind(holder, member Account, pay bool, p *Policy) *Refusal {
	for _, a := range []Account{holder, member} {
		if !a.Insurance.Insured() {
			return Refuse(PersonNotInsured)
		}
	}
	if pay {
		if !slices.Contains(p.Grants.Grantors, holder.Insurance.Insutype) {
			return p.refuse(PersonNotInsured, "grants.grantor_insutypes", string(holder.Insurance.Insutype), fmt.Sprint(p.Grants.Grantors))
		}
		if !p.Grants.Insured.Covers(holder.Insurance.Region, member.Insurance.Region) {
			return p.refuse(PersonNotInsured, "grants.insured_scope", "another "+string(p.Grants.Insured), string(p.Grants.Insured))
		}
	}
	if holder.Frozen || member.Frozen {
		return Refuse(PersonFrozen)
	}
	return nil
}

// mayBeGranted refuses a beneficiary who has as many grantors as the policy allows.
func mayBeGranted(member Account, p *Policy) *Refusal {
	n, most := len(member.Grantors), p.Grants.MaxGrantors
	switch {
	case n < most:
		return nil
	case most == 1: // "每名共济对象只能被一名主账户人绑定"
		return p.refuse(AlreadyBound, "grants.max_grantors", strconv.Itoa(n), strconv.Itoa(most))
	}
	return p.refuse(BindingLimitReached, "grants.max_grantors", strconv.Itoa(n), strconv.Itoa(most))
}

// check refuses terms that cannot be kept or that the policy does not offer.
func (t *Terms) check(p *Policy, today Day) *Refusal {
	if !knownAll(t.Purposes, p.Grants.Purposes) {
		return &Refusal{
			Code: Malformed, Field: "pay.purposes", Rule: "grants.purposes", Policy: p.ID(),
			Observed: fmt.Sprint(t.Purposes), Allowed: fmt.Sprint(p.Grants.Purposes), Detail: "each purpose once, at least one, only what the region offers",
		}
	}
	for _, limit := range []struct {
		field string
		fen   Fen
	}{{"pay.monthly_cap_fen", t.MonthlyCap}, {"pay.per_settlement_cap_fen", t.PerSettlementCap}, {"pay.quota_fen", t.Quota}} {
		if limit.fen < 0 || limit.fen > MaxFen {
			return &Refusal{Code: Malformed, Field: limit.field, Detail: "a limit is above 0 and at most " + strconv.Itoa(int(MaxFen))}
		}
	}
	if t.ValidUntil != 0 && t.ValidUntil < today {
		return &Refusal{Code: Malformed, Field: "pay.valid_until", Detail: "the last day has passed"}
	}
	return nil
}

// refuse returns a refusal by a rule of the policy.
func (p *Policy) refuse(code Code, rule, observed, allowed string) *Refusal {
	return &Refusal{Code: code, Rule: rule, Policy: p.ID(), Observed: observed, Allowed: allowed}
}

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
