package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
)

// keyBytes is the length of every key: AES-256 and HMAC-SHA-256 both take 32.
const keyBytes = 32

// redacted is all that any printer gets to see of Keys or a Vault.
const redacted = "[密钥不显示 / keys not shown]"

type key [keyBytes]byte

// Keys holds all keys of a house: sealing keys by id, one of them current; one
// key for the blind index; one for the QR digits. It does not change once made
// and may be copied and shared. The zero Keys holds nothing and is good for
// nothing.
//
// The content lies behind a function, not only behind String: fmt cannot call
// methods on an unexported field of someone else's struct and prints what is in
// it instead. It even follows a pointer there when the verb does not suit
// (%s). A function it cannot look into.
type Keys struct{ set func() *keySet }

func wrap(s *keySet) Keys { return Keys{func() *keySet { return s }} }

type keySet struct {
	current string
	seal    map[string]key
	index   key
	qr      key
}

// String, GoString and LogValue say that keys are not shown.
func (Keys) String() string       { return redacted }
func (Keys) GoString() string     { return redacted }
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// NewKeys draws a fresh set with one sealing key from random, which is
// crypto/rand.Reader everywhere but in tests. The error is random's.
func NewKeys(random io.Reader) (Keys, error) {
	set := &keySet{seal: map[string]key{}}
	for _, k := range []*key{&set.index, &set.qr} {
		if _, err := io.ReadFull(random, k[:]); err != nil {
			return Keys{}, fmt.Errorf("vault: drawing keys: %w", err)
		}
	}
	if err := set.add(random); err != nil {
		return Keys{}, err
	}
	return wrap(set), nil
}

// Rotate returns the same keys with a new current sealing key drawn from
// random. The older ones stay and go on opening what they sealed; [Vault.Stale]
// finds it. The index key and the QR key stay as they are: under another index
// key no one would be found again.
//
// Processes that still hold the keys from before meet [ErrUnknownKey] on what
// is sealed from now on, and ask their [Source] again.
func (k Keys) Rotate(random io.Reader) (Keys, error) {
	if k.set == nil {
		return Keys{}, errEmpty
	}
	set := *k.set()
	set.seal = maps.Clone(set.seal)
	if err := set.add(random); err != nil {
		return Keys{}, err
	}
	return wrap(&set), nil
}

// Drop returns the same keys with the current sealing key alone. What is still sealed
// under an older one can then be opened by nobody: the house says when nothing is (the
// line "sealed anew" of its sweep).
func (k Keys) Drop() (Keys, error) {
	if k.set == nil {
		return Keys{}, errEmpty
	}
	set := *k.set()
	set.seal = map[string]key{set.current: set.seal[set.current]}
	return wrap(&set), nil
}

// add draws a sealing key and makes it current. Its id is drawn as well, not
// counted up: two operators who rotate at the same time must not give one name
// to two keys.
func (s *keySet) add(random io.Reader) error {
	var draw [4 + keyBytes]byte
	if _, err := io.ReadFull(random, draw[:]); err != nil {
		return fmt.Errorf("vault: drawing keys: %w", err)
	}
	id := hex.EncodeToString(draw[:4])
	if _, taken := s.seal[id]; taken {
		return errors.New("vault: drew the id of a key that is there; is the random source broken?")
	}
	s.seal[id] = key(draw[4:])
	s.current = id
	return nil
}

// Document returns the key document, which [ParseKeys] reads: JSON with the
// keys in base64. It is the one way the keys leave this package, and there is
// no MarshalJSON, so that they never leave inside something else. It returns
// nil for the zero Keys.
//
// The document takes 223 bytes and 64 more for each older sealing key, so that
// with 60 of them it still fits what a cloud key service encrypts in one call
// (4,096 bytes).
func (k Keys) Document() []byte {
	if k.set == nil {
		return nil
	}
	set := k.set()
	doc := struct {
		Current string            `json:"current"`
		Seal    map[string][]byte `json:"seal"`
		Index   []byte            `json:"index"`
		QR      []byte            `json:"qr"`
	}{set.current, map[string][]byte{}, set.index[:], set.qr[:]}
	for id, key := range set.seal {
		doc.Seal[id] = key[:]
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err) // strings and bytes always marshal
	}
	return append(text, '\n')
}

