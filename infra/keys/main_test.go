package main

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"gongji/shared/vault"
)

// TestRotate: what was sealed before a rotation opens after it, and people are found
// again.
func TestRotate(t *testing.T) {
	var first, second bytes.Buffer
	if err := run([]string{"new"}, strings.NewReader(""), &first); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"rotate"}, bytes.NewReader(first.Bytes()), &second); err != nil {
		t.Fatal(err)
	}
	open := func(document []byte) *vault.Vault {
		t.Helper()
		keys, err := vault.ParseKeys(document)
		if err != nil {
			t.Fatal(err)
		}
		return vault.New(keys, rand.Reader)
	}
	before, after := open(first.Bytes()), open(second.Bytes())
	sealed, err := before.Seal("text", "place")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := after.Open(sealed, "place"); err != nil || text != "text" || !after.Stale(sealed) {
		t.Errorf("%q, %v, stale %t", text, err, after.Stale(sealed))
	}
	// Without the older key what it sealed is closed, and what was sealed anew is not.
	anew, err := after.Reseal(sealed, "place")
	if err != nil {
		t.Fatal(err)
	}
	var third bytes.Buffer
	if err := run([]string{"drop"}, bytes.NewReader(second.Bytes()), &third); err != nil {
		t.Fatal(err)
	}
	last := open(third.Bytes())
	if _, err := last.Open(sealed, "place"); err != vault.ErrUnknownKey {
		t.Errorf("under the key that was dropped: %v", err)
	}
	if text, err := last.Open(anew, "place"); err != nil || text != "text" {
		t.Errorf("sealed anew: %q, %v", text, err)
	}
	if before.Index("id_no", "1") != after.Index("id_no", "1") || before.QRHash("1") != after.QRHash("1") {
		t.Error("nobody would be found again")
	}
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{nil, {"old"}, {"new", "x"}, {"rotate"}, {"hash"}, {"drop"}} {
		var out bytes.Buffer
		if err := run(args, strings.NewReader("not a document"), &out); err == nil || out.Len() > 0 {
			t.Errorf("%q: %v, wrote %q", args, err, &out)
		}
	}
}

// TestHash: with the hash keys alone people are found as with all keys.
func TestHash(t *testing.T) {
	var whole, part bytes.Buffer
	if err := run([]string{"new"}, strings.NewReader(""), &whole); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"hash"}, bytes.NewReader(whole.Bytes()), &part); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.ParseKeys(whole.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	known, err := vault.ParseHashKeys(part.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	late := vault.NewLate(known, func() (vault.Keys, error) { return keys, nil }, rand.Reader)
	if late.Index("id_no", "1") != vault.New(keys, rand.Reader).Index("id_no", "1") {
		t.Error("nobody would be found")
	}
}
