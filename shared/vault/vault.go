package vault

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/bits"
	"strings"
	"sync"
)

var (
	// ErrNotSealed means that a text has not the shape of a sealed text.
	ErrNotSealed = errors.New("vault: not a sealed text")
	// ErrUnknownKey means that a text is sealed under a key this process does
	// not hold: it was rotated elsewhere since, or the keys are another house's.
	ErrUnknownKey = errors.New("vault: sealed under a key that is not here")
	// ErrNotOpened means that a text was sealed for another place or altered.
	ErrNotOpened = errors.New("vault: a sealed text does not open here")
)

// Vault seals, opens, indexes and derives under one set of keys. Any number of
// goroutines may use it at once.
type Vault struct {
	// sealing gives the sealing keys. A function for the same reason as in Keys: behind
	// the interfaces in it lie the keys' bytes.
	sealing func() (ring, error)
	// index and qr hash under the keys of those names.
	index, qr mac

	mu     sync.Mutex // random need not be safe for concurrent use
	random io.Reader
}

// New makes a Vault of keys; random gives the nonces and is crypto/rand.Reader
// everywhere but in tests. It panics on the zero Keys.
func New(keys Keys, random io.Reader) *Vault {
	if keys.set == nil {
		panic(errEmpty)
	}
	r := newRing(keys.set())
	return newVault(keys.HashKeys(), func() (ring, error) { return r, nil }, random)
}

func newVault(known HashKeys, sealing func() (ring, error), random io.Reader) *Vault {
	return &Vault{sealing: sealing, index: newMAC(known.set().index), qr: newMAC(known.set().qr), random: random}
}

// String, GoString and LogValue say that keys are not shown.
func (*Vault) String() string       { return redacted }
func (*Vault) GoString() string     { return redacted }
func (*Vault) LogValue() slog.Value { return slog.StringValue(redacted) }

// A sealed text is "v1.<key id>.<base64url of nonce, ciphertext and tag>".
const format = "v1."

// Strict refuses a last character with stray bits, so that there is exactly one
// way to write a sealed text.
var encoding = base64.RawURLEncoding.Strict()

// Seal returns plain sealed under the current key for place, the name of the
// one field that may hold it ("PERSON#123/name"). Sealing the same text again
// gives another result. The error is random's, [ErrUnavailable], or place is empty.
//
// Nonces are 96 random bits, which is safe for some 2³² texts under one key:
// with a few texts for each person a house rotates its keys long before.
func (v *Vault) Seal(plain, place string) (string, error) {
	if place == "" {
		return "", errors.New("vault: sealing needs a place")
	}
	keys, err := v.sealing()
	if err != nil {
		return "", err
	}
	return v.seal(keys.aeads[keys.current], format+keys.current+".", plain, place)
}

// seal returns plain sealed by a cipher: the header in the clear, then nonce,
// ciphertext and tag.
func (v *Vault) seal(aead cipher.AEAD, header, plain, place string) (string, error) {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	v.mu.Lock()
	_, err := io.ReadFull(v.random, nonce)
	v.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("vault: drawing a nonce: %w", err)
	}
	return header + encoding.EncodeToString(aead.Seal(nonce, nonce, []byte(plain), []byte(header+place))), nil
}

// Open returns the text that was sealed for place. The error is [ErrNotSealed],
// [ErrUnknownKey], [ErrNotOpened] or [ErrUnavailable].
func (v *Vault) Open(sealed, place string) (string, error) {
	id, body, ok := split(sealed)
	if !ok {
		return "", ErrNotSealed
	}
	keys, err := v.sealing()
	if err != nil {
		return "", err
	}
	aead := keys.aeads[id]
	if aead == nil {
		return "", ErrUnknownKey
	}
	return open(aead, sealed[:len(sealed)-len(body)], body, place)
}

func open(aead cipher.AEAD, header, body, place string) (string, error) {
	raw, err := encoding.DecodeString(body)
	if err != nil || len(raw) < aead.NonceSize()+aead.Overhead() {
		return "", ErrNotSealed
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(header+place))
	if err != nil {
		return "", ErrNotOpened
	}
	return string(plain), nil
}

// Reseal returns a text sealed under the current key: itself where it is already.
// The error is one of Open's or Seal's.
func (v *Vault) Reseal(sealed, place string) (string, error) {
	plain, err := v.Open(sealed, place)
	if err != nil || !v.Stale(sealed) {
		return sealed, err
	}
	return v.Seal(plain, place)
}

// Current returns the id of the current sealing key, and whether the vault holds
// older ones beside it, under which something may still be sealed. The error is
// [ErrUnavailable].
func (v *Vault) Current() (id string, older bool, err error) {
	keys, err := v.sealing()
	return keys.current, len(keys.aeads) > 1, err
}

