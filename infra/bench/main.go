// Bench measures the house and prints one table: what, how much, what it should be
// and whether it is.
//
//	go run ./infra/bench [-short] [-rounds 5] [-only words] [-accounts 300000] [-history 200000] [-memory 10m]
//
// Rival figures are taken in turns within one run, round by round, and the median of
// the rounds is told: a slow moment of the machine is then everybody's. With -short
// each measurement is made once and small; it proves that the commands work, and its
// figures mean nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// plan is what to measure and for how long.
type plan struct {
	only     string        // rows whose group has this in its name
	rounds   int           // of each measurement
	families int           // that settle at once
	accounts int           // the most that growth goes to
	history  int           // settlements that growth goes to
	waits    time.Duration // of the run at 70 % load
	memory   time.Duration // of the run that watches the server's memory
	people   int           // accounts of the server
	folder   string
}

func main() {
	debug.SetGCPercent(400) // as infra/local does
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	p := plan{families: 4096, waits: time.Minute, people: 100_000}
	short := flag.Bool("short", false, "small and once: the commands work, the figures mean nothing")
	flag.StringVar(&p.only, "only", "", "measure only the groups with this `word` in their name: "+groupNames())
	flag.IntVar(&p.rounds, "rounds", 5, "`times` that each measurement is made")
	flag.IntVar(&p.accounts, "accounts", 300_000, "the most `accounts` that growth goes to")
	flag.IntVar(&p.history, "history", 200_000, "the most `settlements` that growth goes to")
	flag.DurationVar(&p.memory, "memory", 10*time.Minute, "how long the server's memory is watched")
	flag.Parse()
	if *short {
		p = plan{only: p.only, rounds: 1, families: 64, accounts: 300, history: 200, waits: time.Second, memory: 3 * time.Second, people: 300}
	}
	if p.folder, err = os.MkdirTemp("", "gongji-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.folder)) }()

	before, err := machine()
	if err != nil {
		return err
	}
	fmt.Println(before)
	fmt.Print("\n| what | measured | aim | |\n|---|---|---|---|\n")
	for _, g := range groups {
		if strings.Contains(g.name, p.only) {
			if err := g.measure(ctx, p, table{}); err != nil {
				return fmt.Errorf("%s: %w", g.name, err)
			}
		}
	}
	fmt.Println("\nload at the end:", load())
	return nil
}

// groups are the measurements, each of which prints its rows.
var groups = []struct {
	name    string
	measure func(context.Context, plan, table) error
}{
	{"settlements", measureSettlements},
	{"waits", measureWaits},
	{"units", measureUnits},
	{"growth", measureGrowth},
	{"memory", measureMemory},
	{"pictures", measurePictures},
	{"start", measureStart},
}

func groupNames() string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return strings.Join(names, ", ")
}
