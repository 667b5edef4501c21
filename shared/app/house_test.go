package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers/folder"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/store/storetest"
	"gongji/shared/vault"

	"github.com/google/go-cmp/cmp"
)

// The people of the stories. They are invented, their numbers too.
const (
	li    family.PersonNo = "P1001" // employee; shows codes and pays for the others
	wang  family.PersonNo = "P1002" // employee, his wife
	ming  family.PersonNo = "P1003" // resident, their child of eight
	chen  family.PersonNo = "P1004" // resident, his mother
	lijun family.PersonNo = "P1005" // employee, his sister
	zhou  family.PersonNo = "P1006" // employee, a stranger
)

// The places of the stories.
const (
	hospital family.InstitutionCode = "H43010000001" // 二级, Changsha
	pharmacy family.InstitutionCode = "P43010000002"
	clinic   family.InstitutionCode = "H43010000003" // 无等级: the fund pays residents 70 % here
)

// The goods of the stories, one of each kind that the law tells apart.
const (
	classA  = "XA000001" // 甲
	classB  = "XB000001" // 乙, 10 % first
	ceiling = "XB000002" // 乙, 20 % first, at most 80.00 at a 二级 hospital
	classC  = "XC000001" // 丙
)

// human is what the insurer knows of a person.
type human struct {
	no        family.PersonNo
	name      string
	born      string
	insurance family.Insurance
	card      string
	phone     string
}

const changsha family.Region = "430100"

var cast = []human{
	{li, "李明远", "19850412", family.Insurance{Region: changsha, Insutype: family.Employee, PsnType: "11", Active: true}, "A10000001", "10000000001"},
	{wang, "王秀兰", "19870923", family.Insurance{Region: changsha, Insutype: family.Employee, PsnType: "11", Active: true}, "A10000002", "10000000002"},
	{ming, "李小满", "20180301", family.Insurance{Region: changsha, Insutype: family.Resident, PsnType: "1403", Active: true}, "A10000003", ""},
	{chen, "陈桂芳", "19550619", family.Insurance{Region: changsha, Insutype: family.Resident, PsnType: "1501", Active: true}, "A10000004", ""},
	{lijun, "李静雯", "19881105", family.Insurance{Region: changsha, Insutype: family.Employee, PsnType: "11", Active: true}, "", "10000000005"},
	{zhou, "周远航", "19900707", family.Insurance{Region: changsha, Insutype: family.Employee, PsnType: "11", Active: true}, "", ""},
}

var places = []family.Place{
	{Code: hospital, Name: "测试第二医院", Kind: family.Hospital, Level: "6", Region: "430102", Designated: true},
	{Code: pharmacy, Name: "测试大药房", Kind: family.Pharmacy, Level: "11", Region: "430103", Designated: true},
	{Code: clinic, Name: "测试社区卫生站", Kind: family.Hospital, Level: "11", Region: "430104", Designated: true},
}

var goods = []family.Item{
	{Code: classA, Name: "甲类药", ListType: "101", Class: family.ClassA, From: 20200101},
	{Code: classB, Name: "乙类药", ListType: "101", Class: family.ClassB, SelfPay: map[family.Insutype]family.Ratio{"310": 1000, "390": 1000}, From: 20200101},
	{Code: ceiling, Name: "乙类限价", ListType: "101", Class: family.ClassB, SelfPay: map[family.Insutype]family.Ratio{"310": 2000, "390": 2000}, Ceiling: map[family.Level]family.Fen{"2": 8000}, From: 20200101},
	{Code: classC, Name: "丙类药", ListType: "101", Class: family.ClassC, From: 20200101},
}

// house is an App over a real store with people in it, and a clock and ids that
// the test sets.
type house struct {
	*App
	t     testing.TB
	store store.Store // under the App, without faults
	path  string
	db    *sql.DB // looks at the file beside the store
	shelf *folder.Folder
	clock *clock
	ids   *draws
	sent  *atomic.Int64 // messages
}

// clock is the time of a house.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// noon is when every story begins: 12 March 2026, 12:00 in Changsha.
var noon = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)

const today family.Day = 20260312

// draws is a random source that repeats itself from the same start, so that two
// houses in which the same happened hold the same records.
type draws struct {
	mu sync.Mutex
	n  uint64
}

