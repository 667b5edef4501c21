package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

func TestAPersonSeesHimself(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 1000, 2000)
	me := ok(h.Me(t.Context(), li))(t)
	id := string(h.idOf(li))
	same(t, "himself", []string{me.NameMasked, me.IDNoMasked, me.PolicyID, string(me.OrderOfUsing)},
		[]string{"李**", id[:3] + "***********" + id[14:], "430100@2026-01", "filing_order"})
	same(t, "his account", me.Account, h.account(li))
	same(t, "his balance", me.Account.Balance, family.Pockets{Current: 1000, Past: 2000})
	refused(h.Me(t.Context(), "P9999"))(t, family.NotFound)
	refused(h.Account(t.Context(), "P9999"))(t, family.NotFound)
}

func TestEntriesComeInPagesNewestFirst(t *testing.T) {
	h := newHouse(t)
	const n = 7
	for i := range n {
		h.pay(li, family.Fen(i+1), 0)
	}
	for limit := 1; limit <= n+1; limit++ {
		var seqs []uint64
		for after, pages := "", 0; ; pages++ {
			if pages > 20 {
				t.Fatal("the pages do not end")
			}
			page := ok(h.Entries(t.Context(), li, after, limit))(t)
			if len(page.Items) > limit {
				t.Fatalf("a page of %d has %d entries", limit, len(page.Items))
			}
			for _, e := range page.Items {
				seqs = append(seqs, e.Seq)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		same(t, "numbers", seqs, []uint64{7, 6, 5, 4, 3, 2, 1})
	}
	for _, after := range []string{"x", "-1", "1.5", "99999999999999"} {
		refused(h.Entries(t.Context(), li, after, 10))(t, family.Malformed)
	}
	same(t, "nobody's entries", len(ok(h.Entries(t.Context(), "P9999", "", 10))(t).Items), 0)
}

func TestWhoMaySeeAReceipt(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 1000, 0)
	h.pay(lijun, 10000, 0)
	h.bind(li, chen, "52", false, forAll())
	h.bind(lijun, chen, "52", false, forAll())
	shows := h.bind(zhou, chen, "52", true, nil)
	see := func(who family.PersonNo, id family.MessageID, role Role, lines bool) {
		t.Helper()
		receipt, err := h.Receipt(t.Context(), who, id)
		if role == "" {
			refused(receipt, err)(t, family.NotFound)
			return
		}
		got := ok(receipt, err)(t)
		if got.Role != role || got.Lines != lines || got.Place.Code != pharmacy || got.Settlement.ID != id {
			t.Fatalf("%s sees %s as %s, lines %v, at %s", who, got.Settlement.ID, got.Role, got.Lines, got.Place.Code)
		}
	}
	sale := h.settle(pharmacy, byQR(h.show(zhou, shows).Digits), medicine(500)).Settlement.ID
	see(chen, sale, AsPatient, true)
	see(li, sale, AsPayer, false)
	see(lijun, sale, "", false) // her turn never came: she paid nothing
	see(zhou, sale, AsPresenter, false)
	see(wang, sale, "", false)

	back := ok(h.Reverse(t.Context(), pharmacy, sale, h.message(pharmacy), ""))(t).Settlement.ID
	see(chen, back, AsPatient, true)
	see(li, back, AsPayer, false)
	see(lijun, back, "", false)
	see(zhou, back, "", false)
	refused(h.Receipt(t.Context(), chen, h.message(pharmacy)))(t, family.NotFound)
}

func TestAGuardianSeesWhatHisChildMaySee(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	id := h.bind(li, ming, "20", true, forAll())
	paid := h.settle(pharmacy, byQR(h.show(li, id).Digits), medicine(500)).Settlement.ID
	receipt := ok(h.Receipt(t.Context(), li, paid))(t)
	same(t, "what the guardian who paid sees", []any{receipt.Role, receipt.Lines}, []any{AsPayer, true})
	if err := h.Freeze(t.Context(), anna, li, true); err != nil {
		t.Fatal(err)
	}
	shown := h.settle(pharmacy, byQR(h.show(li, id).Digits), medicine(500)).Settlement.ID
	receipt = ok(h.Receipt(t.Context(), li, shown))(t)
	same(t, "what the guardian who showed sees", []any{receipt.Role, receipt.Lines}, []any{AsPresenter, true})

	ok(h.EndBinding(t.Context(), li, id))(t)
	receipt = ok(h.Receipt(t.Context(), li, paid))(t)
	same(t, "and when he acts for it no more", []any{receipt.Role, receipt.Lines}, []any{AsPayer, false})
}

func TestReceiptsAreListedByRole(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 100000, 0)
	h.pay(wang, 200, 0)
	h.bind(li, wang, "12", false, forAll())
	var his, hers []family.MessageID // newest first
	for i := range 5 {
		h.clock.add(time.Second)
		if i%2 == 0 {
			id := h.settle(pharmacy, h.byID(li), medicine(100)).Settlement.ID
			his = append([]family.MessageID{id}, his...)
		} else {
			id := h.settle(pharmacy, h.byID(wang), medicine(300)).Settlement.ID
			hers = append([]family.MessageID{id}, hers...)
		}
	}
	list := func(who family.PersonNo, role Role, limit int) (ids []family.MessageID) {
		t.Helper()
		for after, pages := "", 0; ; pages++ {
			if pages > 20 {
				t.Fatal("the pages do not end")
			}
			page := ok(h.Receipts(t.Context(), who, role, after, limit))(t)
			if len(page.Items) > limit {
				t.Fatalf("a page of %d has %d receipts", limit, len(page.Items))
			}
			for _, r := range page.Items {
				if r.Role != role {
					t.Fatalf("a receipt as %s is in the list as %s", r.Role, role)
				}
				ids = append(ids, r.Settlement.ID)
			}
			if after = page.Next; after == "" {
				return ids
			}
		}
	}
	for limit := 1; limit <= 4; limit++ {
		same(t, "he as the patient", list(li, AsPatient, limit), his)
		same(t, "he as the payer", list(li, AsPayer, limit), hers)
		same(t, "she as the patient", list(wang, AsPatient, limit), hers)
	}
	same(t, "she as the payer", list(wang, AsPayer, 3), []family.MessageID(nil))
	refused(h.Receipts(t.Context(), li, AsPatient, "x", 3))(t, family.Malformed)
}
