package family_test

import (
	"testing"

	"gongji/shared/family"
)

// couple is a patient without money and a relative with 100.00, under the sample
// policy, which the test may change in place.
func couple(t testing.TB) (*town, *family.Policy, family.BindingID) {
	t.Helper()
	w, policy := bindingTown()
	a := w.accounts["P1"]
	a.Balance, a.Seq, a.Head = family.Pockets{}, 0, ""
	w.accounts["P1"], w.entries["P1"] = a, nil
	for _, p := range places {
		w.places[p.Code] = p
	}
	w.items["X1"] = family.Item{Code: "X1", Class: family.ClassA, From: 20210101}
	id, refusal := w.bind("P0", "P1", "11", false, &family.Terms{Purposes: []family.Purpose{family.ForCare, family.ForPharmacy}})
	refusedWith(t, refusal, "")
	return w, policy, id
}

// oneLine is a bill of one line.
func oneLine(med family.MedType, amount family.Fen) family.Bill {
	return family.Bill{
		MedType: med, Total: amount, UseAccount: true,
		Lines: []family.Line{{No: 1, Code: "X1", Quantity: 1_0000, UnitPrice: amount, Amount: amount}},
	}
}

// TestFundPaysOnlyWhereTheBenefitSays: another class of persons, another kind of
// visit, a pharmacy, or a grade without a ratio: the fund pays nothing, and nothing
// is asked for or counted as a deductible.
func TestFundPaysOnlyWhereTheBenefitSays(t *testing.T) {
	for _, c := range []struct {
		why   string
		spoil func(*family.Case)
		fund  family.Fen
	}{
		{"", func(*family.Case) {}, 70_00},
		{"another class of persons", func(c *family.Case) { c.Patient.Insurance.PsnType = "12" }, 0},
		{"another insurance", func(c *family.Case) { c.Patient.Insurance.Insutype = family.Resident }, 0},
		{"another kind of visit", func(c *family.Case) { c.Bill.MedType = family.Registration }, 0},
		{"a pharmacy's goods", func(c *family.Case) { c.Bill.MedType = family.PharmacyBuy }, 0},
		{"a pharmacy", func(c *family.Case) { c.Place.Kind = family.Pharmacy }, 0},
		{"no ratio at this grade", func(c *family.Case) { c.Place.Level = "11" }, 0},
		{"no level", func(c *family.Case) { c.Place.Level = "" }, 0},
	} {
		w, policy, _ := couple(t)
		policy.Benefits[0].Deductible["0"] = 500_00 // and no ratio
		place := w.places["H43010000001"]
		place.Level = "8"
		w.places[place.Code] = place
		request := w.caseOf("P1", place.Code, oneLine(family.Outpatient, 100_00), nil)
		c.spoil(&request)
		s, refusal := w.settle(request)
		refusedWith(t, refusal, "")
		if s.Paid.FundPaid != c.fund || s.Paid.Deductible != 0 || w.accounts["P1"].Year.Deductible != 0 || w.accounts["P1"].Year.Pool != c.fund {
			t.Errorf("%s: %+v, %+v", c.why, s.Paid, w.accounts["P1"].Year)
		}
	}
}

// TestPurposes: a bill in a pharmacy is a matter of the pharmacy, wherever it is
// written and whatever kind of visit it names.
func TestPurposes(t *testing.T) {
	for _, c := range []struct {
		place   family.InstitutionCode
		med     family.MedType
		purpose family.Purpose
	}{
		{"H43010000001", family.Outpatient, family.ForCare},
		{"H43010000001", family.Emergency, family.ForCare},
		{"H43010000001", family.PharmacyBuy, family.ForPharmacy},
		{"P43010000004", family.PharmacyBuy, family.ForPharmacy},
		{"P43010000004", family.Outpatient, family.ForPharmacy},
	} {
		for _, allowed := range family.Purposes {
			w, _, id := couple(t)
			refusedWith(t, w.change("P0", id, family.Change{SetPay: true, Pay: &family.Terms{Purposes: []family.Purpose{allowed}}}), "")
			s, refusal := family.Quote(w.caseOf("P1", c.place, oneLine(c.med, 10_00), nil))
			refusedWith(t, refusal, "")
			want := family.GrantScope
			if allowed == c.purpose {
				want = ""
			}
			if got := s.Shares[0].Reason; got != want {
				t.Errorf("%s at %s under a grant for %s: %q", c.med, c.place, allowed, got)
			}
		}
	}
}

