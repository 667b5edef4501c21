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
	h.clock.add(31 * 24 * time.Hour)
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
	same(t, "state", ok(h.GetBinding(t.Context(), li, id))(t).Binding.State, family.BindingAwaiting)
	if told := ok(h.Notices(t.Context(), youth.no, "", 10))(t).Items; len(told) == 0 || told[0].What != family.CameOfAge {
		t.Errorf("he is told %v", told)
	}
	same(t, "readiness after he agreed", ok(h.Accept(t.Context(), youth.no, id))(t).Ready, family.Ready)
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
