package family

import (
	"fmt"
	"slices"
	"time"
)

// Return is one line of a refund: how much of it comes back.
type Return struct {
	LineNo   int
	Quantity Quantity
}

// Reverse undoes what is left of a settlement: every fen goes back to where it
// came from, caps and counters too, whatever became of the grants since. It
// returns the reversal, the original as it then stands, and the effects.
func Reverse(id MessageID, original Settlement, patient Account, payers map[PersonNo]Account, now time.Time) (Settlement, Settlement, Effects, *Refusal) {
	if refusal := original.mayUndo(); refusal != nil {
		return Settlement{}, original, Effects{}, refusal
	}
	back, after, effects := undo(id, Reversed, original, make([]Quantity, len(original.Kept)), patient, payers, now)
	return back, after, effects, nil
}

// Refund takes back part of a settlement, by line and quantity. What is kept is
// reckoned anew with the money that the settlement had, and the difference goes
// back: cash first, then the last grantor's, the patient's own after the
// relatives', as if the goods had never been on the bill.
func Refund(id MessageID, original Settlement, returns []Return, patient Account, payers map[PersonNo]Account, now time.Time) (Settlement, Settlement, Effects, *Refusal) {
	refuse := func(r *Refusal) (Settlement, Settlement, Effects, *Refusal) {
		return Settlement{}, original, Effects{}, r
	}
	if refusal := CheckReturns(returns); refusal != nil {
		return refuse(refusal)
	}
	place := make([]int, len(returns)) // of each line in the original
	for i, r := range returns {
		place[i] = slices.IndexFunc(original.Lines, func(l PricedLine) bool { return l.No == r.LineNo })
		if place[i] < 0 {
			return refuse(&Refusal{Code: NotFound, Field: fmt.Sprintf("lines[%d].line_no", i), Line: r.LineNo, Detail: "the settlement has no such line"})
		}
	}
	if refusal := original.mayUndo(); refusal != nil {
		return refuse(refusal)
	}
	kept := slices.Clone(original.Kept)
	for i, r := range returns {
		at := place[i]
		if r.Quantity > kept[at] {
			refusal := &Refusal{
				Code: AlreadyRefunded, Field: fmt.Sprintf("lines[%d].quantity", i), Line: r.LineNo,
				Observed: r.Quantity.String(), Allowed: kept[at].String(),
			}
			if r.Quantity > original.Lines[at].Quantity {
				refusal.Detail = "more than was sold"
			}
			return refuse(refusal)
		}
		kept[at] -= r.Quantity
	}
	back, after, effects := undo(id, Refunded, original, kept, patient, payers, now)
	return back, after, effects, nil
}

// mayUndo refuses what is no sale, or of which nothing is left.
func (s *Settlement) mayUndo() *Refusal {
	switch {
	case s.Kind != Settled:
		return Refuse(OriginalUnknown)
	case !slices.ContainsFunc(s.Kept, func(q Quantity) bool { return q > 0 }):
		return Refuse(AlreadyReversed)
	}
	return nil
}

// CheckReturns refuses a list of returns that cannot be read as one.
func CheckReturns(returns []Return) *Refusal {
	if len(returns) < 1 || len(returns) > MaxLines {
		return &Refusal{Code: Malformed, Field: "lines", Observed: fmt.Sprint(len(returns)), Allowed: fmt.Sprintf("1 to %d", MaxLines), Detail: "too few or too many lines"}
	}
	for i, r := range returns {
		if slices.ContainsFunc(returns[:i], func(s Return) bool { return s.LineNo == r.LineNo }) {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("lines[%d].line_no", i), Line: r.LineNo, Detail: "the line stands twice"}
		}
		if r.Quantity <= 0 || r.Quantity > MaxQuantity {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("lines[%d].quantity", i), Line: r.LineNo, Detail: "a quantity is above 0 and at most " + MaxQuantity.String()}
		}
	}
	return nil
}

