// Package storetest says what it means to keep the port [gongji/shared/store]:
// [Run] is the suite that every adapter passes, all of it. [Faulty] is a store
// whose calls go wrong by plan, for the tests of whoever uses the port.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/seedtest"
	"gongji/shared/store"
)

// Run runs the suite. open returns a store with nothing in it, a new one at each
// call, and closes it when its test ends.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"absent", absent},
		{"create", create},
		{"versions", versions},
		{"check only", checkOnly},
		{"check beside a write", checkBesideWrite},
		{"all or nothing", allOrNothing},
		{"bounds", bounds},
		{"largest commit", largestCommit},
		{"odd keys", oddKeys},
		{"bodies", bodies},
		{"expires", expires},
		{"get many", getMany},
		{"get much", getMuch},
		{"list", list},
		{"list pages", listPages},
		{"list of large records", listLarge},
		{"scan", scan},
		{"random walk", randomWalk},
		{"one creator", oneCreator},
		{"counter", counter},
		{"transfers", transfers},
		{"read your writes", readYourWrites},
		{"context over", contextOver},
		{"context cancelled midway", contextCancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// key names a record in a part that most tests need only one of.
func key(sort string) store.Key { return store.Key{Part: "P", Sort: sort} }

// put is a write of a short body.
func put(k store.Key, base uint64, body string) store.Write {
	return store.Write{Key: k, Base: base, Body: []byte(body)}
}

// check is a condition alone.
func check(k store.Key, base uint64) store.Write {
	return store.Write{Key: k, Base: base, Check: true}
}

func mustCommit(t *testing.T, s store.Store, writes ...store.Write) {
	t.Helper()
	if err := s.Commit(t.Context(), writes); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got error %v, want %v", what, err, want)
	}
}

func mustGet(t *testing.T, s store.Store, keys ...store.Key) []store.Record {
	t.Helper()
	records, err := s.Get(t.Context(), keys...)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if len(records) != len(keys) {
		t.Fatalf("Get of %d keys gave %d records", len(keys), len(records))
	}
	return records
}

func mustList(t *testing.T, s store.Store, r store.Range) []store.Record {
	t.Helper()
	records, err := s.List(t.Context(), r)
	if err != nil {
		t.Fatalf("List(%+v): %v", r, err)
	}
	return records
}

// wantBodies fails the test unless the records under the keys are as told: a
// body and a version ("b@1"), or "-" for none.
func wantBodies(t *testing.T, s store.Store, want map[store.Key]string) {
	t.Helper()
	for k, text := range want {
		got := "-"
		if r := mustGet(t, s, k)[0]; r.Exists() {
			got = fmt.Sprintf("%s@%d", r.Body, r.Version)
		}
		if got != text {
			t.Fatalf("%v is %s, want %s", k, got, text)
		}
	}
}

func absent(t *testing.T, s store.Store) {
	r := mustGet(t, s, key("none"))[0]
	if r.Exists() || r.Version != 0 || r.Key != key("none") || len(r.Body) != 0 || !r.Expires.IsZero() {
		t.Errorf("an absent record came as %+v", r)
	}
	if none := mustGet(t, s); len(none) != 0 {
		t.Errorf("Get of no keys gave %v", none)
	}
	if none := mustList(t, s, store.Range{Part: "P", Limit: 10}); len(none) != 0 {
		t.Errorf("List of an empty part gave %v", none)
	}
	wantError(t, "writing on an absent record", s.Commit(t.Context(), []store.Write{put(key("none"), 1, "x")}), store.ErrConflict)
	wantBodies(t, s, map[store.Key]string{key("none"): "-"})
}

func create(t *testing.T, s store.Store) {
	mustCommit(t, s, put(key("a"), 0, "one"))
	wantRecords(t, "Get", mustGet(t, s, key("a")),
		[]store.Record{{Key: key("a"), Version: 1, Body: []byte("one")}})
	wantError(t, "creating it again", s.Commit(t.Context(), []store.Write{put(key("a"), 0, "two")}), store.ErrConflict)
	wantBodies(t, s, map[store.Key]string{
		key("a"): "one@1",
		// The same sort under another part, the same part under another sort.
		{Part: "Q", Sort: "a"}: "-",
		key("b"):               "-",
	})
}

