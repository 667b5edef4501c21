package api

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"gongji/shared/store/storetest"
)

// TestReplays sends what carries an identity again: the same bytes and status, and
// the header that says so; other content under the identity is refused. Nothing is
// written either time.
func TestReplays(t *testing.T) {
	s := sceneOf(t)
	h := s.open(t)
	sale := strings.Replace(tillBill, "MESSAGE", h.messageID(hospital), 1)
	saleID := sale[len(`{"message_id":"`):][:30]
	message := func() string { return h.messageID(hospital) }
	for _, c := range []struct {
		name, by, path, key string
		body, other         string
		want                string
	}{
		{"settlement", hospital, "/v1/settlements", "", sale, strings.Replace(sale, `"甲"`, `"乙"`, 1), "201"},
		{"settlement refused for its lines", hospital, "/v1/settlements", "", strings.Replace(strings.Replace(tillBill, "MESSAGE", message(), 1), "A1", "X1", 1), "", "422 item_not_covered"},
		{"settlement refused for its code", hospital, "/v1/settlements", "", strings.NewReplacer("MESSAGE", message(), `"card","value":"C`+mother+`"`, `"qr","value":"86000000000000000000"`).Replace(tillBill), "", "410 qr_invalid"},
		{"settlement refused for its sum", hospital, "/v1/settlements", "", strings.NewReplacer("MESSAGE", message(), `"total_fen":100`, `"total_fen":101`).Replace(tillBill), "", "422 sum_mismatch"},
		{"settlement refused for its quote", hospital, "/v1/settlements", "", strings.NewReplacer("MESSAGE", message(), `"total_fen":100`, `"total_fen":100,"expected_cash_fen":1`).Replace(tillBill), "", "409 quote_stale"},
		{"refund", hospital, "/v1/settlements/" + s.sale + "/refunds", "", `{"message_id":"` + message() + `","lines":[{"line_no":1,"quantity":"1"}]}`, `{"message_id":"` + h.lastMessage(hospital) + `","lines":[{"line_no":1,"quantity":"2"}]}`, "201"},
		{"refund refused", hospital, "/v1/settlements/" + s.sale + "/refunds", "", `{"message_id":"` + message() + `","lines":[{"line_no":1,"quantity":"4"}]}`, "", "409 already_refunded"},
		{"refund of no line", hospital, "/v1/settlements/" + s.sale + "/refunds", "", `{"message_id":"` + message() + `","lines":[{"line_no":77,"quantity":"4"}]}`, "", "404 not_found"},
		{"reversal", hospital, "/v1/settlements/" + s.sale + "/reversal", "", `{"message_id":"` + message() + `","reason":"a"}`, `{"message_id":"` + h.lastMessage(hospital) + `","reason":"b"}`, "201"},
		{"reversal refused", hospital, "/v1/settlements/" + s.sale + "/reversal", "", `{"message_id":"` + message() + `","reason":"a"}`, "", "409 already_reversed"},
		{"reversal of nothing", hospital, "/v1/settlements/" + hospital + "202611211000007777/reversal", "", `{"message_id":"` + message() + `","reason":"a"}`, "", "404 original_unknown"},
		{"binding", mother, "/v1/bindings", "k1", `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":true}`, `{"name":"陈一二","id_no":"430102197001010017","relation":"77","show":true}`, "201"},
		{"binding refused", mother, "/v1/bindings", "k2", `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":true}`, `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":false,"pay":{"purposes":["care"]}}`, "422 already_bound"},
		{"binding of nobody", mother, "/v1/bindings", "k3", `{"name":"陈","id_no":"430102197001010017","relation":"75","show":true}`, "", "422 identity_mismatch"},
		{"code", mother, "/v1/qr", "k4", `{"binding_id":"` + s.bound + `"}`, `{}`, "201"},
		{"code under a key of a binding", mother, "/v1/qr", "k1", `{}`, "", "422 message_reused"},
		{"code under another's key", stranger, "/v1/qr", "k4", `{}`, "", "201"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := h.person(c.by)
			if c.by == hospital {
				token = h.place(c.by)
			}
			var key []string
			if c.key != "" {
				key = []string{"Idempotency-Key", c.key}
			}
			first := h.ask(token, "POST", c.path, c.body, key...)
			if got := heard(t, first); got != c.want || first.header.Get("Idempotent-Replay") != "" {
				t.Fatalf("first %s, not %s\n%s", got, c.want, first.body)
			}
			before := h.records()
			again := h.ask(token, "POST", c.path, strings.ReplaceAll(c.body, ",", " , "), key...)
			if c.want == "422 message_reused" {
				if again.header.Get("Idempotent-Replay") != "" {
					t.Error("a reuse is called a replay")
				}
			} else if again.header.Get("Idempotent-Replay") != "true" {
				t.Error("the replay is not called one")
			}
			if again.status != first.status || !bytes.Equal(again.body, first.body) {
				t.Errorf("again %d\n%s\nfirst %d\n%s", again.status, again.body, first.status, first.body)
			}
			if c.other != "" {
				r := h.ask(token, "POST", c.path, c.other, key...)
				if got := heard(t, r); got != "422 message_reused" || r.header.Get("Idempotent-Replay") != "" {
					t.Errorf("other content: %s", got)
				}
			}
			if !maps.Equal(before, h.records()) {
				t.Error("a repeat writes")
			}
		})
	}

	// Days later, after the settlement was reversed, its institution suspended and
	// the patient frozen, its message still has its first answer.
	first := h.ask(h.place(hospital), "POST", "/v1/settlements", sale)
	h.must(201, h.place(hospital), "POST", "/v1/settlements/"+saleID+"/reversal", map[string]any{"message_id": message(), "reason": "x"})
	h.must(200, h.operator(), "POST", "/v1/institutions/"+hospital+"/suspend", nil)
	h.must(200, h.operator(), "POST", "/v1/persons/"+mother+"/freeze", nil)
	h.advance(72 * time.Hour)
	if r := h.ask(h.place(hospital), "POST", "/v1/settlements", sale); r.status != 201 || !bytes.Equal(r.body, first.body) || r.header.Get("Idempotent-Replay") != "true" {
		t.Errorf("days later: %d\n%s\nfirst\n%s", r.status, r.body, first.body)
	}
}

