package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gongji/infra/meter"
	"gongji/shared/family"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"
)

// metered is a world over a store that counts what is asked of it.
type metered struct {
	*world
	meter *meter.Store
	store *sqlite.Store
	keys  vault.Keys
}

// openMetered makes one in a folder of its own. Its store is the caller's to close.
func openMetered(ctx context.Context, p plan, name string) (*metered, error) {
	folder := filepath.Join(p.folder, name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, filepath.Join(folder, "gongji.db"))
	if err != nil {
		return nil, err
	}
	m := meter.New(s)
	w, err := newWorld(ctx, m, keys, func() time.Time { return noon })
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &metered{w, m, s, keys}, nil
}

// measureUnits counts what DynamoDB would charge for settlements by code with three
// lines.
func measureUnits(ctx context.Context, p plan, t table) (err error) {
	w, err := openMetered(ctx, p, "units")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	for _, c := range []struct {
		what           string
		payers         int
		own            family.Fen
		records, units int
	}{
		{"own account only", 0, family.MaxFen, 4, 8},
		{"one grantor", 1, 0, 6, 12},
		{"own and one grantor", 1, 50, 6, 12},
		{"the first of eight grantors", maxPayers, 0, 6, 12},
	} {
		if err := w.settleIn(ctx, 1, c.payers, c.own); err != nil {
			return err
		}
		view, err := w.IssueQR(ctx, w.families[len(w.families)-1].patient, "", once)
		if err != nil {
			return err
		}
		w.meter.Reset()
		if _, err := w.Settle(ctx, hospital, w.settleAsk(view.Answer.Digits, 3)); err != nil {
			return err
		}
		b := w.meter.Bill()
		t.row("records and write units, by QR, three lines: "+c.what, fmt.Sprintf("%d records, %d units; %d read rounds, %d commit", b.Puts, b.WriteUnits, b.Rounds, b.Commits),
			fmt.Sprintf("≤ %d records, ≤ %d units", c.records, c.units), b.Puts <= c.records && b.WriteUnits <= c.units)
	}
	return nil
}