func versions(t *testing.T, s store.Store) {
	a := key("a")
	for v := range uint64(12) { // past 9: versions are numbers, not text
		mustCommit(t, s, put(a, v, "body "+strconv.FormatUint(v+1, 10)))
		for _, wrong := range []uint64{0, v, v + 2} {
			err := s.Commit(t.Context(), []store.Write{put(a, wrong, "wrong")})
			wantError(t, fmt.Sprintf("base %d at version %d", wrong, v+1), err, store.ErrConflict)
		}
		wantBodies(t, s, map[store.Key]string{a: fmt.Sprintf("body %d@%d", v+1, v+1)})
	}
	for _, wrong := range []uint64{1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		wantError(t, fmt.Sprintf("base %d", wrong), s.Commit(t.Context(), []store.Write{put(a, wrong, "wrong")}), store.ErrConflict)
	}
}

func checkOnly(t *testing.T, s store.Store) {
	a, b := key("a"), key("b")
	mustCommit(t, s, put(a, 0, "one"))
	mustCommit(t, s, check(a, 1), check(b, 0))
	wantBodies(t, s, map[store.Key]string{a: "one@1", b: "-"})
	for _, writes := range [][]store.Write{
		{check(a, 0)},
		{check(a, 2)},
		{check(b, 1)},
		{check(a, 1), check(b, 1)},
		{check(b, 0), check(a, 0)},
	} {
		wantError(t, fmt.Sprint(writes), s.Commit(t.Context(), writes), store.ErrConflict)
	}
	wantBodies(t, s, map[store.Key]string{a: "one@1", b: "-"})
}

func checkBesideWrite(t *testing.T, s store.Store) {
	grant, account := key("grant"), key("account")
	mustCommit(t, s, put(grant, 0, "given"), put(account, 0, "100"))
	mustCommit(t, s, check(grant, 1), put(account, 1, "90"))
	mustCommit(t, s, put(grant, 1, "revoked"))
	wantError(t, "a write beside a check that moved",
		s.Commit(t.Context(), []store.Write{put(account, 2, "80"), check(grant, 1)}), store.ErrConflict)
	wantBodies(t, s, map[store.Key]string{grant: "revoked@2", account: "90@2"})
}

func allOrNothing(t *testing.T, s store.Store) {
	const n = store.MaxWrites
	before := make([]store.Write, n)
	keys := make([]store.Key, n)
	for i := range n {
		keys[i] = store.Key{Part: "P" + strconv.Itoa(i%7), Sort: strconv.Itoa(i)}
		before[i] = put(keys[i], 0, "before")
	}
	mustCommit(t, s, before...)

	for _, bad := range []int{0, n / 2, n - 1} {
		for _, badCheck := range []bool{false, true} {
			writes := make([]store.Write, n)
			for i := range n {
				writes[i] = put(keys[i], 1, "after")
			}
			writes[bad].Base = 2
			if badCheck {
				writes[bad].Check, writes[bad].Body = true, nil
			}
			wantError(t, fmt.Sprintf("write %d is bad", bad), s.Commit(t.Context(), writes), store.ErrConflict)
			for i, r := range mustGet(t, s, keys...) {
				if r.Version != 1 || string(r.Body) != "before" {
					t.Fatalf("write %d was bad, and record %d changed: %s", bad, i, show([]store.Record{r}))
				}
			}
		}
	}
}

