package api

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

const ndjson = "application/x-ndjson"

// fedLines sends records and returns what became of each, as "line status what".
func (h *house) fedLines(path, body string) []string {
	h.t.Helper()
	r := h.ask(h.operator(), "POST", path, body, "Content-Type", ndjson)
	if r.status != 200 || r.header.Get("Content-Type") != ndjson {
		h.t.Fatalf("%s: %d %s\n%.300s", path, r.status, r.header.Get("Content-Type"), r.body)
	}
	if got := goText(r.body); got != "" {
		h.t.Errorf("%s says %q", path, got)
	}
	var fed []string
	for line := range bytes.Lines(r.body) {
		v, err := parse(line)
		if err != nil {
			h.t.Fatal(err)
		}
		what, _ := at(v, "result").(string)
		if code, refused := at(v, "code").(string); refused {
			what = code
			if field, _ := at(v, "field").(string); field != "" {
				what += " of " + field
			}
			if zh, _ := at(v, "message_zh").(string); zh == "" {
				h.t.Errorf("%s says nothing", line)
			}
		}
		fed = append(fed, fmt.Sprint(at(v, "line"), " ", at(v, "status"), " ", what))
	}
	return fed
}

func person77(name string) string {
	return `{"person_no":"430100000077","name":"` + name + `","id_no":"430102199111050035","region":"430100","insutype":"310","psn_type":"11","status":"1"}`
}

// TestFeedOfMany: one line of answer for each record, and a bad one stops nothing.
func TestFeedOfMany(t *testing.T) {
	h := fedHouse(t)
	wide := strings.Replace(person77("新来"), "{", "{"+strings.Repeat(" ", maxBody), 1)
	feed := strings.Join([]string{
		person77("新来"),
		"",
		person77("新来"),
		" \t",
		"not JSON",
		person77("新人") + "\r",
		`{"person_no":"430100000078"}`,
		strings.Replace(person77("新人"), `"status"`, `"nickname":"x","status"`, 1),
		strings.Replace(person77("新人"), `"status":"1"`, `"status":"1","status":"2"`, 1),
		strings.Replace(person77("新人"), "430102199111050035", "430102199111050036", 1),
		strings.Replace(person77("新人"), "新人", "\xff", 1),
		wide,
		wide[:maxBody-len(person77("新来"))] + person77("新人")[1:],
		"\ufeff" + person77("新人"),
		person77("新人") + person77("新人"),
		"null",
		"[" + person77("新人") + "]",
		strings.Replace(person77("邻居"), "430102199111050035", the(mother).id, 1),
		`{"person_no":1.5}`,
		"\r",
		person77("新人"),
	}, "\n")
	want := []string{
		"1 201 created", "3 200 unchanged", "5 400 malformed", "6 200 updated", "7 400 malformed of insutype", "8 400 malformed of nickname",
		"9 400 malformed of status", "10 400 malformed of id_no", "11 400 malformed", "12 413 too_large", "13 200 unchanged", "14 400 malformed", "15 400 malformed",
		"16 400 malformed", "17 400 malformed", "18 422 already_bound of id_no", "19 400 malformed of person_no", "21 200 unchanged",
	}
	if got := h.fedLines("/v1/persons", feed); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	before, commits := h.records(), h.commits()
	want[0], want[3] = "1 200 updated", "6 200 updated" // it has two names in it
	if got := h.fedLines("/v1/persons", feed); !slices.Equal(got, want) {
		t.Errorf("again: got  %q\nwant %q", got, want)
	}
	if h.commits() != commits+2 {
		t.Errorf("again: %d commits", h.commits()-commits)
	}
	if after := h.records(); len(after) != len(before) {
		t.Error("again: other records")
	}
}

