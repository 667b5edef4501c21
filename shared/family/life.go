package family

import (
	"slices"
	"time"
)

// The birthdays of a member that a binding notices, beside the age of consent: from
// fourteen on his data are his own to consent to (个人信息保护法 28), at eighteen he is
// of full age.
const (
	ownDataAge = 14
	fullAge    = 18
)

// Facts are what is known of the sides of a binding beside their accounts.
type Facts struct {
	MemberBorn Day
	// Registry is what the civil registry says of the relation; "" where it was not
	// asked.
	Registry RegistryAnswer
}

// Obstacle says why an active binding pays nothing for the time being.
type Obstacle string

// The obstacles.
const (
	BlockedByInsurance Obstacle = "insurance"
	BlockedByFreeze    Obstacle = "frozen"
)

// misfit tells whether the insurance of a side no longer carries the grant.
func (pair *Pair) misfit(p *Policy) bool {
	for _, a := range []Account{pair.Holder, pair.Member} {
		if !a.Insurance.Insured() {
			return true
		}
	}
	return pair.Binding.Pay != nil && (!slices.Contains(p.Grants.Grantors, pair.Holder.Insurance.Insutype) ||
		!pair.Binding.Nationwide && !p.Grants.Insured.Covers(pair.Holder.Insurance.Region, pair.Member.Insurance.Region))
}

// Tend does what time, the insurer and the civil registry have brought upon a
// binding: it ends what has run out, was broken by a death or a divorce or left its
// insurance, asks the grown child, lets higher caps in, and notes what holds a grant
// up. Settlements do not wait for it: each asks for all of that itself. Once done it
// changes nothing until the next thing happens.
func (pair Pair) Tend(f Facts, p *Policy, now time.Time) Pair {
	day := DayOf(now)
	since := pair.Binding.Tended
	if since == 0 {
		since = DayOf(pair.Binding.Created)
	}
	if pair.Binding.Live() {
		pair = pair.tendLive(f, p, since, now)
	}
	pair = pair.tendPapers(p, now)
	if len(pair.Events) > 0 {
		pair.Binding.Tended = day
	}
	return pair.Scheduled(f, p, now)
}

// Scheduled notes the next day on which something happens to the binding of itself.
func (pair Pair) Scheduled(f Facts, p *Policy, now time.Time) Pair {
	pair.Binding.Due = pair.Binding.due(f, p, DayOf(now))
	return pair
}

func (pair Pair) tendLive(f Facts, p *Policy, since Day, now time.Time) Pair {
	day := DayOf(now)
	over := func(why EndWhy, what Happening) Pair {
		return pair.over(BindingEnded, ByRules, why, now).Note(now, ByRules, "", what, "")
	}
	switch {
	case pair.Binding.Expired(now):
		return over(WhyExpired, RequestLapsed)
	case pair.Holder.Deceased || pair.Member.Deceased:
		return over(WhyDeath, Died)
	case f.Registry == NoMatch && pair.Binding.State == BindingActive:
		return over(WhyKinship, KinshipEnded)
	case pair.Binding.State != BindingActive:
		return pair
	case p.Binding.OnMove == MoveEnds && pair.Binding.Pay != nil && pair.misfit(p):
		return over(WhyMoved, InsuranceMoved)
	}
	b := &pair.Binding
	b.Steps = slices.Clone(b.Steps)
	note := func(what Happening) { pair = pair.Note(now, ByRules, "", what, "") }
	if b.Pay != nil && b.Pay.ValidUntil != 0 && b.Pay.ValidUntil < day {
		b.Pay, b.Raise = nil, Raise{}
		pair = pair.ungrant()
		note(GrantEnded)
	}
	b = &pair.Binding
	if b.Pay != nil && b.Raise.From != 0 && b.Raise.From <= day {
		terms := b.Pay.On(day, b.Raise)
		b.Pay, b.Raise = &terms, Raise{}
		pair = pair.grant(terms)
		note(TermsChanged)
	}
	for _, birthday := range []struct {
		age  int
		what Happening
	}{{ownDataAge, TurnedFourteen}, {fullAge, TurnedEighteen}} {
		if at := Birthday(f.MemberBorn, birthday.age); since < at && at <= day {
			note(birthday.what)
		}
	}
	if b = &pair.Binding; b.Grown(day) {
		// His guardian answered for him; from now on he does.
		pair = pair.ungrant()
		b = &pair.Binding
		b.Guardian, b.OfAge, b.ShowAgreed = false, 0, false
		b.State, b.Until = BindingAwaiting, day.plus(p.Binding.RequestDays)
		b.Steps = append(b.Steps, Step{Action: StepAccept, By: ByMember})
		note(CameOfAge)
	}
	held := Obstacle("")
	switch {
	case pair.Holder.Frozen || pair.Member.Frozen:
		held = BlockedByFreeze
	case pair.misfit(p):
		held = BlockedByInsurance
	}
	if was := pair.Binding.Obstacle; held != was {
		pair.Binding.Obstacle = held
		switch {
		case held == BlockedByFreeze:
			note(FrozenNow)
		case held == BlockedByInsurance:
			note(InsuranceStops)
		case was == BlockedByFreeze:
			note(UnfrozenNow)
		default:
			note(InsuranceBack)
		}
	}
	return pair
}

