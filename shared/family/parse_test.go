package family_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

// parsed is one row of a parser's table: what is read, and what String or the
// value itself then says; want "" is an error.
type parsed struct{ in, want string }

func table[T any](t *testing.T, parse func(string) (T, error), text func(T) string, rows []parsed) {
	t.Helper()
	for _, row := range rows {
		v, err := parse(row.in)
		switch {
		case row.want == "" && err == nil:
			t.Errorf("%q was read as %s", row.in, text(v))
		case row.want != "" && err != nil:
			t.Errorf("%q: %v", row.in, err)
		case row.want != "" && text(v) != row.want:
			t.Errorf("%q was read as %s, want %s", row.in, text(v), row.want)
		case err != nil && strings.Contains(err.Error(), "�"):
			t.Errorf("%q: the error is no text: %v", row.in, err)
		}
	}
}

func same[T ~string](v T) string { return string(v) }

func TestParseYuan(t *testing.T) {
	table(t, family.ParseYuan, family.Fen.String, []parsed{
		{"0", "0.00"},
		{"0.00", "0.00"},
		{"-0", "0.00"},
		{"4.52", "4.52"},
		{"4.5", "4.50"},
		{"4", "4.00"},
		{"-4.52", "-4.52"},
		{"0.01", "0.01"},
		{"-0.01", "-0.01"},
		{"10", "10.00"},
		{"100000", "100000.00"},
		{"10000000", "10000000.00"},
		{"10000000.00", "10000000.00"},
		{"-10000000.00", "-10000000.00"},
		{"10000000.01", ""},
		{"-10000000.01", ""},
		{"99999999999999999999", ""},
		{"999999999999999999", ""},
		{"184467440737095516.16", ""},
		{"184467440737095517", ""}, // × 100 is just above 2^64: no product may wrap
		{"", ""},
		{"-", ""},
		{"--1", ""},
		{"+1", ""},
		{".", ""},
		{".5", ""},
		{"5.", ""},
		{"1.234", ""},
		{"1.2.3", ""},
		{"01", ""},
		{"00", ""},
		{"-01", ""},
		{" 1", ""},
		{"1 ", ""},
		{"1e2", ""},
		{"0x10", ""},
		{"1_000", ""},
		{"1,000", ""},
		{"1.-5", ""},
		{"１", ""},
		{"四", ""},
		{"NaN", ""},
		{"Inf", ""},
		{"null", ""},
	})
	if got := family.Fen(-9223372036854775808).String(); got != "-92233720368547758.08" {
		t.Error(got)
	}
}

func TestParseRatio(t *testing.T) {
	table(t, family.ParseRatio, family.Ratio.String, []parsed{
		{"0", "0.0000"},
		{"1", "1.0000"},
		{"0.7", "0.7000"},
		{"0.7000", "0.7000"},
		{"0.0001", "0.0001"},
		{"1.0000", "1.0000"},
		{"1.0001", ""},
		{"2", ""},
		{"-0.1", ""},
		{"-1", ""},
		{"0.00001", ""},
		{"70%", ""},
		{"", ""},
		{"0.", ""},
		{".7", ""},
	})
	for _, c := range []struct {
		ratio, of, want string
	}{
		{"0.05", "4.52", "0.23"}, // 0.226: recorded in E1
		{"0.05", "4.50", "0.23"}, // 0.225: half goes up
		{"0.05", "4.49", "0.22"}, // 0.2245
		{"0.7", "124.44", "87.11"},
		{"1", "10000000", "10000000.00"},
		{"0", "10000000", "0.00"},
		{"0.0001", "0.49", "0.00"},
		{"0.5", "0.01", "0.01"},
	} {
		ratio, err := family.ParseRatio(c.ratio)
		if err != nil {
			t.Fatal(err)
		}
		if got := ratio.Of(yuan(c.of)); got.String() != c.want {
			t.Errorf("%s of %s is %v, want %s", c.ratio, c.of, got, c.want)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the ratio of an amount below zero")
			}
		}()
		family.Ratio(5000).Of(-1)
	}()
	// Where the product passes 64 bits, and where rounding carries into the 65th.
	for _, f := range []family.Fen{1844674407370955, 1844674407370956, 9223372036854775807} {
		if got := family.Whole.Of(f); got != f {
			t.Errorf("the whole of %d is %d", int64(f), int64(got))
		}
	}
	var r family.Ratio
	if err := r.UnmarshalText([]byte("0.1000")); err != nil || r != 1000 {
		t.Error(r, err)
	}
	if err := r.UnmarshalText([]byte("1.1")); err == nil {
		t.Error("1.1 is no ratio")
	}
	if text, err := family.Ratio(1).MarshalText(); err != nil || string(text) != "0.0001" {
		t.Errorf("%s %v", text, err)
	}
}

