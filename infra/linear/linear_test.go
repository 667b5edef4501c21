package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// at returns an event that lasted from one moment to another.
func at(call, back int, r request, a answer) event {
	return event{call: time.Duration(call), back: time.Duration(back), request: r, answer: a}
}

// TestTheModelRefuses holds histories that are as they should be, and others that
// are not: each differs by one thing that somebody heard or when.
func TestTheModelRefuses(t *testing.T) {
	sale := request{kind: settles, person: mother, message: 0, price: 3000, quantity: 2, code: 0, box: none, binding: none}
	second := sale
	second.message = 1
	byCard := sale
	byCard.code = none
	back := request{kind: refunds, person: mother, message: 1, of: 0, price: 3000, quantity: 2, code: none, box: none}
	code := request{kind: issues, code: 0}
	ok, shared := answer{heard: true}, answer{heard: true, shares: [grantors]int64{6000}}
	left := func(fen int64) answer { return answer{heard: true, fen: fen} }
	says := func(what string) answer { return answer{heard: true, what: what} }
	read := request{kind: reads, person: daughter}
	ration := func(message, packs int) request {
		return request{kind: settles, person: mother, message: message, price: 3000, quantity: packs, code: none, box: none, limited: true}
	}
	paid, more := shared, answer{heard: true, shares: [grantors]int64{9000}}
	holds(t, hunan, []story{
		{"one after another", []event{at(1, 2, code, ok), at(3, 4, sale, shared), at(5, 6, read, left(money-6_000))}, true},
		{"a read of before", []event{at(1, 2, code, ok), at(3, 4, sale, shared), at(5, 6, read, left(money))}, false},
		{"a read while it happens", []event{at(1, 2, code, ok), at(3, 6, sale, shared), at(4, 5, read, left(money))}, true},
		{"a code twice", []event{at(1, 2, code, ok), at(3, 5, sale, shared), at(4, 6, second, shared)}, false},
		{"a code once", []event{at(1, 2, code, ok), at(3, 5, sale, shared), at(4, 6, second, says("qr_spent"))}, true},
		{"a message twice", []event{at(1, 2, byCard, shared), at(3, 4, byCard, shared), at(5, 6, read, left(money-12_000))}, false},
		{"a message again", []event{at(1, 2, byCard, shared), at(3, 4, byCard, answer{heard: true, shares: shared.shares, replay: true}), at(5, 6, read, left(money-6_000))}, true},
		{"paid after both ends", []event{at(1, 2, request{kind: ends}, ok), at(3, 4, request{kind: ends, binding: 1}, ok), at(5, 6, byCard, shared)}, false},
		{"paid by who ended it", []event{at(1, 2, request{kind: ends}, ok), at(3, 4, byCard, shared), at(5, 6, read, left(money-6_000))}, false},
		{"paid by the other", []event{at(1, 2, request{kind: ends}, ok), at(3, 4, byCard, shared), at(5, 6, read, left(money))}, true},
		{"paid while it ends", []event{at(1, 4, request{kind: ends}, ok), at(3, 5, byCard, shared)}, true},
		{"beyond the cap", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, byCard, shared)}, false},
		{"up to the cap", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, byCard, answer{heard: true, shares: [grantors]int64{500, 5500}})}, true},
		{"one cap, and the other pays nothing", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, byCard, answer{heard: true, shares: [grantors]int64{500}, cash: 5500})}, false},
		{"both caps", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, request{kind: limits, binding: 1, fen: 700}, ok), at(5, 6, byCard, answer{heard: true, shares: [grantors]int64{500, 700}, cash: 4800})}, true},
		{"the second pays first", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, request{kind: limits, binding: 1, fen: 700}, ok), at(5, 6, byCard, answer{heard: true, shares: [grantors]int64{700, 500}, cash: 4800})}, false},
		{"who is back pays last", []event{at(1, 2, request{kind: limits, binding: 1, fen: 700}, ok), at(3, 4, request{kind: ends}, ok), at(5, 6, request{kind: accepts, binding: 2}, ok), at(7, 8, byCard, answer{heard: true, shares: [grantors]int64{700, 5300}})}, true},
		{"who is back pays first", []event{at(1, 2, request{kind: limits, binding: 1, fen: 700}, ok), at(3, 4, request{kind: ends}, ok), at(5, 6, request{kind: accepts, binding: 2}, ok), at(7, 8, byCard, shared)}, false},
		{"back to the last who paid", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, byCard, answer{heard: true, shares: [grantors]int64{500, 5500}}), at(5, 6, back, answer{heard: true, shares: [grantors]int64{-3000}}), at(7, 8, read, left(money-500))}, true},
		{"back to the first who paid", []event{at(1, 2, request{kind: limits, fen: 500}, ok), at(3, 4, byCard, answer{heard: true, shares: [grantors]int64{500, 5500}}), at(5, 6, back, answer{heard: true, shares: [grantors]int64{-500, -2500}}), at(7, 8, read, left(money))}, false},
		{"a fence that does not hold", []event{at(1, 2, request{kind: asks}, says("fenced")), at(3, 4, byCard, shared)}, false},
		{"a fence beside", []event{at(1, 4, request{kind: asks, quantity: 2}, answer{heard: true, what: "settled", shares: shared.shares}), at(2, 3, byCard, shared)}, true},
		{"unknown and done", []event{at(1, 2, byCard, answer{}), at(3, 4, read, left(money-6_000)), at(5, 6, request{kind: asks, quantity: 2}, answer{heard: true, what: "settled", shares: shared.shares})}, true},
		{"unknown and done later", []event{at(1, 2, byCard, answer{}), at(3, 4, read, left(money)), at(5, 6, request{kind: asks, quantity: 2}, answer{heard: true, what: "settled", shares: shared.shares})}, true},
		{"unknown and done in between alone", []event{at(1, 2, byCard, answer{}), at(3, 4, read, left(money-6_000)), at(5, 6, request{kind: asks}, says("fenced"))}, false},
		{"unknown and never done", []event{at(1, 2, byCard, answer{}), at(3, 4, read, left(money)), at(5, 6, request{kind: asks}, says("fenced"))}, true},
		{"up to the ration", []event{at(1, 2, ration(0, 2), paid), at(3, 4, ration(1, 3), more), at(5, 6, ration(2, 1), says("quantity_limit"))}, true},
		{"beyond the ration", []event{at(1, 2, ration(0, 3), more), at(3, 4, ration(1, 3), more)}, false},
		{"beyond the ration at once", []event{at(1, 4, ration(0, 3), more), at(2, 3, ration(1, 3), more)}, false},
		{"a ration comes back", []event{
			at(1, 2, ration(0, 3), more), at(3, 4, ration(1, 3), says("quantity_limit")),
			at(5, 6, request{kind: refunds, person: mother, message: 2, of: 0, price: 3000, quantity: 3, code: none, box: none, limited: true}, answer{heard: true, shares: [grantors]int64{-3000}}), at(7, 8, ration(3, 3), more),
		}, true},
		{"another order", []event{at(1, 2, request{kind: orders, order: [grantors]int16{1, 0}}, ok), at(3, 4, byCard, shared), at(5, 6, read, left(money))}, true},
		{"no other order", []event{at(1, 2, request{kind: orders, order: [grantors]int16{1, 0}}, ok), at(3, 4, byCard, shared), at(5, 6, read, left(money-6_000))}, false},
		{"the order of who is gone", []event{at(1, 2, request{kind: ends}, ok), at(3, 4, request{kind: orders, order: [grantors]int16{1, 0}}, says("malformed"))}, true},
		{"busy and done", []event{at(1, 2, byCard, answer{what: nothing}), at(3, 4, read, left(money-6_000))}, false},
		{"a pack back", []event{at(1, 2, byCard, shared), at(3, 4, back, answer{heard: true, shares: [grantors]int64{-3000}}), at(5, 6, read, left(money-3_000))}, true},
		{"a pack back to nobody", []event{at(1, 2, byCard, shared), at(3, 4, back, answer{heard: true, shares: [grantors]int64{-3000}}), at(5, 6, read, left(money-6_000))}, false},
	})
}