// decided returns the day on which a binding was decided one way or the other; 0
// while it waits.
func (b *Binding) decided() Day {
	switch {
	case !b.Ended.IsZero():
		return DayOf(b.Ended)
	case !b.Activated.IsZero():
		return DayOf(b.Activated)
	}
	return 0
}

// tendPapers deletes papers that were kept long enough after the decision.
func (pair Pair) tendPapers(p *Policy, now time.Time) Pair {
	at := pair.Binding.decided()
	if at == 0 || DayOf(now) < at.plus(p.Binding.PaperDays) {
		return pair
	}
	b := pair.Binding
	b.Materials = slices.Clone(b.Materials)
	var kinds []PaperKind
	for i := range b.Materials {
		if m := &b.Materials[i]; m.State == MaterialKept || m.State == MaterialAwaited {
			m.State, m.At = MaterialDeleted, now
			kinds = append(kinds, m.Kind)
		}
	}
	pair.Binding = b
	for _, kind := range kinds {
		pair = pair.Note(now, ByRules, "", PaperDeleted, string(kind))
	}
	return pair
}

// due returns the next day on which Tend has something to do of itself, today if it
// has not been done; 0 is never.
func (b *Binding) due(f Facts, p *Policy, day Day) Day {
	next := Day(0)
	at := func(d Day) {
		if d > day && (next == 0 || d < next) {
			next = d
		}
	}
	if at0 := b.decided(); at0 != 0 && slices.ContainsFunc(b.Materials, func(m Material) bool { return m.State == MaterialKept || m.State == MaterialAwaited }) {
		// Not today: that was seen to, or the rules have become shorter since.
		at(max(at0.plus(p.Binding.PaperDays), day.plus(1)))
	}
	if !b.Live() {
		return next
	}
	if b.Until != 0 {
		at(b.Until.plus(1))
	}
	if b.State != BindingActive {
		return next
	}
	if b.Grown(day) {
		return day // asked for before the birthday and promised on it: he is yet to be asked
	}
	at(b.OfAge)
	at(Birthday(f.MemberBorn, ownDataAge))
	at(Birthday(f.MemberBorn, fullAge))
	at(b.Raise.From)
	if b.Pay != nil && b.Pay.ValidUntil != 0 {
		at(b.Pay.ValidUntil.plus(1))
	}
	return next
}

// Told tells whether a side is told of an event that it did not bring about itself.
func (e Event) Told(side Side) bool {
	switch e.What {
	case Requested: // by an operator, in his name or against his will
		return e.By == ByOperator
	case PaperAnnounced, PaperReceived, PaperSeen, PaperDeleted, Claimed, Released:
		return false
	case PaperRefused, Asked:
		return side == BySelf
	case CameOfAge, TurnedFourteen, TurnedEighteen:
		return true
	}
	return e.By != side
}
