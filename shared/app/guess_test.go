package app

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store/storetest"
)

// neverIssued returns codes that read well and that nobody was issued.
func neverIssued(n int) string { return family.QRDigits(fmt.Sprintf("%017d", n)) }

// TestGuessingCodesIsStopped: after five bad codes in a minute a place's codes are
// not looked at, good ones neither; nothing else of it is held up, nobody else is,
// and after the pause the very same message is carried out.
func TestGuessingCodesIsStopped(t *testing.T) {
	for name, send := range map[string]func(*house, family.InstitutionCode, string) error{
		"by settlements": func(h *house, place family.InstitutionCode, digits string) error {
			_, err := h.Settle(h.t.Context(), place, SettleAsk{Message: h.message(place), Credential: byQR(digits), Bill: medicine(100)})
			return err
		},
		"by quotes": func(h *house, place family.InstitutionCode, digits string) error {
			_, err := h.Quote(h.t.Context(), place, SettleAsk{Credential: byQR(digits), Bill: medicine(100)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.pay(wang, 10000, 0)
			for n := range 5 {
				same(t, "a bad code", codeOf(send(h, pharmacy, neverIssued(n))), family.QRInvalid)
			}
			good := h.show(wang, "")
			ask := SettleAsk{Message: h.message(pharmacy), Credential: byQR(good.Digits), Bill: medicine(100)}
			before := h.dump()
			refusal := refused(h.Settle(t.Context(), pharmacy, ask))(t, family.RateLimited)
			same(t, "how long to wait", refusal.RetryAfter, 60)
			refused(h.Quote(t.Context(), pharmacy, ask))(t, family.RateLimited)
			same(t, "one bad code more", codeOf(send(h, pharmacy, neverIssued(9))), family.RateLimited)
			h.wantNothingMoved(before) // so the same message may come again

			ok(h.Quote(t.Context(), clinic, SettleAsk{Credential: byQR(good.Digits), Bill: medicine(100)}))(t)
			h.settle(pharmacy, h.byID(wang), medicine(100)) // another credential is no guess

			h.clock.add(59 * time.Second)
			same(t, "a second before its end", refused(h.Settle(t.Context(), pharmacy, ask))(t, family.RateLimited).RetryAfter, 1)
			h.clock.add(time.Second)
			refused(h.Settle(t.Context(), pharmacy, ask))(t, family.QRExpired) // taken up: the code had a minute
			ok(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(h.show(wang, "").Digits), Bill: medicine(100)}))(t)
			h.prove()
		})
	}
}

// TestASlipIsNoGuess: digits that do not fit together were typed wrongly, as often as
// it takes.
func TestASlipIsNoGuess(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	good := h.show(wang, "")
	for range 20 {
		refused(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(misread(good.Digits)), Bill: medicine(100)}))(t, family.QRInvalid)
	}
	h.settle(pharmacy, byQR(good.Digits), medicine(100))
}

// TestAnAnswerIsRepeatedInThePauseToo: the pause is for codes, not for messages that
// were answered before it.
func TestAnAnswerIsRepeatedInThePauseToo(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: byQR(h.show(wang, "").Digits), Bill: medicine(100)}
	first := ok(h.Settle(t.Context(), pharmacy, ask))(t)
	var bad SettleAsk
	for n := range 5 {
		bad = SettleAsk{Message: h.message(pharmacy), Credential: byQR(neverIssued(n)), Bill: medicine(100)}
		refused(h.Settle(t.Context(), pharmacy, bad))(t, family.QRInvalid)
	}
	again := ok(h.Settle(t.Context(), pharmacy, ask))(t)
	same(t, "the answer again", again.Settlement, first.Settlement)
	refused(h.Settle(t.Context(), pharmacy, bad))(t, family.QRInvalid)
	ok(h.Reverse(t.Context(), pharmacy, ask.Message, h.message(pharmacy), "退药"))(t)
}

// TestNoBadCodeIsToldUncounted: of many bad codes sent at once no more are told that
// they are bad than a minute allows. The rest hear of the pause, or that the house
// was too busy to look.
func TestNoBadCodeIsToldUncounted(t *testing.T) {
	h := newHouse(t)
	var told, paused, busy atomic.Int64
	together(24, func(n int) {
		_, err := h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(neverIssued(n)), Bill: medicine(100)})
		switch codeOf(err) {
		case family.QRInvalid:
			told.Add(1)
		case family.RateLimited:
			paused.Add(1)
		case family.Busy:
			busy.Add(1)
		default:
			t.Error(err)
		}
	})
	if told.Load() > 5 || told.Load() == 0 || told.Load()+paused.Load()+busy.Load() != 24 {
		t.Errorf("%d told, %d paused, %d busy", told.Load(), paused.Load(), busy.Load())
	}
}

// TestAGoodCodeMeetsNobodyOnTheCount: the good path reads the count, and neither
// writes it nor depends on it: a bad code that is counted in the gap before its
// commit does not make it look again.
func TestAGoodCodeMeetsNobodyOnTheCount(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	guess := func() {
		refused(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(neverIssued(1)), Bill: medicine(100)}))(t, family.QRInvalid)
	}
	guess()
	ask := SettleAsk{Message: h.message(pharmacy), Credential: byQR(h.show(wang, "").Digits), Bill: medicine(100)}
	a, calls := h.inTheGap(guess)
	ok(a.Settle(t.Context(), pharmacy, ask))(t)
	same(t, "commits", calls.Calls(storetest.Commit), 1)
	record, _, err := one(t.Context(), h.App, guessesKey(pharmacy))
	same(t, "bad codes that count", len(ok(record, err)(t).Guesses.Bad), 2)
}
