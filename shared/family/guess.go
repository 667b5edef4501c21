package family

import (
	"fmt"
	"slices"
	"time"
)

// guessWindow is the time in which the bad codes of an institution are counted.
const guessWindow = time.Minute

// Guesses counts the codes that an institution sent and nobody was ever issued.
// A till reads one wrongly now and then; who tries codes sends many. The zero
// Guesses is an institution that sent none.
type Guesses struct {
	// Bad are the times of the bad codes that still count, oldest first; never as
	// many as the policy of the institution's region allows in a minute.
	Bad []time.Time
	// Paused is until when no code of the institution is looked at: the first
	// moment at which one is again.
	Paused time.Time
}

// MayTry refuses a code while the institution's pause lasts, a good one too: who
// may go on trying has not been stopped by hearing no answer.
func (g Guesses) MayTry(p *Policy, now time.Time) *Refusal {
	if !now.Before(g.Paused) {
		return nil
	}
	return &Refusal{
		Code: RateLimited, Field: "credential.value", Rule: "qr.bad_codes_a_minute", Policy: p.ID(),
		Allowed: fmt.Sprint(p.BadCodes), RetryAfter: int((g.Paused.Sub(now) + time.Second - 1) / time.Second),
	}
}

// Add counts one more bad code. The last that a minute allows begins the pause.
func (g Guesses) Add(p *Policy, now time.Time) Guesses {
	bad := slices.DeleteFunc(slices.Clone(g.Bad), func(at time.Time) bool { return !now.Before(at.Add(guessWindow)) })
	bad = append(bad, now)
	if len(bad) < p.BadCodes {
		return Guesses{Bad: bad, Paused: g.Paused}
	}
	return Guesses{Paused: now.Add(p.BadCodesPause)}
}

// Forgotten returns the first moment from which on what was counted says nothing.
func (g Guesses) Forgotten() time.Time {
	if len(g.Bad) == 0 {
		return g.Paused
	}
	last := g.Bad[len(g.Bad)-1].Add(guessWindow)
	if last.Before(g.Paused) {
		return g.Paused
	}
	return last
}
