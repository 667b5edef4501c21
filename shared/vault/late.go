package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrUnavailable means that the sealing keys cannot be had now: nothing was sealed or
// opened, and asking again later may help.
var ErrUnavailable = errors.New("vault: the sealing keys cannot be had now")

// ring is the sealing keys in use: the current one's id, and each as a cipher.
type ring struct {
	current string
	aeads   map[string]cipher.AEAD
}

func newRing(set *keySet) ring {
	r := ring{set.current, map[string]cipher.AEAD{}}
	for id, k := range set.seal {
		r.aeads[id] = newAEAD(k)
	}
	return r
}

func newAEAD(k key) cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // 32 bytes are an AES key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has GCM's block size
	}
	return aead
}

// NewLate makes a Vault that hashes at once and asks for all keys when a text is sealed
// or opened first, so that a process starts, and does what needs no name, while the key
// service is away. random is as for [New]; the zero HashKeys panics.
//
// One goroutine asks at a time and the others wait for it. Keys that came are kept for
// good. An error of ask is told as [ErrUnavailable], and the next text asks again: how
// long to wait for an answer, and how soon to ask again, is ask's to bound. Keys whose
// hash keys are others are not taken.
func NewLate(known HashKeys, ask func() (Keys, error), random io.Reader) *Vault {
	if known.set == nil {
		panic(errEmpty)
	}
	var mu sync.Mutex
	var have *ring
	return newVault(known, func() (ring, error) {
		mu.Lock()
		defer mu.Unlock()
		if have != nil {
			return *have, nil
		}
		keys, err := ask()
		if err != nil {
			return ring{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if keys.set == nil {
			return ring{}, errEmpty
		}
		if keys.HashKeys().set() != known.set() {
			return ring{}, errors.New("vault: the hash keys are not those of the key document")
		}
		r := newRing(keys.set())
		have = &r
		return r, nil
	}, random)
}