func (d *draws) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 0; i < len(p); i += sha256.Size {
		d.n++
		sum := sha256.Sum256(fmt.Appendf(nil, "draw %d", d.n))
		copy(p[i:], sum[:])
	}
	return len(p), nil
}

func (d *draws) at() uint64 { d.mu.Lock(); defer d.mu.Unlock(); return d.n }

var policies = sync.OnceValues(policy.Load)

var fixedVault = sync.OnceValues(func() (*vault.Vault, error) {
	keys, err := fixedKeys()
	return vault.New(keys, &draws{}), err
})

func fixedKeys() (vault.Keys, error) {
	return vault.ParseKeys([]byte(`{
  "current": "0000aaaa",
  "seal": {"0000aaaa": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
  "index": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
  "qr": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}`))
}

// dir is a folder of the test's own, in memory where the machine offers that:
// these tests are about the acts, and need not wait for a disk.
func dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "gongji-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// emptyHouse is a house with nobody in it.
func emptyHouse(t testing.TB) *house {
	t.Helper()
	return openHouse(t, filepath.Join(dir(t), "gongji.db"), &clock{now: noon}, &draws{}, new(atomic.Int64))
}

// newHouse is a house that knows the people, the places and the goods, and in
// which everybody's account is empty.
func newHouse(t testing.TB) *house {
	t.Helper()
	furnish.Do(func() {
		h := emptyHouse(t)
		for _, p := range cast {
			h.feed(p)
		}
		for _, p := range places {
			ok(h.FeedPlace(t.Context(), p))(t)
		}
		for _, i := range goods {
			ok(h.FeedItem(t.Context(), i))(t)
		}
		furnished = h.freeze()
	})
	return furnished.thaw(t)
}

// The house that newHouse begins with is furnished once.
var (
	furnish   sync.Once
	furnished frozen
)

func openHouse(t testing.TB, path string, c *clock, ids *draws, sent *atomic.Int64) *house {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.WithClock(c.Now))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: s, path: path, db: db, clock: c, ids: ids, sent: sent}
	h.App = h.over(s)
	t.Cleanup(h.close)
	return h
}

// close closes the house's file; twice is allowed.
func (h *house) close() {
	if err := errors.Join(h.db.Close(), h.store.(io.Closer).Close()); err != nil {
		h.t.Error(err)
	}
}

// over is the house's App over another store, such as a faulty one.
func (h *house) over(s store.Store) *App {
	h.t.Helper()
	set, err := policies()
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := fixedVault()
	if err != nil {
		h.t.Fatal(err)
	}
	shelf := folder.Open(folder.Options{
		Dir: filepath.Join(filepath.Dir(h.path), "papers"), Base: "https://papers.invalid",
		Sign: func(text string) string { return v.Index("upload", text) }, Now: h.clock.Now,
		Refuse: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		},
	})
	a := New(Options{
		Store: s, Policies: set, Vault: v, Papers: shelf, Now: h.clock.Now, Random: h.ids,
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
	})
	shelf.Received = func(ctx context.Context, id string) error { return a.ReceivePaper(ctx, family.MaterialID(id)) }
	h.shelf = shelf
	return a
}

// watched is the house's App over a store that counts calls and can go wrong.
func (h *house) watched() (*App, *storetest.Faulty) {
	f := &storetest.Faulty{Store: h.store}
	return h.over(f), f
}

