package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// last returns what happened to a binding last.
func (h *house) last(id family.BindingID, by family.PersonNo) family.Happening {
	h.t.Helper()
	events := ok(h.History(h.t.Context(), by, id, "", 100))(h.t).Items
	return events[len(events)-1].What
}

func TestARequestThatNobodyFinishesEnds(t *testing.T) {
	h := newHouse(t)
	id := h.request(li, wang, "12", true, forAll())
	h.clock.add(30 * 24 * time.Hour) // its last day
	refused(h.RequestBinding(t.Context(), li, h.ask(wang, "12", true, forAll()), Once{}))(t, family.AlreadyBound)
	h.clock.add(24 * time.Hour)
	// Even before the sweep it cannot go on, and holds no place.
	refused(h.Submit(t.Context(), li, id))(t, family.StateForbids)
	h.request(li, wang, "12", true, forAll())
	for swept := (Swept{}); !swept.Complete; {
		swept = ok(h.Sweep(t.Context()))(t)
	}
	view := ok(h.GetBinding(t.Context(), li, id))(t)
	same(t, "the end", []string{string(view.Binding.State), string(view.Binding.EndWhy)}, []string{"ended", "expired"})
	same(t, "what happened", h.last(id, wang), family.RequestLapsed)
	before := h.dump()
	ok(h.Sweep(t.Context()))(t)
	h.wantNothingMoved(before)
}

func TestWhoTurnsSixteenIsAskedHimself(t *testing.T) {
	h := newHouse(t)
	youth := human{"P3001", "李少年", "20100313", cast[2].insurance, "", ""}
	h.feed(youth)
	h.pay(li, 10000, 0)
	id := ok(h.RequestBinding(t.Context(), li, BindingAsk{Name: youth.name, ID: h.feedOf(youth).ID, Relation: "20", Show: true, Pay: forAll()}, Once{}))(t).Answer.Binding.ID
	same(t, "readiness", ok(h.Submit(t.Context(), li, id))(t).Ready, family.Ready)
	h.clock.add(24 * time.Hour) // his birthday
	same(t, "readiness before the sweep", ok(h.GetBinding(t.Context(), li, id))(t).Ready, family.MemberGrown)
	refused(h.IssueQR(t.Context(), li, id, Once{}))(t, family.StateForbids)
	paid := ok(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: Credential{Type: ByID, Value: string(h.feedOf(youth).ID), Name: youth.name}, Bill: medicine(3000)}))(t)
	same(t, "what the father's account pays", paid.Settlement.Paid.SharedPaid, family.Fen(0))
	for swept := (Swept{}); !swept.Complete; {
		swept = ok(h.Sweep(t.Context()))(t)
	}
	asked := ok(h.GetBinding(t.Context(), li, id))(t).Binding
	same(t, "state", asked.State, family.BindingAwaiting)
	same(t, "whether he agreed to be shown", asked.ShowAgreed, false)
	if told := ok(h.Notices(t.Context(), youth.no, "", 10))(t).Items; len(told) == 0 || told[0].What != family.CameOfAge {
		t.Errorf("he is told %v", told)
	}
	same(t, "readiness after he agreed", ok(h.Accept(t.Context(), youth.no, id))(t).Ready, family.Ready)
	h.prove()
}

// TestWhoIsPromisedOnHisBirthdayIsAskedHimself: asked for while he was a child, promised
// when he no longer was.
func TestWhoIsPromisedOnHisBirthdayIsAskedHimself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	youth := human{"P3001", "李少年", "20100313", cast[2].insurance, "", ""}
	h.feed(youth)
	h.pay(li, 10000, 0)
	id := ok(h.RequestBinding(t.Context(), li, BindingAsk{Name: youth.name, ID: h.feedOf(youth).ID, Relation: "20", Show: true, Pay: forAll()}, Once{}))(t).Answer.Binding.ID
	h.clock.add(24 * time.Hour) // his birthday
	h.sweepWhole()
	same(t, "readiness before the sweep", ok(h.Submit(t.Context(), li, id))(t).Ready, family.MemberGrown)
	h.sweepWhole()
	same(t, "state", ok(h.GetBinding(t.Context(), li, id))(t).Binding.State, family.BindingAwaiting)
	same(t, "readiness after he agreed", ok(h.Accept(t.Context(), youth.no, id))(t).Ready, family.Ready)
	h.prove()
}

