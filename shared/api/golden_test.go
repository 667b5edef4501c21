package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gongji/shared/answer"
	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// The golden files show every request of the main story and every refusal that a
// client can meet, with the whole answer. They are for people to read, and hold
// the door to the byte: go test ./shared/api -run Golden -update writes them anew.

var update = flag.Bool("update", false, "write the golden files anew")

const goldenFolder = "testdata/golden"

// golden is one file.
type golden struct {
	Request struct {
		By             string          `json:"by"`
		Method         string          `json:"method"`
		Path           string          `json:"path"`
		IdempotencyKey string          `json:"idempotency_key,omitempty"`
		Body           json.RawMessage `json:"body,omitempty"`
		Text           string          `json:"text,omitempty"` // of a body that is no JSON
	} `json:"request"`
	Answer struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body,omitempty"`
		Text    string            `json:"text,omitempty"`
	} `json:"answer"`
}

// told are the headers that a golden file shows.
var told = []string{"Content-Type", "Idempotent-Replay", "Retry-After", "WWW-Authenticate", "Allow"}

// teller tells a story and writes it down.
type teller struct {
	*house
	seen map[string]bool
}

// tell asks, and compares the answer with the golden file of the name. by is a
// person, an institution, a role, or nobody.
func (tell *teller) tell(name, by, method, path string, body any, key ...string) reply {
	tell.t.Helper()
	token, contentType := "", "application/json"
	switch {
	case by == "":
	case strings.ContainsAny(by[:1], "HP"):
		token = tell.place(by)
	case strings.ContainsAny(by[:1], "0123456789"):
		token = tell.person(by)
	default:
		token = tell.role(by)
	}
	if text, isText := body.(string); isText && strings.Contains(text, "\n") {
		contentType = ndjson
	}
	headers := []string{"Content-Type", contentType}
	for _, k := range key {
		headers = append(headers, "Idempotency-Key", k)
	}
	r := tell.ask(token, method, path, body, headers...)
	var g golden
	g.Request.By, g.Request.Method, g.Request.Path = by, method, path
	g.Request.IdempotencyKey = strings.Join(key, "")
	switch b := body.(type) {
	case nil:
	case string:
		if g.Request.Body = json.RawMessage(b); !json.Valid(g.Request.Body) {
			g.Request.Body, g.Request.Text = nil, shortened(b)
		}
	default:
		g.Request.Body = json.RawMessage(encode(tell.t, b))
	}
	g.Answer.Status, g.Answer.Headers = r.status, map[string]string{}
	for _, name := range told {
		if value := r.header.Get(name); value != "" {
			g.Answer.Headers[name] = value
		}
	}
	switch kind := r.header.Get("Content-Type"); kind {
	case "image/svg+xml", "image/png": // package qrimage shows them
	case ndjson:
		g.Answer.Text = string(r.body)
	default:
		g.Answer.Body = bytes.ReplaceAll(r.body, []byte(r.header.Get("Request-Id")), []byte("(the Request-Id)"))
	}
	tell.compare(name, g)
	return r
}

// shortened keeps a file readable.
func shortened(s string) string {
	if len(s) > 1000 {
		return s[:100] + "…"
	}
	return s
}

