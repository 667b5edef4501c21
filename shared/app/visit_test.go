package app

import (
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// TestAnOpeningThatComesLateEmptiesNothing: the answer to a step is kept for a week, a
// visit for a year. An opening that is sent again in between is refused; it once
// overwrote the visit with an empty one, and what was settled could be charged anew.
func TestAnOpeningThatComesLateEmptiesNothing(t *testing.T) {
	h, at := opened(t)
	ok(h.ChargeVisit(t.Context(), hospital, at, h.message(hospital), []family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000)}}, Sent{Form: "charge"}))(t)
	h.clock.add(stepLife + time.Minute)
	h.restore(store.Key(stepKey(at.ID, "open")), row{}) // the store forgets it
	h.pay(wang, 100, 0)                                 // and its day is closed
	before := h.dump()
	refused(h.OpenVisit(t.Context(), hospital, VisitAsk{Message: at.ID, Credential: h.byID(wang), Patient: wang, Number: "OP1", Sent: Sent{Form: "open"}}))(t, family.MessageReused)
	h.wantNothingMoved(before)
}

// TestAVisitsCodeIsItsOwn: a code that opened a visit settles its bill and no other,
// of a visit or without one, here or elsewhere.
func TestAVisitsCodeIsItsOwn(t *testing.T) {
	h := newHouse(t)
	shown := byQR(h.show(wang, "").Digits)
	visit := ok(h.OpenVisit(t.Context(), hospital, VisitAsk{Message: h.message(hospital), Credential: shown, Patient: wang, Number: "OP1", Sent: Sent{Form: "open"}}))(t)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: shown, Bill: medicine(100)}))(t, family.QRSpent)
	refused(h.Quote(t.Context(), hospital, SettleAsk{Credential: shown, Bill: clinicVisit()}))(t, family.QRSpent)
	at := VisitRef{ID: visit.ID, Patient: wang}
	ok(h.ChargeVisit(t.Context(), hospital, at, h.message(hospital), []family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000)}}, Sent{Form: "charge"}))(t)
	fee := family.Bill{MedType: family.Registration, Total: 6000, UseAccount: true}
	ok(h.Settle(t.Context(), hospital, SettleAsk{Message: h.message(hospital), Credential: shown, Patient: wang, Bill: fee, Visit: &VisitBill{VisitRef: at, Batch: family.EveryBatch}, Sent: Sent{Form: "settle"}}))(t)
	h.prove()
}

// TestTheDeadAreNotAdmitted: nobody who gets no benefit has a visit opened.
func TestTheDeadAreNotAdmitted(t *testing.T) {
	h := newHouse(t)
	feed := h.feedOf(h.human(wang))
	ok(h.FeedRegistry(t.Context(), KinFeed{Identity: Identity{feed.Name, feed.ID}, Deceased: true}))(t)
	refused(h.OpenVisit(t.Context(), hospital, VisitAsk{Message: h.message(hospital), Credential: h.byID(wang), Patient: wang, Number: "OP1", Sent: Sent{Form: "open"}}))(t, family.PersonNotInsured)
}

// TestAStayIsNoRegistration: a registration's fee is settled before a visit has a kind;
// a stay is admitted as one, and its bills have its deductible.
func TestAStayIsNoRegistration(t *testing.T) {
	h := newHouse(t)
	stay := ok(h.OpenVisit(t.Context(), hospital, VisitAsk{
		Message: h.message(hospital), Credential: h.byID(wang), Patient: wang, Number: "ZY1", Inpatient: true, MedType: family.OrdinaryStay, Sent: Sent{Form: "open"},
	}))(t)
	at := VisitRef{ID: stay.ID, Patient: wang, Stay: true}
	ok(h.ChargeVisit(t.Context(), hospital, at, h.message(hospital), []family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000)}}, Sent{Form: "charge"}))(t)
	ask := SettleAsk{Credential: h.byID(wang), Bill: family.Bill{MedType: family.Registration, Total: 6000, UseAccount: true}, Visit: &VisitBill{VisitRef: at, Batch: family.EveryBatch}}
	refused(h.Quote(t.Context(), hospital, ask))(t, family.StateForbids)
	ask.Bill.MedType = family.OrdinaryStay
	ok(h.Quote(t.Context(), hospital, ask))(t)
}
