package app

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// booked is a house in whose books there is everything: a sale that stands, one
// that was refunded in part, one reversed, each paid by fund, patient and husband.
func booked(t *testing.T) (h *house, sale, refunded, refund, reversed, reversal family.MessageID) {
	h = newHouse(t)
	h.pay(wang, 12000, 8000)
	h.pay(li, 30000, 100000)
	terms := forAll()
	terms.MonthlyCap, terms.Quota = 90000, 95000
	id := h.bind(li, wang, "12", true, terms)
	visit := func() Outcome {
		h.clock.add(time.Minute)
		return h.settle(hospital, byQR(h.show(li, id).Digits), clinicVisit())
	}
	refunded = visit().Settlement.ID
	refund = h.message(hospital)
	ok(h.Refund(t.Context(), hospital, refunded, refund, []family.Return{{LineNo: 1, Quantity: 10_000}, {LineNo: 2, Quantity: 10_000}}))(t)
	reversed = visit().Settlement.ID
	reversal = h.message(hospital)
	ok(h.Reverse(t.Context(), hospital, reversed, reversal, ""))(t)
	sale = visit().Settlement.ID
	h.prove()
	return h, sale, refunded, refund, reversed, reversal
}

// TestTheProofSeesEveryFieldOfTheBooks changes every field of every kind of record
// in the books, one at a time, by somebody who has the keys and stamps it anew, as a
// mistake in this program would, and wants the proof to find it. The fields that
// nothing derives are named below, each with its reason. (Who has no keys changes
// nothing unseen: TestEveryChangedFieldIsSeen.)
func TestTheProofSeesEveryFieldOfTheBooks(t *testing.T) {
	t.Parallel()
	h, sale, refunded, refund, reversed, reversal := booked(t)
	entriesOf := func(p family.PersonNo) (keys []store.Key) {
		for seq := range h.account(p).Seq {
			keys = append(keys, store.Key(entryKey(p, seq+1)))
		}
		return keys
	}
	// What an account holds is in its entries; how a person is insured and whom he
	// granted what are no sums.
	account := []string{
		"Account.Frozen", "Account.Insurance.Active", "Account.Insurance.Insutype", "Account.Insurance.PsnType", "Account.Insurance.Region",
		"Account.Given[].Beneficiary", "Account.Given[].Paused", "Account.Given[].Relation",
		"Account.Given[].Terms.MonthlyCap", "Account.Given[].Terms.PerSettlementCap", "Account.Given[].Terms.Purposes[]", "Account.Given[].Terms.Quota", "Account.Given[].Terms.ValidUntil",
		"Account.Given[].Terms.Purposes (one dropped)", "Account.Given (one dropped)", "Account.Grantors (one dropped)",
		"Account.Grantors[].Binding", "Account.Grantors[].Person",
		"Account.Deceased", "Account.Given[].Nationwide", "Account.Given[].OfAge",
		"Account.Given[].Raise.From", "Account.Given[].Raise.MonthlyCap", "Account.Given[].Raise.PerSettlementCap",
		"Account.Year.Year", "Account.Year.Insutype", "Account.Year.Stays", // of one who never was a patient
		"Masked",
	}
	// What surrounds a settlement is evidence, not a sum.
	message := []string{"Fingerprint", "Names.P1001", "Names.P1002", "State"}
	// A ten-thousandth of a box that is kept is less than a fen of it.
	sold := append([]string{"Settlement.Kept[]"}, message...)
	back := message
	for _, kind := range []struct {
		what   string
		keys   []store.Key
		unseen []string
	}{
		{"account", []store.Key{store.Key(accountKey(li)), store.Key(accountKey(wang))}, account},
		{"entry", append(entriesOf(li), entriesOf(wang)...), nil},
		{"settlement", []store.Key{store.Key(messageKey(sale)), store.Key(messageKey(refunded)), store.Key(messageKey(reversed))}, sold},
		{"refund", []store.Key{store.Key(messageKey(refund)), store.Key(messageKey(reversal))}, back},
	} {
		if testing.Short() {
			kind.keys = kind.keys[len(kind.keys)-1:]
		}
		seen, unseen := map[string]bool{}, map[string]bool{}
		for _, key := range kind.keys {
			records := ok(h.stamps().Get(t.Context(), key))(t)
			for _, change := range tampered(t, records[0].Body) {
				h.forge(key, change.body)
				if h.notices() {
					seen[change.path] = true
				} else {
					unseen[change.path] = true
				}
			}
			h.forge(key, records[0].Body)
			h.prove()
		}
		t.Logf("%s: changes of %d fields in %d records were seen", kind.what, len(seen), len(kind.keys))
		for path := range unseen {
			if !slices.Contains(kind.unseen, path) {
				t.Errorf("%s: nobody noticed a change of %s", kind.what, path)
			}
		}
		for _, path := range kind.unseen {
			if !unseen[path] && !testing.Short() {
				t.Errorf("%s: every change of %s was noticed, and it is on the list of those that are not", kind.what, path)
			}
		}
	}
}

