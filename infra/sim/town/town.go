// Package town simulates a town that uses the house: tills, phones and the
// insurer's feed, against the real acts over the real law, on a disk in memory, in
// processes that die and freeze, over a store that goes wrong.
//
// One seed is one town and repeats to the letter. Every act runs as a coroutine
// that parks at each call of the store; the scheduler wakes exactly one, so that
// nothing depends on goroutines or processors. Time is a number that the scheduler
// moves, and all chance comes from one generator. What an auditor who shares no
// code with the law has to say of it is in package auditor.
package town

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/infra/sim/disk"
	"gongji/shared/vault"
)

// Report is what became of one seed.
type Report struct {
	Seed uint64
	// Trace is a hash over every call, every record written and every answer.
	Trace string
	// Steps are decisions of the scheduler, Calls those of the store's port.
	Steps, Calls, Tasks int
	// Faults counts what was done to calls, clocks and processes, Reached what
	// came of it.
	Faults, Reached map[string]int
	// Wrong is what the auditor found; nothing is right.
	Wrong []string
}

// rates say how often what goes wrong; each seed draws its own.
type rates struct {
	unavailable, conflict, vanish, lose, late, torn float64
	death, freeze, forget, leap                     float64
	again, altered, malformed, retry                float64
	begin                                           float64
	crowd                                           int
	skew, patience                                  time.Duration
}

// town is one simulated town.
type town struct {
	rng   *rand.Rand
	now   time.Time
	trace hash.Hash
	rates rates
	calm  bool // nothing goes wrong any more

	disk      *disk.Disk
	audit     *auditor.Auditor
	vault     *vault.Vault
	shelf     *shelf
	rollout   bool // programs of several versions run
	sweeps    bool // the day's sweep is run; it looks at every day there was
	law       *law
	processes []*process
	parked    []*task
	awake     []*task // what ready returned
	idle      []*hand
	late      []*late
	running   *task

	steps, calls, tasks int
	faults              map[string]int

	world
	memory
}

// Run plays the town of a seed for so many steps of the scheduler, and then to the
// end of all that was begun.
func Run(seed uint64, steps int) Report {
	t := &town{
		rng: rand.New(rand.NewPCG(seed, 0x676f6e676a69)), trace: sha256.New(), disk: disk.New(), faults: map[string]int{},
	}
	keys, err := fixedKeys()
	if err != nil {
		panic(err) // they are written above
	}
	t.vault = vault.New(keys, t.source())
	t.shelf = &shelf{papers: map[string]*filed{}}
	t.settleDown()
	t.audit = auditor.New(t.disk, t.law.rules, t.law.text, t.open, t.vault.Index, t.shelf.truth)
	t.drawRates()
	t.rollout = t.chance(0.25)
	for range 1 + t.rng.IntN(3) {
		t.processes = append(t.processes, t.boot())
	}
	t.sweeps = t.chance(0.15)
	t.furnish()
	for t.steps < steps && t.right() {
		t.step()
		if t.steps%500 == 0 {
			t.audit.Audit()
		}
	}
	t.windUp()
	for _, h := range t.idle {
		h.stop()
	}
	return Report{
		Seed: seed, Trace: hex.EncodeToString(t.trace.Sum(nil)), Steps: t.steps, Calls: t.calls, Tasks: t.tasks,
		Faults: t.faults, Reached: t.audit.Counts(), Wrong: t.audit.Faults(),
	}
}

func (t *town) right() bool { return len(t.audit.Faults()) == 0 }

// drawRates draws how the seed goes: some of what can go wrong does not, some does
// often.
func (t *town) drawRates() {
	some := func(most float64) float64 {
		switch t.rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return most * t.rng.Float64() / 10
		}
		return most * t.rng.Float64()
	}
	t.rates = rates{
		unavailable: some(0.15), conflict: some(0.15), vanish: some(0.15), lose: some(0.15), late: some(0.15), torn: some(0.3),
		death: some(0.01), freeze: some(0.01), forget: some(0.01), leap: some(0.012),
		again: some(0.2), altered: some(0.05), malformed: some(0.08), retry: 0.1 + 0.3*t.rng.Float64(),
		begin: 0.1 + 0.5*t.rng.Float64(), crowd: 2 + t.rng.IntN(10),
		skew: time.Duration(some(float64(5 * time.Second))), patience: t.between(time.Second, time.Minute),
	}
}

// step does one thing: time passes, something happens to the town, and one task is
// woken or one request begun.
func (t *town) step() {
	t.steps++
	t.now = t.now.Add(t.between(time.Millisecond, 40*time.Millisecond))
	switch {
	case t.chance(t.rates.leap):
		t.leap()
	case t.turns && t.chance(0.02): // somebody's grant has paid, and its month turns
		t.turns = false
		t.night()
		t.month(t.now.UTC().Add(8 * time.Hour))
		t.fault("the clock leaps")
	case t.dawns && t.chance(0.05):
		t.dawns = false
		t.night()
		t.now = t.now.Add(t.between(8*time.Hour, 60*time.Hour))
		t.reached("a patient stays overnight")
	case len(t.eves) > 0 && t.chance(0.03): // new rules are about to begin, or to be too late
		t.eve()
	}
	t.land()
	if t.chance(t.rates.death) {
		t.die(t.rng.IntN(len(t.processes)))
	}
	if t.chance(t.rates.freeze) {
		t.fault("a process freezes")
		t.processes[t.rng.IntN(len(t.processes))].frozen = t.now.Add(t.someTime())
	}
	if t.chance(t.rates.forget) && t.disk.Forget(t.now) > 0 {
		t.audit.Forgot()
	}
	ready := t.ready()
	if len(ready) == 0 || len(t.parked) < t.rates.crowd && t.chance(t.rates.begin) {
		t.begin()
		return
	}
	t.wake(ready[t.rng.IntN(len(ready))])
}

