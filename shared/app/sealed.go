package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"gongji/shared/family"
	"gongji/shared/papers"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// Who a person is lies sealed under a data key of his own, which lies wrapped in the
// same record: no act reads or writes anything more for it. What is sealed under the
// house's keys, data keys above all, is sealed anew under the current one when its
// record is written, and by the sweep.

func sealedAt(p family.PersonNo, field string) string { return "PERSON#" + string(p) + "/" + field }

func paperAt(id string) string { return "PAPER#" + id }

// personal are the sealed fields of a person.
func (r *personRecord) personal() map[string]*string {
	return map[string]*string{"name": &r.Name, "id_no": &r.IDNo, "phone": &r.Phone}
}

// unseal opens a sealed field of a person; nothing stays nothing.
func (a *App) unseal(p family.PersonNo, of personRecord, field string) (string, error) {
	sealed := *of.personal()[field]
	switch {
	case sealed == "":
		return "", nil
	case of.Key == "": // as it was before people had keys
		return a.vault.Open(sealed, sealedAt(p, field))
	}
	key, err := a.vault.DataKey(of.Key, sealedAt(p, "key"))
	if err != nil {
		return "", err
	}
	return key.Open(sealed, sealedAt(p, field))
}

// identity is who a person is, in the clear.
type identity struct{ name, idNo, phone string }

// seal puts who a person is into his record, under his data key. He gets one where he
// has none.
func (a *App) seal(p family.PersonNo, into *personRecord, who identity) error {
	var key vault.DataKey
	var err error
	if into.Key == "" {
		key, into.Key, err = a.vault.NewDataKey(sealedAt(p, "key"))
	} else if into.Key, err = a.vault.Reseal(into.Key, sealedAt(p, "key")); err == nil {
		key, err = a.vault.DataKey(into.Key, sealedAt(p, "key"))
	}
	if err != nil {
		return err
	}
	for _, field := range []struct {
		sealed      *string
		name, plain string
	}{{&into.Name, "name", who.name}, {&into.IDNo, "id_no", who.idNo}, {&into.Phone, "phone", who.phone}} {
		if *field.sealed = ""; field.plain == "" {
			continue // nothing stays nothing
		}
		if *field.sealed, err = key.Seal(field.plain, sealedAt(p, field.name)); err != nil {
			return err
		}
	}
	return nil
}

// stale tells whether a person's record is to be sealed anew.
func (a *App) stale(of personRecord) bool {
	return of.Name != "" && (of.Key == "" || a.vault.Stale(of.Key))
}

// reseal brings a person's record under the house's current key.
func (a *App) reseal(p family.PersonNo, of personRecord) (personRecord, error) {
	var err error
	switch {
	case !a.stale(of):
		return of, nil
	case of.Key != "":
		of.Key, err = a.vault.Reseal(of.Key, sealedAt(p, "key"))
		return of, err
	}
	var who identity
	for field, into := range map[string]*string{"name": &who.name, "id_no": &who.idNo, "phone": &who.phone} {
		if *into, err = a.unseal(p, of, field); err != nil {
			return of, err
		}
	}
	return of, a.seal(p, &of, who)
}

// putPerson puts a person's record, sealed anew where it has to be. One that does not
// open is written as it is: the act was not about who he is.
func (a *App) putPerson(t *tx, p family.PersonNo, of personRecord) error {
	if fresh, err := a.reseal(p, of); err == nil {
		of = fresh
	}
	return put(t, personKey(p), of)
}

// resealedRecord is how far the sweep has come in sealing anew.
type resealedRecord struct {
	Key   string // the id of the house's key under which all is to be
	After store.Key
	Done  bool
	// Sealed and Left are how many records were sealed anew and did not open, so far.
	Sealed, Left int
}

var resealedKey = ref[resealedRecord]{Part: sweptKey.Part, Sort: "K"}

// Bounds of what one call of the sweep seals anew: the records it looks at, and how
// many of them a paper counts for, which lies elsewhere and is large.
const (
	maxResealed = 2_000
	paperWeight = 100
)

// Reseal seals records anew that are under older keys of the house, a bounded part of
// them, goes on where the last call stopped and tells whether all is done. It reads
// the store from end to end, once for each rotation; as long as the house holds one
// sealing key it reads nothing.
//
// When it is done the older keys can be taken away, once no process is left that was
// started before the rotation.
func (a *App) Reseal(ctx context.Context) (done bool, err error) {
	return a.resealSome(ctx, maxResealed)
}

