package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gongji/shared/app"
)

// measureWaits has 64 clients come at 70 % of the pace that the house can keep, and
// tells how long settlements took. A client comes when it is due, whether or not the
// one before has waited: what it waits for its turn counts.
func measureWaits(ctx context.Context, p plan, t table) (err error) {
	folder := filepath.Join(p.folder, "waits")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	w, s, err := openWorld(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := w.settleIn(ctx, max(clients, p.families/clients*clients), 1, 0); err != nil {
		return err
	}
	// visit is what a family does: it shows a code, and the hospital settles with it.
	visit := func(i int) (time.Duration, error) {
		view, err := w.IssueQR(ctx, w.families[i].patient, "", app.Once{})
		if err != nil {
			return 0, err
		}
		began := time.Now()
		_, err = w.Settle(ctx, hospital, w.settleAsk(view.Answer.Digits, 2))
		return time.Since(began), err
	}
	began := time.Now()
	if err := inParallel(len(w.families), clients, func(i int) error {
		_, err := visit(i)
		return err
	}); err != nil {
		return err
	}
	pace := float64(len(w.families)) / time.Since(began).Seconds() * 0.7

	var mu sync.Mutex
	var took []time.Duration
	every := time.Duration(float64(clients) / pace * float64(time.Second))
	start, since := time.Now(), processors()
	err = inParallel(clients, clients, func(c int) error {
		var mine []time.Duration
		due := start.Add(every * time.Duration(c) / clients)
		for n := 0; due.Sub(start) < p.waits; n, due = n+1, due.Add(every) {
			time.Sleep(time.Until(due))
			late := time.Since(due)
			settled, err := visit(c + clients*(n%(len(w.families)/clients)))
			if err != nil {
				return err
			}
			mine = append(mine, late+settled)
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, mine...)
		return nil
	})
	if err != nil {
		return err
	}
	taken := since.takenWords()
	slices.Sort(took)
	p50, p99, most := percentile(took, 50), percentile(took, 99), took[len(took)-1]
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	t.row(fmt.Sprintf("p99 / p50 of a settlement, 64 clients at 70 %% of the pace (%.0f codes and settlements a second) for %v", pace, p.waits),
		fmt.Sprintf("%.1f (%.1f ms / %.1f ms)", float64(p99)/float64(p50), ms(p99), ms(p50)), "≤ 3", p99 <= 3*p50)
	t.row("the longest of them", fmt.Sprintf("%.0f ms of %d; %s", ms(most), len(took), taken), "≤ 50 ms", most <= 50*time.Millisecond)
	return nil
}
