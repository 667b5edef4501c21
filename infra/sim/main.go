// Sim plays towns that use the house, one for each seed, and has an auditor watch
// them who shares no code with the law. See package town for what it simulates and
// docs/reliability.md for what it finds and what not.
//
//	go run ./infra/sim -seeds 1000
//	go run ./infra/sim -seeds 1 -from 4711 -v   one seed again
//	go run ./infra/sim -seeds 100000 -for 6h    as many of them as six hours hold
//
// An interrupt, or something wrong, ends a campaign early: the towns under way are
// played to their end, and the figures of all that were played are printed.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"gongji/infra/sim/town"
)

func main() {
	seeds := flag.Uint64("seeds", 1000, "how many `towns`")
	from := flag.Uint64("from", 1, "the first `seed`")
	steps := flag.Int("steps", 1350, "decisions of the scheduler in each, before all comes to its end")
	workers := flag.Int("workers", runtime.NumCPU(), "towns at once")
	quick := flag.Bool("quick", false, "do not ask that everything was reached: a few hundred seeds do not")
	verbose := flag.Bool("v", false, "print each seed's trace")
	most := flag.Duration("for", 0, "begin no more towns after this `time`; 0 is no such end")
	flag.Parse()
	debug.SetGCPercent(800) // towns are small and short: most of the heap dies with them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *most)
		defer cancel()
	}
	go func() { // a second interrupt ends it at once
		<-ctx.Done()
		stop()
	}()
	if !campaign(ctx, *from, *seeds, *steps, *workers, *quick, *verbose) {
		os.Exit(1)
	}
}

// campaign plays the towns until there is no more time, prints the figures, and tells
// whether all was right and an interrupt did not end it.
func campaign(ctx context.Context, from, seeds uint64, steps, workers int, quick, verbose bool) bool {
	began := time.Now()
	sum := town.Report{Faults: map[string]int{}, Reached: map[string]int{}}
	traces := map[uint64]string{}
	right := true
	next := from
	var mu sync.Mutex
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				mu.Lock()
				seed := next
				next++
				stop := seed >= from+seeds || !right || ctx.Err() != nil
				mu.Unlock()
				if stop {
					return
				}
				r := town.Run(seed, steps)
				mu.Lock()
				traces[seed] = r.Trace
				sum.Steps, sum.Calls, sum.Tasks = sum.Steps+r.Steps, sum.Calls+r.Calls, sum.Tasks+r.Tasks
				add(sum.Faults, r.Faults)
				add(sum.Reached, r.Reached)
				if verbose {
					fmt.Printf("seed %d  %d steps  %d calls  trace %s\n", seed, r.Steps, r.Calls, r.Trace)
				}
				if len(r.Wrong) > 0 {
					right = false
					fmt.Printf("WRONG in seed %d after %d steps (-from %d -seeds 1 -steps %d repeats it):\n", seed, r.Steps, seed, steps)
					for _, w := range r.Wrong {
						fmt.Println("  " + w)
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	print(sum, traces, time.Since(began))
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	if interrupted {
		fmt.Printf("\nINTERRUPTED after %d of %d seeds\n", len(traces), seeds)
	}
	if !right || interrupted {
		return false
	}
	return quick || complete(sum.Reached, town.Sometimes) && complete(sum.Faults, town.Misfortunes)
}

func add(to, from map[string]int) {
	for what, n := range from {
		to[what] += n
	}
}

func print(sum town.Report, traces map[uint64]string, took time.Duration) {
	fmt.Printf("seeds %d, steps %d, acts %d, store calls %d, %.0f calls/s, %.1f s\n", len(traces), sum.Steps, sum.Tasks, sum.Calls, float64(sum.Calls)/took.Seconds(), took.Seconds())
	trace := sha256.New()
	for _, seed := range slices.Sorted(maps.Keys(traces)) {
		fmt.Fprintln(trace, traces[seed])
	}
	fmt.Printf("trace %x\n\nwhat went wrong:\n", trace.Sum(nil)[:16])
	table(sum.Faults)
	fmt.Println("\nwhat was reached:")
	table(sum.Reached)
}

func table(counts map[string]int) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("%10d  %s\n", counts[what], what)
	}
}

// complete tells whether the campaign reached all that it must: a check that never
// met its case has proved nothing.
func complete(reached map[string]int, all []string) bool {
	missing := 0
	for _, what := range all {
		if reached[what] == 0 {
			fmt.Printf("NEVER REACHED: %s\n", what)
			missing++
		}
	}
	return missing == 0
}
