package family_test

import (
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

// wrong is one fault of a request, and the code of its refusal.
type wrong[T any] struct {
	code  family.Code
	spoil func(*T)
}

// walk holds an act against the order of the codes. The request, wrong in every
// way, is repaired one fault at a time and answers each time with the first fault
// that is left; at last it passes. Then the same for every set of faults at all.
// Faults are listed in the order of their codes.
func walk[T any](t *testing.T, right func() T, act func(T) *family.Refusal, wrongs []wrong[T]) {
	t.Helper()
	for i := range wrongs[1:] {
		if slices.Index(family.Codes, wrongs[i].code) > slices.Index(family.Codes, wrongs[i+1].code) {
			t.Fatalf("the test lists %s before %s", wrongs[i].code, wrongs[i+1].code)
		}
	}
	try := func(faults uint) {
		t.Helper()
		request, want := right(), family.Code("")
		// The latest first, so that of two that touch one field the earlier stands.
		for i := len(wrongs) - 1; i >= 0; i-- {
			if faults&(1<<i) != 0 {
				wrongs[i].spoil(&request)
				want = wrongs[i].code
			}
		}
		var got family.Code
		if refusal := act(request); refusal != nil {
			got = refusal.Code
			tellsNoSecrets(t, refusal)
		}
		if got != want {
			t.Errorf("faults %0*b (the last is the first listed): refused with %q, want %q", len(wrongs), faults, got, want)
		}
	}
	all := uint(1)<<len(wrongs) - 1
	for faults := all; faults != 0; faults &= faults - 1 {
		try(faults)
	}
	try(0)
	for faults := range all {
		if bits.OnesCount(faults) < len(wrongs) {
			try(faults)
		}
	}
}

// secret stands in every balance of these tests: no refusal may hold it.
const secret family.Fen = 98765_43

// tellsNoSecrets fails if a refusal holds a balance or a person.
func tellsNoSecrets(t testing.TB, r *family.Refusal) {
	t.Helper()
	for _, text := range []string{r.Error(), r.Field, r.Rule, r.Policy, r.Observed, r.Allowed, r.Detail} {
		if strings.Contains(text, "98765") || strings.Contains(text, "PATIENT") || strings.Contains(text, "RELATIVE") {
			t.Errorf("a refusal tells %q", text)
		}
	}
}

// secretTown is a couple with a bill, a code and a sale.
func secretTown(t testing.TB) (*town, family.BindingID, family.Bill, family.Settlement) {
	t.Helper()
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return samplePolicy() })
	for _, p := range []family.PersonNo{"PATIENT", "RELATIVE"} {
		w.enrol(p, 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
		w.credit(p, family.Pockets{Current: secret})
	}
	w.places["H43010000001"] = places[0]
	w.items["X1"] = family.Item{Code: "X1", Class: family.ClassA, From: 20210101}
	w.items["X2"] = family.Item{Code: "X2", Class: family.ClassC, From: 20210101}
	id, refusal := w.bind("RELATIVE", "PATIENT", "11", true, forCare)
	refusedWith(t, refusal, "")
	bill := sampleBill()
	sale, refusal := w.settle(w.caseOf("PATIENT", "H43010000001", bill, nil))
	refusedWith(t, refusal, "")
	w.sold = map[string]family.MessageID{}
	return w, id, bill, sale
}

