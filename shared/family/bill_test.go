package family_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
)

// sampleBill returns a bill of two lines, and its own copy each time.
func sampleBill() family.Bill {
	return family.Bill{
		MedType: family.Outpatient, Total: 60_00, UseAccount: true,
		Lines: []family.Line{
			{No: 1, Code: "X1", Name: "甲药", Quantity: 2_0000, UnitPrice: 25_00, Amount: 50_00, TraceCodes: []string{"T1", "T2"}},
			{No: 2, Code: "X2", Name: "乙药", Quantity: 1_0000, UnitPrice: 10_00, Amount: 10_00},
		},
	}
}

func TestBillCheck(t *testing.T) {
	check := func(b family.Bill) *family.Refusal { return b.Check() }
	if refusal := check(sampleBill()); refusal != nil {
		t.Fatal(refusal)
	}
	for _, c := range []struct {
		field string
		line  int
		spoil func(*family.Bill)
	}{
		{"med_type", 0, func(b *family.Bill) { b.MedType = "" }},
		{"med_type", 0, func(b *family.Bill) { b.MedType = "2102" }},
		{"total_fen", 0, func(b *family.Bill) { b.Total = 0 }},
		{"total_fen", 0, func(b *family.Bill) { b.Total = -1 }},
		{"total_fen", 0, func(b *family.Bill) { b.Total = family.MaxFen + 1 }},
		{"lines", 0, func(b *family.Bill) { b.Lines = nil }},
		{"lines", 0, func(b *family.Bill) { b.Lines = make([]family.Line, family.MaxLines+1) }},
		{"lines[0].line_no", 0, func(b *family.Bill) { b.Lines[0].No = 0 }},
		{"lines[1].line_no", 100_000, func(b *family.Bill) { b.Lines[1].No = 100_000 }},
		{"lines[1].line_no", 1, func(b *family.Bill) { b.Lines[1].No = 1 }},
		{"lines[0].code", 1, func(b *family.Bill) { b.Lines[0].Code = "" }},
		{"lines[0].code", 1, func(b *family.Bill) { b.Lines[0].Code = strings.Repeat("1", 51) }},
		{"lines[0].code", 1, func(b *family.Bill) { b.Lines[0].Code = "X 1" }},
		{"lines[0].code", 1, func(b *family.Bill) { b.Lines[0].Code = "X1\x7f" }},
		{"lines[0].code", 1, func(b *family.Bill) { b.Lines[0].Code = "药" }},
		{"lines[0].name", 1, func(b *family.Bill) { b.Lines[0].Name = strings.Repeat("药", 101) }},
		{"lines[0].quantity", 1, func(b *family.Bill) { b.Lines[0].Quantity = 0 }},
		{"lines[0].quantity", 1, func(b *family.Bill) { b.Lines[0].Quantity = -1 }},
		{"lines[0].quantity", 1, func(b *family.Bill) { b.Lines[0].Quantity = family.MaxQuantity + 1 }},
		{"lines[1].unit_price_fen", 2, func(b *family.Bill) { b.Lines[1].UnitPrice = -1 }},
		{"lines[1].unit_price_fen", 2, func(b *family.Bill) { b.Lines[1].UnitPrice = family.MaxFen + 1 }},
		{"lines[1].amount_fen", 2, func(b *family.Bill) { b.Lines[1].Amount = -1 }},
		{"lines[1].amount_fen", 2, func(b *family.Bill) { b.Lines[1].Amount = family.MaxFen + 1 }},
		{"lines[0].trace_codes[1]", 1, func(b *family.Bill) { b.Lines[0].TraceCodes[1] = "" }},
		{"lines[0].trace_codes[0]", 1, func(b *family.Bill) { b.Lines[0].TraceCodes[0] = strings.Repeat("1", 101) }},
		{"lines[0].trace_codes[0]", 1, func(b *family.Bill) { b.Lines[0].TraceCodes[0] = "1 2" }},
		{"lines[0].trace_codes[1]", 1, func(b *family.Bill) { b.Lines[0].TraceCodes[1] = "T1" }},
		{"lines[1].trace_codes[0]", 2, func(b *family.Bill) { b.Lines[1].TraceCodes = []string{"T2"} }},
		{"lines", 0, func(b *family.Bill) { // 79 more than the two of line 1
			for i := range family.MaxTraceCodes - 1 {
				b.Lines[1].TraceCodes = append(b.Lines[1].TraceCodes, fmt.Sprintf("U%d", i))
			}
		}},
	} {
		b := sampleBill()
		c.spoil(&b)
		refusal := b.Check()
		if refusal == nil || refusal.Code != family.Malformed || refusal.Field != c.field || refusal.Line != c.line {
			t.Errorf("%v, want %s of line %d malformed", refusal, c.field, c.line)
		}
	}
	// The bounds themselves pass.
	b := sampleBill()
	b.Lines[0].No, b.Lines[0].Name, b.Lines[0].Code = 99_999, strings.Repeat("药", 100), strings.Repeat("!~", 25)
	b.Lines[0].Quantity, b.Lines[0].UnitPrice, b.Lines[0].Amount, b.Total = family.MaxQuantity, family.MaxFen, family.MaxFen, family.MaxFen
	for i := range family.MaxTraceCodes - 2 {
		b.Lines[1].TraceCodes = append(b.Lines[1].TraceCodes, fmt.Sprintf("U%d", i))
	}
	if refusal := b.Check(); refusal != nil {
		t.Error(refusal)
	}
}

