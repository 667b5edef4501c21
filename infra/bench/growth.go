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
		return w, inParallel(history, 256, func(i int) error {
			n := i % people
			if n%w.apart <= payers { // of a family
				n += payers + 1
			}
			if n >= people {
				n = payers + 1
			}
			return w.settleUnshown(ctx, n)
		})
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
	times, used := map[*world][]float64{}, map[*world][]float64{}
	since := processors()
	for range max(p.rounds, 2*p.rounds-1) {
		for _, w := range []*world{small, many, grants} {
			before := processor()
			took, err := w.settleAll(ctx)
			if err != nil {
				return err
			}
			times[w], used[w] = append(times[w], took.Seconds()), append(used[w], (processor()-before).Seconds())
		}
	}
	taken := since.takenWords()
	r := ratios(times[many], times[small])
	t.row(fmt.Sprintf("time, %d accounts and %d settlements / %d accounts and few", p.accounts, p.history, 2*families), span(r, "%.2f")+"; "+taken, "≤ 1.2", median(r) <= 1.2)
	t.note("… processor time, codes and settlements", span(ratios(used[many], used[small]), "%.2f"))
	r = ratios(times[grants], times[small])
	t.row(fmt.Sprintf("time, %d grantors / one", maxPayers), span(r, "%.2f")+"; "+taken, "≤ 1.2", median(r) <= 1.2)
	t.note("… processor time, codes and settlements", span(ratios(used[grants], used[small]), "%.2f"))
	return nil
}

// settleUnshown settles with the n-th person, who shows his card and has no money: so
// that there are many settlements, and no code has to be issued for each.
func (w *world) settleUnshown(ctx context.Context, n int) error {
	id, err := idNumber(n)
	if err != nil {
		return err
	}
	ask := w.settleAsk("", 2)
	ask.Credential = app.Credential{Type: app.ByID, Value: string(id), Name: nameOf(n)}
	_, err = w.Settle(ctx, hospital, ask)
	return err
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
