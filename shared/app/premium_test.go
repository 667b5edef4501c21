package app

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// owes feeds what a person owes in the days around noon, and returns what it is called.
func (h *house) owes(p family.PersonNo, kind family.PremiumKind, year int, amount family.Fen) family.PremiumID {
	h.t.Helper()
	ok(h.FeedPremium(h.t.Context(), family.Premium{Person: p, Kind: kind, Year: year, Amount: amount, From: 20260301, To: 20260630}))(h.t)
	owed, _, err := one(h.t.Context(), h.App, owedKey(p, year, kind))
	return family.PremiumID(ok(owed, err)(h.t).To)
}

// counted feeds an item of which nobody buys more than so many in so many days.
func (h *house) counted(code string, days, quantity int) {
	h.t.Helper()
	ok(h.FeedItem(h.t.Context(), family.Item{
		Code: code, Name: "限量药", ListType: "101", Class: family.ClassA, From: 20200101,
		Limits: &family.Limits{PeriodDays: days, PeriodQuantity: family.Quantity(quantity) * 10_000},
	}))(h.t)
}

// draftText is the file of Changsha as another version from tomorrow on.
func draftText(t testing.TB, version string, edits ...string) string {
	t.Helper()
	text, err := os.ReadFile("../policy/regions/430100.json")
	if err != nil {
		t.Fatal(err)
	}
	edits = append([]string{`"version": "2026-01"`, `"version": "` + version + `"`, `"from": "20260101"`, `"from": "20260313"`}, edits...)
	return strings.NewReplacer(edits...).Replace(string(text))
}

// forPremiums are terms that let the account pay premiums too.
func forPremiums() *family.Terms { return &family.Terms{Purposes: family.Purposes} }

// TestAPremiumIsPaidOnce: from the grantor's account by his own act, whole, once
// whoever pays and however often he asks; it goes back to where it came from.
func TestAPremiumIsPaidOnce(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 30000, 25000)
	h.pay(lijun, 90000, 0)
	byLi := h.bind(li, chen, "52", false, forPremiums())
	byJun := h.bind(lijun, chen, "52", false, forPremiums())
	refused(h.PayPremium(t.Context(), li, PremiumAsk{byLi, family.ResidentPremium, 2027, 40000}, Once{}))(t, family.NotFound)
	id := h.owes(chen, family.ResidentPremium, 2027, 40000)
	same(t, "owed again", ok(h.FeedPremium(t.Context(), family.Premium{Person: chen, Kind: family.ResidentPremium, Year: 2027, Amount: 40000, From: 20260301, To: 20260630}))(t), FedUnchanged)

	ask := PremiumAsk{byLi, family.ResidentPremium, 2027, 40000}
	refused(h.PayPremium(t.Context(), chen, ask, Once{}))(t, family.NotFound) // the holder's account, and his act
	refused(h.PayPremium(t.Context(), li, PremiumAsk{byLi, family.ResidentPremium, 2027, 39999}, Once{}))(t, family.QuoteStale)
	paid := ok(h.PayPremium(t.Context(), li, ask, Once{Key: "k", Content: ask}))(t)
	if paid.Replay || paid.Answer.Premium.Standing() != 1 {
		t.Fatalf("%+v", paid)
	}
	same(t, "his account", ok(h.Account(t.Context(), li))(t).Balance, family.Pockets{Past: 15000})
	for what, o := range map[string]Once{"the same key": {Key: "k", Content: ask}, "no key": {}, "another key": {Key: "k2", Content: ask}} {
		if again := ok(h.PayPremium(t.Context(), li, ask, o))(t); !again.Replay || again.Answer.Premium.ID != id {
			t.Errorf("%s: %+v", what, again)
		}
	}
	refused(h.PayPremium(t.Context(), lijun, PremiumAsk{byJun, family.ResidentPremium, 2027, 40000}, Once{}))(t, family.PremiumNotDue)
	refused(h.FeedPremium(t.Context(), family.Premium{Person: chen, Kind: family.ResidentPremium, Year: 2027, Amount: 41000, From: 20260301, To: 20260630}))(t, family.StateForbids)
	seen := ok(h.Premiums(t.Context(), li, byLi))(t)
	if len(seen) != 1 || seen[0].Premium.Standing() != 1 || seen[0].Masked == "" {
		t.Errorf("%+v", seen)
	}
	h.prove()

	// Back, though the grant has ended.
	ok(h.EndBinding(t.Context(), li, byLi))(t)
	ok(h.RefundPremium(t.Context(), anna, id))(t)
	refused(h.RefundPremium(t.Context(), anna, id))(t, family.AlreadyReversed)
	same(t, "his account again", ok(h.Account(t.Context(), li))(t).Balance, family.Pockets{Current: 30000, Past: 25000})
	// A repeat that comes late does not pay once more: it gets its first answer.
	if late := ok(h.PayPremium(t.Context(), li, ask, Once{Key: "k", Content: ask}))(t); !late.Replay {
		t.Error("a repeat after the refund paid again")
	}
	refused(h.PayPremium(t.Context(), li, ask, Once{}))(t, family.GrantNone)
	refused(h.Premiums(t.Context(), li, byLi))(t, family.StateForbids)
	ok(h.PayPremium(t.Context(), lijun, PremiumAsk{byJun, family.ResidentPremium, 2027, 40000}, Once{}))(t)
	same(t, "the other's account", ok(h.Account(t.Context(), lijun))(t).Balance, family.Pockets{Current: 50000})
	h.prove()
	for _, p := range []family.PersonNo{li, lijun} {
		if faults := ok(h.ProveAccount(t.Context(), p))(t).Faults; len(faults) > 0 {
			t.Errorf("%s: %v", p, faults)
		}
	}
}

