package answer

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzLoad: no text makes the catalogue's reader panic, and what it accepts says the
// same when it is written out and read again.
func FuzzLoad(f *testing.F) {
	f.Add(embedded)
	for _, old := range []string{`"rows"`, `"code"`, `"status"`, `:`, `,`, `"rules"`} {
		f.Add(bytes.Replace(embedded, []byte(old), nil, 1))
	}
	f.Add(append(bytes.Clone(embedded), '{'))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Load(data)
		if err != nil {
			if first != nil {
				t.Fatalf("it is refused (%v) and yet there", err)
			}
			return
		}
		var whole file
		if err := json.Unmarshal(data, &whole); err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Load(written)
		if err != nil {
			t.Fatalf("what was accepted is refused when written out: %v\n%s", err, written)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v\nbecame %+v", first, second)
		}
	})
}
