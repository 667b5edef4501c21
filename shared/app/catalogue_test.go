package app

import (
	"fmt"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// TestABillOfSixtyLinesIsPricedInTwoRounds: however many lines and limits, a till waits
// for two rounds of reads: what it named, and the patient with what he bought and who
// pays for him.
func TestABillOfSixtyLinesIsPricedInTwoRounds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.pay(li, 1_000_000, 0)
	link := h.bind(li, ming, "20", true, forAll())
	var plain, limited []family.Line
	for i := range family.MaxLines {
		code := fmt.Sprintf("XP%06d", i)
		item := family.Item{Code: code, Name: "货品", ListType: "101", Class: family.ClassA, From: 20200101}
		ok(h.FeedItem(ctx, item))(t)
		plain = append(plain, line(i+1, code, 1, 100))
		item.Code = fmt.Sprintf("XL%06d", i)
		item.Limits = &family.Limits{MaxAge: 17, PeriodDays: 30, PeriodQuantity: 2_0000}
		ok(h.FeedItem(ctx, item))(t)
		limited = append(limited, line(i+1, item.Code, 1, 100))
	}
	for _, c := range []struct {
		what  string
		lines []family.Line
	}{{"plain goods", plain}, {"goods with limits", limited}} {
		for _, again := range []string{"a process that knows nothing", "one that knows them"} {
			code := h.show(li, link)
			counted, calls := h.watched()
			if again == "one that knows them" {
				ok(counted.Quote(ctx, pharmacy, SettleAsk{Credential: byQR(code.Digits), Bill: bill(family.PharmacyBuy, c.lines...)}))(t)
			}
			before := calls.Calls(storetest.Get)
			out := ok(counted.Quote(ctx, pharmacy, SettleAsk{Credential: byQR(code.Digits), Bill: bill(family.PharmacyBuy, c.lines...)}))(t)
			same(t, c.what, partsOf(out), parts{Total: 6000, Shared: 6000})
			most := 2
			if before == 0 {
				most = 3 // whether the day's rules are closed, once a day in a process
			}
			if rounds := calls.Calls(storetest.Get) - before; rounds > most {
				t.Errorf("%s, %s: %d rounds of reads", c.what, again, rounds)
			}
		}
	}
}

// TestTheCatalogueOfTheDayPrices: a process that remembers an item prices by the version
// of the day and sees at once what another process fed in.
func TestTheCatalogueOfTheDayPrices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	item := func(from, to family.Day, class family.Class) family.Item {
		return family.Item{Code: "XV000001", Name: "换类药", ListType: "101", Class: class, From: from, To: to}
	}
	ok(h.FeedItem(ctx, item(20200101, 20260312, family.ClassA)))(t)
	ok(h.FeedItem(ctx, item(20260314, 0, family.ClassC)))(t)
	quote := func() (Outcome, error) {
		return h.Quote(ctx, hospital, SettleAsk{Credential: h.byID(zhou), Bill: bill(family.Outpatient, line(1, "XV000001", 1, 10000))})
	}
	classOn := func(what string, want family.Class) {
		t.Helper()
		same(t, what, ok(quote())(t).Settlement.Lines[0].Class, want)
	}
	classOn("12 March", family.ClassA)
	h.clock.now = time.Date(2026, 3, 12, 15, 59, 59, 0, time.UTC) // a second before midnight in China
	classOn("its last second", family.ClassA)
	h.clock.add(time.Second)
	refused(quote())(t, family.ItemNotCovered) // on the 13th none is in force
	h.clock.add(24 * time.Hour)
	classOn("14 March", family.ClassC)

	other := h.over(h.store)
	now := item(20260314, 0, family.ClassB)
	now.SelfPay = map[family.Insutype]family.Ratio{family.Employee: 1000}
	ok(other.FeedItem(ctx, now))(t)
	classOn("after another process fed it", family.ClassB)
}

// TestAMemoryIsBounded: however many items are sold, a process remembers so many, and
// prices the rest all the same.
func TestAMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m memory[int]
	for i := range 3 * remembers {
		m.put(store.Key{Part: "ITEM", Sort: fmt.Sprint(i)}, decoded[int]{1, i})
	}
	same(t, "remembered", len(m.records), remembers)
	last := store.Key{Part: "ITEM", Sort: fmt.Sprint(3*remembers - 1)}
	same(t, "the newest", m.records[last].value, 3*remembers-1)
	m.put(last, decoded[int]{2, 7})
	same(t, "the same again", len(m.records), remembers)
	same(t, "its newer version", m.records[last].value, 7)
}
