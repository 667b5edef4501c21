package town

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"runtime/debug"
	"strings"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// verb is what a parked task waits for.
type verb byte

const (
	get    verb = 'G'
	list   verb = 'L'
	commit verb = 'C'
	pause  verb = 'P'
)

// call is the call of the port, or the pause, at which a task is parked.
type call struct {
	verb   verb
	keys   []store.Key
	span   store.Range
	writes []store.Write
}

// reply is what the scheduler lets the task have for its call.
type reply struct {
	records []store.Record
	err     error
}

// task is one trip of a request through a process: an act of the house that runs
// until it calls the store, and then lies parked until the scheduler wakes it. Of
// all tasks one runs at a time.
type task struct {
	n        int
	request  *request
	trip     *auditor.Trip
	process  *process
	deadline time.Time // the caller waits no longer
	late     bool      // and has been told to the act

	at    call
	reply reply
	seen  []store.Record // by a read that is torn
	until time.Time      // of a pause

	hand   *hand
	answer auditor.Answer
	broken string // a panic
}

// hand is a coroutine that runs one task after another: its stack has grown to what
// the acts need, and a new one's would have to.
type hand struct {
	task  *task
	yield func(call) bool
	next  func() (call, bool)
	stop  func()
}

// ended is what a hand yields whose task is over.
const ended verb = 'E'

// hire returns a hand that has nothing to do.
func (t *town) hire() *hand {
	if n := len(t.idle); n > 0 {
		h := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return h
	}
	h := &hand{}
	h.next, h.stop = iter.Pull(func(yield func(call) bool) {
		h.yield = yield
		for h.task.work() && yield(call{verb: ended}) {
		}
	})
	return h
}

// work runs a task to its end and tells whether its hand can take another: not when
// its process died.
func (k *task) work() (alive bool) {
	defer func() {
		thrown := recover()
		if alive = thrown != any(killed{}); alive && thrown != nil {
			k.broken = fmt.Sprintf("%v\n%s", thrown, debug.Stack())
		}
	}()
	k.answer = k.request.run(errand{context.Background(), k}, k.process.app)
	return true
}

// killed is thrown through the act of a process that died.
type killed struct{}

// start starts a request in a process and runs it up to its first call.
func (t *town) start(r *request, p *process) {
	t.tasks++
	k := &task{
		n: t.tasks, request: r, process: p, deadline: t.now.Add(t.rates.patience),
		trip: &auditor.Trip{Request: r.audit, Reads: map[store.Key]store.Record{}, Rules: p.rules},
	}
	if r.audit.Who != (auditor.Identity{}) {
		k.trip.First = map[store.Key]store.Record{}
	}
	k.hand = t.hire()
	k.hand.task = k
	r.open++
	t.parked = append(t.parked, k)
	t.resume(k)
}

// park gives the word back to the scheduler until it wakes the task.
func (k *task) park(c call) reply {
	if !k.hand.yield(c) {
		panic(killed{})
	}
	return k.reply
}

// errand is the context of a task.
type errand struct {
	context.Context
	task *task
}

type taskKey struct{}

// Value implements context.Context.
func (e errand) Value(key any) any {
	if key == (taskKey{}) {
		return e.task
	}
	return e.Context.Value(key)
}

// Err implements context.Context.
func (e errand) Err() error {
	if e.task.late {
		return context.DeadlineExceeded
	}
	return nil
}

func taskOf(ctx context.Context) *task { return ctx.Value(taskKey{}).(*task) }

// door is the port as the acts see it: every call parks. What a program of another
// version writes looks otherwise.
type door struct{ writer *writer }

// Get implements store.Store.
func (d door) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	r := taskOf(ctx).park(call{verb: get, keys: keys})
	return d.writer.own(r.records), r.err
}

// List implements store.Store.
func (d door) List(ctx context.Context, span store.Range) ([]store.Record, error) {
	r := taskOf(ctx).park(call{verb: list, span: span})
	return d.writer.own(r.records), r.err
}

// Commit implements store.Store.
func (d door) Commit(ctx context.Context, writes []store.Write) error {
	return taskOf(ctx).park(call{verb: commit, writes: d.writer.write(writes)}).err
}

// process is one running copy of the house: a function's instance or a server.
type process struct {
	app    *app.App
	skew   time.Duration                               // of its clock
	rules  func(region string, day int) *auditor.Rules // of an older program; nil for the newest
	frozen time.Time                                   // until when nothing in it runs
}

