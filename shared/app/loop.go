package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// maxAttempts bounds how often an act looks again, and how often it sends one
// commit again whose outcome is unknown.
const maxAttempts = 12

// act is the one loop of the house. decide reads records through the
// transaction, decides, and puts what is to be written; act commits it on exactly
// the versions that were read and looks again where somebody moved first.
//
// decide may run many times and must have no effect of its own: ids and times are
// drawn before act is called. What it answers stands only when act returns it.
// A refusal too rests on records as they all stood at one moment.
//
// An act ends in one of three ways. The answer of decide: its commit, if it put
// anything, is durable. A refusal of decide: nothing was written. Busy, when
// others kept moving first, or a name was needed and the vault's keys cannot be had,
// and nothing was written; OutcomeUnknown, when nobody can
// say what became of a commit: the same request again resolves it.
func act[A any](ctx context.Context, a *App, decide func(*tx) (A, error)) (A, error) {
	var none A
	var open doubts[A]
	tally := tallyOf(ctx)
	for attempt := range maxAttempts {
		if attempt > 0 {
			if a.pause(ctx, attempt) != nil {
				break
			}
			tally.again.Add(1)
		}
		// Asked before anything is read: what lands while decide reads, it may see
		// in part.
		fate, landed, err := open.fate(ctx, a.store)
		if fate == happened {
			return landed, nil
		}
		if err == nil {
			err = a.fresh(ctx)
		}
		t := &tx{ctx: ctx, store: a.store, tally: tally, slots: map[store.Key]*slot{}}
		var answer A
		if err == nil {
			answer, err = decide(t)
		}
		var refusal *family.Refusal
		if err != nil && !errors.As(err, &refusal) {
			if errors.Is(err, store.ErrUnavailable) {
				a.log.WarnContext(ctx, "read failed", "attempt", attempt)
				continue
			}
			if ctx.Err() != nil || errors.Is(err, vault.ErrUnavailable) {
				break
			}
			return none, err
		}
		writes := t.writes()
		if refusal != nil || writes == nil {
			// "Nothing was written" would be a lie while a commit of an attempt
			// before may still land, or has perhaps landed and been written over.
			if fate == pending {
				continue
			}
			if refusal != nil && fate == buried {
				return none, gaveUp(open)
			}
			if refusal == nil {
				return answer, nil
			}
			switch stood, err := t.stood(); {
			case err != nil:
				a.log.WarnContext(ctx, "read failed", "attempt", attempt)
				continue
			case !stood:
				continue
			}
			return none, refusal
		}
		tally.commits.Add(1)
		err = a.store.Commit(ctx, writes)
		for again := 1; again < maxAttempts && open.asks(err, writes, answer); again++ {
			if a.pause(ctx, again) != nil {
				break
			}
			tally.commits.Add(1)
			err = a.store.Commit(ctx, writes) // the very same
		}
		switch {
		case err == nil:
			return answer, nil
		case errors.Is(err, store.ErrUnknown):
			return none, gaveUp(open)
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrUnavailable):
			a.log.WarnContext(ctx, "commit refused", "attempt", attempt)
		case ctx.Err() != nil:
			return none, gaveUp(open)
		default:
			return none, err
		}
	}
	return none, gaveUp(open)
}

// doubt is a commit that was answered "unknown", and what its act answers if it
// happened.
type doubt[A any] struct {
	writes []store.Write
	answer A
}

// doubts are the commits of one act whose outcome nobody knows.
type doubts[A any] []doubt[A]

// asks notes a commit that was answered "unknown" and tells whether to send it
// again: until it is settled, "unavailable" speaks only for the try it answers.
func (d *doubts[A]) asks(err error, writes []store.Write, answer A) bool {
	if errors.Is(err, store.ErrUnknown) {
		if n := len(*d); n == 0 || &(*d)[n-1].writes[0] != &writes[0] {
			*d = append(*d, doubt[A]{writes, answer})
		}
		return true
	}
	return len(*d) > 0 && errors.Is(err, store.ErrUnavailable)
}

// fate is what became of commits whose answer was lost.
type fate int

const (
	never    fate = iota // none happened, and none can any more
	happened             // one did, and its answer stands
	pending              // one may still happen
	buried               // one happened or not, and others have written over it since
)