func bounds(t *testing.T, s store.Store) {
	many := func(n, body int) []store.Write {
		writes := make([]store.Write, n)
		for i := range writes {
			writes[i] = store.Write{Key: key(strconv.Itoa(i)), Body: bytes.Repeat([]byte{'x'}, body)}
		}
		return writes
	}
	long := strings.Repeat("k", store.MaxKey+1)
	for _, c := range []struct {
		name   string
		writes []store.Write
	}{
		{"no writes", nil},
		{"too many writes", many(store.MaxWrites+1, 1)},
		{"no body", []store.Write{{Key: key("0")}}},
		{"an empty body", many(1, 0)},
		{"a check with a body", []store.Write{{Key: key("0"), Check: true, Body: []byte("x")}}},
		{"a body too large", many(1, store.MaxBody+1)},
		{"bodies too large together", many(store.MaxCommitBytes/store.MaxBody+1, store.MaxBody)},
		{"one key twice", append(many(2, 1), put(key("1"), 0, "x"))},
		{"one key written and checked", append(many(2, 1), check(key("1"), 0))},
		{"no part", []store.Write{put(store.Key{Sort: "0"}, 0, "x")}},
		{"no sort", []store.Write{put(store.Key{Part: "P"}, 0, "x")}},
		{"a part too long", []store.Write{put(store.Key{Part: long, Sort: "0"}, 0, "x")}},
		{"a sort too long", []store.Write{put(store.Key{Part: "P", Sort: long}, 0, "x")}},
		{"a sort that is not UTF-8", append(many(1, 1), put(key("\xff"), 0, "x"))},
		{"a part with half a character", append(many(1, 1), put(store.Key{Part: "\xe5\x85", Sort: "0"}, 0, "x"))},
		{"a check of a NUL", append(many(1, 1), check(key("a\x00b"), 0))},
	} {
		wantError(t, "Commit of "+c.name, s.Commit(t.Context(), c.writes), store.ErrInvalid)
	}
	if all := mustList(t, s, store.Range{Part: "P", Limit: store.MaxList}); len(all) != 0 {
		t.Errorf("refused commits left %s", show(all))
	}

	for _, k := range []store.Key{{}, {Part: "P"}, {Sort: "S"}, key(long), key("\xff"), key("\x00")} {
		_, err := s.Get(t.Context(), key("fine"), k)
		wantError(t, fmt.Sprintf("Get(%q)", k), err, store.ErrInvalid)
	}
	for _, r := range []store.Range{
		{Limit: 1},
		{Part: long, Limit: 1},
		{Part: "P", Limit: 0},
		{Part: "P", Limit: -1},
		{Part: "P", Limit: store.MaxList + 1},
		{Part: "\xff", Limit: 1},
		{Part: "P", Prefix: "\xe5", Limit: 1}, // the first third of a character
		{Part: "P", Prefix: long, Limit: 1},
		{Part: "P", After: long, Limit: 1},
		{Part: "P", After: "\xff", Limit: 1},
		{Part: "P", After: "\x00", Limit: 1},
	} {
		_, err := s.List(t.Context(), r)
		wantError(t, fmt.Sprintf("List(%#v)", r), err, store.ErrInvalid)
	}
}

// largestCommit takes every bound to its end at once: as many writes and as many
// bytes as there may be, under the longest keys.
func largestCommit(t *testing.T, s store.Store) {
	part := strings.Repeat("p", store.MaxKey)
	name := func(i int) store.Key {
		return store.Key{Part: part, Sort: fmt.Sprintf("%0*d", store.MaxKey, i)}
	}
	var writes []store.Write
	left := store.MaxCommitBytes
	for i := range store.MaxWrites {
		others := store.MaxWrites - i - 1 // of a byte each
		body := min(store.MaxBody, left-others)
		writes = append(writes, store.Write{
			Key: name(i), Body: bytes.Repeat([]byte{byte(i)}, body), Expires: time.Unix(4102444800, 0),
		})
		left -= body
	}
	mustCommit(t, s, writes...)
	for i, w := range writes {
		want := store.Record{Key: w.Key, Version: 1, Body: w.Body, Expires: w.Expires}
		if r := mustGet(t, s, w.Key)[0]; !same(r, want) {
			t.Fatalf("record %d came back with version %d and %d bytes, not %d", i, r.Version, len(r.Body), len(w.Body))
		}
	}
}

// sorts are legal, distinct, and awkward to order or to quote.
var sorts = []string{
	"!", " ", "  ", "#", "##", "%", "%25", "'", "\"", "\\", "\n", "\t", "\x01", "\x7f", "*", "?", ":v", "_", "`",
	"0", "00", "1", "10", "2", "9", "A", "AA", "a", "aa", "a#", "a#1", "a#10", "a#2", "a ", "B", "b", "Z", "z", "~",
	"é", "e\u0301", "É", "ß", "ss", "中", "中文", "中國", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff", "😀",
	"null", "true", strings.Repeat("a", store.MaxKey), strings.Repeat("共", store.MaxKey/3),
}

