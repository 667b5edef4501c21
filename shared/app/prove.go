package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Proof is what a proof of the books looked at and found. The books are in order
// when there are no faults.
type Proof struct {
	Institutions, Settlements, Accounts, Entries int
	Faults                                       []family.Fault
	// Next is the institution after which the proof goes on; empty at the end.
	Next string
}

// maxProof bounds the settlements that one call proves: it ends with the first
// institution past it.
const maxProof = 5_000

// ProveDay proves every settlement of a day after an institution, and the account
// of everybody who took part: legs sum to zero, every leg is an entry, every
// entry is in its chain, balances, caps and counters are what the entries say.
func (a *App) ProveDay(ctx context.Context, day family.Day, after string) (Proof, error) {
	var proof Proof
	people := map[family.PersonNo]bool{}
	places := store.Range{Part: placesPart, After: after, Limit: store.MaxList}
	for {
		rows, err := a.list(ctx, places)
		if err != nil {
			return proof, err
		}
		for _, row := range rows {
			if proof.Settlements >= maxProof {
				proof.Next = places.After
				return proof, a.proveAll(ctx, &proof, people)
			}
			if err := a.proveDayOf(ctx, family.InstitutionCode(row.Key.Sort), day, &proof, people); err != nil {
				return proof, err
			}
			proof.Institutions++
			places.After = row.Key.Sort
		}
		if len(rows) < places.Limit {
			return proof, a.proveAll(ctx, &proof, people)
		}
	}
}

func (a *App) proveAll(ctx context.Context, proof *Proof, people map[family.PersonNo]bool) error {
	for _, p := range slices.Sorted(maps.Keys(people)) {
		part, err := a.ProveAccount(ctx, p)
		if err != nil {
			return err
		}
		proof.Accounts++
		proof.Entries += part.Entries
		proof.Faults = append(proof.Faults, part.Faults...)
	}
	return nil
}

// ProveAccount derives a person's account from its entries.
func (a *App) ProveAccount(ctx context.Context, p family.PersonNo) (Proof, error) {
	record, found, err := one(ctx, a, accountKey(p))
	if errors.As(err, new(*DamagedError)) {
		return Proof{Accounts: 1, Faults: []family.Fault{{Account: p, What: "the account is damaged"}}}, nil
	}
	if err != nil {
		return Proof{}, err
	}
	if !found {
		return Proof{Faults: []family.Fault{{Account: p, What: "there is no account"}}}, nil
	}
	proof := Proof{Accounts: 1}
	var entries []family.Entry
	newest := record.Account.Seq
	r := store.Range{Part: accountKey(p).Part, Prefix: entryPrefix, Limit: store.MaxList}
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return Proof{}, err
		}
		page, damaged := whole[family.Entry](records)
		for _, k := range damaged {
			proof.Faults = append(proof.Faults, family.Fault{Account: p, What: "the entry " + k.Sort + " is damaged"})
		}
		for _, e := range page {
			if e.Seq <= record.Account.Seq {
				entries = append(entries, e)
			}
			newest = max(newest, e.Seq)
		}
		if len(records) < r.Limit {
			break
		}
		r.After = records[len(records)-1].Key.Sort
	}
	proof.Entries, proof.Faults = len(entries), append(proof.Faults, family.ProveAccount(record.Account, entries)...)
	if newest > record.Account.Seq {
		// They came after the account was read, and the account with them.
		now, _, err := one(ctx, a, accountKey(p))
		if err != nil {
			return Proof{}, err
		}
		if now.Account.Seq < newest {
			proof.Faults = append(proof.Faults, family.Fault{Account: p, Seq: newest, What: "the account does not know of its newest entries"})
		}
	}
	return proof, nil
}

// whole returns the bodies of the records that are as the house wrote them, and
// the keys of the others.
func whole[T any](records []store.Record) (bodies []T, damaged []store.Key) {
	for _, r := range records {
		var body T
		if err := decode(ref[T](r.Key), r.Body, &body); err != nil {
			damaged = append(damaged, r.Key)
			continue
		}
		bodies = append(bodies, body)
	}
	return bodies, damaged
}