// TestTwoPayOnePremium: of two who pay at once one does.
func TestTwoPayOnePremium(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 50000, 0)
	h.pay(lijun, 50000, 0)
	bindings := map[family.PersonNo]family.BindingID{li: h.bind(li, chen, "52", false, forPremiums()), lijun: h.bind(lijun, chen, "52", false, forPremiums())}
	h.owes(chen, family.ResidentPremium, 2027, 40000)
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		got  = map[family.Code]int{}
	)
	for p, id := range bindings {
		for range 3 {
			wait.Go(func() {
				_, err := h.PayPremium(t.Context(), p, PremiumAsk{id, family.ResidentPremium, 2027, 40000}, Once{})
				mu.Lock()
				defer mu.Unlock()
				got[codeOf(err)]++
			})
		}
	}
	wait.Wait()
	same(t, "who paid", got, map[family.Code]int{"": 3, family.PremiumNotDue: 3})
	same(t, "both accounts", ok(h.Account(t.Context(), li))(t).Balance.Total()+ok(h.Account(t.Context(), lijun))(t).Balance.Total(), family.Fen(60000))
	h.prove()
}

// TestAPremiumIsProved: what of its records is gone or changed is seen, and an entry is
// written again from the premium.
func TestAPremiumIsProved(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 50000, 0)
	byLi := h.bind(li, chen, "52", false, forPremiums())
	id := h.owes(chen, family.ResidentPremium, 2027, 40000)
	ok(h.PayPremium(t.Context(), li, PremiumAsk{byLi, family.ResidentPremium, 2027, 40000}, Once{}))(t)
	h.clock.add(24 * time.Hour)
	ok(h.RefundPremium(t.Context(), anna, id))(t)
	account := ok(h.Account(t.Context(), li))(t)
	for _, seq := range []uint64{account.Seq, account.Seq - 1} {
		h.restore(store.Key(entryKey(li, seq)), row{})
		if done := h.repairAll().Done; len(done) == 0 {
			t.Fatal("an entry that was lost is not written again")
		}
		h.prove()
	}
	h.restore(store.Key(premiumKey(id)), row{})
	if faults := ok(h.ProveAccount(t.Context(), li))(t).Faults; len(faults) == 0 {
		t.Error("a premium was lost, and nobody saw")
	}
	if done := h.repairAll().Done; len(done) == 0 {
		t.Error("a lost premium is not set apart")
	}
	if faults := h.table().Faults; len(faults) > 0 {
		t.Errorf("after the repair: %v", faults)
	}
	if _, err := h.RefundPremium(t.Context(), anna, id); !errors.Is(err, errLost) {
		t.Errorf("of what was lost it is said: %v", err)
	}
}