// story is a small history, and whether there is an order that explains it.
type story struct {
	name    string
	history []event
	is      bool
}

func holds(t *testing.T, under law, stories []story) {
	t.Helper()
	for _, c := range stories {
		k := &kin{law: under, messages: make([]*sent, 4), codes: make([]*shown, 1), credits: make([]*sent, 1), bindings: []bond{{holder: daughter}, {holder: sister}, {holder: daughter}}, history: c.history}
		if _, err := k.check(t.TempDir()); (err == nil) != c.is {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestTheModelWaits holds histories of sales that wait for a grantor's word.
func TestTheModelWaits(t *testing.T) {
	large := request{kind: settles, person: mother, message: 0, price: 350_000, quantity: 2, code: 0, box: none}
	second := request{kind: settles, person: mother, message: 1, price: 3000, quantity: 2, code: 0, box: none}
	small, spends := second, second
	small.code, spends.code, spends.price = none, none, 50_000
	byCode, look := request{kind: issues, code: 0}, request{kind: looks, code: 0}
	asksLarge := request{kind: asks, quantity: 2}
	yes, no, other := request{kind: approves, person: daughter}, request{kind: declines, person: daughter}, request{kind: approves, person: sister}
	ok, paid := answer{heard: true}, answer{heard: true, shares: [grantors]int64{700_000}}
	left := func(fen int64) answer { return answer{heard: true, fen: fen} }
	says := func(what string) answer { return answer{heard: true, what: what} }
	read := request{kind: reads, person: daughter}
	holds(t, shenzhen, []story{
		{"waits and settles", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(7, 8, asksLarge, says(confirmed)), at(9, 10, large, paid)}, true},
		{"settles before the word", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, large, paid), at(7, 8, yes, says("approved"))}, false},
		{"settles unasked", []event{at(1, 2, byCode, ok), at(3, 4, large, paid)}, false},
		{"settles after the no", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(7, 8, no, says("declined")), at(9, 10, large, paid)}, false},
		{"a no beside", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(7, 10, no, says("state_forbids")), at(8, 9, large, paid)}, true},
		{"a no to what was settled", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(7, 10, no, says("declined")), at(8, 9, large, paid)}, false},
		{"declined", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, no, says("declined")), at(7, 8, large, answer{heard: true, what: declined, replay: true}), at(9, 10, yes, says("state_forbids"))}, true},
		{"another's word", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, other, says("not_found")), at(7, 8, large, answer{heard: true, what: needed, replay: true})}, true},
		{"a held code", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, look, says("held")), at(7, 8, second, says("qr_spent"))}, true},
		{"a held code settles", []event{at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, second, answer{heard: true, shares: [grantors]int64{6000}})}, false},
		{"a held code whose link has ended", []event{
			at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(7, 8, request{kind: ends}, ok), at(9, 10, large, says("qr_replaced")), at(11, 12, yes, says("withdrawn")),
		}, true},
		{"taken out of its wait", []event{
			at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, request{kind: reverses, message: 1, code: none, box: none}, says("original_unknown")), at(7, 8, large, says("message_fenced")),
		}, true},
		{"no more than was approved", []event{
			at(1, 2, byCode, ok), at(3, 4, request{kind: credits, person: mother, fen: 100_000}, ok), at(5, 6, large, says(needed)), at(7, 8, yes, says("approved")),
			at(9, 10, spends, answer{heard: true, own: 100_000}), at(11, 12, large, answer{heard: true, shares: [grantors]int64{600_000, 100_000}}),
		}, true},
		{"an unknown began its wait and an unknown ended it", []event{
			at(1, 2, byCode, ok), at(3, 4, large, answer{}), at(5, 6, yes, says("approved")), at(7, 8, large, answer{}), at(9, 10, asksLarge, answer{heard: true, what: "settled", shares: paid.shares}),
		}, true},
		{"nobody sent it after the word", []event{
			at(1, 2, byCode, ok), at(3, 4, large, says(needed)), at(5, 6, yes, says("approved")), at(9, 10, asksLarge, answer{heard: true, what: "settled", shares: paid.shares}),
		}, false},
		{"the fullest account first", []event{at(1, 2, request{kind: credits, person: sister, fen: 1}, ok), at(3, 4, small, answer{heard: true, shares: [grantors]int64{6000}}), at(5, 6, read, left(money))}, true},
		{"the oldest grant first", []event{at(1, 2, request{kind: credits, person: sister, fen: 1}, ok), at(3, 4, small, answer{heard: true, shares: [grantors]int64{6000}}), at(5, 6, read, left(money-6_000))}, false},
	})
}

