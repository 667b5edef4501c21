package app

import (
	"fmt"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/store/storetest"
)

// TestABindingAsksNoOracle: who asks for a binding with a number and a name that do not
// belong together gets one answer after the same calls of the store, record for record,
// whether nobody has the number, somebody has it, or somebody who has said no to him;
// and with the right name one who has said no is asked by the same calls as one who has
// not.
func TestABindingAsksNoOracle(t *testing.T) {
	for _, key := range []string{"", "a key"} {
		t.Run("key "+key, func(t *testing.T) {
			h := newHouse(t)
			declined := ok(h.RequestBinding(t.Context(), li, h.ask(wang, "12", true, nil), Once{}))(t).Answer.Binding.ID
			ok(h.Submit(t.Context(), li, declined))(t)
			ok(h.Decline(t.Context(), wang, declined))(t)
			misnamed := func(who family.PersonNo) BindingAsk {
				ask := h.ask(who, "12", true, nil)
				ask.Name = "不是此人"
				return ask
			}
			unknown := misnamed(wang)
			unknown.ID = idNumber(t, "990102", "19600101", "333")
			asks := 0
			trace := func(ask BindingAsk) (string, error) {
				t.Helper()
				watched, faulty := h.watched()
				var calls []string
				faulty.Before = func(c storetest.Call) {
					kinds := make([]string, 0, len(c.Keys)+len(c.Writes))
					for _, k := range c.Keys {
						kinds = append(kinds, prefixOf(k.Part))
					}
					for _, w := range c.Writes {
						kinds = append(kinds, fmt.Sprintf("%s check=%v", prefixOf(w.Key.Part), w.Check))
					}
					calls = append(calls, fmt.Sprintf("%v %s", c.Verb, strings.Join(kinds, " ")))
				}
				once := Once{Content: ask}
				if key != "" {
					asks++
					once.Key = fmt.Sprint(key, asks)
				}
				_, err := watched.RequestBinding(t.Context(), li, ask, once)
				return strings.Join(calls, "\n"), err
			}
			want, refusal := trace(misnamed(lijun))
			same(t, "the answer", codeOf(refusal), family.IdentityMismatch)
			if reads := strings.Count(want, "PERSON"); reads < 2 {
				t.Fatalf("the calls are not seen:\n%s", want)
			}
			for what, ask := range map[string]BindingAsk{"unknown": unknown, "declined": misnamed(wang)} {
				calls, err := trace(ask)
				same(t, what+": the answer", err, refusal)
				same(t, what+": the calls", calls, want)
			}

			// A certificate of birth is no oracle either.
			ok(h.FeedPerson(t.Context(), h.birthOf(wang)))(t)
			for what, number := range map[string]family.CertificateNumber{"nobody's certificate": "O430000009", "another mother's": babyCertificate} {
				calls, err := trace(byCertificate(number, "30"))
				same(t, what+": the answer", err, refusal)
				same(t, what+": the calls", calls, want)
			}

			again, err := trace(h.ask(wang, "12", true, nil))
			same(t, "one who said no, by his name", err, nil)
			fresh, err := trace(h.ask(lijun, "73", true, nil))
			same(t, "another, by his name", err, nil)
			same(t, "the calls by the right name", again, fresh)
		})
	}
}

// prefixOf is the kind of a record: what stands in its key before what it belongs to.
func prefixOf(part string) string {
	kind, _, _ := strings.Cut(part, "#")
	return kind
}
