// Mutants plants small bugs in the law and the acts, one at a time, and demands that
// each is found: by the simulated towns of infra/sim, or where the list says that
// only they can see it, by the tests of the law and the acts. See list.go for the
// bugs and docs/reliability.md for what came of them.
//
// Nothing is written into the tree: the compiler is given the changed file by an
// overlay.
//
//	go run ./infra/mutants                   all of them
//	go run ./infra/mutants -sample 15        fifteen, others at each -seed
//	go run ./infra/mutants -only settle.go   those whose file or clause has the words
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mutant is one planted bug.
type mutant struct {
	file string // from the root of the tree
	old  string // occurs exactly once in it
	bad  string // stands there instead
	// breaks says in a few words which clause is broken.
	breaks string
	// tests tells that towns do not see it, and why: the tests have to.
	tests string
}

// found says who noticed a bug.
type found string

const (
	byTowns  found = "simulation"
	byTests  found = "tests"
	survived found = "SURVIVED"
	broken   found = "DOES NOT BUILD"
)

// Bounds of one bug: a town that never ends is a bug that was noticed.
const (
	maxTowns = 15 * time.Minute
	maxTests = 8 * time.Minute
)

func main() {
	sample := flag.Int("sample", 0, "only so many of the `bugs`, by chance; 0 is all")
	seed := flag.Uint64("seed", uint64(time.Now().Unix()/86_400), "of the sample's chance; another each day")
	only := flag.String("only", "", "only bugs whose file or clause contains the `words`")
	towns := flag.Int("towns", 150, "how many `towns` may notice a bug")
	jobs := flag.Int("jobs", runtime.NumCPU(), "bugs at once")
	after := flag.Int("after", 0, "leave out the first so many of the list")
	flag.Parse()
	ok, err := run(chosen(*sample, *seed, *only, *after), *towns, *jobs)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// run plants the bugs and tells whether each was found by whom the list says.
func run(list []mutant, towns, jobs int) (bool, error) {
	if err := check(); err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "gongji-mutants-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%d of %d bugs, up to %d towns each\n", len(list), len(mutants), towns)
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		next   int
		failed error
		good   = true
		counts = map[found]int{}
	)
	for job := range jobs {
		all.Go(func() {
			own := filepath.Join(dir, strconv.Itoa(job))
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= len(list) || failed != nil
				mu.Unlock()
				if stop {
					return
				}
				m, began := list[i], time.Now()
				by, what, err := plant(m, own, towns)
				mu.Lock()
				counts[by]++
				failed = errors.Join(failed, err)
				mark := " "
				if by != byTowns && (by != byTests || m.tests == "") {
					good, mark = false, "!"
				}
				fmt.Printf("%s %3d/%d  %-14s %5.1f s  %s: %s%s\n", mark, i+1, len(list), by, time.Since(began).Seconds(), m.file, m.breaks, what)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	fmt.Printf("\n%d bugs: %d found by the simulation, %d by tests alone, %d not at all, %d do not build\n",
		len(list), counts[byTowns], counts[byTests], counts[survived], counts[broken])
	return good, failed
}

// check refuses a list that is no longer true: each bug's text occurs exactly once.
func check() error {
	var wrong []error
	for _, m := range mutants {
		text, err := os.ReadFile(m.file)
		if err != nil {
			return err
		}
		if n := bytes.Count(text, []byte(m.old)); n != 1 || m.old == m.bad {
			wrong = append(wrong, fmt.Errorf("%s: %s: the text occurs %d times, want 1:\n%s", m.file, m.breaks, n, m.old))
		}
	}
	return errors.Join(wrong...)
}

// chosen returns the bugs to plant: those that have the words, or some of them.
func chosen(sample int, seed uint64, only string, after int) []mutant {
	var list []mutant
	for _, m := range mutants[min(after, len(mutants)):] {
		if strings.Contains(m.file+" "+m.breaks, only) {
			list = append(list, m)
		}
	}
	if sample > 0 && sample < len(list) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:sample]
	}
	return list
}

// repeats finds in a campaign's words by which seed it noticed.
var repeats = regexp.MustCompile(`WRONG in seed (\d+)`)

// plant builds the simulator with one bug in it and lets it look.
func plant(m mutant, dir string, towns int) (found, string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", err
	}
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", "", err
	}
	real, err := filepath.Abs(m.file)
	if err != nil {
		return "", "", err
	}
	bad := filepath.Join(dir, "bad.go")
	if err := os.WriteFile(bad, bytes.Replace(text, []byte(m.old), []byte(m.bad), 1), 0o600); err != nil {
		return "", "", err
	}
	plan, err := json.Marshal(map[string]any{"Replace": map[string]string{real: bad}})
	if err != nil {
		return "", "", err
	}
	overlay, sim := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim")
	if err := os.WriteFile(overlay, plan, 0o600); err != nil {
		return "", "", err
	}
	if out, err := try(maxTests, "go", "build", "-overlay", overlay, "-ldflags", "-s -w", "-o", sim, "./infra/sim"); err != nil {
		return broken, "\n" + out, nil
	}
	out, err := try(maxTowns, sim, "-quick", "-seeds", fmt.Sprint(towns), "-workers", "1")
	if err != nil {
		what := " (no end)"
		if seed := repeats.FindStringSubmatch(out); seed != nil {
			what = " (seed " + seed[1] + ")"
		}
		return byTowns, what, nil
	}
	if _, err := try(maxTests, "go", "test", "-short", "-overlay", overlay, "./shared/family", "./shared/app"); err != nil {
		return byTests, "", nil
	}
	return survived, "\n" + m.old + "\n->\n" + m.bad, nil
}

// try runs a command for so long and returns what it said.
func try(most time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}
