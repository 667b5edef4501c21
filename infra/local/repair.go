package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/user"
	"slices"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// provePart is how many records are proved before the next line is said.
const provePart = 10_000

// maxFaultsTold bounds the faults that are told one by one.
const maxFaultsTold = 200

// repair proves the whole table and repairs it as far as it is asked to, instead of
// serving anybody: a restored table is put in order before a door opens on it.
func repair(ctx context.Context, o options, stdout io.Writer) (err error) {
	state, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.close()) }()
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	house := app.New(app.Options{Store: state.store, Policies: policies, Vault: vault.New(state.keys, rand.Reader)})
	if err := house.CheckKeys(ctx); err != nil {
		if errors.Is(err, app.ErrForeignKeys) {
			err = state.foreignKeys()
		}
		return err
	}
	by := "unknown"
	if me, err := user.Current(); err == nil {
		by = me.Username
	}
	faults, err := repairAll(ctx, house, o.repair == "mend" || o.repair == "quarantine", false, by, stdout)
	if err == nil && o.repair == "quarantine" && faults > 0 {
		faults, err = repairAll(ctx, house, true, true, by, stdout)
	}
	if err == nil && o.repair != "look" && faults > 0 {
		faults, err = repairAll(ctx, house, false, false, by, stdout)
	}
	if err == nil && faults > 0 {
		err = fmt.Errorf("%d 处不符 / %d faults", faults, faults)
	}
	return err
}

// repairAll goes through the table once, and returns how many faults it found.
func repairAll(ctx context.Context, house *app.App, mend, quarantine bool, by string, stdout io.Writer) (faults int, err error) {
	records := 0
	for after, complete := (store.Key{}), false; !complete; {
		proof, err := house.ProveTable(ctx, after, provePart)
		if err != nil {
			return faults, err
		}
		records, after, complete = records+proof.Records, proof.After, proof.Complete
		for _, f := range proof.Faults {
			if faults++; faults <= maxFaultsTold {
				fmt.Fprintf(stdout, "fault: %s\n", faultText(f))
			}
		}
		if !mend {
			continue
		}
		done, err := house.Repair(ctx, proof.Proof, quarantine, by)
		for _, what := range done.Done {
			fmt.Fprintf(stdout, "done: %s\n", what)
		}
		for _, p := range slices.Sorted(maps.Keys(done.Quarantined)) {
			fmt.Fprintf(stdout, "frozen: %s: %s\n", p, done.Quarantined[p])
		}
		for _, f := range done.Left {
			fmt.Fprintf(stdout, "left: %s\n", faultText(f))
		}
		if err != nil {
			return faults, err
		}
	}
	fmt.Fprintf(stdout, "核对了 %d 条记录，%d 处不符\n%d records proved, %d faults\n", records, faults, records, faults)
	return faults, nil
}

func faultText(f family.Fault) string {
	return fmt.Sprintf("%s (person %q, entry %d, reference %q)", f.What, f.Account, f.Seq, f.Ref)
}
