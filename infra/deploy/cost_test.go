package deploy

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/onaws/onawstest"
	"gongji/shared/store"
)

// meter is a store that counts what DynamoDB would charge for.
type meter struct {
	store.Store
	sizes map[store.Key]int // of the records as they stand, in bytes as DynamoDB counts them
	now   bill
}

// bill is what one request cost.
type bill struct{ rounds, commits, puts, checks, bytes, writeUnits, readUnits int }

// sizeOf returns an item's size: the names and values of its attributes. A number
// takes a byte for two digits and one more.
func sizeOf(k store.Key, version uint64, body int, expires bool) int {
	n := len("part") + len(k.Part) + len("sort") + len(k.Sort) + len("v") + (len(strconv.FormatUint(version, 10))+1)/2 + 1 + len("body") + body
	if expires {
		n += len("expires") + 6
	}
	return n
}

func blocks(size, of int) int { return max(1, (size+of-1)/of) }

// Get counts one unit for each 4 KiB of a record, each rounded up by itself.
func (m *meter) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	m.now.rounds++
	for _, k := range keys {
		m.now.readUnits += blocks(m.sizes[k], 4096)
	}
	return m.Store.Get(ctx, keys...)
}

// List counts them for all its records together.
func (m *meter) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	m.now.rounds++
	records, err := m.Store.List(ctx, r)
	size := 0
	for _, record := range records {
		size += m.sizes[record.Key]
	}
	m.now.readUnits += blocks(size, 4096)
	return records, err
}

// Commit counts two units for each KiB of a record, as it was or will be, whichever
// is more, and of a check too.
func (m *meter) Commit(ctx context.Context, writes []store.Write) error {
	m.now.commits++
	for _, w := range writes {
		size := m.sizes[w.Key]
		if w.Check {
			m.now.checks++
		} else {
			m.now.puts++
			after := sizeOf(w.Key, w.Base+1, len(w.Body), !w.Expires.IsZero())
			m.now.bytes += after
			size = max(size, after)
			m.sizes[w.Key] = after
		}
		m.now.writeUnits += 2 * blocks(size, 1024)
	}
	return m.Store.Commit(ctx, writes)
}

// TestCost counts what the acts of everyday life cost, and holds docs/cost.md to it.
func TestCost(t *testing.T) {
	m := &meter{Store: newStore(t), sizes: map[store.Key]int{}}
	h := open(t, m)
	s := h.scene(func(q onawstest.Request) onawstest.Reply {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(q.Method, q.Target, bytes.NewReader(q.Body))
		r.Header = q.Header.Clone()
		h.door.ServeHTTP(w, r)
		return onawstest.Reply{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	})
	var rows []string
	bills := map[string]bill{}
	count := func(act string, do func()) {
		m.now = bill{}
		do()
		b := m.now
		bills[act] = b
		rows = append(rows, fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d |", act, b.rounds, b.readUnits, b.commits, b.puts, b.checks, b.bytes, b.writeUnits))
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
	if b := bills["settle by code, one grantor pays"]; b.commits != 1 || b.puts != 6 {
		t.Errorf("a settlement makes %d commits of %d records", b.commits, b.puts)
	}
	if b := bills["the same message again"]; b.commits != 0 {
		t.Errorf("a repeat writes: %+v", b)
	}
	if b := bills["look at the balance"]; b.commits != 0 || b.rounds != 1 {
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