// ready are the tasks that can be woken now, until it is called again.
func (t *town) ready() []*task {
	ready := t.awake[:0]
	for _, k := range t.parked {
		if k.process.frozen.After(t.now) || k.at.verb == pause && k.until.After(t.now) {
			continue
		}
		if !k.process.frozen.IsZero() && k.process.frozen.Before(t.now) {
			t.reached("a process thaws with work in it")
			k.process.frozen = time.Time{}
		}
		ready = append(ready, k)
	}
	t.awake = ready
	return ready
}

// leap moves the clock by more than a request takes: past a code's life, to the
// edge of a day, a month or a year.
func (t *town) leap() {
	china := t.now.UTC().Add(8 * time.Hour)
	n := t.rng.IntN(8)
	if n >= 4 {
		t.night()
	}
	switch n {
	case 0, 1, 2:
		t.now = t.now.Add(t.between(time.Second, 90*time.Second))
	case 3:
		t.now = t.now.Add(t.between(time.Minute, time.Hour))
	case 4:
		t.now = t.now.Add(t.between(time.Hour, 72*time.Hour))
		t.reached("days pass")
	case 5:
		t.toTheEdge(time.Date(china.Year(), china.Month(), china.Day()+1, 0, 0, 0, 0, time.UTC))
	case 6:
		t.month(china)
	case 7:
		if t.chance(0.3) {
			t.toTheEdge(time.Date(china.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC))
			t.reached("a year turns")
		}
	}
	t.fault("the clock leaps")
}

// month moves the clock to the turn of the month, or just past it.
func (t *town) month(china time.Time) {
	t.toTheEdge(time.Date(china.Year(), china.Month()+1, 1, 0, 0, 0, 0, time.UTC))
	t.reached("a month turns")
	if t.chance(0.5) {
		t.now = t.now.Add(10 * time.Second)
		t.nextMonth()
	}
}

// night ends all that is under way: no process and no commit lives through days.
func (t *town) night() {
	for i := range t.processes {
		t.die(i)
	}
	for _, l := range t.late {
		l.lands = t.now
	}
	t.late = slices.DeleteFunc(t.late, t.never)
	t.land()
	for range 3 { // in the morning somebody looks
		t.next = append(t.next, t.tend())
	}
	if t.sweeps {
		t.next = append(t.next, t.sweep())
	}
}

// toTheEdge moves the clock to some seconds before a moment of China's time.
func (t *town) toTheEdge(china time.Time) {
	if at := china.Add(-8 * time.Hour).Add(-t.between(0, 4*time.Second)); at.After(t.now) {
		t.now = at
	}
}

// windUp lets everything come to its end: the store goes right, what is late lands
// or never does, every request that nobody knows about is asked again.
func (t *town) windUp() {
	t.calm = true
	for _, p := range t.processes {
		p.frozen = time.Time{}
	}
	t.late = slices.DeleteFunc(t.late, t.never)
	t.settleAll()
	for _, r := range t.asked {
		if t.right() && (r.unknown || r.lost) && !r.fleeting {
			unknown := r.unknown
			t.start(r, t.processes[0])
			t.settleAll()
			if t.right() && (r.unknown || r.lost) {
				t.audit.Panicked(&auditor.Trip{Request: r.audit}, "asked again in peace, it is still not known")
			}
			if unknown {
				t.reached("what was unknown is asked again in the end")
			}
		}
	}
	if t.right() && t.sweeps {
		t.sweepAll()
	}
	if t.right() {
		t.audit.Audit()
		t.proveAll()
	}
}

// never draws whether a late commit never lands.
func (t *town) never(*late) bool {
	if !t.chance(0.3) {
		return false
	}
	t.reached("a late commit never lands")
	return true
}

// settleAll runs all that is parked to its end, and lands all that is late.
func (t *town) settleAll() {
	for (len(t.parked) > 0 || len(t.late) > 0) && t.right() {
		t.steps++
		if ready := t.ready(); len(ready) > 0 {
			t.wake(ready[t.rng.IntN(len(ready))])
			continue
		}
		t.now = t.now.Add(time.Second)
		if len(t.parked) == 0 {
			for _, l := range t.late {
				l.lands = t.now
			}
		}
		t.land()
	}
	for _, k := range t.parked { // after a fault was found
		k.hand.stop()
	}
}

// chance tells whether something of a probability happens. Nothing is drawn for
// what never happens.
func (t *town) chance(p float64) bool { return p > 0 && t.rng.Float64() < p }

// befalls is chance for what goes wrong, counted.
func (t *town) befalls(p float64, what string) bool {
	if t.calm || !t.chance(p) {
		return false
	}
	t.fault(what)
	return true
}

func (t *town) fault(what string) {
	t.faults[what]++
	t.note("F", what)
}

func (t *town) reached(what string) { t.audit.Reached(what) }

// between draws a duration.
func (t *town) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(t.rng.Int64N(int64(b-a)))
}

// someTime draws how long something is away: moments, or minutes.
func (t *town) someTime() time.Duration {
	switch t.rng.IntN(3) {
	case 0:
		return t.between(time.Millisecond, time.Second)
	case 1:
		return t.between(time.Second, 90*time.Second)
	}
	return t.between(time.Minute, 30*time.Minute)
}

// note writes into the trace.
func (t *town) note(what ...any) { fmt.Fprintln(t.trace, what...) }

// pick draws one of a list.
func pick[T any](t *town, list []T) T { return list[t.rng.IntN(len(list))] }
