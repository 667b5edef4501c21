package api

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/policy"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The people and places of the tests. All are made up.
const (
	issuer   = "https://issuer.test"
	audience = "gongji"

	mother      = "430100000001" // in work, Changsha
	father      = "430100000002"
	child       = "430100000003" // eight years old
	stranger    = "430100000009"
	hospital    = "H43010000001"
	pharmacy    = "P43010000002"
	otherPlace  = "H43010000003"
	motherID    = "430102198503070022"
	childID     = "430102201801150017"
	fatherID    = "430102198206110032"
	strangerID  = "430102197001010017"
	motherName  = "王小芳"
	childName   = "李小乐"
	startOfTest = "2026-11-21T02:00:00Z"
)

// signingKey signs the tests' tokens; making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// house is the whole door over a real store, with a clock that the test moves.
type house struct {
	t       *testing.T
	handler http.Handler
	door    *door
	app     *app.App
	mu      sync.Mutex
	now     time.Time
	serial  int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	start, err := time.Parse(time.RFC3339, startOfTest)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, now: start}
	h.app = app.New(app.Options{Store: store, Policies: policies, Vault: vault.New(keys, rand.Reader), Now: h.clock})
	verifier := NewVerifier(issuer, audience, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{signingKey().Public()}}, h.clock)
	h.handler, h.door = build(Options{App: h.app, Verifier: verifier})
	return h
}

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

// token signs a token with claims beside the usual ones.
func (h *house) token(claims map[string]any) string {
	h.t.Helper()
	all := map[string]any{"iss": issuer, "aud": audience, "sub": "test", "iat": h.clock().Unix(), "exp": h.clock().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: signingKey()}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

func (h *house) person(no string) string  { return h.token(map[string]any{"person_no": no}) }
func (h *house) place(code string) string { return h.token(map[string]any{"fixmedins_code": code}) }
func (h *house) operator() string         { return h.token(map[string]any{"roles": []string{"operator"}}) }

// reply is an answer of the door.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, r.body)
	}
	return v
}

// ask sends a request; a body that is a string goes as it is, any other as JSON.
func (h *house) ask(token, method, path string, body any, headers ...string) reply {
	h.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r := httptest.NewRequest(method, path, reader)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
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

// settled the scene: feed the people, the places, the goods and the mother's money.
func (h *house) feed() {
	h.t.Helper()
	op := h.operator()
	for _, p := range [][3]string{{mother, motherName, motherID}, {father, "李大山", fatherID}, {child, childName, childID}, {stranger, "陈一二", strangerID}} {
		insutype, psn := "310", "11"
		if p[0] == child {
			insutype, psn = "390", "1403"
		}
		h.must(201, op, "POST", "/v1/persons", map[string]any{"person_no": p[0], "name": p[1], "id_no": p[2], "region": "430100", "insutype": insutype, "psn_type": psn, "status": "1", "card_no": "C" + p[0]})
	}
	for _, code := range []string{hospital, pharmacy, otherPlace} {
		kind, level := "hospital", "5"
		if code[0] == 'P' {
			kind, level = "pharmacy", "11"
		}
		h.must(201, op, "POST", "/v1/institutions", map[string]any{"code": code, "name": "演示" + code, "kind": kind, "level": level, "region": "430100", "status": "designated"})
	}
	for code, class := range map[string]string{"A1": "A", "B1": "B", "B2": "B", "C1": "C"} {
		item := map[string]any{"code": code, "name": "药品" + code, "list_type": "101", "class": class, "effective_from": "20260101"}
		if code == "B1" {
			item["self_pay_ratio"] = map[string]string{"310": "0.1000", "390": "0.1000"}
		}
		if code == "B2" {
			item["self_pay_ratio"] = map[string]string{"310": "0.2000", "390": "0.2000"}
			item["ceiling_fen"] = map[string]int{"5": 8000}
		}
		h.must(201, op, "POST", "/v1/catalogue", item)
	}
	h.must(201, op, "POST", "/v1/credits", map[string]any{"reference": "2026-01-" + mother, "person_no": mother, "amount_fen": 50000, "pocket": "current"})
}

// bind binds a member to a holder, both switches on, and returns the binding.
func (h *house) bind(holder, name, id, relation string) string {
	h.t.Helper()
	b := h.must(201, h.person(holder), "POST", "/v1/bindings", map[string]any{
		"name": name, "id_no": id, "relation": relation, "show": true, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
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
