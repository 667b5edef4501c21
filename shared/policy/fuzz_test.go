package policy

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzParse holds two promises for any text: no panic, and what is accepted says
// the same when it is written out and read again. Run it with
// -fuzzminimizetime=20x: the seeds are long, and shrinking each takes a minute.
func FuzzParse(f *testing.F) {
	for _, region := range []string{"000000", "110100", "430100", "440300"} {
		f.Add([]byte(text(f, region)))
	}
	good := text(f, "430100")
	for _, fault := range faults {
		f.Add([]byte(edit(f, good, fault.old, fault.new)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := parse(data)
		if err != nil {
			return
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := parse(written)
		if err != nil {
			t.Fatalf("what was accepted is refused when written out: %v\n%s", err, written)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v\nbecame %+v", first, second)
		}
		if first.leavesOut() {
			return // LoadFS fills it in
		}
		p, err := first.policy()
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("a policy was accepted that is not valid: %v", err)
		}
		if again, err := second.policy(); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%+v\nbecame %+v, %v", p, again, err)
		}
	})
}