// undo turns the difference between what was kept and what is to be kept into a
// settlement with its signs turned, and posts it.
func undo(id MessageID, kind EntryKind, original Settlement, kept []Quantity, patient Account, payers map[PersonNo]Account, now time.Time) (Settlement, Settlement, Effects) {
	back := original.back(id, kind, kept, now)
	effects := back.post(patient, payers)
	original.Kept = kept
	original.Refunds = append(slices.Clone(original.Refunds), id)
	return back, original, effects
}

// back returns the difference between what is kept of a sale and what is to be kept, as
// a settlement with its signs turned that nobody has posted yet.
func (s Settlement) back(id MessageID, kind EntryKind, kept []Quantity, now time.Time) Settlement {
	original := s
	limits := make([]Pockets, len(original.Shares))
	for i, share := range original.Shares {
		limits[i] = share.Paid
	}
	before := reckon(original.Basis, original.Lines, original.Kept, original.Own, limits)
	after := reckon(original.Basis, original.Lines, kept, original.Own, limits)

	back := original
	back.ID, back.Kind, back.Original, back.At = id, kind, original.ID, now
	back.Refunds, back.Presenter = nil, ""
	back.Kept, back.Told, back.Free = nil, nil, Pockets{}
	back.Paid = after.paid.minus(before.paid)
	back.Own = after.own.Minus(before.own)
	back.Lines = nil
	for i, l := range original.Lines {
		if kept[i] == original.Kept[i] {
			continue
		}
		l.Quantity = kept[i] - original.Kept[i]
		l.Amounts = after.lines[i].minus(before.lines[i])
		l.Amount = l.Amounts.Total
		if kept[i] > 0 {
			l.TraceCodes = nil // which of the boxes came back, nobody said
		}
		back.Lines = append(back.Lines, l)
	}
	back.Shares = nil
	for i, share := range original.Shares {
		share.Paid, share.Limit, share.Reason, share.Rule = after.shares[i].Minus(before.shares[i]), Pockets{}, "", ""
		if share.Paid != (Pockets{}) {
			back.Shares = append(back.Shares, share)
		}
	}
	back.Inputs = back.inputs()
	return back
}

// State says what became of a settlement.
type State string

// The states of a settlement.
const (
	StateSettled           State = "settled"
	StatePartiallyRefunded State = "partially_refunded"
	StateReversed          State = "reversed"
)

// State returns what became of the settlement since.
func (s *Settlement) State() State {
	if s.Kind != Settled || len(s.Refunds) == 0 {
		return StateSettled
	}
	if slices.ContainsFunc(s.Kept, func(q Quantity) bool { return q > 0 }) {
		return StatePartiallyRefunded
	}
	return StateReversed
}

