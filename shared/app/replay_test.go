package app

import (
	"testing"

	"gongji/shared/family"
)

// TestWhatCameBackIsReplayed: refunds in pieces and the reversal of the rest are reckoned
// again from their sale, each after those before it, and a value that was changed behind
// them is named.
func TestWhatCameBackIsReplayed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.pay(wang, 5000, 0)
	h.pay(li, 12000, 0)
	h.bind(li, wang, "12", true, forAll())
	sale := h.settle(hospital, h.byID(wang), clinicVisit()).Settlement
	back := func(what string, id family.MessageID) {
		t.Helper()
		r := ok(h.Replay(ctx, id))(t)
		same(t, what, r.Differences, []family.Difference(nil))
		same(t, what, r.Settlement.ID, id)
	}
	var ids []family.MessageID
	for _, units := range []family.Quantity{1_0000, 1_5000} {
		out := ok(h.Refund(ctx, hospital, sale.ID, h.message(hospital), []family.Return{{LineNo: 1, Quantity: units}, {LineNo: 3, Quantity: units / 4}}))(t)
		ids = append(ids, out.Settlement.ID)
		back("a refund, at once", out.Settlement.ID)
	}
	ids = append(ids, ok(h.Reverse(ctx, hospital, sale.ID, h.message(hospital), "全退"))(t).Settlement.ID)
	for _, id := range append(ids, sale.ID) {
		back("after all came back", id)
	}

	// Behind their backs: the law alone, over what the table holds.
	sold := ok(h.settlement(ctx, sale.ID))(t).Settlement
	first, second := ok(h.settlement(ctx, ids[0]))(t).Settlement, ok(h.settlement(ctx, ids[1]))(t).Settlement
	fields := func(d []family.Difference) (names []string) {
		for _, one := range d {
			names = append(names, one.Field)
		}
		return names
	}
	spoilt := second
	spoilt.Paid.CashDue--
	same(t, "a fen of cash", fields(family.ReplayBack(sold, []family.Settlement{first}, spoilt)), []string{"cash_due_fen"})
	dearer := sold
	dearer.Basis.Ratio += 100
	if d := fields(family.ReplayBack(dearer, []family.Settlement{first}, second)); len(d) == 0 || d[0] != "fund_paid_fen" {
		t.Errorf("another ratio of the sale: %v", d)
	}
	same(t, "more than was sold", fields(family.ReplayBack(sold, []family.Settlement{first, second, second}, second)), []string{"lines"})
}
