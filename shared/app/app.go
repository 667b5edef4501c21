// Package app holds the acts of the house: each reads a snapshot of records,
// lets the law in package family decide on it, and commits on exactly that
// snapshot or not at all. See [act] for the one loop they all go through, and
// keys.go for the only place that knows keys and encodes records.
//
// An act returns a *family.Refusal where the answer is "no"; every other error is
// a failure whose content must not reach a client.
package app

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers"
	"gongji/shared/store"
	"gongji/shared/vault"

	"github.com/oklog/ulid/v2"
	"golang.org/x/mod/sumdb/note"
)

// Options are what an App is made of. Store, Policies and Vault are needed.
type Options struct {
	Store    store.Store
	Policies Policies
	Vault    *vault.Vault
	// Papers is where papers lie; without one none can be uploaded.
	Papers papers.Shelf
	// Registry is the civil registry that is asked where the table of what operators
	// fed in cannot say; without one nobody is.
	Registry Registry
	// Signer signs the day's checkpoints; without one nobody does.
	Signer note.Signer
	// Now is the clock; the default is time.Now.
	Now func() time.Time
	// Random makes ids; the default is crypto/rand.
	Random io.Reader
	// Pause waits before the n-th further attempt of an act, n from 1; the
	// default waits a little longer each time, with jitter.
	Pause func(ctx context.Context, n int) error
	// Log hears of attempts that failed; the default is silent. It is never
	// given a name, an ID number or a code.
	Log *slog.Logger
}

// App carries out the acts. It is safe for concurrent use.
type App struct {
	store    stamped
	policies Policies
	vault    *vault.Vault
	papers   papers.Shelf
	registry Registry
	signer   note.Signer
	clock    func() time.Time
	random   io.Reader
	pause    func(ctx context.Context, n int) error
	log      *slog.Logger
	goods    memory[catalogueRecord]
	places   memory[family.Place]
	rules    rulebook
	latest   atomic.Int64 // in nanoseconds since 1970
}

// New returns an App over its parts.
func New(o Options) *App {
	a := &App{store: stamped{o.Store, o.Vault}, policies: o.Policies, vault: o.Vault, papers: o.Papers, registry: o.Registry, signer: o.Signer, clock: o.Now, random: o.Random, pause: o.Pause, log: o.Log}
	if a.clock == nil {
		a.clock = time.Now
	}
	if a.random == nil {
		a.random = rand.Reader
	}
	if a.pause == nil {
		a.pause = backOff
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a
}

// now returns the time of an act, to the whole second as all answers show it. An act
// asks once: what it decides, it decides at one time.
func (a *App) now() time.Time {
	now := a.clock()
	a.latest.Store(now.UnixNano())
	return now.UTC().Truncate(time.Second)
}

// lately is the time that an act was last told: how old what this process remembers
// is, needs no clock of its own.
func (a *App) lately() time.Time { return time.Unix(0, a.latest.Load()) }

// newID returns a sortable id.
func (a *App) newID(now time.Time) (string, error) {
	id, err := ulid.New(ulid.Timestamp(now), a.random)
	return id.String(), err
}

// policyOf returns the policy of the region in which an account's owner is insured.
func (a *App) policyOf(account family.Account, now time.Time) *family.Policy {
	return a.policyFor(account.Insurance.Region, family.DayOf(now))
}

// backOff waits 5 ms at first and up to 320 ms later, plus as much again by chance,
// so that those who met once do not meet again.
func backOff(ctx context.Context, n int) error {
	base := 5 * time.Millisecond << min(n-1, 6)
	timer := time.NewTimer(base + mathrand.N(base)) // #nosec G404 -- rivals part by it, nobody guesses it to gain
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
