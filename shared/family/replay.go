package family

import (
	"fmt"
	"slices"
	"strconv"
)

// Difference is one value of a settlement that the rules decide otherwise today.
type Difference struct{ Field, Was, Is string }

// Replayed is what a replay has to be given beside the settlement: what it was
// decided by, as it is found today.
type Replayed struct {
	Policy *Policy
	Items  map[string]Item // in force on the day, by code
	Born   Day
	Sex    Sex
	// Used is what the patient's entries before the settlement say that his benefit
	// had used up.
	Used Used
}

// Replay decides a sale again, from what it holds and what it was decided by, and
// returns every value that comes out otherwise: none, if nobody changed a rule, a
// price list or a record behind its back.
func Replay(s Settlement, place Place, r Replayed) []Difference {
	var found []Difference
	differ := func(field, was, is string) {
		if was != is {
			found = append(found, Difference{field, was, is})
		}
	}
	differ("policy", s.Policy, r.Policy.ID())
	fens := func(field string, was, is Fen) { differ(field, strconv.Itoa(int(was)), strconv.Itoa(int(is))) }
	fens("basis.used.deductible_fen", s.Basis.Used.Deductible, r.Used.Deductible)
	fens("basis.used.pool_fen", s.Basis.Used.Pool, r.Used.Pool)
	fens("basis.used.day_fen", s.Basis.Used.Day, r.Used.Day)
	fens("basis.used.stay_fen", s.Basis.Used.Stay, r.Used.Stay)

	again := s
	basis := s.Basis
	basis.Used = r.Used
	again.Basis = basis.under(r.Policy, s.MedType)
	differ("basis.ratio", s.Basis.Ratio.String(), again.Basis.Ratio.String())
	fens("basis.deductible_left_fen", s.Basis.DeductibleLeft, again.Basis.DeductibleLeft)
	fens("basis.pool_left_fen", s.Basis.PoolLeft, again.Basis.PoolLeft)
	differ("basis.pool_capped", strconv.FormatBool(s.Basis.PoolCapped), strconv.FormatBool(again.Basis.PoolCapped))
	differ("basis.no_account", strconv.FormatBool(s.Basis.NoAccount), strconv.FormatBool(again.Basis.NoAccount))
	differ("basis.account_pays_out_of_scope", strconv.FormatBool(s.Basis.PaysOutOfScope), strconv.FormatBool(again.Basis.PaysOutOfScope))

	again.Lines = s.repriced(place, r, differ)
	again.Shares = slices.Clone(s.Shares)
	again.Kept = quantities(s.Lines)
	again.reckonInto()
	for i, l := range again.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		fens(at+"out_of_scope_fen", s.Lines[i].Amounts.OutOfScope, l.Amounts.OutOfScope)
		fens(at+"over_limit_fen", s.Lines[i].Amounts.OverLimit, l.Amounts.OverLimit)
		fens(at+"pre_self_pay_fen", s.Lines[i].Amounts.PreSelfPay, l.Amounts.PreSelfPay)
		fens(at+"in_scope_fen", s.Lines[i].Amounts.InScope, l.Amounts.InScope)
	}
	paidDiffers(fens, s.Paid, again.Paid)
	for i := range s.Shares {
		fens(fmt.Sprintf("shares[%d].paid_fen", i), s.Shares[i].Paid.Total(), again.Shares[i].Paid.Total())
	}
	return found
}

// ReplayBack reckons a reversal or refund again, from its sale and from what had been
// given back of it before, oldest first, and returns every value that comes out
// otherwise. What came back, by line and quantity, is taken from the refund: that is what
// the till told.
func ReplayBack(sale Settlement, before []Settlement, back Settlement) []Difference {
	kept, ok := sale.keptAfter(before)
	after, fits := sale.keptAfter(append(slices.Clip(before), back))
	if !ok || !fits {
		return []Difference{{"lines", string(back.ID), "more than was sold"}}
	}
	sale.Kept = kept
	again := sale.back(back.ID, back.Kind, after, back.At)
	var found []Difference
	differ := func(field string, was, is any) {
		if w, i := fmt.Sprint(was), fmt.Sprint(is); w != i {
			found = append(found, Difference{field, w, i})
		}
	}
	fens := func(field string, was, is Fen) { differ(field, int64(was), int64(is)) }
	whole := !slices.ContainsFunc(after, func(q Quantity) bool { return q > 0 })
	differ("kind", back.Kind == Reversed, back.Kind == Reversed && whole)
	differ("policy", back.Policy, again.Policy)
	differ("lines", len(back.Lines), len(again.Lines))
	for i := range min(len(back.Lines), len(again.Lines)) {
		at, was, is := fmt.Sprintf("lines[%d].", i), back.Lines[i].Amounts, again.Lines[i].Amounts
		differ(at+"code", back.Lines[i].Code, again.Lines[i].Code)
		fens(at+"amount_fen", back.Lines[i].Amount, again.Lines[i].Amount)
		fens(at+"out_of_scope_fen", was.OutOfScope, is.OutOfScope)
		fens(at+"over_limit_fen", was.OverLimit, is.OverLimit)
		fens(at+"pre_self_pay_fen", was.PreSelfPay, is.PreSelfPay)
		fens(at+"in_scope_fen", was.InScope, is.InScope)
	}
	paidDiffers(fens, back.Paid, again.Paid)
	differ("own", back.Own, again.Own)
	differ("shares", len(back.Shares), len(again.Shares))
	for i := range min(len(back.Shares), len(again.Shares)) {
		was, is := back.Shares[i], again.Shares[i]
		differ(fmt.Sprintf("shares[%d]", i), []any{was.Grantor, was.Binding, was.Paid}, []any{is.Grantor, is.Binding, is.Paid})
	}
	differ("inputs", back.Inputs, again.Inputs)
	return found
}