func oddKeys(t *testing.T, s store.Store) {
	m := model{}
	var all []store.Write
	for i, sort := range sorts {
		all = append(all,
			put(store.Key{Part: "P", Sort: sort}, 0, "sort "+strconv.Itoa(i)),
			put(store.Key{Part: sort, Sort: "S"}, 0, "part "+strconv.Itoa(i)))
	}
	var keys []store.Key
	for len(all) > 0 {
		n := min(len(all), store.MaxWrites)
		mustCommit(t, s, all[:n]...)
		m.commit(all[:n])
		for _, w := range all[:n] {
			keys = append(keys, w.Key)
		}
		all = all[n:]
	}
	want := make([]store.Record, len(keys))
	for i, k := range keys {
		want[i] = m.get(k)
	}
	wantRecords(t, "Get", mustGet(t, s, keys...), want)
	for _, descending := range []bool{false, true} {
		r := store.Range{Part: "P", Limit: store.MaxList, Descending: descending}
		wantRecords(t, fmt.Sprintf("List(%+v)", r), mustList(t, s, r), m.list(r))
	}
	for _, part := range sorts {
		r := store.Range{Part: part, Limit: store.MaxList}
		wantRecords(t, fmt.Sprintf("List(%+v)", r), mustList(t, s, r), m.list(r))
	}
}

func bodies(t *testing.T, s store.Store) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	large := make([]byte, store.MaxBody)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(large)
	for i, body := range [][]byte{{0}, {0, 0, 0}, {0xff}, every, []byte(`{"姓名":"张三"}`), []byte("\xed\xa0\x80"), large} {
		k := key(strconv.Itoa(i))
		mustCommit(t, s, store.Write{Key: k, Body: body})
		if r := mustGet(t, s, k)[0]; !bytes.Equal(r.Body, body) {
			t.Errorf("Get: body %d came back otherwise", i)
		}
		if r := mustList(t, s, store.Range{Part: "P", Prefix: k.Sort, Limit: 1}); len(r) != 1 || !bytes.Equal(r[0].Body, body) {
			t.Errorf("List: body %d came back otherwise", i)
		}
	}

	// The store neither keeps hold of what it was given nor lends what it holds.
	body := []byte("mine")
	mustCommit(t, s, store.Write{Key: key("lent"), Body: body})
	body[0] = 'X'
	mustGet(t, s, key("lent"))[0].Body[1] = 'X'
	wantBodies(t, s, map[store.Key]string{key("lent"): "mine@1"})
}

// expires keeps to times far ahead: what is past may be gone at any moment.
func expires(t *testing.T, s store.Store) {
	k := key("k")
	at := []time.Time{
		time.Unix(4102444800, 0),
		{},
		time.Date(2099, 12, 31, 23, 59, 59, 0, time.FixedZone("", 8*3600)),
		time.Unix(4102444801, 0),
		{},
		{},
	}
	for i, e := range at {
		mustCommit(t, s, store.Write{Key: k, Base: uint64(i), Body: []byte("x"), Expires: e})
		want := []store.Record{{Key: k, Version: uint64(i) + 1, Body: []byte("x"), Expires: e}}
		wantRecords(t, "Get", mustGet(t, s, k), want)
		wantRecords(t, "List", mustList(t, s, store.Range{Part: "P", Limit: 1}), want)
		if got := mustGet(t, s, k)[0].Expires; got.IsZero() != e.IsZero() {
			t.Fatalf("Expires %v came back as %v", e, got)
		}
	}
	mustCommit(t, s, store.Write{Key: key("cut"), Body: []byte("x"), Expires: time.Unix(4102444800, 999_999_999)})
	if got := mustGet(t, s, key("cut"))[0].Expires; !got.Equal(time.Unix(4102444800, 0)) {
		t.Errorf("Expires is not cut to whole seconds: %v", got)
	}
}

func getMany(t *testing.T, s store.Store) {
	const n = 250
	var keys []store.Key
	var want []store.Record
	for i := range n {
		k := store.Key{Part: "P" + strconv.Itoa(i%3), Sort: strconv.Itoa(i)}
		r := store.Record{Key: k}
		if i%5 != 0 {
			mustCommit(t, s, put(k, 0, "body "+strconv.Itoa(i)))
			r.Version, r.Body = 1, []byte("body "+strconv.Itoa(i))
		}
		keys, want = append(keys, k), append(want, r)
	}
	wantRecords(t, "250 keys", mustGet(t, s, keys...), want)

	var repeated []store.Key
	var wantRepeated []store.Record
	for i := range n {
		j := (i * 7) % 40
		repeated, wantRepeated = append(repeated, keys[j]), append(wantRepeated, want[j])
	}
	got := mustGet(t, s, repeated...)
	wantRecords(t, "40 keys, each several times", got, wantRepeated)

	// Records under a repeated key are each the caller's own.
	a := mustGet(t, s, keys[1], keys[1])
	a[0].Body[0] = 'X'
	wantRecords(t, "after a change to the first", a[1:], want[1:2])
}