// TestTheProofSeesACommitCutInHalf restores, one at a time, each record that a
// settlement and a refund wrote to what it was before, as a backup taken in the
// middle of the commit would.
func TestTheProofSeesACommitCutInHalf(t *testing.T) {
	h, id, sale := visit(t)
	ask := SettleAsk{Message: h.message(hospital), Credential: byQR(h.show(li, id).Digits), Bill: clinicVisit()}
	h.pay(li, 5000, 0)
	for _, c := range []struct {
		what string
		act  func() (Outcome, error)
	}{
		{"settlement", func() (Outcome, error) { return h.Settle(t.Context(), hospital, ask) }},
		{"refund", func() (Outcome, error) {
			return h.Refund(t.Context(), hospital, sale.Settlement.ID, h.message(hospital), []family.Return{{LineNo: 2, Quantity: 10_000}})
		}},
	} {
		before := h.dump()
		ok(c.act())(t)
		h.prove()
		after := h.dump()
		for k, r := range after {
			if before[k] == r {
				continue
			}
			h.restore(k, before[k])
			if !h.notices() {
				t.Errorf("%s: nobody notices that %s %s is as before", c.what, k.Part, k.Sort)
			}
			h.restore(k, r)
		}
		h.prove()
	}
}

// restore makes a record in the file what it was, or takes it out.
func (h *house) restore(k store.Key, r row) {
	h.t.Helper()
	db, err := sql.Open("sqlite", "file:"+h.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	ctx := h.t.Context()
	if _, err = db.ExecContext(ctx, `DELETE FROM records WHERE part = ? AND sort = ?`, k.Part, k.Sort); err == nil && r.Version > 0 {
		_, err = db.ExecContext(ctx, `INSERT INTO records (part, sort, version, body, expires) VALUES (?, ?, ?, ?, ?)`, k.Part, k.Sort, r.Version, []byte(r.Body), r.Expires)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// stamps is the house's store as the house sees it.
func (h *house) stamps() stamped { return stamped{h.store, h.vault} }

// unstamped returns the body of a record in the file without its stamp.
func (h *house) unstamped(k store.Key, r row) string {
	h.t.Helper()
	record := store.Record{Key: k, Version: r.Version, Body: []byte(r.Body)}
	if r.Expires.Valid {
		record.Expires = time.Unix(r.Expires.Int64, 0)
	}
	body := h.stamps().unstamp(record)
	if body == nil {
		h.t.Fatalf("the stamp of %v is not right", k)
	}
	return string(body)
}

// forge changes a record and stamps it, as only who has the keys can.
func (h *house) forge(key store.Key, body []byte) {
	h.t.Helper()
	records := ok(h.store.Get(h.t.Context(), key))(h.t)
	if err := h.stamps().Commit(h.t.Context(), []store.Write{{Key: key, Base: records[0].Version, Body: body, Expires: records[0].Expires}}); err != nil {
		h.t.Fatal(err)
	}
}

// overwrite changes a record behind the house's back.
func (h *house) overwrite(key store.Key, body []byte) {
	h.t.Helper()
	records := ok(h.store.Get(h.t.Context(), key))(h.t)
	if err := h.store.Commit(h.t.Context(), []store.Write{{Key: key, Base: records[0].Version, Body: body}}); err != nil {
		h.t.Fatal(err)
	}
}

// notices tells whether the proof of the day, or of an account, finds a fault or
// says that a record cannot be read.
func (h *house) notices() bool {
	day, err := h.ProveDay(h.t.Context(), today, "")
	if err != nil || len(day.Faults) > 0 {
		return true
	}
	for _, p := range []family.PersonNo{wang, li} {
		proof, err := h.ProveAccount(h.t.Context(), p)
		if err != nil || len(proof.Faults) > 0 {
			return true
		}
	}
	return false
}

// TestEveryChangedFieldIsSeen changes every field of every record of the full
// story in the file, one at a time, then its version, its expiry and its place, and
// wants every reader to be told. No field is left out, and no change is missed.
func TestEveryChangedFieldIsSeen(t *testing.T) {
	h, _ := fullStory(t)
	kindsMet, changes := map[string]bool{}, 0
	var before *store.Key
	for k, r := range h.dump() {
		if known, _ := kindOf(k); kindsMet[known.name] && testing.Short() {
			continue
		} else {
			kindsMet[known.name] = true
		}
		refused := func(what string, r store.Record) {
			t.Helper()
			changes++
			if h.stamps().unstamp(r) != nil {
				t.Errorf("%v: nobody notices %s", k, what)
			}
		}
		record := store.Record{Key: k, Version: r.Version, Body: []byte(r.Body)}
		if r.Expires.Valid {
			record.Expires = time.Unix(r.Expires.Int64, 0)
		}
		for _, change := range tampered(t, record.Body) {
			other := record
			other.Body = change.body
			refused("a change of "+change.path, other)
		}
		other := record
		other.Version++
		refused("another version", other)
		other = record
		other.Expires = record.Expires.Add(time.Second)
		refused("another expiry", other)
		if before != nil {
			other = record
			other.Key = *before
			refused("that it lies under another key", other)
		}
		before = &k
	}
	if len(kindsMet) != len(kinds) {
		t.Errorf("%d kinds of record of %d", len(kindsMet), len(kinds))
	}
	t.Logf("%d changes in %d kinds of record: all seen", changes, len(kindsMet))
}

var (
	timeText  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)
	ratioText = regexp.MustCompile(`^[01]\.\d{4}$`)
)

// tampering is a changed copy of a record's body.
type tampering struct {
	path string // of what was changed; elements of one list share it
	body []byte
}

// tampered returns copies of a JSON body, each with one field changed to another
// value that still decodes, or with one element of a list dropped.
func tampered(t *testing.T, body []byte) []tampering {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		t.Fatal(err)
	}
	var out []tampering
	keep := func(path string) {
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tampering{path, text})
	}
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		change := func(to any) { set(to); keep(path); set(v) }
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(strings.TrimPrefix(path+"."+name, "."), v[name], func(to any) { v[name] = to })
			}
		case []any:
			for i := range v {
				set(slices.Delete(slices.Clone(v), i, i+1))
				keep(path + " (one dropped)")
				set(v)
				walk(path+"[]", v[i], func(to any) { v[i] = to })
			}
		case bool:
			change(!v)
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				t.Fatal(err)
			}
			change(n + 1)
			change(-n - 1)
		case string:
			switch {
			case timeText.MatchString(v):
				change("2025" + v[4:])
			case ratioText.MatchString(v):
				change("0.4321")
			default:
				change(v + "x")
			}
		}
	}
	walk("", root, func(any) {})
	return out
}
