package api

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/papers/folder"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/store/storetest"
	"gongji/shared/vault"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The people and places of the tests. All are made up.
const (
	issuer   = "https://issuer.test"
	audience = "gongji"

	mother   = "430100000001" // in work, Changsha
	father   = "430100000002"
	child    = "430100000003" // eight years old
	granny   = "430200000005" // a resident of Zhuzhou, where people choose the order of their grantors
	stranger = "430100000009"
	kapok    = "440100000001" // in work, Canton, where papers are reviewed
	husband  = "440100000002" // hers

	hospital   = "H43010000001" // 二级
	pharmacy   = "P43010000002"
	otherPlace = "H43010000003"
	clinic     = "H43010000004" // 无等级

	startOfTest = "2026-11-21T02:00:00Z"
)

// human is what the insurer knows of a person.
type human struct{ no, name, id, region, insutype, psnType string }

var cast = []human{
	{mother, "王小芳", "430102198503070022", "430100", "310", "11"},
	{father, "李大山", "430102198206110032", "430100", "310", "11"},
	{child, "李小乐", "430102201801150017", "430100", "390", "1403"},
	{granny, "周玉兰", "430202195506190021", "430200", "390", "1501"},
	{stranger, "陈一二", "430102197001010017", "430100", "310", "11"},
	{kapok, "梁红棉", "440102198004050029", "440100", "310", "11"},
	{husband, "何西关", "440102197906060037", "440100", "310", "11"},
}

// the returns what the insurer knows of one.
func the(person string) human {
	return cast[slices.IndexFunc(cast, func(p human) bool { return p.no == person })]
}

func (p human) card() string { return "C" + p.no }

func (p human) wire() map[string]any {
	return map[string]any{
		"person_no": p.no, "name": p.name, "id_no": p.id, "region": p.region, "insutype": p.insutype, "psn_type": p.psnType,
		"status": "1", "card_no": p.card(), "phone": "13900000000",
	}
}

var places = []map[string]any{
	{"code": hospital, "name": "演示第二医院", "kind": "hospital", "level": "5", "region": "430100", "status": "designated"},
	{"code": pharmacy, "name": "演示大药房", "kind": "pharmacy", "level": "11", "region": "430100", "status": "designated"},
	{"code": otherPlace, "name": "演示第三医院", "kind": "hospital", "level": "5", "region": "430100", "status": "designated"},
	{"code": clinic, "name": "演示社区卫生站", "kind": "hospital", "level": "11", "region": "430100", "status": "designated"},
}

var tenPercent = map[string]string{"310": "0.1000", "390": "0.1000"}

var goods = []map[string]any{
	{"code": "A1", "name": "甲类药", "list_type": "101", "class": "A", "effective_from": "20260101"},
	{"code": "B1", "name": "乙类药", "list_type": "101", "class": "B", "self_pay_ratio": tenPercent, "effective_from": "20260101"},
	{"code": "B2", "name": "乙类限价药", "list_type": "101", "class": "B", "self_pay_ratio": map[string]string{"310": "0.2000", "390": "0.2000"}, "ceiling_fen": map[string]int{"5": 8000}, "effective_from": "20260101"},
	{"code": "C1", "name": "丙类药", "list_type": "101", "class": "C", "effective_from": "20260101"},
}

// signingKey signs the tests' tokens; making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var policies = sync.OnceValues(policy.Load)

// keyDocument holds the keys of every house of the tests, so that the same story
// has the same codes each time. They open nothing but the tests' own files.
const keyDocument = `{
  "current": "0000aaaa",
  "seal": {"0000aaaa": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
  "index": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
  "qr": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}`

// asking are the policies as they are, but that in Changsha brothers and sisters
// are asked before their account pays for one another.
type asking struct{ *policy.Set }

// For implements app.Policies.
func (a asking) For(region family.Region, day family.Day) *family.Policy {
	p := *a.Set.For(region, day)
	if p.Region == "430100" {
		p.Grants.ConfirmAbove = map[family.Kin]family.Fen{family.Sibling: 0}
	}
	return &p
}

// draws is a random source that repeats itself from the same start.
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

// house is the whole door over a real store that can go wrong by plan, with a
// clock that the test moves and ids that repeat themselves.
type house struct {
	t       testing.TB
	handler http.Handler
	door    *door
	app     *app.App
	store   *storetest.Faulty
	shelf   *folder.Folder
	vault   *vault.Vault
	path    string  // of the store's file
	db      *sql.DB // looks at the file, past the store
	ids     *draws
	log     *bytes.Buffer // what the door told its log
	mu      sync.Mutex
	now     time.Time
	serial  int
}

