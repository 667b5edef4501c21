package app

import (
	"fmt"
	"testing"
	"time"

	"gongji/shared/family"
)

func TestAnAdultIsBoundByTwoConsents(t *testing.T) {
	h := newHouse(t)
	id := h.request(li, wang, "12", true, forAll())
	steps := func(by family.PersonNo, state family.BindingState, submitted, accepted bool) BindingView {
		t.Helper()
		view := ok(h.GetBinding(t.Context(), by, id))(t)
		same(t, "state", view.Binding.State, state)
		same(t, "steps", view.Binding.Steps, []family.Step{
			{Action: family.StepSubmit, By: family.BySelf, Done: submitted},
			{Action: family.StepAccept, By: family.ByMember, Done: accepted},
		})
		return view
	}
	view := steps(li, family.BindingDraft, false, false)
	same(t, "names", []string{view.HolderMasked, view.MemberMasked}, []string{"李**", "王**"})

	refused(h.Accept(t.Context(), wang, id))(t, family.StateForbids) // not yet submitted
	refused(h.Submit(t.Context(), wang, id))(t, family.NotPermitted)
	ok(h.Submit(t.Context(), li, id))(t)
	steps(wang, family.BindingAwaiting, true, false)
	refused(h.Accept(t.Context(), li, id))(t, family.NotPermitted)
	if len(h.account(li).Given) > 0 || len(h.account(wang).Grantors) > 0 {
		t.Fatal("there is a grant before she accepted")
	}
	refused(h.IssueQR(t.Context(), li, id, Once{}))(t, family.StateForbids)

	h.clock.add(time.Hour)
	ok(h.Accept(t.Context(), wang, id))(t)
	view = steps(li, family.BindingActive, true, true)
	same(t, "activated", view.Binding.Activated, noon.Add(time.Hour))
	if view.Grant == nil || view.Grant.Beneficiary != wang || view.Grant.Relation != "12" {
		t.Fatalf("the grant is %+v", view.Grant)
	}
	same(t, "her grantors", h.account(wang).Grantors, []family.Grantor{{Person: li, Binding: id}})

	// Repeats change nothing, and strangers see nothing.
	before := h.dump()
	ok(h.Submit(t.Context(), li, id))(t)
	ok(h.Accept(t.Context(), wang, id))(t)
	refused(h.GetBinding(t.Context(), zhou, id))(t, family.NotFound)
	refused(h.Submit(t.Context(), zhou, id))(t, family.NotFound)
	refused(h.EndBinding(t.Context(), zhou, id))(t, family.NotFound)
	refused(h.ChangeBinding(t.Context(), zhou, id, family.Change{}))(t, family.NotFound)
	refused(h.GetBinding(t.Context(), li, "01JUNKNOWN"))(t, family.NotFound)
	refused(h.Decline(t.Context(), wang, id))(t, family.StateForbids)
	h.wantNothingMoved(before)
}

func TestAChildIsBoundByItsGuardianAlone(t *testing.T) {
	h := newHouse(t)
	id := h.request(li, ming, "20", true, forAll())
	view := ok(h.GetBinding(t.Context(), li, id))(t)
	if !view.Binding.Guardian || len(view.Binding.Steps) != 1 {
		t.Fatalf("the binding is %+v", view.Binding)
	}
	view = ok(h.Submit(t.Context(), li, id))(t)
	same(t, "state", view.Binding.State, family.BindingActive)
	refused(h.Accept(t.Context(), ming, id))(t, family.StateForbids) // there is no such step
	h.pay(li, 5000, 0)
	qr := h.show(li, id)
	same(t, "parts", partsOf(h.settle(pharmacy, byQR(qr.Digits), medicine(3000))), parts{Total: 3000, Shared: 3000})
	h.prove()
}

func TestWhoIsSixteenTodayAcceptsForHimself(t *testing.T) {
	h := newHouse(t)
	for i, birthday := range []struct {
		born  string
		steps int
	}{{"20100312", 2}, {"20100313", 1}} {
		p := human{family.PersonNo(fmt.Sprintf("P300%d", i)), "李少年", birthday.born, cast[2].insurance, "", ""}
		h.feed(p)
		ask := BindingAsk{Name: p.name, ID: h.feedOf(p).ID, Relation: "22", Show: true}
		view := ok(h.RequestBinding(t.Context(), li, ask, Once{}))(t).Answer
		if len(view.Binding.Steps) != birthday.steps {
			t.Fatalf("who was born on %s has the steps %+v", birthday.born, view.Binding.Steps)
		}
	}
}