// Stale tells whether a sealed text is under another than the current key, so
// that whoever writes its record anyway may seal it anew. What is no sealed
// text is not stale; Open says what is wrong with it. While the sealing keys cannot be
// had nothing is.
func (v *Vault) Stale(sealed string) bool {
	id, _, ok := split(sealed)
	keys, err := v.sealing()
	return ok && err == nil && id != keys.current
}

func split(sealed string) (id, body string, ok bool) {
	rest, ok := strings.CutPrefix(sealed, format)
	if !ok {
		return "", "", false
	}
	id, body, ok = strings.Cut(rest, ".")
	// The base64 decoder skips line breaks; a sealed text has none.
	return id, body, ok && validID(id) && !strings.ContainsAny(body, "\r\n")
}

// Index returns the keyed hash under which the value of a kind ("id_no",
// "card_no") is found again: 43 characters of base64url, always the same for
// the same keys. It hashes the bytes it is given, so the caller brings values
// to one form first (an ID number's final x, spaces).
func (v *Vault) Index(kind, value string) string {
	return encoding.EncodeToString(v.index(nil, "index", kind, value))
}

// StampLen is the length of a stamp, in characters.
const StampLen = 16

// Stamp returns a keyed hash of a body and of parts beside it, by which whoever has the
// index key sees that they are as they were: 96 bits as 16 characters of base64url.
// That is too short to hide anything and long enough to be hit by nobody's guess, for
// each guess has to be written into the store.
func (v *Vault) Stamp(body []byte, parts ...string) string {
	return encoding.EncodeToString(v.index(body, append([]string{"stamp"}, parts...)...)[:StampLen/4*3])
}

// SameStamp tells whether two stamps are the same, in a time that does not tell
// how much of them is.
func SameStamp(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// digitsMod is 10 to the number of digits QRDigits gives.
const digitsMod = 100_000_000_000_000_000

// QRDigits returns the 17 random digits of the QR token with this id. To
// whoever has no QR key they are as random as digits drawn one by one, and the
// same id gives the same digits in every process.
//
// Why derive and not draw? The store may hold no more than a keyed hash of the
// digits: with the digits in it, everyone who reads a backup or a log of writes
// could show another person's code. Yet the picture is fetched later, more than
// once, perhaps from a function that did not issue the token. A pseudorandom
// function of the id gives both: the digits are stored nowhere and any holder
// of the key draws them again. The token id carries 80 bits from crypto/rand,
// so ids do not meet, and the key alone, without the store, gives no code away
// either.
//
// 128 bits of the HMAC are reduced modulo 10¹⁷, which favours no digits by more
// than one part in 10²¹.
func (v *Vault) QRDigits(tokenID string) string {
	sum := v.qr(nil, "qr digits", tokenID)
	n := reduce(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))
	return fmt.Sprintf("%017d", n)
}

// reduce returns the 128-bit number hi·2⁶⁴+lo modulo 10¹⁷.
func reduce(hi, lo uint64) uint64 {
	_, n := bits.Div64(hi%digitsMod, lo, digitsMod)
	return n
}

// QRHash returns the keyed hash of a code's digits under which the store knows
// the token: 43 characters of base64url. The key keeps a reader of the store
// from trying codes against it.
func (v *Vault) QRHash(digits string) string {
	return encoding.EncodeToString(v.qr(nil, "qr hash", digits))
}

// ECMark returns the 14 letters and digits that make a code's id into a credential
// of one institution: 70 bits that nobody without the QR key can guess.
func (v *Vault) ECMark(tokenID, institution string) string {
	sum := v.qr(nil, "ec mark", tokenID, institution)
	return base32.StdEncoding.EncodeToString(sum)[:14]
}

// mac is HMAC-SHA-256 over parts under one key, and over a body after them unless it is
// nil. Each goes in with its length, so that no two lists look alike; the first part says
// what the hash is for.
type mac func(body []byte, parts ...string) []byte

// newMAC returns the mac of a key. Every record that is read or written takes one:
// the hashes are made once and used again, and the key's own blocks with them.
func newMAC(k key) mac {
	type hasher struct {
		hash.Hash
		text []byte // room for the parts of one hash
	}
	free := sync.Pool{New: func() any { return &hasher{Hash: hmac.New(sha256.New, k[:])} }}
	return func(body []byte, parts ...string) []byte {
		h := free.Get().(*hasher)
		for _, part := range parts {
			h.text = binary.BigEndian.AppendUint64(h.text, uint64(len(part)))
			h.text = append(h.text, part...)
		}
		if body != nil {
			h.text = binary.BigEndian.AppendUint64(h.text, uint64(len(body)))
		}
		h.Write(h.text) // #nosec G104 -- a hash never fails
		h.Write(body)   // #nosec G104 -- a hash never fails
		sum := h.Sum(nil)
		clear(h.text) // ID numbers are hashed too
		h.text = h.text[:0]
		h.Reset()
		free.Put(h)
		return sum
	}
}
