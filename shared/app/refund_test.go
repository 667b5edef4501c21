package app

import (
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

// visit is a clinic visit of Wang's, shown and paid for by her husband: fund
// 173.40, own 50.00, he 120.00, cash 181.60.
func visit(t *testing.T) (*house, family.BindingID, Outcome) {
	h := newHouse(t)
	h.pay(wang, 0, 5000)
	h.pay(li, 0, 12000)
	id := h.bind(li, wang, "12", true, forAll())
	return h, id, h.settle(hospital, byQR(h.show(li, id).Digits), clinicVisit())
}

func TestAReversalPutsEveryFenBack(t *testing.T) {
	h, _, sale := visit(t)
	h.clock.add(time.Hour)
	id := h.message(hospital)
	back := ok(h.Reverse(t.Context(), hospital, sale.Settlement.ID, id, "挂错号"))(t)

	same(t, "parts", partsOf(back), parts{Total: -52500, Fund: -17340, Own: -5000, Shared: -12000, Cash: -18160})
	s := back.Settlement
	same(t, "what it is", []any{s.Kind, s.Original, s.ID, s.At}, []any{family.Reversed, sale.Settlement.ID, id, noon.Add(time.Hour)})
	same(t, "balances", []family.Pockets{h.account(wang).Balance, h.account(li).Balance}, []family.Pockets{{Past: 5000}, {Past: 12000}})
	same(t, "her year", h.account(wang).Year, family.YearToDate{Year: 2026, Insutype: family.Employee, Day: 20260312})
	grant := h.account(li).Given[0]
	same(t, "the grant", []any{grant.Spent.Spent, grant.Used}, []any{family.Fen(0), family.Fen(0)})
	original := ok(h.PlaceSettlement(t.Context(), hospital, sale.Settlement.ID))(t).Settlement
	same(t, "the original", []any{original.State(), original.Refunds}, []any{family.StateReversed, []family.MessageID{id}})

	// Once. A repeat gets the first answer, another message hears that it is done.
	before := h.dump()
	again := ok(h.Reverse(t.Context(), hospital, sale.Settlement.ID, id, "挂错号"))(t)
	if !again.Replay {
		t.Fatal("the second answer is not called a replay")
	}
	again.Replay = false
	same(t, "the second answer", again, back)
	refused(h.Reverse(t.Context(), hospital, sale.Settlement.ID, id, "别的原因"))(t, family.MessageReused)
	h.wantNothingMoved(before)
	refused(h.Reverse(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), "挂错号"))(t, family.AlreadyReversed)
	refused(h.Refund(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), []family.Return{{LineNo: 1, Quantity: 10_000}}))(t, family.AlreadyReversed)
	refused(h.Reverse(t.Context(), hospital, id, h.message(hospital), ""))(t, family.OriginalUnknown) // a reversal is no sale
	h.prove()
}

func TestARefundGivesBackPartAndAReversalTheRest(t *testing.T) {
	h, _, sale := visit(t)
	refund := func(no int, units family.Quantity) (Outcome, error) {
		return h.Refund(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), []family.Return{{LineNo: no, Quantity: units * 10_000}})
	}
	// Two of the four boxes at 12.50: cash comes back first.
	first := ok(refund(1, 2))(t)
	same(t, "parts", partsOf(first), parts{Total: -2500, Fund: -1350, Cash: -1150})
	if r := refused(refund(1, 3))(t, family.AlreadyRefunded); r.Observed != "3" || r.Allowed != "2" || r.Line != 1 {
		t.Fatalf("the refusal is %+v", r)
	}
	refused(refund(9, 1))(t, family.NotFound)
	second := ok(refund(2, 1))(t)
	third := ok(h.Reverse(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), ""))(t)
	sum := parts{}
	for _, o := range []Outcome{sale, first, second, third} {
		p := partsOf(o)
		sum = parts{sum.Total + p.Total, sum.Fund + p.Fund, sum.Own + p.Own, sum.Shared + p.Shared, sum.Cash + p.Cash}
	}
	same(t, "all of it together", sum, parts{})
	same(t, "balances", []family.Pockets{h.account(wang).Balance, h.account(li).Balance}, []family.Pockets{{Past: 5000}, {Past: 12000}})
	h.prove()
}