func TestWhatARequestIsRefusedFor(t *testing.T) {
	h := newHouse(t)
	before := h.dump()
	request := func(change func(*BindingAsk)) error {
		ask := h.ask(wang, "12", true, forAll())
		change(&ask)
		_, err := h.RequestBinding(t.Context(), li, ask, Once{})
		return err
	}
	// Nobody finds out by asking who is in the register.
	unknown := request(func(a *BindingAsk) { a.ID = idNumber(t, "990102", "19600101", "333") })
	misnamed := request(func(a *BindingAsk) { a.Name = "王秀梅" })
	same(t, "the answers", unknown, misnamed)
	same(t, "the answer", codeOf(unknown), family.IdentityMismatch)

	for _, c := range []struct {
		what   string
		change func(*BindingAsk)
		code   family.Code
	}{
		{"neither show nor pay", func(a *BindingAsk) { a.Show, a.Pay = false, nil }, family.Malformed},
		{"no purpose", func(a *BindingAsk) { a.Pay.Purposes = nil }, family.Malformed},
		{"a cap below zero", func(a *BindingAsk) { a.Pay.MonthlyCap = -1 }, family.Malformed},
		{"father-in-law", func(a *BindingAsk) { a.Relation = "55" }, family.RelationNotAllowed},
		{"himself", func(a *BindingAsk) { *a = h.ask(li, "11", true, nil) }, family.RelationNotAllowed},
	} {
		if err := request(c.change); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.what, err, c.code)
		}
	}
	refused(h.RequestBinding(t.Context(), "P9999", h.ask(wang, "12", true, nil), Once{}))(t, family.PersonNotInsured)
	// A resident has no account that he could share; a child cannot bind.
	refused(h.RequestBinding(t.Context(), chen, h.ask(li, "20", false, forAll()), Once{}))(t, family.PersonNotInsured)
	refused(h.RequestBinding(t.Context(), ming, h.ask(li, "51", true, nil), Once{}))(t, family.RelationNotAllowed)
	h.wantNothingMoved(before)
}

func TestAHolderShowsAtMostFive(t *testing.T) {
	h := newHouse(t)
	relatives := make([]human, 6)
	ids := make([]family.BindingID, 0, 5)
	for i := range relatives {
		relatives[i] = human{family.PersonNo(fmt.Sprintf("P300%d", i)), "李兄弟", "1992010" + fmt.Sprint(i+1), cast[0].insurance, "", ""}
		h.feed(relatives[i])
	}
	ask := func(i int) BindingAsk {
		return BindingAsk{Name: relatives[i].name, ID: h.feedOf(relatives[i]).ID, Relation: "73", Show: true}
	}
	for i := range 5 {
		ids = append(ids, ok(h.RequestBinding(t.Context(), li, ask(i), Once{}))(t).Answer.Binding.ID)
	}
	r := refused(h.RequestBinding(t.Context(), li, ask(5), Once{}))(t, family.BindingLimitReached)
	same(t, "the rule", []string{r.Rule, r.Policy, r.Observed, r.Allowed}, []string{"links.max_members", "430100@2026-01", "5", "5"})
	refused(h.RequestBinding(t.Context(), li, ask(0), Once{}))(t, family.BindingLimitReached) // though bound already

	// An answer "no" and an end each give a place back.
	ok(h.Decline(t.Context(), relatives[0].no, ids[0]))(t)
	ok(h.RequestBinding(t.Context(), li, ask(5), Once{}))(t)
	ok(h.EndBinding(t.Context(), li, ids[1]))(t)
	refused(h.RequestBinding(t.Context(), li, ask(2), Once{}))(t, family.AlreadyBound)
	ok(h.RequestBinding(t.Context(), li, ask(1), Once{}))(t)
}

func TestDecliningIsFinal(t *testing.T) {
	h := newHouse(t)
	id := h.request(li, wang, "12", true, forAll())
	refused(h.Decline(t.Context(), li, id))(t, family.NotPermitted)
	ok(h.Submit(t.Context(), li, id))(t)
	view := ok(h.Decline(t.Context(), wang, id))(t)
	same(t, "state", view.Binding.State, family.BindingDeclined)
	before := h.dump()
	ok(h.Decline(t.Context(), wang, id))(t)
	refused(h.Accept(t.Context(), wang, id))(t, family.StateForbids)
	refused(h.Submit(t.Context(), li, id))(t, family.StateForbids)
	ok(h.EndBinding(t.Context(), li, id))(t) // nothing is left to end
	h.wantNothingMoved(before)
	if again := h.bind(li, wang, "12", true, forAll()); again == id {
		t.Fatal("the new binding has the old one's id")
	}
}