func TestParseQuantity(t *testing.T) {
	table(t, family.ParseQuantity, family.Quantity.String, []parsed{
		{"1", "1"},
		{"2.5", "2.5"},
		{"2.50", "2.5"},
		{"0.0001", "0.0001"},
		{"10", "10"},
		{"100", "100"},
		{"1000000", "1000000"},
		{"1.0000", "1"},
		{"1000000.0001", ""},
		{"1844674407370956", ""}, // × 10000 is just above 2^64
		{"0", ""},
		{"0.0000", ""},
		{"-1", ""},
		{"0.00001", ""},
		{"", ""},
		{"1/2", ""},
	})
	for q, want := range map[family.Quantity]string{0: "0", -15_000: "-1.5", -10_000: "-1"} {
		if got := q.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(q), got, want)
		}
	}
}

func TestParseDay(t *testing.T) {
	table(t, family.ParseDay, family.Day.String, []parsed{
		{"20260310", "20260310"},
		{"20240229", "20240229"},
		{"20000229", "20000229"},
		{"19000228", "19000228"},
		{"00010101", "00010101"},
		{"99991231", "99991231"},
		{"20230229", ""},
		{"19000229", ""},
		{"20260431", ""},
		{"20260001", ""},
		{"20260100", ""},
		{"20261301", ""},
		{"20260132", ""},
		{"2026310", ""},
		{"202603100", ""},
		{"2026-3-1", ""},
		{"2026 310", ""},
		{"", ""},
		{"+2026031", ""},
		{"２０２６", ""},
	})
	// The day is Shanghai's, whatever the zone of the time.
	for moment, want := range map[string]family.Day{
		"2026-03-31T15:59:59Z":      20260331,
		"2026-03-31T16:00:00Z":      20260401,
		"2025-12-31T16:00:00Z":      20260101,
		"2026-03-31T23:59:59+08:00": 20260331,
		"2026-03-31T09:00:00-08:00": 20260401,
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if got := family.DayOf(at); got != want {
			t.Errorf("%s falls on %v, want %v", moment, got, want)
		}
	}
	if d := family.Day(20260310); d.Month() != 202603 || d.Year() != 2026 {
		t.Error(d.Month(), d.Year())
	}
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		birth, day family.Day
		want       int
	}{
		{20100311, 20260310, 15},
		{20100311, 20260311, 16},
		{20100311, 20260312, 16},
		{20101231, 20260101, 15},
		{20100101, 20251231, 15},
		{20100101, 20260101, 16},
		{20080229, 20240228, 15}, // born on 29 February: in a leap year on the day,
		{20080229, 20240229, 16},
		{20080229, 20230228, 14}, // in a common year on 1 March
		{20080229, 20230301, 15},
		{20260310, 20260310, 0},
		{20260310, 20270309, 0},
		{20270101, 20260310, 0}, // not born yet
	} {
		if got := family.AgeOn(c.birth, c.day); got != c.want {
			t.Errorf("born %v is %d on %v, want %d", c.birth, got, c.day, c.want)
		}
	}
}

func TestParseIDNumber(t *testing.T) {
	const valid = "110101199003070003"
	table(t, family.ParseIDNumber, same, []parsed{
		{valid, valid},
		{"11010119900307002X", "11010119900307002X"},
		{"11010119900307002x", "11010119900307002X"},
		{idNumber("110101", "20240229", "001"), idNumber("110101", "20240229", "001")},
		{idNumber("110101", "18500101", "001"), idNumber("110101", "18500101", "001")},
		{idNumber("110101", "18491231", "001"), ""}, // nobody is that old
		{idNumber("110101", "20230229", "001"), ""}, // no such day
		{idNumber("110101", "20231301", "001"), ""},
		{idNumber("110101", "20230631", "001"), ""},
		{"110101199003070004", ""}, // wrong check digit
		{"11010119900307000X", ""},
		{"110101900307000", ""}, // the 15 digits of old
		{"", ""},
		{valid + "0", ""},
		{valid[:17], ""},
		{"11010119900307O003", ""},
		{"X1010119900307000", ""},
		{"110101199003070Ⅹ0X", ""},
		{" " + valid[:17], ""},
		{strings.Repeat("0", 18), ""},
	})
	n, err := family.ParseIDNumber(valid)
	if err != nil || n.Birthday() != 19900307 {
		t.Error(n.Birthday(), err)
	}
	// The check character as another reckoning has it; and a letter whose place
	// after the digits would make it count as the digit that it stands for.
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		id := idNumber(fmt.Sprintf("%06d", random.IntN(1e6)), fmt.Sprint(20200101+random.IntN(28)), fmt.Sprintf("%03d", random.IntN(1000)))
		if _, err := family.ParseIDNumber(id); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		for letter, digit := range map[string]string{"A": "6", "B": "7", "C": "8", "D": "9"} {
			if wrong := strings.Replace(id[:6], digit, letter, 1) + id[6:]; wrong != id {
				if _, err := family.ParseIDNumber(wrong); err == nil {
					t.Errorf("%s passed", wrong)
				}
			}
		}
	}
	// Every single wrong digit is caught by the check character.
	for i := range valid {
		for d := byte('0'); d <= '9'; d++ {
			wrong := valid[:i] + string(d) + valid[i+1:]
			if _, err := family.ParseIDNumber(wrong); wrong != valid && err == nil {
				t.Errorf("%s passed", wrong)
			}
		}
	}
	if _, err := family.ParseIDNumber("110101199003070004"); err == nil || strings.ContainsAny(err.Error(), "0123456789") && strings.Contains(err.Error(), "1990") {
		t.Errorf("the error repeats the number: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the birthday of what was never parsed")
		}
	}()
	family.IDNumber("110101202302290003").Birthday()
}

