package family

import "time"

// Readiness says in a word whether a binding's grant would pay now, and what keeps
// it from paying.
type Readiness string

// Whether a grant would pay now, in the order in which it is asked.
const (
	Ready            Readiness = "ready"
	NotUploaded      Readiness = "paper_needed"
	NotSubmitted     Readiness = "promise_needed"
	NotAccepted      Readiness = "member_has_to_agree"
	NotReviewed      Readiness = "reviewer_decides"
	RequestOver      Readiness = "request_over"
	BindingOver      Readiness = "binding_over"
	NoGrant          Readiness = "no_grant"
	HolderUninsured  Readiness = "holder_not_insured"
	MemberUninsured  Readiness = "member_not_insured"
	HolderHeld       Readiness = "holder_frozen"
	MemberHeld       Readiness = "member_frozen"
	MemberGrown      Readiness = "member_came_of_age"
	HolderPaused     Readiness = "holder_paused"
	MemberPaused     Readiness = "member_paused"
	GrantRunOut      Readiness = "grant_run_out"
	TooFarApart      Readiness = "too_far_apart"
	MonthUsedUp      Readiness = "month_used_up"
	QuotaUsedUp      Readiness = "quota_used_up"
	NothingShareable Readiness = "nothing_to_share"
)

// Readinesses lists every readiness.
var Readinesses = []Readiness{
	Ready, NotUploaded, NotSubmitted, NotAccepted, NotReviewed, RequestOver, BindingOver, NoGrant,
	HolderUninsured, MemberUninsured, HolderHeld, MemberHeld, MemberGrown, HolderPaused, MemberPaused,
	GrantRunOut, TooFarApart, MonthUsedUp, QuotaUsedUp, NothingShareable,
}

// Ready tells whether the binding's grant would pay something now, at a place and for
// a purpose that it allows, and if not, the first thing that keeps it from it. p is
// the policy that rules the binding. It asks what a settlement asks.
func (pair Pair) Ready(p *Policy, now time.Time) Readiness {
	b, day := pair.Binding, DayOf(now)
	switch {
	case b.State == BindingEnded || b.State == BindingDeclined:
		return BindingOver
	case b.Expired(now):
		return RequestOver
	}
	switch b.nextStep() {
	case StepUpload:
		return NotUploaded
	case StepSubmit:
		return NotSubmitted
	case StepAccept:
		return NotAccepted
	case StepReview:
		return NotReviewed
	}
	i := pair.Holder.grant(b.ID)
	switch {
	case b.Grown(day):
		return MemberGrown
	case i < 0:
		return NoGrant
	case !pair.Member.Insurance.Insured() || pair.Member.Deceased:
		return MemberUninsured
	case pair.Member.Frozen:
		return MemberHeld
	case !pair.Holder.Insurance.Insured() || pair.Holder.Deceased || !p.grants(pair.Holder.Insurance.Insutype):
		return HolderUninsured
	case pair.Holder.Frozen:
		return HolderHeld
	}
	g := pair.Holder.Given[i]
	terms := g.Terms.On(day, g.Raise)
	switch {
	case terms.ValidUntil != 0 && terms.ValidUntil < day:
		return GrantRunOut
	case b.PausedByHolder:
		return HolderPaused
	case b.PausedByMember:
		return MemberPaused
	case !g.Nationwide && !p.Grants.Insured.Covers(pair.Holder.Insurance.Region, pair.Member.Insurance.Region):
		return TooFarApart
	case terms.MonthlyCap > 0 && g.SpentIn(day.Month()) >= terms.MonthlyCap:
		return MonthUsedUp
	case terms.Quota > 0 && g.QuotaLeft() == 0:
		return QuotaUsedUp
	case pair.Holder.shareable(g, p.Grants).Total() == 0:
		return NothingShareable
	}
	return Ready
}

// grants tells whether accounts of a kind of insurance may be shared.
func (p *Policy) grants(i Insutype) bool {
	for _, has := range p.Grants.Grantors {
		if has == i {
			return true
		}
	}
	return false
}
