// Bench measures the house and prints one table: what, how much, what it should be
// and whether it is.
//
//	go run ./infra/bench [-short | -long] [-rounds 5] [-only word] [-into docs/performance.md] [-profile cpu.out]
//
// Rival figures are taken in turns within one run, round by round, and the median of
// the rounds is told: a slow moment of the machine is then everybody's. With -short
// each measurement is made once and small; it proves that the commands work, and its
// figures mean nothing. With -long only what takes long is measured, at its full size:
// growth to a million accounts and settlements, and ten minutes of memory.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
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
	idle     int           // connections that are only held
	asks     int           // for bindings, of each kind
	year     int           // settlements that a draft is replayed over
	items    int           // of a price list
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
	p := plan{families: 4096, accounts: 100_000, history: 100_000, waits: time.Minute, memory: 2 * time.Minute, people: 100_000, idle: 10_000, asks: 5000, year: 20_000, items: 300_000}
	short := flag.Bool("short", false, "small and once: the commands work, the figures mean nothing")
	long := flag.Bool("long", false, "growth to a million accounts and settlements and ten minutes of memory, and nothing else unless -only names it")
	into := flag.String("into", "", "put what is printed into a `page` too, in the place of the last run's")
	flag.StringVar(&p.only, "only", "", "measure only the groups with this `word` in their name: "+groupNames())
	flag.IntVar(&p.rounds, "rounds", 5, "`times` that each measurement is made")
	profile := flag.String("profile", "", "write a processor profile of this program, the acts in it, to a `file`")
	flag.Parse()
	if *long {
		p.accounts, p.history, p.memory = 1_000_000, 1_000_000, 10*time.Minute
	}
	if *short {
		p = plan{only: p.only, rounds: 1, families: 64, accounts: 300, history: 200, waits: time.Second, memory: 3 * time.Second, people: 300, idle: 500, asks: 50, year: 400, items: 1500}
	}
	if p.folder, err = os.MkdirTemp("", "gongji-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.folder)) }()

	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	before, err := machine()
	if err != nil {
		return err
	}
	began, since := time.Now(), processors()
	var printed bytes.Buffer
	t := table{io.MultiWriter(os.Stdout, &printed)}
	fmt.Fprint(t.out, before, "\n\n| what | measured | aim | |\n|---|---|---|---|\n")
	for _, g := range groups {
		if p.only != "" && !strings.Contains(g.name, p.only) || p.only == "" && *long && !g.long {
			continue
		}
		if err := g.measure(ctx, p, t); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	fmt.Fprintf(t.out, "\nIt took %v; load at the end %s; %s.\n", time.Since(began).Round(time.Second), load(), since.takenWords())
	if *into == "" {
		return nil
	}
	run := "run"
	if *long {
		run = "long run"
	}
	return publish(*into, run, printed.String())
}

// publish puts a table into a page, between the lines that say whose place it is.
func publish(page, run, text string) error {
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	from, to := "<!-- "+run+" -->\n", "<!-- end of the "+run+" -->"
	before, rest, found := strings.Cut(string(content), from)
	_, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		return fmt.Errorf("%s has no place for a %s: %q and %q", page, run, from, to)
	}
	return os.WriteFile(page, []byte(before+from+text+to+after), 0o644)
}

// groups are the measurements, each of which prints its rows.
var groups = []struct {
	name    string
	long    bool // it has more to tell when it may take long
	measure func(context.Context, plan, table) error
}{
	{"settlements", false, measureSettlements},
	{"waits", false, measureWaits},
	{"units", false, measureUnits},
	{"growth", true, measureGrowth},
	{"memory", true, measureMemory},
	{"idle", false, measureIdle},
	{"oracle", false, measureOracle},
	{"rules", false, measureRules},
	{"catalogue", false, measureCatalogue},
	{"pictures", false, measurePictures},
	{"start", false, measureStart},
}

func groupNames() string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return strings.Join(names, ", ")
}
