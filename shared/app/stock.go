package app

import (
	"sync"

	"gongji/shared/family"
)

// stockSize bounds how many catalogue items a process remembers.
const stockSize = 4096

// stockroom remembers catalogue items as they were decoded: tills sell the same few
// hundred all day, and an item with all its versions and limits takes longer to
// decode than to read. The table is asked each time, in one round with all else, so
// what is remembered is never out of date, and the day decides which version is in
// force.
type stockroom struct {
	mu    sync.Mutex
	items map[string]stocked
}

type stocked struct {
	version  uint64 // of the record
	versions []family.Item
}

// get returns all versions of an item, if its record is still the one remembered.
func (s *stockroom) get(code string, version uint64) ([]family.Item, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[code]
	return it.versions, ok && it.version == version
}

// put remembers an item, in the place of another when the room is full.
func (s *stockroom) put(code string, version uint64, versions []family.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = map[string]stocked{}
	}
	if _, there := s.items[code]; !there && len(s.items) >= stockSize {
		for other := range s.items { // any: maps are walked from a random place
			delete(s.items, other)
			break
		}
	}
	s.items[code] = stocked{version, versions}
}

// goodsOn returns all versions of each item on a bill, which were read.
func (a *App) goodsOn(t *tx, bill family.Bill) (map[string][]family.Item, error) {
	stock := make(map[string][]family.Item, len(bill.Lines))
	for _, l := range bill.Lines {
		version := t.version(itemKey(l.Code))
		if versions, ok := a.stock.get(l.Code, version); ok && version != 0 {
			stock[l.Code] = versions
			continue
		}
		item, found, err := get(t, itemKey(l.Code))
		if err != nil {
			return nil, err
		}
		if stock[l.Code] = item.Versions; found {
			a.stock.put(l.Code, version, item.Versions)
		}
	}
	return stock, nil
}
