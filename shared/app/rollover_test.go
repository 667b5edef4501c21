package app

import (
	"sync"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// TestAYearTurnsOncePerPerson: what is left becomes surplus, with an entry in the chain;
// again, or by two operators at once, nothing; and only the year that it is.
func TestAYearTurnsOncePerPerson(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.pay(li, 300_00, 20_00)
	state := refused(h.Rollover(ctx, li, 2027))(t, family.StateForbids) // it is March 2026
	same(t, "the field", state.Field, "year")
	h.clock.now = time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC) // a second before midnight in China
	refused(h.Rollover(ctx, li, 2027))(t, family.StateForbids)
	h.clock.add(time.Second)
	refused(h.Rollover(ctx, li, 2026))(t, family.StateForbids)
	refused(h.Rollover(ctx, "P9999", 2027))(t, family.NotFound)

	var wg sync.WaitGroup
	fed := make([]Fed, 4)
	for i := range fed {
		wg.Go(func() { fed[i] = ok(h.Rollover(ctx, li, 2027))(t) })
	}
	wg.Wait()
	created := 0
	for _, f := range fed {
		if f == FedCreated {
			created++
		}
	}
	same(t, "how often it was done", created, 1)
	same(t, "the account", h.account(li).Balance, family.Pockets{Past: 320_00})
	before := h.dump()
	same(t, "again", ok(h.Rollover(ctx, li, 2027))(t), FedUnchanged)
	h.clock.add(400 * 24 * time.Hour) // a line of an old feed
	same(t, "much later", ok(h.Rollover(ctx, li, 2027))(t), FedUnchanged)
	h.wantNothingMoved(before)

	entries := ok(h.Entries(ctx, li, "", 10))(t).Items
	same(t, "the entry", entries[0].Kind, family.RolledOver)
	same(t, "what moved", entries[0].Delta, family.Pockets{Current: -300_00, Past: 300_00})
	if receipts := ok(h.Receipts(ctx, li, AsPayer, "", 10))(t); len(receipts.Items) > 0 {
		t.Errorf("the turn of a year has a receipt: %+v", receipts.Items)
	}
	h.prove()
}

// TestALateTurnLeavesTheNewYearsMoney: the law's reckoning, over an account's own entries,
// more of them than one page holds.
func TestALateTurnLeavesTheNewYearsMoney(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 100_00, 0)
	h.clock.now = time.Date(2027, 1, 2, 4, 0, 0, 0, time.UTC)
	for range 60 {
		h.pay(li, 1_00, 0)
	}
	ok(h.Rollover(t.Context(), li, 2027))(t)
	same(t, "the account", h.account(li).Balance, family.Pockets{Current: 60_00, Past: 100_00})
	h.prove()
}

// TestALostTurnIsMended: its cause is written again from its entry, and its entry from
// its cause, as a turn and not as a credit.
func TestALostTurnIsMended(t *testing.T) {
	for what, key := range map[string]store.Key{
		"the cause": creditKey(family.RolloverReference(li, 2026)).storeKey(),
		"the entry": entryKey(li, 2).storeKey(),
	} {
		t.Run(what, func(t *testing.T) {
			h := newHouse(t)
			h.pay(li, 100_00, 5_00)
			ok(h.Rollover(t.Context(), li, 2026))(t)
			body := h.unstamped(key, h.dump()[key])
			h.restore(key, row{})
			if len(h.table().Faults) == 0 {
				t.Fatal("nobody misses it")
			}
			h.repairAll()
			if is := h.dump(); h.unstamped(key, is[key]) != body {
				t.Errorf("%s is\n%s\nand was\n%s", what, is[key].Body, body)
			}
			h.prove()
		})
	}
}
