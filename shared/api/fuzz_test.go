package api

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
)

// feeds are the routes that take many records, a line each.
var feeds = []string{"/v1/persons", "/v1/institutions", "/v1/catalogue", "/v1/credits", "/v1/registry", "/v1/rollovers", "/v1/dues"}

// FuzzFeed sends any lines to any feed: each that is not blank is answered by one
// line, with its number, and none by a failure of ours.
func FuzzFeed(f *testing.F) {
	for i := range feeds {
		f.Add(uint8(i), []byte(person77("新来")+"\n\n"+`{"reference":"R1","person_no":"430100000077","amount_fen":1}`+"\n{"))
		f.Add(uint8(i), []byte("\r\n\x00\n[]\nnull\n\"\\ud800\""))
	}
	h := sceneOf(f).open(f)
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		h.t = t
		path := feeds[int(which)%len(feeds)]
		r := h.ask(h.operator(), "POST", path, string(text), "Content-Type", ndjson)
		if r.status == 400 || r.status == 413 {
			return // the body as a whole: nothing was fed
		}
		if r.status != 200 {
			t.Fatalf("%s: %d\n%s", path, r.status, r.body)
		}
		want := 0
		for line := range bytes.Lines(text) {
			if len(bytes.TrimSpace(line)) > 0 {
				want++
			}
		}
		got := 0
		for line := range bytes.Lines(r.body) {
			got++
			var fed fedWire
			if err := json.Unmarshal(line, &fed); err != nil || fed.Status >= 500 || fed.Line < got {
				t.Fatalf("%s: %v\n%s", path, err, line)
			}
		}
		if got != want {
			t.Fatalf("%s: %d lines were sent and %d are answered", path, want, got)
		}
	})
}

// FuzzCursors asks for any page of any list: a page, or a refusal that names the
// cursor.
func FuzzCursors(f *testing.F) {
	lists := []struct{ by, path string }{
		{"person", "/v1/account/entries"}, {"person", "/v1/settlements"}, {"person", "/v1/bindings"}, {"place", "/v1/days/20261121"}, {"operator", "/v1/proofs/20261121"},
	}
	for i := range lists {
		for _, after := range []string{"", "1", "0", "x", "\x00", "01KAZ9YQ3V8F5W6T7R8S9A0B1C", hospital, hospital + "202611211000009000"} {
			f.Add(uint8(i), after)
		}
	}
	s := sceneOf(f)
	h := s.open(f)
	f.Fuzz(func(t *testing.T, which uint8, after string) {
		h.t = t
		l := lists[int(which)%len(lists)]
		token := h.operator()
		switch l.by {
		case "person":
			token = h.person(mother)
		case "place":
			token = h.place(hospital)
		}
		r := h.ask(token, "GET", l.path+"?after="+url.QueryEscape(after), nil)
		if r.status != 200 && r.status != 400 {
			t.Fatalf("%s after %q: %d\n%s", l.path, after, r.status, r.body)
		}
	})
}