func (tell *teller) compare(name string, g golden) {
	tell.t.Helper()
	if tell.seen[name] {
		tell.t.Fatalf("%s is told twice", name)
	}
	tell.seen[name] = true
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(g); err != nil {
		tell.t.Fatal(err)
	}
	file := filepath.Join(goldenFolder, name+".json")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			tell.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tell.t.Error(err)
	} else if diff := cmp.Diff(string(want), got.String()); diff != "" {
		tell.t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// wants fails unless an answer has a status, and the code where it is an error.
func (tell *teller) wants(want string, r reply) map[string]any {
	tell.t.Helper()
	if got := heard(tell.t, r); got != want {
		tell.t.Fatalf("%s, not %s\n%s", got, want, r.body)
	}
	if kind := r.header.Get("Content-Type"); kind != "application/json" && kind != "application/problem+json" {
		return nil
	}
	return r.json(tell.t)
}

// e9 and e12 are the worked examples of the trade (domain 5), to the fen.
var (
	e9 = map[string]int{
		"total_fen": 52500, "out_of_scope_fen": 0, "over_limit_fen": 1500, "pre_self_pay_fen": 2100, "in_scope_fen": 48900, "deductible_fen": 20000, "fund_paid_fen": 17340,
		"person_burden_fen": 35160, "account_base_fen": 33660, "own_paid_fen": 5000, "shared_paid_fen": 12000, "cash_due_fen": 18160,
	}
	e12 = map[string]int{
		"total_fen": 15960, "out_of_scope_fen": 2800, "over_limit_fen": 0, "pre_self_pay_fen": 716, "in_scope_fen": 12444, "deductible_fen": 0, "fund_paid_fen": 8711,
		"person_burden_fen": 7249, "account_base_fen": 4449, "own_paid_fen": 0, "shared_paid_fen": 4449, "cash_due_fen": 2800,
	}
)

// worked fails unless an answer has the amounts of a worked example, times sign.
func (tell *teller) worked(example map[string]int, sign int, answer map[string]any) {
	tell.t.Helper()
	for name, want := range example {
		if got := answer[name]; got != float64(sign*want) {
			tell.t.Errorf("%s is %v, not %d", name, got, sign*want)
		}
	}
}

func e12Bill(message, digits string) map[string]any {
	return map[string]any{
		"message_id": message, "credential": map[string]any{"type": "qr", "value": digits}, "med_type": "11", "total_fen": 15960,
		"lines": []map[string]any{
			{"line_no": 1, "code": "B1", "name": "乙一", "quantity": "2", "unit_price_fen": 3580, "amount_fen": 7160, "trace_codes": []string{"81000000000000000001", "81000000000000000002"}},
			{"line_no": 2, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 6000, "amount_fen": 6000},
			{"line_no": 3, "code": "C1", "name": "丙一", "quantity": "1", "unit_price_fen": 2800, "amount_fen": 2800},
		},
	}
}

func TestGolden(t *testing.T) {
	if *update {
		if err := os.RemoveAll(goldenFolder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(goldenFolder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tell := &teller{newHouse(t), map[string]bool{}}
	tell.story()
	tell.confirmations()
	tell.premiums()
	tell.refusals()
	(&teller{fedHouse(t), tell.seen}).counter()

	// Nothing stands in the folder that is not told, and every code that a client
	// can meet is.
	files, err := filepath.Glob(filepath.Join(goldenFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !tell.seen[strings.TrimSuffix(filepath.Base(file), ".json")] {
			t.Errorf("nobody tells %s", file)
		}
	}
	for _, row := range answer.All() {
		why, excused := unmet[row.Code]
		switch met := tell.seen["refusal-"+string(row.Code)]; {
		case row.Kind != answer.Reason && !met && !excused:
			t.Errorf("nobody meets %s", row.Code)
		case met && excused:
			t.Errorf("%s is met after all, though %s", row.Code, why)
		}
	}
}

// unmet are the codes that no request of this door meets, and why.
var unmet = map[family.Code]string{
	family.Unsupported:     "only the national interface has transaction numbers",
	family.TraceMissing:    "no rule asks for trace codes yet",
	family.QuantityLimit:   "no rule limits quantities yet",
	family.CoolingOff:      "no region's file asks for time between two bindings",
	family.GrantNone:       "it stands beside a share",
	family.GrantPaused:     "it stands beside a share",
	family.GrantCapReached: "it stands beside a share",
	family.GrantScope:      "it stands beside a share",
}

// story is the main story: a mother binds her husband and her child, shows their
// codes, tills settle, and part of it comes back.
func (tell *teller) story() {
	tell.wants("200", tell.tell("health", "", "GET", "/healthz", nil))

	// The insurer's feed.
	tell.wants("201", tell.tell("feed-person", "operator", "POST", "/v1/persons", the(mother).wire()))
	tell.wants("200", tell.tell("feed-person-again", "operator", "POST", "/v1/persons", the(mother).wire()))
	var people []string
	for _, p := range cast {
		people = append(people, encode(tell.t, p.wire()))
	}
	tell.wants("200", tell.tell("feed-persons", "operator", "POST", "/v1/persons", strings.Join(append(people, `{"person_no":"x"}`), "\n")))
	tell.wants("201", tell.tell("feed-institution", "operator", "POST", "/v1/institutions", places[0]))
	for _, p := range places[1:] {
		tell.must(201, tell.operator(), "POST", "/v1/institutions", p)
	}
	tell.wants("201", tell.tell("feed-item", "operator", "POST", "/v1/catalogue", goods[2]))
	for _, g := range []int{0, 1, 3} {
		tell.must(201, tell.operator(), "POST", "/v1/catalogue", goods[g])
	}
	tell.wants("201", tell.tell("feed-credit", "operator", "POST", "/v1/credits", `{"reference":"2026-11-mother","person_no":"`+mother+`","amount_fen":12000,"pocket":"current"}`))
	tell.must(201, tell.operator(), "POST", "/v1/credits", `{"reference":"2025-father","person_no":"`+father+`","amount_fen":5000,"pocket":"past"}`)
	tell.wants("200", tell.tell("me", mother, "GET", "/v1/me", nil))
	tell.wants("200", tell.tell("account", father, "GET", "/v1/account", nil))

	// Bindings: with the child, for whom the mother acts, and with the father.
	id := func(r reply) string { return tell.wants("201", r)["binding_id"].(string) }
	kid := id(tell.tell("binding-of-a-child", mother, "POST", "/v1/bindings", `{"name":"李小乐","id_no":"430102201801150017","relation":"30","show":true,"pay":{"purposes":["care","pharmacy"]}}`, "key-1"))
	id(tell.tell("binding-of-a-child-again", mother, "POST", "/v1/bindings", `{"name":"李小乐","id_no":"430102201801150017","relation":"30","show":true,"pay":{"purposes":["care","pharmacy"]}}`, "key-1"))
	tell.wants("200", tell.tell("binding-of-a-child-submitted", mother, "POST", "/v1/bindings/"+kid+"/submit", `{"commitment":true}`))
	man := id(tell.tell("binding-of-an-adult", mother, "POST", "/v1/bindings", `{"name":"李大山","id_no":"430102198206110032","relation":"11","show":true,"pay":{"purposes":["care","pharmacy","premium"],"monthly_cap_fen":50000,"per_settlement_cap_fen":20000,"valid_until":"20271231"}}`))
	tell.wants("200", tell.tell("binding-of-an-adult-submitted", mother, "POST", "/v1/bindings/"+man+"/submit", `{"commitment":true}`))
	tell.wants("200", tell.tell("binding-of-an-adult-accepted", father, "POST", "/v1/bindings/"+man+"/accept", nil))
	tell.wants("200", tell.tell("binding-as-member", father, "GET", "/v1/bindings/"+man, nil))
	tell.wants("200", tell.tell("binding-paused", father, "PATCH", "/v1/bindings/"+man, `{"paused":true}`))
	tell.wants("200", tell.tell("binding-resumed", father, "PATCH", "/v1/bindings/"+man, `{"paused":false}`))
	tell.wants("200", tell.tell("binding-with-a-quota", mother, "PATCH", "/v1/bindings/"+man, `{"pay":{"purposes":["care"],"quota_fen":12000}}`))
	tell.wants("200", tell.tell("binding-without-a-grant", mother, "PATCH", "/v1/bindings/"+man, `{"pay":null}`))
	tell.wants("200", tell.tell("binding-with-other-terms", mother, "PATCH", "/v1/bindings/"+man, `{"pay":{"purposes":["care","pharmacy"],"monthly_cap_fen":50000}}`))
	old := tell.request(mother, granny, "52")
	tell.wants("200", tell.tell("binding-declined", granny, "POST", "/v1/bindings/"+old+"/decline", nil))
	old = tell.request(mother, granny, "52")
	tell.submit(mother, old)
	tell.must(200, tell.person(granny), "POST", "/v1/bindings/"+old+"/accept", nil)
	tell.wants("200", tell.tell("grant-order", granny, "PUT", "/v1/me/grant-order", map[string]any{"order": []string{old}}))
	tell.wants("200", tell.tell("binding-ended", granny, "DELETE", "/v1/bindings/"+old, nil))
	tell.wants("200", tell.tell("bindings", mother, "GET", "/v1/bindings?limit=2", nil))

	// A binding with papers: announced, uploaded, promised, accepted, reviewed.
	paper := id(tell.tell("binding-with-papers", kapok, "POST", "/v1/bindings", `{"name":"何西关","id_no":"440102197906060037","relation":"11","show":true,"pay":{"purposes":["care"]}}`))
	tell.wants("422 paper_missing", tell.tell("refusal-paper_missing", kapok, "POST", "/v1/bindings/"+paper+"/submit", `{"commitment":true}`))
	tell.wants("201", tell.tell("paper-announced", kapok, "POST", "/v1/bindings/"+paper+"/materials", `{"kind":"marriage_certificate","content_type":"image/png","size":1000,"sha256":"`+strings.Repeat("0", 64)+`"}`))
	tell.wants("422 paper_wrong", tell.tell("refusal-paper_wrong", kapok, "POST", "/v1/bindings/"+paper+"/materials", `{"kind":"id_card","content_type":"image/png","size":11000000,"sha256":"`+strings.Repeat("0", 64)+`"}`))
	for i, kind := range []string{"id_card", "household_register", "commitment_letter"} {
		tell.upload(kapok, paper, kind, scan(tell.t, uint8(i)))
	}
	tell.submit(kapok, paper)
	tell.wants("200", tell.tell("binding-before-review", husband, "POST", "/v1/bindings/"+paper+"/accept", nil))
	tell.wants("200", tell.tell("reviews", "reviewer", "GET", "/v1/reviews?region=44", nil))
	tell.wants("200", tell.tell("review", "reviewer", "GET", "/v1/reviews/"+paper, nil))
	tell.wants("200", tell.tell("review-claimed", "reviewer", "POST", "/v1/reviews/"+paper+"/claim", nil))
	tell.wants("200", tell.tell("review-clarified", "reviewer", "POST", "/v1/reviews/"+paper+"/clarify", `{"kind":"marriage_certificate","reason":"户口本上没有配偶页"}`))
	tell.upload(kapok, paper, "marriage_certificate", scan(tell.t, 3))
	tell.submit(kapok, paper)
	seen := tell.must(200, tell.role("reviewer"), "GET", "/v1/reviews/"+paper, nil)
	door := seen["materials"].([]any)[1].(map[string]any)["door"].(map[string]any)["url"].(string)
	tell.wants("200", tell.tell("review-paper", "reviewer", "GET", door, nil))
	tell.wants("200", tell.tell("review-approved", "reviewer", "POST", "/v1/reviews/"+paper+"/approve", map[string]any{"version": seen["version"], "reason": "齐全"}))
	tell.wants("200", tell.tell("binding-history", husband, "GET", "/v1/bindings/"+paper+"/history", nil))
	tell.wants("200", tell.tell("notices", kapok, "GET", "/v1/notices?limit=2", nil))
	tell.wants("200", tell.tell("sweep", "operator", "POST", "/v1/sweeps", nil))
	tell.wants("201", tell.tell("feed-registry", "operator", "POST", "/v1/registry", `{"id_no":"430102198503070022","name":"王小芳","status":"alive","relations":[{"id_no":"430102198206110032","relation":"11"}]}`))

	// E9: the father's care; his own account first, then his wife's, then cash.
	qr := tell.wants("201", tell.tell("qr-for-a-member", mother, "POST", "/v1/qr", map[string]any{"binding_id": man}, "key-2"))
	tell.wants("201", tell.tell("qr-for-a-member-again", mother, "POST", "/v1/qr", map[string]any{"binding_id": man}, "key-2"))
	token, digits := "/v1/qr/"+qr["token_id"].(string), qr["digits"].(string)
	tell.wants("200", tell.tell("qr-issued", mother, "GET", token, nil))
	tell.wants("200", tell.tell("qr-svg", mother, "GET", token+"/image.svg", nil))
	tell.wants("200", tell.tell("qr-png", mother, "GET", token+"/image.png", nil))
	tell.wants("200", tell.tell("qr-code128", mother, "GET", token+"/code128.svg", nil))
	check := map[string]any{"binding_id": man, "institution_code": hospital, "med_type": "11", "lines": bill("", "")["lines"]}
	tell.worked(e9, 1, tell.wants("200", tell.tell("check", mother, "POST", "/v1/checks", check)))
	quoted := bill("", digits)
	delete(quoted, "message_id")
	tell.worked(e9, 1, tell.wants("200", tell.tell("quote-e9", hospital, "POST", "/v1/quotes", quoted)))
	sale := tell.messageID(hospital)
	settled := bill(sale, digits)
	settled["expected_cash_fen"] = 18160
	tell.worked(e9, 1, tell.wants("201", tell.tell("settlement-e9", hospital, "POST", "/v1/settlements", settled)))
	tell.wants("201", tell.tell("settlement-e9-again", hospital, "POST", "/v1/settlements", settled))
	tell.wants("200", tell.tell("qr-spent", mother, "GET", token, nil))
	tell.wants("200", tell.tell("settlement-to-its-institution", hospital, "GET", "/v1/settlements/"+sale, nil))
	tell.wants("200", tell.tell("receipt-to-the-patient", father, "GET", "/v1/settlements/"+sale, nil))
	tell.wants("200", tell.tell("receipt-to-the-payer", mother, "GET", "/v1/settlements/"+sale, nil))
	tell.wants("200", tell.tell("message-settled", hospital, "GET", "/v1/messages/"+sale, nil))
	tell.wants("200", tell.tell("search-catalogue", mother, "GET", "/v1/catalogue?q=b", nil))
	tell.wants("200", tell.tell("search-institutions", mother, "GET", "/v1/institutions?q=ys", nil))
	tell.wants("200", tell.tell("account-entries", mother, "GET", "/v1/account/entries?limit=1", nil))

	// E12: the child's care at a clinic, with the mother's 60.00.
	tell.must(201, tell.operator(), "POST", "/v1/credits", `{"reference":"2026-12-mother","person_no":"`+mother+`","amount_fen":6000,"pocket":"current"}`)
	qr = tell.must(201, tell.person(mother), "POST", "/v1/qr", map[string]any{"binding_id": kid})
	tell.worked(e12, 1, tell.wants("201", tell.tell("settlement-e12", clinic, "POST", "/v1/settlements", e12Bill(tell.messageID(clinic), qr["digits"].(string)))))
	tell.wants("200", tell.tell("receipts-as-payer", mother, "GET", "/v1/settlements?role=payer&limit=1", nil))

	// A pharmacy, by ID number; nobody pays for whom the grant does not name.
	own := bill(tell.messageID(pharmacy), "")
	own["credential"], own["med_type"] = map[string]any{"type": "id", "value": the(stranger).id, "name": the(stranger).name}, "41"
	tell.wants("201", tell.tell("settlement-at-a-pharmacy", pharmacy, "POST", "/v1/settlements", own))
	qr = tell.wants("201", tell.tell("qr-for-myself", mother, "POST", "/v1/qr", `{}`))
	unused := bill(tell.messageID(hospital), qr["digits"].(string))
	unused["use_account"] = false
	tell.wants("201", tell.tell("settlement-without-accounts", hospital, "POST", "/v1/settlements", unused))

	// Part of E9 comes back, then all of it.
	part := tell.messageID(hospital)
	tell.wants("201", tell.tell("refund", hospital, "POST", "/v1/settlements/"+sale+"/refunds", map[string]any{"message_id": part, "lines": []map[string]any{{"line_no": 1, "quantity": "1.5"}, {"line_no": 3, "quantity": "1"}}}))
	tell.wants("201", tell.tell("refund-again", hospital, "POST", "/v1/settlements/"+sale+"/refunds", map[string]any{"message_id": part, "lines": []map[string]any{{"line_no": 1, "quantity": "1.5"}, {"line_no": 3, "quantity": "1"}}}))
	tell.wants("200", tell.tell("settlement-partially-refunded", hospital, "GET", "/v1/settlements/"+sale, nil))
	whole := tell.messageID(hospital)
	tell.wants("201", tell.tell("reversal", hospital, "POST", "/v1/settlements/"+sale+"/reversal", map[string]any{"message_id": whole, "reason": "开错了"}))
	tell.wants("201", tell.tell("reversal-again", hospital, "POST", "/v1/settlements/"+sale+"/reversal", map[string]any{"message_id": whole, "reason": "开错了"}))
	tell.wants("200", tell.tell("settlement-reversed", hospital, "GET", "/v1/settlements/"+sale, nil))
	tell.wants("200", tell.tell("message-of-a-reversal", hospital, "GET", "/v1/messages/"+whole, nil))
	tell.wants("200", tell.tell("receipt-of-a-reversal", father, "GET", "/v1/settlements/"+whole, nil))
	tell.wants("200", tell.tell("day", hospital, "GET", "/v1/days/20261121?limit=1", nil))
	tell.wants("200", tell.tell("message-fenced", hospital, "GET", "/v1/messages/"+hospital+"202611211000009999", nil))

	// The operators.
	tell.wants("200", tell.tell("proof", "auditor", "GET", "/v1/proofs/20261121", nil))
	tell.wants("200", tell.tell("person-frozen", "operator", "POST", "/v1/persons/"+stranger+"/freeze", nil))
	tell.wants("200", tell.tell("person-unfrozen", "operator", "POST", "/v1/persons/"+stranger+"/unfreeze", nil))
	tell.wants("200", tell.tell("institution-suspended", "operator", "POST", "/v1/institutions/"+otherPlace+"/suspend", nil))
	tell.wants("200", tell.tell("institution-resumed", "operator", "POST", "/v1/institutions/"+otherPlace+"/resume", nil))
	tell.wants("200", tell.tell("institution", "auditor", "GET", "/v1/institutions/"+otherPlace, nil))
	tell.wants("200", tell.tell("person-searched", "operator", "POST", "/v1/persons/searches", map[string]any{"type": "person", "value": stranger}))
	tell.wants("200", tell.tell("acts", "auditor", "GET", "/v1/acts/20261121?limit=2", nil))
	if balance := tell.must(200, tell.person(father), "GET", "/v1/account", nil)["balance_fen"]; balance != 5000.0 {
		tell.t.Errorf("the father has %v after everything came back", balance)
	}
}

// counter is for people without a phone: an operator, and a second pair of eyes.
func (tell *teller) counter() {
	served := tell.wants("201", tell.tell("counter-request", "operator", "POST", "/v1/counter/bindings", `{"holder":{"name":"陈一二","id_no":"430102197001010017"},"member":{"name":"周玉兰","id_no":"430202195506190021"},"relation":"52","show":false,"pay":{"purposes":["care"]}}`))["binding_id"].(string)
	at := "/v1/counter/bindings/" + served
	tell.wants("201", tell.tell("counter-paper", "operator", "POST", at+"/materials", `{"kind":"household_register","content_type":"image/png","size":1000,"sha256":"`+strings.Repeat("0", 64)+`"}`))
	for i, kind := range []string{"id_card", "commitment_letter"} {
		tell.uploadBy(tell.operator(), "/v1/counter", served, kind, "image/png", scan(tell.t, uint8(40+i)))
	}
	tell.wants("200", tell.tell("counter-submitted", "operator", "POST", at+"/submit", `{"signed":true}`))
	tell.wants("200", tell.tell("counter-accepted", "operator", "POST", at+"/accept", `{"signed":true}`))
	tell.wants("403 not_permitted", tell.tell("refusal-four-eyes", "operator", "POST", "/v1/reviews/"+served+"/approve", `{}`))
	second := tell.token(map[string]any{"sub": "second", "roles": []string{"operator"}})
	tell.must(200, second, "POST", "/v1/reviews/"+served+"/approve", nil)
	tell.wants("200", tell.tell("counter-binding", "operator", "GET", at, nil))
	tell.wants("200", tell.tell("binding-trail", "auditor", "GET", "/v1/trails/"+served+"?limit=2", nil))
	tell.wants("200", tell.tell("counter-search", "operator", "POST", "/v1/counter/searches", `{"name":"周玉兰","id_no":"430202195506190021"}`))
	tell.wants("200", tell.tell("counter-ended", "operator", "POST", at+"/end", `{"name":"周玉兰","id_no":"430202195506190021"}`))
}

// premiums are what granny owes for next year, and her daughter pays.
func (tell *teller) premiums() {
	due := `{"person_no":"` + granny + `","kind":"resident","year":2027,"amount_fen":40000,"from":"20260901","to":"20261231"}`
	tell.wants("201", tell.tell("due", "operator", "POST", "/v1/dues", due))
	ltc := strings.NewReplacer("resident", "long_term_care", "40000", "100").Replace(due)
	tell.must(201, tell.operator(), "POST", "/v1/dues", ltc)
	binding := tell.request(mother, granny, "52")
	tell.submit(mother, binding)
	tell.must(200, tell.person(granny), "POST", "/v1/bindings/"+binding+"/accept", nil)
	tell.must(200, tell.person(mother), "PATCH", "/v1/bindings/"+binding, `{"pay":{"purposes":["premium"]}}`)
	tell.credit(mother, 50000)
	pay := `{"binding_id":"` + binding + `","kind":"resident","year":2027,"amount_fen":40000}`
	tell.wants("200", tell.tell("premiums", mother, "GET", "/v1/premiums?binding_id="+binding, nil))
	paid := tell.wants("201", tell.tell("premium-paid", mother, "POST", "/v1/premiums", pay))
	tell.wants("201", tell.tell("premium-paid-again", mother, "POST", "/v1/premiums", pay))
	tell.wants("422 account_scope", tell.tell("refusal-account_scope", mother, "POST", "/v1/premiums", `{"binding_id":"`+binding+`","kind":"long_term_care","year":2027,"amount_fen":100}`))
	tell.wants("200", tell.tell("premium-refunded", "operator", "POST", "/v1/premiums/"+paid["premium_id"].(string)+"/refund", nil))
	tell.must(200, tell.operator(), "POST", "/v1/dues", strings.Replace(due, "20261231", "20260902", 1))
	tell.wants("409 premium_not_due", tell.tell("refusal-premium_not_due", mother, "POST", "/v1/premiums", pay))
}

// confirmations are what the mother is asked when her sister is treated.
func (tell *teller) confirmations() {
	sister := tell.request(mother, stranger, "77")
	tell.submit(mother, sister)
	tell.must(200, tell.person(stranger), "POST", "/v1/bindings/"+sister+"/accept", nil)
	settle := func(name, message, want string) {
		tell.t.Helper()
		tell.wants(want, tell.tell(name, hospital, "POST", "/v1/settlements", cardBill(message, the(stranger))))
	}
	sale := tell.messageID(hospital)
	settle("refusal-confirmation_needed", sale, "202")
	tell.wants("200", tell.tell("message-waiting", hospital, "GET", "/v1/messages/"+sale, nil))
	tell.wants("200", tell.tell("confirmations", mother, "GET", "/v1/confirmations", nil))
	tell.wants("200", tell.tell("confirmation-approved", mother, "POST", "/v1/confirmations/"+sale+"/approve", nil))
	tell.wants("200", tell.tell("message-confirmed", hospital, "GET", "/v1/messages/"+sale, nil))
	settle("settlement-confirmed", sale, "201")
	settle("settlement-confirmed-again", sale, "201")

	sale = tell.messageID(hospital)
	tell.must(202, tell.place(hospital), "POST", "/v1/settlements", cardBill(sale, the(stranger)))
	tell.wants("200", tell.tell("confirmation-declined", mother, "POST", "/v1/confirmations/"+sale+"/decline", nil))
	settle("refusal-confirmation_declined", sale, "409 confirmation_declined")

	sale = tell.messageID(hospital)
	tell.must(202, tell.place(hospital), "POST", "/v1/settlements", cardBill(sale, the(stranger)))
	tell.advance(3 * time.Minute)
	tell.wants("200", tell.tell("message-lapsed", hospital, "GET", "/v1/messages/"+sale, nil))
	settle("refusal-confirmation_lapsed", sale, "409 confirmation_lapsed")
	tell.must(200, tell.person(mother), "DELETE", "/v1/bindings/"+sister, nil)
}

// refusals meets every code.
func (tell *teller) refusals() {
	till := func(by string, change func(map[string]any)) map[string]any {
		b := bill(tell.messageID(by), "")
		b["credential"] = map[string]any{"type": "card", "value": the(stranger).card()}
		if change != nil {
			change(b)
		}
		return b
	}
	line := func(b map[string]any, i int) map[string]any { return b["lines"].([]map[string]any)[i] }
	refused := func(status, code, by, method, path string, body any, key ...string) reply {
		tell.t.Helper()
		r := tell.tell("refusal-"+code, by, method, path, body, key...)
		tell.wants(status+" "+code, r)
		return r
	}

	// Malformed: nothing is recorded.
	refused("400", "malformed", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { line(b, 1)["amount_fen"] = 380.5 }))
	tell.wants("400 malformed", tell.tell("malformed-missing", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { delete(line(b, 2), "quantity") })))
	tell.wants("400 malformed", tell.tell("malformed-unknown-field", mother, "POST", "/v1/qr", `{"person_no":"430100000003"}`))
	tell.wants("400 malformed", tell.tell("malformed-twice", mother, "POST", "/v1/qr", `{"binding_id":"a","binding_id":"b"}`))
	tell.wants("400 malformed", tell.tell("malformed-not-json", mother, "POST", "/v1/qr", `{"binding_id":`))
	tell.wants("400 malformed", tell.tell("malformed-id-number", mother, "POST", "/v1/bindings", `{"name":"李小乐","id_no":"430102201801150018","relation":"30","show":true}`))
	tell.wants("400 malformed", tell.tell("malformed-parameter", mother, "GET", "/v1/bindings?limit=101", nil))
	tell.wants("400 malformed", tell.tell("malformed-message-id", hospital, "POST", "/v1/settlements", till(otherPlace, nil)))
	tell.wants("405 malformed", tell.tell("malformed-method", mother, "PUT", "/v1/bindings", nil))
	refused("413", "too_large", mother, "POST", "/v1/qr", strings.Repeat(" ", maxBody+1))
	refused("401", "unauthenticated", "", "GET", "/v1/me", nil)
	refused("403", "not_permitted", hospital, "GET", "/v1/me", nil)

	// Messages.
	fenced := hospital + "202611211000009999"
	refused("409", "message_fenced", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { b["message_id"] = fenced }))
	first := till(hospital, nil)
	tell.must(201, tell.place(hospital), "POST", "/v1/settlements", first)
	sale := first["message_id"].(string)
	refused("422", "message_reused", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { b["message_id"], b["use_account"] = sale, false }))
	tell.wants("422 message_reused", tell.tell("idempotency-key-reused", mother, "POST", "/v1/qr", `{}`, "key-2"))
	refused("404", "not_found", mother, "GET", "/v1/bindings/01M7XX9X80ZZZZZZZZZZZZZZZZ", nil)
	tell.wants("404 not_found", tell.tell("no-such-path", "", "GET", "/v2", nil))
	refused("404", "original_unknown", hospital, "POST", "/v1/settlements/"+hospital+"202611211000008888/reversal", map[string]any{"message_id": tell.messageID(hospital), "reason": "开错了"})

	// Who is served.
	tell.must(200, tell.operator(), "POST", "/v1/institutions/"+otherPlace+"/suspend", nil)
	refused("403", "institution_not_designated", otherPlace, "POST", "/v1/settlements", till(otherPlace, nil))
	uninsured := the(stranger).wire()
	uninsured["status"] = "4"
	tell.must(200, tell.operator(), "POST", "/v1/persons", uninsured)
	refused("403", "person_not_insured", hospital, "POST", "/v1/settlements", till(hospital, nil))
	tell.must(200, tell.operator(), "POST", "/v1/persons", the(stranger).wire())
	tell.must(200, tell.operator(), "POST", "/v1/persons/"+stranger+"/freeze", nil)
	refused("403", "person_frozen", hospital, "POST", "/v1/settlements", till(hospital, nil))
	tell.must(200, tell.operator(), "POST", "/v1/persons/"+stranger+"/unfreeze", nil)

	// Bindings.
	asks := func(no, relation string) map[string]any {
		return map[string]any{"name": the(no).name, "id_no": the(no).id, "relation": relation, "show": true}
	}
	refused("422", "relation_not_allowed", mother, "POST", "/v1/bindings", asks(stranger, "99"))
	refused("422", "binding_limit_reached", mother, "POST", "/v1/bindings", asks(stranger, "10"))
	refused("422", "already_bound", mother, "POST", "/v1/bindings", asks(child, "30"))
	wrong := asks(stranger, "75")
	wrong["name"] = "陈二一"
	refused("422", "identity_mismatch", mother, "POST", "/v1/bindings", wrong, "key-3")
	tell.wants("422 identity_mismatch", tell.tell("refused-binding-again", mother, "POST", "/v1/bindings", wrong, "key-3"))
	tell.must(201, tell.operator(), "POST", "/v1/credits", `{"reference":"2026-13-father","person_no":"`+father+`","amount_fen":1000,"pocket":"current"}`)
	binding := tell.request(father, child, "30")
	tell.submit(father, binding)
	refused("422", "account_empty", father, "PATCH", "/v1/bindings/"+binding, `{"pay":{"purposes":["care"],"quota_fen":1000000}}`)
	tell.must(200, tell.person(father), "DELETE", "/v1/bindings/"+binding, nil)
	refused("409", "state_forbids", father, "PATCH", "/v1/bindings/"+binding, `{"show":true}`)

	// Codes.
	byQR := func(digits string) func(map[string]any) {
		return func(b map[string]any) { b["credential"] = map[string]any{"type": "qr", "value": digits} }
	}
	issue := func() string { return tell.must(201, tell.person(stranger), "POST", "/v1/qr", `{}`)["digits"].(string) }
	refused("410", "qr_invalid", hospital, "POST", "/v1/settlements", till(hospital, byQR("86000000000000000000")))
	replaced := issue()
	spent := issue()
	refused("410", "qr_replaced", hospital, "POST", "/v1/settlements", till(hospital, byQR(replaced)))
	refused("410", "qr_wrong_patient", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) {
		b["credential"] = map[string]any{"type": "qr", "value": spent, "name": "别人"}
	}))
	tell.must(201, tell.place(hospital), "POST", "/v1/settlements", till(hospital, byQR(spent)))
	again := till(hospital, byQR(spent))
	refused("410", "qr_spent", hospital, "POST", "/v1/settlements", again)
	tell.wants("410 qr_spent", tell.tell("refused-settlement-again", hospital, "POST", "/v1/settlements", again))
	tell.wants("200", tell.tell("message-refused", hospital, "GET", "/v1/messages/"+again["message_id"].(string), nil))
	for n := range 5 {
		tell.must(410, tell.place(hospital), "POST", "/v1/settlements", till(hospital, byQR(family.QRDigits("0000000000000000"+strconv.Itoa(n)))))
	}
	refused("429", "rate_limited", hospital, "POST", "/v1/settlements", till(hospital, byQR(issue())))
	late := issue()
	tell.advance(time.Minute)
	refused("410", "qr_expired", hospital, "POST", "/v1/settlements", till(hospital, byQR(late)))

	// Bills.
	refused("422", "item_not_covered", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { line(b, 1)["code"] = "X1" }))
	refused("422", "trace_already_sold", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { line(b, 1)["trace_codes"] = []string{"81000000000000000001"} }))
	refused("409", "quote_stale", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { b["expected_cash_fen"] = 1 }))
	refused("422", "sum_mismatch", hospital, "POST", "/v1/settlements", till(hospital, func(b map[string]any) { b["total_fen"] = 52501 }))
	tell.must(201, tell.place(hospital), "POST", "/v1/settlements/"+sale+"/refunds", map[string]any{"message_id": tell.messageID(hospital), "lines": []map[string]any{{"line_no": 1, "quantity": "4"}}})
	refused("409", "already_refunded", hospital, "POST", "/v1/settlements/"+sale+"/refunds", map[string]any{"message_id": tell.messageID(hospital), "lines": []map[string]any{{"line_no": 1, "quantity": "1"}}})
	tell.must(201, tell.place(hospital), "POST", "/v1/settlements/"+sale+"/reversal", map[string]any{"message_id": tell.messageID(hospital), "reason": "开错了"})
	refused("409", "already_reversed", hospital, "POST", "/v1/settlements/"+sale+"/reversal", map[string]any{"message_id": tell.messageID(hospital), "reason": "开错了"})

	// What nobody knows.
	tell.store.Plan = func(c storetest.Call) storetest.Fault {
		if c.Verb == storetest.Commit {
			return storetest.Conflicts
		}
		return storetest.None
	}
	refused("503", "busy", hospital, "POST", "/v1/settlements", till(hospital, nil))
	tell.store.Plan = func(c storetest.Call) storetest.Fault {
		if c.Verb == storetest.Commit {
			return storetest.Loses
		}
		return storetest.None
	}
	lost := till(hospital, nil)
	refused("503", "outcome_unknown", hospital, "POST", "/v1/settlements", lost)
	tell.store.Plan = nil
	tell.wants("201", tell.tell("settlement-after-an-unknown-outcome", hospital, "POST", "/v1/settlements", lost))
	proof := tell.must(200, tell.operator(), "GET", "/v1/proofs/20261121", nil)
	if proof["ok"] != true {
		tell.t.Errorf("the books: %v", proof)
	}
	tell.damage(store.Key{Part: "ACCT#" + stranger, Sort: "A"})
	refused("500", "internal", hospital, "POST", "/v1/settlements", till(hospital, nil))
}