// boot starts a process. Its clock is its own, chance and keys are the town's.
func (t *town) boot() *process {
	p := &process{skew: t.between(-t.rates.skew, t.rates.skew)}
	d, rules := door{}, app.Policies(t.law)
	if t.rollout {
		switch t.rng.IntN(3) {
		case 0:
			d.writer = &writer{town: t, rewrite: withoutEmpty, sent: map[string][]byte{}}
			rules, p.rules = older{t.law}, older{t.law}.rules
			t.reached("an older program runs")
		case 1:
			d.writer = &writer{town: t, rewrite: withMore, sent: map[string][]byte{}}
			t.reached("a newer program runs")
		}
	}
	p.app = app.New(app.Options{
		Store: d, Policies: rules, Vault: t.vault, Papers: t.shelf, Random: t.source(),
		Now: func() time.Time {
			now := t.now.Add(p.skew)
			if k := t.running; k != nil && (k.trip.At.IsZero() || k.request.anew) {
				k.trip.At = now.UTC().Truncate(time.Second)
			}
			return now
		},
		Pause: func(ctx context.Context, _ int) error { return taskOf(ctx).park(call{verb: pause}).err },
	})
	return p
}

// source is the town's generator as an io.Reader.
func (t *town) source() io.Reader { return source{t} }

type source struct{ town *town }

func (s source) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.town.rng.Uint32())
	}
	return len(p), nil
}

// fixedKeys are the keys of every simulated house. They guard nothing.
func fixedKeys() (vault.Keys, error) {
	return vault.ParseKeys([]byte(`{
  "current": "0000aaaa",
  "seal": {"0000aaaa": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
  "index": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
  "qr": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}`))
}

// resume runs a task until it parks again or ends.
func (t *town) resume(k *task) {
	t.running = k
	c, _ := k.hand.next()
	t.running = nil
	if c.verb != ended {
		k.at, k.seen = c, nil
		if c.verb == pause {
			k.until = t.now.Add(t.between(5*time.Millisecond, 640*time.Millisecond))
		}
		return
	}
	t.drop(k)
	t.idle = append(t.idle, k.hand)
	t.ended(k)
}

// drop takes a task off the list of those that are parked.
func (t *town) drop(k *task) {
	for i, other := range t.parked {
		if other == k {
			t.parked = append(t.parked[:i], t.parked[i+1:]...)
			k.request.open--
			return
		}
	}
}

// ended tells the auditor and the client what a task answered.
func (t *town) ended(k *task) {
	if k.broken != "" {
		t.audit.Panicked(k.trip, k.broken)
		return
	}
	t.note("A", k.n, k.answer.Code)
	t.audit.Answered(k.trip, k.answer)
	k.request.answered(t, k.answer)
}

// wake lets a parked task have its call, or a fault in its place.
func (t *town) wake(k *task) {
	t.calls++
	if t.now.After(k.deadline) && !t.calm && k.at.verb != commit && t.chance(0.5) {
		k.late = true
		t.fault("the caller's time is over")
		k.reply = reply{err: context.DeadlineExceeded}
		t.resume(k)
		return
	}
	switch k.at.verb {
	case pause:
		t.calls--
		k.reply = reply{}
	case get:
		if t.befalls(t.rates.unavailable, "a read fails") {
			k.reply = reply{err: fmt.Errorf("%w: simulated", store.ErrUnavailable)}
			break
		}
		if !t.get(k) {
			return // torn: the rest is read when it is woken again
		}
	case list:
		if t.befalls(t.rates.unavailable, "a read fails") {
			k.reply = reply{err: fmt.Errorf("%w: simulated", store.ErrUnavailable)}
			break
		}
		if !t.list(k) {
			return
		}
	case commit:
		k.reply = reply{err: t.commit(k)}
		if errors.Is(k.reply.err, store.ErrUnknown) && !auditor.Closes(k.at.writes) {
			k.trip.Doubt(k.at.writes)
		}
		t.note("C", k.n, fmt.Sprint(k.reply.err))
	}
	t.resume(k)
}

// get reads the keys that a task waits for, or some of them, and tells whether all
// are read.
func (t *town) get(k *task) bool {
	left := k.at.keys[len(k.seen):]
	if len(left) > 1 && t.befalls(t.rates.torn, "a read is torn") {
		left = left[:1+t.rng.IntN(len(left)-1)]
	}
	records, err := t.disk.Get(context.Background(), left...)
	for _, r := range records {
		k.trip.Reads[r.Key] = r
		if _, again := k.trip.First[r.Key]; !again && k.trip.First != nil {
			k.trip.First[r.Key] = r
		}
		t.note("R", k.n, r.Key.Part, r.Key.Sort, fmt.Sprint(r.Version))
	}
	if len(left) > 0 && strings.HasPrefix(left[0].Part, "REGISTRY#") {
		k.trip.Asked = maps.Clone(k.trip.Reads)
	}
	k.seen = append(k.seen, records...)
	k.reply = reply{k.seen, err}
	return err != nil || len(k.seen) == len(k.at.keys)
}

