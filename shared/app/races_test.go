package app

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// until repeats an act that is told to ask again, as a till does.
func until[A any](run func() (A, error)) (A, error) {
	for {
		answer, err := run()
		if code := codeOf(err); code != family.Busy && code != family.OutcomeUnknown {
			return answer, err
		}
	}
}

func TestManyTillsScanOneCode(t *testing.T) {
	const tills = 64
	h := newHouse(t)
	h.pay(wang, 50, 0)
	h.pay(li, 100000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	qr := h.show(li, id)
	asks := make([]SettleAsk, tills)
	for i := range asks {
		asks[i] = SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(1000)}
	}
	outs, errs := make([]Outcome, tills), make([]error, tills)
	together(tills, func(i int) { outs[i], errs[i] = h.Settle(t.Context(), pharmacy, asks[i]) })

	settled := 0
	for i, err := range errs {
		switch {
		case err == nil:
			settled++
			same(t, "parts", partsOf(outs[i]), parts{Total: 1000, Own: 50, Shared: 950})
		case codeOf(err) != family.QRSpent:
			t.Errorf("till %d: %v", i, err)
		}
	}
	if settled != 1 {
		t.Fatalf("%d tills settled", settled)
	}
	same(t, "balances", []family.Fen{h.balance(wang), h.balance(li)}, []family.Fen{0, 99050})

	// All that was answered is decided.
	before := h.dump()
	for i := range asks {
		out, err := h.Settle(t.Context(), pharmacy, asks[i])
		if codeOf(err) != codeOf(errs[i]) || !out.Replay {
			t.Fatalf("till %d asks again: %v, replay %v; first it was %v", i, err, out.Replay, errs[i])
		}
	}
	h.wantNothingMoved(before)
	h.prove()
}

