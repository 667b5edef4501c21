package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers"
	"gongji/shared/vault"
)

// under is a process over the house's store that was started with keys.
func (h *house) under(keys vault.Keys) *App {
	h.t.Helper()
	a := h.over(h.store)
	a.vault = vault.New(keys, &draws{n: h.ids.at() + 5000})
	a.store.vault = a.vault
	return a
}

// person is a person's record as it lies in the store.
func (h *house) person(p family.PersonNo) personRecord {
	h.t.Helper()
	record, found, err := one(h.t.Context(), h.App, personKey(p))
	if err != nil || !found {
		h.t.Fatal(found, err)
	}
	return record
}

// TestTheOldKeyCanBeTakenAway: the house's keys rotate; whoever is written is sealed
// anew at once, and the sweep does the rest, a few records at a time, each by another
// process. Then the old key goes, and everything reads: people, a signing key, a paper.
func TestTheOldKeyCanBeTakenAway(t *testing.T) {
	t.Parallel()
	h := canton(t)
	h.pay(li, 50000, 0)
	h.bind(li, wang, "12", true, forAll())
	h.reviewed()
	key := SigningKey{ID: "AK1", Institution: hospital, Scheme: SchemeAPI, Secret: "SK-of-the-hospital"}
	ok(h.FeedSigningKey(t.Context(), anna, key))(t)
	old := ok(fixedKeys())(t)
	// One who was fed before people had keys of their own.
	h.asBefore(chen)

	rotated := ok(old.Rotate(&draws{n: 1000}))(t)
	id, older, err := vault.New(rotated, &draws{}).Current()
	if !older || err != nil {
		t.Fatal("a rotation leaves no older key", err)
	}
	newer := h.under(rotated)
	ok(newer.RequestBinding(t.Context(), li, h.ask(chen, "52", true, nil), Once{}))(t)
	if !strings.HasPrefix(h.person(li).Key, "v1."+id+".") || strings.HasPrefix(h.person(wang).Key, "v1."+id+".") {
		t.Fatal("who was written is to be sealed anew, and he alone")
	}
	names := h.person(wang)

	calls := 0
	for done := false; !done; calls++ {
		done = ok(h.under(rotated).resealSome(t.Context(), 25))(t)
	}
	if records := len(h.dump()); calls < records/25 {
		t.Errorf("%d calls of 25 records each have seen all of %d", calls, records)
	}
	before := h.dump()
	if done := ok(newer.Reseal(t.Context()))(t); !done {
		t.Error("it begins again")
	}
	h.wantNothingMoved(before)
	if now := h.person(wang); now.Key == names.Key || now.Name != names.Name {
		t.Error("of a person the key is sealed anew, and nothing else")
	}
	for k, r := range before {
		if strings.Contains(r.Body, "v1.0000aaaa.") {
			t.Errorf("%v is still under the old key", k)
		}
	}

	last := h.under(ok(rotated.Drop())(t))
	h.App = last
	for _, p := range []family.PersonNo{li, wang, chen, ming, huang} {
		ok(last.Me(t.Context(), p))(t)
	}
	same(t, "the signing key", ok(last.FindSigningKey(t.Context(), key.ID))(t), key)
	who := ok(last.Identify(t.Context(), pharmacy, h.byID(chen)))(t)
	same(t, "her name", who.Name, h.human(chen).name)
	for _, m := range h.papersKept() {
		sealed := ok(last.papers.Kept(t.Context(), string(m)))(t)
		ok(last.vault.Open(string(sealed), paperAt(string(m))))(t)
	}
	h.settle(pharmacy, h.byID(wang), medicine(2000))
	if fed := ok(last.FeedPerson(t.Context(), h.feedOf(h.human(wang))))(t); fed != FedUnchanged {
		t.Errorf("who is as fed was %s", fed)
	}
	h.prove()
}