func TestEitherSideEndsABinding(t *testing.T) {
	for _, by := range []family.PersonNo{li, wang} {
		h := newHouse(t)
		h.pay(li, 10000, 0)
		id := h.bind(li, wang, "12", true, forAll())
		qr := h.show(li, id)
		same(t, "parts", partsOf(h.settle(pharmacy, h.byID(wang), medicine(1000))), parts{Total: 1000, Shared: 1000})

		view := ok(h.EndBinding(t.Context(), by, id))(t)
		if view.Binding.State != family.BindingEnded || view.Grant != nil || view.Binding.EndedBy != view.Binding.SideOf(by) {
			t.Fatalf("the binding that %s ended is %+v", by, view)
		}
		before := h.dump()
		ok(h.EndBinding(t.Context(), li, id))(t)
		ok(h.EndBinding(t.Context(), wang, id))(t)
		refused(h.ChangeBinding(t.Context(), li, id, family.Change{Show: new(true)}))(t, family.StateForbids)
		refused(h.IssueQR(t.Context(), li, id, Once{}))(t, family.StateForbids)
		h.wantNothingMoved(before)

		same(t, "parts", partsOf(h.settle(pharmacy, h.byID(wang), medicine(1000))), parts{Total: 1000, Cash: 1000})
		refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRReplaced)

		// They may bind again.
		again := h.bind(li, wang, "12", true, forAll())
		if again == id {
			t.Fatal("the new binding has the old one's id")
		}
		same(t, "parts", partsOf(h.settle(pharmacy, h.byID(wang), medicine(1000))), parts{Total: 1000, Shared: 1000})
		h.prove()
	}
}

func TestEachSidePausesForItself(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	pause := func(by family.PersonNo, paused bool) {
		t.Helper()
		ok(h.ChangeBinding(t.Context(), by, id, family.Change{Paused: &paused}))(t)
	}
	pays := func(want family.Fen) {
		t.Helper()
		out := h.settle(pharmacy, h.byID(wang), medicine(100))
		same(t, "shared", out.Settlement.Paid.SharedPaid, want)
		if want == 0 {
			same(t, "reasons", reasons(out), []string{"P1001 0.00 grant_paused"})
			r := refused(h.IssueQR(t.Context(), li, id, Once{}))(t, family.StateForbids)
			same(t, "standing", r.Observed, "paused")
		}
	}
	pays(100)
	pause(li, true)
	pays(0)
	pause(wang, true)
	pause(li, false) // does not resume what she paused
	pays(0)
	pause(wang, false)
	pays(100)
	h.prove()
}

func TestCapsCountFromWhatWasSpent(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 100000, 0)
	terms := forAll()
	terms.PerSettlementCap = 3000
	id := h.bind(li, wang, "12", true, terms)
	buy := func(want family.Fen, why ...string) {
		t.Helper()
		out := h.settle(pharmacy, h.byID(wang), medicine(5000))
		same(t, "shared", out.Settlement.Paid.SharedPaid, want)
		same(t, "reasons", reasons(out), why)
	}
	change := func(terms *family.Terms) {
		t.Helper()
		view := ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true, Pay: terms}))(t)
		if (view.Grant == nil) != (terms == nil) {
			t.Fatalf("the grant is %+v", view.Grant)
		}
	}
	buy(3000, "P1001 30.00 grant_cap_reached")
	monthly := forAll()
	monthly.MonthlyCap = 7000
	change(monthly)
	buy(4000, "P1001 40.00 grant_cap_reached") // 30.00 of this month's 70.00 were spent before there was a cap
	buy(0, "P1001 0.00 grant_cap_reached")
	same(t, "spent this month", ok(h.GetBinding(t.Context(), wang, id))(t).SpentThisMonth, family.Fen(7000))
	h.clock.add(20 * 24 * time.Hour) // 1 April
	same(t, "spent this month", ok(h.GetBinding(t.Context(), wang, id))(t).SpentThisMonth, family.Fen(0))
	buy(5000, "P1001 50.00")

	refused(h.ChangeBinding(t.Context(), wang, id, family.Change{SetPay: true, Pay: forAll()}))(t, family.NotPermitted)
	change(nil) // ends the grant alone
	out := h.settle(pharmacy, byQR(h.show(li, id).Digits), medicine(5000))
	same(t, "reasons", reasons(out), []string{"P1001 0.00 grant_none"})
	change(forAll()) // begins anew
	buy(5000, "P1001 50.00")
	h.prove()
}