// TestLineTolerance: tills divide a line's amount by its count and round the
// price, so price × quantity may miss the amount by half a fen for each unit, and
// by one fen for their own rounding; no more.
func TestLineTolerance(t *testing.T) {
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return samplePolicy() })
	w.enrol("P1", 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
	w.places["H43010000001"] = family.Place{Code: "H43010000001", Kind: family.Hospital, Level: "8", Region: "430100", Designated: true}
	w.items["X1"] = family.Item{Code: "X1", Class: family.ClassA, From: 20210101}
	for _, c := range []struct {
		price    family.Fen
		quantity string
		amount   family.Fen
		fits     bool
	}{
		{3_33, "3", 9_99, true},
		{3_33, "3", 10_00, true}, // 10.00 / 3 = 3.3333
		{3_33, "3", 10_01, true}, // tolerance 2.5 → 2 + 1 fen
		{3_33, "3", 10_02, true},
		{3_33, "3", 10_03, false},
		{3_33, "3", 9_96, true},
		{3_33, "3", 9_95, false},
		{14, "1000", 139_00, true},  // half a fen for each of a thousand
		{14, "1000", 134_99, true},  // 500 + 1 fen below 140.00
		{14, "1000", 134_98, false}, //
		{100, "0.0001", 0, true},
		{100, "0.0001", 1, true},
		{100, "0.0001", 2, false},
		{0, "1", 0, true},
		{0, "1", 3, false},
		{family.MaxFen, "1000000", family.MaxFen, false},
	} {
		q, err := family.ParseQuantity(c.quantity)
		if err != nil {
			t.Fatal(err)
		}
		bill := family.Bill{MedType: family.Outpatient, Lines: []family.Line{
			{No: 1, Code: "X1", Quantity: q, UnitPrice: c.price, Amount: c.amount}, {No: 2, Code: "X1", Quantity: 1_0000, UnitPrice: 1, Amount: 1},
		}}
		if bill.Total = c.amount + 1; bill.Total > family.MaxFen {
			bill.Lines, bill.Total = bill.Lines[:1], c.amount
		}
		_, refusal := family.Quote(w.caseOf("P1", "H43010000001", bill, nil))
		if (refusal == nil) != c.fits || refusal != nil && (refusal.Code != family.SumMismatch || refusal.Line != 1 || refusal.Field != "lines[0].amount_fen") {
			t.Errorf("%v × %s = %v: %v", c.price, c.quantity, c.amount, refusal)
		}
	}
	bill := sampleBill()
	bill.Lines = slices.Delete(bill.Lines, 1, 2)
	if _, refusal := family.Quote(w.caseOf("P1", "H43010000001", bill, nil)); refusal == nil || refusal.Code != family.SumMismatch || refusal.Field != "total_fen" ||
		refusal.Observed != "6000" || refusal.Allowed != "5000" {
		t.Errorf("%+v", refusal)
	}
}