func TestManyCopiesOfOneMessage(t *testing.T) {
	const copies = 64
	h := newHouse(t)
	h.pay(wang, 50, 0)
	h.pay(li, 100000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	sale := SettleAsk{Message: h.message(hospital), Credential: byQR(h.show(li, id).Digits), Bill: clinicVisit()}
	reversal := h.message(hospital)
	for _, act := range []func() (Outcome, error){
		func() (Outcome, error) { return h.Settle(t.Context(), hospital, sale) },
		func() (Outcome, error) { return h.Reverse(t.Context(), hospital, sale.Message, reversal, "") },
	} {
		before := h.dump()
		outs, errs := make([]Outcome, copies), make([]error, copies)
		together(copies, func(i int) { outs[i], errs[i] = act() })
		first := 0
		for i := range outs {
			if errs[i] != nil {
				t.Fatalf("copy %d: %v", i, errs[i])
			}
			if !outs[i].Replay {
				first++
			}
			outs[i].Replay = false
			same(t, "the answers", outs[i], outs[0])
		}
		if first > 1 {
			t.Fatalf("%d copies were the first", first)
		}
		if wrote := changed(before, h.dump()); len(wrote) != 6 {
			t.Fatalf("the copies wrote %q", wrote)
		}
	}
	same(t, "balances", []family.Fen{h.balance(wang), h.balance(li)}, []family.Fen{50, 100000})
	h.prove()
}

func TestManyCopiesOfOneRequest(t *testing.T) {
	const copies = 32
	h := newHouse(t)
	ask := h.ask(wang, "12", true, forAll())
	answers, errs := make([]Answered[BindingView], copies), make([]error, copies)
	together(copies, func(i int) {
		answers[i], errs[i] = h.RequestBinding(t.Context(), li, ask, Once{"k", ask})
	})
	first := 0
	for i := range answers {
		if errs[i] != nil {
			t.Fatalf("copy %d: %v", i, errs[i])
		}
		if !answers[i].Replay {
			first++
		}
		same(t, "the answers", answers[i].Answer, answers[0].Answer)
	}
	if first > 1 {
		t.Fatalf("%d copies were the first", first)
	}
	same(t, "his bindings", len(ok(h.Bindings(t.Context(), li, "", 10))(t).Items), 1)
}

// inTheGap returns the house's App whose first commit finds that something else
// happened since it read.
func (h *house) inTheGap(something func()) (*App, *storetest.Faulty) {
	a, calls := h.watched()
	calls.Before = func(c storetest.Call) {
		if c.Verb == storetest.Commit && c.N == 1 {
			something()
		}
	}
	return a, calls
}

// TestAGrantThatEndsBeforeTheCommitIsNotUsed ends, pauses, narrows or freezes what
// a settlement has just read and would draw on: it decides again.
func TestAGrantThatEndsBeforeTheCommitIsNotUsed(t *testing.T) {
	for _, c := range []struct {
		what string
		code func(*house, family.BindingID) Credential
		gap  func(*house, family.BindingID)
		want any
	}{
		{
			"ended by the grantor, her own code", ownCode, func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), li, id))(t) },
			[]string(nil),
		},
		{
			"ended by the grantor, the code he shows", hisCode, func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), li, id))(t) },
			family.QRReplaced,
		},
		{
			"ended by the member, by ID number", herID, func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), wang, id))(t) },
			[]string(nil),
		},
		{"the grant alone ended", hisCode, func(h *house, id family.BindingID) {
			ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true}))(t)
		}, []string{"P1001 0.00 grant_none"}},
		{"paused", ownCode, func(h *house, id family.BindingID) {
			ok(h.ChangeBinding(t.Context(), wang, id, family.Change{Paused: new(true)}))(t)
		}, []string{"P1001 0.00 grant_paused"}},
		{"capped", hisCode, func(h *house, id family.BindingID) {
			ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true, Pay: &family.Terms{Purposes: forAll().Purposes, PerSettlementCap: 100}}))(t)
		}, []string{"P1001 1.00 grant_cap_reached"}},
		{"frozen", hisCode, func(h *house, _ family.BindingID) {
			if err := h.Freeze(t.Context(), anna, li, true); err != nil {
				t.Error(err)
			}
		}, []string{"P1001 0.00 person_frozen"}},
		{
			"spent elsewhere", hisCode, func(h *house, _ family.BindingID) { h.settle(pharmacy, h.byID(li), medicine(9999)) },
			[]string{"P1001 0.01 account_empty"},
		},
		{"the patient frozen", hisCode, func(h *house, _ family.BindingID) {
			if err := h.Freeze(t.Context(), anna, wang, true); err != nil {
				t.Error(err)
			}
		}, family.PersonFrozen},
		{
			"a newer code shown", hisCode, func(h *house, id family.BindingID) { h.show(li, id) },
			family.QRReplaced,
		},
		{
			"the box sold elsewhere", hisCode, func(h *house, _ family.BindingID) { h.settle(pharmacy, h.byID(zhou), medicine(500, "GAP1")) },
			family.TraceAlreadySold,
		},
		{
			"money paid in", hisCode, func(h *house, _ family.BindingID) { h.pay(wang, 400, 0) },
			[]string{"P1001 1.00"},
		},
	} {
		h := newHouse(t)
		h.pay(li, 10000, 0)
		id := h.bind(li, wang, "12", true, forAll())
		ask := SettleAsk{Message: h.message(pharmacy), Credential: c.code(h, id), Bill: medicine(500, "GAP1")}
		a, calls := h.inTheGap(func() { c.gap(h, id) })
		out, err := a.Settle(t.Context(), pharmacy, ask)
		switch want := c.want.(type) {
		case family.Code:
			if codeOf(err) != want {
				t.Errorf("%s: %v, want %s", c.what, err, want)
			}
		case []string:
			if err != nil || !slices.Equal(reasons(out), want) {
				t.Errorf("%s: the shares are %q (%v), want %q", c.what, reasons(out), err, want)
			}
		}
		if n := calls.Calls(storetest.Commit); n != 2 {
			t.Errorf("%s: %d commits, want the one that met the change and one more", c.what, n)
		}
		h.prove()
	}
}

func ownCode(h *house, _ family.BindingID) Credential  { return byQR(h.show(wang, "").Digits) }
func hisCode(h *house, id family.BindingID) Credential { return byQR(h.show(li, id).Digits) }
func herID(h *house, _ family.BindingID) Credential    { return h.byID(wang) }

