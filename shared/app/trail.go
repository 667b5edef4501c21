package app

import (
	"context"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// The trail of what operators do and look at. A line of it is written in the commit of
// the act itself, so neither is there without the other: who looks at somebody sees
// nothing before it is written down that he looked. Each line lies twice: among those of
// its day, and among those of the person or institution that it is about. What was
// there already is no act, and leaves no line.

// OperatorAct is one line of the trail.
type OperatorAct struct {
	ID          string // ordered by time
	At          time.Time
	By          string // the operator, as his token names him
	What        ActKind
	Person      family.PersonNo        `json:",omitempty"` // whom it is about
	Institution family.InstitutionCode `json:",omitempty"` // or which
	// Ref is what else it names: a signing key's id, a premium's.
	Ref string `json:",omitempty"`
}

// ActKind is what an operator did.
type ActKind string

// What operators do. Bindings, adjustments, policies and repairs keep their own records
// of who did what.
const (
	ActLook        ActKind = "look"         // he opened what is kept of a person
	ActServe       ActKind = "serve"        // he looked for a person's bindings at the counter
	ActFreeze      ActKind = "freeze"       //
	ActUnfreeze    ActKind = "unfreeze"     //
	ActSuspend     ActKind = "suspend"      //
	ActResume      ActKind = "resume"       //
	ActKey         ActKind = "key"          // he gave an institution a signing key, or changed one
	ActPremiumBack ActKind = "premium_back" // he gave a premium back
)

// newAct draws a line of the trail, before the loop. Its id has the clock's milliseconds,
// so that what was done within one second still stands in its order.
func (a *App) newAct(by family.Reviewer, now time.Time, what ActKind) (OperatorAct, error) {
	id, err := a.newID(a.clock())
	return OperatorAct{ID: id, At: now, By: by.Subject, What: what}, err
}

// trace writes a line into the commit.
func (t *tx) trace(line OperatorAct) error {
	part := actsOfPersonPart(line.Person)
	if line.Person == "" {
		part = actsOfPlacePart(line.Institution)
	}
	ofDay, ofSubject := actKey(actsOfDayPart(family.DayOf(line.At)), line.ID), actKey(part, line.ID)
	if err := t.refer(ofDay, ofSubject); err != nil {
		return err
	}
	if err := put(t, ofDay, line); err != nil {
		return err
	}
	return put(t, ofSubject, line)
}

// ActsOfDay lists the trail of a day, newest first, after a line's id.
func (a *App) ActsOfDay(ctx context.Context, day family.Day, after string, limit int) (Page[OperatorAct], error) {
	return a.acts(ctx, actsOfDayPart(day), after, limit)
}

// ActCursor tells whether a text is a cursor of the trail.
func ActCursor(s string) bool { return family.BindingID(s).Valid() } // the same shape

func (a *App) acts(ctx context.Context, part, after string, limit int) (Page[OperatorAct], error) {
	page := Page[OperatorAct]{}
	records, err := a.list(ctx, store.Range{Part: part, After: after, Limit: limit + 1, Descending: true})
	if err != nil {
		return page, err
	}
	if page.Items, err = decodeAll[OperatorAct](records); err == nil && len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = page.Items[limit-1].ID
	}
	return page, err
}

// maxShown bounds what is shown of somebody's or somewhere's past in one look.
const maxShown = 20

// PersonFile is what an operator sees of a person.
type PersonFile struct {
	Self
	// Quarantine is why a repair froze the account; empty when none did.
	Quarantine string
	Bindings   []BindingView // the newest
	Entries    []family.Entry
	Acts       []OperatorAct
}

// PersonAsk names a person by exactly one whole number.
type PersonAsk struct {
	ID     family.IDNumber
	Card   string
	Person family.PersonNo
}

// LookAtPerson shows an operator what is kept of a person whom he names by a whole
// number, once it is written down that he looked. Nobody is found by a part of one.
func (a *App) LookAtPerson(ctx context.Context, by family.Reviewer, in PersonAsk) (PersonFile, error) {
	var file PersonFile
	no := in.Person
	if no == "" {
		index := idIndexKey(a.vault.Index("id_no", string(in.ID)))
		if in.Card != "" {
			index = cardIndexKey(a.vault.Index("card_no", in.Card))
		}
		at, _, err := one(ctx, a, index)
		if err != nil {
			return file, err
		}
		no = family.PersonNo(at.To)
	}
	if no == "" {
		return file, family.Refuse(family.NotFound)
	}
	account, known, err := one(ctx, a, accountKey(no))
	if err == nil && !known {
		err = family.Refuse(family.NotFound)
	}
	if err != nil {
		return file, err
	}
	if err := a.looked(ctx, by, no, ActLook); err != nil {
		return file, err
	}
	file.Quarantine = account.Quarantine
	if file.Self, err = a.Me(ctx, no); err != nil {
		return file, err
	}
	bindings, err := a.Bindings(ctx, no, "", maxShown)
	if err != nil {
		return file, err
	}
	file.Bindings = bindings.Items
	entries, err := a.Entries(ctx, no, "", maxShown)
	if err != nil {
		return file, err
	}
	file.Entries = entries.Items
	acts, err := a.acts(ctx, actsOfPersonPart(no), "", maxShown)
	file.Acts = acts.Items
	return file, err
}

// looked writes down that an operator looks at a person.
func (a *App) looked(ctx context.Context, by family.Reviewer, at family.PersonNo, what ActKind) error {
	line, err := a.newAct(by, a.now(), what)
	if err != nil {
		return err
	}
	line.Person = at
	_, err = act(ctx, a, func(t *tx) (struct{}, error) { return struct{}{}, t.trace(line) })
	return err
}

// PlaceFile is what an operator sees of an institution.
type PlaceFile struct {
	Place family.Place
	Keys  []SigningKey // without their secrets
	Acts  []OperatorAct
	Now   time.Time
}

// maxKeysShown bounds the keys of one institution in one look.
const maxKeysShown = 100

// PlaceFileOf shows an institution with its keys, by their ids, and what operators did
// about it.
func (a *App) PlaceFileOf(ctx context.Context, code family.InstitutionCode) (PlaceFile, error) {
	file := PlaceFile{Now: a.now()}
	place, known, err := one(ctx, a, placeKey(code))
	if err == nil && !known {
		err = family.Refuse(family.NotFound)
	}
	if err != nil {
		return file, err
	}
	file.Place = place
	rows, err := a.list(ctx, store.Range{Part: keysOfPart(code), Limit: maxKeysShown})
	if err != nil {
		return file, err
	}
	refs := make([]ref[signingKeyRecord], len(rows))
	for i, row := range rows {
		refs[i] = signingKeyKey(row.Key.Sort)
	}
	keys, err := many(ctx, a, refs...)
	if err != nil {
		return file, err
	}
	for i, k := range keys {
		if k != nil {
			file.Keys = append(file.Keys, SigningKey{ID: rows[i].Key.Sort, Institution: code, Scheme: k.Scheme, From: k.From, To: k.To})
		}
	}
	acts, err := a.acts(ctx, actsOfPlacePart(code), "", maxShown)
	file.Acts = acts.Items
	return file, err
}

// BindingTrail returns a binding's events after one, to whoever audits: who did what
// with it, and who looked at which of its papers.
func (a *App) BindingTrail(ctx context.Context, id family.BindingID, after string, limit int) (Page[family.Event], error) {
	return a.history(ctx, id, after, limit, func(family.Binding) bool { return true })
}
