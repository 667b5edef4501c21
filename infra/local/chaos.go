package main

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// chaosOdds is one answer in how many that gets lost.
const chaosOdds = 20

// chaos loses answers on purpose: the work is done, its commit durable, and the
// connection closes without a word. That is what a till sees of a network that
// fails at the wrong moment, and what its retry with the same id is for.
type chaos struct {
	next http.Handler
	log  *slog.Logger

	mu   sync.Mutex // rand.Rand is for one goroutine
	dice *rand.Rand
}

// newChaos puts chaos in front of a handler if it is on. The same seed loses the
// answers to the same requests, as long as they come one after another.
func newChaos(d dice, next http.Handler, log *slog.Logger) http.Handler {
	if !d.on {
		return next
	}
	return &chaos{next: next, log: log, dice: rand.New(rand.NewPCG(d.seed, 0))} // #nosec G404 -- a run that is to repeat itself
}

// ServeHTTP implements http.Handler.
func (c *chaos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || !strings.HasPrefix(r.URL.Path, "/v1/") || !c.loses() {
		c.next.ServeHTTP(w, r)
		return
	}
	c.next.ServeHTTP(&unheard{http.Header{}}, r)
	c.log.Warn("answer dropped", "route", routeOf(r.URL.Path))
	panic(http.ErrAbortHandler) // closes the connection
}

func (c *chaos) loses() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.IntN(chaosOdds) == 0
}

// unheard takes an answer that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }
func (u *unheard) WriteHeader(int)             {}