// papersKept are the papers that bindings keep.
func (h *house) papersKept() []family.MaterialID {
	var ids []family.MaterialID
	for k := range h.dump() {
		if name, is := strings.CutPrefix(k.Part, "PAPER#"); is {
			if kept, err := h.paperKept(h.t.Context(), family.MaterialID(name)); err == nil && kept {
				ids = append(ids, family.MaterialID(name))
			}
		}
	}
	if len(ids) == 0 {
		h.t.Fatal("no paper is kept")
	}
	slices.Sort(ids)
	return ids
}

// asBefore writes a person as people were written before they had keys.
func (h *house) asBefore(p family.PersonNo) {
	h.t.Helper()
	_, err := act(h.t.Context(), h.App, func(t *tx) (struct{}, error) {
		if err := t.read(personKey(p)); err != nil {
			return struct{}{}, err
		}
		record, _, err := get(t, personKey(p))
		if err != nil {
			return struct{}{}, err
		}
		for field, sealed := range record.personal() {
			plain, err := h.unseal(p, record, field)
			if err != nil {
				return struct{}{}, err
			}
			if plain != "" {
				if *sealed, err = h.vault.Seal(plain, sealedAt(p, field)); err != nil {
					return struct{}{}, err
				}
			}
		}
		record.Key = ""
		return struct{}{}, put(t, personKey(p), record)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestWhatDoesNotOpenHoldsNobodyUp: a key that went too early leaves records that
// nobody opens. They are counted, told, kept as they are, and in nobody's way.
func TestWhatDoesNotOpenHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pay(li, 50000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	lost := ok(ok(ok(fixedKeys())(t).Rotate(&draws{n: 1000}))(t).Drop())(t)
	next := h.under(ok(lost.Rotate(&draws{n: 1500}))(t))
	if _, err := next.Me(t.Context(), li); !errors.Is(err, vault.ErrUnknownKey) {
		t.Fatal(err)
	}
	was := h.person(li)
	ok(next.ChangeBinding(t.Context(), li, id, family.Change{Paused: new(true)}))(t)
	if done := ok(next.Reseal(t.Context()))(t); !done {
		t.Fatal("it does not come to its end")
	}
	var at resealedRecord
	for k, r := range h.dump() {
		if k == resealedKey.storeKey() {
			if err := json.Unmarshal([]byte(r.Body), &at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if at.Left != len(cast) || at.Sealed != 0 {
		t.Errorf("of %d people %d were left and %d sealed anew", len(cast), at.Left, at.Sealed)
	}
	same(t, "his data key", h.person(li).Key, was.Key)
	ok(h.Me(t.Context(), li))(t) // with the key that was lost, all is there
	h.prove()
}

// TestAPaperDeletedMeanwhileStaysDeleted: the sweep seals a paper anew in the moment
// in which another deletes it.
func TestAPaperDeletedMeanwhileStaysDeleted(t *testing.T) {
	t.Parallel()
	h := canton(t)
	id := h.reviewed()
	deleted := h.papersKept()
	newer := h.under(ok(ok(fixedKeys())(t).Rotate(&draws{n: 1000}))(t))
	newer.papers = meddled{newer.papers, sync.OnceFunc(func() {
		ok(h.EndBinding(t.Context(), liang, id))(t)
		h.clock.add(400 * 24 * time.Hour)
		ok(h.TendPerson(t.Context(), liang))(t)
	})}
	if done := ok(newer.Reseal(t.Context()))(t); !done {
		t.Fatal("it does not come to its end")
	}
	for _, m := range deleted {
		if _, err := h.papers.Kept(t.Context(), string(m)); !errors.Is(err, papers.ErrNone) {
			t.Errorf("a paper that was deleted is there: %v", err)
		}
	}
}

// meddled is a shelf on which something else happens before a paper is put there.
type meddled struct {
	papers.Shelf
	first func()
}

func (m meddled) Keep(ctx context.Context, id string, sealed []byte) error {
	m.first()
	return m.Shelf.Keep(ctx, id, sealed)
}
