package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const clients = 64

// measureSettlements lets 64 clients settle as fast as they can: through the act,
// through PostgreSQL, and through the whole door; and then one client alone.
func measureSettlements(ctx context.Context, p plan, t table) (err error) {
	folder := filepath.Join(p.folder, "act")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	w, s, err := openWorld(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := w.settleIn(ctx, p.families, 1, 0); err != nil {
		return err
	}
	plain, err := newAppended(p.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.Close(), os.Remove(plain.Name())) }()
	rival, err := startPostgres(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rival.stop()) }()
	house, err := startServer(ctx, p.folder, p.families, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.stop()) }()

	var acts, used, rivals, rivalUsed, doors, disk, alone, taken []float64
	for range p.rounds {
		since := processors()
		codes, err := w.codes(ctx, p.families)
		if err != nil {
			return err
		}
		before, began := processor(), time.Now()
		if err := inParallel(p.families, clients, func(i int) error {
			_, err := w.Settle(ctx, hospital, w.settleAsk(codes[i], 2))
			return err
		}); err != nil {
			return err
		}
		acts = append(acts, float64(p.families)/time.Since(began).Seconds())
		used = append(used, float64((processor()-before).Microseconds())/float64(p.families))

		if rival != nil {
			rate, took, err := rival.settle(ctx)
			if err != nil {
				return err
			}
			rivals, rivalUsed = append(rivals, rate), append(rivalUsed, took)
		}

		rate, err := house.settle(ctx)
		if err != nil {
			return err
		}
		doors = append(doors, rate)

		n := min(200, p.families)
		if codes, err = w.codes(ctx, n); err != nil {
			return err
		}
		// In turns, so that both meet the same machine.
		settled, synced := make([]time.Duration, n), make([]time.Duration, n)
		for i, digits := range codes {
			began := time.Now()
			if _, err := w.Settle(ctx, hospital, w.settleAsk(digits, 2)); err != nil {
				return err
			}
			settled[i] = time.Since(began)
			if synced[i], err = plain.page(); err != nil {
				return err
			}
		}
		alone, disk = append(alone, float64(median(settled).Microseconds())), append(disk, float64(median(synced).Microseconds()))
		if percent, known := since.taken(); known {
			taken = append(taken, percent)
		}
	}
	if len(taken) == 0 {
		t.note("processor time that the host took away", "unknown")
	} else {
		t.note("processor time that the host took away, of each round", span(taken, "%.0f %%"))
	}
	t.note("the disk: append 4 KiB and fsync, one at a time, median of each round", span(disk, "%.0f µs"))
	t.row("settlements a second at the act, SQLite FULL, 64 clients", span(acts, "%.0f"), "≥ 10,000", median(acts) >= 10_000)
	t.note("… processor time of one, clients and all", span(used, "%.0f µs"))
	if rival == nil {
		t.note("the same in PostgreSQL", "skipped: no PostgreSQL on this machine")
	} else {
		t.note("the same in "+rival.version+", one stored procedure, fsync on", span(rivals, "%.0f"))
		t.note("… processor time of one, without its client", span(rivalUsed, "%.0f µs"))
		r := ratios(acts, rivals)
		t.row("act / PostgreSQL", span(r, "%.2f"), "≥ 3", median(r) >= 3)
		t.note("processor time, PostgreSQL / act: what the ratio would be where nothing else runs and the disk is no bound", span(ratios(rivalUsed, used), "%.2f"))
	}
	t.note("settlements a second through the whole server, 64 clients on this machine too", span(doors, "%.0f"))
	r := ratios(doors, acts)
	t.row("door / act", span(r, "%.2f"), "≥ 0.6", median(r) >= 0.6)
	r = ratios(alone, disk)
	t.row("one client's settlement / one fsync, in turns, medians", fmt.Sprintf("%s, of %s", span(r, "%.2f"), span(alone, "%.0f µs")), "≤ 2", median(r) <= 2)
	return nil
}
