package his

import (
	"net/http"
	"testing"
	"time"

	"gongji/shared/throttle"
)

// TestRatesAtTheNationalDoor: the measure of an institution is counted once its
// signature is right, that of an address before anything is read.
func TestRatesAtTheNationalDoor(t *testing.T) {
	for _, text := range []string{"institution=0.05:2", "address=0.05:2"} {
		h := newHouse(t)
		rates, err := throttle.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		h.door = New(Options{App: h.App, Now: h.clock.Now, Gate: throttle.NewGate(rates, h.clock.Now)})
		ask := func() response { return h.send("1101", h.msgid(hospital), in{"data": in{}}) }
		for range 2 {
			if r := ask(); r.status == http.StatusTooManyRequests {
				t.Fatalf("%s: %d %s", text, r.status, r.body)
			}
		}
		r := ask()
		if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "20" {
			t.Errorf("%s: %d, Retry-After %q: %s", text, r.status, r.header.Get("Retry-After"), r.body)
		}
		h.clock.add(20 * time.Second)
		if r := ask(); r.status == http.StatusTooManyRequests {
			t.Errorf("%s: after the time that was told: %d %s", text, r.status, r.body)
		}
	}
}