// TestAChildGrowsUp: the sweep finds the fourteenth, sixteenth and eighteenth birthday of
// a child who was bound by her mother. At fourteen both are told, and what the child takes
// back her mother does not give again; at sixteen nothing is paid or shown before she has
// agreed herself; at eighteen both are told and nothing else happens.
func TestAChildGrowsUp(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	girl := human{"P3002", "李少女", "20120313", cast[2].insurance, "", ""} // fourteen tomorrow
	h.feed(girl)
	h.pay(wang, 10000, 0)
	asked := ok(h.RequestBinding(ctx, wang, BindingAsk{Name: girl.name, ID: h.feedOf(girl).ID, Relation: "30", Show: true, Pay: forAll()}, Once{}))(t).Answer.Binding
	id := asked.ID
	same(t, "the steps below sixteen", doneSteps(asked), "submit?")
	ok(h.Submit(ctx, wang, id))(t)
	told := func(want family.Happening) {
		t.Helper()
		for _, side := range []family.PersonNo{wang, girl.no} {
			if news := ok(h.Notices(ctx, side, "", 10))(t).Items; len(news) == 0 || news[0].What != want {
				t.Errorf("%s is told %v, want %s", side, news, want)
			}
		}
		same(t, "the history", h.last(id, wang), want)
	}
	standing := func(state family.BindingState, ready family.Readiness) {
		t.Helper()
		view := ok(h.GetBinding(ctx, wang, id))(t)
		same(t, "the binding", []string{string(view.Binding.State), string(view.Ready)}, []string{string(state), string(ready)})
	}
	yes, no := true, false
	hide := func(by family.PersonNo) { t.Helper(); ok(h.ChangeBinding(ctx, by, id, family.Change{Show: &no}))(t) }

	hide(girl.no)
	ok(h.ChangeBinding(ctx, wang, id, family.Change{Show: &yes}))(t) // at thirteen her mother decides
	h.clock.add(24 * time.Hour)
	h.sweepWhole()
	told(family.TurnedFourteen)
	standing(family.BindingActive, family.Ready)
	h.show(wang, id)
	hide(girl.no)
	refused(h.ChangeBinding(ctx, wang, id, family.Change{Show: &yes}))(t, family.NotPermitted)
	refused(h.IssueQR(ctx, wang, id, Once{}))(t, family.StateForbids)
	ok(h.ChangeBinding(ctx, girl.no, id, family.Change{Show: &yes}))(t)

	h.clock.now = time.Date(2028, 3, 13, 4, 0, 0, 0, time.UTC)
	h.sweepWhole()
	told(family.CameOfAge)
	standing(family.BindingAwaiting, family.NotAccepted)
	refused(h.IssueQR(ctx, wang, id, Once{}))(t, family.StateForbids)
	refused(h.Accept(ctx, wang, id))(t, family.NotPermitted)
	ok(h.Accept(ctx, girl.no, id))(t)
	standing(family.BindingActive, family.Ready)

	h.clock.now = time.Date(2030, 3, 12, 4, 0, 0, 0, time.UTC)
	h.sweepWhole()
	same(t, "the day before", h.last(id, wang), family.Activated)
	h.clock.add(24 * time.Hour)
	h.sweepWhole()
	told(family.TurnedEighteen)
	standing(family.BindingActive, family.Ready)
	before := h.dump()
	h.sweepWhole()
	h.wantNothingMoved(before)
	h.prove()
}

