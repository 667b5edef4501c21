package app

import (
	"sync"

	"gongji/shared/family"
	"gongji/shared/store"
)

// remembers bounds how many records of a kind a process remembers.
const remembers = 4096

// memory remembers reference data as it was decoded: tills sell the same few hundred
// items all day in the same places, and an item with all its versions and limits takes
// longer to decode than to read. The table is asked each time, in one round with all
// else, so what is remembered is never out of date. What it gives is everybody's and
// must not be changed.
type memory[T any] struct {
	mu      sync.Mutex
	records map[store.Key]decoded[T]
}

type decoded[T any] struct {
	version uint64 // of the record
	value   T
}

// recall is get for a record that a memory may hold already decoded.
func recall[T any](t *tx, m *memory[T], r ref[T]) (T, bool, error) {
	key := store.Key(r)
	s, read := t.slots[key]
	if !read || s.write != nil || len(s.record.Body) == 0 {
		return get(t, r)
	}
	m.mu.Lock()
	known, there := m.records[key]
	m.mu.Unlock()
	if there && known.version == s.record.Version {
		return known.value, true, nil
	}
	v, found, err := get(t, r)
	if err == nil && found {
		m.put(key, decoded[T]{s.record.Version, v})
	}
	return v, found, err
}

// put remembers a record, in the place of another when the memory is full.
func (m *memory[T]) put(key store.Key, d decoded[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = map[store.Key]decoded[T]{}
	}
	if _, there := m.records[key]; !there && len(m.records) >= remembers {
		for other := range m.records { // any: maps are walked from a random place
			delete(m.records, other)
			break
		}
	}
	m.records[key] = d
}

// placeOf returns an institution whose record was read.
func (a *App) placeOf(t *tx, code family.InstitutionCode) (family.Place, bool, error) {
	return recall(t, &a.places, placeKey(code))
}

// itemsOn returns what the catalogue has in force on a day of the items on a bill, which
// were read.
func (a *App) itemsOn(t *tx, bill family.Bill, day family.Day) (map[string]family.Item, error) {
	items := make(map[string]family.Item, len(bill.Lines))
	for _, l := range bill.Lines {
		record, _, err := recall(t, &a.goods, itemKey(l.Code))
		if err != nil {
			return nil, err
		}
		if version, found := family.ItemOn(record.Versions, day); found {
			items[l.Code] = version
		}
	}
	return items, nil
}