var errEmpty = errors.New("vault: no keys")

// ParseKeys reads a key document:
//
//	{
//	  "current": "5b0c91fe",                     the sealing key in use
//	  "seal": {"5b0c91fe": "<32 bytes base64>"}, it and all before it
//	  "index": "<32 bytes base64>",
//	  "qr": "<32 bytes base64>"
//	}
//
// It takes nothing else: no further field, no field twice, no key of another
// length, no key of zeros, no key under two names. A key id is 1 to 16 small
// letters, digits or hyphens. Errors name the field and never its content; not
// even a name out of the document, for a key may have been pasted there.
func ParseKeys(document []byte) (Keys, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return Keys{}, errors.New("vault: the key document is empty")
	}
	set := &keySet{seal: map[string]key{}}
	d := json.NewDecoder(bytes.NewReader(document))
	fields := map[string]func() error{
		"current": func() (err error) { set.current, err = readString(d, "current"); return },
		"index":   func() (err error) { set.index, err = readKey(d, "index"); return },
		"qr":      func() (err error) { set.qr, err = readKey(d, "qr"); return },
		"seal": func() error {
			return readObject(d, "seal", func(id string) (err error) {
				if !validID(id) {
					return errors.New("vault: a key id in seal is not 1 to 16 small letters, digits or hyphens")
				}
				set.seal[id], err = readKey(d, "seal")
				return
			})
		},
	}
	err := readObject(d, "the key document", func(name string) error {
		if fields[name] == nil {
			return errors.New("vault: the key document has a field other than current, seal, index and qr")
		}
		return fields[name]()
	})
	if err != nil {
		return Keys{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Keys{}, errors.New("vault: something follows the key document")
	}
	if err := set.check(); err != nil {
		return Keys{}, err
	}
	return wrap(set), nil
}

// check refuses what is missing (a key left out is all zeros) and a key that
// serves twice.
func (s *keySet) check() error {
	if len(s.seal) == 0 {
		return errors.New("vault: the key document has no sealing key")
	}
	if _, ok := s.seal[s.current]; !ok {
		return errors.New("vault: current names none of the sealing keys")
	}
	seen := map[key]bool{}
	for _, k := range s.seal {
		seen[k] = true
	}
	seen[s.index], seen[s.qr] = true, true
	if seen[key{}] {
		return errors.New("vault: a key is missing or all zeros")
	}
	if len(seen) != len(s.seal)+2 {
		return errors.New("vault: the same key stands in two places")
	}
	return nil
}

// readObject reads one JSON object and hands each field's name to field, which
// reads the value. encoding/json alone would take a field twice and keep the
// last, and would take "QR" for "qr".
func readObject(d *json.Decoder, what string, field func(name string) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return notJSON(d, what, "an object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return notJSON(d, what, "an object")
		}
		if seen[name] {
			return fmt.Errorf("vault: %s has a field twice", what)
		}
		seen[name] = true
		if err := field(name); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return notJSON(d, what, "an object")
	}
	return nil
}

func readString(d *json.Decoder, what string) (string, error) {
	t, err := d.Token()
	s, ok := t.(string)
	if err != nil || !ok {
		return "", notJSON(d, what, "a string")
	}
	return s, nil
}

func readKey(d *json.Decoder, what string) (key, error) {
	s, err := readString(d, what)
	if err != nil {
		return key{}, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return key{}, fmt.Errorf("vault: a key in %s is not base64", what)
	}
	if len(raw) != keyBytes {
		return key{}, fmt.Errorf("vault: a key in %s has %d bytes, not %d", what, len(raw), keyBytes)
	}
	return key(raw), nil
}

// notJSON stands in for the decoder's own errors, which quote what they read.
func notJSON(d *json.Decoder, what, want string) error {
	return fmt.Errorf("vault: near byte %d: %s is not %s", d.InputOffset(), what, want)
}

func validID(id string) bool {
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 16
}