func TestDeathAndDivorceStopSpendingAndNotRefunds(t *testing.T) {
	for _, c := range []struct {
		what string
		feed KinFeed
		why  family.EndWhy
	}{
		{"divorce", KinFeed{Complete: true}, family.WhyKinship},
		{"death", KinFeed{Deceased: true}, family.WhyDeath},
	} {
		t.Run(c.what, func(t *testing.T) {
			h := newHouse(t)
			h.pay(li, 50000, 0)
			id := h.bind(li, wang, "12", true, forAll())
			sale := h.settle(pharmacy, byQR(h.show(li, id).Digits), medicine(3000))
			same(t, "paid", sale.Settlement.Paid.SharedPaid, family.Fen(3000))
			c.feed.Identity = Identity{h.human(li).name, h.idOf(li)}
			ok(h.FeedRegistry(t.Context(), c.feed))(t)
			ok(h.TendRelative(t.Context(), h.idOf(li)))(t)
			view := ok(h.GetBinding(t.Context(), wang, id))(t)
			same(t, "the end", []string{string(view.Binding.State), string(view.Binding.EndWhy)}, []string{"ended", string(c.why)})
			same(t, "grants left", len(h.account(li).Given), 0)
			if told := ok(h.Notices(t.Context(), wang, "", 10))(t).Items; len(told) == 0 {
				t.Error("she is not told")
			}
			ok(h.Reverse(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), "退货"))(t)
			same(t, "his money", h.account(li).Balance.Total(), family.Fen(50000))
			h.prove()
		})
	}
}

// TestWhatBeganBeforeMidnightIsLookedAtAfterIt: a death is fed just before midnight and
// committed when the sweep has been through the new day. A list that was done is done
// again for a day.
func TestWhatBeganBeforeMidnightIsLookedAtAfterIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.bind(li, wang, "12", true, forAll())
	h.clock.add(12*time.Hour - time.Second)
	h.sweepWhole()
	slow := h.over(&between{Store: h.store, other: func() {
		h.clock.add(time.Minute)
		h.sweepWhole()
	}})
	ok(slow.FeedRegistry(t.Context(), KinFeed{Identity: Identity{h.human(li).name, h.idOf(li)}, Deceased: true}))(t)
	h.sweepWhole()
	view := ok(h.GetBinding(t.Context(), wang, id))(t)
	same(t, "the end", []string{string(view.Binding.State), string(view.Binding.EndWhy)}, []string{"ended", string(family.WhyDeath)})
}

func TestInsuranceStopsAndComesBack(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 50000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	stopped := h.human(li)
	stopped.insurance.Active = false
	h.feed(stopped)
	ok(h.TendPerson(t.Context(), li))(t)
	same(t, "readiness", ok(h.GetBinding(t.Context(), wang, id))(t).Ready, family.HolderUninsured)
	same(t, "what happened", h.last(id, wang), family.InsuranceStops)
	h.feed(h.human(li))
	ok(h.TendPerson(t.Context(), li))(t)
	same(t, "readiness", ok(h.GetBinding(t.Context(), wang, id))(t).Ready, family.Ready)
	same(t, "what happened", h.last(id, wang), family.InsuranceBack)
}

func TestPapersAreDeletedWhenTheirTimeIsOver(t *testing.T) {
	h := canton(t)
	id := h.reviewed()
	ok(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t)
	paper := ok(h.GetBinding(t.Context(), liang, id))(t).Binding.Materials[0].ID
	if _, err := h.papers.Kept(t.Context(), string(paper)); err != nil {
		t.Fatal(err)
	}
	h.clock.add(31 * 24 * time.Hour)
	for swept := (Swept{}); !swept.Complete; {
		swept = ok(h.Sweep(t.Context()))(t)
	}
	after := ok(h.GetBinding(t.Context(), liang, id))(t).Binding
	same(t, "papers left", len(after.Papers()), 0)
	if _, err := h.papers.Kept(t.Context(), string(paper)); err == nil {
		t.Error("the content is still there")
	}
}