func TestABindingIsListedOnBothSides(t *testing.T) {
	h := newHouse(t)
	var ids []family.BindingID
	for _, b := range []struct {
		holder, member family.PersonNo
		relation       family.Relation
	}{{li, wang, "12"}, {wang, li, "11"}, {li, chen, "52"}, {lijun, li, "71"}} {
		h.clock.add(time.Second)
		ids = append(ids, h.bind(b.holder, b.member, b.relation, true, nil))
	}
	listed := func(p family.PersonNo, limit int) (got []family.BindingID) {
		t.Helper()
		for after, pages := "", 0; ; pages++ {
			if pages > 20 {
				t.Fatal("the pages do not end")
			}
			page := ok(h.Bindings(t.Context(), p, after, limit))(t)
			if len(page.Items) > limit || page.Next != "" && len(page.Items) < limit {
				t.Fatalf("a page of %d has %d bindings", limit, len(page.Items))
			}
			for _, v := range page.Items {
				got = append(got, v.Binding.ID)
			}
			if after = page.Next; after == "" {
				return got
			}
		}
	}
	for limit := 1; limit <= 5; limit++ {
		same(t, "his bindings", listed(li, limit), []family.BindingID{ids[3], ids[2], ids[1], ids[0]})
	}
	same(t, "her bindings", listed(wang, 2), []family.BindingID{ids[1], ids[0]})
	same(t, "a stranger's bindings", listed(zhou, 2), []family.BindingID(nil))
}

func TestABeneficiaryChoosesWhoPaysFirst(t *testing.T) {
	h := newHouse(t)
	// In Beijing people choose; in Changsha the order of filing rules.
	beijing := family.Insurance{Region: "110100", Insutype: family.Employee, PsnType: "11", Active: true}
	mother := human{"P4000", "赵素云", "19600101", beijing, "", ""}
	sons := []human{{"P4001", "赵一鸣", "19850101", beijing, "", ""}, {"P4002", "赵二鸣", "19870101", beijing, "", ""}}
	h.feed(mother)
	var ids []family.BindingID
	for _, son := range sons {
		h.feed(son)
		h.pay(son.no, 10000, 0)
		ask := BindingAsk{Name: mother.name, ID: h.feedOf(mother).ID, Relation: "52", Pay: forAll()}
		id := ok(h.RequestBinding(t.Context(), son.no, ask, Once{}))(t).Answer.Binding.ID
		ok(h.Submit(t.Context(), son.no, id))(t)
		ok(h.Accept(t.Context(), mother.no, id))(t)
		ids = append(ids, id)
	}
	ok(h.FeedPlace(t.Context(), family.Place{Code: "P11010000001", Name: "测试北京药房", Kind: family.Pharmacy, Level: "11", Region: "110105", Designated: true}))(t)
	buy := func(want ...string) {
		t.Helper()
		c := Credential{Type: ByID, Value: string(h.feedOf(mother).ID), Name: mother.name}
		same(t, "who paid", reasons(h.settle("P11010000001", c, medicine(1500))), want)
	}
	buy("P4001 15.00", "P4002 0.00 nothing_left")
	same(t, "the order", ok(h.ChooseOrder(t.Context(), mother.no, []family.BindingID{ids[1], ids[0]}))(t), []family.BindingID{ids[1], ids[0]})
	buy("P4002 15.00", "P4001 0.00 nothing_left")

	before := h.dump()
	for _, order := range [][]family.BindingID{nil, ids[:1], {ids[0], ids[0]}, {ids[0], "another"}} {
		refused(h.ChooseOrder(t.Context(), mother.no, order))(t, family.Malformed)
	}
	refused(h.ChooseOrder(t.Context(), chen, nil))(t, family.StateForbids)
	refused(h.ChooseOrder(t.Context(), "P9999", nil))(t, family.NotFound)
	h.wantNothingMoved(before)
	h.prove()
}
