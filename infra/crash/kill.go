package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gongji/infra/rig"
)

// killing is the campaign of kill -9.
type killing struct {
	cycles, clients int
	tally           tally
	starts          []time.Duration
	early           int // starts that were killed too
}

// lifeCycles is how often one database is broken off before a new one is begun: the
// proof of a day that has grown for hours would take longer than the cycles.
const lifeCycles = 20

func (k *killing) run(ctx context.Context, folder string, seed uint64) error {
	program, err := rig.Build(ctx, folder)
	if err != nil {
		return err
	}
	dice, began := rand.New(rand.NewPCG(seed, 0)), time.Now()
	sent, found := 0, 0
	for first := 0; first < k.cycles; first += lifeCycles {
		w := newTown(k.clients)
		data := filepath.Join(folder, fmt.Sprintf("life-%d", first/lifeCycles))
		n, err := k.life(ctx, w, program, data, min(lifeCycles, k.cycles-first), dice)
		if err != nil {
			return fmt.Errorf("seed %d, after %d kills: %w", seed, len(k.starts), err)
		}
		sent, found = sent+len(w.messages), found+n
		if err := os.RemoveAll(data); err != nil {
			return err
		}
		t := k.tally
		fmt.Printf("%4d kills  %7d messages  answered and found %d  refused and found so %d  unknown: done %d, not done %d  (%v)\n",
			min(first+lifeCycles, k.cycles), sent, t.answered, t.refused, t.resolved, t.vanished, time.Since(began).Round(time.Second))
	}
	slices.Sort(k.starts)
	fmt.Printf("%d kills -9 under %d clients: %d messages, %d answered settlements asked for again at the end: none lost, none changed; books proved after each\n", k.cycles, k.clients, sent, found)
	fmt.Printf("from start to open doors after a kill: median %v, longest %v; %d starts were killed too\n",
		k.starts[len(k.starts)/2].Round(time.Millisecond), k.starts[len(k.starts)-1].Round(time.Millisecond), k.early)
	return nil
}

// life is one database from its beginning through many kills.
func (k *killing) life(ctx context.Context, w *town, program, data string, cycles int, dice *rand.Rand) (found int, err error) {
	server, err := rig.Start(ctx, program, data, io.Discard, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	w.enter(server)
	if err := w.settleIn(ctx); err != nil {
		return 0, err
	}
	for range cycles {
		if err := w.untilKilled(ctx, server, dice, time.Duration(30+dice.IntN(500))*time.Millisecond); err != nil {
			return 0, err
		}
		if dice.IntN(4) == 0 {
			k.early++
			if err := rig.StartAndKill(program, data, io.Discard, time.Duration(dice.IntN(150))*time.Millisecond); err != nil {
				return 0, err
			}
		}
		began := time.Now()
		if server, err = rig.Start(ctx, program, data, io.Discard, nil); err != nil {
			return 0, err
		}
		k.starts = append(k.starts, time.Since(began))
		w.enter(server)
		if err := w.audit(ctx, dice, &k.tally); err != nil {
			return 0, err
		}
	}
	return w.findAll(ctx)
}

// untilKilled lets the clients work, kills the server after a while and waits until
// the last client has noticed.
func (w *town) untilKilled(ctx context.Context, server *rig.Server, dice *rand.Rand, after time.Duration) error {
	if err := w.introduce(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	wrong := make([]error, w.clients)
	for n := range w.clients {
		c := &client{town: w, n: n, dice: rand.New(rand.NewPCG(dice.Uint64(), dice.Uint64()))}
		all.Go(func() { wrong[n] = c.work(ctx) })
	}
	time.Sleep(after)
	err := server.Kill()
	all.Wait()
	return errors.Join(append(wrong, err)...)
}
