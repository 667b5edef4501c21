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
	count("an operator looks at a person", func() {
		s.Ask(http.StatusOK, s.Operator(), "POST", "/v1/persons/searches", map[string]any{"type": "person", "value": onawstest.Child})
	})
	count("look at ten receipts", func() { s.Ask(http.StatusOK, mother, "GET", "/v1/settlements?role=payer&limit=10", nil) })

	// The same purchase at the national interface, in its steps.
	s.Key()
	call := func(infno string, input map[string]any) map[string]any {
		return s.HIS(0, infno, s.MessageID(onawstest.Hospital), input)
	}
	var token, visit any
	_, digits = s.ShowQR(binding)
	count("6101 decode a code", func() {
		token = call("6101", map[string]any{"data": map[string]any{"ecQrCode": digits, "businessType": "01301"}})["ecToken"]
	})
	who := map[string]any{"mdtrt_cert_type": "01", "mdtrt_cert_no": token, "psn_no": onawstest.Child, "ipt_otp_no": "OP1"}
	count("2201 open a visit", func() { visit = call("2201", map[string]any{"data": who})["data"].(map[string]any)["mdtrt_id"] })
	count("2203 what it is for", func() {
		call("2203", map[string]any{"mdtrtinfo": map[string]any{"mdtrt_id": visit, "psn_no": onawstest.Child, "med_type": "11"}})
	})
	count("2204 charge two lines", func() {
		line := func(no int, code string, cnt, price float64) map[string]any {
			return map[string]any{"mdtrt_id": visit, "psn_no": onawstest.Child, "chrg_bchno": "0", "feedetl_sn": no, "med_list_codg": code, "medins_list_codg": "L", "cnt": cnt, "pric": price, "det_item_fee_sumamt": cnt * price}
		}
		call("2204", map[string]any{"feedetail": []any{line(1, "B1", 4, 12.5), line(2, "A1", 1, 380)}})
	})
	due := map[string]any{"data": map[string]any{"mdtrt_cert_type": "01", "mdtrt_cert_no": token, "psn_no": onawstest.Child, "mdtrt_id": visit, "med_type": "11", "chrg_bchno": "0", "medfee_sumamt": 430, "acct_used_flag": "1"}}
	count("2206 what it would be", func() { call("2206", due) })
	setl := s.MessageID(onawstest.Hospital)
	count("2207 settle the visit", func() { s.HIS(0, "2207", setl, due) })
	count("2207 the same message again", func() { s.HIS(0, "2207", setl, due) })
	count("2208 give it back", func() {
		call("2208", map[string]any{"data": map[string]any{"setl_id": setl, "mdtrt_id": visit, "psn_no": onawstest.Child}})
	})

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
	// What a settlement leaves in the table is what a million of them are billed by.
	rows = append(rows, fmt.Sprintf("| a settlement by code, with its code | %.1f KB |", float64(bills["issue a code"].Kept+bills["settle by code, one grantor pays"].Kept)/1000),
		fmt.Sprintf("| a visit settled at the national interface, its steps and code | %.1f KB |", float64(bills["issue a code"].Kept+bills["6101 decode a code"].Kept+bills["2201 open a visit"].Kept+bills["2203 what it is for"].Kept+bills["2204 charge two lines"].Kept+bills["2206 what it would be"].Kept+bills["2207 settle the visit"].Kept)/1000))
	alarmed, tm := 0, readTemplate(t)
	for _, alarm := range tm.ofType("AWS::CloudWatch::Alarm") {
		alarmed++
		if many, ok := tm.properties(alarm)["Metrics"].([]any); ok {
			alarmed += len(many) - 2 // the expression is no metric, and stands for one
		}
	}
	rows = append(rows, fmt.Sprintf("| alarms on metrics | %d | 0.10 | %.2f |", alarmed, float64(alarmed)/10))
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
