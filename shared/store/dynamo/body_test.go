package dynamo

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gongji/shared/seedtest"
	"gongji/shared/store"
)

// roundTrip encodes a body and reads it back from the item.
func roundTrip(t *testing.T, body []byte) item {
	t.Helper()
	i, err := encode(store.Key{Part: "P", Sort: "S"}, 7, body, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.unpacked()
	if err != nil || !bytes.Equal(got, body) {
		t.Fatalf("%d bytes came back as %d: %v", len(body), len(got), err)
	}
	if i.size() > (&item{key: store.Key{Part: "P", Sort: "S"}, version: 7, body: body}).size() {
		t.Errorf("%d bytes are packed to more", len(body))
	}
	return i
}

func TestBodies(t *testing.T) {
	seed := seedtest.Seed(t)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	for _, n := range []int{1, unit - 30, unit, 2 * unit, 50 * unit, store.MaxBody} {
		noise := make([]byte, n)
		if _, err := random.Read(noise); err != nil {
			t.Fatal(err)
		}
		if i := roundTrip(t, noise); i.packed1 != nil {
			t.Errorf("%d bytes of noise are packed", n)
		}
		text := bytes.Repeat([]byte(`{"Paid":{"Current":1,"Past":0}}`), n/31+1)[:n]
		if i := roundTrip(t, text); (i.packed1 != nil) != (n >= unit) {
			t.Errorf("%d bytes of text: packed %t", n, i.packed1 != nil)
		}
	}
	// A body that is in the dictionary costs nearly nothing.
	if i := roundTrip(t, dictionary1[len(dictionary1)-2*unit:]); i.size() > 100 {
		t.Errorf("the dictionary itself has %d bytes", i.size())
	}
}

// TestBodiesAreBounded unpacks what no record can be.
func TestBodiesAreBounded(t *testing.T) {
	bomb, err := encode(store.Key{Part: "P", Sort: "S"}, 1, make([]byte, 10*store.MaxBody), 0)
	if err != nil || bomb.packed1 == nil {
		t.Fatal(err)
	}
	if _, err := bomb.unpacked(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
	bomb.packed1 = bomb.packed1[:len(bomb.packed1)/2]
	if _, err := bomb.unpacked(); err == nil {
		t.Error("half a body is a body")
	}
}

// TestDictionaryStaysTheSame: bodies packed with it lie in tables.
func TestDictionaryStaysTheSame(t *testing.T) {
	if got := fmt.Sprintf("%x", sha256.Sum256(dictionary1))[:16]; got != "19513fd0b58242b0" {
		t.Errorf("dictionary1 is another (%s): what was packed with it does not unpack any more", got)
	}
}