// lastMessage returns the message id that was made last.
func (h *house) lastMessage(place string) string {
	h.serial--
	return h.messageID(place)
}

// TestMessages asks what became of a message in each of its states: the answer is
// the same however often it is asked, and asking for one that never came closes it.
func TestMessages(t *testing.T) {
	s := sceneOf(t)
	h := s.open(t)
	tills := h.place(hospital)
	never := h.messageID(hospital)
	late := strings.Replace(tillBill, "MESSAGE", never, 1)
	for message, want := range map[string][]any{
		s.sale:    {"settled", "settlement", "message_settled", "do_nothing"},
		s.refused: {"refused", nil, "qr_spent", "refresh_qr"},
		never:     {"fenced", nil, "message_fenced", "fix"},
	} {
		first := h.ask(tills, "GET", "/v1/messages/"+message, nil)
		v := first.json(t)
		if got := []any{v["state"], v["kind"], v["code"], v["next"]}; first.status != 200 || fmt.Sprint(got) != fmt.Sprint(want) || v["message_zh"] == "" || (v["settlement"] != nil) != (want[0] == "settled") {
			t.Errorf("%s: %d %v, not %v", message, first.status, got, want)
		}
		before := h.records()
		if again := h.ask(tills, "GET", "/v1/messages/"+message, nil); !bytes.Equal(again.body, first.body) || !maps.Equal(before, h.records()) {
			t.Errorf("%s again: %s", message, again.body)
		}
	}
	for range 2 {
		r := h.ask(tills, "POST", "/v1/settlements", late)
		if heard(t, r) != "409 message_fenced" || r.header.Get("Idempotent-Replay") != "" {
			t.Errorf("the late original: %d %s", r.status, r.body)
		}
	}
	// Whoever reverses what never came fences it too.
	never = h.messageID(hospital)
	h.must(404, tills, "POST", "/v1/settlements/"+never+"/reversal", `{"message_id":"`+h.messageID(hospital)+`","reason":"x"}`)
	if r := h.ask(tills, "POST", "/v1/settlements", strings.Replace(tillBill, "MESSAGE", never, 1)); heard(t, r) != "409 message_fenced" {
		t.Errorf("the original after its reversal: %d %s", r.status, r.body)
	}
	// What was malformed was never seen.
	never = h.messageID(hospital)
	h.must(400, tills, "POST", "/v1/settlements", strings.NewReplacer("MESSAGE", never, `"total_fen":100`, `"total_fen":1.00`).Replace(tillBill))
	h.must(201, tills, "POST", "/v1/settlements", strings.Replace(tillBill, "MESSAGE", never, 1))
}