// newHouse is a house with nobody in it.
func newHouse(t testing.TB) *house {
	t.Helper()
	start, err := time.Parse(time.RFC3339, startOfTest)
	if err != nil {
		t.Fatal(err)
	}
	return openHouse(t, filepath.Join(t.TempDir(), "gongji.db"), snapshot{now: start})
}

func openHouse(t testing.TB, path string, s snapshot) *house {
	t.Helper()
	h := &house{t: t, path: path, ids: &draws{n: s.ids}, log: &bytes.Buffer{}, now: s.now, serial: s.serial}
	file, err := sqlite.Open(t.Context(), path, sqlite.WithClock(h.clock))
	if err != nil {
		t.Fatal(err)
	}
	if h.db, err = sql.Open("sqlite", "file:"+path+"?mode=rw"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(h.db.Close(), file.Close()); err != nil {
			t.Error(err)
		}
	})
	h.store = &storetest.Faulty{Store: file}
	set, err := policies()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.ParseKeys([]byte(keyDocument))
	if err != nil {
		t.Fatal(err)
	}
	shelf := folder.Open(folder.Options{
		Dir: filepath.Join(filepath.Dir(path), "papers"), Base: "https://papers.invalid", Sign: func(text string) string { return h.vault.Index("upload", text) }, Now: h.clock,
		Refuse: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		},
	})
	h.shelf, h.vault = shelf, vault.New(keys, &draws{n: 1 << 32})
	shelf.Received = func(ctx context.Context, id string) error { return h.app.ReceivePaper(ctx, family.MaterialID(id)) }
	h.app = app.New(app.Options{
		Store: h.store, Policies: asking{set}, Vault: h.vault, Papers: shelf, Now: h.clock, Random: h.ids,
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
	})
	verifier := NewVerifier(issuer, audience, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{signingKey().Public()}}, h.clock)
	h.handler, h.door = build(Options{
		App: h.app, Verifier: verifier, Log: slog.New(slog.NewTextHandler(h.log, nil)), WaitUntil: func(context.Context, time.Time) {},
	})
	return h
}

// snapshot is a house at rest; open it as often as one likes.
type snapshot struct {
	file   []byte
	papers string // the folder
	now    time.Time
	ids    uint64
	serial int
}

// freeze returns what is in the house now.
func (h *house) freeze() snapshot {
	h.t.Helper()
	copied := filepath.Join(h.t.TempDir(), "copy.db")
	if _, err := h.db.ExecContext(h.t.Context(), "VACUUM INTO ?", copied); err != nil {
		h.t.Fatal(err)
	}
	file, err := os.ReadFile(copied)
	if err != nil {
		h.t.Fatal(err)
	}
	return snapshot{file, filepath.Join(filepath.Dir(h.path), "papers"), h.clock(), h.ids.n, h.serial}
}

func (s snapshot) open(t testing.TB) *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gongji.db")
	if err := os.WriteFile(path, s.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return openHouse(t, path, s)
}

// fed is a house that knows the people, the places and the goods; feeding it
// takes a while.
var fed struct {
	once sync.Once
	at   snapshot
}

// fedHouse is a house that knows the people, the places and the goods, with the
// mother's money in her account.
func fedHouse(t testing.TB) *house {
	t.Helper()
	fed.once.Do(func() {
		h := newHouse(t)
		h.feed()
		fed.at = h.freeze()
	})
	if fed.at.file == nil {
		t.Fatal("the first house could not be fed")
	}
	return fed.at.open(t)
}

// records reads every record out of the file, past the store.
func (h *house) records() map[store.Key]string {
	h.t.Helper()
	rows, err := h.db.QueryContext(h.t.Context(), "SELECT part, sort, version, body FROM records")
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	all := map[store.Key]string{}
	for rows.Next() {
		var key store.Key
		var version int
		var body string
		if err := rows.Scan(&key.Part, &key.Sort, &version, &body); err != nil {
			h.t.Fatal(err)
		}
		all[key] = fmt.Sprint(version, " ", body)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// commits counts the commits that were tried.
func (h *house) commits() int { return h.store.Calls(storetest.Commit) }

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// claims are those of a good token with others beside or instead; nil takes one
// away.
func (h *house) claims(others map[string]any) map[string]any {
	all := map[string]any{"iss": issuer, "aud": audience, "sub": "test", "iat": h.clock().Unix(), "exp": h.clock().Add(time.Hour).Unix()}
	for name, value := range others {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// tokens keeps every good token by its claims, as signing takes a while.
var tokens sync.Map

// token signs a token with claims beside the usual ones.
func (h *house) token(claims map[string]any) string {
	h.t.Helper()
	all := h.claims(claims)
	name := fmt.Sprintf("%#v", all)
	if known, found := tokens.Load(name); found {
		return known.(string)
	}
	token := sign(h.t, jose.RS256, signingKey(), all)
	tokens.Store(name, token)
	return token
}

func sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (h *house) person(no string) string     { return h.token(map[string]any{"person_no": no}) }
func (h *house) place(code string) string    { return h.token(map[string]any{"fixmedins_code": code}) }
func (h *house) role(roles ...string) string { return h.token(map[string]any{"roles": roles}) }
func (h *house) operator() string            { return h.role("operator") }

// reply is an answer of the door.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, r.body)
	}
	return v
}

// ask sends a request and holds the answer against the document. A body that is a
// string goes as it is, any other as JSON.
func (h *house) ask(token, method, path string, body any, headers ...string) reply {
	h.t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	default:
		var err error
		if sent, err = json.Marshal(b); err != nil {
			h.t.Fatal(err)
		}
	}
	contentType := "application/json"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Content-Type" {
			contentType = headers[i+1]
		}
	}
	r := h.send(token, method, path, sent, headers...)
	h.hold(method, path, contentType, sent, r)
	return r
}