// TestGoldenFilesFitTheDocument reads the files as a client would, without the door.
func TestGoldenFilesFitTheDocument(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenFolder, "*.json"))
	if err != nil || len(files) < 80 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	d := newHouse(t).document()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := parse(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		method, path := at(v, "request", "method").(string), at(v, "request", "path").(string)
		path, _, _ = strings.Cut(path, "?")
		op := d.operation(method, path)
		status := at(v, "answer", "status").(json.Number).String()
		good := strings.HasPrefix(status, "2")
		if op == nil {
			if good {
				t.Errorf("%s: no operation", file)
			}
			continue
		}
		if sent := at(v, "request", "body"); sent != nil && good {
			if faults := d.faults(body(at(op, "requestBody"), "application/json"), sent, "request"); faults != nil {
				t.Errorf("%s: %v", file, faults)
			}
		}
		described := at(op, "responses", status)
		if !good {
			described = at(op, "responses", "default")
		}
		if got := at(v, "answer", "body"); got != nil {
			contentType := at(v, "answer", "headers", "Content-Type").(string)
			if faults := d.faults(body(described, contentType), got, "answer"); faults != nil {
				t.Errorf("%s: %v", file, faults)
			}
		}
	}
}

// TestGoldenNamesNobody: no answer holds a whole name, an ID number or a phone.
func TestGoldenNamesNobody(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ = bytes.Cut(text, []byte(`"answer": {`))
		for _, p := range cast {
			if slices.ContainsFunc([]string{p.name, p.id, "13900000000"}, func(s string) bool { return bytes.Contains(text, []byte(s)) }) {
				t.Errorf("%s names somebody", file)
			}
		}
	}
}
