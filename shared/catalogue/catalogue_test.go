package catalogue

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
)

// The shapes of domain 4, and what is near them.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		list, code string
		fits       bool
	}{
		{"101", "XN01BBA064B002010178765", true},
		{"101", "XL02BBA326A001010102180", true},
		{"101", "ZD03AAA0043010100166", true},
		{"101", "XN01BBA064B00201017876", false},
		{"101", "XN01BBA064B002010178765X", false},
		{"101", "XN01BBA0X4B002010178765", false},
		{"101", "ZD03AAA00430101001667", false},
		{"101", "XN01BBA064b002010178765", false},
		{"101", "A1", false},
		{"101", "", false},
		{"201", "001102000000100", true},
		{"201", "001102000000100-1", true},
		{"201", "001102000000100-", false},
		{"201", "00110200000010", false},
		{"301", "C0101010100000000001", true},
		{"301", "C01010101000000000010000001", true},
		{"301", "C01010101", false},
		{"301", "X0101010100000000001", false},
		{"106", "T0100100100100100101", true},
		{"106", "T01", false},
		{"102", "T000100001", true},
		{"102", "X000100001", false},
		{"103", "S4301000001", true},
		{"103", "T4301000001", false},
		{"105", "anything", true},
	} {
		if got := Shape(c.list, c.code); got != c.fits {
			t.Errorf("%s %s: %t", c.list, c.code, got)
		}
	}
}

// full is an entry with everything in it.
const full = `{"code":"ZD03AAA0043010100166","name":"双黄连口服液","list_type":"101","class":"B","self_pay_ratio":{"310":"0.1000","390":"0.2000"},
	"ceiling_fen":{"2":8000,"11":100},"effective_from":"20260101","effective_to":"20261231",
	"in_regions":{"430000":{"class":"A","ceiling_fen":{"5":7000}},"110100":{"class":"B","self_pay_ratio":{"310":"0.3000"}}},
	"limits":{"prescription":true,"min_age":1,"max_age":60,"sex":"2","institution_grades":["2","3"],"institution_kinds":["hospital"],"indications":["I10","J06"],
	"max_days":30,"max_quantity":"6","period_days":30,"period_quantity":"12.5"},"excluded":""}`