// resealSome is Reseal of so many records.
func (a *App) resealSome(ctx context.Context, limit int) (done bool, err error) {
	current, older, err := a.vault.Current()
	if err != nil || !older {
		return err == nil, err
	}
	at, _, err := one(ctx, a, resealedKey)
	if err != nil {
		return false, err
	}
	was := at
	if at.Key != current {
		at = resealedRecord{Key: current}
	}
	for looked := 0; !at.Done && looked < limit; {
		records, err := act(ctx, a, func(*tx) ([]store.Record, error) {
			return a.store.Scan(ctx, at.After, min(store.MaxList, limit))
		})
		if err != nil {
			return false, err
		}
		for _, r := range records {
			weight, sealed, err := a.resealRecord(ctx, r)
			switch {
			case errors.Is(err, vault.ErrUnknownKey), errors.Is(err, vault.ErrNotOpened), errors.Is(err, vault.ErrNotSealed), errors.As(err, new(*DamagedError)):
				at.Left++ // it holds nobody else up
			case err != nil:
				return false, err
			case sealed:
				at.Sealed++
			}
			looked, at.After = looked+weight, r.Key
		}
		at.Done = len(records) == 0
	}
	if at == was {
		return at.Done, nil
	}
	if at.Done {
		level := slog.LevelInfo
		if at.Left > 0 {
			level = slog.LevelError
		}
		a.log.Log(ctx, level, "sealed anew", "key", current, "sealed", at.Sealed, "left", at.Left)
	}
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		if err := t.read(resealedKey); err != nil {
			return struct{}{}, err
		}
		if has, _, err := get(t, resealedKey); err != nil || has != was {
			return struct{}{}, err // another sweep was here
		}
		return struct{}{}, put(t, resealedKey, at)
	})
	return at.Done, err
}

// resealRecord seals one record anew where it is sealed under an older key, and tells
// how much it counts for.
func (a *App) resealRecord(ctx context.Context, r store.Record) (weight int, sealed bool, err error) {
	kind, name, _ := strings.Cut(r.Key.Part, "#")
	switch {
	case kind == "PERSON" && r.Key.Sort == "P":
		p := family.PersonNo(name)
		sealed, err = resealAs(ctx, a, personKey(p), r.Body, a.stale, func(of personRecord) (personRecord, error) { return a.reseal(p, of) })
	case kind == "HISKEY":
		stale := func(of signingKeyRecord) bool { return a.vault.Stale(of.Secret) }
		sealed, err = resealAs(ctx, a, signingKeyKey(name), r.Body, stale, func(of signingKeyRecord) (signingKeyRecord, error) {
			var err error
			of.Secret, err = a.vault.Reseal(of.Secret, sealedSecretAt(name))
			return of, err
		})
	case kind == "PAPER" && a.papers != nil:
		sealed, err = a.resealPaper(ctx, family.MaterialID(name))
		return paperWeight, sealed, err
	}
	return 1, sealed, err
}

// resealAs seals a record anew which, as the scan saw it, is stale.
func resealAs[T any](ctx context.Context, a *App, k ref[T], body []byte, stale func(T) bool, anew func(T) (T, error)) (bool, error) {
	var seen T
	if err := decode(k, body, &seen); err != nil || !stale(seen) {
		return false, err
	}
	return act(ctx, a, func(t *tx) (bool, error) {
		if err := t.read(k); err != nil {
			return false, err
		}
		has, found, err := get(t, k)
		if err != nil || !found || !stale(has) {
			return false, err
		}
		fresh, err := anew(has)
		if err != nil {
			return false, err
		}
		return true, put(t, k, fresh)
	})
}

// resealPaper seals a kept paper anew, and sees to it that one which was deleted
// meanwhile stays deleted.
func (a *App) resealPaper(ctx context.Context, id family.MaterialID) (bool, error) {
	kept, err := a.paperKept(ctx, id)
	if !kept || err != nil {
		return false, err
	}
	has, err := a.papers.Kept(ctx, string(id))
	if errors.Is(err, papers.ErrNone) {
		return false, nil
	}
	if err != nil || !a.vault.Stale(string(has)) {
		return false, err
	}
	fresh, err := a.vault.Reseal(string(has), paperAt(string(id)))
	if err != nil {
		return false, err
	}
	if err := a.papers.Keep(ctx, string(id), []byte(fresh)); err != nil {
		return false, err
	}
	if kept, err = a.paperKept(ctx, id); kept || err != nil {
		return kept, err
	}
	return false, a.papers.Drop(ctx, string(id))
}

// paperKept tells whether a paper is one that its binding keeps.
func (a *App) paperKept(ctx context.Context, id family.MaterialID) (bool, error) {
	at, found, err := one(ctx, a, materialKey(id))
	if err != nil || !found {
		return false, err
	}
	record, found, err := one(ctx, a, bindingKey(at.Binding))
	if err != nil || !found {
		return false, err
	}
	material, found := record.Binding.Material(id)
	return found && material.State == family.MaterialKept, nil
}
