package app

import (
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"gongji/shared/checkpoint"
	"gongji/shared/family"
	"gongji/shared/store"

	"golang.org/x/mod/sumdb/note"
)

// signing gives the house a key that signs its days.
func (h *house) signing() note.Verifier {
	private, public, err := note.GenerateKey(rand.Reader, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	h.signer = ok(note.NewSigner(private))(h.t)
	return ok(note.NewVerifier(public))(h.t)
}

// TestARewrittenHistoryIsNotWhatWasSigned: who writes the table and has the vault's
// keys writes an account's history anew, from a credit on, so that every proof of the
// books passes; the signed day says that it is another.
func TestARewrittenHistoryIsNotWhatWasSigned(t *testing.T) {
	h := newHouse(t)
	refused(h.Checkpoint(t.Context(), family.DayOf(h.clock.Now())))(t, family.NotFound) // no key
	verifier := h.signing()
	h.pay(li, 30000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	h.settle(hospital, byQR(h.show(li, id).Digits), clinicVisit())
	h.prove()
	day := family.DayOf(h.clock.Now())
	refused(h.Checkpoint(t.Context(), day))(t, family.StateForbids) // it is not over
	h.clock.add(26 * time.Hour)
	signed := ok(h.Checkpoint(t.Context(), day))(t)
	kept := ok(h.allHeads(t.Context(), day))(t)
	c, _, err := checkpoint.Open(signed, verifier)
	if err != nil || c.Day != day || c.Accounts != 2 {
		t.Fatalf("%+v %v", c, err)
	}
	if again := ok(h.Checkpoint(t.Context(), day))(t); again != signed {
		t.Error("the day was signed again")
	}
	if found := checkpoint.Audit(c, kept, ok(h.allHeads(t.Context(), day))(t)); len(found) > 0 || !ok(h.ProveCheckpoint(t.Context(), day))(t) {
		t.Fatal(found)
	}

	// The credit was 1 fen more. Everything that follows from it is made to follow.
	entries := ok(h.Entries(t.Context(), li, "", 100))(t).Items
	prev := family.Hash("")
	read := func(key store.Key, into any) {
		if err := json.Unmarshal(ok(h.stamps().Get(t.Context(), key))(t)[0].Body, into); err != nil {
			t.Fatal(err)
		}
	}
	write := func(key store.Key, v any) {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		h.forge(key, body)
	}
	for i := len(entries) - 1; i >= 0; i-- { // oldest first
		e := entries[i]
		if i == len(entries)-1 {
			e.Delta.Current++
			var credit creditRecord
			read(creditKey(e.Ref).storeKey(), &credit)
			credit.Amount.Current++
			write(creditKey(e.Ref).storeKey(), credit)
		}
		e.After.Current++
		e.Prev = prev
		prev = e.Hash()
		write(entryKey(li, e.Seq).storeKey(), e)
	}
	var account accountRecord
	read(accountKey(li).storeKey(), &account)
	account.Account.Balance.Current++
	account.Account.Head = prev
	write(accountKey(li).storeKey(), account)
	h.prove() // and the books are in order

	if ok(h.ProveCheckpoint(t.Context(), day))(t) {
		t.Error("the house does not notice that its history is another than was signed")
	}
	if found := checkpoint.Audit(c, kept, ok(h.allHeads(t.Context(), day))(t)); len(found) != 1 {
		t.Errorf("whoever kept the day does not notice: %q", found)
	}
	// Signing the day anew needs the key, and whoever kept the first note has it.
	private, _, err := note.GenerateKey(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	forged := ok(checkpoint.Of(day, ok(h.allHeads(t.Context(), day))(t), "").Sign(ok(note.NewSigner(private))(t)))(t)
	if _, _, err := checkpoint.Open(forged, verifier); err == nil {
		t.Error("a note of another key was believed")
	}
}

// TestCheckpointsAreChained: each names the text of the one before.
func TestCheckpointsAreChained(t *testing.T) {
	h := newHouse(t)
	verifier := h.signing()
	first := family.DayOf(h.clock.Now())
	h.clock.add(26 * time.Hour)
	second := family.DayOf(h.clock.Now())
	h.clock.add(24 * time.Hour)
	one := ok(h.Checkpoint(t.Context(), first))(t)
	c, _, err := checkpoint.Open(ok(h.Checkpoint(t.Context(), second))(t), verifier)
	if err != nil || c.Previous != checkpoint.Of(0, nil, checkpoint.TextOf(one)).Previous || c.Accounts != 0 {
		t.Fatalf("%+v %v", c, err)
	}
}