// seedOfTests is what the tests here begin with; the long forms draw their own.
const seedOfTests = 20260318

// TestClients is the campaign's shortest form, and shows that it can fail: the same
// history is refused when one of those who read a balance had heard another.
func TestClients(t *testing.T) {
	folder := t.TempDir()
	c := campaign{rounds: 1, clients: 12, families: 4, things: 10, servers: 1, seed: seedOfTests, folder: folder}
	if err := c.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.histories+c.undecided == 0 && c.void == 0 {
		t.Error("nothing was looked at")
	}
	for _, k := range c.last {
		last := &k.history[len(k.history)-1]
		if last.answer.fen++; last.request.kind != reads {
			t.Fatalf("the last request reads nothing: %v", last.request)
		}
		if _, err := k.check(folder); err == nil || !strings.Contains(err.Error(), "not linearizable") {
			t.Errorf("a fen too much was read, and: %v", err)
		}
	}
}

// TestPlants tells that every planted bug can be planted still; `make linear` shows
// that each is found.
func TestPlants(t *testing.T) {
	for _, p := range plants {
		text, err := os.ReadFile("../../" + p.file)
		if err != nil || strings.Count(string(text), p.old) != 1 {
			t.Errorf("%s: %s: %v", p.file, p.breaks, err)
		}
	}
}