// getMuch asks for more in one Get than DynamoDB gives in one answer (16 MB).
func getMuch(t *testing.T, s store.Store) {
	const n, batch = 50, 10
	var keys []store.Key
	for i := range n {
		keys = append(keys, key(strconv.Itoa(i)))
	}
	body := bytes.Repeat([]byte{'x'}, store.MaxBody)
	for i := 0; i < n; i += batch {
		var writes []store.Write
		for _, k := range keys[i : i+batch] {
			writes = append(writes, store.Write{Key: k, Body: body})
		}
		mustCommit(t, s, writes...)
	}
	for i, r := range mustGet(t, s, keys...) {
		if r.Key != keys[i] || r.Version != 1 || !bytes.Equal(r.Body, body) {
			t.Fatalf("record %d came back as %v, version %d, %d bytes", i, r.Key, r.Version, len(r.Body))
		}
	}
}

func list(t *testing.T, s store.Store) {
	m := model{}
	var writes []store.Write
	for i, sort := range sorts {
		writes = append(writes, put(store.Key{Part: "P", Sort: sort}, 0, strconv.Itoa(i)))
	}
	// Neighbours that no List of P may see.
	writes = append(writes, put(store.Key{Part: "O", Sort: "a"}, 0, "x"), put(store.Key{Part: "P\x01", Sort: "a"}, 0, "x"), put(store.Key{Part: "p", Sort: "a"}, 0, "x"))
	mustCommit(t, s, writes...)
	m.commit(writes)

	edges := []string{"", "!", "a", "a#", "a#1", "a#3", "b", "\x7f", "中", "\U0010ffff", strings.Repeat("a", store.MaxKey)}
	for _, prefix := range edges {
		for _, after := range edges {
			for _, descending := range []bool{false, true} {
				for _, limit := range []int{2, store.MaxList} {
					r := store.Range{Part: "P", Prefix: prefix, After: after, Limit: limit, Descending: descending}
					wantRecords(t, fmt.Sprintf("List(%#v)", r), mustList(t, s, r), m.list(r))
				}
			}
		}
	}
}

// listPages walks a part page by page, each beginning at the last sort of the
// one before.
func listPages(t *testing.T, s store.Store) {
	m := model{}
	var writes []store.Write
	for i := range 60 {
		writes = append(writes, put(key(fmt.Sprintf("E#%03d", i*i%997)), 0, strconv.Itoa(i)))
	}
	writes = append(writes, put(key("A"), 0, "x"), put(key("F"), 0, "x"))
	mustCommit(t, s, writes...)
	m.commit(writes)

	for _, limit := range []int{1, 7, 60, 61} {
		for _, descending := range []bool{false, true} {
			r := store.Range{Part: "P", Prefix: "E#", Limit: limit, Descending: descending}
			var walked []store.Record
			for {
				page := mustList(t, s, r)
				if len(page) == 0 {
					break
				}
				if len(page) > limit || len(walked) > 60 {
					t.Fatalf("pages of %d: a page of %d after %d records", limit, len(page), len(walked))
				}
				walked = append(walked, page...)
				r.After = page[len(page)-1].Key.Sort
			}
			r.After, r.Limit = "", store.MaxList
			wantRecords(t, fmt.Sprintf("pages of %d, descending %v", limit, descending), walked, m.list(r))
		}
	}
}

// listLarge asks for more in one List than DynamoDB gives in one answer (1 MB).
func listLarge(t *testing.T, s store.Store) {
	var writes []store.Write
	for i := range 9 {
		writes = append(writes, store.Write{Key: key(strconv.Itoa(i)), Body: bytes.Repeat([]byte{byte('0' + i)}, store.MaxBody)})
	}
	mustCommit(t, s, writes...)
	m := model{}
	m.commit(writes)
	for _, limit := range []int{4, store.MaxList} {
		for _, descending := range []bool{false, true} {
			r := store.Range{Part: "P", Limit: limit, Descending: descending}
			wantRecords(t, fmt.Sprintf("List(%+v)", r), mustList(t, s, r), m.list(r))
		}
	}
}

