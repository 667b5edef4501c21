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
		"no account may pay":      func(s *family.Settlement) { s.Basis.NoAccount = true },
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

// TestProofOfARewrittenHistory: who rewrites a history and chains it anew is still
// found where the history contradicts itself. Each case breaks one thing only.
func TestProofOfARewrittenHistory(t *testing.T) {
	w, sale := soldOnce(t)
	w.credit("P0", family.Pockets{Past: 7_00})
	_, refusal := w.refund(sale.ID, family.Return{LineNo: 2, Quantity: 1_0000})
	refusedWith(t, refusal, "")
	for _, c := range []struct {
		what    string // that the proof says
		rewrite func(*family.Account, []family.Entry)
	}{
		{"", func(*family.Account, []family.Entry) {}},
		{"the entry is of another account", func(_ *family.Account, e []family.Entry) { e[2].Account = "P9" }},
		{"entry 4 stands in place 3", func(_ *family.Account, e []family.Entry) { e[2].Seq = 4 }},
		{"the balance after the entry is not the sum of the entries", func(_ *family.Account, e []family.Entry) { e[1].After.Past++ }},
		{"the account counts 3 entries and there are 4, or its head is not their last", func(a *family.Account, _ []family.Entry) { a.Seq-- }},
		{"the balance is not the sum of the entries", func(a *family.Account, _ []family.Entry) { a.Balance.Current++ }},
		{"the year's counters are not the sum of the entries", func(_ *family.Account, e []family.Entry) { e[1].Day, e[1].Pool = 20260310, 5 }},
		{"the quotas exceed the balance", func(a *family.Account, _ []family.Entry) { a.Given[0].Terms.Quota = 1000_00 }},
		{"what the grant used in all is not the sum of the entries", func(a *family.Account, _ []family.Entry) { a.Given[0].Used++ }},
		{"what the grant spent in 202603 is not the sum of the entries", func(a *family.Account, _ []family.Entry) { a.Given[0].Spent.Spent++ }},
	} {
		account, entries := w.accounts["P0"], slices.Clone(w.entries["P0"])
		account.Given = slices.Clone(account.Given)
		account.Year.Year = 2026
		c.rewrite(&account, entries)
		var head family.Hash
		for i := range entries {
			entries[i].Prev = head
			head = entries[i].Hash()
		}
		account.Head = head
		var found []string
		for _, fault := range family.ProveAccount(account, entries) {
			if fault.Account != "P0" {
				t.Errorf("%+v", fault)
			}
			found = append(found, fault.What)
		}
		if c.what == "" && len(found) > 0 || c.what != "" && !slices.Equal(found, []string{c.what}) {
			t.Errorf("found %q, want %q", found, c.what)
		}
	}
	// A balance that was below zero once, though every sum agrees.
	a, e := family.Credit(family.Account{Person: "A"}, "r", family.Pockets{Current: 5, Past: 5}, w.now)
	for _, delta := range []family.Pockets{{Current: -6}, {Past: -6}} {
		below := e
		below.Seq, below.Delta, below.After, below.Prev = 2, delta, e.After.Plus(delta), e.Hash()
		up := below
		up.Seq, up.Delta, up.After, up.Prev = 3, family.Pockets{}.Minus(delta), e.After, below.Hash()
		a.Seq, a.Head = 3, up.Hash()
		if faults := family.ProveAccount(a, []family.Entry{e, below, up}); len(faults) != 1 || faults[0].Seq != 2 || faults[0].What != "the balance is below zero" {
			t.Errorf("%+v", faults)
		}
	}
}