// fate finds out what became of the commits, as far as their records tell. A commit
// cannot happen any more once one of its records has moved off the version that it
// must be at; whether it had happened before, the records say that are read after
// that: at the version that it leaves they hold what it wrote, or what another did.
func (d doubts[A]) fate(ctx context.Context, s store.Store) (fate, A, error) {
	var none A
	worst := never
	for _, doubt := range d {
		keys := make([]store.Key, len(doubt.writes))
		for i, w := range doubt.writes {
			keys[i] = w.Key
		}
		before, err := s.Get(ctx, keys...)
		if err != nil {
			return pending, none, err
		}
		if !moved(doubt.writes, before) {
			return pending, none, nil
		}
		after, err := s.Get(ctx, keys...)
		if err != nil {
			return pending, none, err
		}
		switch doubt.became(after) {
		case happened:
			return happened, doubt.answer, nil
		case buried:
			worst = buried
		}
	}
	return worst, none, nil
}

// moved tells whether one of the records is not at the version that it must be at.
func moved(writes []store.Write, records []store.Record) bool {
	for i, w := range writes {
		if records[i].Version != w.Base {
			return true
		}
	}
	return false
}

// became tells from the records of a commit that cannot happen any more whether it
// happened. Two acts can write one record alike, such as a fence: only that all are
// as this commit left them says that it happened.
func (d doubt[A]) became(records []store.Record) fate {
	outcome := happened
	for i, w := range d.writes {
		at := records[i].Version
		switch {
		case w.Check:
		case at == w.Base, at == w.Base+1 && !bytes.Equal(records[i].Body, w.Body):
			return never
		case at != w.Base+1:
			outcome = buried
		}
	}
	return outcome
}

// RefusalOf returns what whoever asked hears of an error of an act: the refusal that it
// is, Busy when the vault's sealing keys could not be had, and nil for a fault of ours,
// of which nobody hears.
func RefusalOf(err error) *family.Refusal {
	var refusal *family.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if errors.Is(err, vault.ErrUnavailable) {
		return family.Refuse(family.Busy)
	}
	return nil
}

// gaveUp is the answer when time or attempts ran out.
func gaveUp[A any](open doubts[A]) *family.Refusal {
	if len(open) > 0 {
		return family.Refuse(family.OutcomeUnknown)
	}
	return family.Refuse(family.Busy)
}

// tx is one attempt of an act: the snapshot that it read and what it wants
// written.
type tx struct {
	ctx   context.Context
	store store.Store
	tally *Tally
	slots map[store.Key]*slot
	order []*slot // as first read, so that commits are the same for the same act
	// looking makes all that is read reference: it decides nothing.
	looking bool
}

// slot is one record of the snapshot.
type slot struct {
	record  store.Record
	checked bool // its version must still stand when the commit happens
	write   *store.Write
}

// read reads records that decide the act, all in one round. Each that is not
// written goes into the commit as a check.
func (t *tx) read(keys ...keyed) error { return t.load(keys, nil) }

// refer reads reference data that many families share. It is never a check:
// a commit that names a hot record conflicts with every other.
func (t *tx) refer(keys ...keyed) error { return t.load(nil, keys) }

// load reads both kinds in one round: what was read before is not read again, so
// an act may ask ahead for all that it knows it will need.
func (t *tx) load(decisive, reference []keyed) error {
	var missing []store.Key
	want := func(refs []keyed, checked bool) {
		for _, ref := range refs {
			key := ref.storeKey()
			if s, ok := t.slots[key]; ok {
				s.checked = s.checked || checked
				continue
			}
			s := &slot{checked: checked}
			t.slots[key], t.order, missing = s, append(t.order, s), append(missing, key)
		}
	}
	want(decisive, !t.looking)
	want(reference, false)
	if len(missing) == 0 {
		return nil
	}
	t.tally.reads.Add(1)
	records, err := t.store.Get(t.ctx, missing...)
	if err != nil {
		return err
	}
	for i, record := range records {
		t.slots[missing[i]].record = record
	}
	return nil
}

// version returns the version of a record that was read; 0 is none.
func (t *tx) version(ref keyed) uint64 {
	if s, ok := t.slots[ref.storeKey()]; ok {
		return s.record.Version
	}
	return 0
}