// TestFaults lets the store fail at every act of the story, once and for good: the
// client hears busy, or that nobody knows, never a stack or an error of ours; and
// the same request again has the answer that it would have had.
func TestFaults(t *testing.T) {
	s := sceneOf(t)
	h := s.open(t)
	rest := h.records()
	for _, c := range []struct {
		name    string
		by      func(*house, scene) string
		method  string
		path    string
		body    string
		want    int
		replays bool // the second time says that it is one, where the first was done
	}{
		{"settle", byHospital, "POST", "/v1/settlements", tillBill, 201, true},
		{"refund", byHospital, "POST", "/v1/settlements/" + s.sale + "/refunds", `{"message_id":"MESSAGE","lines":[{"line_no":1,"quantity":"1"}]}`, 201, true},
		{"reverse", byHospital, "POST", "/v1/settlements/" + s.sale + "/reversal", `{"message_id":"MESSAGE","reason":"x"}`, 201, true},
		{"fence", byHospital, "GET", "/v1/messages/" + hospital + "202611211000005555", "", 200, false},
		{"bind", byPerson(mother), "POST", "/v1/bindings", `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":true}`, 201, true},
		{"submit", byPerson(mother), "POST", "/v1/bindings/" + s.draft + "/submit", `{"commitment":true}`, 200, false},
		{"accept", byPerson(mother), "POST", "/v1/bindings/" + s.asked + "/accept", "", 200, false},
		{"end", byPerson(mother), "DELETE", "/v1/bindings/" + s.bound, "", 200, false},
		{"show", byPerson(mother), "POST", "/v1/qr", `{"binding_id":"` + s.bound + `"}`, 201, true},
		{"order", byPerson(granny), "PUT", "/v1/me/grant-order", `{"order":["` + s.chosen + `"]}`, 200, false},
		{"freeze", byOperator, "POST", "/v1/persons/" + mother + "/freeze", "", 200, false},
		{"suspend", byOperator, "POST", "/v1/institutions/" + hospital + "/suspend", "", 200, false},
		{"credit", byOperator, "POST", "/v1/credits", `{"reference":"R-1","person_no":"` + mother + `","amount_fen":1,"pocket":"past"}`, 201, false},
		{"quote", byHospital, "POST", "/v1/quotes", tillBill, 200, false},
		{"me", byPerson(mother), "GET", "/v1/me", "", 200, false},
		{"entries", byPerson(mother), "GET", "/v1/account/entries", "", 200, false},
		{"day", byHospital, "GET", "/v1/days/20261121", "", 200, false},
		{"proof", byOperator, "GET", "/v1/proofs/20261121", "", 200, false},
	} {
		for _, verb := range []storetest.Verb{storetest.Get, storetest.List, storetest.Commit} {
			for _, fault := range storetest.Faults[1:] {
				if verb != storetest.Commit && fault != storetest.Fails {
					continue
				}
				name := fmt.Sprint(c.name, ", ", verb, " ", fault)
				if !maps.Equal(rest, h.records()) {
					h = s.open(t)
				}
				h.store.Plan = nil
				ask := func(text string) reply {
					var body any
					if text != "" {
						body = text
					}
					return h.ask(c.by(h, s), c.method, c.path, body, "Idempotency-Key", "k")
				}
				met := false
				h.store.Plan = func(call storetest.Call) storetest.Fault {
					if call.Verb == verb {
						met = true
						return fault
					}
					return storetest.None
				}
				text := strings.Replace(c.body, "MESSAGE", h.messageID(hospital), 1)
				r := ask(text)
				if !met {
					if r.status != c.want {
						t.Errorf("%s: %d without a fault\n%s", name, r.status, r.body)
					}
					continue
				}
				want := "503 busy"
				if verb == storetest.Commit && fault != storetest.Fails && fault != storetest.Conflicts {
					want = "503 outcome_unknown"
				}
				if got := heard(t, r); got != want {
					t.Errorf("%s: %s, not %s\n%s", name, got, want, r.body)
				}
				if want == "503 busy" && !maps.Equal(rest, h.records()) {
					t.Errorf("%s: something is written", name)
				}
				h.store.Plan = nil
				h.store.Settle(t.Context())
				done := !maps.Equal(rest, h.records())
				r = ask(text)
				if credited := c.name == "credit" && done; r.status != c.want && !(credited && r.status == 200) {
					t.Errorf("%s, again: %d\n%s", name, r.status, r.body)
				}
				if replay := r.header.Get("Idempotent-Replay") == "true"; replay != (c.replays && done) {
					t.Errorf("%s, again: replay is %v", name, replay)
				}
			}
		}
	}
}