func TestItemOn(t *testing.T) {
	versions := []family.Item{
		{Name: "old", From: 20240101, To: 20251231},
		{Name: "new", From: 20260101},
		{Name: "trial", From: 20260301, To: 20260331},
	}
	for day, want := range map[family.Day]string{
		20231231: "", 20240101: "old", 20251231: "old", 20260101: "new", 20260228: "new", 20260301: "trial", 20260331: "trial", 20260401: "new", 20990101: "new",
	} {
		for range 2 { // in whatever order the versions are kept
			item, found := family.ItemOn(versions, day)
			if found != (want != "") || item.Name != want {
				t.Errorf("%v: %q", day, item.Name)
			}
			slices.Reverse(versions)
		}
	}
}

// TestCeilings: a price list may name the level of a hospital, or only its grade.
func TestCeilings(t *testing.T) {
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return samplePolicy() })
	w.enrol("P1", 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
	for _, c := range []struct {
		level   family.Level
		ceiling map[family.Level]family.Fen
		over    family.Fen
	}{
		{"5", nil, 0},
		{"5", map[family.Level]family.Fen{"5": 80_00}, 20_00},
		{"5", map[family.Level]family.Fen{"2": 90_00}, 10_00},             // 二甲 is of grade 2
		{"5", map[family.Level]family.Fen{"5": 80_00, "2": 90_00}, 20_00}, // its own level first
		{"5", map[family.Level]family.Fen{"6": 80_00}, 0},
		{"8", map[family.Level]family.Fen{"1": 70_00}, 30_00},
		{"11", map[family.Level]family.Fen{"1": 70_00}, 0},
		{"5", map[family.Level]family.Fen{"5": 100_00}, 0},
		{"5", map[family.Level]family.Fen{"5": 100_01}, 0},
	} {
		w.places["H43010000001"] = family.Place{Code: "H43010000001", Kind: family.Hospital, Level: c.level, Region: "430100", Designated: true}
		w.items["X1"] = family.Item{Code: "X1", Class: family.ClassA, Ceiling: c.ceiling, From: 20210101}
		bill := family.Bill{MedType: family.Outpatient, Total: 100_00, Lines: []family.Line{{No: 1, Code: "X1", Quantity: 1_0000, UnitPrice: 100_00, Amount: 100_00}}}
		s, refusal := family.Quote(w.caseOf("P1", "H43010000001", bill, nil))
		refusedWith(t, refusal, "")
		if s.Paid.OverLimit != c.over || (s.Lines[0].Reason == family.CeilingReached) != (c.over > 0) {
			t.Errorf("level %s, %v: %v over the ceiling, %s", c.level, c.ceiling, s.Paid.OverLimit, s.Lines[0].Reason)
		}
	}
}

func TestIsItemCode(t *testing.T) {
	for code, want := range map[string]bool{
		"X": true, "!~": true, "XN01BBA064B002010178765": true, "001102000000100-1": true, strings.Repeat("9", 50): true,
		"": false, " ": false, "X 1": false, "X\t": false, "X\x7f": false, "药": false, strings.Repeat("9", 51): false,
	} {
		if family.IsItemCode(code) != want {
			t.Errorf("%q: %t", code, !want)
		}
	}
}

// TestLargestSettlement: the largest bill passes, and its settlement still fits one
// commit of a hundred records.
func TestLargestSettlement(t *testing.T) {
	bill := family.Bill{MedType: family.Outpatient, Total: 1, Lines: make([]family.Line, family.MaxLines)}
	for i := range bill.Lines {
		bill.Lines[i] = family.Line{No: i + 1, Code: "X1", Quantity: 1}
	}
	if refusal := bill.Check(); refusal != nil || family.MaxLines != 60 {
		t.Error(family.MaxLines, refusal)
	}
	const message, token, patient, entry = 1, 1, 1, 1
	if most := message + token + patient + entry + family.MaxGrantors*2 + family.MaxTraceCodes; most > 100 {
		t.Errorf("a settlement may write %d records", most)
	}
}
