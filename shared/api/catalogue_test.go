package api

import (
	"fmt"
	"strings"
	"testing"
)

const list = "code,name,list_type,class,effective_from,self_pay_ratio.310,ceiling_fen.5,prescription,excluded\n"

// catalogueLines sends a list and returns what became of each line.
func (h *house) catalogueLines(query, body string) []string {
	h.t.Helper()
	r := h.send(h.operator(), "POST", "/v1/catalogue"+query, []byte(body), "Content-Type", "text/csv")
	if r.status != 200 {
		h.t.Fatalf("%d %s", r.status, r.body)
	}
	var lines []string
	for text := range strings.Lines(string(r.body)) {
		v, err := parse([]byte(text))
		if err != nil {
			h.t.Fatal(err)
		}
		line := fmt.Sprint(at(v, "line"), " ", at(v, "status"), " ", at(v, "result"))
		if code, refused := at(v, "code").(string); refused {
			line = fmt.Sprint(at(v, "line"), " ", at(v, "status"), " ", code, " ", at(v, "field"))
		}
		if warnings, ok := at(v, "warnings").([]any); ok {
			for _, w := range warnings {
				line += fmt.Sprint(" !", at(w, "rule"))
				if zh, _ := at(w, "zh").(string); zh == "" {
					h.t.Errorf("%s says nothing", text)
				}
			}
		}
		if changes, ok := at(v, "changes").([]any); ok {
			for _, c := range changes {
				line += fmt.Sprintf(" %v:%v→%v", at(c, "field"), at(c, "was"), at(c, "is"))
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// TestAListAsCSV: a dry run says what would be and writes nothing; then it is; then
// nothing is new.
func TestAListAsCSV(t *testing.T) {
	h := fedHouse(t)
	body := list +
		"XN01BBA064B002010178765,利多卡因,101,B,20260101,0.1000,8000,,\n" +
		"A1,甲类药,101,B,20260101,,,,\n" +
		"ZD03AAA0043010100166,养生膏,101,A,20260101,,,true,\n" +
		"ZD03AAA0043010100167,健身膏,101,A,20260101,,,,fitness\n" +
		"ZD03AAA0043010100168,膏,101,X,20260101,,,,\n" +
		"ZD03AAA0043010100169,膏\n"
	would := []string{
		"2 200 created",
		"3 200 updated !catalogue.code_shape class:A→B name:甲类药→甲类药",
		"4 200 created !catalogue.negative_list",
		"5 200 created",
		"6 400 malformed class",
		"7 400 malformed <nil>",
	}
	would[1] = "3 200 updated !catalogue.code_shape class:A→B"
	before := h.commits()
	got := h.catalogueLines("?dry_run=true", body)
	if strings.Join(got, "\n") != strings.Join(would, "\n") {
		t.Errorf("dry:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(would, "\n"))
	}
	if h.commits() != before {
		t.Error("a dry run wrote something")
	}
	is := strings.NewReplacer("200 created", "201 created").Replace(strings.Join(would, "\n"))
	if got := strings.Join(h.catalogueLines("", body), "\n"); got != is {
		t.Errorf("written:\n%s\nwant\n%s", got, is)
	}
	for _, line := range h.catalogueLines("", body)[:4] {
		if !strings.Contains(line, "200 unchanged") || strings.Contains(line, "→") {
			t.Errorf("again: %s", line)
		}
	}
	// Strict, what is odd is refused.
	if got := h.catalogueLines("?strict=true", body)[1]; !strings.HasPrefix(got, "3 400 malformed") {
		t.Errorf("strict: %s", got)
	}
	// A list without its head is refused as a whole.
	if r := h.send(h.operator(), "POST", "/v1/catalogue", []byte("code,name\nA1,甲\n"), "Content-Type", "text/csv"); r.status != 400 || r.problem(t).Field != "list_type" {
		t.Errorf("%d %s", r.status, r.body)
	}
}
