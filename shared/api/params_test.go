package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestParameters tries what stands in paths, queries and headers.
func TestParameters(t *testing.T) {
	s := sceneOf(t)
	h := s.open(t)
	mothers, hospitals, operators := h.person(mother), h.place(hospital), h.operator()
	long := func(n int) string { return strings.Repeat("9", n) }
	for _, c := range []struct{ token, path, want, field string }{
		// every list
		{mothers, "/v1/account/entries?limit=0", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=-1", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=101", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=abc", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=1.5", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=1e1", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=9223372036854775808", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=%E4%B8%80", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=1;after=1", "400 malformed", "limit"},
		{mothers, "/v1/bindings?limit=0", "400 malformed", "limit"},
		{mothers, "/v1/settlements?limit=101", "400 malformed", "limit"},
		{hospitals, "/v1/days/20261121?limit=101", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=100", "200", ""},
		{mothers, "/v1/account/entries?limit=1", "200", ""},

		// cursors are a list's own
		{mothers, "/v1/account/entries?after=x", "400 malformed", "after"},
		{mothers, "/v1/account/entries?after=-1", "400 malformed", "after"},
		{mothers, "/v1/account/entries?after=" + long(20), "400 malformed", "after"},
		{mothers, "/v1/account/entries?after=" + long(65), "400 malformed", "after"},
		{mothers, "/v1/settlements?after=x", "400 malformed", "after"},
		{mothers, "/v1/bindings?after=garbage", "400 malformed", "after"},
		{mothers, "/v1/bindings?after=%ff", "400 malformed", "after"},
		{mothers, "/v1/bindings?after=" + long(65), "400 malformed", "after"},
		{hospitals, "/v1/days/20261121?after=garbage", "400 malformed", "after"},
		{hospitals, "/v1/days/20261121?after=%00", "400 malformed", "after"},
		{operators, "/v1/proofs/20261121?after=garbage", "400 malformed", "after"},
		{operators, "/v1/proofs/20261121?after=" + hospital, "200", ""},

		// what has a few values
		{mothers, "/v1/settlements?role=presenter", "400 malformed", "role"},
		{mothers, "/v1/settlements?role=Payer", "400 malformed", "role"},
		{mothers, "/v1/settlements?role=payer", "200", ""},

		// days
		{hospitals, "/v1/days/20261301", "400 malformed", "day"},
		{hospitals, "/v1/days/20260229", "400 malformed", "day"},
		{hospitals, "/v1/days/2026112", "400 malformed", "day"},
		{hospitals, "/v1/days/" + long(2000), "400 malformed", "day"},
		{hospitals, "/v1/days/+2026112", "400 malformed", "day"},
		{hospitals, "/v1/days/00000101", "200", ""},
		{hospitals, "/v1/days/99991231", "200", ""},
		{operators, "/v1/proofs/20261301", "400 malformed", "day"},
		{operators, "/v1/acts/20261301", "400 malformed", "day"},
		{operators, "/v1/acts/20261121?after=x", "400 malformed", "after"},
		{operators, "/v1/acts/20261121?limit=101", "400 malformed", "limit"},

		// what is searched
		{mothers, "/v1/catalogue", "400 malformed", "q"},
		{mothers, "/v1/catalogue?q=", "400 malformed", "q"},
		{mothers, "/v1/catalogue?q=" + long(51), "400 malformed", "q"},
		{mothers, "/v1/catalogue?q=A&limit=51", "400 malformed", "limit"},
		{mothers, "/v1/catalogue?q=%00", "200", ""},
		{mothers, "/v1/catalogue?q=%ff", "200", ""},
		{mothers, "/v1/catalogue?q=%20", "200", ""},
		{mothers, "/v1/institutions", "400 malformed", "q"},
		{hospitals, "/v1/catalogue?q=%E4%B8%80", "200", ""},

		// names that are too long
		{mothers, "/v1/bindings/" + long(65), "400 malformed", "binding_id"},
		{mothers, "/v1/qr/" + long(27), "400 malformed", "token_id"},
		{mothers, "/v1/settlements/" + long(65), "400 malformed", "settlement_id"},
		{hospitals, "/v1/messages/" + long(65), "400 malformed", "message_id"},
		{hospitals, "/v1/messages/" + long(30), "400 malformed", "message_id"},

		// What nobody asked for is not read, and what stands twice counts once, the
		// first; an empty one is none.
		{mothers, "/v1/account/entries?bogus=1&LIMIT=0", "200", ""},
		{mothers, "/v1/me?limit=0", "200", ""},
		{mothers, "/v1/account/entries?limit=1&limit=0", "200", ""},
		{mothers, "/v1/account/entries?limit=0&limit=1", "400 malformed", "limit"},
		{mothers, "/v1/account/entries?limit=&after=", "200", ""},
		{mothers, "/v1/account/entries?limit=05", "200", ""},
		{mothers, "/v1/account/entries?limit=%2B5", "200", ""},
		{mothers, "/v1/me?%zz", "200", ""},
	} {
		r := h.ask(c.token, http.MethodGet, c.path, nil)
		field := ""
		if r.status >= 300 {
			field = r.problem(t).Field
		}
		if heard(t, r) != c.want || field != c.field {
			t.Errorf("%.100s: %s of %q, not %s of %q\n%s", c.path, heard(t, r), field, c.want, c.field, r.body)
		}
	}
	for _, path := range []string{"/v1/persons/" + long(31) + "/freeze", "/v1/institutions/" + long(13) + "/suspend"} {
		if r := h.ask(operators, http.MethodPost, path, nil); heard(t, r) != "400 malformed" || r.problem(t).Field == "" {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	for key, want := range map[string]string{strings.Repeat("k", 129): "400 malformed", strings.Repeat("钥", 43): "400 malformed", strings.Repeat("k", 128): "201", "a b\xff": "201"} {
		for path, body := range map[string]string{"/v1/qr": `{}`, "/v1/bindings": `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":true}`} {
			h := s.open(t)
			r := h.ask(mothers, http.MethodPost, path, body, "Idempotency-Key", key)
			if got := heard(t, r); got != want || want != "201" && (r.problem(t).Field != "Idempotency-Key" || h.commits() > 0) {
				t.Errorf("the key %.10q… of %s: %s\n%s", key, path, got, r.body)
			}
		}
	}
}

// TestPages goes through every list, one item a page and all in one: the same items
// in the same order.
func TestPages(t *testing.T) {
	h := sceneOf(t).open(t)
	for range 3 {
		h.must(201, h.place(hospital), "POST", "/v1/settlements", strings.NewReplacer("MESSAGE", h.messageID(hospital)).Replace(tillBill))
	}
	h.credit(mother, 100)
	for _, c := range []struct {
		token, path, id string
		want            int
	}{
		{h.person(mother), "/v1/bindings", "binding_id", 4},
		{h.person(father), "/v1/bindings", "binding_id", 3},
		{h.person(father), "/v1/confirmations", "confirmation_id", 1},
		{h.person(mother), "/v1/confirmations", "confirmation_id", 0},
		{h.person(mother), "/v1/account/entries", "seq", 7},
		{h.person(mother), "/v1/settlements?role=patient", "settlement_id", 3},
		{h.person(mother), "/v1/settlements?role=payer", "settlement_id", 1},
		{h.person(father), "/v1/settlements", "settlement_id", 1},
		{h.person(stranger), "/v1/settlements", "settlement_id", 0},
		{h.place(hospital), "/v1/days/20261121", "settlement_id", 4},
		{h.place(hospital), "/v1/days/20261120", "settlement_id", 0},
		{h.place(otherPlace), "/v1/days/20261121", "settlement_id", 0},
	} {
		page := func(query string) (ids []string, next string) {
			join := "?"
			if strings.Contains(c.path, "?") {
				join = "&"
			}
			v := h.must(200, c.token, "GET", c.path+join+query, nil)
			for _, item := range v["items"].([]any) {
				ids = append(ids, fmt.Sprint(at(item, c.id)))
			}
			next, _ = v["next_after"].(string)
			return ids, next
		}
		whole, next := page("limit=100")
		if len(whole) != c.want || next != "" {
			t.Errorf("%s: %d items, not %d, and next_after %q", c.path, len(whole), c.want, next)
		}
		var one []string
		for after, pages := "", 0; pages == 0 || after != ""; pages++ {
			if pages > 10 {
				t.Fatalf("%s has no end", c.path)
			}
			var ids []string
			ids, after = page("limit=1&after=" + after)
			if len(ids) > 1 || len(ids) == 0 && c.want > 0 {
				t.Errorf("%s: a page of %d", c.path, len(ids))
			}
			one = append(one, ids...)
		}
		if !slices.Equal(one, whole) {
			t.Errorf("%s: by ones %q, at once %q", c.path, one, whole)
		}
	}
}