// TestWhatChangesBeforeTheCommitOfAPersonsActIsSeen is the same for bindings, codes
// and the feed.
func TestWhatChangesBeforeTheCommitOfAPersonsActIsSeen(t *testing.T) {
	freeze := func(p family.PersonNo) func(*house, family.BindingID) {
		return func(h *house, _ family.BindingID) {
			if err := h.Freeze(t.Context(), anna, p, true); err != nil {
				t.Error(err)
			}
		}
	}
	end := func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), li, id))(t) }
	request := func(a *App, h *house, _ family.BindingID) error {
		_, err := a.RequestBinding(t.Context(), li, h.ask(chen, "52", true, forAll()), Once{})
		return err
	}
	accept := func(a *App, _ *house, id family.BindingID) error {
		_, err := a.Accept(t.Context(), wang, id)
		return err
	}
	issue := func(a *App, _ *house, id family.BindingID) error {
		_, err := a.IssueQR(t.Context(), li, id, Once{})
		return err
	}
	for _, c := range []struct {
		what   string
		active bool // the binding of Li and Wang, before
		act    func(*App, *house, family.BindingID) error
		gap    func(*house, family.BindingID)
		code   family.Code
	}{
		{"a request, the holder frozen", false, request, freeze(li), family.PersonFrozen},
		{"a request, the member frozen", false, request, freeze(chen), family.PersonFrozen},
		{"a request, the member's number corrected", false, request, func(h *house, _ family.BindingID) {
			p := h.human(chen)
			p.born = "19550620"
			h.feed(p)
		}, family.IdentityMismatch},
		{"a request, the member's name corrected", false, request, func(h *house, _ family.BindingID) {
			p := h.human(chen)
			p.name = "陈桂香"
			h.feed(p)
		}, family.IdentityMismatch},
		{"a request, the same just asked for", false, request, func(h *house, _ family.BindingID) { h.request(li, chen, "52", true, nil) }, family.AlreadyBound},
		{"a consent, the holder frozen", false, accept, freeze(li), family.PersonFrozen},
		{"a consent, the offer taken back", false, accept, end, family.StateForbids},
		{"a code, the link ended", true, issue, end, family.StateForbids},
		{"a code, the patient frozen", true, issue, freeze(wang), family.PersonFrozen},
		{"the feed, the number given to another", false, func(a *App, h *house, _ family.BindingID) error {
			_, err := a.FeedPerson(t.Context(), h.feedOf(human{no: "P2001", name: "宋江河", born: "19700101", insurance: cast[0].insurance}))
			return err
		}, func(h *house, _ family.BindingID) {
			h.feed(human{no: "P3001", name: "宋河江", born: "19700101", insurance: cast[0].insurance})
		}, family.AlreadyBound},
	} {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, forAll())
		ok(h.Submit(t.Context(), li, id))(t)
		if c.active {
			ok(h.Accept(t.Context(), wang, id))(t)
		}
		var then map[store.Key]row
		a, _ := h.inTheGap(func() { c.gap(h, id); then = h.dump() })
		if err := c.act(a, h, id); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.what, err, c.code)
		}
		h.wantNothingMoved(then)
	}
}

// TestACodeShownInTheGapDiesToo: a code is issued while the link is being ended.
func TestACodeShownInTheGapDiesToo(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	id := h.bind(li, wang, "12", true, nil)
	var qr QRView
	a, _ := h.inTheGap(func() { qr = h.show(li, id) })
	ok(a.EndBinding(t.Context(), wang, id))(t)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRReplaced)
}

// TestAConsentToBeShownAloneChecksBothSides: it writes neither account, and yet
// both decide it.
func TestAConsentToBeShownAloneChecksBothSides(t *testing.T) {
	for _, p := range []family.PersonNo{li, wang} {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, nil)
		ok(h.Submit(t.Context(), li, id))(t)
		a, _ := h.inTheGap(func() {
			if err := h.Freeze(t.Context(), anna, p, true); err != nil {
				t.Error(err)
			}
		})
		refused(a.Accept(t.Context(), wang, id))(t, family.PersonFrozen)
	}
}

// TestWhatDecidedNothingHoldsNobodyUp: reference data and a grantor whose turn
// never came may change in the gap without a second look.
func TestWhatDecidedNothingHoldsNobodyUp(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	h.pay(li, 10000, 0)
	h.bind(li, wang, "12", true, forAll())
	for what, gap := range map[string]func(){
		"a grantor not needed": func() { h.pay(li, 1, 0) },
		"the place": func() {
			ok(h.FeedPlace(t.Context(), family.Place{Code: pharmacy, Name: "改名", Kind: family.Pharmacy, Level: "11", Region: "430103", Designated: true}))(t)
		},
		"the goods": func() {
			ok(h.FeedItem(t.Context(), family.Item{Code: classA, Class: family.ClassA, From: 20260101}))(t)
		},
	} {
		a, calls := h.inTheGap(gap)
		ok(a.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(100)}))(t)
		if n := calls.Calls(storetest.Commit); n != 1 {
			t.Errorf("%s: %d commits", what, n)
		}
	}
	h.prove()
}

