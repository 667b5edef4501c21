package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"gongji/shared/app"
)

// sweeps is a house that is behind by some sweeps, and fails once.
type sweeps struct {
	behind, done int
	sealed       int
	failed       bool
	enough       func()
}

func (s *sweeps) Sweep(context.Context) (app.Swept, error) {
	s.done++
	if !s.failed {
		s.failed = true
		return app.Swept{}, errors.New("not now")
	}
	if s.behind--; s.behind > 0 {
		return app.Swept{}, nil
	}
	s.enough()
	return app.Swept{Complete: true}, nil
}

func (s *sweeps) Reseal(context.Context) (bool, error) {
	s.sealed++
	return s.sealed%3 == 0, nil
}

// TestTheHouseIsKeptSwept: what failed is tried again, what is left over is gone on with,
// and it ends with its context.
func TestTheHouseIsKeptSwept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &sweeps{behind: maxSweeps + 5, enough: cancel}
	keepSwept(ctx, s, time.Millisecond, slog.New(slog.DiscardHandler))
	if want := 1 + maxSweeps + 5; s.done != want {
		t.Errorf("%d sweeps, not %d", s.done, want)
	}
	if s.sealed == 0 || s.sealed%3 != 0 {
		t.Errorf("%d calls to seal anew: it is not gone on with", s.sealed)
	}
}
