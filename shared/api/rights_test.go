package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Who may do what: every route × every kind of caller × an object that is there,
// one that is not, and what is no name of one.

// callers are all who ask, and the claims of their tokens.
var callers = map[string]map[string]any{
	"nobody":     nil,
	"garbage":    nil, // has a token that nobody signed
	"mother":     {"person_no": mother},
	"father":     {"person_no": father},
	"stranger":   {"person_no": stranger},
	"hospital":   {"fixmedins_code": hospital},
	"otherPlace": {"fixmedins_code": otherPlace},
	"operator":   {"roles": []string{"operator"}},
	"auditor":    {"roles": []string{"auditor"}},
	"reviewer":   {"roles": []string{"reviewer"}},
	"kindless":   {},
	"several":    {"sub": "several", "person_no": stranger, "fixmedins_code": otherPlace, "roles": []string{"reviewer", "operator"}},
}

// serves lists the callers whom a kind of route serves, whatever they ask for.
var serves = map[string][]string{
	"everybody":             slices.Sorted(maps.Keys(callers)),
	"person":                {"mother", "father", "stranger", "several"},
	"institution":           {"hospital", "otherPlace", "several"},
	"person or institution": {"mother", "father", "stranger", "hospital", "otherPlace", "several"},
	"operator":              {"operator", "several"},
	"operator or auditor":   {"operator", "auditor", "several"},
	"operator or reviewer":  {"operator", "reviewer", "several"},
	"person, institution, operator or auditor": {"mother", "father", "stranger", "hospital", "otherPlace", "operator", "auditor", "several"},
}

// scene is a house in the middle of things, and the names of what is in it:
// the mother holds a binding with the father, shows his code and pays for him.
type scene struct {
	snapshot
	bound   string // mother → father, active
	draft   string // mother → child, not yet submitted
	asked   string // father → mother, waits for her
	chosen  string // mother → granny, active; granny may put her grantors in order
	shown   string // token of the mother for the father
	sale    string // the hospital's settlement: the father's care, the mother's money
	refused string // a message of the hospital that was refused
	review  string // kapok → husband, waits for a reviewer
	served  string // granny's daughter, the stranger → granny, filled in at the counter
	paper   string // one of its papers
	premium string // of the mother, paid by herself; the father owes one too, which she may pay
	waiting string // a message of the hospital that waits for the father's word: his sister's care
}

var theScene = struct {
	once sync.Once
	scene
}{}

func (h *house) request(holder, member, relation string) string {
	h.t.Helper()
	return h.must(201, h.person(holder), "POST", "/v1/bindings", map[string]any{
		"name": the(member).name, "id_no": the(member).id, "relation": relation, "show": true, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
	})["binding_id"].(string)
}

func (h *house) submit(holder, binding string) {
	h.t.Helper()
	h.must(200, h.person(holder), "POST", "/v1/bindings/"+binding+"/submit", map[string]any{"commitment": true})
}

// upload announces a paper and sends it through its door.
func (h *house) upload(holder, binding, kind string, file []byte) (material string) {
	h.t.Helper()
	return h.uploadBy(h.person(holder), "/v1", binding, kind, "image/png", file)
}

// uploadBy is upload by whoever has the token, under the paths that begin so.
func (h *house) uploadBy(token, under, binding, kind, contentType string, file []byte) (material string) {
	h.t.Helper()
	sum := sha256.Sum256(file)
	answer := h.must(201, token, "POST", under+"/bindings/"+binding+"/materials", map[string]any{
		"kind": kind, "content_type": contentType, "size": len(file), "sha256": hex.EncodeToString(sum[:]),
	})
	door := answer["upload"].(map[string]any)
	r := httptest.NewRequest(door["method"].(string), door["url"].(string), bytes.NewReader(file))
	for name, value := range door["headers"].(map[string]any) {
		r.Header.Set(name, value.(string))
	}
	w := httptest.NewRecorder()
	h.shelf.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		h.t.Fatalf("the upload of %s: %d %s", kind, w.Code, w.Body)
	}
	return answer["material_id"].(string)
}

