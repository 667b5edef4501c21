package onawstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The people and places of the story. All are made up; no division begins with 99,
// so no ID number here was ever given out.
const (
	Mother   = "T00000000001"
	Father   = "T00000000002"
	Child    = "T00000000003" // eight years old in 2026
	Hospital = "H43010000001"
	Pharmacy = "P43010000002"
	// NeverIssued is a code whose digits fit together and that nobody was given.
	NeverIssued = "86000000000000000016"
)

// Scene is where the story is told.
type Scene struct {
	T testing.TB
	// Token returns a token with claims beside the usual ones.
	Token func(claims map[string]any) string
	// Now is the house's clock: message ids are of its days.
	Now func() time.Time
	// Do sends a request and returns the reply.
	Do func(Request) Reply
	// Upload sends a file through a paper's door, for [Scene.Review] alone.
	Upload func(method, url string, headers map[string]string, file []byte)

	serial int
}

// Person, Place and Operator return the tokens of a person, of an institution's
// system and of an operator.
func (s *Scene) Person(no string) string  { return s.Token(map[string]any{"person_no": no}) }
func (s *Scene) Place(code string) string { return s.Token(map[string]any{"fixmedins_code": code}) }
func (s *Scene) Operator() string         { return s.Token(map[string]any{"roles": []string{"operator"}}) }

// object is a JSON object.
type object = map[string]any

