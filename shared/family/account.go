package family

import (
	"slices"
	"time"
)

// Pockets is an amount split by the pocket of a personal account that it lies in
// or moves: what was credited this year (当年账户) and in past years (历年结余).
type Pockets struct{ Current, Past Fen }

// Total returns both pockets together.
func (p Pockets) Total() Fen { return p.Current + p.Past }

// Plus returns p + q, pocket by pocket.
func (p Pockets) Plus(q Pockets) Pockets { return Pockets{p.Current + q.Current, p.Past + q.Past} }

// Minus returns p − q, pocket by pocket.
func (p Pockets) Minus(q Pockets) Pockets { return Pockets{p.Current - q.Current, p.Past - q.Past} }

// take returns how an amount up to p's total is taken: this year's money first,
// as the bureaus do, so that past years' surplus, which some regions share alone,
// lasts longest.
func (p Pockets) take(amount Fen) Pockets {
	current := min(p.Current, amount)
	return Pockets{Current: current, Past: min(p.Past, amount-current)}
}

// Insurance is what a person's own insurance is, as the insurer told it.
type Insurance struct {
	Region   Region
	Insutype Insutype
	PsnType  PsnType
	Active   bool // psn_insu_stas 1; paused, void and ended are not
}

// Insured tells whether the person is insured at present.
func (i Insurance) Insured() bool { return i.Active && i.Insutype != NoCover && i.Insutype != "" }

// Account is the personal account of one person, with all that decides whether
// and for whom it may pay. It is the one record on which a settlement and the end
// of a grant meet.
type Account struct {
	Person    PersonNo
	Insurance Insurance
	// Frozen is set by an operator: nothing leaves the account and its owner
	// gets no benefit; refunds still come back.
	Frozen bool
	// Deceased is set by the civil registry: as if he were not insured.
	Deceased bool
	Balance  Pockets
	// Seq is the number of the account's newest entry and Head its hash.
	Seq  uint64
	Head Hash
	// Year counts what the owner's own benefit has used up, under the insurance and
	// in the care that he used first in the year; Others counts all else.
	Year   YearToDate
	Others []YearToDate
	// Given are the grants that draw on this account, at most MaxMembers.
	Given []Grant
	// Grantors are those whose grants the owner may use, at most MaxGrantors, in
	// the order of filing or of the owner's choice.
	Grantors []Grantor
}

// YearToDate counts a calendar year's use of the benefit by one person under one
// insurance, in stays or out of them. Who changes his insurance in mid-year begins
// anew under the other one, and finds what he had used when he comes back.
type YearToDate struct {
	Year       int
	Insutype   Insutype
	Stays      bool // counts stays in hospital, and else all other care
	Deductible Fen  // deductible paid so far
	Pool       Fen  // paid by the fund so far
	Day        Day  // the newest day on which the benefit was used …
	DayPool    Fen  // … and what the fund paid on it
}

// UsedOn returns what the owner's benefit has used up on a day, under the insurance
// that he has now, in stays or out of them.
func (a *Account) UsedOn(day Day, stays bool) Used {
	return a.used(day, a.Insurance.Insutype, stays)
}

// used returns what a benefit has used up on a day: a new year and a new day, both
// in Asia/Shanghai, begin at zero.
func (a *Account) used(day Day, i Insutype, stays bool) Used {
	for _, y := range a.counters() {
		if y.Year == day.Year() && y.counts(i, stays) {
			u := Used{Deductible: y.Deductible, Pool: y.Pool}
			if y.Day == day {
				u.Day = y.DayPool
			}
			return u
		}
	}
	return Used{}
}

// counts tells whether these are the counters of an insurance in stays or out of them.
func (y *YearToDate) counts(i Insutype, stays bool) bool {
	return y.Insutype == i && y.Stays == stays
}

// counters returns all counters.
func (a *Account) counters() []YearToDate { return append([]YearToDate{a.Year}, a.Others...) }

// count counts a settlement, or with its signs turned a refund, on the counters of
// the year and the insurance under which the sale was made. The counters of a year
// that has passed are forgotten.
func (a *Account) count(now int, s *Settlement) {
	day, i, stays := s.Basis.Day, s.Basis.Insutype, s.MedType.IsStay()
	if a.Year.Year < now {
		a.Year, a.Others = YearToDate{Year: now, Insutype: i, Stays: stays}, nil
	}
	if a.Year.Year != day.Year() {
		return
	}
	y := &a.Year
	if !y.counts(i, stays) {
		at := slices.IndexFunc(a.Others, func(y YearToDate) bool { return y.counts(i, stays) })
		if at < 0 {
			at = len(a.Others)
			a.Others = append(a.Others, YearToDate{Year: day.Year(), Insutype: i, Stays: stays})
		}
		y = &a.Others[at]
	}
	y.Deductible += s.Paid.Deductible
	y.Pool += s.Paid.FundPaid
	if y.Day < day {
		y.Day, y.DayPool = day, 0
	}
	if y.Day == day {
		y.DayPool += s.Paid.FundPaid
	}
}

// Grantor points from a beneficiary's account to a grant in another's.
type Grantor struct {
	Person  PersonNo
	Binding BindingID
}