// TestWhoIsRichestIsDecidedAtTheCommit: where the richest pays first, the balance
// of one who pays nothing decides too.
func TestWhoIsRichestIsDecidedAtTheCommit(t *testing.T) {
	h, mother, sons, shop := shenzhen(t)
	a, calls := h.inTheGap(func() { h.pay(sons[0], 5000, 0) }) // he had less, and now has more
	out := ok(a.Settle(t.Context(), shop, SettleAsk{Message: h.message(shop), Credential: mother, Bill: medicine(1500)}))(t)
	same(t, "who paid", reasons(out), []string{"P4001 15.00", "P4002 0.00 nothing_left"})
	same(t, "commits", calls.Calls(storetest.Commit), 2)
	h.prove()
}

func TestTwoRequestsForTheLastPlace(t *testing.T) {
	for round := range 20 {
		h := newHouse(t)
		var asks []BindingAsk
		for i := range 6 {
			p := human{family.PersonNo(fmt.Sprintf("P300%d", i)), "李兄弟", fmt.Sprintf("1992010%d", i+1), cast[0].insurance, "", ""}
			h.feed(p)
			asks = append(asks, BindingAsk{Name: p.name, ID: h.feedOf(p).ID, Relation: "73", Show: true})
		}
		for _, ask := range asks[:4] {
			ok(h.RequestBinding(t.Context(), li, ask, Once{}))(t)
		}
		errs := make([]error, 2)
		together(2, func(i int) { _, errs[i] = h.RequestBinding(t.Context(), li, asks[4+i], Once{}) })
		codes := []family.Code{codeOf(errs[0]), codeOf(errs[1])}
		slices.Sort(codes)
		if !slices.Equal(codes, []family.Code{"", family.BindingLimitReached}) {
			t.Fatalf("round %d: the answers are %v and %v", round, errs[0], errs[1])
		}
		same(t, "his bindings", len(ok(h.Bindings(t.Context(), li, "", 10))(t).Items), 5)
		h.close()
	}
}

// TestTwoHoldersForTheOneGrantor: where one grantor pays for a person (Jiangsu), of two
// holders whom the member accepts at once one becomes it.
func TestTwoHoldersForTheOneGrantor(t *testing.T) {
	jiangsu := family.Insurance{Region: "320100", Insutype: family.Employee, PsnType: "11", Active: true}
	for round := range 10 {
		h := newHouse(t)
		ctx := t.Context()
		member := human{"P3100", "孙女士", "19900101", jiangsu, "", ""}
		h.feed(member)
		ids := make([]family.BindingID, 2)
		for i := range ids {
			holder := human{family.PersonNo(fmt.Sprintf("P310%d", i+1)), "孙兄弟", fmt.Sprintf("1992010%d", i+1), jiangsu, "", ""}
			h.feed(holder)
			ids[i] = ok(h.RequestBinding(ctx, holder.no, BindingAsk{Name: member.name, ID: h.feedOf(member).ID, Relation: "77", Show: true, Pay: forAll()}, Once{}))(t).Answer.Binding.ID
			ok(h.Submit(ctx, holder.no, ids[i]))(t)
		}
		errs := make([]error, 2)
		together(2, func(i int) { _, errs[i] = h.Accept(ctx, member.no, ids[i]) })
		codes := []family.Code{codeOf(errs[0]), codeOf(errs[1])}
		slices.Sort(codes)
		if !slices.Equal(codes, []family.Code{"", family.AlreadyBound}) {
			t.Fatalf("round %d: the answers are %v and %v", round, errs[0], errs[1])
		}
		same(t, "her grantors", len(h.account(member.no).Grantors), 1)
		h.prove()
		h.close()
	}
}