// scan is a picture of one shade.
func scan(t testing.TB, shade uint8) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range picture.Pix {
		picture.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// inReview brings kapok's binding with her husband before the reviewers.
func (h *house) inReview() (binding, paper string) {
	h.t.Helper()
	binding = h.request(kapok, husband, "11")
	for i, kind := range []string{"id_card", "household_register", "commitment_letter"} {
		paper = h.upload(kapok, binding, kind, scan(h.t, uint8(i)))
	}
	h.submit(kapok, binding)
	h.must(200, h.person(husband), "POST", "/v1/bindings/"+binding+"/accept", nil)
	return binding, paper
}

func sceneOf(t testing.TB) scene {
	t.Helper()
	s := &theScene.scene
	theScene.once.Do(func() {
		h := fedHouse(t)
		s.bound = h.request(mother, father, "11")
		h.submit(mother, s.bound)
		h.must(200, h.person(father), "POST", "/v1/bindings/"+s.bound+"/accept", nil)
		s.draft = h.request(mother, child, "30")
		s.asked = h.request(father, mother, "12")
		h.submit(father, s.asked)
		s.chosen = h.request(mother, granny, "52")
		h.submit(mother, s.chosen)
		h.must(200, h.person(granny), "POST", "/v1/bindings/"+s.chosen+"/accept", nil)
		s.sale, s.refused = h.messageID(hospital), h.messageID(hospital)
		qr := h.must(201, h.person(mother), "POST", "/v1/qr", map[string]any{"binding_id": s.bound})
		h.must(201, h.place(hospital), "POST", "/v1/settlements", bill(s.sale, qr["digits"].(string)))
		h.must(410, h.place(hospital), "POST", "/v1/settlements", bill(s.refused, qr["digits"].(string)))
		s.waiting = h.messageID(hospital)
		h.must(201, h.operator(), "POST", "/v1/persons", aunt.wire())
		h.credit(father, 100)
		sister := h.must(201, h.person(father), "POST", "/v1/bindings", map[string]any{
			"name": aunt.name, "id_no": aunt.id, "relation": "77", "show": false, "pay": map[string]any{"purposes": []string{"care"}},
		})["binding_id"].(string)
		h.submit(father, sister)
		h.must(200, h.person(aunt.no), "POST", "/v1/bindings/"+sister+"/accept", nil)
		h.must(202, h.place(hospital), "POST", "/v1/settlements", cardBill(s.waiting, aunt))
		s.shown = h.must(201, h.person(mother), "POST", "/v1/qr", map[string]any{"binding_id": s.bound})["token_id"].(string)
		s.review, s.paper = h.inReview()
		h.must(200, h.person(mother), "PATCH", "/v1/bindings/"+s.bound, map[string]any{"pay": map[string]any{"purposes": []string{"care", "pharmacy", "premium"}}})
		for _, who := range []string{mother, father} {
			h.must(201, h.operator(), "POST", "/v1/dues", map[string]any{"person_no": who, "kind": "resident", "year": 2027, "amount_fen": 1, "from": "20260101", "to": "20270101"})
		}
		s.premium = h.must(201, h.person(mother), "POST", "/v1/premiums", map[string]any{"kind": "resident", "year": 2027, "amount_fen": 1})["premium_id"].(string)
		s.served = h.must(201, h.token(callers["operator"]), "POST", "/v1/counter/bindings", map[string]any{
			"holder": map[string]any{"name": the(stranger).name, "id_no": the(stranger).id}, "member": map[string]any{"name": the(granny).name, "id_no": the(granny).id},
			"relation": "52", "show": true,
		})["binding_id"].(string)
		h.must(201, h.token(map[string]any{"sub": "who-proposes", "roles": []string{"operator"}}), "POST", "/v1/adjustments", map[string]any{
			"reference": "PROPOSED", "person_no": mother, "amount_fen": -1, "pocket": "current", "reason": "wrong_amount",
		})
		s.snapshot = h.freeze()
	})
	if s.file == nil {
		t.Fatal("the scene could not be set")
	}
	return *s
}

// right is a route's row: whom it serves, what they ask for, and what each hears.
// An answer is a status, and the code when it is an error.
type right struct {
	serves string
	// there is the object of the scene that is asked for; it stands where the
	// path has a parameter, or where the body has "ID".
	there func(scene) string
	// missing are names of objects that are not there, malformed what is no name.
	missing, malformed []string
	query              string
	body               any
	// want is the answer to each whom the route serves, for the object that is
	// there; the others hear 401 or 403, whatever they ask for.
	want map[string]string
	// gone and bad are the answers to all whom the route serves.
	gone, bad string
}

var (
	manyBindings = []string{"01KAJ3Z8F0ZZZZZZZZZZZZZZZZ", "01kaj3z8f0zzzzzzzzzzzzzzzz"}
	noBindings   = []string{"x", "%00", "%ff%fe", "%2e%2e%2fme", strings.Repeat("B", 64), "' OR 1=1 --"}
	noSale       = []string{hospital + "202611211000009999", otherPlace + "202611211000009999"}
	notASale     = []string{"x", hospital, "H4301000000120261321100000" + "0001", "%00", "漢字"}
	nobody       = []string{"430100999999"}
	notAPerson   = []string{"no-one", "%00", "漢"}
	nowhere      = []string{"H99999999999"}
	notAPlace    = []string{"X43010000001", "H4301", "%20"}
	notADay      = []string{"20261301", "2026-11-21", "0", "%00", "202611210"}
)

func (s scene) boundBinding() string  { return s.bound }
func (s scene) askedBinding() string  { return s.asked }
func (s scene) draftBinding() string  { return s.draft }
func (s scene) reviewed() string      { return s.review }
func (s scene) servedBinding() string { return s.served }
func (s scene) aPaper() string        { return s.paper }
func (s scene) shownToken() string    { return s.shown }
func (s scene) settledSale() string   { return s.sale }
func (s scene) waitingSale() string   { return s.waiting }
func (s scene) paidPremium() string   { return s.premium }
func today(scene) string              { return "20261121" }

// notFound is what a person hears of a binding, a code or a receipt that is not his.
const notFound = "404 not_found"

var rights = map[string]right{
	"GET /healthz":      {serves: "everybody", want: all("200")},
	"GET /openapi.json": {serves: "everybody", want: all("200")},

	"GET /v1/me":              {serves: "person", want: persons("200")},
	"GET /v1/account":         {serves: "person", want: persons("200")},
	"GET /v1/account/entries": {serves: "person", want: persons("200")},
	"GET /v1/settlements":     {serves: "person", want: persons("200")},
	"GET /v1/bindings":        {serves: "person", want: persons("200")},
	"POST /v1/bindings": {
		serves: "person", body: map[string]any{"name": the(child).name, "id_no": the(child).id, "relation": "30", "show": true},
		want: map[string]string{"mother": "422 already_bound", "father": "201", "stranger": "201", "several": "201"},
	},
	"PUT /v1/me/grant-order": {
		serves: "person", body: `{"order":["ID"]}`, there: scene.boundBinding, missing: manyBindings, malformed: []string{"x", ""},
		want: map[string]string{"mother": "400 malformed", "father": "409 state_forbids", "stranger": "400 malformed", "several": "400 malformed"},
		gone: "400 malformed", bad: "400 malformed",
	},

	"GET /v1/bindings/{binding_id}": {
		serves: "person", there: scene.boundBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"PATCH /v1/bindings/{binding_id}": {
		serves: "person", body: `{"paused":true}`, there: scene.boundBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"DELETE /v1/bindings/{binding_id}": {
		serves: "person", there: scene.boundBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/bindings/{binding_id}/submit": {
		serves: "person", body: `{"commitment":true}`, there: scene.askedBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "403 not_permitted", "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/bindings/{binding_id}/accept": {
		serves: "person", there: scene.askedBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "403 not_permitted", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/bindings/{binding_id}/decline": {
		serves: "person", there: scene.askedBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "403 not_permitted", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},

	"POST /v1/bindings/{binding_id}/materials": {
		serves: "person", body: `{"kind":"id_card","content_type":"image/png","size":1,"sha256":"` + strings.Repeat("0", 64) + `"}`,
		there: scene.draftBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "201", "father": notFound, "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"GET /v1/bindings/{binding_id}/history": {
		serves: "person", there: scene.boundBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"mother": "200", "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},

	"POST /v1/counter/bindings": {
		serves: "operator", body: map[string]any{
			"holder": map[string]any{"name": the(stranger).name, "id_no": the(stranger).id}, "member": map[string]any{"name": the(father).name, "id_no": the(father).id},
			"relation": "71", "show": true,
		},
		// Nobody serves himself.
		want: map[string]string{"operator": "201", "several": "403 not_permitted"},
	},
	"POST /v1/counter/searches":                        {serves: "operator", body: map[string]any{"name": the(father).name, "id_no": the(father).id}, want: operators("200")},
	"GET /v1/counter/bindings/{binding_id}":            servedOnly(nil, "200"),
	"POST /v1/counter/bindings/{binding_id}/materials": servedOnly(`{"kind":"id_card","content_type":"image/png","size":1,"sha256":"`+strings.Repeat("0", 64)+`"}`, "201"),
	"POST /v1/counter/bindings/{binding_id}/submit":    servedOnly(`{"signed":true}`, "422 paper_missing"),
	"POST /v1/counter/bindings/{binding_id}/accept":    servedOnly(`{"signed":true}`, "409 state_forbids"),
	// Any operator ends what a side wants ended, who is named by both factors.
	"POST /v1/counter/bindings/{binding_id}/end": {
		serves: "operator", body: map[string]any{"name": the(father).name, "id_no": the(father).id}, there: scene.boundBinding, missing: manyBindings, malformed: noBindings,
		want: operators("200"), gone: notFound, bad: notFound,
	},

	"GET /v1/notices":                       {serves: "person", want: persons("200")},
	"POST /v1/sweeps":                       {serves: "operator", want: operators("200")},
	"GET /v1/reviews":                       {serves: "operator or reviewer", want: reviewers("200")},
	"GET /v1/reviews/{binding_id}":          reviewedOnly(nil, "200"),
	"POST /v1/reviews/{binding_id}/claim":   reviewedOnly(nil, "200"),
	"POST /v1/reviews/{binding_id}/release": reviewedOnly(nil, "200"),
	"POST /v1/reviews/{binding_id}/approve": reviewedOnly(`{}`, "200"),
	"POST /v1/reviews/{binding_id}/reject":  reviewedOnly(`{"reason":"照片看不清"}`, "200"),
	"POST /v1/reviews/{binding_id}/clarify": reviewedOnly(`{"kind":"marriage_certificate","reason":"缺配偶页"}`, "200"),
	// Without its door there is no paper.
	"GET /v1/papers/{material_id}": {
		serves: "operator or reviewer", there: scene.aPaper, missing: manyBindings, malformed: []string{"x", "%00"},
		want: reviewers(notFound), gone: notFound, bad: notFound,
	},
	"POST /v1/registry": {serves: "operator", body: map[string]any{"id_no": the(child).id, "name": the(child).name, "status": "alive"}, want: operators("201")},

	"POST /v1/qr": {
		serves: "person", body: `{"binding_id":"ID"}`, there: scene.boundBinding, missing: manyBindings, malformed: []string{"x", "漢字", strings.Repeat("B", 64)},
		want: map[string]string{"mother": "201", "father": notFound, "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/checks": {
		serves: "person", there: scene.boundBinding, missing: manyBindings, malformed: []string{"x", "漢字", strings.Repeat("B", 64)},
		body: `{"binding_id":"ID","institution_code":"` + hospital + `","med_type":"11","lines":[{"line_no":1,"code":"A1","name":"甲","quantity":"1","unit_price_fen":100,"amount_fen":100}]}`,
		want: map[string]string{"mother": "200", "father": notFound, "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"GET /v1/qr/{token_id}":             shownOnly,
	"GET /v1/qr/{token_id}/image.svg":   shownOnly,
	"GET /v1/qr/{token_id}/image.png":   shownOnly,
	"GET /v1/qr/{token_id}/code128.svg": shownOnly,

	"GET /v1/confirmations":                            {serves: "person", want: persons("200")},
	"POST /v1/confirmations/{confirmation_id}/approve": waitingOnly,
	"POST /v1/confirmations/{confirmation_id}/decline": waitingOnly,

	"GET /v1/premiums": {serves: "person", want: persons("200")},
	"POST /v1/premiums": {
		serves: "person", body: `{"binding_id":"ID","kind":"resident","year":2027,"amount_fen":1}`, there: scene.boundBinding, missing: manyBindings, malformed: []string{"x", "漢字"},
		want: map[string]string{"mother": "201", "father": notFound, "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/premiums/{premium_id}/refund": {
		serves: "operator", there: scene.paidPremium, missing: manyBindings, malformed: noBindings, want: operators("200"), gone: notFound, bad: notFound,
	},
	"POST /v1/dues": {
		serves: "operator", body: `{"person_no":"` + child + `","kind":"resident","year":2027,"amount_fen":40000,"from":"20260901","to":"20261231"}`, want: operators("201"),
	},

	"POST /v1/quotes":      {serves: "institution", body: tillBill, want: places3("200", "200", "200")},
	"POST /v1/settlements": {serves: "institution", body: tillBill, want: places3("201", "201", "201")},
	"GET /v1/settlements/{settlement_id}": {
		serves: "person or institution", there: scene.settledSale, missing: noSale, malformed: notASale,
		want: map[string]string{"mother": "200", "father": "200", "stranger": notFound, "hospital": "200", "otherPlace": notFound, "several": notFound}, gone: notFound, bad: notFound,
	},
	"POST /v1/settlements/{settlement_id}/reversal": {
		serves: "institution", body: `{"message_id":"MESSAGE","reason":"开错了"}`, there: scene.settledSale, missing: noSale, malformed: notASale,
		want: places3("201", "404 original_unknown", "404 original_unknown"), gone: "404 original_unknown", bad: "404 original_unknown",
	},
	"POST /v1/settlements/{settlement_id}/refunds": {
		serves: "institution", body: `{"message_id":"MESSAGE","lines":[{"line_no":1,"quantity":"1"}]}`, there: scene.settledSale, missing: noSale, malformed: notASale,
		want: places3("201", "404 original_unknown", "404 original_unknown"), gone: "404 original_unknown", bad: "404 original_unknown",
	},
	"GET /v1/messages/{message_id}": {
		serves: "institution", there: scene.settledSale, missing: []string{pharmacy + "202611211000009999"}, malformed: notASale,
		want: places3("200", notFound, notFound), gone: notFound, bad: "400 malformed",
	},
	"GET /v1/days/{day}": {serves: "institution", there: today, malformed: notADay, want: places3("200", "200", "200"), bad: "400 malformed"},

	"GET /v1/catalogue": {serves: "person or institution", query: "q=A", want: map[string]string{"mother": "200", "father": "200", "stranger": "200", "hospital": "200", "otherPlace": "200", "several": "200"}},
	"GET /v1/institutions": {serves: "person, institution, operator or auditor", query: "q=H", want: map[string]string{
		"mother": "200", "father": "200", "stranger": "200", "hospital": "200", "otherPlace": "200", "operator": "200", "auditor": "200", "several": "200",
	}},
	"POST /v1/persons/searches":   {serves: "operator", body: map[string]any{"type": "id", "value": the(mother).id}, want: operators("200")},
	"GET /v1/institutions/{code}": {serves: "operator or auditor", there: func(scene) string { return hospital }, missing: nowhere, malformed: notAPlace, want: auditors("200"), gone: notFound, bad: notFound},
	"GET /v1/acts/{day}":          {serves: "operator or auditor", there: today, missing: []string{"20200101"}, malformed: notADay, want: auditors("200"), gone: "200", bad: "400 malformed"},
	"GET /v1/trails/{binding_id}": {serves: "operator or auditor", there: scene.boundBinding, missing: manyBindings, malformed: noBindings, want: auditors("200"), gone: notFound, bad: notFound},

	"POST /v1/persons":      {serves: "operator", body: newcomer, want: operators("201")},
	"POST /v1/institutions": {serves: "operator", body: map[string]any{"code": "P43010000009", "name": "新店", "kind": "pharmacy", "level": "11", "region": "430100", "status": "designated"}, want: operators("201")},
	"POST /v1/catalogue":    {serves: "operator", body: map[string]any{"code": "N1", "name": "新药", "list_type": "101", "class": "A", "effective_from": "20260101"}, want: operators("201")},
	"POST /v1/credits": {
		serves: "operator", body: `{"reference":"new","person_no":"ID","amount_fen":1,"pocket":"past"}`, there: func(scene) string { return stranger }, missing: nobody, malformed: []string{"no-one", "漢", ""},
		want: operators("201"), gone: notFound, bad: "400 malformed",
	},
	"POST /v1/rollovers": {
		serves: "operator", body: `{"person_no":"ID","year":2026}`, there: func(scene) string { return stranger }, missing: nobody, malformed: []string{"no-one", "漢", ""},
		want: operators("201"), gone: notFound, bad: "400 malformed",
	},
	"POST /v1/persons/{person_no}/freeze":   {serves: "operator", there: func(scene) string { return mother }, missing: nobody, malformed: notAPerson, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/persons/{person_no}/erase":    {serves: "operator", there: func(scene) string { return mother }, missing: nobody, malformed: notAPerson, want: operators("409 state_forbids"), gone: notFound, bad: notFound},
	"POST /v1/persons/{person_no}/unfreeze": {serves: "operator", there: func(scene) string { return mother }, missing: nobody, malformed: notAPerson, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/institutions/{code}/suspend":  {serves: "operator", there: func(scene) string { return hospital }, missing: nowhere, malformed: notAPlace, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/institutions/{code}/resume":   {serves: "operator", there: func(scene) string { return hospital }, missing: nowhere, malformed: notAPlace, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/institutions/{code}/keys": {
		serves: "operator", there: func(scene) string { return hospital }, missing: nowhere, malformed: notAPlace,
		body: `{"scheme":"api","key_id":"AK","secret":"a-secret"}`, want: operators("201"), gone: notFound, bad: notFound,
	},
	"POST /v1/adjustments": {
		serves: "operator", body: `{"reference":"new","person_no":"ID","amount_fen":-1,"pocket":"past","reason":"ruling"}`, there: func(scene) string { return child }, missing: nobody, malformed: []string{"no-one", "漢", ""},
		want: operators("201"), gone: notFound, bad: "400 malformed",
	},
	"GET /v1/adjustments":                      {serves: "operator or auditor", want: auditors("200")},
	"GET /v1/adjustments/{reference}":          {serves: "operator or auditor", there: fixedText("PROPOSED"), missing: []string{"NEVER"}, malformed: notAReference, want: auditors("200"), gone: notFound, bad: notFound},
	"POST /v1/adjustments/{reference}/approve": {serves: "operator", there: fixedText("PROPOSED"), missing: []string{"NEVER"}, malformed: notAReference, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/adjustments/{reference}/reject":  {serves: "operator", there: fixedText("PROPOSED"), missing: []string{"NEVER"}, malformed: notAReference, want: operators("200"), gone: notFound, bad: notFound},
	"POST /v1/policies":                        {serves: "operator", body: fileOf(policyText("2099-01", "20990101")), want: operators("201")},
	"GET /v1/policies":                         {serves: "operator or auditor", want: auditors("200")},
	// Nobody has drafted one.
	"GET /v1/policies/{policy_id}": {
		serves: "operator or auditor", there: fixedText("430100@2099-01"), malformed: notAPolicy, want: auditors(notFound), bad: notFound,
	},
	"POST /v1/policies/{policy_id}/approve": {
		serves: "operator", there: fixedText("430100@2099-01"), malformed: notAPolicy, want: operators(notFound), bad: notFound,
	},
	"POST /v1/policies/{policy_id}/what-if": {
		serves: "operator or auditor", body: `{"from":"20261101","to":"20261121"}`, there: fixedText("430100@2099-01"), malformed: notAPolicy, want: auditors(notFound), bad: notFound,
	},
	"GET /v1/replays/{settlement_id}": {
		serves: "operator or auditor", there: scene.settledSale, missing: noSale, malformed: notASale, want: auditors("200"), gone: notFound, bad: notFound,
	},
	// Nobody signs here, and a day without a settlement has no heads.
	"GET /v1/checkpoints/{day}":       {serves: "operator or auditor", there: today, malformed: notADay, want: auditors(notFound), bad: "400 malformed"},
	"GET /v1/checkpoints/{day}/heads": {serves: "operator or auditor", there: today, malformed: notADay, want: auditors("200"), bad: "400 malformed"},
	"GET /v1/proofs/{day}": {
		serves: "operator or auditor", there: today, malformed: notADay,
		want: map[string]string{"operator": "200", "auditor": "200", "several": "200"}, bad: "400 malformed",
	},
}

// shownOnly is a code and its pictures: for the one who shows it and nobody else,
// the patient neither.
var shownOnly = right{
	serves: "person", there: scene.shownToken, missing: []string{"01KAJ3Z8F0ZZZZZZZZZZZZZZZZ"}, malformed: []string{"x", "%00", "%ff", "..%2f..%2fme", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"},
	want: map[string]string{"mother": "200", "father": notFound, "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
}

// waitingOnly is a settlement that waits: for the one who is asked and nobody else,
// the patient neither.
var waitingOnly = right{
	serves: "person", there: scene.waitingSale, missing: append([]string{hospital + "202611211000000001"}, noSale...), malformed: notASale,
	want: map[string]string{"mother": notFound, "father": "200", "stranger": notFound, "several": notFound}, gone: notFound, bad: notFound,
}

// aunt is the father's sister, of whom the insurer tells later.
var aunt = human{"430100000008", "李小山", "430102198603140040", "430100", "310", "11"}

const tillBill = `{"message_id":"MESSAGE","credential":{"type":"card","value":"C` + mother + `"},"med_type":"11","total_fen":100,"lines":[{"line_no":1,"code":"A1","name":"甲","quantity":"1","unit_price_fen":100,"amount_fen":100}]}`

var newcomer = map[string]any{"person_no": "430100000077", "name": "新来", "id_no": "430102199111050035", "region": "430100", "insutype": "310", "psn_type": "11", "status": "1"}

func all(answer string) map[string]string       { return each(serves["everybody"], answer) }
func persons(answer string) map[string]string   { return each(serves["person"], answer) }
func operators(answer string) map[string]string { return each(serves["operator"], answer) }

func auditors(answer string) map[string]string { return each(serves["operator or auditor"], answer) }

var notAReference = []string{"..%2fme", "-", "%00", "漢", "a b"}

var notAPolicy = []string{"x", "%00", "430100", "430100@", "@2026-01", "430100@A"}

func fixedText(text string) func(scene) string { return func(scene) string { return text } }

func reviewers(answer string) map[string]string {
	return each(serves["operator or reviewer"], answer)
}

// servedOnly is an act on what an operator filled in at the counter: his alone.
func servedOnly(body any, answer string) right {
	return right{
		serves: "operator", body: body, there: scene.servedBinding, missing: manyBindings, malformed: noBindings,
		want: map[string]string{"operator": answer, "several": notFound}, gone: notFound, bad: notFound,
	}
}

// reviewedOnly is an act on what waits for a reviewer.
func reviewedOnly(body any, answer string) right {
	return right{
		serves: "operator or reviewer", body: body, there: scene.reviewed, missing: manyBindings, malformed: noBindings,
		want: reviewers(answer), gone: notFound, bad: notFound,
	}
}

func each(names []string, answer string) map[string]string {
	same := map[string]string{}
	for _, name := range names {
		same[name] = answer
	}
	return same
}

func places3(hospital, otherPlace, several string) map[string]string {
	return map[string]string{"hospital": hospital, "otherPlace": otherPlace, "several": several}
}

// heard is an answer as the table writes it.
func heard(t testing.TB, r reply) string {
	t.Helper()
	if r.status < 300 {
		return fmt.Sprint(r.status)
	}
	return fmt.Sprint(r.status, " ", r.json(t)["code"])
}

// TestRights walks the table. Where a caller hears of an object what he would hear
// if it were not there, the two answers are the same bytes but for the path.
func TestRights(t *testing.T) {
	s := sceneOf(t)
	h := s.open(t)
	unused := maps.Clone(rights)
	cells := 0
	for _, route := range h.door.routes {
		name := route.Method + " " + route.Path
		row, found := rights[name]
		if !found {
			t.Errorf("%s: who may?", name)
			continue
		}
		delete(unused, name)
		if string(route.Access) != row.serves {
			t.Errorf("%s is for %s, not for %s", name, route.Access, row.serves)
		}
		objects := []string{""}
		if row.there != nil {
			objects = append(append([]string{row.there(s)}, row.missing...), row.malformed...)
		}
		if strings.Contains(route.Path, "{") != (row.there != nil) && row.body == nil {
			t.Errorf("%s: which object?", name)
		}
		for _, caller := range slices.Sorted(maps.Keys(callers)) {
			served := slices.Contains(serves[row.serves], caller)
			if _, listed := row.want[caller]; listed != served {
				t.Errorf("%s: what does %s hear?", name, caller)
			}
			var missing []byte
			for i, object := range objects {
				want := row.want[caller]
				switch {
				case !served && (caller == "nobody" || caller == "garbage"):
					want = "401 unauthenticated"
				case !served:
					want = "403 not_permitted"
				case i > len(row.missing):
					want = row.bad
				case i > 0:
					want = row.gone
				}
				before := h.commits()
				r := h.askAs(caller, route, object, row.body)
				cells++
				if got := heard(t, r); got != want {
					t.Errorf("%s asks %s of %q and hears %s, not %s\n%s", caller, name, object, got, want, r.body)
				}
				if (strings.HasPrefix(want, "401") || strings.HasPrefix(want, "403") || strings.HasPrefix(want, "400")) && h.commits() != before {
					t.Errorf("%s asks %s of %q and something is written", caller, name, object)
				}
				if row.there != nil && want == row.gone {
					hears := bytes.ReplaceAll(r.body, []byte(object), []byte("ID"))
					if missing == nil {
						missing = hears
					}
					if i <= len(row.missing) && !bytes.Equal(missing, hears) {
						t.Errorf("%s asks %s: there and missing differ:\n%s\n%s", caller, name, missing, hears)
					}
				}
				if h.commits() != before {
					h = s.open(t)
				}
			}
		}
	}
	for name := range unused {
		t.Errorf("there is no %s any more", name)
	}
	t.Logf("%d routes, %d rows, %d callers: %d cells", len(h.door.routes), len(rights), len(callers), cells)
}

// askAs asks a route of an object as a caller.
func (h *house) askAs(caller string, route Route, object string, body any) reply {
	h.t.Helper()
	token := "garbage"
	if caller == "nobody" {
		token = ""
	} else if claims := callers[caller]; claims != nil {
		token = h.token(claims)
	}
	path := route.Path
	if query := rights[route.Method+" "+route.Path].query; query != "" {
		path += "?" + query
	}
	if i := strings.IndexByte(path, '{'); i >= 0 {
		path = path[:i] + escaped(object) + path[strings.IndexByte(path, '}')+1:]
	}
	if text, isText := body.(string); isText {
		own := hospital
		if callers[caller]["fixmedins_code"] == otherPlace {
			own = otherPlace
		}
		body = strings.NewReplacer("MESSAGE", h.messageID(own), "ID", object).Replace(text)
	}
	return h.ask(token, route.Method, path, body)
}

// escaped leaves what is escaped already as it is.
func escaped(segment string) string {
	return strings.NewReplacer(" ", "%20", "'", "%27", "漢", "%E6%BC%A2", "字", "%E5%AD%97").Replace(segment)
}
