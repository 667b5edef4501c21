package app

import (
	"context"
	"errors"
	"fmt"

	"gongji/shared/store"
)

// foundationRecord says under which keys the store was begun.
type foundationRecord struct{ Keys string }

func foundationKey() ref[foundationRecord] { return ref[foundationRecord]{Part: "HOUSE", Sort: "H"} }

// ErrForeignKeys says that the store was begun under other keys: with these, nobody
// in it would be found and nothing sealed could be opened.
var ErrForeignKeys = errors.New("app: the store was begun under other keys")

// CheckKeys compares the vault's keys with those under which the store was begun,
// and marks a store that is new. Call it before a door opens.
func (a *App) CheckKeys(ctx context.Context) error {
	fingerprint := a.vault.Index("foundation", "1")
	_, err := act(ctx, a, func(t *tx) (struct{}, error) {
		r := foundationKey()
		if err := t.read(r); err != nil {
			return struct{}{}, err
		}
		begun, found, err := get(t, r)
		if errors.As(err, new(*DamagedError)) {
			// Under other keys no record's stamp is right, and this one's least of all.
			return struct{}{}, fmt.Errorf("%w, or the record that says so was changed", ErrForeignKeys)
		}
		switch {
		case err != nil:
			return struct{}{}, err
		case !found:
			return struct{}{}, put(t, r, foundationRecord{Keys: fingerprint})
		case begun.Keys != fingerprint:
			return struct{}{}, ErrForeignKeys
		}
		return struct{}{}, nil
	})
	return err
}

// Founded tells whether a store holds a house, without its keys: whoever has lost
// them must not begin a new one in its place.
func Founded(ctx context.Context, s store.Store) (bool, error) {
	records, err := s.Get(ctx, foundationKey().storeKey())
	if err != nil {
		return false, err
	}
	return records[0].Exists(), nil
}
