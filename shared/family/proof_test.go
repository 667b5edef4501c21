package family_test

import (
	"math"
	"slices"
	"testing"

	"gongji/shared/family"
)

// soldOnce returns a sale with something in every part of it.
func soldOnce(t testing.TB) (*town, family.Settlement) {
	t.Helper()
	w, policy, _ := couple(t)
	w.credit("P1", family.Pockets{Current: 1_00})
	policy.Benefits[0].Deductible["3"] = 5_00
	w.items["X1"] = family.Item{Code: "X1", Class: family.ClassB, SelfPay: map[family.Insutype]family.Ratio{family.Employee: 1000}, Ceiling: map[family.Level]family.Fen{"2": 30_00}, From: 20210101}
	bill := oneLine(family.Outpatient, 40_00)
	bill.Lines = append(bill.Lines, family.Line{No: 2, Code: "X1", Quantity: 3_0000, UnitPrice: 20_00, Amount: 60_00})
	bill.Total = 100_00
	s, refusal := w.settle(w.caseOf("P1", "H43010000001", bill, nil))
	refusedWith(t, refusal, "")
	p := s.Paid
	if p.OverLimit == 0 || p.PreSelfPay == 0 || p.Deductible == 0 || p.FundPaid == 0 || p.OwnPaid == 0 || p.SharedPaid == 0 || p.CashDue == 0 || s.Basis.PoolLeft == 0 {
		t.Fatalf("%+v", p)
	}
	return w, s
}

// TestProofTrustsNothing: whatever stands in the store, a proof reports it and
// does not stumble.
func TestProofTrustsNothing(t *testing.T) {
	w, sale := soldOnce(t)
	if faults := append(family.ProveSettlement(sale), family.ProveRefunds(sale, nil)...); len(faults) > 0 {
		t.Fatal(faults)
	}
	damaged := func() family.Settlement {
		s := sale
		s.Lines, s.Kept, s.Shares, s.Legs = slices.Clone(s.Lines), slices.Clone(s.Kept), slices.Clone(s.Shares), slices.Clone(s.Legs)
		return s
	}
	for what, damage := range map[string]func(*family.Settlement){
		"ratio below 0":           func(s *family.Settlement) { s.Basis.Ratio = -1 },
		"ratio above 1":           func(s *family.Settlement) { s.Basis.Ratio = family.Whole + 1 },
		"deductible below 0":      func(s *family.Settlement) { s.Basis.DeductibleLeft = -1 },
		"cap below 0":             func(s *family.Settlement) { s.Basis.PoolLeft = -1 },
		"kept too few":            func(s *family.Settlement) { s.Kept = s.Kept[:1] },
		"kept below 0":            func(s *family.Settlement) { s.Kept[1] = -1 },
		"kept more than sold":     func(s *family.Settlement) { s.Kept[1]++ },
		"quantity 0":              func(s *family.Settlement) { s.Lines[1].Quantity, s.Kept[1] = 0, 0 },
		"quantity below 0":        func(s *family.Settlement) { s.Lines[1].Quantity = -1 },
		"quantity too large":      func(s *family.Settlement) { s.Lines[1].Quantity = family.MaxQuantity + 1 },
		"amount below 0":          func(s *family.Settlement) { s.Lines[1].Amount = -1 },
		"amount too large":        func(s *family.Settlement) { s.Lines[1].Amount = family.MaxFen + 1 },
		"price below 0":           func(s *family.Settlement) { s.Lines[1].UnitPrice = -1 },
		"price too large":         func(s *family.Settlement) { s.Lines[1].UnitPrice = family.MaxFen + 1 },
		"share paid first < 0":    func(s *family.Settlement) { s.Lines[1].SelfPay = -1 },
		"share paid first > 1":    func(s *family.Settlement) { s.Lines[1].SelfPay = family.Whole + 1 },
		"ceiling below 0":         func(s *family.Settlement) { s.Lines[1].Ceiling = -1 },
		"ceiling above the price": func(s *family.Settlement) { s.Lines[0].Ceiling = s.Lines[0].UnitPrice + 1 },
		"no lines":                func(s *family.Settlement) { s.Lines, s.Kept = nil, nil },
		"no legs":                 func(s *family.Settlement) { s.Legs = nil },
		"a leg too many":          func(s *family.Settlement) { s.Legs = append(s.Legs, family.Posting{Party: family.Cash}) },
		"a leg without an entry":  func(s *family.Settlement) { s.Legs[3].Seq = 0 },
		"a leg of another":        func(s *family.Settlement) { s.Legs[3].Account = "P9" },
		"a leg of cash booked":    func(s *family.Settlement) { s.Legs[2].Seq = 1 },
		"another's share":         func(s *family.Settlement) { s.Shares[0].Grantor = "P9" },
		"a pocket for another":    func(s *family.Settlement) { s.Own = family.Pockets{Past: s.Own.Total()} },
		"another pocket's share":  func(s *family.Settlement) { s.Shares[0].Paid = family.Pockets{Past: s.Shares[0].Paid.Total()} },
		"another class":           func(s *family.Settlement) { s.Lines[1].Class = family.ClassC },
		"out of scope is payable": func(s *family.Settlement) { s.Basis.PaysOutOfScope = true },
	} {
		s := damaged()
		damage(&s)
		if len(family.ProveSettlement(s)) == 0 {
			t.Errorf("%s, and nobody saw", what)
		}
		family.ProveRefunds(s, nil)
	}
	for _, extreme := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		for _, damage := range []func(*family.Settlement){
			func(s *family.Settlement) { s.Basis.Ratio = family.Ratio(extreme) },
			func(s *family.Settlement) { s.Basis.DeductibleLeft = family.Fen(extreme) },
			func(s *family.Settlement) { s.Basis.PoolLeft = family.Fen(extreme) },
			func(s *family.Settlement) { s.Lines[0].Quantity = family.Quantity(extreme) },
			func(s *family.Settlement) { s.Lines[0].Amount = family.Fen(extreme) },
			func(s *family.Settlement) { s.Lines[0].UnitPrice = family.Fen(extreme) },
			func(s *family.Settlement) { s.Lines[0].SelfPay = family.Ratio(extreme) },
			func(s *family.Settlement) { s.Lines[0].Ceiling = family.Fen(extreme) },
			func(s *family.Settlement) { s.Kept[0] = family.Quantity(extreme) },
			func(s *family.Settlement) { s.Own.Current = family.Fen(extreme) },
			func(s *family.Settlement) { s.Shares[0].Paid.Past = family.Fen(extreme) },
			func(s *family.Settlement) { s.Paid.Total = family.Fen(extreme) },
			func(s *family.Settlement) { s.Legs[0].Delta.Current = family.Fen(extreme) },
		} {
			s := damaged()
			damage(&s)
			family.ProveSettlement(s) // no panic; a cap of 0 may well be in order
			family.ProveRefunds(s, []family.Settlement{s})
		}
	}
	// A refund has its own kind of wrong sign.
	back, refusal := w.refund(sale.ID, family.Return{LineNo: 2, Quantity: 1_0000})
	refusedWith(t, refusal, "")
	if faults := family.ProveSettlement(back); len(faults) > 0 {
		t.Error(faults)
	}
	back.Paid.Deductible = 1
	if len(family.ProveSettlement(back)) == 0 {
		t.Error("a refund asked for a deductible, and nobody saw")
	}
	if faults := family.ProveRefunds(w.sales[sale.ID], nil); len(faults) == 0 {
		t.Error("a refund was lost, and nobody saw")
	}
}