// stood tells whether all that decided the act stood so at one moment. A commit
// finds that out by its checks; a refusal writes nothing, and the records of one Get,
// and those of two even more, may be of before and after another's commit: a family
// would be told a reason that never was. Versions only grow, so what is the same when
// it is read again was the same all the time between.
func (t *tx) stood() (bool, error) {
	var decided []*slot
	var keys []store.Key
	for _, s := range t.order {
		if s.checked {
			decided, keys = append(decided, s), append(keys, s.record.Key)
		}
	}
	if len(keys) < 2 {
		return true, nil
	}
	t.tally.reads.Add(1)
	records, err := t.store.Get(t.ctx, keys...)
	if err != nil {
		return false, err
	}
	for i, s := range decided {
		if records[i].Version != s.record.Version {
			return false, nil
		}
	}
	return true, nil
}

// release takes a record back out of the commit's checks: the decision did not
// depend on it after all.
func (t *tx) release(ref keyed) { t.slots[ref.storeKey()].checked = false }

// writes returns the commit of the attempt: what was put, and a check for every
// other record that decided it; nil when nothing was put.
func (t *tx) writes() []store.Write {
	var writes, checks []store.Write
	for _, s := range t.order {
		switch {
		case s.write != nil:
			writes = append(writes, *s.write)
		case s.checked:
			checks = append(checks, store.Write{Key: s.record.Key, Base: s.record.Version, Check: true})
		}
	}
	if writes == nil {
		return nil
	}
	return append(writes, checks...)
}

// keyed is a key of the store, whatever record lies under it.
type keyed interface{ storeKey() store.Key }

// ref is the key of a record whose body is a T.
type ref[T any] store.Key

func (r ref[T]) storeKey() store.Key { return store.Key(r) }

// get returns the record under r, which must have been read, and whether it is
// there. What was put in this attempt is seen.
func get[T any](t *tx, r ref[T]) (T, bool, error) {
	var v T
	s, ok := t.slots[store.Key(r)]
	if !ok {
		return v, false, fmt.Errorf("app: %v was not read", store.Key(r))
	}
	body := s.record.Body
	if s.write != nil {
		body = s.write.Body
	} else if !s.record.Exists() {
		return v, false, nil
	}
	return v, true, decode(r, body, &v)
}

// put writes the record under r, which must have been read.
func put[T any](t *tx, r ref[T], v T) error { return putUntil(t, r, v, time.Time{}) }

// putUntil is put for a record that the store may forget some time after expires.
func putUntil[T any](t *tx, r ref[T], v T, expires time.Time) error {
	s, ok := t.slots[store.Key(r)]
	if !ok {
		return fmt.Errorf("app: %v was not read", store.Key(r))
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.write = &store.Write{Key: store.Key(r), Base: s.record.Version, Body: body, Expires: expires}
	return nil
}

// add writes a record that cannot be there yet, without reading it first.
func add[T any](t *tx, r ref[T], v T) error { return addUntil(t, r, v, time.Time{}) }

// addUntil is add for a record that the store may forget some time after expires.
func addUntil[T any](t *tx, r ref[T], v T, expires time.Time) error {
	s := &slot{record: store.Record{Key: store.Key(r)}}
	t.slots[store.Key(r)], t.order = s, append(t.order, s)
	return putUntil(t, r, v, expires)
}

// one reads a single record outside any act.
func one[T any](ctx context.Context, a *App, r ref[T]) (T, bool, error) {
	v, err := many(ctx, a, r)
	if err != nil || v[0] == nil {
		return *new(T), false, err
	}
	return *v[0], true, nil
}

// many reads records outside any act, in the order of their keys; nil is none.
func many[T any](ctx context.Context, a *App, refs ...ref[T]) ([]*T, error) {
	return act(ctx, a, func(t *tx) ([]*T, error) {
		keys := make([]keyed, len(refs))
		for i, r := range refs {
			keys[i] = r
		}
		if err := t.refer(keys...); err != nil {
			return nil, err
		}
		out := make([]*T, len(refs))
		for i, r := range refs {
			v, found, err := get(t, r)
			if err != nil {
				return nil, err
			}
			if found {
				out[i] = &v
			}
		}
		return out, nil
	})
}

// list reads the records of a range outside any act.
func (a *App) list(ctx context.Context, r store.Range) ([]store.Record, error) {
	return act(ctx, a, func(t *tx) ([]store.Record, error) {
		t.tally.reads.Add(1)
		return a.store.List(ctx, r)
	})
}