func TestManySettlementsDrawOnOneGrantor(t *testing.T) {
	const tills = 16
	h := newHouse(t)
	h.pay(li, 10000, 0)
	terms := forAll()
	terms.MonthlyCap = 7000
	h.bind(li, chen, "52", false, terms)
	h.bind(li, wang, "12", false, forAll())
	asks := make([]SettleAsk, tills)
	for i := range asks {
		patient := []family.PersonNo{chen, wang}[i%2]
		asks[i] = SettleAsk{Message: h.message(pharmacy), Credential: h.byID(patient), Bill: medicine(900)}
	}
	outs, errs := make([]Outcome, tills), make([]error, tills)
	together(tills, func(i int) {
		outs[i], errs[i] = until(func() (Outcome, error) { return h.Settle(t.Context(), pharmacy, asks[i]) })
	})
	var shared, cash family.Fen
	for i, out := range outs {
		if errs[i] != nil {
			t.Fatalf("till %d: %v", i, errs[i])
		}
		shared += out.Settlement.Paid.SharedPaid
		cash += out.Settlement.Paid.CashDue
	}
	same(t, "paid by him and in cash", []family.Fen{shared, cash}, []family.Fen{10000, tills*900 - 10000})
	same(t, "his balance", h.balance(li), family.Fen(0))
	h.prove()
}

func TestRefundAndReversalAtOnce(t *testing.T) {
	orders := map[string]int{}
	for round := range 20 {
		h := newHouse(t)
		h.pay(wang, 0, 5000)
		h.pay(li, 0, 12000)
		id := h.bind(li, wang, "12", true, forAll())
		sale := h.settle(hospital, byQR(h.show(li, id).Digits), clinicVisit()).Settlement.ID
		ids := []family.MessageID{h.message(hospital), h.message(hospital)}
		outs, errs := make([]Outcome, 2), make([]error, 2)
		together(2, func(i int) {
			if i == 0 {
				outs[i], errs[i] = h.Refund(t.Context(), hospital, sale, ids[i], []family.Return{{LineNo: 2, Quantity: 10_000}})
			} else {
				outs[i], errs[i] = h.Reverse(t.Context(), hospital, sale, ids[i], "")
			}
		})
		if errs[1] != nil || errs[0] != nil && codeOf(errs[0]) != family.AlreadyReversed {
			t.Fatalf("round %d: the refund %v, the reversal %v", round, errs[0], errs[1])
		}
		order := "the refund first"
		if errs[0] != nil {
			order = "the reversal first"
		}
		orders[order]++
		same(t, order+": given back", outs[0].Settlement.Paid.Total+outs[1].Settlement.Paid.Total, family.Fen(-52500))
		same(t, order+": balances", []family.Fen{h.balance(wang), h.balance(li)}, []family.Fen{5000, 12000})
		h.prove()
		h.close()
	}
	t.Log(orders)
}

func TestFenceAndSettleAtOnce(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 100000, 0)
	first := map[string]int{}
	for round := range 100 {
		ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(100)}
		var view MessageView
		var asked, settled error
		together(2, func(i int) {
			if (i+round)%2 == 0 {
				_, settled = h.Settle(t.Context(), pharmacy, ask)
			} else {
				view, asked = h.FindMessage(t.Context(), pharmacy, ask.Message)
			}
		})
		switch {
		case asked != nil:
			t.Fatalf("round %d: %v", round, asked)
		case settled == nil && view.Settled != nil && !view.Fenced:
			first["the settlement"]++
		case codeOf(settled) == family.MessageFenced && view.Fenced && view.Settled == nil:
			first["the fence"]++
		default:
			t.Fatalf("round %d: the settlement %v, the question %+v", round, settled, view)
		}
	}
	same(t, "her balance", h.balance(wang), 100000-family.Fen(100*first["the settlement"]))
	t.Logf("first was %v", first)

	// And each in the other's gap.
	ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(100)}
	a, _ := h.inTheGap(func() { ok(h.FindMessage(t.Context(), pharmacy, ask.Message))(t) })
	refused(a.Settle(t.Context(), pharmacy, ask))(t, family.MessageFenced)
	ask.Message = h.message(pharmacy)
	a, _ = h.inTheGap(func() { ok(h.Settle(t.Context(), pharmacy, ask))(t) })
	if view := ok(a.FindMessage(t.Context(), pharmacy, ask.Message))(t); view.Settled == nil || view.Fenced {
		t.Fatalf("the message that landed in the gap is %+v", view)
	}
	h.prove()
}