// Ask sends a request that has to end with a status; headers come in pairs. A body
// that is text goes as it is, any other as JSON.
func (s *Scene) Ask(want int, token, method, target string, body any, headers ...string) Reply {
	s.T.Helper()
	q := Request{Method: method, Target: target, Header: http.Header{}}
	switch b := body.(type) {
	case nil:
	case string:
		q.Body = []byte(b)
		q.Header.Set("Content-Type", "application/json")
	default:
		var err error
		if q.Body, err = json.Marshal(b); err != nil {
			s.T.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	reply := s.Do(q)
	if reply.Status != want {
		s.T.Fatalf("%s %s: %d, not %d\n%s", method, target, reply.Status, want, reply.Body)
	}
	return reply
}

// must is Ask for a reply that is a JSON object.
func (s *Scene) must(want int, token, method, target string, body any, headers ...string) object {
	s.T.Helper()
	reply := s.Ask(want, token, method, target, body, headers...)
	var v object
	if err := json.Unmarshal(reply.Body, &v); err != nil {
		s.T.Fatalf("%s %s: not JSON: %v\n%s", method, target, err, reply.Body)
	}
	return v
}

// MessageID returns a new message id of an institution.
func (s *Scene) MessageID(place string) string {
	s.serial++
	return place + s.Now().In(time.FixedZone("", 8*3600)).Format("20060102150405") + fmt.Sprintf("%04d", s.serial)
}

// Tell tells the main story and every answer beside it: what the insurer feeds in,
// a binding, a code and its pictures, a quote, a settlement and its repeat,
// receipts, a refund, a reversal, and the proof that the books are in order.
func (s *Scene) Tell() {
	s.T.Helper()
	s.Feed()
	s.Ask(200, "", "GET", "/healthz", nil)
	s.Ask(200, "", "GET", "/openapi.json", nil)
	mother, child := s.Person(Mother), s.Person(Child)
	s.Ask(200, mother, "GET", "/v1/me", nil)

	ask := object{"name": "李小乐", "id_no": "999999201801150017", "relation": "30", "show": true, "pay": object{"purposes": []string{"care", "pharmacy"}}}
	first := s.Ask(201, mother, "POST", "/v1/bindings", ask, "Idempotency-Key", "k1")
	again := s.Ask(201, mother, "POST", "/v1/bindings", ask, "Idempotency-Key", "k1")
	if !bytes.Equal(first.Body, again.Body) || again.Header.Get("Idempotent-Replay") != "true" {
		s.T.Fatalf("the repeat was answered otherwise:\n%s\n%s", first.Body, again.Body)
	}
	var bound struct {
		ID string `json:"binding_id"`
	}
	if err := json.Unmarshal(first.Body, &bound); err != nil {
		s.T.Fatal(err)
	}
	binding := "/v1/bindings/" + bound.ID
	s.Ask(200, mother, "POST", binding+"/submit", object{"commitment": true})
	s.Ask(200, mother, "GET", binding, nil)
	s.Ask(200, child, "GET", "/v1/bindings?limit=10", nil)

	s.Settle(bound.ID)
	s.Confirm()
	s.Adjust()
	s.Premium(bound.ID, binding)
	s.Ask(200, mother, "PATCH", binding, object{"paused": true})
	s.Ask(200, mother, "PATCH", binding, object{"paused": false})

	s.Ask(200, mother, "GET", "/v1/account", nil)
	s.Ask(200, mother, "GET", "/v1/account/entries?limit=2", nil)
	s.Ask(200, mother, "GET", "/v1/settlements?role=payer", nil)
	s.Ask(200, child, "GET", "/v1/settlements?role=patient&limit=1", nil)
	s.Ask(200, mother, "GET", "/v1/institutions?q=h4", nil)
	s.Ask(200, mother, "GET", "/v1/catalogue?q=A", nil)
	s.Ask(200, mother, "POST", "/v1/checks", object{"binding_id": bound.ID, "institution_code": Hospital, "med_type": "11", "lines": lines("TRACE1")})

	s.Ask(409, child, "PUT", "/v1/me/grant-order", object{"order": []string{bound.ID}}) // not in this region

	op := s.Operator()
	s.Ask(200, op, "POST", "/v1/persons", `{"person_no":"`+Mother+`","name":"王小芳","id_no":"999999198503070022","region":"430100","insutype":"310","psn_type":"11","status":"1","card_no":"C1","phone":"19900000001"}`)
	s.Ask(200, op, "POST", "/v1/institutions", object{"code": Pharmacy, "name": "新名", "kind": "pharmacy", "level": "11", "region": "430100", "status": "designated"})
	s.Ask(200, op, "POST", "/v1/persons/"+Father+"/freeze", nil)
	s.Ask(200, op, "POST", "/v1/persons/"+Father+"/unfreeze", nil)
	s.Ask(409, op, "POST", "/v1/persons/"+Father+"/erase", nil) // he is insured
	s.Ask(200, op, "POST", "/v1/institutions/"+Pharmacy+"/suspend", nil)
	s.Ask(200, op, "POST", "/v1/institutions/"+Pharmacy+"/resume", nil)
	s.Ask(200, op, "GET", "/v1/institutions/"+Pharmacy, nil)
	s.Ask(200, op, "GET", "/v1/trails/"+bound.ID, nil)
	s.Ask(200, op, "POST", "/v1/persons/searches", object{"type": "person", "value": Father})
	s.Ask(200, op, "GET", "/v1/acts/"+s.Now().In(time.FixedZone("", 8*3600)).Format("20060102"), nil)
	proof := s.must(200, op, "GET", "/v1/proofs/"+s.Now().In(time.FixedZone("", 8*3600)).Format("20060102"), nil)
	if proof["ok"] != true || proof["settlements"].(float64) != 5 {
		s.T.Fatalf("the books: %v", proof)
	}

	s.Rule(op, mother)

	declined := s.must(201, mother, "POST", "/v1/bindings", object{"name": "李大山", "id_no": "999999198206110032", "relation": "10", "show": true, "pay": nil})
	other := "/v1/bindings/" + declined["binding_id"].(string)
	s.Ask(200, mother, "POST", other+"/submit", object{"commitment": true})
	s.Ask(200, s.Person(Father), "POST", other+"/decline", nil)
	s.Ask(409, s.Person(Father), "POST", other+"/accept", nil)

	// A code that is being shown dies with its binding.
	show := object{"binding_id": bound.ID}
	shown := s.must(201, mother, "POST", "/v1/qr", show, "Idempotency-Key", "k2")
	s.Ask(201, mother, "POST", "/v1/qr", show, "Idempotency-Key", "k2")
	s.Ask(200, mother, "DELETE", binding, nil)
	s.Ask(410, s.Person(Mother), "GET", "/v1/qr/"+shown["token_id"].(string)+"/image.png", nil)
}

// Rule drafts a policy, which nobody else publishes, and replays what was settled.
func (s *Scene) Rule(op, mother string) {
	s.T.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../policy/regions/430100.json"))
	if err != nil {
		s.T.Fatal(err)
	}
	draft := strings.NewReplacer(`"version": "2026-01"`, `"version": "2099-01"`, `"from": "20260101"`, `"from": "20990101"`).Replace(string(text))
	s.Ask(201, op, "POST", "/v1/policies", `{"policy":`+draft+`}`)
	s.Ask(200, op, "GET", "/v1/policies", nil)
	const policy = "/v1/policies/430100@2099-01"
	s.Ask(200, op, "GET", policy, nil)
	s.Ask(403, op, "POST", policy+"/approve", nil)
	day := s.Now().In(time.FixedZone("", 8*3600)).Format("20060102")
	s.Ask(200, op, "POST", policy+"/what-if", object{"from": day, "to": day})
	for _, item := range s.must(200, mother, "GET", "/v1/settlements?role=payer", nil)["items"].([]any) {
		if sale := item.(object); sale["kind"] == "settlement" {
			if replay := s.must(200, op, "GET", "/v1/replays/"+sale["settlement_id"].(string), nil); replay["same"] != true {
				s.T.Fatalf("it comes out otherwise: %v", replay)
			}
		}
	}
}

// Premium pays the child's resident premium from the mother's account, gives it back and
// pays it again.
func (s *Scene) Premium(id, binding string) {
	s.T.Helper()
	op, mother := s.Operator(), s.Person(Mother)
	due := object{"person_no": Child, "kind": "resident", "year": 2027, "amount_fen": 400, "from": "20260101", "to": "20271231"}
	s.Ask(201, op, "POST", "/v1/dues", due)
	due["amount_fen"] = 300
	s.Ask(200, op, "POST", "/v1/dues", due)
	s.Ask(200, mother, "PATCH", binding, object{"pay": object{"purposes": []string{"care", "premium"}}})
	s.Ask(200, mother, "GET", "/v1/premiums?binding_id="+id, nil)
	pay := object{"binding_id": id, "kind": "resident", "year": 2027, "amount_fen": 300}
	paid := s.must(201, mother, "POST", "/v1/premiums", pay, "Idempotency-Key", "premium")
	s.Ask(201, mother, "POST", "/v1/premiums", pay, "Idempotency-Key", "premium")
	s.Ask(200, op, "POST", "/v1/premiums/"+paid["premium_id"].(string)+"/refund", nil)
	s.Ask(409, op, "POST", "/v1/premiums/"+paid["premium_id"].(string)+"/refund", nil)
	s.Ask(201, mother, "POST", "/v1/premiums", pay)
	s.Ask(404, s.Person(Child), "POST", "/v1/premiums", object{"kind": "long_term_care", "year": 2027, "amount_fen": 300})
}

// Feed feeds the story's people, places, goods and money.
func (s *Scene) Feed() {
	s.T.Helper()
	op := s.Operator()
	persons := strings.Join([]string{
		`{"person_no":"` + Mother + `","name":"王小芳","id_no":"999999198503070022","region":"430100","insutype":"310","psn_type":"11","status":"1","card_no":"C1"}`,
		`{"person_no":"nobody's number","name":"?"}`, // a bad line never stops the others
		`{"person_no":"` + Father + `","name":"李大山","id_no":"999999198206110032","region":"430100","insutype":"310","psn_type":"11","status":"1"}`,
		`{"person_no":"` + Child + `","name":"李小乐","id_no":"999999201801150017","region":"430100","insutype":"390","psn_type":"1403","status":"1"}`,
	}, "\n")
	reply := s.Ask(200, op, "POST", "/v1/persons", persons, "Content-Type", "application/x-ndjson")
	if n := bytes.Count(reply.Body, []byte(`"status":201`)); n != 3 {
		s.T.Fatalf("%d people of 3 were fed:\n%s", n, reply.Body)
	}
	for _, code := range []string{Hospital, Pharmacy} {
		kind, level := "hospital", "5"
		if code == Pharmacy {
			kind, level = "pharmacy", "11"
		}
		s.Ask(201, op, "POST", "/v1/institutions", object{"code": code, "name": "示例" + code, "kind": kind, "level": level, "region": "430100", "status": "designated"})
	}
	ratio := object{"310": "0.1000", "390": "0.1000"}
	s.Ask(201, op, "POST", "/v1/catalogue", object{"code": "A1", "name": "甲一", "list_type": "101", "class": "A", "effective_from": "20260101"})
	s.Ask(201, op, "POST", "/v1/catalogue", object{"code": "B1", "name": "乙一", "list_type": "101", "class": "B", "self_pay_ratio": ratio, "effective_from": "20260101"})
	s.Ask(201, op, "POST", "/v1/catalogue", object{
		"code": "A2", "name": "甲二", "list_type": "101", "class": "A", "effective_from": "20260101",
		"limits": object{"period_days": 30, "period_quantity": "10"}, // so what is sold of it is counted
	})
	credit := object{"reference": "2026-01", "person_no": Mother, "amount_fen": 50000, "pocket": "current"}
	s.Ask(201, op, "POST", "/v1/credits", credit)
	s.Ask(200, op, "POST", "/v1/credits", credit)
}

// Bind binds the child to the mother, both switches on, and returns the binding.
func (s *Scene) Bind() string {
	s.T.Helper()
	b := s.must(201, s.Person(Mother), "POST", "/v1/bindings", object{"name": "李小乐", "id_no": "999999201801150017", "relation": "30", "show": true, "pay": object{"purposes": []string{"care"}}})
	id := b["binding_id"].(string)
	s.Ask(200, s.Person(Mother), "POST", "/v1/bindings/"+id+"/submit", object{"commitment": true})
	return id
}

func lines(boxes ...string) []object {
	last := object{"line_no": 2, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 38000, "amount_fen": 38000}
	if len(boxes) > 0 {
		last["trace_codes"] = boxes
	}
	return []object{{"line_no": 1, "code": "B1", "name": "乙一", "quantity": "4", "unit_price_fen": 1250, "amount_fen": 5000}, last}
}

// Bill returns a bill of the hospital for the holder of a code, with the trace
// codes of its boxes.
func Bill(message, digits string, boxes ...string) map[string]any {
	return object{
		"message_id": message, "credential": object{"type": "qr", "value": digits}, "med_type": "11", "total_fen": 43000,
		"lines": lines(boxes...), "use_account": true,
	}
}

// ShowQR issues a code under a binding and returns its id and digits.
func (s *Scene) ShowQR(binding string) (id, digits string) {
	s.T.Helper()
	qr := s.must(201, s.Person(Mother), "POST", "/v1/qr", object{"binding_id": binding})
	return qr["token_id"].(string), qr["digits"].(string)
}

// Settle settles a bill of the child's at the hospital, and gives it back.
func (s *Scene) Settle(binding string) {
	s.T.Helper()
	mother, hospital := s.Person(Mother), s.Place(Hospital)
	id, digits := s.ShowQR(binding)
	s.Ask(200, mother, "GET", "/v1/qr/"+id, nil)
	s.Ask(200, mother, "GET", "/v1/qr/"+id+"/image.svg", nil)
	if png := s.Ask(200, mother, "GET", "/v1/qr/"+id+"/image.png", nil); !bytes.HasPrefix(png.Body, []byte("\x89PNG\r\n\x1a\n")) {
		s.T.Fatalf("no PNG: %.20q", png.Body)
	}
	s.Ask(200, mother, "GET", "/v1/qr/"+id+"/code128.svg", nil)

	quote := s.must(200, hospital, "POST", "/v1/quotes", Bill("", digits, "TRACE1"))
	message := s.MessageID(Hospital)
	bill := Bill(message, digits, "TRACE1")
	bill["expected_cash_fen"] = quote["cash_due_fen"]
	first := s.Ask(201, hospital, "POST", "/v1/settlements", bill)
	again := s.Ask(201, hospital, "POST", "/v1/settlements", bill)
	if !bytes.Equal(first.Body, again.Body) || again.Header.Get("Idempotent-Replay") != "true" {
		s.T.Fatalf("the repeat was answered otherwise:\n%s\n%s", first.Body, again.Body)
	}
	bill["total_fen"] = 1
	s.Ask(422, hospital, "POST", "/v1/settlements", bill)
	s.Ask(410, mother, "GET", "/v1/qr/"+id+"/image.png", nil)
	s.Ask(410, hospital, "POST", "/v1/settlements", Bill(s.MessageID(Hospital), digits, "TRACE1"))
	s.Ask(410, hospital, "POST", "/v1/quotes", Bill("", NeverIssued)) // which counts as a bad code
	s.Ask(200, hospital, "POST", "/v1/quotes", object{
		"credential": object{"type": "card", "value": "C1", "name": "王小芳"}, "med_type": "11", "total_fen": 38000,
		"lines": []object{{"line_no": 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 38000, "amount_fen": 38000}},
	})
	counted := object{
		"message_id": s.MessageID(Hospital), "credential": object{"type": "card", "value": "C1"}, "med_type": "11", "total_fen": 100,
		"use_account": true, "expected_cash_fen": 99, "lines": []object{{"line_no": 1, "code": "A2", "name": "甲二", "quantity": "1", "unit_price_fen": 100, "amount_fen": 100}},
	}
	s.Ask(409, hospital, "POST", "/v1/settlements", counted)
	delete(counted, "expected_cash_fen")
	counted["message_id"] = s.MessageID(Hospital)
	s.Ask(201, hospital, "POST", "/v1/settlements", counted)
	s.Ask(200, mother, "POST", "/v1/checks", object{"institution_code": Hospital, "med_type": "11", "lines": counted["lines"]})
	s.Ask(422, hospital, "POST", "/v1/quotes", object{
		"credential": object{"type": "id", "value": "999999198503070022", "name": "某某"}, "med_type": "11", "total_fen": 38000,
		"lines": []object{{"line_no": 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 38000, "amount_fen": 38000}},
	})

	s.Ask(200, hospital, "GET", "/v1/settlements/"+message, nil)
	s.Ask(200, mother, "GET", "/v1/settlements/"+message, nil)
	s.Ask(404, s.Person(Father), "GET", "/v1/settlements/"+message, nil)
	s.Ask(200, hospital, "GET", "/v1/messages/"+message, nil)
	s.Ask(200, hospital, "GET", "/v1/messages/"+s.MessageID(Hospital), nil)
	refund := object{"message_id": s.MessageID(Hospital), "lines": []object{{"line_no": 1, "quantity": "1"}}}
	s.Ask(201, hospital, "POST", "/v1/settlements/"+message+"/refunds", refund)
	s.Ask(201, hospital, "POST", "/v1/settlements/"+message+"/reversal", object{"message_id": s.MessageID(Hospital), "reason": "开错了"})
	s.Ask(409, hospital, "POST", "/v1/settlements/"+message+"/reversal", object{"message_id": s.MessageID(Hospital), "reason": "开错了"})
	s.Ask(200, hospital, "GET", "/v1/days/"+message[12:20]+"?limit=2", nil)
}

// The couple of Shenzhen, where a grantor is asked before much is taken, and their shop.
const (
	husband = "T00000000014"
	wife    = "T00000000015"
	shop    = "P44030000001"
)

// Confirm settles what a husband in Shenzhen is asked about first, and what he
// declines.
func (s *Scene) Confirm() {
	s.T.Helper()
	op := s.Operator()
	for _, p := range []string{
		`{"person_no":"` + husband + `","name":"郑大海","id_no":"999999198001010011","region":"440300","insutype":"310","psn_type":"11","status":"1"}`,
		`{"person_no":"` + wife + `","name":"郑小溪","id_no":"999999198202020021","region":"440300","insutype":"310","psn_type":"11","status":"1"}`,
	} {
		s.Ask(201, op, "POST", "/v1/persons", p)
	}
	s.Ask(201, op, "POST", "/v1/institutions", object{"code": shop, "name": "示例" + shop, "kind": "pharmacy", "level": "11", "region": "440300", "status": "designated"})
	s.Ask(201, op, "POST", "/v1/credits", object{"reference": "2026-02", "person_no": husband, "amount_fen": 1_000_000, "pocket": "current"})
	his, till := s.Person(husband), s.Place(shop)
	bound := s.must(201, his, "POST", "/v1/bindings", object{"name": "郑小溪", "id_no": "999999198202020021", "relation": "12", "show": true, "pay": object{"purposes": []string{"pharmacy"}}})
	binding := bound["binding_id"].(string)
	s.Ask(200, his, "POST", "/v1/bindings/"+binding+"/submit", object{"commitment": true})
	s.Ask(200, s.Person(wife), "POST", "/v1/bindings/"+binding+"/accept", nil)
	for _, word := range []string{"approve", "decline"} {
		message := s.MessageID(shop)
		bill := object{
			"message_id": message, "credential": object{"type": "qr", "value": s.must(201, his, "POST", "/v1/qr", object{"binding_id": binding})["digits"]},
			"med_type": "41", "total_fen": 600_000, "lines": []object{{"line_no": 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 600_000, "amount_fen": 600_000}},
		}
		if word == "decline" {
			s.Ask(201, op, "POST", "/v1/credits", object{"reference": "2026-03", "person_no": husband, "amount_fen": 1_000_000, "pocket": "current"})
		}
		s.Ask(202, till, "POST", "/v1/settlements", bill)
		s.Ask(202, till, "POST", "/v1/settlements", bill)
		s.Ask(200, his, "GET", "/v1/confirmations?limit=1", nil)
		s.Ask(200, till, "GET", "/v1/messages/"+message, nil)
		s.Ask(200, his, "POST", "/v1/confirmations/"+message+"/"+word, nil)
		s.Ask(map[string]int{"approve": 201, "decline": 409}[word], till, "POST", "/v1/settlements", bill)
	}
}

// Adjust puts the mother's account right: one operator proposes, another books it,
// and a second proposal is taken back.
func (s *Scene) Adjust() {
	s.T.Helper()
	clerk, chief := s.Operator(), s.Token(map[string]any{"roles": []string{"operator"}, "sub": "another-operator"})
	for _, reference := range []string{"ADJ-1", "ADJ-2"} {
		s.Ask(201, clerk, "POST", "/v1/adjustments", object{"reference": reference, "person_no": Mother, "amount_fen": -700, "pocket": "current", "reason": "duplicate_credit"})
	}
	s.Ask(200, chief, "GET", "/v1/adjustments?state=proposed&limit=1", nil)
	s.Ask(403, clerk, "POST", "/v1/adjustments/ADJ-1/approve", nil)
	s.Ask(200, chief, "POST", "/v1/adjustments/ADJ-1/approve", nil)
	s.Ask(200, clerk, "POST", "/v1/adjustments/ADJ-2/reject", nil)
	s.Ask(200, clerk, "GET", "/v1/adjustments/ADJ-1", nil)
	s.Ask(404, clerk, "GET", "/v1/checkpoints/20261120", nil) // nobody has signed it
	s.Ask(200, clerk, "GET", "/v1/checkpoints/20261121/heads", nil)
}

// Trouble asks for what is answered with an error, and in odd ways.
func (s *Scene) Trouble() {
	s.T.Helper()
	mother, op := s.Person(Mother), s.Operator()
	s.Ask(401, "", "GET", "/v1/me", nil)
	s.Ask(401, "not.a.token", "GET", "/v1/me", nil)
	s.Ask(401, "", "GET", "/v1/me", nil, "X-Amzn-Request-Context", `{"authorizer":{"jwt":{"claims":{"person_no":"`+Mother+`"}}}}`)
	s.Ask(403, mother, "POST", "/v1/quotes", Bill("", "1"))
	s.Ask(404, mother, "GET", "/v1/nothing", nil)
	s.Ask(404, mother, "GET", "/v1/qr/%41%20%2F%E7%8E%8B?x=%20&x=+&y", nil)
	s.Ask(405, mother, "PUT", "/v1/me", nil)
	s.Ask(405, mother, "OPTIONS", "/v1/me", nil)
	s.Ask(400, mother, "POST", "/v1/qr", `{"binding_id":`)
	s.Ask(400, mother, "POST", "/v1/qr", `{"binding_id":"a","binding_id":"b"}`)
	s.Ask(400, mother, "POST", "/v1/qr", `{"多余":1}`)
	s.Ask(400, mother, "POST", "/v1/qr", "\xff\xfe")
	s.Ask(413, mother, "POST", "/v1/qr", `"`+strings.Repeat("a", 256<<10)+`"`)
	s.Ask(400, mother, "GET", "/v1/account/entries?limit=1000", nil)
	s.Ask(400, op, "POST", "/v1/credits", `{"amount_fen":1.0}`)
	s.Ask(200, mother, "GET", "/v1/account", nil, "Cookie", "a=1; b=2,3; c=\"x; y\"", "Accept", "text/html, application/json;q=0.9, */*;q=0.8", "Accept-Language", "zh-CN,zh;q=0.9")
	s.Ask(200, mother, "HEAD", "/v1/account", nil)
}
