package app

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// decoders read a body as one kind of record and write it again.
var decoders = []func(*testing.T, []byte){
	written[accountRecord], written[family.Entry], written[personRecord], written[pointerRecord], written[bindingRecord], written[qrRecord],
	written[messageRecord], written[onceRecord], written[catalogueRecord], written[boxRecord], written[boughtRecord], written[creditRecord],
	written[guessesRecord], written[family.Place], written[family.Visit], written[stepRecord], written[signatureRecord], written[signingKeyRecord],
	written[fileRecord], written[foundationRecord],
}

// written holds that a body which is read as a record is written as one that is read
// as the same.
func written[T any](t *testing.T, body []byte) {
	var first, second T
	if decode(ref[T]{Part: "FUZZ#1", Sort: "F"}, body, &first) != nil {
		return
	}
	once, err := json.Marshal(first)
	if err != nil {
		return // such as a time that JSON cannot hold: never put
	}
	if err := decode(ref[T]{Part: "FUZZ#1", Sort: "F"}, once, &second); err != nil {
		t.Fatalf("%T: what was written is not read: %v\n%s", first, err, once)
	}
	twice, err := json.Marshal(second)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("%T: written as\n%s\nand then as\n%s\n%v", first, once, twice, err)
	}
}

// FuzzRecords: no bytes make a record's reader panic, whatever kind they are read as.
func FuzzRecords(f *testing.F) {
	shapes, err := os.ReadFile("testdata/records.golden")
	if err != nil {
		f.Fatal(err)
	}
	for i := range decoders {
		f.Add(uint8(i), []byte(`{"Account":{"Balance":{"Current":1}},"Amount":{"Past":2},"To":"x","Token":{"Expires":"2026-03-12T04:00:00Z"}}`))
		f.Add(uint8(i), []byte(`null`))
	}
	for line := range strings.Lines(string(shapes)) {
		if at := strings.IndexByte(line, '{'); at >= 0 {
			f.Add(uint8(len(line)), []byte(line[at:]))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) { decoders[int(kind)%len(decoders)](t, body) })
}

// FuzzStamp: a body is stamped and read without its stamp as itself, under its own
// key and version alone; what nobody stamped is not read.
func FuzzStamp(f *testing.F) {
	v, err := fixedVault()
	if err != nil {
		f.Fatal(err)
	}
	s := stamped{nil, v}
	for _, body := range []string{`{"a":1}`, `{"To":"x"}`, `{}`, `{"Stamp":"AAAAAAAAAAAAAAAA"}`, `{"a":1,"Stamp":"AAAAAAAAAAAAAAAA"}`, ""} {
		f.Add("P#1", "S", uint64(1), []byte(body))
	}
	f.Fuzz(func(t *testing.T, part, sort string, version uint64, body []byte) {
		r := store.Record{Key: store.Key{Part: part, Sort: sort}, Version: version, Body: body, Expires: time.Unix(int64(len(body)), 0)}
		if plain := s.unstamp(r); plain != nil {
			t.Fatalf("a body that nobody stamped is read: %q", body)
		}
		if len(body) < len(`{"a":1}`) || body[len(body)-1] != '}' {
			return
		}
		r.Body = s.stamp(r)
		if plain := s.unstamp(r); !bytes.Equal(plain, body) {
			t.Fatalf("%q is read as %q", body, plain)
		}
		r.Version++
		if plain := s.unstamp(r); plain != nil {
			t.Fatalf("a record of another version is read: %q", plain)
		}
	})
}

// FuzzCursor: a cursor that is read is written as itself but for zeros before it.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "0", "1", "007", "1099511627775", "1099511627776", "-1", "+1", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, refusal := seqCursor(s)
		if refusal != nil {
			if n != 0 || refusal.Code != family.Malformed {
				t.Fatalf("%q is refused with %v and yet %d", s, refusal, n)
			}
			return
		}
		if again, refusal := seqCursor(strconv.FormatUint(n, 10)); refusal != nil || again != n {
			t.Fatalf("%q is %d, and that is %d, %v", s, n, again, refusal)
		}
	})
}
