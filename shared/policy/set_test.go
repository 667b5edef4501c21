package policy

import (
	"io/fs"
	"reflect"
	"testing"
	"testing/fstest"
	"time"

	"gongji/shared/family"
)

// load returns the set that is built into the program. That it loads at all is
// the first test: a wrong file stops here.
func load(t *testing.T) *Set {
	t.Helper()
	files, err := fs.Sub(embedded, "regions")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFS(files); err != nil { // all of them; Load reads them as they are asked for
		t.Fatal(err)
	}
	set, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// text returns the built-in file of a region.
func text(t testing.TB, region string) string {
	t.Helper()
	data, err := embedded.ReadFile("regions/" + region + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// folder makes a folder of name, text, name, text, …
func folder(files ...string) fs.FS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

// The published parameters of outpatient benefits: each figure that the sources
// in the files give, for each grade.
func TestPublishedBenefits(t *testing.T) {
	const none = family.Ratio(-1) // the grade is not paid
	set := load(t)
	for _, c := range []struct {
		name       string
		region     family.Region
		insutype   family.Insutype
		psn        family.PsnType
		deductible [4]family.Fen // at grades 0, 1, 2, 3
		ratio      [4]family.Ratio
		yearlyCap  family.Fen
	}{
		{
			"Beijing, at work", "110100", family.Employee, "11",
			[4]family.Fen{1800_00, 1800_00, 1800_00, 1800_00},
			[4]family.Ratio{9000, 7000, 7000, 7000},
			0,
		},
		{
			"Beijing, retired", "110100", family.Employee, "12",
			[4]family.Fen{1300_00, 1300_00, 1300_00, 1300_00},
			[4]family.Ratio{9000, 8500, 8500, 8500},
			0,
		},
		{
			"Beijing, resident", "110100", family.Resident, "16",
			[4]family.Fen{100_00, 100_00, 550_00, 550_00},
			[4]family.Ratio{5500, 5500, 5000, 5000},
			5000_00,
		},
		{
			"Beijing, pupil", "110100", family.Resident, "1403",
			[4]family.Fen{100_00, 100_00, 550_00, 550_00},
			[4]family.Ratio{5500, 5500, 5000, 5000},
			5000_00,
		},
		{
			"Changsha, at work", "430100", family.Employee, "11",
			[4]family.Fen{0, 0, 200_00, 300_00},
			[4]family.Ratio{7000, 7000, 6000, 6000},
			1500_00,
		},
		{
			"Changsha, retired", "430100", family.Employee, "12",
			[4]family.Fen{0, 0, 200_00, 300_00},
			[4]family.Ratio{7000, 7000, 6000, 6000},
			2000_00,
		},
		{
			"Changsha, resident", "430100", family.Resident, "1402",
			[4]family.Fen{},
			[4]family.Ratio{7000, 7000, none, none},
			800_00,
		},
		{
			"Shenzhen, at work", "440300", family.Employee, "11",
			[4]family.Fen{},
			[4]family.Ratio{7500, 7500, 6500, 5500},
			10000_00,
		},
		{
			"Shenzhen, retired", "440300", family.Employee, "12",
			[4]family.Fen{},
			[4]family.Ratio{7500, 7500, 6500, 5500},
			10000_00,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := set.For(c.region, 20260301)
			for _, med := range []family.MedType{family.Outpatient, family.Registration, family.Emergency} {
				b, ok := p.Benefit(c.insutype, c.psn, med)
				if !ok {
					t.Fatalf("med_type %s: no benefit", med)
				}
				if b.YearlyCap != c.yearlyCap {
					t.Errorf("med_type %s: cap %s, published %s", med, b.YearlyCap, c.yearlyCap)
				}
				for i, grade := range family.Grades {
					ratio, paid := b.Ratio[grade]
					if !paid {
						ratio = none
					}
					if b.Deductible[grade] != c.deductible[i] || ratio != c.ratio[i] {
						t.Errorf("med_type %s grade %s: deductible %s ratio %d, published %s and %d",
							med, grade, b.Deductible[grade], ratio, c.deductible[i], c.ratio[i])
					}
				}
			}
			if _, ok := p.Benefit(c.insutype, c.psn, family.PharmacyBuy); ok {
				t.Error("a pharmacy is paid, and nobody published that")
			}
		})
	}
}

// Stays in hospital: the figures that the file quotes.
func TestBenefitsForStays(t *testing.T) {
	p := load(t).For("430100", 20260301)
	for _, c := range []struct {
		insutype   family.Insutype
		psn        family.PsnType
		deductible [4]family.Fen // at grades 0, 1, 2, 3
		ratio      [4]family.Ratio
	}{
		{family.Employee, "11", [4]family.Fen{200_00, 500_00, 800_00, 1100_00}, [4]family.Ratio{9300, 9200, 9000, 8500}},
		{family.Employee, "12", [4]family.Fen{200_00, 500_00, 800_00, 1100_00}, [4]family.Ratio{9500, 9400, 9200, 8700}},
		{family.Resident, "1403", [4]family.Fen{200_00, 500_00, 800_00, 1200_00}, [4]family.Ratio{8500, 8200, 8000, 6500}},
	} {
		for _, med := range []family.MedType{family.Stay, family.OrdinaryStay, family.InjuryStay, family.DaySurgery} {
			b, ok := p.Benefit(c.insutype, c.psn, med)
			if !ok {
				t.Fatalf("%s %s: no benefit for %s", c.insutype, c.psn, med)
			}
			for i, grade := range family.Grades {
				if b.Deductible[grade] != c.deductible[i] || b.LaterDeductible[grade] != c.deductible[i]/2 || b.Ratio[grade] != c.ratio[i] {
					t.Errorf("%s %s grade %s: %s, later %s, ratio %d", c.insutype, c.psn, grade, b.Deductible[grade], b.LaterDeductible[grade], b.Ratio[grade])
				}
			}
		}
	}
}

// Classes of persons for whom nothing is published are not paid.
func TestNothingPublished(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		region   family.Region
		insutype family.Insutype
		psn      family.PsnType
	}{
		{"000000", family.Employee, "11"},
		{"000000", family.Resident, "16"},
		{"440300", family.Resident, "16"},
		{"430100", family.Employee, "13"},
		{"430100", family.NoCover, ""},
	} {
		if b, ok := set.For(c.region, 20260301).Benefit(c.insutype, c.psn, family.Outpatient); ok {
			t.Errorf("%s %s %s: %+v", c.region, c.insutype, c.psn, b)
		}
	}
	if n := len(set.For(Default, 20260301).Benefits); n != 0 {
		t.Errorf("the default has %d benefits", n)
	}
}

// What all regions have in common, and what they do not.
func TestRules(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		id, zh, en      string
		insured, usable family.Scope
		order           family.Order
		from            family.Day
	}{
		{"000000@2021-01", "全国默认", "National default", family.SameNation, family.SameNation, family.ChosenOrder, 20210101},
		{"110100@2026-01", "北京市", "Beijing", family.SameCity, family.SameCity, family.ChosenOrder, 20260101},
		{"430100@2026-01", "长沙市", "Changsha", family.SameProvince, family.SameProvince, family.FilingOrder, 20260101},
		{"440300@2026-01", "深圳市", "Shenzhen", family.SameCity, family.SameCity, family.BalanceOrder, 20260101},
	} {
		t.Run(c.id, func(t *testing.T) {
			got, ok := set.Get(c.id)
			if !ok {
				t.Fatal("not in the set")
			}
			want := &family.Policy{
				Region: family.Region(c.id[:6]), Version: c.id[7:], From: c.from, NameZH: c.zh, NameEN: c.en,
				ConsentAge: 16, MaxLinks: 5, QRLife: time.Minute, QRVisitLife: 24 * time.Hour, BadCodes: 5, BadCodesPause: time.Minute,
				Grants: family.GrantPolicy{
					Kins:       family.Kins,
					MaxPerKin:  map[family.Kin]int{family.Spouse: 1, family.Parent: 2},
					MaxMembers: 10, MaxGrantors: 8,
					Grantors: []family.Insutype{family.Employee},
					Insured:  c.insured, Usable: c.usable,
					Purposes: []family.Purpose{family.ForCare, family.ForPharmacy, family.ForPremium},
					Order:    c.order, Money: family.LiveBalance,
					DualRole: true, Quota: family.QuotaMay,
					ConfirmAbove: got.Grants.ConfirmAbove, // TestWhoIsAsked
					ConfirmLife:  3 * time.Minute,
				},
				Binding: family.BindPolicy{
					Evidence: family.Declared, Papers: map[family.Kin][]family.PaperKind{}, GuardianPapers: []family.PaperKind{},
					RequestDays: 30, PaperDays: 30, EndedBy: []family.Side{family.BySelf, family.ByMember}, OnMove: family.MoveHolds,
				},
				Benefits: got.Benefits, // TestPublishedBenefits

				AccountPays:            family.Uses[:4],
				FundSumIncludesAccount: c.id[:2] == "44", // Guangdong
				StayPayers:             family.FamilyPaysStays,
			}
			if c.id[:2] == "11" { // Beijing alone publishes that accounts pay for long-term care
				want.AccountPays = family.Uses
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestFor(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		why    string
		region family.Region
		day    family.Day
		id     string
	}{
		{"the city", "430100", 20260301, "430100@2026-01"},
		{"a district", "430102", 20260301, "430100@2026-01"},
		{"the city's own level", "430199", 20260301, "430100@2026-01"},
		{"a district of a municipality", "110105", 20260301, "110100@2026-01"},
		{"a county of a municipality", "110228", 20260301, "110100@2026-01"},
		{"a municipality by its province's code", "110000", 20260301, "110100@2026-01"},
		{"a district of Shenzhen", "440305", 20260301, "440300@2026-01"},
		{"another city of the province", "430200", 20260301, "430000@2026-01"},
		{"a county of a province without a file of the city", "510104", 20260301, "510000@2026-01"},
		{"a city of Shandong with a file", "370902", 20260301, "370900@2026-01"},
		{"a city of Shandong without one", "370102", 20260301, "370000@2026-01"},
		{"Beijing, before the city's file", "110105", 20251231, "110000@2022-12"},
		{"Beijing, before all", "110105", 20221130, "000000@2021-01"},
		{"across provinces", "100000", 20260301, "100000@2026-01"},
		{"a province without a file", "610100", 20260301, "000000@2021-01"},
		{"a region that is nowhere", "999999", 20260301, "000000@2021-01"},
		{"the default itself", "000000", 20260301, "000000@2021-01"},
		{"the first day", "430100", 20260101, "430100@2026-01"},
		{"the day before the first", "430100", 20251231, "000000@2021-01"},
		{"the default's first day", "430100", 20210101, "000000@2021-01"},
		{"far ahead", "430100", 20991231, "430100@2026-01"},
	} {
		p := set.For(c.region, c.day)
		if p == nil || p.ID() != c.id {
			t.Errorf("%s: For(%s, %s) = %v, want %s", c.why, c.region, c.day, p, c.id)
		}
	}
	if p := set.For("430100", 20201231); p != nil {
		t.Errorf("before the first day of all: %s", p.ID())
	}
	if p, ok := set.Get("430100@2025-01"); ok {
		t.Errorf("Get of a version that never was: %s", p.ID())
	}
}

// Two versions of a city, a version of its province, and the default: who rules
// on which day, at both ends of each period.
func TestForVersions(t *testing.T) {
	first := edit(t, text(t, "430100"), `"to": ""`, `"to": "20260630"`)
	second := edit(t, text(t, "430100"), `"2026-01"`, `"2026-07"`, `"20260101"`, `"20260701"`, `"to": ""`, `"to": "20261231"`)
	province := edit(t, text(t, "430100"), `"430100"`, `"430000"`, `"20260101"`, `"20250101"`)
	set, err := LoadFS(folder(
		"000000.json", text(t, "000000"),
		"430000.json", province,
		"430100.json", second, // read before the older one: the order of names is not that of days
		"430100@2026-01.json", first,
	))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		region family.Region
		day    family.Day
		id     string
	}{
		{"430102", 20241231, "000000@2021-01"},
		{"430102", 20250101, "430000@2026-01"},
		{"430102", 20251231, "430000@2026-01"},
		{"430102", 20260101, "430100@2026-01"},
		{"430102", 20260630, "430100@2026-01"},
		{"430102", 20260701, "430100@2026-07"},
		{"430102", 20261231, "430100@2026-07"},
		{"430102", 20270101, "430000@2026-01"},
		{"430201", 20260301, "430000@2026-01"},
		{"440300", 20260301, "000000@2021-01"},
	} {
		if p := set.For(c.region, c.day); p == nil || p.ID() != c.id {
			t.Errorf("For(%s, %s) = %v, want %s", c.region, c.day, p, c.id)
		}
	}
	// A refund names its policy by ID, long after another took its place.
	for _, id := range []string{"000000@2021-01", "430000@2026-01", "430100@2026-01", "430100@2026-07"} {
		if p, ok := set.Get(id); !ok || p.ID() != id {
			t.Errorf("Get(%s) = %v, %v", id, p, ok)
		}
	}
}

// What For hands out can be found again by its ID.
func TestEveryIDResolves(t *testing.T) {
	set := load(t)
	for region := range set.regions {
		for _, p := range set.versions(region) {
			got, ok := set.Get(p.ID())
			if !ok || got != p || got != set.For(region, p.From) {
				t.Errorf("%s: Get or For gives another", p.ID())
			}
		}
	}
}

func TestNext(t *testing.T) {
	for day, want := range map[family.Day]family.Day{
		20260101: 20260102, 20260131: 20260201, 20260228: 20260301,
		20240228: 20240229, 20240229: 20240301, 20261231: 20270101,
	} {
		if got := next(day); got != want {
			t.Errorf("next(%s) = %s, want %s", day, got, want)
		}
	}
}

// TestWhoIsAsked: only Shenzhen asks the grantor, about whom and above what its file
// says; elsewhere nothing waits.
func TestWhoIsAsked(t *testing.T) {
	set := load(t)
	for _, region := range []family.Region{"000000", "110100", "430100", "440300"} {
		for _, kin := range family.Kins {
			tier, asks := set.For(region, 20260301).Grants.ConfirmAbove[kin]
			want := family.Fen(5000_00)
			if kin == family.Sibling {
				want = 2000_00
			}
			if asks != (region == "440300") || asks && tier != want {
				t.Errorf("%s, %s: %s %t", region, kin, tier, asks)
			}
		}
	}
}