// TestAcceptAndEndAtOnce: a member accepts while the holder takes his offer back.
func TestAcceptAndEndAtOnce(t *testing.T) {
	for range 20 {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, forAll())
		ok(h.Submit(t.Context(), li, id))(t)
		errs := make([]error, 2)
		together(2, func(i int) {
			if i == 0 {
				_, errs[i] = h.Accept(t.Context(), wang, id)
			} else {
				_, errs[i] = h.EndBinding(t.Context(), li, id)
			}
		})
		if errs[1] != nil || errs[0] != nil && codeOf(errs[0]) != family.StateForbids {
			t.Fatalf("accepted: %v, ended: %v", errs[0], errs[1])
		}
		if given, grantors := h.account(li).Given, h.account(wang).Grantors; len(given)+len(grantors) > 0 {
			t.Fatalf("after the end there are %+v and %+v", given, grantors)
		}
		h.close()
	}
}

// TestOneNumberForTwoPeople: two people are fed at once with one ID number.
func TestOneNumberForTwoPeople(t *testing.T) {
	h := newHouse(t)
	id := idNumber(t, "990102", "19700101", "777")
	errs := make([]error, 2)
	together(2, func(i int) {
		feed := h.feedOf(human{no: family.PersonNo(fmt.Sprintf("P200%d", i)), name: "宋江河", born: "19700101", insurance: cast[0].insurance})
		feed.ID = id
		_, errs[i] = h.FeedPerson(t.Context(), feed)
	})
	codes := []family.Code{codeOf(errs[0]), codeOf(errs[1])}
	slices.Sort(codes)
	same(t, "the answers", codes, []family.Code{"", family.AlreadyBound})
}

// TestTheProofRunsBesideTheTraffic proves day and accounts again and again while
// families buy, bring back and are paid in: it never finds what is not there.
func TestTheProofRunsBesideTheTraffic(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 500000, 0)
	terms := forAll()
	terms.Quota, terms.MonthlyCap = 100000, 400000
	h.bind(li, chen, "52", false, terms)
	h.bind(li, wang, "12", false, forAll())
	var left atomic.Int32
	const tills = 4
	left.Store(tills)
	proofs := 0
	together(tills+1, func(i int) {
		if i == tills {
			for left.Load() > 0 {
				proofs++
				if proof, err := h.ProveDay(t.Context(), today, ""); err != nil || len(proof.Faults) > 0 {
					t.Errorf("proof %d: %v %+v", proofs, err, proof.Faults)
					return
				}
				if proof, err := h.ProveAccount(t.Context(), li); err != nil || len(proof.Faults) > 0 {
					t.Errorf("proof %d: %v %+v", proofs, err, proof.Faults)
					return
				}
			}
			return
		}
		defer left.Add(-1)
		for n := range 12 {
			patient := []family.PersonNo{chen, wang}[n%2]
			ask := SettleAsk{Message: h.message(clinic), Credential: h.byID(patient), Bill: bill(family.Outpatient, line(1, classA, 2, 1000), line(2, classB, 1, 990))}
			sale, err := until(func() (Outcome, error) { return h.Settle(t.Context(), clinic, ask) })
			if err == nil && n%3 > 0 {
				id := h.message(clinic)
				_, err = until(func() (Outcome, error) {
					return h.Refund(t.Context(), clinic, sale.Settlement.ID, id, []family.Return{{LineNo: 1, Quantity: 10_000}})
				})
			}
			if err == nil && n%3 > 1 {
				id := h.message(clinic)
				_, err = until(func() (Outcome, error) { return h.Reverse(t.Context(), clinic, sale.Settlement.ID, id, "") })
			}
			if err == nil {
				reference := fmt.Sprintf("T%d-%d", i, n)
				_, err = until(func() (Fed, error) { return h.FeedCredit(t.Context(), reference, li, family.Pockets{Past: 7}) })
			}
			if err != nil {
				t.Errorf("till %d, round %d: %v", i, n, err)
				return
			}
		}
	})
	t.Logf("%d proofs", proofs)
	h.prove()
}