// list reads the page that a task waits for, or the beginning of it.
func (t *town) list(k *task) bool {
	span := k.at.span
	whole := span.Limit
	if len(k.seen) > 0 {
		span.After = k.seen[len(k.seen)-1].Key.Sort
	}
	span.Limit = whole - len(k.seen)
	torn := span.Limit > 1 && t.befalls(t.rates.torn, "a page is torn")
	if torn {
		span.Limit = 1 + t.rng.IntN(min(span.Limit-1, 5))
	}
	records, err := t.disk.List(context.Background(), span)
	k.seen = append(k.seen, records...)
	k.reply = reply{k.seen, err}
	t.note("L", k.n, span.Part, fmt.Sprint(len(records)))
	return err != nil || !torn || len(records) < span.Limit || len(k.seen) == whole
}

// late is a commit that nobody waits for and that is still to land.
type late struct {
	trip   *auditor.Trip
	reads  map[store.Key]store.Record
	at     time.Time
	writes []store.Write
	lands  time.Time
	holds  bool // until then nobody else commits its records
}

// commit does what befalls a commit.
func (t *town) commit(k *task) error {
	writes := k.at.writes
	for _, l := range t.late {
		if l.holds && overlap(l.writes, writes) {
			t.fault("a commit meets one that is in progress")
			return fmt.Errorf("%w: simulated", store.ErrConflict)
		}
	}
	switch {
	case t.befalls(t.rates.unavailable, "a commit is throttled"):
		return fmt.Errorf("%w: simulated", store.ErrUnavailable)
	case t.befalls(t.rates.conflict, "a commit meets a conflict that was none"):
		return fmt.Errorf("%w: simulated", store.ErrConflict)
	case t.befalls(t.rates.vanish, "a commit fails and nobody says so"):
		return fmt.Errorf("%w: simulated", store.ErrUnknown)
	case t.befalls(t.rates.lose, "a commit is done and its answer lost"):
		t.apply(k.trip, writes) // whatever came of it
		return fmt.Errorf("%w: simulated", store.ErrUnknown)
	case t.befalls(t.rates.late, "a commit is answered unknown and lands later"):
		t.later(k)
		return fmt.Errorf("%w: simulated", store.ErrUnknown)
	}
	return t.apply(k.trip, writes)
}

// later puts a task's commit off.
func (t *town) later(k *task) {
	l := &late{trip: k.trip, reads: map[store.Key]store.Record{}, at: k.trip.At, lands: t.now.Add(t.someTime()), holds: t.chance(0.3)}
	for key, r := range k.trip.Reads {
		l.reads[key] = r
	}
	for _, w := range k.at.writes {
		w.Body = append([]byte(nil), w.Body...)
		l.writes = append(l.writes, w)
	}
	t.late = append(t.late, l)
}

func overlap(a, b []store.Write) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Key == y.Key {
				return true
			}
		}
	}
	return false
}

// apply commits on the disk and shows the auditor what it did.
func (t *town) apply(trip *auditor.Trip, writes []store.Write) error {
	before := make(map[store.Key]store.Record, len(writes))
	for _, w := range writes {
		if !w.Check {
			before[w.Key] = t.disk.Peek(w.Key)
		}
	}
	err := t.disk.Commit(context.Background(), writes)
	if err != nil {
		if !errors.Is(err, store.ErrConflict) {
			t.audit.Panicked(trip, err.Error())
		}
		t.reached("a commit meets another's")
		return err
	}
	for _, w := range writes {
		t.note("W", w.Key.Part, w.Key.Sort, string(w.Body))
	}
	if auditor.Closes(writes) {
		t.audit.Closed(before[writes[0].Key])
	} else {
		t.audit.Landed(trip, writes, before)
	}
	return nil
}

// land does the late commits whose time has come.
func (t *town) land() {
	for i := 0; i < len(t.late); i++ {
		l := t.late[i]
		if l.lands.After(t.now) {
			continue
		}
		t.late = append(t.late[:i], t.late[i+1:]...)
		i--
		reads, at := l.trip.Reads, l.trip.At
		l.trip.Reads, l.trip.At = l.reads, l.at
		if t.apply(l.trip, l.writes) == nil {
			t.reached("a late commit lands")
		} else {
			t.reached("a late commit finds that somebody moved")
		}
		l.trip.Reads, l.trip.At = reads, at
	}
}

// die ends a process and everything that runs in it; another takes its place.
func (t *town) die(i int) {
	p := t.processes[i]
	for _, k := range append([]*task(nil), t.parked...) {
		if k.process != p {
			continue
		}
		switch {
		case k.at.verb != commit || t.chance(0.34):
			t.fault("a process dies before a call")
		case t.chance(0.5):
			t.fault("a process dies after a commit")
			t.apply(k.trip, k.at.writes)
		default:
			t.fault("a process dies and its commit lands later")
			t.later(k)
		}
		t.drop(k)
		k.hand.stop()
		k.request.lost = true
	}
	t.processes[i] = t.boot()
}