func entry(t *testing.T, text string) Entry {
	t.Helper()
	var e Entry
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnEntryIsItsItemAndBack(t *testing.T) {
	for _, text := range []string{full, `{"code":"A1","name":"甲","list_type":"101","class":"A","effective_from":"20260101"}`} {
		e := entry(t, text)
		item, err := e.Item()
		if err != nil {
			t.Fatal(err)
		}
		back := EntryOf(item)
		again, err := back.Item()
		if err != nil || !again.Equal(item) || !reflect.DeepEqual(again, item) {
			t.Errorf("%+v\n%+v %v", item, again, err)
		}
		if len(Changes(item, again)) != 0 {
			t.Error(Changes(item, again))
		}
	}
}

// Each field that is spoilt is refused, and the refusal names it.
func TestWrongEntries(t *testing.T) {
	for _, c := range []struct{ from, to, field string }{
		{`"ZD03AAA0043010100166"`, `"a b"`, "code"},
		{`"双黄连口服液"`, `""`, "name"},
		{`"101"`, `"1010101"`, "list_type"},
		{`"class":"B","self_pay_ratio":{"310":"0.1000"`, `"class":"D","self_pay_ratio":{"310":"0.1000"`, "class"},
		{`"390":"0.2000"`, `"510":"0.2000"`, "self_pay_ratio"},
		{`"390":"0.2000"`, `"390":"1.2000"`, "self_pay_ratio.390"},
		{`"11":100`, `"12":100`, "ceiling_fen"},
		{`"11":100`, `"11":0`, "ceiling_fen.11"},
		{`"20260101"`, `"20260230"`, "effective_from"},
		{`"20261231"`, `"20251231"`, "effective_to"},
		{`"430000"`, `"430102"`, "in_regions"},
		{`"class":"A"`, `"class":"X"`, "in_regions.430000.class"},
		{`"max_age":60`, `"max_age":0.5`, ""},
		{`"min_age":1`, `"min_age":61`, "limits.max_age"},
		{`"sex":"2"`, `"sex":"3"`, "limits.sex"},
		{`["2","3"]`, `["2","4"]`, "limits.institution_grades[1]"},
		{`["hospital"]`, `["gym"]`, "limits.institution_kinds[0]"},
		{`"J06"`, `"06"`, "limits.indications[1]"},
		{`"max_days":30`, `"max_days":367`, "limits.max_days"},
		{`"max_quantity":"6"`, `"max_quantity":"0"`, "limits.max_quantity"},
		{`"period_quantity":"12.5"`, `"period_quantity":"12.55555"`, "limits.period_quantity"},
		{`"period_days":30`, `"period_days":0`, "limits.period_days"},
		{`"excluded":""`, `"excluded":"gambling"`, "excluded"},
	} {
		if !strings.Contains(full, c.from) {
			t.Fatalf("the entry has no %s", c.from)
		}
		var e Entry
		if err := json.Unmarshal([]byte(strings.Replace(full, c.from, c.to, 1)), &e); err != nil {
			if c.field != "" {
				t.Errorf("%s: %v", c.to, err)
			}
			continue
		}
		_, err := e.Item()
		refusal := (*family.Refusal)(nil)
		if !errors.As(err, &refusal) || refusal.Code != family.Malformed || refusal.Field != c.field {
			t.Errorf("%s: %v, want a refusal of %q", c.to, err, c.field)
		}
	}
}

// A list that is written as CSV reads as it was; the marks of spreadsheets are no
// matter.
func TestCSV(t *testing.T) {
	e := entry(t, full)
	e.In = nil // has no column
	var text bytes.Buffer
	text.WriteString("\ufeff")
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.write(&e)
	}
	for _, r := range [][]string{Columns(), row} {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	list, err := NewReader(&text)
	if err != nil {
		t.Fatal(err)
	}
	got, line, err := list.Next()
	if err != nil || line != 2 || !reflect.DeepEqual(got, e) {
		t.Errorf("line %d %v\n%+v\n%+v", line, err, got, e)
	}
	if _, _, err := list.Next(); err != io.EOF {
		t.Error(err)
	}
}

func TestWrongCSV(t *testing.T) {
	for _, text := range []string{"", "code,name\nA1,甲", "code,name,list_type,class,effective_from,colour\n", "code,code,name,list_type,class,effective_from\n"} {
		if _, err := NewReader(strings.NewReader(text)); !errors.As(err, new(*family.Refusal)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// A bad line stops none after it.
	list, err := NewReader(strings.NewReader("code,name,list_type,class,effective_from,max_days\nA1,甲,101,A,20260101,thirty\nA2,甲,101,A\nA3,\"甲\nA,101,A,20260101,3\nA4,甲,101,A,20260101,4\n"))
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	var bad []string
	for {
		e, line, err := list.Next()
		if err == io.EOF {
			break
		}
		if refusal := (*family.Refusal)(nil); errors.As(err, &refusal) {
			bad = append(bad, refusal.Field)
		} else if err != nil {
			t.Fatal(err)
		} else if e.Limits.MaxDays != 4 {
			t.Errorf("%+v", e)
		}
		seen = append(seen, line)
	}
	if !slices.Equal(bad[:1], []string{"max_days"}) || seen[0] != 2 || seen[1] != 3 {
		t.Errorf("lines %v, bad %q", seen, bad)
	}
}

// Every category has a law behind it, and goods of its name are noticed.
func TestNegativeList(t *testing.T) {
	list := Negative()
	if len(list) < 5 {
		t.Fatalf("only %d categories", len(list))
	}
	for _, c := range list {
		if !IsCategory(c.Name) || len(c.Sources) == 0 {
			t.Errorf("%+v", c)
		}
		for _, word := range c.Words {
			item := family.Item{Code: "A", Name: "某某" + word, Class: family.ClassA}
			if rules := Warnings(item); !slices.Contains(rules, "catalogue.negative_list") {
				t.Errorf("%s: %v", item.Name, rules)
			}
			item.Excluded = c.Name
			if rules := Warnings(item); slices.Contains(rules, "catalogue.negative_list") {
				t.Errorf("%s is excluded, and still: %v", item.Name, rules)
			}
		}
	}
	for _, bad := range []string{`{`, `{"categories":[{"name":"x"}]}`, `{"categories":[{"name":"x","zh":"a","en":"b","words":["w"],"sources":[]}]}`, `{"colour":1}`} {
		if _, err := load([]byte(bad)); err == nil {
			t.Errorf("%s passed", bad)
		}
	}
}

// FuzzCSV reads anything, and what it can read is an item or a refusal.
func FuzzCSV(f *testing.F) {
	f.Add("code,name,list_type,class,effective_from\nA1,甲,101,A,20260101\n")
	f.Add(strings.Join(Columns(), ",") + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := NewReader(strings.NewReader(text))
		for err == nil {
			var e Entry
			var line int
			if e, line, err = list.Next(); errors.As(err, new(*family.Refusal)) {
				err = nil
				continue
			}
			if err == nil {
				if line < 2 {
					t.Fatalf("an entry in line %d", line)
				}
				if _, bad := e.Item(); bad != nil && !errors.As(bad, new(*family.Refusal)) {
					t.Fatal(bad)
				}
			}
		}
		if err != io.EOF && !errors.As(err, new(*family.Refusal)) {
			t.Fatal(err)
		}
	})
}