func TestLaw18_RefusalsComeInTheOrderOfCodes(t *testing.T) {
	w, id, _, sale := secretTown(t)
	t.Run("settlement", func(t *testing.T) {
		right := func() family.Case {
			c := w.clone().caseOf("PATIENT", "H43010000001", sampleBill(), nil)
			c.Message = "H43010000001202603101000000099"
			c.Token = &family.QRToken{Patient: "PATIENT", Presenter: "RELATIVE", Issued: w.now, Expires: w.now.Add(time.Minute), State: family.QRStateIssued}
			s, refusal := family.Quote(c)
			refusedWith(t, refusal, "")
			c.Bill.ExpectedCash = &s.Paid.CashDue
			return c
		}
		act := func(c family.Case) *family.Refusal {
			_, _, refusal := family.Settle(c)
			return refusal
		}
		walk(t, right, act, []wrong[family.Case]{
			{family.Malformed, func(c *family.Case) { c.Bill.MedType = "99" }},
			{family.InstitutionNotDesignated, func(c *family.Case) { c.Place.Designated = false }},
			{family.PersonNotInsured, func(c *family.Case) { c.Patient.Insurance.Active = false }},
			{family.PersonFrozen, func(c *family.Case) { c.Patient.Frozen = true }},
			{family.QRExpired, func(c *family.Case) { c.Token.Expires = c.Now }},
			{family.QRReplaced, func(c *family.Case) { c.Token.State = family.QRStateReplaced }},
			{family.QRSpent, func(c *family.Case) { c.Token.State = family.QRStateSpent }},
			{family.QRWrongPatient, func(c *family.Case) { c.Token.Patient = "somebody" }},
			{family.ItemNotCovered, func(c *family.Case) { c.Bill.Lines[1].Code = "X9" }},
			{family.TraceAlreadySold, func(c *family.Case) { c.Sold["T2"] = "another" }},
			{family.StateForbids, func(c *family.Case) { c.Bill.MedType = family.InjuryStay }}, // of no benefit
			{family.QuoteStale, func(c *family.Case) { cash := family.Fen(1); c.Bill.ExpectedCash = &cash }},
			{family.SumMismatch, func(c *family.Case) { c.Bill.Total++ }},
		})
	})
	t.Run("binding", func(t *testing.T) {
		// The member, as the request finds her, with a policy of her own.
		right := func() family.BindingRequest {
			return family.BindingRequest{
				ID: "B", Holder: w.accounts["PATIENT"], Member: w.accounts["RELATIVE"], HolderBorn: 19800101, MemberBorn: 19800101,
				Relation: "12", Show: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}}, Policy: samplePolicy(), Now: w.now,
			}
		}
		act := func(q family.BindingRequest) *family.Refusal {
			_, refusal := family.RequestBinding(q)
			return refusal
		}
		bound := func(n int, member family.PersonNo, relation family.Relation) []family.Bound {
			return slices.Repeat([]family.Bound{{ID: "B1", Member: member, Relation: relation, Show: true, Pay: true}}, n)
		}
		walk(t, right, act, []wrong[family.BindingRequest]{
			{family.Malformed, func(q *family.BindingRequest) { q.Pay.Purposes = nil }},
			{family.PersonNotInsured, func(q *family.BindingRequest) { q.Member.Insurance.Active = false }},
			{family.PersonNotInsured, func(q *family.BindingRequest) { q.Holder.Insurance.Insutype = family.Resident }},
			{family.PersonNotInsured, func(q *family.BindingRequest) { q.Member.Insurance.Region = "110100" }},
			{family.PersonFrozen, func(q *family.BindingRequest) { q.Holder.Frozen = true }},
			{family.RelationNotAllowed, func(q *family.BindingRequest) { q.Relation = "55" }},
			{family.RelationNotAllowed, func(q *family.BindingRequest) { q.HolderBorn = 20150101 }},
			{family.BindingLimitReached, func(q *family.BindingRequest) { q.Bound = append(q.Bound, bound(5, "X", "20")...) }},
			{family.BindingLimitReached, func(q *family.BindingRequest) { q.Bound = append(q.Bound, bound(1, "X", "12")...) }},
			{family.BindingLimitReached, func(q *family.BindingRequest) { q.Member.Grantors = make([]family.Grantor, 8) }},
			{family.AlreadyBound, func(q *family.BindingRequest) { q.Bound = append(q.Bound, bound(1, "RELATIVE", "12")...) }},
		})
		// One grantor at most is another code than too many.
		q := right()
		q.Policy.Grants.MaxGrantors = 1
		q.Member.Grantors = []family.Grantor{{Person: "X"}}
		refusedWith(t, act(q), family.AlreadyBound)
		// What asks for nothing is malformed, whatever else is wrong.
		q.Show, q.Pay, q.Relation = false, nil, "55"
		refusedWith(t, act(q), family.Malformed)
	})
	t.Run("refund", func(t *testing.T) {
		type refund struct {
			sale    family.Settlement
			returns []family.Return
		}
		right := func() refund {
			return refund{sale, []family.Return{{LineNo: 1, Quantity: 1_0000}, {LineNo: 2, Quantity: 1_0000}}}
		}
		act := func(r refund) *family.Refusal {
			_, _, _, refusal := family.Refund("H43010000001202603101000000098", r.sale, r.returns, w.accounts["PATIENT"], w.payersOf(sale), w.now)
			return refusal
		}
		walk(t, right, act, []wrong[refund]{
			{family.Malformed, func(r *refund) { r.returns = append(r.returns, family.Return{LineNo: 3}) }},
			{family.NotFound, func(r *refund) { r.returns = append(r.returns, family.Return{LineNo: 9, Quantity: 1}) }},
			{family.OriginalUnknown, func(r *refund) {
				back, _, _, refusal := family.Reverse("m", r.sale, w.accounts["PATIENT"], w.payersOf(sale), w.now)
				if refusal == nil { // not yet spoilt by the fault below
					r.sale = back
				}
				r.sale.Kind = family.Reversed
			}},
			{family.AlreadyReversed, func(r *refund) { r.sale.Kept = make([]family.Quantity, 2) }},
			{family.AlreadyRefunded, func(r *refund) { r.returns[0].Quantity = 2_0001 }},
			{family.AlreadyRefunded, func(r *refund) {
				r.sale.Kept = slices.Clone(r.sale.Kept)
				r.sale.Kept[1] = 9999
			}},
		})
		for _, returns := range [][]family.Return{
			nil,
			make([]family.Return, family.MaxLines+1),
			{{LineNo: 1, Quantity: 0}},
			{{LineNo: 1, Quantity: -1}}, // else a refund would sell
			{{LineNo: 1, Quantity: family.MaxQuantity + 1}},
			{{LineNo: 1, Quantity: 1}, {LineNo: 1, Quantity: 1}},
		} {
			refusedWith(t, act(refund{sale, returns}), family.Malformed)
			refusedWith(t, family.CheckReturns(returns), family.Malformed)
		}
		most := make([]family.Return, family.MaxLines)
		for i := range most {
			most[i] = family.Return{LineNo: i + 1, Quantity: family.MaxQuantity}
		}
		refusedWith(t, family.CheckReturns(most), "")
		for quantity, detail := range map[family.Quantity]string{1_0001: "", 2_0000: "", 2_0001: "more than was sold"} {
			r := right()
			r.sale.Kept = []family.Quantity{1_0000, 0}
			r.returns = []family.Return{{LineNo: 1, Quantity: quantity}}
			refusal := act(r)
			refusedWith(t, refusal, family.AlreadyRefunded)
			if refusal.Line != 1 || refusal.Observed != quantity.String() || refusal.Allowed != "1" || refusal.Detail != detail {
				t.Errorf("%+v", refusal)
			}
		}
	})
	t.Run("code", func(t *testing.T) {
		type issue struct {
			presenter family.PersonNo
			patient   family.Account
			binding   family.Binding
		}
		right := func() issue { return issue{"RELATIVE", w.accounts["PATIENT"], w.bindings[id]} }
		act := func(i issue) *family.Refusal {
			_, refusal := family.IssueQR("Q", i.presenter, i.patient, &i.binding, samplePolicy(), w.now)
			return refusal
		}
		walk(t, right, act, []wrong[issue]{
			{family.NotPermitted, func(i *issue) { i.presenter = "somebody" }},
			{family.NotPermitted, func(i *issue) { i.binding.Member = "somebody" }},
			{family.PersonNotInsured, func(i *issue) { i.patient.Insurance.Active = false }},
			{family.PersonFrozen, func(i *issue) { i.patient.Frozen = true }},
			{family.StateForbids, func(i *issue) { i.binding.Show = false }},
			{family.StateForbids, func(i *issue) { i.binding.State = family.BindingEnded }},
		})
	})
	t.Run("change", func(t *testing.T) {
		type change struct {
			by     family.PersonNo
			pair   family.Pair
			bound  []family.Bound
			policy *family.Policy
			change family.Change
		}
		yes := true
		right := func() change {
			pair := w.pair(id)
			pair.Holder.Given, pair.Binding.Pay = nil, nil // the grant is switched on anew
			pair.Binding.Show = false
			return change{
				"RELATIVE", pair, nil, samplePolicy(),
				family.Change{Show: &yes, SetPay: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}}},
			}
		}
		act := func(c change) *family.Refusal {
			after, refusal := c.pair.Change(c.by, c.change, c.bound, c.policy, w.now)
			if refusal == nil && len(after.Holder.Given) != 1 {
				t.Error("nothing was granted")
			}
			return refusal
		}
		malformed := wrong[change]{family.Malformed, func(c *change) { c.change.Pay.ValidUntil = 20260309 }}
		notInsured := wrong[change]{family.PersonNotInsured, func(c *change) { c.pair.Member.Insurance.Active = false }}
		frozen := wrong[change]{family.PersonFrozen, func(c *change) { c.pair.Member.Frozen = true }}
		limits := []wrong[change]{
			{family.BindingLimitReached, func(c *change) { c.bound = slices.Repeat([]family.Bound{{Show: true}}, 5) }},
			{family.BindingLimitReached, func(c *change) { c.pair.Holder.Given = make([]family.Grant, 10) }},
		}
		empty := wrong[change]{family.AccountEmpty, func(c *change) { c.change.Pay.Quota = secret + 1 }}
		walk(t, right, act, append([]wrong[change]{
			malformed,
			{family.NotPermitted, func(c *change) { c.pair.Binding.ShowAgreed = false }},
			notInsured, frozen,
		}, append(limits, empty)...))
		// A binding that is not active is not changed, whatever is asked of it.
		walk(t, right, act, []wrong[change]{
			malformed,
			{family.NotPermitted, func(c *change) { c.by = "PATIENT" }},
			{family.NotFound, func(c *change) { c.by = "somebody" }},
			{family.StateForbids, func(c *change) { c.pair.Binding.State = family.BindingEnded }},
		})
	})
	t.Run("order", func(t *testing.T) {
		type order struct {
			policy *family.Policy
			ids    []family.BindingID
		}
		right := func() order {
			p := samplePolicy()
			p.Grants.Order = family.ChosenOrder
			return order{p, []family.BindingID{id}}
		}
		act := func(o order) *family.Refusal {
			_, refusal := family.ChooseOrder(w.accounts["PATIENT"], o.ids, o.policy)
			return refusal
		}
		walk(t, right, act, []wrong[order]{
			{family.Malformed, func(o *order) { o.ids = append(o.ids, "B9") }},
			{family.Malformed, func(o *order) { o.ids = nil }},
			{family.StateForbids, func(o *order) { o.policy.Grants.Order = family.FilingOrder }},
		})
	})
}

