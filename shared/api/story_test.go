package api

import (
	"bytes"
	"testing"
)

// The main story through the door: bind, show, quote, settle, both receipts,
// refund, reverse, and the books are in order.
func TestStory(t *testing.T) {
	h := fedHouse(t)
	binding := h.bind(mother, child, "30")
	qr := h.must(201, h.person(mother), "POST", "/v1/qr", map[string]any{"binding_id": binding})
	digits := qr["digits"].(string)
	quote := h.must(200, h.place(hospital), "POST", "/v1/quotes", bill("", digits))
	if quote["shared_paid_fen"].(float64) != 50000 || quote["cash_due_fen"].(float64) != 2500 {
		t.Errorf("shared %v and cash %v, not all of the mother's 500.00 and 25.00", quote["shared_paid_fen"], quote["cash_due_fen"])
	}
	message := h.messageID(hospital)
	first := h.ask(h.place(hospital), "POST", "/v1/settlements", bill(message, digits))
	if first.status != 201 {
		t.Fatalf("%d\n%s", first.status, first.body)
	}
	again := h.ask(h.place(hospital), "POST", "/v1/settlements", bill(message, digits))
	if !bytes.Equal(first.body, again.body) || again.header.Get("Idempotent-Replay") != "true" || first.header.Get("Idempotent-Replay") != "" {
		t.Errorf("the repeat was answered otherwise:\n%s\n%s", first.body, again.body)
	}
	h.must(201, h.place(hospital), "POST", "/v1/settlements/"+message+"/refunds", map[string]any{"message_id": h.messageID(hospital), "lines": []map[string]any{{"line_no": 1, "quantity": "1"}}})
	h.must(201, h.place(hospital), "POST", "/v1/settlements/"+message+"/reversal", map[string]any{"message_id": h.messageID(hospital), "reason": "开错了"})
	account := h.must(200, h.person(mother), "GET", "/v1/account", nil)
	if account["balance_fen"].(float64) != 50000 {
		t.Errorf("balance %v after everything was given back", account["balance_fen"])
	}
	proof := h.must(200, h.operator(), "GET", "/v1/proofs/20261121", nil)
	if proof["ok"] != true || proof["settlements"].(float64) != 3 {
		t.Errorf("proof %v", proof)
	}
}
