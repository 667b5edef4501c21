package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// further are the deeds of visits, codes that were decoded, papers, reviewers and the
// civil registry.
var further = []deed{
	{name: "decode", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		qr := h.show(wang, "")
		return h, func(a *App) (any, error) { return does(a.Decode(t.Context(), hospital, qr.Digits)) }
	}},
	{name: "open a visit by what was decoded", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		decoded := ok(h.Decode(t.Context(), hospital, h.show(wang, "").Digits))(t)
		ask := VisitAsk{Message: h.message(hospital), Credential: Credential{Type: ByECToken, Value: decoded.ECToken}, Patient: wang, Number: "OP1", Sent: h.signed("open")}
		return h, func(a *App) (any, error) { return does(a.OpenVisit(t.Context(), hospital, ask)) }
	}},
	{name: "describe a visit", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, at := opened(t)
		id, sent := h.message(hospital), h.signed("describe")
		return h, func(a *App) (any, error) {
			return does(a.ChangeVisit(t.Context(), hospital, at, id, "describe", sent, func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
				return v.Describe(family.Outpatient, []string{"J06.900"})
			}))
		}
	}},
	{name: "charge a visit", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, at := opened(t)
		id, sent := h.message(hospital), h.signed("charge")
		return h, func(a *App) (any, error) {
			return does(a.ChargeVisit(t.Context(), hospital, at, id, []family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000)}}, sent))
		}
	}},
	{name: "settle a visit", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, ask := charged(t)
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), hospital, ask)) }
	}},
	{name: "reverse a visit's settlement", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, ask := charged(t)
		ok(h.Settle(t.Context(), hospital, ask))(t)
		id, sent := h.message(hospital), h.signed("reverse")
		return h, func(a *App) (any, error) {
			return does(a.ReverseSent(t.Context(), hospital, ask.Message, id, wang, sent))
		}
	}},
	{name: "undo an opening", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, at := opened(t)
		id, sent := h.message(hospital), h.signed("undo")
		return h, func(a *App) (any, error) { return nil, a.UndoOpening(t.Context(), hospital, at, id, sent) }
	}},
	{name: "fence an opening that never came", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		at, id, sent := VisitRef{ID: h.message(hospital), Patient: wang}, h.message(hospital), h.signed("undo")
		return h, func(a *App) (any, error) { return nil, a.UndoOpening(t.Context(), hospital, at, id, sent) }
	}},
	{name: "announce a paper", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := ok(h.RequestBinding(t.Context(), liang, h.askFor(huang, "12", forAll()), Once{}))(t).Answer.Binding.ID
		in := announced(family.IDCard, scan(t, 1))
		return h, func(a *App) (any, error) {
			out, err := a.AnnouncePaper(t.Context(), liang, id, in)
			return out.Material, err
		}
	}},
	{name: "claim a review", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := h.reviewed()
		return h, func(a *App) (any, error) { return does(a.Claim(t.Context(), id, anna)) }
	}},
	{name: "look at a review", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := h.reviewed()
		return h, func(a *App) (any, error) { return does(a.Review(t.Context(), id, anna)) }
	}},
	{name: "approve a binding", again: gone(family.StateForbids), prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := h.reviewed()
		return h, func(a *App) (any, error) {
			return does(a.Approve(t.Context(), id, anna, ReviewAsk{Reason: "材料齐全"}))
		}
	}},
	{name: "reject a binding", again: gone(family.StateForbids), prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := h.reviewed()
		return h, func(a *App) (any, error) { return does(a.Reject(t.Context(), id, anna, ReviewAsk{Reason: "不符"})) }
	}},
	{name: "ask for another paper", again: gone(family.StateForbids), prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		id := h.reviewed()
		return h, func(a *App) (any, error) {
			return does(a.Clarify(t.Context(), id, anna, ReviewAsk{Kind: family.MarriageCertificate, Reason: "户口本缺页"}))
		}
	}},
	{name: "feed a death", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := canton(t)
		h.pay(liang, 100, 100)
		in := KinFeed{Identity: h.identity(liang), Deceased: true}
		return h, func(a *App) (any, error) { return does(a.FeedRegistry(t.Context(), in)) }
	}},
}

// signed is how a message came to the national interface.
func (h *house) signed(what string) Sent {
	return Sent{Form: what, Signature: "signature of " + what, SignedUntil: h.clock.Now().Add(time.Hour)}
}

// opened is a house with a visit of Wang's.
func opened(t *testing.T) (*house, VisitRef) {
	t.Helper()
	h := newHouse(t)
	visit := ok(h.OpenVisit(t.Context(), hospital, VisitAsk{Message: h.message(hospital), Credential: h.byID(wang), Patient: wang, Number: "OP1", Sent: h.signed("open")}))(t)
	return h, VisitRef{ID: visit.ID, Patient: wang}
}

// charged is a visit with a charge, whose bill is to be settled by what decoding
// Wang's code gave, out of her account and her husband's.
func charged(t *testing.T) (*house, SettleAsk) {
	t.Helper()
	h, at := opened(t)
	h.pay(wang, 100, 0)
	h.pay(li, 10000, 0)
	link := h.bind(li, wang, "12", true, forAll())
	ok(h.ChangeVisit(t.Context(), hospital, at, h.message(hospital), "describe", h.signed("describe"), func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
		return v.Describe(family.Outpatient, []string{"J06.900"})
	}))(t)
	ok(h.ChargeVisit(t.Context(), hospital, at, h.message(hospital), []family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000, "VISIT1")}}, h.signed("charge")))(t)
	decoded := ok(h.Decode(t.Context(), hospital, h.show(li, link).Digits))(t)
	return h, SettleAsk{
		Message: h.message(hospital), Credential: Credential{Type: ByECToken, Value: decoded.ECToken},
		Bill: family.Bill{MedType: family.Outpatient, Total: 6000, UseAccount: true}, Visit: &VisitBill{VisitRef: at, Batch: "0"}, Sent: h.signed("settle"),
	}
}
