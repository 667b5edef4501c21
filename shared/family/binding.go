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
	ByOperator Side = "operator" // of the insurer, at the counter or by what it feeds in
	ByRules    Side = "rules"    // a day that came, a thing that happened: nobody's act
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

// EndWhy says why a binding ended, or was never made, where nobody just wanted it.
type EndWhy string

// Why a binding ended.
const (
	WhyExpired  EndWhy = "expired"           // the request was not finished in time
	WhyRejected EndWhy = "rejected"          // by a reviewer
	WhyDeath    EndWhy = "death"             // of either side
	WhyKinship  EndWhy = "relation_ended"    // the civil registry knows of it no more
	WhyMoved    EndWhy = "insurance_changed" // of either side
)

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
	// of consent: until OfAge, the birthday on which he answers for himself.
	Guardian bool
	OfAge    Day
	// Assisted names the operator who filled the request in at the counter, for
	// people without a phone; empty otherwise.
	Assisted string
	// Nationwide tells that the sides are insured so far apart that the rules of
	// grants across provinces hold.
	Nationwide bool
	Materials  []Material // at most MaxPapers
	// Identity is what the civil registry said at the last promise.
	Identity RegistryAnswer
	Review   Review
	// Show is the link's switch as it stands, ShowAgreed the consent behind it,
	// which only the member (or his guardian) can widen.
	Show, ShowAgreed bool
	// Pay holds the grant's terms, nil without a grant. The grant itself, with
	// what it has spent, lies in the holder's account.
	Pay *Terms
	// Raise holds higher caps that wait for their day.
	Raise Raise
	// Either side pauses for itself, and only it can resume.
	PausedByHolder, PausedByMember bool

	Policy    string // under which it was asked for
	Created   time.Time
	Activated time.Time
	Ended     time.Time
	EndedBy   Side
	EndWhy    EndWhy
	// Until is the last day of a request that is not finished; 0 once it is.
	Until Day
	// Obstacle is what holds an active binding up for the time being.
	Obstacle Obstacle
	// Due is the next day on which something happens to it of itself, and Tended the
	// last on which that was seen to; 0 is never.
	Due, Tended Day
	// Events is the number of the newest event of its history and Head its hash.
	Events uint64
	Head   Hash
}

// Expired tells whether the binding is a request whose time is over.
func (b *Binding) Expired(now time.Time) bool {
	return b.Live() && b.Until != 0 && b.Until < DayOf(now)
}

// Paused tells whether either side has paused the binding.
func (b *Binding) Paused() bool { return b.PausedByHolder || b.PausedByMember }

// Live tells whether the binding holds its place among the holder's bindings.
func (b *Binding) Live() bool { return b.State != BindingDeclined && b.State != BindingEnded }

// MayShow tells whether the holder may show the member's code now.
func (b *Binding) MayShow() bool { return b.State == BindingActive && b.Show && !b.Paused() }

// Grown tells whether the member has come of age on a day and his guardian's
// consent is over: he has not yet agreed himself.
func (b *Binding) Grown(day Day) bool { return b.Guardian && b.OfAge != 0 && b.OfAge <= day }

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
	Until    Day // of a request that is not finished
}

// Former is a relative whom a holder had bound, for the time after an end and the
// number in all.
type Former struct {
	Member PersonNo
	Ended  Day
	Pay    bool
	Fate   bool // nobody wanted the end: it keeps nobody waiting
}

// Rebound returns a holder's live bindings after one of them became b.
func Rebound(bound []Bound, b Binding) []Bound {
	next := slices.DeleteFunc(slices.Clone(bound), func(other Bound) bool { return other.ID == b.ID && !b.Live() })
	for i := range next {
		if next[i].ID == b.ID {
			next[i].Show, next[i].Pay, next[i].Until = b.Show, b.Pay != nil, b.Until
		}
	}
	return next
}

// Bygones returns a holder's former relatives after one of his bindings became b:
// each once, the latest end last.
func Bygones(former []Former, b Binding) []Former {
	if b.Live() || b.Activated.IsZero() {
		return former
	}
	f := Former{Member: b.Member, Ended: DayOf(b.Ended), Pay: b.Pay != nil, Fate: b.EndWhy != ""}
	if i := slices.IndexFunc(former, func(g Former) bool { return g.Member == b.Member }); i >= 0 {
		if former[i].Ended == f.Ended && former[i].Fate == f.Fate {
			return former // noted
		}
		f.Pay = f.Pay || former[i].Pay
	}
	next := slices.DeleteFunc(slices.Clone(former), func(g Former) bool { return g.Member == b.Member })
	if len(next) >= MaxEver {
		next = next[1:]
	}
	return append(next, f)
}

// BindingRequest is what a holder asks for, with all that decides on it.
type BindingRequest struct {
	ID             BindingID
	Holder, Member Account
	HolderBorn     Day
	MemberBorn     Day
	Relation       Relation
	// Newborn tells that the member has no ID number yet and was named by his
	// certificate of birth: the holder is the mother whom that names.
	Newborn bool
	Show    bool
	Pay     *Terms
	Bound   []Bound // the holder's live bindings
	Former  []Former
	Policy  *Policy // of the holder's region of insurance
	// Beyond rules grants across provinces; nil where the region gives none.
	Beyond *Policy
	// Counter is the operator who fills it in at the counter; zero where the holder
	// does it himself.
	Counter Reviewer
	Now     time.Time
}

