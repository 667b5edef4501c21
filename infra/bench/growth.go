package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gongji/shared/app"
	"gongji/shared/store/sqlite"
)

var once app.Once // a request without an Idempotency-Key

// measureGrowth settles in turns in a small house and in a large one.
func measureGrowth(ctx context.Context, p plan, t table) (err error) {
	families := min(1024, p.families)
	var open []*sqlite.Store
	defer func() {
		for _, s := range open {
			err = errors.Join(err, s.Close())
		}
	}()
	grown := func(payers, people, history int) (*world, error) {
		folder, err := os.MkdirTemp(p.folder, "growth-")
		if err != nil {
			return nil, err
		}
		w, s, err := openWorld(ctx, folder)
		if err != nil {
			return nil, err
		}
		open = append(open, s)
		// Families are spread among the others, so that their records are too.
		w.apart = max(1, people/families)
		if err := w.settleIn(ctx, families, payers, 0); err != nil {
			return nil, err
		}
		if err := inParallel(people, 64, func(i int) error {
			if i%w.apart <= payers {
				return nil // of a family, who is there already
			}
			_, err := w.person(ctx, i, 0)
			return err
		}); err != nil {
			return nil, err
		}
		for done := 0; done < history; done += families {
			if _, err := w.settleAll(ctx); err != nil {
				return nil, err
			}
		}
		return w, nil
	}
	small, err := grown(1, 0, 0)
	if err != nil {
		return err
	}
	many, err := grown(1, p.accounts, p.history)
	if err != nil {
		return err
	}
	grants, err := grown(maxPayers, 0, 0)
	if err != nil {
		return err
	}
	times := map[*world][]float64{}
	for range max(p.rounds, 2*p.rounds-1) {
		for _, w := range []*world{small, many, grants} {
			took, err := w.settleAll(ctx)
			if err != nil {
				return err
			}
			times[w] = append(times[w], took.Seconds())
		}
	}
	r := ratios(times[many], times[small])
	t.row(fmt.Sprintf("time, %d accounts and %d settlements / %d accounts and few", p.accounts, p.history, 2*families), span(r, "%.2f"), "≤ 1.2", median(r) <= 1.2)
	r = ratios(times[grants], times[small])
	t.row(fmt.Sprintf("time, %d grantors / one", maxPayers), span(r, "%.2f"), "≤ 1.2", median(r) <= 1.2)
	return nil
}

// maxPayers is how many relatives may pay for one (grants.max_grantors of Changsha).
const maxPayers = 8

// settleAll has every family show a code and then settles with all of them; it tells
// how long the settlements took.
func (w *world) settleAll(ctx context.Context) (time.Duration, error) {
	codes, err := w.codes(ctx, len(w.families))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = inParallel(len(codes), clients, func(i int) error {
		_, err := w.Settle(ctx, hospital, w.settleAsk(codes[i], 2))
		return err
	})
	return time.Since(began), err
}