// scan reads a store from end to end, where it can be read so: every record comes
// once, those of a part together and in order, whatever the pages.
func scan(t *testing.T, s store.Store) {
	all, can := s.(store.Scanner)
	if !can {
		return // the port does not ask for it
	}
	want := map[store.Key]string{}
	for _, part := range []string{"P", "P#1", "Q", "Ω", "a"} {
		for i := range 23 {
			k := store.Key{Part: part, Sort: fmt.Sprintf("%03d", i*i)}
			mustCommit(t, s, put(k, 0, part+k.Sort))
			want[k] = part + k.Sort + "@1"
		}
	}
	again := store.Key{Part: "Q", Sort: "000"}
	mustCommit(t, s, put(again, 1, "again"))
	want[again] = "again@2"
	wantError(t, "a limit of nothing", scanError(all, t, 0), store.ErrInvalid)
	wantError(t, "a limit beyond the port's", scanError(all, t, store.MaxList+1), store.ErrInvalid)
	for _, limit := range []int{1, 7, 23, store.MaxList} {
		seen, closed := map[store.Key]bool{}, map[string]bool{}
		for after := (store.Key{}); ; {
			records, err := all.Scan(t.Context(), after, limit)
			if err != nil {
				t.Fatalf("Scan after %v: %v", after, err)
			}
			if len(records) > limit {
				t.Fatalf("Scan of %d gave %d", limit, len(records))
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				if r.Key.Part != after.Part {
					closed[after.Part] = true
				}
				if seen[r.Key] || closed[r.Key.Part] || r.Key.Part == after.Part && r.Key.Sort <= after.Sort {
					t.Fatalf("limit %d: %v comes after %v", limit, r.Key, after)
				}
				if is := fmt.Sprintf("%s@%d", r.Body, r.Version); is != want[r.Key] {
					t.Fatalf("limit %d: %v is %s, want %s", limit, r.Key, is, want[r.Key])
				}
				seen[r.Key], after = true, r.Key
			}
		}
		if len(seen) != len(want) {
			t.Fatalf("limit %d: %d records of %d", limit, len(seen), len(want))
		}
	}
}

func scanError(s store.Scanner, t *testing.T, limit int) error {
	_, err := s.Scan(t.Context(), store.Key{}, limit)
	return err
}

// randomWalk makes commits, right ones and wrong ones, and reads back what a
// plain map says there should be.
func randomWalk(t *testing.T, s store.Store) {
	rng := seedtest.Rand(t)
	m := model{}
	randomKey := func() store.Key {
		return store.Key{Part: string(rune('A' + rng.IntN(2))), Sort: sorts[rng.IntN(12)]}
	}
	for step := range 300 {
		switch rng.IntN(4) {
		case 0:
			keys := make([]store.Key, rng.IntN(6))
			want := make([]store.Record, len(keys))
			for i := range keys {
				keys[i] = randomKey()
				want[i] = m.get(keys[i])
			}
			wantRecords(t, fmt.Sprintf("step %d: Get(%q)", step, keys), mustGet(t, s, keys...), want)
		case 1:
			r := store.Range{Part: randomKey().Part, Limit: 1 + rng.IntN(10), Descending: rng.IntN(2) == 0}
			if rng.IntN(3) > 0 {
				r.Prefix = randomKey().Sort
			}
			if rng.IntN(3) > 0 {
				r.After = randomKey().Sort
			}
			wantRecords(t, fmt.Sprintf("step %d: List(%#v)", step, r), mustList(t, s, r), m.list(r))
		default:
			var writes []store.Write
			named := map[store.Key]bool{}
			for range 1 + rng.IntN(5) {
				k := randomKey()
				if named[k] {
					continue
				}
				named[k] = true
				w := store.Write{Key: k, Base: m.get(k).Version, Check: rng.IntN(4) == 0}
				if rng.IntN(8) == 0 {
					w.Base = uint64(rng.IntN(4))
				}
				if !w.Check {
					w.Body = []byte("step " + strconv.Itoa(step))
					if rng.IntN(2) == 0 {
						w.Expires = time.Unix(4102444800+rng.Int64N(1000), 0)
					}
				}
				writes = append(writes, w)
			}
			err := s.Commit(t.Context(), writes)
			if done := m.commit(writes); done && err != nil || !done && !errors.Is(err, store.ErrConflict) {
				t.Fatalf("step %d: Commit(%+v): %v, and the model says done: %v", step, writes, err, done)
			}
		}
	}
	for _, part := range []string{"A", "B"} {
		r := store.Range{Part: part, Limit: store.MaxList}
		wantRecords(t, "at the end", mustList(t, s, r), m.list(r))
	}
}

