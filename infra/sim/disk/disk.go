// Package disk is the simulator's model of a store: the port kept in memory, in so
// few lines that it can be read at a glance, and proven honest by the suite that
// the adapters pass. It is no third adapter: nothing outlives the process.
//
// It never goes wrong by itself. What befalls a call is the business of whoever
// stands between it and the acts.
package disk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gongji/shared/store"
)

// Disk keeps records in memory. It is safe for concurrent use.
type Disk struct {
	mu    sync.Mutex
	parts map[string]*part
}

// part holds the records of one Part, and their Sorts in order.
type part struct {
	records map[string]store.Record
	sorts   []string
}

var _ store.Store = (*Disk)(nil)

// New returns a disk with nothing on it.
func New() *Disk { return &Disk{parts: map[string]*part{}} }

// Get implements [store.Store].
func (d *Disk) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	if err := store.CheckGet(keys); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	records := make([]store.Record, len(keys))
	for i, k := range keys {
		records[i] = clone(d.Peek(k))
	}
	return records, nil
}

// Peek returns one record, for whoever audits: its body is the disk's own and must
// not be written.
func (d *Disk) Peek(k store.Key) store.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at(k)
}

func (d *Disk) at(k store.Key) store.Record {
	if p, found := d.parts[k.Part]; found {
		if r, found := p.records[k.Sort]; found {
			return r
		}
	}
	return store.Record{Key: k}
}

func clone(r store.Record) store.Record {
	r.Body = slices.Clone(r.Body)
	return r
}

// List implements [store.Store].
func (d *Disk) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	if err := store.CheckRange(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, found := d.parts[r.Part]
	if !found {
		return nil, nil
	}
	sorts := p.sorts
	if r.Descending {
		sorts = slices.Clone(sorts)
		slices.Reverse(sorts)
	}
	var records []store.Record
	for _, s := range sorts {
		past := r.After == "" || !r.Descending && s > r.After || r.Descending && s < r.After
		if past && strings.HasPrefix(s, r.Prefix) && len(records) < r.Limit {
			records = append(records, clone(p.records[s]))
		}
	}
	return records, nil
}

// Commit implements [store.Store].
func (d *Disk) Commit(ctx context.Context, writes []store.Write) error {
	if err := store.CheckCommit(writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range writes {
		if d.at(w.Key).Version != w.Base {
			return fmt.Errorf("%w: a record of %.4s…", store.ErrConflict, w.Key.Part)
		}
	}
	for _, w := range writes {
		if w.Check {
			continue
		}
		p, found := d.parts[w.Key.Part]
		if !found {
			p = &part{records: map[string]store.Record{}}
			d.parts[w.Key.Part] = p
		}
		if at, found := slices.BinarySearch(p.sorts, w.Key.Sort); !found {
			p.sorts = slices.Insert(p.sorts, at, w.Key.Sort)
		}
		record := clone(store.Record{Key: w.Key, Version: w.Base + 1, Body: w.Body})
		if !w.Expires.IsZero() {
			record.Expires = w.Expires.Truncate(time.Second)
		}
		p.records[w.Key.Sort] = record
	}
	return nil
}

// Forget removes every record that has expired, as a store may at any later time,
// and returns how many they were.
func (d *Disk) Forget(now time.Time) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, p := range d.parts {
		p.sorts = slices.DeleteFunc(p.sorts, func(s string) bool {
			expires := p.records[s].Expires
			gone := !expires.IsZero() && !expires.After(now)
			if gone {
				delete(p.records, s)
				n++
			}
			return gone
		})
		if len(p.sorts) == 0 {
			delete(d.parts, name)
		}
	}
	return n
}

// Each calls see with every record, in order of part and sort, until it returns
// false. see must not write what it is given.
func (d *Disk) Each(see func(store.Record) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.parts)) {
		p := d.parts[name]
		for _, s := range p.sorts {
			if !see(p.records[s]) {
				return
			}
		}
	}
}
