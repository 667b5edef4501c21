package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
)

// HashKeys are the keys of a house that hash and do not seal: the index key, which
// stamps records too, and the key of the codes. With them alone everything is done that
// needs no name. They are kept apart from the key document, so that a process can begin
// with them while nobody can open the document: see [NewLate].
//
// The content lies behind a function for the reason told at [Keys].
type HashKeys struct{ set func() hashSet }

type hashSet struct{ index, qr key }

// String, GoString and LogValue say that keys are not shown.
func (HashKeys) String() string       { return redacted }
func (HashKeys) GoString() string     { return redacted }
func (HashKeys) LogValue() slog.Value { return slog.StringValue(redacted) }

// HashKeys returns those of the keys that do not seal. It panics on the zero Keys.
func (k Keys) HashKeys() HashKeys {
	if k.set == nil {
		panic(errEmpty)
	}
	all := k.set()
	set := hashSet{all.index, all.qr}
	return HashKeys{func() hashSet { return set }}
}

// Document returns the document that [ParseHashKeys] reads; nil for the zero HashKeys.
func (k HashKeys) Document() []byte {
	if k.set == nil {
		return nil
	}
	set := k.set()
	text, err := json.MarshalIndent(struct {
		Index []byte `json:"index"`
		QR    []byte `json:"qr"`
	}{set.index[:], set.qr[:]}, "", "  ")
	if err != nil {
		panic(err) // bytes always marshal
	}
	return append(text, '\n')
}

// ParseHashKeys reads a document of two keys, as strictly as [ParseKeys] does:
//
//	{"index": "<32 bytes base64>", "qr": "<32 bytes base64>"}
func ParseHashKeys(document []byte) (HashKeys, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		return HashKeys{}, errors.New("vault: the document of hash keys is empty")
	}
	var set hashSet
	d := json.NewDecoder(bytes.NewReader(document))
	err := readObject(d, "the document of hash keys", func(name string) (err error) {
		switch name {
		case "index":
			set.index, err = readKey(d, "index")
		case "qr":
			set.qr, err = readKey(d, "qr")
		default:
			err = errors.New("vault: the document of hash keys has a field other than index and qr")
		}
		return err
	})
	if err != nil {
		return HashKeys{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return HashKeys{}, errors.New("vault: something follows the document of hash keys")
	}
	if set.index == (key{}) || set.qr == (key{}) || set.index == set.qr {
		return HashKeys{}, errors.New("vault: a hash key is missing, all zeros, or the same as the other")
	}
	return HashKeys{func() hashSet { return set }}, nil
}
