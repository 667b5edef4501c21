package deploy

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gongji/infra/meter"
	"gongji/shared/onaws/onawstest"
)

// TestCost counts what the acts of everyday life cost, and holds docs/cost.md to it.
func TestCost(t *testing.T) {
	m := meter.New(newStore(t))
	h := open(t, m)
	s := h.scene(func(q onawstest.Request) onawstest.Reply {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(q.Method, q.Target, bytes.NewReader(q.Body))
		r.Header = q.Header.Clone()
		h.door.ServeHTTP(w, r)
		return onawstest.Reply{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	})
	var rows []string
	bills := map[string]meter.Bill{}
	count := func(act string, do func()) {
		m.Reset()
		do()
		b := m.Bill()
		bills[act] = b
		rows = append(rows, fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d |", act, b.Rounds, b.ReadUnits, b.Commits, b.Puts, b.Checks, b.Bytes, b.WriteUnits))
	}
	mother, hospital, op := s.Person(onawstest.Mother), s.Place(onawstest.Hospital), s.Operator()

	s.Feed()
	count("feed a credit", func() {
		s.Ask(http.StatusCreated, op, "POST", "/v1/credits", map[string]any{"reference": "2026-02", "person_no": onawstest.Mother, "amount_fen": 1000, "pocket": "current"})
	})
	var binding, digits string
	count("ask for a binding and promise", func() { binding = s.Bind() })
	s.ShowQR(binding)
	count("issue a code", func() { _, digits = s.ShowQR(binding) })
	count("quote", func() {
		s.Ask(http.StatusOK, hospital, "POST", "/v1/quotes", onawstest.Bill("", digits))
	})
	message := s.MessageID(onawstest.Hospital)
	count("settle by code, one grantor pays", func() {
		s.Ask(http.StatusCreated, hospital, "POST", "/v1/settlements", onawstest.Bill(message, digits))
	})
	count("the same message again", func() {
		s.Ask(http.StatusCreated, hospital, "POST", "/v1/settlements", onawstest.Bill(message, digits))
	})
	count("ask what became of a message", func() { s.Ask(http.StatusOK, hospital, "GET", "/v1/messages/"+message, nil) })
	_, digits = s.ShowQR(binding)
	count("settle the same with one trace code", func() {
		s.Ask(http.StatusCreated, hospital, "POST", "/v1/settlements", onawstest.Bill(s.MessageID(onawstest.Hospital), digits, "TRACE9"))
	})
	count("refund a line", func() {
		s.Ask(http.StatusCreated, hospital, "POST", "/v1/settlements/"+message+"/refunds", map[string]any{"message_id": s.MessageID(onawstest.Hospital), "lines": []map[string]any{{"line_no": 1, "quantity": "1"}}})
	})
	count("reverse what is left", func() {
		s.Ask(http.StatusCreated, hospital, "POST", "/v1/settlements/"+message+"/reversal", map[string]any{"message_id": s.MessageID(onawstest.Hospital), "reason": "开错了"})
	})
	count("look at the balance", func() { s.Ask(http.StatusOK, mother, "GET", "/v1/account", nil) })
	count("look at ten receipts", func() { s.Ask(http.StatusOK, mother, "GET", "/v1/settlements?role=payer&limit=10", nil) })

	// Six records: the message, the code, two accounts, two entries. One more would
	// be two units more of each settlement there will ever be.
	if b := bills["settle by code, one grantor pays"]; b.Commits != 1 || b.Puts != 6 {
		t.Errorf("a settlement makes %d commits of %d records", b.Commits, b.Puts)
	}
	if b := bills["the same message again"]; b.Commits != 0 {
		t.Errorf("a repeat writes: %+v", b)
	}
	if b := bills["look at the balance"]; b.Commits != 0 || b.Rounds != 1 {
		t.Errorf("to look is to write: %+v", b)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if !strings.Contains(string(page), row+"\n") {
			t.Errorf("docs/cost.md does not have the row measured here:\n%s", row)
		}
	}
}
