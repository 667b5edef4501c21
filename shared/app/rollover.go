package app

import (
	"context"

	"gongji/shared/family"
	"gongji/shared/store"
)

// maxSinceTurn bounds the entries of the year that a roll-over reads: some ten a day
// for a quarter, by which it has long been done.
const maxSinceTurn = 1_000

// Rollover moves a person's money of past years to where it belongs, at the turn into
// the year that it is now in China. Once a person and year: a repeat changes nothing.
func (a *App) Rollover(ctx context.Context, person family.PersonNo, year int) (Fed, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (Fed, error) {
		doneRef, accountRef := creditKey(family.RolloverReference(person, year)), accountKey(person)
		if err := t.read(doneRef, accountRef); err != nil {
			return "", err
		}
		if _, done, err := get(t, doneRef); done || err != nil {
			return FedUnchanged, err
		}
		account, known, err := get(t, accountRef)
		switch {
		case err != nil:
			return "", err
		case !known:
			return "", &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		case year != family.DayOf(now).Year():
			return "", &family.Refusal{Code: family.StateForbids, Field: "year", Detail: "only the turn into the year that it is now"}
		}
		since, err := a.entriesOfYear(t, person, account.Account.Seq, year)
		if err != nil {
			return "", err
		}
		var entry family.Entry
		account.Account, entry = family.Rollover(account.Account, since, now)
		if err := put(t, doneRef, creditRecord{Person: person, Amount: entry.Delta, At: entry.At, Seq: entry.Seq, Turn: true}); err != nil {
			return "", err
		}
		if err := put(t, accountRef, account); err != nil {
			return "", err
		}
		return FedCreated, add(t, entryKey(person, entry.Seq), entry)
	})
}

// entriesOfYear returns an account's entries since the turn into a year, oldest first,
// up to one by its number. Entries are written with their account and never after it, so
// that the account's version speaks for them.
func (a *App) entriesOfYear(t *tx, person family.PersonNo, last uint64, year int) ([]family.Entry, error) {
	r := store.Range{Part: accountKey(person).Part, Prefix: entryPrefix, After: entryKey(person, last+1).Sort, Limit: 50, Descending: true}
	var since []family.Entry
	for {
		t.tally.reads.Add(1)
		records, err := t.store.List(t.ctx, r)
		if err != nil {
			return nil, err
		}
		entries, err := decodeAll[family.Entry](records)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if family.DayOf(e.At).Year() < year {
				return since, nil
			}
			if len(since) == maxSinceTurn {
				return nil, &family.Refusal{Code: family.TooLarge, Field: "year", Detail: "too much has happened since the turn of the year"}
			}
			since = append([]family.Entry{e}, since...)
		}
		if len(records) < r.Limit {
			return since, nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}
