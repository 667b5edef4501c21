package api

import (
	"strconv"
	"testing"
	"time"

	"gongji/shared/throttle"
)

// limited puts rates in front of a house, by its own clock.
func (h *house) limited(text string) {
	h.t.Helper()
	rates, err := throttle.Parse(text)
	if err != nil {
		h.t.Fatal(err)
	}
	h.door.gate = throttle.NewGate(rates, h.clock)
}

// TestRatesAtTheDoor: a subject, an institution and an address have each their own
// measure; who is above it hears 429 and when to come again, nothing is done for him,
// and nobody else is kept waiting.
func TestRatesAtTheDoor(t *testing.T) {
	me := func(h *house, no string) reply { return h.ask(h.person(no), "GET", "/v1/me", nil) }
	quote := func(h *house, place, sub string) reply {
		b := bill("", "")
		b["credential"] = map[string]any{"type": "id", "value": the(mother).id, "name": the(mother).name}
		return h.ask(h.token(map[string]any{"fixmedins_code": place, "sub": sub}), "POST", "/v1/quotes", b)
	}
	for what, c := range map[string]struct {
		rates      string
		one, other func(*house) reply // other is nil where nobody is spared
	}{
		"subject": {
			"subject=0.05:3",
			func(h *house) reply {
				return h.ask(h.token(map[string]any{"person_no": mother, "sub": "a"}), "GET", "/v1/me", nil)
			},
			func(h *house) reply {
				return h.ask(h.token(map[string]any{"person_no": mother, "sub": "b"}), "GET", "/v1/me", nil)
			},
		},
		"institution, whoever acts for it": {
			"institution=0.05:3",
			func(h *house) reply { h.serial++; return quote(h, hospital, "till-"+strconv.Itoa(h.serial)) },
			func(h *house) reply { return quote(h, otherPlace, "till") },
		},
		"address, whoever asks":      {"address=0.05:3", func(h *house) reply { return me(h, father) }, nil},
		"address, with bad tokens":   {"address=0.05:3", func(h *house) reply { return h.ask("garbage", "GET", "/v1/me", nil) }, nil},
		"address, where no route is": {"address=0.05:3", func(h *house) reply { return h.send("", "GET", "/nowhere", nil) }, nil},
	} {
		h := fedHouse(t)
		h.limited(c.rates)
		for n := range 3 {
			if r := c.one(h); r.status == 429 {
				t.Fatalf("%s: request %d: %s", what, n, r.body)
			}
		}
		before := h.commits()
		r := c.one(h)
		if p := r.json(t); heard(t, r) != "429 rate_limited" || r.header.Get("Retry-After") != "20" || p["retry_after"] != 20.0 || p["kind"] != "malformed" {
			t.Errorf("%s: Retry-After %q\n%s", what, r.header.Get("Retry-After"), r.body)
		}
		if h.commits() != before {
			t.Errorf("%s: something was written", what)
		}
		if c.other != nil {
			if r := c.other(h); r.status != 200 {
				t.Errorf("%s: somebody else: %s", what, r.body)
			}
		}
		h.advance(20 * time.Second)
		if r := c.one(h); r.status == 429 {
			t.Errorf("%s: after the time that was told: %s", what, r.body)
		}
	}
}