// together runs n goroutines and waits for them; each must report by t.Error.
func together(n int, run func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { run(i) })
	}
	wg.Wait()
}

func oneCreator(t *testing.T, s store.Store) {
	for round := range 10 {
		k := key(strconv.Itoa(round))
		var mu sync.Mutex
		var winners []int
		together(16, func(i int) {
			for {
				err := s.Commit(t.Context(), []store.Write{put(k, 0, strconv.Itoa(i))})
				switch {
				case err == nil:
					mu.Lock()
					winners = append(winners, i)
					mu.Unlock()
					return
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("creator %d: %v", i, err)
					return
				}
				// Another's transaction that fails in the end can hold the record
				// as well: only a record that is there ends the race.
				records, err := s.Get(t.Context(), k)
				if err != nil {
					t.Errorf("creator %d: %v", i, err)
					return
				}
				if records[0].Exists() {
					return
				}
			}
		})
		if len(winners) != 1 {
			t.Fatalf("round %d: creators %v won", round, winners)
		}
		wantBodies(t, s, map[store.Key]string{k: strconv.Itoa(winners[0]) + "@1"})
	}
}

// change reads the records, lets decide write them anew, and commits, until no
// conflict stands in the way. It returns how often it committed in vain.
func change(ctx context.Context, s store.Store, keys []store.Key, decide func([]store.Record) []store.Write) (conflicts int, err error) {
	for {
		records, err := s.Get(ctx, keys...)
		if err != nil {
			return conflicts, err
		}
		err = s.Commit(ctx, decide(records))
		if !errors.Is(err, store.ErrConflict) {
			return conflicts, err
		}
		conflicts++
	}
}

func number(r store.Record) int {
	n, _ := strconv.Atoi(string(r.Body)) // an absent record counts 0
	return n
}

func counter(t *testing.T, s store.Store) {
	const workers, each = 16, 8
	k := key("counter")
	var mu sync.Mutex
	conflicts := 0
	together(workers, func(int) {
		for range each {
			lost, err := change(t.Context(), s, []store.Key{k}, func(r []store.Record) []store.Write {
				return []store.Write{put(k, r[0].Version, strconv.Itoa(number(r[0])+1))}
			})
			if err != nil {
				t.Errorf("increment: %v", err)
				return
			}
			mu.Lock()
			conflicts += lost
			mu.Unlock()
		}
	})
	t.Logf("%d increments met %d conflicts", workers*each, conflicts)
	wantBodies(t, s, map[store.Key]string{k: fmt.Sprintf("%d@%d", workers*each, workers*each)})
}

// transfers moves amounts between accounts while others read them all: reads
// may be torn, but those that a commit of checks confirms never are.
func transfers(t *testing.T, s store.Store) {
	const accounts, each, movers, auditors, start = 6, 12, 8, 4, 100
	rng := seedtest.Rand(t)
	keys := make([]store.Key, accounts)
	for i := range keys {
		keys[i] = store.Key{Part: "ACCT#" + strconv.Itoa(i), Sort: "A"}
		mustCommit(t, s, put(keys[i], 0, strconv.Itoa(start)))
	}
	sum := func(records []store.Record) int {
		total := 0
		for _, r := range records {
			total += number(r)
		}
		return total
	}
	sources := make([]*rand.Rand, movers)
	for i := range sources {
		sources[i] = rand.New(rand.NewPCG(rng.Uint64(), 0)) // #nosec G404 -- tests that repeat themselves
	}
	together(movers+auditors, func(i int) {
		for range each {
			if i >= movers {
				total := 0
				_, err := change(t.Context(), s, keys, func(r []store.Record) []store.Write {
					total = sum(r)
					var writes []store.Write
					for _, record := range r {
						writes = append(writes, check(record.Key, record.Version))
					}
					return writes
				})
				if err != nil || total != accounts*start {
					t.Errorf("an auditor saw %d, not %d, and: %v", total, accounts*start, err)
				}
				continue
			}
			from := sources[i].IntN(accounts)
			to := (from + 1 + sources[i].IntN(accounts-1)) % accounts
			amount := sources[i].IntN(20)
			_, err := change(t.Context(), s, []store.Key{keys[from], keys[to]}, func(r []store.Record) []store.Write {
				return []store.Write{
					put(keys[from], r[0].Version, strconv.Itoa(number(r[0])-amount)),
					put(keys[to], r[1].Version, strconv.Itoa(number(r[1])+amount)),
				}
			})
			if err != nil {
				t.Errorf("transfer: %v", err)
			}
		}
	})
	records := mustGet(t, s, keys...)
	var writes uint64
	for _, r := range records {
		writes += r.Version - 1
	}
	if got := sum(records); got != accounts*start || writes != 2*movers*each {
		t.Errorf("at the end the sum is %d, not %d, after %d writes, not %d", got, accounts*start, writes, 2*movers*each)
	}
}