// ProveSettlement returns what does not agree inside a settlement: its legs are
// what each party paid and sum to zero, its identities hold, nobody paid a
// negative part of a sale, and a sale follows from its lines and its basis. It
// reads whatever is stored, so it trusts no field.
func ProveSettlement(s Settlement) []Fault {
	var faults []Fault
	check := func(holds bool, what string) {
		if !holds {
			faults = append(faults, Fault{Ref: string(s.ID), What: what})
		}
	}
	p := s.Paid
	legs := []Posting{
		{Party: Institution, Delta: Pockets{Current: p.Total}},
		{Party: Fund, Delta: Pockets{Current: -p.FundPaid}},
		{Party: Cash, Delta: Pockets{Current: -p.CashDue}},
		{Party: Personal, Account: s.Patient, Delta: Pockets{}.Minus(s.Own)},
	}
	var shared Fen
	for _, share := range s.Shares {
		shared += share.Paid.Total()
		if share.Paid != (Pockets{}) {
			legs = append(legs, Posting{Party: Personal, Account: share.Grantor, Delta: Pockets{}.Minus(share.Paid)})
		}
	}
	var sum Fen
	for _, leg := range s.Legs {
		sum += leg.Delta.Total()
	}
	check(sum == 0, "the legs do not sum to zero")
	check(slices.EqualFunc(legs, s.Legs, func(want, leg Posting) bool {
		booked := leg.Seq > 0
		leg.Seq = 0
		return leg == want && booked == (want.Party == Personal)
	}), "the legs are not what each party paid")

	var lines Amounts
	for _, l := range s.Lines {
		lines = lines.plus(l.Amounts)
	}
	amounts := make([]Amounts, len(s.Lines))
	for i, l := range s.Lines {
		amounts[i] = l.Amounts
	}
	check(lines == p.Amounts && p.Total == p.OutOfScope+p.OverLimit+p.PreSelfPay+p.InScope, "the lines do not sum to the total")
	check(p.Total == p.FundPaid+p.PersonBurden && p.PersonBurden == p.OwnPaid+p.SharedPaid+p.CashDue &&
		p.OwnPaid == s.Own.Total() && p.SharedPaid == shared && p.AccountBase == p.PersonBurden-p.outOfBase(s.Basis, s.Lines, amounts), "who paid does not sum to the total")
	sign := Fen(1)
	if s.Kind != Settled {
		sign = -1
	}
	parts := []Fen{p.Total, p.OutOfScope, p.OverLimit, p.PreSelfPay, p.InScope, p.Deductible, p.FundPaid, p.OwnPaid, p.SharedPaid, p.CashDue}
	check(!slices.ContainsFunc(parts, func(part Fen) bool { return part*sign < 0 }), "a part has the wrong sign")
	check(s.Inputs == s.inputs(), "what decided it was changed afterwards")
	if s.Kind == Settled {
		check(s.follows(), "the amounts do not follow from the lines and the basis")
	}
	return faults
}

// follows tells whether the amounts of a sale are what the law makes of its lines,
// its basis and what the accounts paid.
func (s *Settlement) follows() bool {
	b := s.Basis
	if b.Ratio < 0 || b.Ratio > Whole || b.DeductibleLeft < 0 || b.PoolLeft < 0 || len(s.Kept) != len(s.Lines) {
		return false
	}
	for i, l := range s.Lines {
		if l.Quantity <= 0 || l.Quantity > MaxQuantity || l.Amount < 0 || l.Amount > MaxFen || l.UnitPrice < 0 || l.UnitPrice > MaxFen ||
			l.SelfPay < 0 || l.SelfPay > Whole || l.Ceiling < 0 || l.Ceiling > l.UnitPrice || s.Kept[i] < 0 || s.Kept[i] > l.Quantity {
			return false
		}
	}
	paid := make([]Pockets, len(s.Shares))
	for i, share := range s.Shares {
		paid[i] = share.Paid
	}
	r := reckon(s.Basis, s.Lines, quantities(s.Lines), s.Own, paid)
	return r.paid == s.Paid && r.own == s.Own && slices.Equal(r.shares, paid) &&
		slices.EqualFunc(r.lines, s.Lines, func(a Amounts, l PricedLine) bool { return a == l.Amounts })
}

// ProveRefunds returns what does not agree between a settlement and all that was
// given back of it: what it paid and the refunds together are what it would have
// paid for what is kept.
func ProveRefunds(s Settlement, refunds []Settlement) []Fault {
	if !s.follows() {
		return nil // cannot be reckoned, and ProveSettlement says so
	}
	limits := make([]Pockets, len(s.Shares))
	for i, share := range s.Shares {
		limits[i] = share.Paid
	}
	kept := reckon(s.Basis, s.Lines, s.Kept, s.Own, limits).paid
	for _, r := range refunds {
		kept = kept.minus(r.Paid)
		if r.Original != s.ID {
			return []Fault{{Ref: string(r.ID), What: "the refund is of another settlement"}}
		}
	}
	if len(refunds) != len(s.Refunds) || kept != s.Paid {
		return []Fault{{Ref: string(s.ID), What: "what was paid is not what is kept and what was given back"}}
	}
	return nil
}