// TestGrantThatIsNotThere: an account that points at a grant which its grantor does
// not have, or which is another's, gets nothing from it.
func TestGrantThatIsNotThere(t *testing.T) {
	w, _, _ := couple(t)
	for what, spoil := range map[string]func(*family.Payer){
		"gone":      func(p *family.Payer) { p.Account.Given = nil },
		"another's": func(p *family.Payer) { p.Account.Given[0].Beneficiary = "P2" },
		"renamed":   func(p *family.Payer) { p.Grantor.Binding = "B9999" },
	} {
		c := w.clone().caseOf("P1", "H43010000001", oneLine(family.Outpatient, 10_00), nil)
		c.Payers[0].Account.Given = append([]family.Grant(nil), c.Payers[0].Account.Given...)
		spoil(&c.Payers[0])
		s, effects, refusal := family.Settle(c)
		refusedWith(t, refusal, "")
		if share := s.Shares[0]; share.Reason != family.GrantNone || share.Grantor != "P0" || len(effects.Accounts) != 1 || s.Paid.CashDue != 10_00 {
			t.Errorf("%s: %+v", what, share)
		}
	}
}

// TestEntries holds what a settlement writes: an entry in the patient's history
// even when his account paid nothing, one in each payer's, none elsewhere.
func TestEntries(t *testing.T) {
	w, _, id := couple(t)
	s, refusal := w.settle(w.caseOf("P1", "H43010000001", oneLine(family.Outpatient, 10_00), nil))
	refusedWith(t, refusal, "")
	back, refusal := w.reverse(s.ID)
	refusedWith(t, refusal, "")
	patient, payer := w.entries["P1"], w.entries["P0"]
	if len(patient) != 2 || len(payer) != 3 {
		t.Fatalf("%d and %d entries", len(patient), len(payer))
	}
	for _, c := range []struct{ got, want family.Entry }{
		{patient[0], family.Entry{Account: "P1", Seq: 1, At: w.now, Kind: family.Settled, Ref: string(s.ID), Patient: true, Day: 20260310, Insutype: family.Employee, Deductible: 10_00}},
		{patient[1], family.Entry{Account: "P1", Seq: 2, At: w.now, Kind: family.Reversed, Ref: string(back.ID), Patient: true, Day: 20260310, Insutype: family.Employee, Deductible: -10_00, Prev: patient[0].Hash()}},
		{payer[1], family.Entry{Account: "P0", Seq: 2, At: w.now, Kind: family.Settled, Ref: string(s.ID), Delta: family.Pockets{Current: -10_00}, After: family.Pockets{Current: 90_00}, Grant: id, Month: 202603, Prev: payer[0].Hash()}},
		{payer[2], family.Entry{Account: "P0", Seq: 3, At: w.now, Kind: family.Reversed, Ref: string(back.ID), Delta: family.Pockets{Current: 10_00}, After: family.Pockets{Current: 100_00}, Grant: id, Month: 202603, Prev: payer[1].Hash()}},
	} {
		if c.got != c.want {
			t.Errorf("%+v\nwant %+v", c.got, c.want)
		}
	}
	if h := payer[0].Hash(); len(h) != 64 || h == payer[1].Hash() {
		t.Error(h)
	}
}

// TestUnreadPayer: a refund for which the caller forgot to read an account stops
// the program rather than lose the money.
func TestUnreadPayer(t *testing.T) {
	w, _, _ := couple(t)
	s, refusal := w.settle(w.caseOf("P1", "H43010000001", oneLine(family.Outpatient, 10_00), nil))
	refusedWith(t, refusal, "")
	defer func() {
		if recover() == nil {
			t.Error("the money went nowhere")
		}
	}()
	family.Reverse("m", s, w.accounts["P1"], nil, w.now)
}

// TestPresenterWithoutGrant: only who showed another's code, and gave no grant, is
// told so.
func TestPresenterWithoutGrant(t *testing.T) {
	for presenter, want := range map[family.PersonNo]int{"P1": 1, "P0": 1, "P2": 2} {
		w, _, _ := couple(t)
		token := &family.QRToken{Patient: "P1", Presenter: presenter, Binding: "B7", Relation: "20", Expires: w.now.Add(1), State: family.QRStateIssued}
		s, refusal := family.Quote(w.caseOf("P1", "H43010000001", oneLine(family.Outpatient, 10_00), token))
		refusedWith(t, refusal, "")
		if len(s.Shares) != want || s.Presenter != presenter {
			t.Errorf("%s shows: %+v", presenter, s.Shares)
		}
		if want == 2 && s.Shares[1] != (family.Share{Grantor: "P2", Binding: "B7", Relation: "20", Reason: family.GrantNone}) {
			t.Errorf("%+v", s.Shares[1])
		}
	}
}