// readYourWrites hands each commit over to another goroutine, which must see it.
func readYourWrites(t *testing.T, s store.Store) {
	const n = 50
	written := make(chan int)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range written {
			k := key(fmt.Sprintf("%03d", i))
			records, err := s.Get(t.Context(), k)
			if err != nil || records[0].Version != 1 {
				t.Errorf("after commit %d, Get gave %v, %v", i, records, err)
			}
			listed, err := s.List(t.Context(), store.Range{Part: "P", Limit: 1, Descending: true})
			if err != nil || len(listed) != 1 || listed[0].Key.Sort < k.Sort {
				t.Errorf("after commit %d, List gave %v, %v", i, listed, err)
			}
		}
	})
	for i := range n {
		err := s.Commit(t.Context(), []store.Write{put(key(fmt.Sprintf("%03d", i)), 0, "x")})
		if err != nil {
			t.Errorf("commit %d: %v", i, err)
			break
		}
		written <- i
	}
	close(written)
	wg.Wait()
}

func contextOver(t *testing.T, s store.Store) {
	mustCommit(t, s, put(key("a"), 0, "x"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, c := range []struct {
		ctx  context.Context
		want error
	}{{cancelled, context.Canceled}, {expired, context.DeadlineExceeded}} {
		_, err := s.Get(c.ctx, key("a"))
		wantError(t, "Get", err, c.want)
		_, err = s.List(c.ctx, store.Range{Part: "P", Limit: 1})
		wantError(t, "List", err, c.want)
		err = s.Commit(c.ctx, []store.Write{put(key("a"), 1, "y"), put(key("b"), 0, "y")})
		wantError(t, "Commit", err, c.want)
		if errors.Is(err, store.ErrUnknown) {
			t.Errorf("Commit with a context that was over before: %v", err)
		}
	}
	wantBodies(t, s, map[store.Key]string{key("a"): "x@1", key("b"): "-"})
}

// contextCancelled cancels commits at moments of all kinds and holds each to its
// word: done, certainly not done, or unknown.
func contextCancelled(t *testing.T, s store.Store) {
	const workers, each = 8, 25
	rng := seedtest.Rand(t)
	pauses := make([]time.Duration, workers*each)
	for i := range pauses {
		pauses[i] = 1 << rng.IntN(23) // nanoseconds, to 4 ms: every order of magnitude
	}
	answers := make([]error, workers*each)
	together(workers, func(w int) {
		for i := w * each; i < (w+1)*each; i++ {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(pauses[i], cancel)
			answers[i] = s.Commit(ctx, []store.Write{put(key(strconv.Itoa(i)), 0, "x")})
			timer.Stop()
			cancel()
		}
	})
	done, withdrawn, unknown := 0, 0, 0
	for i, answer := range answers {
		k := key(strconv.Itoa(i))
		switch {
		case answer == nil:
			done++
			wantBodies(t, s, map[store.Key]string{k: "x@1"})
		case errors.Is(answer, store.ErrUnknown):
			unknown++
			if errors.Is(answer, context.Canceled) {
				t.Errorf("commit %d answered two things at once: %v", i, answer)
			}
			// The very same again, until it happens or turns out to have happened.
			for err := error(store.ErrUnknown); err != nil; {
				err = s.Commit(t.Context(), []store.Write{put(k, 0, "x")})
				if errors.Is(err, store.ErrConflict) && mustGet(t, s, k)[0].Exists() {
					break
				}
				if err != nil && !errors.Is(err, store.ErrConflict) {
					t.Fatalf("commit %d, sent again: %v", i, err)
				}
			}
			wantBodies(t, s, map[store.Key]string{k: "x@1"})
		case errors.Is(answer, context.Canceled):
			withdrawn++
			wantBodies(t, s, map[store.Key]string{k: "-"})
		default:
			t.Errorf("commit %d: %v", i, answer)
		}
	}
	t.Logf("%d done, %d withdrawn, %d unknown", done, withdrawn, unknown)
}
