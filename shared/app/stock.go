package app

import (
	"sync"
	"time"

	"gongji/shared/family"
)

// Bounds of the catalogue that a process remembers. An item is remembered with all
// its versions, so the day decides which is in force; a version that another
// process was fed is seen when stockLife is over.
const (
	stockSize = 4096
	stockLife = time.Minute
)

// stockroom remembers catalogue items: tills sell the same few hundred all day. Codes
// that the catalogue does not have are not remembered.
type stockroom struct {
	mu    sync.Mutex
	items map[string]stocked
}

type stocked struct {
	versions []family.Item
	at       time.Time
}

// get returns all versions of an item, if they are remembered and fresh.
func (s *stockroom) get(code string, now time.Time) ([]family.Item, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[code]
	if age := now.Sub(it.at); !ok || age < 0 || age >= stockLife {
		return nil, false
	}
	return it.versions, true
}

// put remembers an item, in the place of another when the room is full.
func (s *stockroom) put(code string, versions []family.Item, now time.Time) {
	if len(versions) == 0 {
		return
	}
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
	s.items[code] = stocked{versions, now}
}

// drop forgets an item.
func (s *stockroom) drop(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, code)
}

// goodsOn returns all versions of each item on a bill, remembered or of the table.
// What is not remembered is read in one round, unless it was read ahead.
func (a *App) goodsOn(t *tx, bill family.Bill, now time.Time) (map[string][]family.Item, error) {
	stock := make(map[string][]family.Item, len(bill.Lines))
	var missing []keyed
	for _, l := range bill.Lines {
		if versions, ok := a.stock.get(l.Code, now); ok && !t.knows(itemKey(l.Code)) {
			stock[l.Code] = versions
		} else {
			missing = append(missing, itemKey(l.Code))
		}
	}
	if err := t.refer(missing...); err != nil {
		return nil, err
	}
	for _, l := range bill.Lines {
		if _, ok := stock[l.Code]; ok {
			continue
		}
		item, _, err := get(t, itemKey(l.Code))
		if err != nil {
			return nil, err
		}
		stock[l.Code] = item.Versions
		a.stock.put(l.Code, item.Versions, now)
	}
	return stock, nil
}