// TestKeysOfMany: keys come many at once too, and a bad one stops nothing.
func TestKeysOfMany(t *testing.T) {
	h := fedHouse(t)
	path := "/v1/institutions/" + hospital + "/keys"
	key := func(scheme, id, more string) string {
		return fmt.Sprintf(`{"scheme":%q,"key_id":%q,"secret":"a-secret-%s"%s}`, scheme, id, id, more)
	}
	got := h.fedLines(path, strings.Join([]string{
		key("api", "AK-1", ""), key("soap", "AK-2", ""), "{", key("tif", "AK-3", `,"valid_to":"2027-01-01T00:00:00Z"`), key("api", "AK-1", ""), key("tif", "AK-4", `,"who":"me"`),
	}, "\n"))
	want := []string{"1 201 created", "2 400 malformed of scheme", "3 400 malformed", "4 201 created", "5 200 unchanged", "6 400 malformed of who"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if r := h.ask(h.operator(), "POST", "/v1/institutions/H99/keys", key("api", "AK-5", ""), "Content-Type", ndjson); r.status != 404 {
		t.Errorf("keys of no institution: %d %s", r.status, r.body)
	}
}

// TestFeedsRepeat sends every kind of record twice in one feed, and the feed twice.
func TestFeedsRepeat(t *testing.T) {
	h := newHouse(t)
	records := map[string][]string{}
	for _, p := range cast {
		records["/v1/persons"] = append(records["/v1/persons"], encode(t, p.wire()))
	}
	for _, p := range places {
		records["/v1/institutions"] = append(records["/v1/institutions"], encode(t, p))
	}
	for _, g := range goods {
		records["/v1/catalogue"] = append(records["/v1/catalogue"], encode(t, g))
	}
	for i := range 3 {
		records["/v1/credits"] = append(records["/v1/credits"], fmt.Sprintf(`{"reference":"C-%d","person_no":"%s","amount_fen":100,"pocket":"past"}`, i, mother))
	}
	for _, path := range []string{"/v1/persons", "/v1/institutions", "/v1/catalogue", "/v1/credits"} {
		feed := strings.Join(append(records[path], records[path]...), "\n")
		for i, line := range h.fedLines(path, feed) {
			want := fmt.Sprint(i+1, " 201 created")
			if i >= len(records[path]) {
				want = fmt.Sprint(i+1, " 200 unchanged")
			}
			if line != want {
				t.Errorf("%s: %s, not %s", path, line, want)
			}
		}
		before, commits := h.records(), h.commits()
		for i, line := range h.fedLines(path, feed) {
			if line != fmt.Sprint(i+1, " 200 unchanged") {
				t.Errorf("%s again: %s", path, line)
			}
		}
		for _, record := range records[path] {
			if r := h.ask(h.operator(), "POST", path, record); r.status != 200 || r.json(t)["result"] != "unchanged" {
				t.Errorf("%s by itself: %d %s", path, r.status, r.body)
			}
		}
		if h.commits() != commits || !maps.Equal(before, h.records()) {
			t.Errorf("%s: a repeat writes", path)
		}
	}
	if balance := h.must(200, h.person(mother), "GET", "/v1/account", nil)["past_fen"]; balance != 300.0 {
		t.Errorf("balance %v", balance)
	}
}

// TestFeedBounds: four megabytes together, and ten thousand lines are as good as one.
func TestFeedBounds(t *testing.T) {
	h := newHouse(t)
	lines := h.fedLines("/v1/credits", strings.Repeat("x\n", 10_000))
	if len(lines) != 10_000 || lines[9_999] != "10000 400 malformed" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1:])
	}
	if lines := h.fedLines("/v1/credits", strings.Repeat(" ", maxFeed-1)+"x"); !slices.Equal(lines, []string{"1 413 too_large"}) {
		t.Errorf("one line of four megabytes: %q", lines)
	}
	for name, body := range map[string]string{"blanks": strings.Repeat("\n", maxFeed), "nothing but a line end": "\r\n"} {
		if lines := h.fedLines("/v1/credits", body); len(lines) > 0 {
			t.Errorf("%s: %q", name, lines)
		}
	}
	r := h.ask(h.operator(), "POST", "/v1/credits", strings.Repeat("\n", maxFeed+1), "Content-Type", ndjson)
	if p := r.problem(t); r.status != 413 || p.Allowed != fmt.Sprint(maxFeed, " bytes") {
		t.Errorf("a byte more: %d\n%s", r.status, r.body)
	}
	r = h.ask(h.operator(), "POST", "/v1/credits", "", "Content-Type", ndjson)
	if p := r.problem(t); r.status != 400 || p.Code != "malformed" {
		t.Errorf("nothing: %d\n%s", r.status, r.body)
	}
	if h.commits() != 0 {
		t.Errorf("%d commits", h.commits())
	}
}

// TestFeedMeetsFaults: what a record met is its own line's answer, and what nobody
// knows can be sent again.
func TestFeedMeetsFaults(t *testing.T) {
	h := fedHouse(t)
	credit := func(i int) string {
		return fmt.Sprintf(`{"reference":"F-%d","person_no":"%s","amount_fen":100,"pocket":"current"}`, i, mother)
	}
	feed := credit(1) + "\n" + credit(2) + "\n" + credit(3) + "\n" + credit(4)
	befalls := map[string]storetest.Fault{"CREDIT#F-2": storetest.Fails, "CREDIT#F-3": storetest.Loses}
	h.store.Plan = func(c storetest.Call) storetest.Fault {
		for _, w := range c.Writes {
			if fault := befalls[w.Key.Part]; fault != storetest.None {
				return fault
			}
		}
		return storetest.None
	}
	if got, want := h.fedLines("/v1/credits", feed), []string{"1 201 created", "2 503 busy", "3 503 outcome_unknown", "4 201 created"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	h.store.Plan = nil
	if got, want := h.fedLines("/v1/credits", feed), []string{"1 200 unchanged", "2 201 created", "3 200 unchanged", "4 200 unchanged"}; !slices.Equal(got, want) {
		t.Errorf("again: got %q, want %q", got, want)
	}
	if balance := h.must(200, h.person(mother), "GET", "/v1/account", nil)["balance_fen"]; balance != 50400.0 {
		t.Errorf("balance %v", balance)
	}
	h.damage(store.Key{Part: "CREDIT#F-1", Sort: "C"})
	if got, want := h.fedLines("/v1/credits", feed), []string{"1 500 internal", "2 200 unchanged", "3 200 unchanged", "4 200 unchanged"}; !slices.Equal(got, want) {
		t.Errorf("damaged: got %q, want %q", got, want)
	}
}

// damage writes over a record what nobody can read.
func (h *house) damage(key store.Key) {
	h.t.Helper()
	records, err := h.store.Get(h.t.Context(), key)
	if err != nil || !records[0].Exists() {
		h.t.Fatalf("%v: %v", key, err)
	}
	if err := h.store.Commit(h.t.Context(), []store.Write{{Key: key, Base: records[0].Version, Body: []byte("{damaged")}}); err != nil {
		h.t.Fatal(err)
	}
}
