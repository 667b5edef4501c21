// Mutants plants small bugs in the law and the acts, one at a time, and demands that
// each is found: by the simulated towns of infra/sim, or where the list says that
// towns cannot see it, by the test that it names. See list.go for the bugs and
// docs/reliability.md for what came of them.
//
// Nothing is written into the tree: the compiler is given the changed files by an
// overlay, with all bugs in one program, each behind a switch (switch.go).
//
//	go run ./infra/mutants                   all of them
//	go run ./infra/mutants -named            those for which the list names a test
//	go run ./infra/mutants -sample 15        fifteen, others at each -seed
//	go run ./infra/mutants -only settle.go   those whose file or clause has the words
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
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
	// test is the one that has to then, as folder.TestName: no town is played. Where it is
	// not named, towns are played first and then all tests.
	test string
}

// found says who noticed a bug.
type found string

const (
	byTowns  found = "simulation"
	byTests  found = "tests"
	survived found = "SURVIVED"
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
	towns := flag.Int("towns", 60, "how many `towns` may notice a bug")
	jobs := flag.Int("jobs", runtime.NumCPU(), "bugs at once")
	after := flag.Int("after", 0, "leave out the first so many of the list")
	named := flag.Bool("named", false, "only bugs for which the list names a test: no town is played")
	flag.Parse()
	list := chosen(*sample, *seed, *only, *after)
	if *named {
		list = slices.DeleteFunc(list, func(m mutant) bool { return m.test == "" })
	}
	ok, err := run(list, *towns, *jobs)
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
	planted, err := newPrograms(filepath.Join(dir, "all"), list...)
	if err != nil {
		return false, err
	}
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
				by, what, err := planted.find(m, i, own, towns)
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
	fmt.Printf("\n%d bugs: %d found by the simulation, %d by tests alone, %d not at all\n",
		len(list), counts[byTowns], counts[byTests], counts[survived])
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

// find has towns look for a bug that was planted, or the tests.
func (p *programs) find(m mutant, number int, own string, towns int) (found, string, error) {
	if p.apart[number] {
		alone, err := newPrograms(own, m)
		if err != nil {
			return "", "", err
		}
		p, number = alone, 0
	}
	if m.test != "" {
		return p.tested(m, number, m.test)
	}
	sim, err := p.simulator()
	if err != nil {
		return "", "", err
	}
	out, err := try(maxTowns, "", number, sim, "-quick", "-seeds", fmt.Sprint(towns), "-workers", "1")
	if err != nil {
		what := " (no end)"
		if seed := repeats.FindStringSubmatch(out); seed != nil {
			what = " (seed " + seed[1] + ")"
		}
		return byTowns, what, nil
	}
	for _, folder := range slices.Compact([]string{filepath.Dir(m.file), "shared/app"}) {
		if by, what, err := p.tested(m, number, folder); by != survived || err != nil {
			return by, what, err
		}
	}
	return survived, m.change(), nil
}

// failing finds the test that failed.
var failing = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// tested has a folder's tests look, or the one that is named behind it.
func (p *programs) tested(m mutant, number int, where string) (found, string, error) {
	folder, name, named := strings.Cut(where, ".")
	binary, err := p.tests(folder)
	if err != nil {
		return "", "", err
	}
	args := []string{"-test.failfast", "-test.short"}
	if named {
		args = []string{"-test.failfast", "-test.run", "^" + name + "$"}
	}
	if folder == "shared/family" {
		args = append(args, "-rapid.shrinktime=1ms", "-rapid.nofailfile")
	}
	out, err := try(maxTests, folder, number, binary, args...)
	if err == nil {
		return survived, m.change(), nil
	}
	if failed := failing.FindStringSubmatch(out); failed != nil {
		return byTests, " (" + folder + "." + failed[1] + ")", nil
	}
	return byTests, " (" + folder + ")", nil // a panic outside of tests, or no end
}

// change shows what the bug is.
func (m mutant) change() string { return "\n" + m.old + "\n->\n" + m.bad }

// try runs a program in a folder for so long, with the bug of a number switched on, and
// returns what it said.
func try(most time.Duration, folder string, number int, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), fmt.Sprintf("%s=%d", switchName, number+1))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