// Grant lets a beneficiary spend from the account it lies in (家庭共济).
type Grant struct {
	Binding     BindingID
	Beneficiary PersonNo
	Relation    Relation // what the beneficiary is to the grantor
	Terms       Terms
	// Raise holds higher caps that wait for their day.
	Raise Raise
	// OfAge is the birthday from which the beneficiary's guardian no longer answers
	// for him; 0 where he answered himself.
	OfAge Day
	// Nationwide tells that the grant is one across provinces: its quota pays
	// anywhere.
	Nationwide bool
	// Since is the number of the account's newest entry when the grant was given:
	// only later entries count on it.
	Since uint64
	// Spent counts what the grant paid in one month, for the monthly cap. It is
	// kept without a cap too, so that a cap set in mid-month counts the whole.
	Spent MonthSpent
	// Used counts what the grant paid in all, for the quota.
	Used   Fen
	Paused bool
}

// QuotaLeft returns what is left of a frozen quota: money of the account that
// nobody but the beneficiary may spend (共济额度). 0 without a quota.
func (g Grant) QuotaLeft() Fen { return max(0, g.Terms.Quota-g.Used) }

// spend counts what the grant paid in a month, or with its sign turned got back.
func (g *Grant) spend(month Month, paid Fen) {
	if g.Spent.Month < month {
		g.Spent = MonthSpent{Month: month}
	}
	if g.Spent.Month == month {
		g.Spent.Spent += paid
	}
	g.Used += paid
}

// SpentIn returns what the grant paid in a month, the newest it paid in or later.
func (g Grant) SpentIn(month Month) Fen { return g.Spent.at(month).Spent }

// Terms are the limits that a grantor sets to a grant.
type Terms struct {
	Purposes         []Purpose
	MonthlyCap       Fen // 0 is none
	PerSettlementCap Fen // 0 is none
	Quota            Fen // frozen for the beneficiary (共济额度); 0 is none
	ValidUntil       Day // last day; 0 is open
}

// Raise are higher caps and the day on which they take effect; the zero Raise is none.
type Raise struct {
	From                         Day
	MonthlyCap, PerSettlementCap Fen // 0 is none
}

// On returns the terms with caps that were raised, if their day has come.
func (t Terms) On(day Day, r Raise) Terms {
	if r.From != 0 && r.From <= day {
		t.MonthlyCap, t.PerSettlementCap = r.MonthlyCap, r.PerSettlementCap
	}
	return t
}

// raised returns the terms that hold at once where new ones are asked for, and the
// caps of the new ones that have to wait, none where none is higher.
func (t Terms) raised(to Terms, from Day) (Terms, Raise) {
	now := to
	lower := func(is, asked Fen) Fen {
		if is != 0 && (asked == 0 || asked > is) {
			return is
		}
		return asked
	}
	now.MonthlyCap, now.PerSettlementCap = lower(t.MonthlyCap, to.MonthlyCap), lower(t.PerSettlementCap, to.PerSettlementCap)
	if now.MonthlyCap == to.MonthlyCap && now.PerSettlementCap == to.PerSettlementCap {
		return to, Raise{}
	}
	return now, Raise{From: from, MonthlyCap: to.MonthlyCap, PerSettlementCap: to.PerSettlementCap}
}

// MonthSpent is an amount spent in a month.
type MonthSpent struct {
	Month Month
	Spent Fen
}

func (m MonthSpent) at(month Month) MonthSpent {
	if m.Month != month {
		return MonthSpent{Month: month}
	}
	return m
}

// FrozenQuota returns the part of the balance that is frozen in quotas.
func (a *Account) FrozenQuota() Fen {
	var sum Fen
	for _, g := range a.Given {
		sum += g.QuotaLeft()
	}
	return sum
}

// Free returns what the owner himself may spend: the balance less the quotas
// that are frozen for others.
func (a *Account) Free() Pockets {
	// Quotas are held in past years' money first, which the owner spends last.
	held := a.FrozenQuota()
	past := min(a.Balance.Past, held)
	return Pockets{Current: a.Balance.Current - min(a.Balance.Current, held-past), Past: a.Balance.Past - past}
}

// grant returns the index of the grant of a binding, or −1.
func (a *Account) grant(id BindingID) int {
	return slices.IndexFunc(a.Given, func(g Grant) bool { return g.Binding == id })
}

// clone returns a copy that shares nothing with a, so that deciding never
// touches the snapshot.
func (a Account) clone() Account {
	a.Given = slices.Clone(a.Given)
	a.Grantors = slices.Clone(a.Grantors)
	a.Others = slices.Clone(a.Others)
	return a
}

// shareable returns what a grant may draw from the account, apart from its caps.
func (a *Account) shareable(g Grant, rules GrantPolicy) Pockets {
	from := a.Free()
	if g.Terms.Quota > 0 {
		from = a.Balance // less the others' quotas, which QuotaLeft leaves alone
	}
	if rules.Money == PastYears && !g.Nationwide {
		from.Current = 0
	}
	if g.Terms.Quota > 0 {
		return from.take(g.QuotaLeft())
	}
	return from.take(max(0, from.Total()-rules.Floor))
}

// Credit books money that the insurer pays into an account, such as the monthly
// allocation. The reference is the insurer's own number of the payment.
func Credit(a Account, reference string, amount Pockets, now time.Time) (Account, Entry) {
	next := a.clone()
	entry := next.book(Entry{At: now, Kind: Credited, Ref: reference, Delta: amount})
	return next, entry
}
