package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestLate: without the sealing keys everything is hashed as with them and nothing is
// sealed or opened; once they came they stay.
func TestLate(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	whole := New(keys, rand.Reader)
	sealed, err := whole.Seal("张三", "P/name")
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("away")
	asked, answer, fault := 0, Keys{}, away
	late := NewLate(keys.HashKeys(), func() (Keys, error) {
		asked++
		return answer, fault
	}, rand.Reader)
	hashes := func(v *Vault) string {
		return v.Index("id_no", "1") + v.Stamp([]byte("b"), "a") + v.QRDigits("t") + v.QRHash("2") + v.ECMark("t", "H")
	}
	if hashes(late) != hashes(whole) || asked != 0 {
		t.Errorf("other hashes, or the sealing keys were asked for (%d times)", asked)
	}
	for range 2 {
		if _, err := late.Open(sealed, "P/name"); !errors.Is(err, ErrUnavailable) || !errors.Is(err, away) {
			t.Errorf("opened with no key: %v", err)
		}
		if _, err := late.Seal("x", "P/name"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("sealed with no key: %v", err)
		}
		if late.Stale(sealed) {
			t.Error("stale, and nobody knows")
		}
	}
	if asked != 6 {
		t.Errorf("asked %d times for six texts", asked)
	}
	if _, err := late.Open("not sealed", "P/name"); !errors.Is(err, ErrNotSealed) || asked != 6 {
		t.Errorf("what is not sealed: %v, asked %d times", err, asked)
	}
	// Another house's keys, and none, are not taken for ours.
	for _, strange := range []Keys{mustKeys(t), {}} {
		answer, fault = strange, nil
		if _, err := late.Open(sealed, "P/name"); err == nil || errors.Is(err, ErrUnavailable) {
			t.Errorf("with strange keys: %v", err)
		}
	}
	answer = keys
	if plain, err := late.Open(sealed, "P/name"); err != nil || plain != "张三" {
		t.Errorf("%q %v", plain, err)
	}
	asked, fault = 0, away
	again, err := late.Seal("李四", "P/name")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := whole.Open(again, "P/name"); err != nil || plain != "李四" || asked != 0 {
		t.Errorf("%q %v, asked %d times", plain, err, asked)
	}
}

// TestHashKeys: the document is read back whole, and nothing else is taken for one.
func TestHashKeys(t *testing.T) {
	t.Parallel()
	hash := mustKeys(t).HashKeys()
	document := string(hash.Document())
	again, err := ParseHashKeys([]byte(document))
	if err != nil || again.set() != hash.set() {
		t.Fatal("other keys", err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", hash, hash, hash, struct{ K HashKeys }{hash}), hash.LogValue().String()} {
		if strings.Contains(shown, "xda") || !strings.Contains(shown, redacted) {
			t.Error("keys are shown")
		}
	}
	index := fmt.Sprintf(`"index": "%s"`, encodeKey(hash.set().index))
	qr := fmt.Sprintf(`"qr": "%s"`, encodeKey(hash.set().qr))
	for _, wrong := range []string{
		"", " ", "[]", "{}", "{" + index + "}", "{" + qr + "}", "{" + index + "," + index + "," + qr + "}", document + "x",
		`{` + index + `,"qr":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`, `{` + index + `,"qr":"short"}`,
		fmt.Sprintf(`{%s,"qr": "%s"}`, index, encodeKey(hash.set().index)), `{"seal":{},` + index + "," + qr + "}",
	} {
		if got, err := ParseHashKeys([]byte(wrong)); err == nil || got.set != nil || strings.Contains(err.Error(), encodeKey(hash.set().index)) {
			t.Errorf("%.20q was taken, or its error tells it: %v", wrong, err)
		}
	}
	if (HashKeys{}).Document() != nil {
		t.Error("a document of nothing")
	}
}

func encodeKey(k key) string { return base64.StdEncoding.EncodeToString(k[:]) }
