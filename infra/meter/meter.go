// Package meter counts what DynamoDB would charge for, by DynamoDB's own rules, over
// any store.
package meter

import (
	"context"
	"sync"

	"gongji/shared/store"
	"gongji/shared/store/dynamo"
)

// Store is a store that counts. It is safe for concurrent use.
type Store struct {
	store.Store

	mu    sync.Mutex
	sizes map[store.Key]int // of the records as they stand, in bytes as DynamoDB counts them
	now   Bill
}

// Bill is what some calls cost.
type Bill struct {
	// Rounds are calls of Get and List, Commits of Commit; Puts and Checks are the
	// records that the commits name, Bytes the sizes of those written, unpacked.
	Rounds, Commits, Puts, Checks, Bytes int
	WriteUnits, ReadUnits                int
	// Kept is by how many bytes the table grew, records packed as it holds them.
	Kept int
}

// New returns a meter over an empty store.
func New(s store.Store) *Store { return &Store{Store: s, sizes: map[store.Key]int{}} }

// Reset begins a new bill.
func (m *Store) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = Bill{}
}

// Bill returns what the calls since Reset cost.
func (m *Store) Bill() Bill {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func blocks(size, of int) int { return max(1, (size+of-1)/of) }

// Get counts one unit for each 4 KiB of a record, each rounded up by itself.
func (m *Store) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	m.mu.Lock()
	m.now.Rounds++
	for _, k := range keys {
		m.now.ReadUnits += blocks(m.sizes[k], 4096)
	}
	m.mu.Unlock()
	return m.Store.Get(ctx, keys...)
}

// List counts them for all its records together.
func (m *Store) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	records, err := m.Store.List(ctx, r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Rounds++
	size := 0
	for _, record := range records {
		size += m.sizes[record.Key]
	}
	m.now.ReadUnits += blocks(size, 4096)
	return records, err
}

// Commit counts two units for each KiB of a record, as it was or will be, whichever
// is more, and of a check too.
func (m *Store) Commit(ctx context.Context, writes []store.Write) error {
	if err := m.count(writes); err != nil {
		return err
	}
	return m.Store.Commit(ctx, writes)
}

func (m *Store) count(writes []store.Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Commits++
	for _, w := range writes {
		size := m.sizes[w.Key]
		if w.Check {
			m.now.Checks++
		} else {
			m.now.Puts++
			after, unpacked, err := dynamo.Size(w)
			if err != nil {
				return err
			}
			m.now.Bytes += unpacked
			m.now.Kept += after - size
			size = max(size, after)
			m.sizes[w.Key] = after
		}
		m.now.WriteUnits += 2 * blocks(size, 1024)
	}
	return nil
}
