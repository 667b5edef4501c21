package app

import (
	"context"
	"errors"
	"iter"
	"slices"

	"gongji/shared/family"
	"gongji/shared/store"
)

// maxVersions bounds the versions of one catalogue item.
const maxVersions = 50

// FedItem says what a version of a catalogue item did, or would do.
type FedItem struct {
	Fed Fed
	// Was is what the catalogue had in force on the version's first day; nil is nothing.
	Was *family.Item
	// Err is why it was not taken: a refusal, or a failure that says nothing.
	Err error
}

// FeedItem takes over one version of a catalogue item; its first day tells it
// from the item's other versions.
func (a *App) FeedItem(ctx context.Context, in family.Item) (Fed, error) {
	fed := a.FeedItems(ctx, []family.Item{in}, false)
	return fed[0].Fed, fed[0].Err
}

// FeedItems takes over versions of catalogue items, each on its own: one that is
// refused stops no other. Dry, it writes nothing and says what it would do.
func (a *App) FeedItems(ctx context.Context, in []family.Item, dry bool) []FedItem {
	fed := make([]FedItem, 0, len(in))
	for batch := range batches(in) {
		done, err := act(ctx, a, func(t *tx) ([]FedItem, error) { return feedItems(t, batch, dry) })
		if err != nil {
			done = make([]FedItem, len(batch))
			for i := range done {
				done[i].Err = err
			}
		}
		fed = append(fed, done...)
	}
	return fed
}

// batches cuts items into what one commit takes over at most: each is a record of its
// own and one for each term that it is found by.
func batches(items []family.Item) iter.Seq[[]family.Item] {
	return func(yield func([]family.Item) bool) {
		first, writes := 0, 0
		for i, item := range items {
			n := 1 + len(termsOf(item.Name, item.Code))
			if i > first && writes+n > store.MaxWrites {
				if !yield(items[first:i]) {
					return
				}
				first, writes = i, 0
			}
			writes += n
		}
		if first < len(items) {
			yield(items[first:])
		}
	}
}

func feedItems(t *tx, batch []family.Item, dry bool) ([]FedItem, error) {
	var keys, terms []keyed
	for _, item := range batch {
		keys = append(keys, itemKey(item.Code))
	}
	if err := t.read(keys...); err != nil {
		return nil, err
	}
	for _, item := range batch { // all in one round
		record, _, err := get(t, itemKey(item.Code))
		if err != nil {
			return nil, err
		}
		if dry || named(record.Versions, item.Name) {
			continue
		}
		for _, s := range termsOf(item.Name, item.Code) {
			terms = append(terms, termKey(itemShelf, s, item.Code))
		}
	}
	if err := t.refer(terms...); err != nil {
		return nil, err
	}
	done := make([]FedItem, len(batch))
	stands := map[string][]family.Item{} // what earlier lines of the batch made of it
	for i, item := range batch {
		has, known := stands[item.Code]
		if !known {
			record, _, err := get(t, itemKey(item.Code))
			if err != nil {
				return nil, err
			}
			has = record.Versions
		}
		if was, found := family.ItemOn(has, item.From); found {
			done[i].Was = &was
		}
		after, fed, err := withVersion(has, item)
		refusal := (*family.Refusal)(nil)
		if err != nil && !errors.As(err, &refusal) {
			return nil, err
		}
		done[i].Fed, done[i].Err = fed, err
		if err != nil || fed == FedUnchanged {
			continue
		}
		stands[item.Code] = after
		if dry {
			continue
		}
		if !named(has, item.Name) {
			if err := t.index(itemShelf, item.Name, item.Code); err != nil {
				return nil, err
			}
		}
		if err := put(t, itemKey(item.Code), catalogueRecord{after}); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// named tells whether one of an item's versions has a name, so that it is found by it.
func named(versions []family.Item, name string) bool {
	return slices.ContainsFunc(versions, func(v family.Item) bool { return v.Name == name })
}

// withVersion returns an item's versions with one more, or changed.
func withVersion(has []family.Item, item family.Item) ([]family.Item, Fed, error) {
	at := slices.IndexFunc(has, func(v family.Item) bool { return v.From == item.From })
	switch {
	case at >= 0 && has[at].Equal(item):
		return has, FedUnchanged, nil
	case at >= 0:
		after := slices.Clone(has)
		after[at] = item
		return after, FedUpdated, nil
	case len(has) >= maxVersions:
		return nil, "", &family.Refusal{Code: family.StateForbids, Field: "effective_from", Detail: "the item has too many versions"}
	}
	return append(slices.Clip(has), item), FedCreated, nil
}