func TestAReversalAfterTheGrantEnded(t *testing.T) {
	for _, end := range []func(*house, family.BindingID){
		func(h *house, id family.BindingID) { ok(h.EndBinding(t.Context(), wang, id))(t) },
		func(h *house, id family.BindingID) {
			ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true}))(t)
		},
		func(h *house, id family.BindingID) { // ended, and given again
			ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true}))(t)
			ok(h.ChangeBinding(t.Context(), li, id, family.Change{SetPay: true, Pay: forAll()}))(t)
		},
		func(h *house, id family.BindingID) {
			if err := h.Freeze(t.Context(), anna, li, true); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h, id, sale := visit(t)
		end(h, id)
		h.clock.add(30 * 24 * time.Hour) // and in another month
		ok(h.Reverse(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), ""))(t)
		same(t, "his balance", h.account(li).Balance, family.Pockets{Past: 12000})
		for _, g := range h.account(li).Given {
			if g.Used != 0 || g.Spent.Spent != 0 {
				t.Fatalf("the grant counts %+v", g)
			}
		}
		h.prove()
	}
}

func TestAnUnknownOriginalIsFenced(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	late := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(3000)}
	for _, undo := range []func(original, id family.MessageID) (Outcome, error){
		func(original, id family.MessageID) (Outcome, error) {
			return h.Reverse(t.Context(), pharmacy, original, id, "")
		},
		func(original, id family.MessageID) (Outcome, error) {
			return h.Refund(t.Context(), pharmacy, original, id, []family.Return{{LineNo: 1, Quantity: 10_000}})
		},
	} {
		late.Message = h.message(pharmacy)
		id := h.message(pharmacy)
		refused(undo(late.Message, id))(t, family.OriginalUnknown)
		refused(h.Settle(t.Context(), pharmacy, late))(t, family.MessageFenced) // too late now
		before := h.dump()
		refused(undo(late.Message, id))(t, family.OriginalUnknown)
		refused(h.Settle(t.Context(), pharmacy, late))(t, family.MessageFenced)
		h.wantNothingMoved(before)
	}
	same(t, "her balance", h.balance(wang), family.Fen(10000))

	// One that was refused moved nothing, and there is nothing to give back.
	bad := late
	bad.Message, bad.Bill.Total = h.message(pharmacy), 1
	refused(h.Settle(t.Context(), pharmacy, bad))(t, family.SumMismatch)
	refused(h.Reverse(t.Context(), pharmacy, bad.Message, h.message(pharmacy), ""))(t, family.OriginalUnknown)
	refused(h.Settle(t.Context(), pharmacy, bad))(t, family.SumMismatch)
	h.prove()
}

func TestWhatCannotBeGivenBack(t *testing.T) {
	h, _, sale := visit(t)
	original := sale.Settlement.ID
	before := h.dump()
	refused(h.Reverse(t.Context(), pharmacy, original, h.message(pharmacy), ""))(t, family.OriginalUnknown) // another's
	refused(h.Reverse(t.Context(), hospital, original, h.message(pharmacy), ""))(t, family.Malformed)
	refused(h.Reverse(t.Context(), hospital, original, original, ""))(t, family.Malformed)
	refused(h.Reverse(t.Context(), hospital, original, h.message(hospital), strings.Repeat("r", 201)))(t, family.Malformed)
	for _, returns := range [][]family.Return{nil, {{LineNo: 1}}, {{LineNo: 1, Quantity: -1}}, {{LineNo: 1, Quantity: 1}, {LineNo: 1, Quantity: 1}}} {
		refused(h.Refund(t.Context(), hospital, original, h.message(hospital), returns))(t, family.Malformed)
	}
	h.wantNothingMoved(before)
}
