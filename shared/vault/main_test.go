package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"testing"

	"gongji/shared/seedtest"
)

// TestMain lets the test binary also be a process that opens a key file: see
// TestOpenFileProcesses.
func TestMain(m *testing.M) {
	if path := os.Getenv("VAULT_TEST_OPEN"); path != "" {
		io.Copy(io.Discard, os.Stdin) // all begin when their input is closed
		keys, err := OpenFile(path, rand.Reader)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%x", sha256.Sum256(keys.Document()))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newRand returns a random source for the vault.
func newRand(t *testing.T) *mrand.ChaCha8 {
	t.Helper()
	seed := seedtest.Seed(t)
	var s [32]byte
	for i := range 8 {
		s[i] = byte(seed >> (8 * i))
	}
	return mrand.NewChaCha8(s)
}

func mustKeys(t testing.TB) Keys {
	t.Helper()
	keys, err := NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// The fixed keys are the bytes 0…31 (sealing), 32…63 (index) and 64…95 (QR).
const fixedDocument = `{
  "current": "0000aaaa",
  "seal": {
    "0000aaaa": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
  },
  "index": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
  "qr": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}
`

func fixedKeys(t testing.TB) Keys {
	t.Helper()
	keys, err := ParseKeys([]byte(fixedDocument))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