func TestLaw19_RefusalsTellNoSecrets(t *testing.T) {
	// The walks of law 18 hold every refusal of theirs against this law as well;
	// here are those that come near a balance.
	w, id, _, _ := secretTown(t)
	refusal := w.change("RELATIVE", id, family.Change{SetPay: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}, Quota: secret + 1}})
	refusedWith(t, refusal, family.AccountEmpty)
	tellsNoSecrets(t, refusal)
	for _, text := range []string{"11010119900307000X", "986", "861234567890123456", "43010000001", "1 2"} {
		for _, parse := range []func(string) error{
			func(s string) error { _, err := family.ParseIDNumber(s); return err },
			func(s string) error { _, err := family.ParseQRDigits(s); return err },
			func(s string) error { _, err := family.ParsePersonNo(s); return err },
			func(s string) error { _, err := family.ParseInstitutionCode(s); return err },
			func(s string) error { _, err := family.ParseMessageID(s); return err },
		} {
			if err := parse(text); err != nil && strings.Contains(err.Error(), text) {
				t.Errorf("the error repeats what it could not read: %v", err)
			}
		}
	}
	// What a grantor's share tells is a code, and never how much he has.
	s, refusal := family.Quote(w.caseOf("PATIENT", "H43010000001", sampleBill(), nil))
	refusedWith(t, refusal, "")
	for _, share := range s.Shares {
		if share.Reason != family.NothingLeft || share.Paid != (family.Pockets{}) {
			t.Errorf("%+v", share)
		}
	}
	// A refusal says what it is about in one line.
	r := &family.Refusal{Code: family.BindingLimitReached, Field: "pay", Rule: "grants.max_members", Detail: "ten are bound"}
	if got, want := r.Error(), "binding_limit_reached pay (grants.max_members): ten are bound"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if r := family.Faulty("x", strconvError{}); r.Code != family.Malformed || r.Field != "x" || r.Detail != "no number" {
		t.Errorf("%+v", r)
	}
}

type strconvError struct{}

func (strconvError) Error() string { return "no number" }

// TestCodes holds the list of codes: none twice, none forgotten, and what was
// published stands where it stood.
func TestCodes(t *testing.T) {
	seen := map[family.Code]bool{}
	for _, c := range family.Codes {
		if seen[c] || c == "" || strings.ToLower(string(c)) != string(c) {
			t.Errorf("%q", c)
		}
		seen[c] = true
	}
	f := lawFiles(t)["refusal.go"]
	declared := constants(f, "Code")
	if len(declared) != len(family.Codes) {
		t.Errorf("%d codes are declared and %d listed", len(declared), len(family.Codes))
	}
	for i, c := range declared {
		if i < len(family.Codes) && family.Codes[i] != c {
			t.Fatalf("code %d is declared as %s and listed as %s", i+1, c, family.Codes[i])
		}
	}
}