// TestALostAnswerIsNotDenied: the store does a change and loses its answer, and
// before the act looks again the binding is ended. "State forbids" would say that
// nothing was done.
func TestALostAnswerIsNotDenied(t *testing.T) {
	for _, c := range []struct {
		what string
		gap  func(*house, family.BindingID)
		code family.Code
	}{
		{"nobody else came", func(*house, family.BindingID) {}, ""},
		{"the other side ended it", func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), wang, id))(t) }, family.OutcomeUnknown},
	} {
		h := newHouse(t)
		id := h.bind(li, wang, "12", true, forAll())
		a, calls := h.watched()
		calls.Plan = func(call storetest.Call) storetest.Fault {
			if call.Verb == storetest.Commit && call.N == 1 {
				return storetest.Loses
			}
			return storetest.None
		}
		calls.Before = func(call storetest.Call) {
			if call.Verb == storetest.Commit && call.N == 2 {
				c.gap(h, id)
			}
		}
		view, err := a.ChangeBinding(t.Context(), li, id, family.Change{Paused: new(true)})
		if codeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.what, err, c.code)
		}
		if err == nil && !view.Binding.PausedByHolder {
			t.Errorf("%s: the answer is %+v", c.what, view.Binding)
		}
		h.prove()
	}
}

// TestACodeThatWasIssuedIsNotDenied: the store writes a code and loses its answer,
// another code takes its place, and then reads fail. "Busy" would say that there is no
// code; asked again, there is the first answer.
func TestACodeThatWasIssuedIsNotDenied(t *testing.T) {
	unknown := 0
	for reads := range 8 {
		h := newHouse(t)
		a, calls := h.watched()
		commits, read := 0, 0
		calls.Plan = func(call storetest.Call) storetest.Fault {
			if call.Verb == storetest.Commit {
				if commits++; commits == 1 {
					return storetest.Loses
				}
				return storetest.None
			}
			if commits > 1 {
				if read++; read > reads {
					return storetest.Fails
				}
			}
			return storetest.None
		}
		calls.Before = func(call storetest.Call) {
			if call.Verb == storetest.Commit && call.N == 2 {
				h.show(li, "")
			}
		}
		once := Once{"k", "code"}
		_, err := a.IssueQR(t.Context(), li, "", once)
		switch codeOf(err) {
		case family.OutcomeUnknown:
			unknown++
		case "":
		default:
			t.Errorf("after %d reads the answer is %v", reads, err)
		}
		if again := ok(h.IssueQR(t.Context(), li, "", once))(t); !again.Replay {
			t.Errorf("after %d reads: asked again, it is another code", reads)
		}
	}
	if unknown == 0 || unknown == 8 {
		t.Errorf("%d of 8 unknown: the case was not met", unknown)
	}
}

// TestAProofDoesNotTakeARefundForAFault: between the proof's reading of a sale and of
// its boxes the goods come back.
func TestAProofDoesNotTakeARefundForAFault(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	sale := h.settle(pharmacy, h.byID(wang), medicine(1000, "BACK1"))
	a, calls := h.watched()
	came := false
	calls.Before = func(c storetest.Call) {
		if !came && slices.ContainsFunc(c.Keys, func(k store.Key) bool { return strings.HasPrefix(k.Part, "TRACE#") }) {
			came = true
			ok(h.Reverse(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), ""))(t)
		}
	}
	if proof := ok(a.ProveDay(t.Context(), today, ""))(t); len(proof.Faults) != 0 {
		t.Errorf("the proof found %+v", proof.Faults)
	}
	if !came {
		t.Error("the proof never looked at the box")
	}
	h.prove()
}

// TestAClockThatLagsCountsWithTheOthers: one process is in April already when the
// next, whose clock is five seconds behind, settles in what it takes for March.
func TestAClockThatLagsCountsWithTheOthers(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 100000, 0)
	terms := forAll()
	terms.MonthlyCap = 1000
	h.bind(li, wang, "12", true, terms)
	april := time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC) // in Changsha
	for _, c := range []struct {
		what string
		at   time.Duration
		bill family.Fen
		pays family.Fen
	}{
		{"March's cap is used up", -10 * time.Second, 1000, 1000},
		{"April begins", 2 * time.Second, 400, 400},
		{"a clock that still has March", -3 * time.Second, 1000, 600},
		{"and again", -time.Second, 1000, 0},
	} {
		h.clock.add(april.Add(c.at).Sub(h.clock.Now()))
		out := h.settle(pharmacy, h.byID(wang), medicine(c.bill))
		same(t, c.what, partsOf(out), parts{Total: c.bill, Shared: c.pays, Cash: c.bill - c.pays})
	}
	h.prove()
}