// idNumber completes an ID number with its check character (GB 11643), reckoned
// by powers of two and not from the table of weights.
func idNumber(division, birthday, serial string) string {
	body := division + birthday + serial
	sum := 0
	for i, c := range body {
		sum += int(c-'0') * (1 << (17 - i))
	}
	for check := range 11 {
		if (sum+check)%11 == 1 {
			return body + string("0123456789X"[check])
		}
	}
	panic("no check character")
}

func TestParseInstitutionCode(t *testing.T) {
	table(t, family.ParseInstitutionCode, same, []parsed{
		{"H43028100255", "H43028100255"},
		{"P62100200036", "P62100200036"},
		{"", ""},
		{"43028100255", ""},
		{"h43028100255", ""},
		{"D43028100255", ""},
		{"H4302810025", ""},
		{"H430281002555", ""},
		{"H4302810025A", ""},
		{"H43028100２5", ""},
		{"HA3028100255", ""},
		{"HP3028100255", ""},
	})
}

func TestParseMessageID(t *testing.T) {
	const valid = "H43028100255202603101000000001"
	table(t, family.ParseMessageID, same, []parsed{
		{valid, valid},
		{"P62100200036202402292359599aZ0", "P62100200036202402292359599aZ0"},
		{"", ""},
		{valid[:29], ""},
		{valid + "0", ""},
		{"X" + valid[1:], ""},
		{"H43028100255202602291000000001", ""}, // no such day
		{"H43028100255202613011000000001", ""},
		{"H43028100255202603102400000001", ""},
		{"H43028100255202603101060000001", ""},
		{"H43028100255202603101000600001", ""},
		{"H43028100255202603101000.00001", ""},
		{"H4302810025520260310100000000-", ""},
		{"H4302810025520260310100000中", ""},
	})
	id, err := family.ParseMessageID("H43028100255202612312359590001")
	if err != nil || id.Institution() != "H43028100255" || id.Day() != 20261231 {
		t.Error(id.Institution(), id.Day(), err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the day of what was never parsed")
		}
	}()
	family.MessageID("H43028100255202602300000000000").Day()
}

func TestParseCertificateNumber(t *testing.T) {
	for s, want := range map[string]family.CertificateNumber{
		"O430000001": "O430000001", "o430000001": "O430000001",
		"": "", "4300000001": "", "O43000001": "", "O4300000011": "", "O43000000X": "", "OO30000001": "", "Ｏ430000001": "", "O43000000 ": "",
	} {
		got, err := family.ParseCertificateNumber(s)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", s, got, err)
		}
		if err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("the error repeats %q", s)
		}
	}
}

func TestParsePersonNo(t *testing.T) {
	table(t, family.ParsePersonNo, same, []parsed{
		{"1", "1"},
		{"43000011100000158643", "43000011100000158643"},
		{"AZaz09", "AZaz09"},
		{"a@", ""},
		{"a[", ""},
		{"a`", ""},
		{"a{", ""},
		{"a/", ""},
		{"a:", ""},
		{strings.Repeat("9", 30), strings.Repeat("9", 30)},
		{"", ""},
		{strings.Repeat("9", 31), ""},
		{"a-b", ""},
		{"a b", ""},
		{"a#b", ""},
		{"张", ""},
		{"a\n", ""},
	})
}

func TestParseRegion(t *testing.T) {
	table(t, family.ParseRegion, same, []parsed{
		{"430100", "430100"}, {"000000", "000000"}, {"", ""}, {"43010", ""}, {"4301000", ""}, {"43010A", ""}, {"４３0100", ""},
	})
}

