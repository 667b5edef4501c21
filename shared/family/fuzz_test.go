package family_test

import (
	"testing"

	"gongji/shared/family"
)

// Each target: no panic, and what was read is written and read again as itself.

func FuzzParseYuan(f *testing.F) {
	for _, s := range []string{"0", "4.52", "-4.5", "10000000.00", "-0.01", "00", "1e9", "1.234", "99999999999999999999.99", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, family.ParseYuan, family.Fen.String) })
}

func FuzzParseRatio(f *testing.F) {
	for _, s := range []string{"0", "0.7000", "1", "1.0001", "-0.1", "0.00001", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, family.ParseRatio, family.Ratio.String) })
}

func FuzzParseQuantity(f *testing.F) {
	for _, s := range []string{"1", "2.5", "0.0001", "1000000", "1000000.0001", "0", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, s, family.ParseQuantity, family.Quantity.String) })
}

func FuzzParseDay(f *testing.F) {
	for _, s := range []string{"20260310", "20240229", "20230229", "00000101", "99991231", "2026 310"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if day, ok := roundTrip(t, s, family.ParseDay, family.Day.String); ok && day.String() != s {
			t.Errorf("%q is the day %v", s, day)
		}
	})
}

func FuzzParseIDNumber(f *testing.F) {
	for _, s := range []string{"110101199003070003", "11010119900307002x", "110101202302290003", "11010119900307000ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := roundTrip(t, s, family.ParseIDNumber, same[family.IDNumber]); ok && id.Birthday().String() != string(id[6:14]) {
			t.Errorf("%q is born on %v", s, id.Birthday())
		}
	})
}

func FuzzParseMessageID(f *testing.F) {
	for _, s := range []string{"H43028100255202603101000000001", "H43028100255202602301000000001", "P43028100255202603101000.00001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := roundTrip(t, s, family.ParseMessageID, same[family.MessageID]); ok {
			if _, err := family.ParseInstitutionCode(string(id.Institution())); err != nil || id.Day().String() != s[12:20] {
				t.Errorf("%q: %v %v", s, id.Day(), err)
			}
		}
	})
}

func FuzzParseCodes(f *testing.F) {
	for _, s := range []string{"H43028100255", "430100", "51", "43000011100000158643", family.QRDigits("12345678901234567")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		roundTrip(t, s, family.ParseInstitutionCode, same[family.InstitutionCode])
		roundTrip(t, s, family.ParsePersonNo, same[family.PersonNo])
		roundTrip(t, s, family.ParseQRDigits, func(s string) string { return s })
		if r, ok := roundTrip(t, s, family.ParseRegion, same[family.Region]); ok {
			if c, p := r.City(), r.Province(); c.City() != c || c.Province() != p || p.Province() != p || !family.SameCity.Covers(r, c) || !family.SameProvince.Covers(r, p) {
				t.Errorf("%s lies in %s and %s", r, c, p)
			}
		}
		if r, ok := roundTrip(t, s, family.ParseRelation, same[family.Relation]); ok {
			r.Kin()
			r.Names()
		}
	})
}

// roundTrip reads s and, if it can be read, reads again what it is written as.
func roundTrip[T comparable](t *testing.T, s string, parse func(string) (T, error), text func(T) string) (T, bool) {
	t.Helper()
	v, err := parse(s)
	if err != nil {
		if zero := *new(T); v != zero {
			t.Errorf("%q is refused and yet %v", s, v)
		}
		return v, false
	}
	again, err := parse(text(v))
	if err != nil || again != v {
		t.Errorf("%q is read as %q, and that as %q: %v", s, text(v), text(again), err)
	}
	return v, true
}
