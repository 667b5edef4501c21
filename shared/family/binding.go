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