func TestRegions(t *testing.T) {
	for _, c := range []struct{ region, city, province family.Region }{
		{"430102", "430100", "430000"},
		{"430100", "430100", "430000"},
		{"430000", "430000", "430000"},
		{"430299", "430200", "430000"}, // 市本级
		{"110105", "110100", "110000"}, // municipalities are one city
		{"110000", "110100", "110000"},
		{"120225", "120100", "120000"},
		{"310115", "310100", "310000"},
		{"500241", "500100", "500000"},
		{"130100", "130100", "130000"},
		{"000000", "000000", "000000"},
	} {
		if c.region.City() != c.city || c.region.Province() != c.province {
			t.Errorf("%s lies in %s and %s, want %s and %s", c.region, c.region.City(), c.region.Province(), c.city, c.province)
		}
	}
	const city, province, nation = family.SameCity, family.SameProvince, family.SameNation
	for _, c := range []struct {
		a, b   family.Region
		covers []family.Scope
	}{
		{"430102", "430104", []family.Scope{city, province, nation}},
		{"430102", "430100", []family.Scope{city, province, nation}},
		{"430100", "430200", []family.Scope{province, nation}},
		{"500112", "500241", []family.Scope{city, province, nation}},
		{"430100", "440300", []family.Scope{nation}},
		{"110105", "120101", []family.Scope{nation}},
	} {
		for _, s := range []family.Scope{city, province, nation, "", "county"} {
			if got := s.Covers(c.a, c.b); got != slices.Contains(c.covers, s) {
				t.Errorf("%q covers %s and %s: %t", s, c.a, c.b, got)
			}
			if s.Covers(c.a, c.b) != s.Covers(c.b, c.a) {
				t.Errorf("%q covers %s and %s one way only", s, c.a, c.b)
			}
		}
	}
}

// TestRelations holds the dictionary against the list of domain knowledge, spelt
// out a second time: near relatives of 民法典 1045, and everybody else.
func TestRelations(t *testing.T) {
	near := map[family.Kin]string{
		family.Spouse:      "10 11 12",
		family.Child:       "20 21 22 23 24 25 26 27 30 31 32 33 34 35 36 37",
		family.Grandchild:  "41 42 43 44",
		family.Parent:      "51 52 57 58",
		family.Grandparent: "61 62 63 64",
		family.Sibling:     "71 73 75 77",
	}
	if len(near) != len(family.Kins) {
		t.Errorf("there are %d kinds of near relative", len(family.Kins))
	}
	names := map[string]family.Relation{}
	for code := range 100 {
		r, err := family.ParseRelation(string([]byte{byte('0' + code/10), byte('0' + code%10)}))
		if err != nil {
			t.Fatal(err)
		}
		var want family.Kin
		for kin, codes := range near {
			if slices.Contains(strings.Fields(codes), string(r)) {
				want = kin
			}
		}
		if got := r.Kin(); got != want {
			t.Errorf("%s is %q, want %q", r, got, want)
		}
		zh, en := r.Names()
		if zh == "" || en == "" || (want == "") != (en == "other") {
			t.Errorf("%s is called %q, %q", r, zh, en)
		}
		if other, taken := names[en]; taken && want != "" {
			t.Errorf("%s and %s are both called %q", r, other, en)
		}
		names[en] = r
	}
	for _, s := range []string{"", "1", "100", "1a", "本人", "-1"} {
		if _, err := family.ParseRelation(s); err == nil {
			t.Errorf("%q is no relation", s)
		}
	}
	// In-laws, great-grandparents, the headings and oneself, by name.
	for _, code := range []family.Relation{"01", "02", "28", "38", "40", "45", "46", "47", "48", "50", "53", "54", "55", "56", "60", "65", "66", "67", "70", "72", "74", "76", "78", "80", "97", "99"} {
		if kin := code.Kin(); kin != "" {
			t.Errorf("%s is %s", code, kin)
		}
	}
}

func TestLevels(t *testing.T) {
	want := map[family.Level]family.Grade{"1": "3", "2": "3", "3": "3", "4": "3", "5": "2", "6": "2", "7": "2", "8": "1", "9": "1", "10": "1", "11": "0", "": "", "12": "", "0": ""}
	for level, grade := range want {
		if got := level.Grade(); got != grade {
			t.Errorf("level %q is of grade %q, want %q", level, got, grade)
		}
	}
	for _, level := range family.Levels {
		if !slices.Contains(family.Grades, level.Grade()) {
			t.Errorf("level %s has no grade", level)
		}
	}
}
