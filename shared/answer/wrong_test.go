package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
)

// write returns the text of a catalogue file.
func write(t *testing.T, rows []Row, rules []rule) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(struct {
		Rows   []Row   `json:"rows"`
		Rules  []rule  `json:"rules"`
		Events []event `json:"events"`
		Ready  []ready `json:"readiness"`
	}{rows, rules, built().events, built().ready}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each fault is made in the first and the last row that it is one of, and the
// error names the row.
func TestWrongRows(t *testing.T) {
	if _, err := Load(write(t, All(), built().rules)); err != nil {
		t.Fatal(err)
	}
	every := func(Row) bool { return true }
	refusal := func(r Row) bool { return r.Kind != Reason }
	notDecided := func(r Row) bool { return r.Kind != Decided }
	waits := func(r Row) bool { return r.RetryAfter > 0 }
	kind := func(k Kind) func(Row) bool { return func(r Row) bool { return r.Kind == k } }
	for _, c := range []struct {
		name  string
		in    func(Row) bool
		wrong func(*Row)
		field string
	}{
		{"no code", every, func(r *Row) { r.Code = "" }, "code:"},
		{"another code", every, func(r *Row) { r.Code += "s" }, "code:"},
		{"no kind", every, func(r *Row) { r.Kind = "" }, "kind:"},
		{"a kind that is none", every, func(r *Row) { r.Kind = "refused" }, "kind:"},
		{"a status on a reason", kind(Reason), func(r *Row) { r.Status = 422 }, "status:"},
		{"no status", refusal, func(r *Row) { r.Status = 0 }, "status:"},
		{"a status of success", every, func(r *Row) { r.Status = 200 }, "status:"},
		{"an unknown that looks decided", kind(Unknown), func(r *Row) { r.Status = 409 }, "status:"},
		{"a decided that looks unknown", kind(Decided), func(r *Row) { r.Status = 500 }, "status:"},
		{"an infcode that is none", every, func(r *Row) { r.HIS = 1 }, "his:"},
		{"an envelope around what is unknown", kind(Unknown), func(r *Row) { r.HIS = -1 }, "his:"},
		{"no next", every, func(r *Row) { r.Next = "" }, "next:"},
		{"a next that is none", every, func(r *Row) { r.Next = "new_id" }, "next:"},
		{"a reason that asks", kind(Reason), func(r *Row) { r.Next = Fix }, "next:"},
		{"an unknown under a new id", kind(Unknown), func(r *Row) { r.Next = Fix }, "next:"},
		{"no wait", waits, func(r *Row) { r.RetryAfter = 0 }, "retry_after:"},
		{"a wait for nothing", func(r Row) bool { return !waits(r) }, func(r *Row) { r.RetryAfter = 1 }, "retry_after:"},
		{"a wait into the past", every, func(r *Row) { r.RetryAfter = -1 }, "retry_after:"},
		{"a reason where there is none", notDecided, func(r *Row) { r.Reason = r.Title }, "reason:"},
		{"half a reason", kind(Decided), func(r *Row) { r.Reason = Text{ZH: "原因"} }, "reason.en:"},
		{"no title", every, func(r *Row) { r.Title.ZH = "" }, "title.zh:"},
		{"no message", every, func(r *Row) { r.Message.EN = "" }, "message.en:"},
		{"no cashier's line", every, func(r *Row) { r.Cashier.ZH = "" }, "cashier.zh:"},
		{"no person's line", every, func(r *Row) { r.Person = Text{} }, "person.zh:"},
		{"English for Chinese", every, func(r *Row) { r.Person.ZH = r.Person.EN }, "person.zh:"},
		{"Chinese in English", every, func(r *Row) { r.Cashier.EN += "！" }, "cashier.en:"},
		{"a balance", every, func(r *Row) { r.Cashier.ZH += "，余额12.30" }, "cashier.zh:"},
		{"a figure in full width", every, func(r *Row) { r.Person.ZH += "１" }, "person.zh:"},
		{"two lines", every, func(r *Row) { r.Cashier.ZH += "\n请收现金" }, "cashier.zh:"},
		{"space at the end", every, func(r *Row) { r.Title.EN += " " }, "title.en:"},
		{"two sentences", every, func(r *Row) { r.Message.ZH += "再试。" }, "message.zh:"},
		{"two English sentences", every, func(r *Row) { r.Message.EN += " Try again." }, "message.en:"},
		{"no end", every, func(r *Row) { r.Message.ZH = strings.TrimSuffix(r.Message.ZH, "。") }, "message.zh:"},
		{"no line for the HIS", every, func(r *Row) { r.HISText = "" }, "his_text:"},
		{"nothing but the code", every, func(r *Row) { r.HISText = "[" + string(r.Code) + "]" }, "his_text:"},
		{"another code in the line", every, func(r *Row) { r.HISText = "有误[nothing]" }, "his_text:"},
		{"a line too long", every, func(r *Row) { r.HISText = strings.Repeat("误", 200) + r.HISText }, "his_text:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := All()
			first := slices.IndexFunc(all, c.in)
			last := first
			for i, r := range all {
				if c.in(r) {
					last = i
				}
			}
			for _, i := range []int{first, last} {
				rows := All()
				c.wrong(&rows[i])
				_, err := Load(write(t, rows, built().rules))
				want := fmt.Sprintf("rows[%d] (%s): %s", i, all[i].Code, c.field)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
}

func TestHISTextFits(t *testing.T) {
	rows := All()
	end := "[" + string(rows[0].Code) + "]"
	rows[0].HISText = strings.Repeat("误", 200-len(end)) + end
	if _, err := Load(write(t, rows, built().rules)); err != nil {
		t.Errorf("200 characters: %v", err)
	}
	rows[0].HISText = "误" + rows[0].HISText
	if _, err := Load(write(t, rows, built().rules)); err == nil {
		t.Error("201 characters pass")
	}
}

func TestWrongOrder(t *testing.T) {
	last := len(family.Codes) - 1
	swap := All()
	swap[8], swap[9] = swap[9], swap[8]
	for _, c := range []struct {
		name string
		rows []Row
		want string
	}{
		{"two rows swapped", swap, "rows[8] (not_found): code:"},
		{"a row twice", slices.Insert(All(), 5, All()[4]), "rows[5] (rate_limited): code:"},
		{"the first missing", All()[1:], "rows[0] (malformed): code:"},
		{"the last missing", All()[:last], fmt.Sprintf("rows[%d] (%s): missing", last, family.Codes[last])},
		{"one too many", append(All(), All()[0]), fmt.Sprintf("rows[%d]: there are only %d codes", last+1, last+1)},
		{"none", []Row{}, "rows[0] (malformed): missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, c.rows, built().rules))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWrongRules(t *testing.T) {
	for _, none := range [][]rule{nil, {}} {
		if _, err := Load(write(t, All(), none)); err == nil || !strings.Contains(err.Error(), "rules: none") {
			t.Errorf("no rules: %v", err)
		}
	}
	for _, c := range []struct {
		name  string
		wrong func(*rule)
		want  string
	}{
		{"no name", func(r *rule) { r.Rule = "" }, "rules[3] (): rule: empty"},
		{"a name twice", func(r *rule) { r.Rule = "bindings" }, "rules[3] (bindings): rule: given twice"},
		{"no Chinese", func(r *rule) { r.ZH = "" }, "rules[3] (grants.kins): zh:"},
		{"a figure", func(r *rule) { r.EN = "At most 5." }, "rules[3] (grants.kins): en:"},
		{"no sentence", func(r *rule) { r.ZH = "人数" }, "rules[3] (grants.kins): zh:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := slices.Clone(built().rules)
			c.wrong(&rules[3])
			_, err := Load(write(t, All(), rules))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Faults that a writer of JSON does not make, and a hand does.
func TestWrongText(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a field twice", `"code": "qr_spent",`, `"code": "qr_spent", "code": "qr_spent",`, "(qr_spent): every field stands once"},
		{"in other letter case", `"code": "qr_spent",`, `"Code": "qr_spent",`, "(qr_spent): every field stands once"},
		{"an unknown field", `"code": "qr_spent",`, `"code": "qr_spent", "note": "",`, `(qr_spent): json: unknown field "note"`},
		{"a missing field", `"code": "qr_spent", "kind": "decided", "status": 410, "his": -1,`, `"code": "qr_spent", "kind": "decided", "status": 410,`, "(qr_spent): every field stands once"},
		{"null", `"code": "already_reversed", "kind": "decided", "status": 409, "his": -1,`, `"code": "already_reversed", "kind": "decided", "status": 409, "his": null,`, "(already_reversed): every field stands once"},
		{"a text for a number", `"code": "busy", "kind": "unknown", "status": 503`, `"code": "busy", "kind": "unknown", "status": "503"`, "(busy): json:"},
		{"a fraction", `"code": "busy", "kind": "unknown", "status": 503`, `"code": "busy", "kind": "unknown", "status": 503.5`, "(busy): json:"},
		{"a third language", `"title": {"zh": "系统繁忙",`, `"title": {"zh": "系统繁忙", "fr": "",`, "(busy): json: unknown field"},
		{"an unknown part", `"rows": [`, `"version": 1, "rows": [`, `unknown field "version"`},
		{"a part twice", `"rules": [`, `"rules": [], "rules": [`, "every field stands once"},
		{"a rule in other words", `{"rule": "bindings",`, `{"name": "bindings",`, `rules[2]: json: unknown field "name"`},
		{"a comma too many", `"malformed", "kind": "malformed", "status": 400,`, `"malformed", "kind": "malformed", "status": 400,,`, "line 4: invalid character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(string(embedded), c.old) != 1 {
				t.Fatalf("%s is not once in the file", c.old)
			}
			_, err := Load([]byte(strings.Replace(string(embedded), c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	for _, text := range []string{"", "null", "[]", "{}", string(embedded) + "{}", string(embedded[:len(embedded)/2])} {
		if _, err := Load([]byte(text)); err == nil {
			t.Errorf("passes: %.20q", text)
		}
	}
}