// RequestBinding decides on a request and returns the binding with its steps.
func RequestBinding(q BindingRequest) (Binding, *Refusal) {
	day := DayOf(q.Now)
	// A request whose time is over holds no place.
	q.Bound = slices.DeleteFunc(slices.Clone(q.Bound), func(b Bound) bool { return b.Until != 0 && b.Until < day })
	if !q.Show && q.Pay == nil {
		return Binding{}, &Refusal{Code: Malformed, Field: "show", Detail: "neither show nor pay is asked for"}
	}
	nationwide := q.Pay != nil && q.Beyond != nil && !q.Policy.Grants.Insured.Covers(q.Holder.Insurance.Region, q.Member.Insurance.Region)
	if nationwide {
		q.Policy = q.Beyond
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
	if q.Newborn && kin != Child {
		return Binding{}, &Refusal{Code: RelationNotAllowed, Field: "relation", Observed: string(q.Relation), Allowed: string(Child), Detail: "a certificate of birth names a child and its mother"}
	}
	if age := ageOn(q.HolderBorn, day); age < q.Policy.ConsentAge {
		return Binding{}, q.Policy.refuse(RelationNotAllowed, "consent_age", strconv.Itoa(age), strconv.Itoa(q.Policy.ConsentAge))
	}
	if refusal := q.withinLimits(kin); refusal != nil {
		return Binding{}, refusal
	}
	if q.Pay != nil {
		if refusal := mayBeGranted(q.Holder, q.Member, q.Policy); refusal != nil {
			return Binding{}, refusal
		}
	}
	for _, other := range q.Bound {
		if other.Member == q.Member.Person {
			return Binding{}, Refuse(AlreadyBound)
		}
	}
	if refusal := q.cooledOff(day); refusal != nil {
		return Binding{}, refusal
	}
	b := Binding{
		ID: q.ID, Holder: q.Holder.Person, Member: q.Member.Person, Relation: q.Relation,
		State: BindingDraft, Show: q.Show, Pay: q.Pay, Assisted: q.Counter.Subject, Nationwide: nationwide,
		Policy: q.Policy.ID(), Created: q.Now, Until: day.plus(q.Policy.Binding.RequestDays),
	}
	if ageOn(q.MemberBorn, day) < q.Policy.ConsentAge {
		b.Guardian, b.OfAge = true, Birthday(q.MemberBorn, q.Policy.ConsentAge)
	}
	b.Steps = q.Policy.steps(kin, b.Guardian, q.Show, q.Counter.Subject)
	if q.Counter != (Reviewer{}) {
		if refusal := b.counter(q.Counter); refusal != nil {
			return Binding{}, refusal
		}
	}
	b.Due = b.Until.plus(1)
	first := b.FirstEvent()
	b.Events, b.Head = first.Seq, first.Hash()
	return b, nil
}

// cooledOff refuses a pair whose last binding ended too short a time ago.
func (q *BindingRequest) cooledOff(day Day) *Refusal {
	for _, f := range q.Former {
		again := f.Ended.plus(q.Policy.Binding.RebindDays)
		if f.Member == q.Member.Person && !f.Fate && q.Policy.Binding.RebindDays > 0 && day < again {
			return q.Policy.refuse(CoolingOff, "binding.rebind_days", day.String(), again.String())
		}
	}
	return nil
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
	ever := map[PersonNo]bool{}
	for _, f := range q.Former {
		if f.Pay {
			ever[f.Member] = true
		}
	}
	for _, other := range q.Bound {
		if other.Pay {
			ever[other.Member] = true
		}
	}
	switch {
	case q.Pay != nil && g.MaxEver > 0 && !ever[q.Member.Person] && len(ever) >= g.MaxEver:
		return q.Policy.refuse(BindingLimitReached, "grants.max_members_ever", strconv.Itoa(len(ever)), strconv.Itoa(g.MaxEver))
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
		if !a.Insurance.Insured() || a.Deceased {
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

// mayBeGranted refuses a beneficiary who has as many grantors as the policy allows,
// and where nobody is grantor and beneficiary at once, whoever would become both
// (泰安: 被绑定人不能再作为授权人).
func mayBeGranted(holder, member Account, p *Policy) *Refusal {
	n, most := len(member.Grantors), p.Grants.MaxGrantors
	switch {
	case !p.Grants.DualRole && len(holder.Grantors) > 0:
		return p.refuse(AlreadyBound, "grants.dual_role", "the grantor has a grantor", "one role")
	case !p.Grants.DualRole && len(member.Given) > 0:
		return p.refuse(AlreadyBound, "grants.dual_role", "the beneficiary is a grantor", "one role")
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
	switch {
	case p.Grants.Quota == QuotaMust && t.Quota == 0:
		return &Refusal{Code: Malformed, Field: "pay.quota_fen", Rule: "grants.quota", Policy: p.ID(), Observed: "none", Allowed: "a quota", Detail: "such a grant needs a quota"}
	case p.Grants.Quota == QuotaNever && t.Quota > 0:
		return &Refusal{Code: Malformed, Field: "pay.quota_fen", Rule: "grants.quota", Policy: p.ID(), Allowed: "none", Detail: "the region freezes no quotas"}
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
