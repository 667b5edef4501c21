package vault

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// DataKey seals and opens the texts of one person. Its 32 bytes lie wrapped, which is
// sealed under the house's current key, beside what they seal: so a rotation wraps
// one key anew instead of opening every text, and whoever destroys the wrapped key
// has destroyed the texts, wherever copies of them lie. A copy of the wrapped key, as
// in a backup, opens them until the house's key that wrapped it is taken away.
//
// The zero DataKey seals and opens nothing. It prints as Keys do.
type DataKey struct {
	vault *Vault
	aead  func() cipher.AEAD
}

// String, GoString and LogValue say that keys are not shown.
func (DataKey) String() string       { return redacted }
func (DataKey) GoString() string     { return redacted }
func (DataKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// NewDataKey draws a data key and returns it with what it is when wrapped for place,
// the name of the one field that may hold that.
func (v *Vault) NewDataKey(place string) (DataKey, string, error) {
	var k key
	v.mu.Lock()
	_, err := io.ReadFull(v.random, k[:])
	v.mu.Unlock()
	if err != nil {
		return DataKey{}, "", fmt.Errorf("vault: drawing a data key: %w", err)
	}
	wrapped, err := v.Seal(string(k[:]), place)
	if err != nil {
		return DataKey{}, "", err
	}
	return v.dataKey(k), wrapped, nil
}

// DataKey returns the data key that was wrapped for place. The error is one of Open's.
func (v *Vault) DataKey(wrapped, place string) (DataKey, error) {
	plain, err := v.Open(wrapped, place)
	if err != nil {
		return DataKey{}, err
	}
	if len(plain) != keyBytes {
		return DataKey{}, ErrNotSealed
	}
	return v.dataKey(key([]byte(plain))), nil
}

func (v *Vault) dataKey(k key) DataKey {
	aead := newAEAD(k)
	return DataKey{v, func() cipher.AEAD { return aead }}
}

// A text under a data key is "p1.<base64url of nonce, ciphertext and tag>". It names
// no key: there is one that it lies beside.
const dataFormat = "p1."

// Seal returns plain sealed for place, as [Vault.Seal] does.
func (k DataKey) Seal(plain, place string) (string, error) {
	if k.aead == nil || place == "" {
		return "", errors.New("vault: sealing needs a key and a place")
	}
	return k.vault.seal(k.aead(), dataFormat, plain, place)
}

// Open returns the text that was sealed for place. The error is [ErrNotSealed] or
// [ErrNotOpened].
func (k DataKey) Open(sealed, place string) (string, error) {
	body, ok := strings.CutPrefix(sealed, dataFormat)
	if !ok || strings.ContainsAny(body, "\r\n") {
		return "", ErrNotSealed
	}
	if k.aead == nil {
		return "", ErrNotOpened
	}
	return open(k.aead(), dataFormat, body, place)
}