// keptAfter returns what is left of each line of a sale after some of it was given back,
// and whether it had that much.
func (s *Settlement) keptAfter(backs []Settlement) ([]Quantity, bool) {
	kept := quantities(s.Lines)
	for _, b := range backs {
		for _, l := range b.Lines {
			i := slices.IndexFunc(s.Lines, func(sold PricedLine) bool { return sold.No == l.No })
			if i < 0 || l.Quantity > 0 || kept[i]+l.Quantity < 0 {
				return nil, false
			}
			kept[i] += l.Quantity
		}
	}
	return kept, true
}

// paidDiffers compares who paid what.
func paidDiffers(fens func(field string, was, is Fen), was, is Breakdown) {
	fens("total_fen", was.Total, is.Total)
	fens("deductible_fen", was.Deductible, is.Deductible)
	fens("fund_paid_fen", was.FundPaid, is.FundPaid)
	fens("person_burden_fen", was.PersonBurden, is.PersonBurden)
	fens("account_base_fen", was.AccountBase, is.AccountBase)
	fens("own_paid_fen", was.OwnPaid, is.OwnPaid)
	fens("shared_paid_fen", was.SharedPaid, is.SharedPaid)
	fens("cash_due_fen", was.CashDue, is.CashDue)
}

// repriced prices a sale's lines again and tells what the catalogue says otherwise.
func (s *Settlement) repriced(place Place, r Replayed, differ func(field, was, is string)) []PricedLine {
	place.Kind, place.Level = s.Basis.Kind, s.Basis.Level
	c := Case{Now: s.At, Place: place, Items: r.Items, Policy: r.Policy, Born: r.Born, Sex: r.Sex}
	c.Patient.Insurance.Insutype = s.Basis.Insutype
	if s.Told != nil {
		c.Need, c.OwnExpense = s.Told.Need, s.Told.OwnExpense
	}
	lines := slices.Clone(s.Lines)
	for i, l := range s.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		c.Bill.Lines = []Line{l.Line}
		priced, _, refusal := c.prices()
		if refusal != nil {
			differ(at+"code", l.Code, "")
			continue
		}
		p := priced[0]
		lines[i] = p
		differ(at+"since", l.Since.String(), p.Since.String())
		differ(at+"class", string(l.Class), string(p.Class))
		differ(at+"self_pay_ratio", l.SelfPay.String(), p.SelfPay.String())
		differ(at+"ceiling_fen", strconv.Itoa(int(l.Ceiling)), strconv.Itoa(int(p.Ceiling)))
		differ(at+"reason", string(l.Reason), string(p.Reason))
	}
	return lines
}

// Drift is how far a person's use of the benefit in a year would have come apart
// from what it was, under a draft policy, by the settlements looked at so far.
type Drift struct{ Deductible, Pool Fen }

// WhatIf reckons what is left of a sale under a draft policy: as it was, as it would
// be, and how far the person's use of the benefit then has drifted. The goods' prices,
// the day's use, what each account could have paid and what earlier bills of the same
// stay took of its deductible stay as they were.
func WhatIf(s *Settlement, draft *Policy, drift Drift) (was, would Breakdown, after Drift) {
	limits := make([]Pockets, len(s.Shares))
	for i, share := range s.Shares {
		limits[i] = share.Limit
	}
	was = reckon(s.Basis, s.Lines, s.Kept, s.Free, limits).paid
	basis := s.Basis
	basis.Used.Deductible += drift.Deductible
	basis.Used.Pool += drift.Pool
	would = reckon(basis.under(draft, s.MedType), s.Lines, s.Kept, s.Free, limits).paid
	return was, would, Drift{drift.Deductible + would.Deductible - was.Deductible, drift.Pool + would.FundPaid - was.FundPaid}
}
