package storetest

import (
	"context"
	"fmt"
	"sync"

	"gongji/shared/store"
)

// Fault is what befalls one call on a [Faulty] store. A Get or a List that meets
// any of them but None fails with store.ErrUnavailable.
type Fault int

const (
	// None lets the call through.
	None Fault = iota
	// Fails answers a commit store.ErrUnavailable and writes nothing.
	Fails
	// Conflicts answers a commit store.ErrConflict and writes nothing, as when
	// somebody else's transaction holds a record at this moment.
	Conflicts
	// Vanishes answers a commit store.ErrUnknown; it was never written.
	Vanishes
	// Loses answers a commit store.ErrUnknown; it was done, whatever came of it.
	Loses
	// Late answers a commit store.ErrUnknown; it is done only when the next
	// commit arrives, before that one. Whoever reads in between finds nothing and
	// learns nothing.
	Late
)

// Faults are all of them, for tests that try each at every step.
var Faults = []Fault{None, Fails, Conflicts, Vanishes, Loses, Late}

func (f Fault) String() string {
	names := [...]string{"None", "Fails", "Conflicts", "Vanishes", "Loses", "Late"}
	if f < 0 || int(f) >= len(names) {
		return fmt.Sprintf("Fault(%d)", int(f))
	}
	return names[f]
}

// Verb is one of the port's three.
type Verb string

// The verbs of a Call.
const (
	Get    Verb = "Get"
	List   Verb = "List"
	Commit Verb = "Commit"
)

// Call is one call on a [Faulty] store.
type Call struct {
	Verb Verb
	// N counts the calls of this verb, from 1.
	N int
	// Keys are a Get's.
	Keys []store.Key
	// Range is a List's.
	Range store.Range
	// Writes are a Commit's.
	Writes []store.Write
}

// Faulty is a store whose calls go wrong by plan. It wraps any other and is
// safe for concurrent use; its fields are set before the first call.
type Faulty struct {
	// Store does what the faults let through.
	Store store.Store
	// Plan decides what befalls a call; nil is None for all. It is called by one
	// goroutine at a time, in the order in which the calls are counted, and must
	// not use this store.
	Plan func(Call) Fault
	// Before is called with every call, before anything is done about it, so
	// that a test can slip another's act in between a read and its commit. It
	// may use the store inside; a call on this one would call it again.
	Before func(Call)

	mu    sync.Mutex
	calls map[Verb]int
	late  [][]store.Write
}

var _ store.Store = (*Faulty)(nil)

// Calls returns how many calls of the verb there were, faulty ones too.
func (f *Faulty) Calls(verb Verb) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[verb]
}

// Settle does the commits that are still Late, in their order, and forgets them.
func (f *Faulty) Settle(ctx context.Context) {
	f.mu.Lock()
	late := f.late
	f.late = nil
	f.mu.Unlock()
	for _, writes := range late {
		// Nobody waits for the answer: their callers have gone.
		_ = f.Store.Commit(context.WithoutCancel(ctx), writes)
	}
}

// Get implements [store.Store].
func (f *Faulty) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	if fault := f.meet(Call{Verb: Get, Keys: keys}); fault != None {
		return nil, fmt.Errorf("%w: planned (%v)", store.ErrUnavailable, fault)
	}
	return f.Store.Get(ctx, keys...)
}

// List implements [store.Store].
func (f *Faulty) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	if fault := f.meet(Call{Verb: List, Range: r}); fault != None {
		return nil, fmt.Errorf("%w: planned (%v)", store.ErrUnavailable, fault)
	}
	return f.Store.List(ctx, r)
}

// Commit implements [store.Store].
func (f *Faulty) Commit(ctx context.Context, writes []store.Write) error {
	fault := f.meet(Call{Verb: Commit, Writes: writes})
	f.Settle(ctx)
	switch fault {
	case None:
		return f.Store.Commit(ctx, writes)
	case Fails:
		return fmt.Errorf("%w: planned", store.ErrUnavailable)
	case Conflicts:
		return fmt.Errorf("%w: planned", store.ErrConflict)
	case Vanishes:
	case Loses:
		_ = f.Store.Commit(ctx, writes)
	case Late:
		f.mu.Lock()
		f.late = append(f.late, clone(writes))
		f.mu.Unlock()
	default:
		panic(fmt.Sprintf("storetest: the plan has no such fault: %v", fault))
	}
	return fmt.Errorf("%w: planned (%v)", store.ErrUnknown, fault)
}

// meet counts the call, runs the hook, and returns what the plan has for it.
func (f *Faulty) meet(c Call) Fault {
	fault := None
	f.mu.Lock()
	if f.calls == nil {
		f.calls = make(map[Verb]int)
	}
	f.calls[c.Verb]++
	c.N = f.calls[c.Verb]
	if f.Plan != nil {
		fault = f.Plan(c)
	}
	f.mu.Unlock()
	if f.Before != nil {
		f.Before(c)
	}
	return fault
}

// clone copies the writes: a late commit outlives the call that brought it.
func clone(writes []store.Write) []store.Write {
	copies := make([]store.Write, len(writes))
	for i, w := range writes {
		w.Body = append([]byte(nil), w.Body...)
		copies[i] = w
	}
	return copies
}
