package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDocumentRoundTrip(t *testing.T) {
	if got := fixedKeys(t).Document(); string(got) != fixedDocument {
		t.Errorf("Document:\n%s\nwant:\n%s", got, fixedDocument)
	}
	keys := mustKeys(t)
	for range 60 {
		again, err := ParseKeys(keys.Document())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Document(), keys.Document()) {
			t.Fatal("parsing a document and writing it gives another document")
		}
		if keys, err = again.Rotate(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	// What Document promises to operators of a cloud key service.
	if n := len(keys.Document()); n > 4096 {
		t.Errorf("with 60 old keys the document has %d bytes, over 4096", n)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	const (
		sealKey  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
		indexKey = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
		qrKey    = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
		zeroKey  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		seal     = `"seal":{"a":"` + sealKey + `"}`
		index    = `"index":"` + indexKey + `"`
		qr       = `"qr":"` + qrKey + `"`
		current  = `"current":"a"`
	)
	object := func(fields ...string) string { return "{" + strings.Join(fields, ",") + "}" }
	if _, err := ParseKeys([]byte(object(qr, index, seal, current))); err != nil {
		t.Fatalf("the good document in another order: %v", err)
	}
	tests := []struct{ name, document, want string }{
		{"empty", "", "is empty"},
		{"white space", " \n", "is empty"},
		{"not JSON", sealKey, "near byte"},
		{"an array", "[" + object(current, seal, index, qr) + "]", "the key document is not an object"},
		{"cut off", object(current, seal, index, qr)[:150], "near byte"},
		{"cut off before the brace", strings.TrimSuffix(object(current, seal, index, qr), "}"), "near byte"},
		{"something after", object(current, seal, index, qr) + object(), "something follows"},
		{"junk after", object(current, seal, index, qr) + "}", "something follows"},
		{"no fields", "{}", "no sealing key"},
		{"no current", object(seal, index, qr), "current names none"},
		{"no seal", object(current, index, qr), "no sealing key"},
		{"seal without keys", object(current, `"seal":{}`, index, qr), "no sealing key"},
		{"no index", object(current, seal, qr), "missing or all zeros"},
		{"no qr", object(current, seal, index), "missing or all zeros"},
		{"current is not there", object(`"current":"b"`, seal, index, qr), "current names none"},
		{"current is a number", object(`"current":7`, seal, index, qr), "current is not a string"},
		{"current is null", object(`"current":null`, seal, index, qr), "current is not a string"},
		{"unknown field", object(current, seal, index, qr, `"note":"x"`), "a field other than"},
		{"unknown field named by a key", object(current, seal, index, qr, `"`+sealKey+`":1`), "a field other than"},
		{"field in capitals", object(current, seal, index, `"QR":"`+qrKey+`"`), "a field other than"},
		{"field twice", object(current, seal, index, qr, index), "a field twice"},
		{"sealing key twice", object(current, `"seal":{"a":"`+sealKey+`","a":"`+qrKey+`"}`, index), "seal has a field twice"},
		{"id in capitals", object(current, `"seal":{"A":"`+sealKey+`"}`, index, qr), "a key id in seal"},
		{"id empty", object(current, `"seal":{"":"`+sealKey+`"}`, index, qr), "a key id in seal"},
		{"id too long", object(current, `"seal":{"`+strings.Repeat("a", 17)+`":"`+sealKey+`"}`, index, qr), "a key id in seal"},
		{"id and key changed places", object(current, `"seal":{"`+sealKey+`":"a"}`, index, qr), "a key id in seal"},
		{"seal is a string", object(current, `"seal":"`+sealKey+`"`, index, qr), "seal is not an object"},
		{"key is not base64", object(current, seal, `"index":"`+indexKey[:43]+`!"`, qr), "a key in index is not base64"},
		{"key is base64url", object(current, seal, `"index":"`+strings.Repeat("-", 43)+`="`, qr), "a key in index is not base64"},
		{"key too short", object(current, seal, `"index":"`+indexKey[:40]+`"`, qr), "a key in index has 30 bytes"},
		{"key too long", object(current, seal, `"index":"`+indexKey[:40]+sealKey+`"`, qr), "a key in index has 62 bytes"},
		{"key is a number", object(current, seal, `"index":1234567890123456789012345678901234567890`, qr), "index is not a string"},
		{"zero key", object(current, `"seal":{"a":"`+zeroKey+`"}`, index, qr), "missing or all zeros"},
		{"index key is the QR key", object(current, seal, index, `"qr":"`+indexKey+`"`), "stands in two places"},
		{"one key, two ids", object(current, `"seal":{"a":"`+sealKey+`","b":"`+sealKey+`"}`, index, qr), "stands in two places"},
	}
	for _, tt := range tests {
		keys, err := ParseKeys([]byte(tt.document))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
		if keys.set != nil {
			t.Errorf("%s: keys beside the error", tt.name)
		}
		for _, k := range []string{sealKey, indexKey, qrKey, "1234567890"} {
			for i := range len(k) - 7 {
				if err != nil && strings.Contains(err.Error(), k[i:i+8]) {
					t.Errorf("%s: the error repeats part of a key", tt.name)
				}
			}
		}
	}
}

func TestNewKeysDrawsAll(t *testing.T) {
	seen := map[key]bool{}
	for range 8 {
		keys := mustKeys(t)
		seen[keys.set().index], seen[keys.set().qr], seen[keys.set().seal[keys.set().current]] = true, true, true
	}
	if len(seen) != 24 || seen[key{}] {
		t.Errorf("8 sets of keys have %d different keys, want 24 and no zeros", len(seen))
	}
}

func TestRandomFails(t *testing.T) {
	keys := mustKeys(t)
	for n := range int64(100) {
		random := iotest.TimeoutReader(bytes.NewReader(make([]byte, n)))
		if _, err := NewKeys(random); err == nil {
			t.Errorf("NewKeys made keys of %d bytes", n)
		}
	}
	if _, err := keys.Rotate(bytes.NewReader(nil)); err == nil {
		t.Error("Rotate made a key of no bytes")
	}
	if s, err := New(keys, bytes.NewReader(make([]byte, 11))).Seal("x", "p"); err == nil {
		t.Errorf("Seal made %q with a nonce of 11 bytes", s)
	}
}

func TestRotate(t *testing.T) {
	first := mustKeys(t)
	before := first.Document()
	second, err := first.Rotate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Document(), before) {
		t.Error("Rotate changed the keys it was called on")
	}
	if second.set().current == first.set().current || len(second.set().seal) != 2 ||
		second.set().seal[first.set().current] != first.set().seal[first.set().current] {
		t.Error("after Rotate: want a new current key and the old one kept")
	}
	if second.set().index != first.set().index || second.set().qr != first.set().qr {
		t.Error("Rotate changed the index key or the QR key")
	}
	if _, err := second.Rotate(zeros{}); err != nil {
		t.Error(err)
	}
	again, _ := second.Rotate(zeros{})
	if _, err := again.Rotate(zeros{}); err == nil {
		t.Error("Rotate overwrote a key whose id was drawn again")
	}
	if _, err := (Keys{}).Rotate(rand.Reader); err == nil {
		t.Error("Rotate of no keys: no error")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// holder stands for somebody's struct that is printed carelessly.
type holder struct {
	Keys  Keys
	keys  Keys
	ptr   *Keys
	vault *Vault
	Any   any
}

func TestNothingPrintsKeys(t *testing.T) {
	keys := fixedKeys(t)
	keys, err := keys.Rotate(newRand(t))
	if err != nil {
		t.Fatal(err)
	}
	v := New(keys, rand.Reader)

	var out bytes.Buffer
	things := []any{
		keys, &keys, v,
		[]Keys{keys},
		map[string]Keys{"k": keys},
		holder{keys, keys, &keys, v, keys},
		&holder{keys, keys, &keys, v, v},
		struct{ *Vault }{v},
		struct{ Keys }{keys},
		reflect.ValueOf(v).Elem(), reflect.ValueOf(holder{keys, keys, &keys, v, v}),
	}
	for _, x := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%t", "%f", "%p", "%c", "%U"} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
		if text, err := json.Marshal(x); err == nil {
			out.Write(text)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("x", "thing", x, slog.Group("g", "thing", x))
		}
		fmt.Fprintln(&out, fmt.Errorf("wrapped: %v", x))
	}
	out.WriteString(keys.String() + keys.GoString() + v.String() + v.GoString())

	text := out.String()
	if !strings.Contains(text, redacted) {
		t.Error("the printers did not even say that keys are not shown")
	}
	all := []key{keys.set().index, keys.set().qr}
	for _, k := range keys.set().seal {
		all = append(all, k)
	}
	for _, k := range all {
		for spelling, s := range map[string]string{
			"raw":       string(k[4:12]),
			"base64":    base64.StdEncoding.EncodeToString(k[:])[:12],
			"base64url": base64.URLEncoding.EncodeToString(k[:])[:12],
			"hex":       hex.EncodeToString(k[:8]),
			"HEX":       strings.ToUpper(hex.EncodeToString(k[:8])),
			"spaced":    fmt.Sprintf("% x", k[:8]),
			"numbers":   strings.Trim(fmt.Sprint(k[:8]), "[]"),
			"list":      strings.Join(strings.Fields(strings.Trim(fmt.Sprint(k[:8]), "[]")), ","),
			"syntax":    strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", k[:8]), "[]byte{"), "}"),
			"octal":     strings.Trim(fmt.Sprintf("%o", k[:8]), "[]"),
		} {
			if strings.Contains(text, s) {
				t.Errorf("a key was printed, as %s", spelling)
			}
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(fixedDocument))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"current":"a","seal":{"a":"","a":""},"QR":null}`))
	f.Add([]byte("{\"seal\":{\"\xff\":[[[["))
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, err := ParseKeys(document)
		if err != nil {
			return
		}
		again, err := ParseKeys(keys.Document())
		if err != nil {
			t.Fatalf("own document is refused: %v", err)
		}
		if !bytes.Equal(keys.Document(), again.Document()) {
			t.Fatal("own document gives other keys")
		}
		New(keys, rand.Reader).Index("k", "v")
	})
}