// freeze closes the house and returns what was in it; thaw opens it again, as
// often as one likes.
func (h *house) freeze() frozen {
	h.t.Helper()
	h.close() // the last to close moves the log into the file
	file, err := os.ReadFile(h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	return frozen{file, h.clock.Now(), h.ids.at(), h.sent.Load()}
}

type frozen struct {
	file []byte
	now  time.Time
	ids  uint64
	sent int64
}

func (f frozen) thaw(t testing.TB) *house {
	t.Helper()
	path := filepath.Join(dir(t), "gongji.db")
	if err := os.WriteFile(path, f.file, 0o600); err != nil {
		t.Fatal(err)
	}
	ids, sent := &draws{n: f.ids}, new(atomic.Int64)
	sent.Store(f.sent)
	return openHouse(t, path, &clock{now: f.now}, ids, sent)
}

// ok takes an act's answer that must not be an error: ok(h.Submit(…))(t).
func ok[A any](answer A, err error) func(testing.TB) A {
	return func(t testing.TB) A {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// refused takes an act's answer that must be a refusal with the code:
// refused(h.Submit(…))(t, family.NotFound).
func refused[A any](_ A, err error) func(testing.TB, family.Code) *family.Refusal {
	return func(t testing.TB, code family.Code) *family.Refusal {
		t.Helper()
		if codeOf(err) != code {
			t.Fatalf("got %v, want the refusal %s", err, code)
		}
		return err.(*family.Refusal)
	}
}

// codeOf returns the code of a refusal, "" of nil and of any other error.
func codeOf(err error) family.Code {
	if refusal, is := err.(*family.Refusal); is {
		return refusal.Code
	}
	return ""
}

// same fails the test unless got is want.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// idNumber makes up an ID number with a fitting check character. No division begins
// with 99, so nobody ever was given one of these.
func idNumber(t testing.TB, area, born, serial string) family.IDNumber {
	t.Helper()
	for _, check := range "0123456789X" {
		if id, err := family.ParseIDNumber(area + born + serial + string(check)); err == nil {
			return id
		}
	}
	t.Fatalf("no ID number begins with %s%s%s", area, born, serial)
	return ""
}

func (h *house) idOf(p family.PersonNo) family.IDNumber {
	h.t.Helper()
	return idNumber(h.t, "990102", h.human(p).born, string(p)[2:])
}

func (h *house) human(p family.PersonNo) human {
	h.t.Helper()
	for _, one := range cast {
		if one.no == p {
			return one
		}
	}
	h.t.Fatalf("nobody is %s", p)
	return human{}
}

func (h *house) feedOf(p human) PersonFeed {
	return PersonFeed{Person: p.no, Name: p.name, ID: idNumber(h.t, "990102", p.born, string(p.no)[2:]), Insurance: p.insurance, Card: p.card, Phone: p.phone}
}

func (h *house) feed(p human) Fed {
	h.t.Helper()
	return ok(h.FeedPerson(h.t.Context(), h.feedOf(p)))(h.t)
}

// pay pays this year's and past years' money into an account, in fen.
func (h *house) pay(p family.PersonNo, current, past family.Fen) {
	h.t.Helper()
	reference := fmt.Sprintf("CR%06d", h.sent.Add(1))
	ok(h.FeedCredit(h.t.Context(), reference, p, family.Pockets{Current: current, Past: past}))(h.t)
}

// forAll is a grant without limits.
func forAll() *family.Terms {
	return &family.Terms{Purposes: []family.Purpose{family.ForCare, family.ForPharmacy}}
}

// ask is what a holder fills in to bind a person of the cast.
func (h *house) ask(member family.PersonNo, r family.Relation, show bool, pay *family.Terms) BindingAsk {
	return BindingAsk{Name: h.human(member).name, ID: h.idOf(member), Relation: r, Show: show, Pay: pay}
}

// request asks for a binding and does no more.
func (h *house) request(holder, member family.PersonNo, r family.Relation, show bool, pay *family.Terms) family.BindingID {
	h.t.Helper()
	return ok(h.RequestBinding(h.t.Context(), holder, h.ask(member, r, show, pay), Once{}))(h.t).Answer.Binding.ID
}

// bind binds through all its steps: asked for, promised, accepted.
func (h *house) bind(holder, member family.PersonNo, r family.Relation, show bool, pay *family.Terms) family.BindingID {
	h.t.Helper()
	id := h.request(holder, member, r, show, pay)
	view := ok(h.Submit(h.t.Context(), holder, id))(h.t)
	if view.Binding.State == family.BindingAwaiting {
		view = ok(h.Accept(h.t.Context(), member, id))(h.t)
	}
	if view.Binding.State != family.BindingActive {
		h.t.Fatalf("the binding is %s", view.Binding.State)
	}
	return id
}

// show issues a code under a binding, or for the presenter himself.
func (h *house) show(presenter family.PersonNo, id family.BindingID) QRView {
	h.t.Helper()
	return ok(h.IssueQR(h.t.Context(), presenter, id, Once{}))(h.t).Answer
}

// message makes a new message id of an institution.
func (h *house) message(place family.InstitutionCode) family.MessageID {
	h.t.Helper()
	sent := h.clock.Now().In(time.FixedZone("", 8*60*60)).Format("20060102150405")
	return ok(family.ParseMessageID(fmt.Sprintf("%s%s%04d", place, sent, h.sent.Add(1))))(h.t)
}

func byQR(digits string) Credential { return Credential{Type: ByQR, Value: digits} }

func (h *house) byID(p family.PersonNo) Credential {
	return Credential{Type: ByID, Value: string(h.idOf(p)), Name: h.human(p).name}
}

// line is one line of a bill: so many whole units of goods at a price in fen.
func line(no int, code string, units int, price family.Fen, boxes ...string) family.Line {
	return family.Line{
		No: no, Code: code, Name: "货品", Quantity: family.Quantity(units) * 10_000, UnitPrice: price,
		Amount: price * family.Fen(units), TraceCodes: boxes,
	}
}

func bill(med family.MedType, lines ...family.Line) family.Bill {
	b := family.Bill{MedType: med, Lines: lines, UseAccount: true}
	for _, l := range lines {
		b.Total += l.Amount
	}
	return b
}

// clinicVisit is the recorded example E9: 525.00 at a 二级 hospital, of which an
// employee of Changsha who comes first in the year bears 351.60, and accounts may
// pay 336.60.
func clinicVisit() family.Bill {
	return bill(family.Outpatient, line(1, classB, 4, 1250), line(2, classA, 1, 38000), line(3, ceiling, 1, 9500))
}

// medicine is a purchase of 甲 goods at a pharmacy, for which no fund pays.
func medicine(price family.Fen, boxes ...string) family.Bill {
	return bill(family.PharmacyBuy, line(1, classA, 1, price, boxes...))
}

// settle settles a bill at a place under a new message id.
func (h *house) settle(place family.InstitutionCode, c Credential, b family.Bill) Outcome {
	h.t.Helper()
	return ok(h.Settle(h.t.Context(), place, SettleAsk{Message: h.message(place), Credential: c, Bill: b}))(h.t)
}

// parts are the amounts of a settlement that a clerk looks at.
type parts struct{ Total, Fund, Own, Shared, Cash family.Fen }

func partsOf(o Outcome) parts {
	p := o.Settlement.Paid
	return parts{p.Total, p.FundPaid, p.OwnPaid, p.SharedPaid, p.CashDue}
}

// reasons are the shares of a settlement: who paid how much, and why no more.
func reasons(o Outcome) []string {
	var out []string
	for _, s := range o.Settlement.Shares {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %v %s", s.Grantor, s.Paid.Total(), s.Reason)))
	}
	return out
}

func (h *house) account(p family.PersonNo) family.Account {
	h.t.Helper()
	return ok(h.Account(h.t.Context(), p))(h.t)
}

func (h *house) balance(p family.PersonNo) family.Fen {
	h.t.Helper()
	return h.account(p).Balance.Total()
}

// row is one record as it lies in the file.
type row struct {
	Version uint64
	Body    string
	Expires sql.NullInt64
}

// dump reads every record out of the file, past the store.
func (h *house) dump() map[store.Key]row {
	h.t.Helper()
	rows, err := h.db.QueryContext(h.t.Context(), `SELECT part, sort, version, body, expires FROM records`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	out := map[store.Key]row{}
	for rows.Next() {
		var k store.Key
		var r row
		if err := rows.Scan(&k.Part, &k.Sort, &r.Version, &r.Body, &r.Expires); err != nil {
			h.t.Fatal(err)
		}
		out[k] = r
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// changed lists the keys whose records differ between two dumps.
func changed(before, after map[store.Key]row) []string {
	var keys []string
	for k, r := range after {
		if k == store.Key(closedKey) {
			continue // no act's: whoever comes to a day first closes it
		}
		if before[k] != r {
			keys = append(keys, k.Part+" "+k.Sort)
		}
	}
	for k := range before {
		if _, found := after[k]; !found {
			keys = append(keys, "gone: "+k.Part+" "+k.Sort)
		}
	}
	slices.Sort(keys)
	return keys
}

// wantNothingMoved fails the test if a record differs from the dump before.
func (h *house) wantNothingMoved(before map[store.Key]row) {
	h.t.Helper()
	if keys := changed(before, h.dump()); len(keys) > 0 {
		h.t.Fatalf("records were written: %q", keys)
	}
}

// prove fails the test unless the proofs of the day and of every account find
// nothing, and the auditor, who shares no code with them, agrees.
func (h *house) prove() {
	h.t.Helper()
	if faults := h.faults(); len(faults) > 0 {
		h.t.Fatalf("the proof of the books found %+v", faults)
	}
	if err := audit(h.dump()); err != nil {
		h.t.Fatalf("the auditor found: %v", err)
	}
}

// faults proves every day that has a message, and every account.
func (h *house) faults() []family.Fault {
	h.t.Helper()
	days, people := map[family.Day]bool{}, map[family.PersonNo]bool{}
	for k := range h.dump() {
		switch {
		case strings.HasPrefix(k.Part, "DAY#"):
			days[ok(family.ParseDay(k.Part[len(k.Part)-8:]))(h.t)] = true
		case strings.HasPrefix(k.Part, "ACCT#"):
			people[family.PersonNo(strings.TrimPrefix(k.Part, "ACCT#"))] = true
		}
	}
	var faults []family.Fault
	for _, day := range slices.Sorted(maps.Keys(days)) {
		proof := ok(h.ProveDay(h.t.Context(), day, ""))(h.t)
		faults = append(faults, proof.Faults...)
		if proof.Next != "" {
			h.t.Fatalf("the proof of %s stopped at %s", day, proof.Next)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(people)) {
		faults = append(faults, ok(h.ProveAccount(h.t.Context(), p))(h.t).Faults...)
	}
	return faults
}

// audit adds up the records by itself: what was paid in less what settlements
// and standing premiums took is what the accounts hold, every settlement's legs sum to zero, and no
// pocket is below zero.
func audit(dump map[store.Key]row) error {
	type pockets struct{ Current, Past int64 }
	var held, credited, legs int64
	for k, r := range dump {
		var body struct {
			Account json.RawMessage
			Amount  *pockets
			// of a message
			Settlement *struct {
				Legs []struct {
					Party string
					Delta pockets
				}
			}
			Premium struct {
				Payments []struct {
					Paid    pockets
					BackSeq int
				}
			}
		}
		switch k.Part[:4] {
		case "ACCT", "CRED", "DAY#", "PREM":
			if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
				return err
			}
		}
		switch {
		case strings.HasPrefix(k.Part, "ACCT#") && k.Sort == "A":
			var account struct{ Balance pockets }
			if err := json.Unmarshal(body.Account, &account); err != nil {
				return err
			}
			if account.Balance.Current < 0 || account.Balance.Past < 0 {
				return fmt.Errorf("%s holds %+v", k.Part, account.Balance)
			}
			held += account.Balance.Current + account.Balance.Past
		case strings.HasPrefix(k.Part, "CREDIT#"):
			credited += body.Amount.Current + body.Amount.Past
		case strings.HasPrefix(k.Part, "PREMIUM#"):
			for _, p := range body.Premium.Payments {
				if p.BackSeq == 0 {
					legs -= p.Paid.Current + p.Paid.Past
				}
			}
		case strings.HasPrefix(k.Part, "DAY#") && body.Settlement != nil:
			var sum int64
			for _, leg := range body.Settlement.Legs {
				sum += leg.Delta.Current + leg.Delta.Past
				if leg.Party == "account" {
					legs += leg.Delta.Current + leg.Delta.Past
				}
			}
			if sum != 0 {
				return fmt.Errorf("the legs of %s sum to %d", k.Sort, sum)
			}
		}
	}
	if held != credited+legs {
		return fmt.Errorf("accounts hold %d, but %d was paid in and settlements moved %d", held, credited, legs)
	}
	return nil
}

// files returns the bytes of the database and of its log.
func (h *house) files() []byte {
	h.t.Helper()
	var all bytes.Buffer
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(h.path + suffix)
		if err != nil {
			h.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.Bytes()
}

// together runs n functions at once and waits for all.
func together(n int, run func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			run(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}
