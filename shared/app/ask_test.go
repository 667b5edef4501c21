package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

func TestWhatBecameOfAMessage(t *testing.T) {
	h, _, sale := visit(t)
	bad := SettleAsk{Message: h.message(hospital), Credential: h.byID(wang), Bill: medicine(3000)}
	bad.Bill.Total++
	refused(h.Settle(t.Context(), hospital, bad))(t, family.SumMismatch)

	before := h.dump()
	settled := ok(h.FindMessage(t.Context(), hospital, sale.Settlement.ID))(t)
	if settled.Settled == nil || settled.Refusal != nil || settled.Fenced {
		t.Fatalf("the settled message is %+v", settled)
	}
	same(t, "the settlement", *settled.Settled, sale)
	undecided := ok(h.FindMessage(t.Context(), hospital, bad.Message))(t)
	if undecided.Settled != nil || undecided.Refusal == nil || undecided.Refusal.Code != family.SumMismatch || undecided.Fenced {
		t.Fatalf("the refused message is %+v", undecided)
	}
	refused(h.FindMessage(t.Context(), pharmacy, sale.Settlement.ID))(t, family.NotFound) // another's
	h.wantNothingMoved(before)

	// One that was never seen cannot land any more.
	late := SettleAsk{Message: h.message(hospital), Credential: h.byID(wang), Bill: clinicVisit()}
	for range 2 {
		if view := ok(h.FindMessage(t.Context(), hospital, late.Message))(t); !view.Fenced || view.Settled != nil || view.Refusal != nil {
			t.Fatalf("the unknown message is %+v", view)
		}
	}
	before = h.dump()
	refused(h.Settle(t.Context(), hospital, late))(t, family.MessageFenced)
	refused(h.Reverse(t.Context(), hospital, sale.Settlement.ID, late.Message, ""))(t, family.MessageFenced)
	refused(h.PlaceSettlement(t.Context(), hospital, late.Message))(t, family.NotFound)
	refused(h.PlaceSettlement(t.Context(), hospital, bad.Message))(t, family.NotFound)
	refused(h.PlaceSettlement(t.Context(), pharmacy, sale.Settlement.ID))(t, family.NotFound)
	h.wantNothingMoved(before)
	h.prove()
}

func TestADayIsListedAndSummed(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 100000, 0)
	var want []family.MessageID
	note := func(o Outcome) Outcome { want = append(want, o.Settlement.ID); return o }
	for _, price := range []family.Fen{100, 200, 300, 400} {
		h.clock.add(time.Second)
		sale := note(h.settle(pharmacy, h.byID(wang), medicine(price)))
		if price == 300 {
			h.clock.add(time.Second)
			note(ok(h.Reverse(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), ""))(t))
		}
	}
	// What does not count: a refusal, a fence, another place, another day.
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(zhou), Bill: family.Bill{MedType: "41", Total: 1, Lines: medicine(2).Lines}}))(t, family.SumMismatch)
	ok(h.FindMessage(t.Context(), pharmacy, h.message(pharmacy)))(t)
	h.settle(hospital, h.byID(wang), medicine(500))
	h.clock.add(12 * time.Hour) // past midnight in Changsha
	h.settle(pharmacy, h.byID(wang), medicine(600))

	for limit := 1; limit <= 6; limit++ {
		var got []family.MessageID
		for after, pages := "", 0; ; pages++ {
			if pages > 20 {
				t.Fatal("the pages do not end")
			}
			page, totals, err := h.Day(t.Context(), pharmacy, today, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "totals", totals, Totals{Settlements: 4, GivenBack: 1, Total: 700, OwnPaid: 700, Complete: true})
			for _, o := range page.Items {
				got = append(got, o.Settlement.ID)
			}
			if after = page.Next; after == "" {
				break
			}
			if len(page.Items) != limit {
				t.Fatalf("a page of %d has %d settlements", limit, len(page.Items))
			}
		}
		same(t, "the day", got, want)
	}
	_, totals, err := h.Day(t.Context(), pharmacy, today+1, "", 10)
	same(t, "tomorrow", ok(totals, err)(t), Totals{Settlements: 1, Total: 600, OwnPaid: 600, Complete: true})
	_, totals, err = h.Day(t.Context(), pharmacy, 20250101, "", 10)
	same(t, "an empty day", ok(totals, err)(t), Totals{Complete: true})
}

func TestASettlementIsFiledUnderTheDayItWasSent(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	h.clock.add(11*time.Hour + 59*time.Minute + 59*time.Second)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(100)}
	h.clock.add(time.Minute) // it arrives after midnight
	ok(h.Settle(t.Context(), pharmacy, ask))(t)
	proof := ok(h.ProveDay(t.Context(), today, ""))(t)
	if len(proof.Faults) > 0 || proof.Institutions != 3 || proof.Settlements != 1 || proof.Accounts != 1 || proof.Entries != 2 {
		t.Errorf("the proof: %+v", proof)
	}
	h.prove()
}
