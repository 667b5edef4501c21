package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gongji/infra/rig"
	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"
)

// reopening measures how long a large database takes to open after a kill.
type reopening struct{ settlements int }

// reopenFamilies settle the settlements of a large database between them, but for
// those whose balances the audit knows.
const reopenFamilies = 2000

// reopenKills is how often the large database is broken off and opened.
const reopenKills = 5

func (r *reopening) run(ctx context.Context, folder string, seed uint64) error {
	program, err := rig.Build(ctx, folder)
	if err != nil {
		return err
	}
	data := filepath.Join(folder, "large")
	w := newTown(8)
	w.region.Families = reopenFamilies
	if err := r.begin(ctx, w, program, data); err != nil {
		return err
	}
	began := time.Now()
	if err := r.fill(ctx, data); err != nil {
		return err
	}
	size, err := os.Stat(filepath.Join(data, "gongji.db"))
	if err != nil {
		return err
	}
	fmt.Printf("%d settlements in %v, %d MB\n", r.settlements, time.Since(began).Round(time.Second), size.Size()>>20)
	dice := mathrand.New(mathrand.NewPCG(seed, 2))
	for n := range reopenKills {
		if err := r.reopen(ctx, w, program, data, n, dice); err != nil {
			return err
		}
	}
	return nil
}

// begin feeds the region through the doors.
func (r *reopening) begin(ctx context.Context, w *town, program, data string) error {
	server, err := rig.Start(ctx, program, data, io.Discard, nil)
	if err != nil {
		return err
	}
	w.enter(server)
	return errors.Join(w.settleIn(ctx), server.Stop())
}

// fill settles at the act: a door in front of it would only take longer.
func (r *reopening) fill(ctx context.Context, data string) (err error) {
	file, err := sqlite.Open(ctx, filepath.Join(data, "gongji.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	keys, err := vault.OpenFile(filepath.Join(data, "keys.json"), rand.Reader)
	if err != nil {
		return err
	}
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	house := app.New(app.Options{Store: file, Policies: policies, Vault: vault.New(keys, rand.Reader)})
	var next atomic.Int64
	const workers = 64
	wrong := make([]error, workers)
	var all sync.WaitGroup
	for worker := range workers {
		place := family.InstitutionCode(rig.Institution(worker % 8))
		all.Go(func() {
			for {
				n := int(next.Add(1))
				if n > r.settlements || wrong[worker] != nil {
					return
				}
				wrong[worker] = fillOne(ctx, house, place, n)
			}
		})
	}
	all.Wait()
	return errors.Join(wrong...)
}

func fillOne(ctx context.Context, house *app.App, place family.InstitutionCode, n int) error {
	// Ten thousand message ids a second of a year that is over: each is new.
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n/5000) * time.Second)
	id, err := family.ParseMessageID(string(place) + at.Format("20060102150405") + fmt.Sprintf("%04d", n%10_000))
	if err != nil {
		return err
	}
	ask := app.SettleAsk{
		Message: id, Credential: app.Credential{Type: app.ByCard, Value: rig.Card(rig.Daughter(families + n%(reopenFamilies-families)))},
		Bill: family.Bill{MedType: family.PharmacyBuy, Total: 100, UseAccount: true, Lines: []family.Line{{
			No: 1, Code: "ZC03AAF0258010100004", Name: "复方丹参片", Quantity: 10_000, UnitPrice: 100, Amount: 100,
		}}},
	}
	for range maxAgain {
		_, err = house.Settle(ctx, place, ask)
		if refusal := (*family.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != family.Busy {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("settlement %d: %w", n, err)
	}
	return nil
}

// reopen kills the server in the middle of its work and opens what is left: the
// database by itself, or the whole house.
func (r *reopening) reopen(ctx context.Context, w *town, program, data string, n int, dice *mathrand.Rand) error {
	server, err := rig.Start(ctx, program, data, io.Discard, nil)
	if err != nil {
		return err
	}
	w.enter(server)
	if err := w.untilKilled(ctx, server, dice, time.Second); err != nil {
		return err
	}
	log, err := os.Stat(filepath.Join(data, "gongji.db-wal"))
	if err != nil {
		return err
	}
	began := time.Now()
	if n%2 == 0 {
		file, err := sqlite.Open(ctx, filepath.Join(data, "gongji.db"))
		if err != nil {
			return err
		}
		_, err = file.Get(ctx, store.Key{Part: "HOUSE", Sort: "H"})
		fmt.Printf("after kill %d, %d KB in the log: opened and first record read in %v\n", n+1, log.Size()>>10, time.Since(began).Round(time.Millisecond/10))
		return errors.Join(err, file.Close())
	}
	if server, err = rig.Start(ctx, program, data, io.Discard, nil); err != nil {
		return err
	}
	fmt.Printf("after kill %d, %d KB in the log: process started and doors open in %v\n", n+1, log.Size()>>10, time.Since(began).Round(time.Millisecond/10))
	w.enter(server)
	return errors.Join(w.audit(ctx, dice, new(tally)), server.Kill())
}
