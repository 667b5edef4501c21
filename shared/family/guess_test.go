package family_test

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// TestGuesses: so many bad codes in a minute, then a pause for good codes too, and
// then all begins anew. A minute is counted back from each bad code.
func TestGuesses(t *testing.T) {
	p := samplePolicy()
	p.BadCodes, p.BadCodesPause = 3, 20*time.Second
	start := time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	for _, c := range []struct {
		why    string
		bad    []int // seconds
		now    int
		paused int // seconds left; 0 may try
	}{
		{"nothing yet", nil, 0, 0},
		{"one fewer than allowed", []int{0, 1}, 1, 0},
		{"as many as allowed", []int{0, 1, 2}, 2, 20},
		{"at the same moment", []int{5, 5, 5}, 5, 20},
		{"the last second of the pause", []int{0, 1, 2}, 21, 1},
		{"after the pause", []int{0, 1, 2}, 22, 0},
		{"a minute lies between the first and the third", []int{0, 1, 60}, 60, 0},
		{"a second less", []int{0, 1, 59}, 59, 20},
		{"the pause counts anew", []int{0, 1, 2, 22, 23}, 23, 0},
		{"and comes again", []int{0, 1, 2, 22, 23, 24}, 24, 20},
		{"one a half minute, for ever", []int{0, 31, 62, 93, 124, 155}, 155, 0},
	} {
		var g family.Guesses
		for _, second := range c.bad {
			if refusal := g.MayTry(p, at(second)); refusal != nil {
				t.Errorf("%s: paused at %d", c.why, second)
			}
			g = g.Add(p, at(second))
			if len(g.Bad) >= p.BadCodes {
				t.Errorf("%s: %d times are kept", c.why, len(g.Bad))
			}
		}
		refusal := g.MayTry(p, at(c.now))
		if (refusal != nil) != (c.paused > 0) {
			t.Errorf("%s: %v", c.why, refusal)
			continue
		}
		if refusal != nil && (refusal.Code != family.RateLimited || refusal.RetryAfter != c.paused || refusal.Allowed != "3") {
			t.Errorf("%s: %+v", c.why, refusal)
		}
		if forgotten := g.Forgotten(); g.MayTry(p, forgotten) != nil || len(g.Add(p, forgotten).Bad) > 1 {
			t.Errorf("%s: forgotten at %s, too early", c.why, forgotten)
		}
	}
}
