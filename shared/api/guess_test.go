package api

import (
	"strconv"
	"testing"
	"time"

	"gongji/shared/family"
)

// TestGuessingAtTheDoor: the sixth bad code within a minute hears when to come
// again, in its body and its header, and comes again under the same message id.
func TestGuessingAtTheDoor(t *testing.T) {
	h := fedHouse(t)
	ask := func(message, digits string) reply {
		return h.ask(h.place(hospital), "POST", "/v1/settlements", bill(message, digits))
	}
	for n := range 5 {
		if r := ask(h.messageID(hospital), family.QRDigits("0000000000000000"+strconv.Itoa(n))); heard(t, r) != "410 qr_invalid" {
			t.Fatalf("%d: %s", n, r.body)
		}
	}
	h.advance(15 * time.Second)
	digits := h.must(201, h.person(mother), "POST", "/v1/qr", map[string]any{})["digits"].(string)
	message := h.messageID(hospital)
	r := ask(message, digits)
	if p := r.json(t); heard(t, r) != "429 rate_limited" || r.header.Get("Retry-After") != "45" || p["retry_after"] != 45.0 || p["next"] != "retry_same_id" || p["kind"] != "malformed" {
		t.Errorf("Retry-After: %q\n%s", r.header.Get("Retry-After"), r.body)
	}
	if r := h.ask(h.place(otherPlace), "POST", "/v1/quotes", bill("", digits)); heard(t, r) != "200" {
		t.Errorf("another institution: %s", r.body)
	}
	h.advance(45 * time.Second) // the code's minute is not over: 45 of 60 s
	if r := ask(message, digits); heard(t, r) != "201" {
		t.Errorf("the same message after the pause: %s", r.body)
	}
}