// look reads records as many does, but goes past those that are damaged.
func look[T any](ctx context.Context, a *App, refs ...ref[T]) (bodies []*T, damaged []bool, err error) {
	keys := make([]store.Key, len(refs))
	for i, r := range refs {
		keys[i] = store.Key(r)
	}
	records, err := act(ctx, a, func(*tx) ([]store.Record, error) { return a.store.Get(ctx, keys...) })
	if err != nil {
		return nil, nil, err
	}
	bodies, damaged = make([]*T, len(refs)), make([]bool, len(refs))
	for i, r := range records {
		if !r.Exists() {
			continue
		}
		var body T
		if damaged[i] = decode(refs[i], r.Body, &body) != nil; !damaged[i] {
			bodies[i] = &body
		}
	}
	return bodies, damaged, nil
}

// proveDayOf proves the settlements of one institution.
func (a *App) proveDayOf(ctx context.Context, place family.InstitutionCode, day family.Day, proof *Proof, people map[family.PersonNo]bool) error {
	r := store.Range{Part: dayPart(place, day), Prefix: messagePrefix, Limit: store.MaxList}
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return err
		}
		messages, damaged := whole[messageRecord](records)
		for _, k := range damaged {
			proof.Faults = append(proof.Faults, family.Fault{Ref: strings.TrimPrefix(k.Sort, messagePrefix), What: "the message is damaged"})
		}
		for _, m := range messages {
			if m.Settlement == nil {
				continue
			}
			proof.Settlements++
			if err := a.proveSettlement(ctx, *m.Settlement, proof, people); err != nil {
				return err
			}
		}
		if len(records) < r.Limit {
			return nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}

// proveSettlement proves one settlement against the entries and the refunds that
// belong to it.
func (a *App) proveSettlement(ctx context.Context, s family.Settlement, proof *Proof, people map[family.PersonNo]bool) error {
	proof.Faults = append(proof.Faults, family.ProveSettlement(s)...)
	found := func(leg family.Posting, what string) {
		proof.Faults = append(proof.Faults, family.Fault{Account: leg.Account, Seq: leg.Seq, Ref: string(s.ID), What: what})
	}
	var legs []family.Posting
	var entryRefs []ref[family.Entry]
	for _, leg := range s.Legs {
		if leg.Party == family.Personal {
			people[leg.Account] = true
			legs, entryRefs = append(legs, leg), append(entryRefs, entryKey(leg.Account, leg.Seq))
		}
	}
	entries, damaged, err := look(ctx, a, entryRefs...)
	if err != nil {
		return err
	}
	for i, e := range entries {
		switch {
		case damaged[i]:
			found(legs[i], "the leg's entry is damaged")
		case e == nil:
			found(legs[i], "the leg has no entry")
		case !entered(s, legs[i], *e):
			found(legs[i], "the leg's entry is another")
		}
	}
	others := s.Refunds
	if s.Kind != family.Settled {
		others = []family.MessageID{s.Original}
	}
	refs := make([]ref[messageRecord], len(others))
	for i, id := range others {
		if _, err := family.ParseMessageID(string(id)); err != nil {
			found(family.Posting{}, "the settlement names a message that is none")
			return nil
		}
		refs[i] = messageKey(id)
	}
	records, _, err := look(ctx, a, refs...) // one that is damaged is as good as none
	if err != nil {
		return err
	}
	var known []family.Settlement
	for _, r := range records {
		if r != nil && r.Settlement != nil {
			known = append(known, *r.Settlement)
		}
	}
	switch {
	case s.Kind == family.Settled:
		proof.Faults = append(proof.Faults, family.ProveRefunds(s, known)...)
	case len(known) == 0 || !slices.Contains(known[0].Refunds, s.ID):
		found(family.Posting{}, "the original does not know of it")
	}
	return nil
}

// entered tells whether an entry is the one that a leg of a settlement made.
func entered(s family.Settlement, leg family.Posting, e family.Entry) bool {
	if e.Ref != string(s.ID) || e.Kind != s.Kind || !e.At.Equal(s.At) || e.Delta != leg.Delta {
		return false
	}
	if leg.Account == s.Patient {
		return e.Patient && e.Day == s.Basis.Day && e.Insutype == s.Basis.Insutype && e.Deductible == s.Paid.Deductible && e.Pool == s.Paid.FundPaid
	}
	return slices.ContainsFunc(s.Shares, func(share family.Share) bool {
		return share.Grantor == leg.Account && share.Binding == e.Grant && (e.Month == 0 || e.Month == s.Basis.Day.Month())
	})
}