// send sends a request. A header that is empty is not sent.
func (h *house) send(token, method, path string, sent []byte, headers ...string) reply {
	h.t.Helper()
	var reader io.Reader
	if sent != nil {
		reader = bytes.NewReader(sent)
	}
	r := httptest.NewRequest(method, path, reader)
	if sent != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.Bytes()}
}

// must sends a request that has to end with a status.
func (h *house) must(status int, token, method, path string, body any) map[string]any {
	h.t.Helper()
	r := h.ask(token, method, path, body)
	if r.status != status {
		h.t.Fatalf("%s %s: %d, not %d\n%s", method, path, r.status, status, r.body)
	}
	if len(r.body) == 0 {
		return nil
	}
	return r.json(h.t)
}

// town feeds the people, the places and the goods.
func (h *house) town() {
	h.t.Helper()
	op := h.operator()
	for _, p := range cast {
		h.must(201, op, "POST", "/v1/persons", p.wire())
	}
	for _, p := range places {
		h.must(201, op, "POST", "/v1/institutions", p)
	}
	for _, g := range goods {
		h.must(201, op, "POST", "/v1/catalogue", g)
	}
}

// feed feeds the town and the mother's money.
func (h *house) feed() {
	h.t.Helper()
	h.town()
	h.credit(mother, 50000)
}

// credit pays money into an account.
func (h *house) credit(person string, fen int) {
	h.t.Helper()
	h.serial++
	h.must(201, h.operator(), "POST", "/v1/credits", map[string]any{"reference": fmt.Sprintf("2026-%04d", h.serial), "person_no": person, "amount_fen": fen, "pocket": "current"})
}

// bind binds a member to a holder, both switches on, and returns the binding.
func (h *house) bind(holder, member, relation string) string {
	h.t.Helper()
	b := h.must(201, h.person(holder), "POST", "/v1/bindings", map[string]any{
		"name": the(member).name, "id_no": the(member).id, "relation": relation, "show": true, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
	})
	binding := b["binding_id"].(string)
	h.must(200, h.person(holder), "POST", "/v1/bindings/"+binding+"/submit", map[string]any{"commitment": true})
	return binding
}

// messageID returns a new message id of an institution.
func (h *house) messageID(place string) string {
	h.serial++
	return place + h.clock().In(time.FixedZone("", 8*3600)).Format("20060102150405") + fmt.Sprintf("%04d", h.serial)
}

// cardBill is a bill of 1.00 yuan by somebody's card.
func cardBill(message string, person human) map[string]any {
	return map[string]any{
		"message_id": message, "credential": map[string]any{"type": "card", "value": person.card()}, "med_type": "11", "total_fen": 100,
		"lines": []map[string]any{{"line_no": 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 100, "amount_fen": 100}},
	}
}

// bill is E9 of the trade's worked examples: 525.00 yuan at a 二级 hospital.
func bill(message, digits string) map[string]any {
	return map[string]any{
		"message_id": message, "credential": map[string]any{"type": "qr", "value": digits}, "med_type": "11", "total_fen": 52500,
		"lines": []map[string]any{
			{"line_no": 1, "code": "B1", "name": "乙一", "quantity": "4", "unit_price_fen": 1250, "amount_fen": 5000},
			{"line_no": 2, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 38000, "amount_fen": 38000},
			{"line_no": 3, "code": "B2", "name": "乙二", "quantity": "1", "unit_price_fen": 9500, "amount_fen": 9500},
		},
		"use_account": true,
	}
}
