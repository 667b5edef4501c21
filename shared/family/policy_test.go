package family_test

import (
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

// samplePolicy returns a policy with everything in it, and its own copy each time.
func samplePolicy() *family.Policy {
	return &family.Policy{
		AccountPays: family.Uses,
		Region:      "430100", Version: "test", From: 20260101, NameZH: "试验", NameEN: "test",
		StayPayers: family.FamilyPaysStays,
		ConsentAge: 16, MaxLinks: 5, QRLife: time.Minute, QRVisitLife: 24 * time.Hour, BadCodes: 5, BadCodesPause: time.Minute,
		Grants: family.GrantPolicy{
			Kins: append([]family.Kin(nil), family.Kins...), MaxPerKin: map[family.Kin]int{family.Spouse: 1, family.Parent: 2},
			MaxMembers: 10, MaxGrantors: 8, Grantors: []family.Insutype{family.Employee},
			Insured: family.SameProvince, Usable: family.SameProvince,
			Purposes: append([]family.Purpose(nil), family.Purposes...), Order: family.FilingOrder, Money: family.LiveBalance,
			DualRole: true, Quota: family.QuotaMay, ConfirmLife: time.Minute,
		},
		Binding: family.BindPolicy{
			Evidence: family.Declared, RequestDays: 30, PaperDays: 30, EndedBy: []family.Side{family.BySelf, family.ByMember}, OnMove: family.MoveHolds,
		},
		Benefits: []family.Benefit{{
			Insutype: family.Employee, PsnTypes: []family.PsnType{"11"}, MedTypes: []family.MedType{family.Outpatient, family.Emergency},
			Deductible: map[family.Grade]family.Fen{"2": 200_00, "3": 300_00},
			Ratio:      map[family.Grade]family.Ratio{"1": 7000, "2": 6000, "3": 6000}, YearlyCap: 1500_00,
		}, {
			Insutype: family.Resident, MedTypes: []family.MedType{family.Outpatient}, Ratio: map[family.Grade]family.Ratio{"0": 7000},
		}},
	}
}

func TestPolicyValidate(t *testing.T) {
	if err := samplePolicy().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule  string // with which the error begins
		spoil func(*family.Policy)
	}{
		{"region", func(p *family.Policy) { p.Region = "43010" }},
		{"region", func(p *family.Policy) { p.Region = "43010a" }},
		{"version", func(p *family.Policy) { p.Version = "" }},
		{"version", func(p *family.Policy) { p.Version = strings.Repeat("1", 17) }},
		{"name", func(p *family.Policy) { p.NameZH = "" }},
		{"name", func(p *family.Policy) { p.NameEN = "" }},
		{"effective days", func(p *family.Policy) { p.From = 0 }},
		{"effective days", func(p *family.Policy) { p.To = 20251231 }},
		{"consent_age", func(p *family.Policy) { p.ConsentAge = 0 }},
		{"consent_age", func(p *family.Policy) { p.ConsentAge = 19 }},
		{"links.max_members", func(p *family.Policy) { p.MaxLinks = 0 }},
		{"links.max_members", func(p *family.Policy) { p.MaxLinks = family.MaxMembers + 1 }},
		{"qr.life_seconds", func(p *family.Policy) { p.QRLife = 9 * time.Second }},
		{"qr.life_seconds", func(p *family.Policy) { p.QRLife = 601 * time.Second }},
		{"qr.life_seconds", func(p *family.Policy) { p.QRLife = 10500 * time.Millisecond }},
		{"qr.bad_codes_a_minute", func(p *family.Policy) { p.BadCodes = 0 }},
		{"qr.bad_codes_a_minute", func(p *family.Policy) { p.BadCodes = 101 }},
		{"qr.pause_seconds", func(p *family.Policy) { p.BadCodesPause = 9 * time.Second }},
		{"qr.pause_seconds", func(p *family.Policy) { p.BadCodesPause = time.Hour + time.Second }},
		{"qr.pause_seconds", func(p *family.Policy) { p.BadCodesPause = 10500 * time.Millisecond }},
		{"qr.visit_seconds", func(p *family.Policy) { p.QRVisitLife = 59 * time.Second }},
		{"qr.visit_seconds", func(p *family.Policy) { p.QRVisitLife = 72*time.Hour + time.Second }},
		{"grants.max_members", func(p *family.Policy) { p.Grants.MaxMembers = 0 }},
		{"grants.max_members", func(p *family.Policy) { p.Grants.MaxMembers = family.MaxMembers + 1 }},
		{"grants.max_grantors", func(p *family.Policy) { p.Grants.MaxGrantors = 0 }},
		{"grants.max_grantors", func(p *family.Policy) { p.Grants.MaxGrantors = family.MaxGrantors + 1 }},
		{"grants.floor_fen", func(p *family.Policy) { p.Grants.Floor = -1 }},
		{"grants.floor_fen", func(p *family.Policy) { p.Grants.Floor = family.MaxFen + 1 }},
		{"grants.kins", func(p *family.Policy) { p.Grants.Kins = nil }},
		{"grants.kins", func(p *family.Policy) { p.Grants.Kins[0] = "cousin" }},
		{"grants.kins", func(p *family.Policy) { p.Grants.Kins[0] = p.Grants.Kins[1] }},
		{"grants.grantor_insutypes", func(p *family.Policy) { p.Grants.Grantors = []family.Insutype{family.NoCover} }},
		{"grants.purposes", func(p *family.Policy) { p.Grants.Purposes[0] = "shopping" }},
		{"grants.insured_scope", func(p *family.Policy) { p.Grants.Insured = "county" }},
		{"grants.usable_scope", func(p *family.Policy) { p.Grants.Usable = "" }},
		{"grants.confirm_seconds", func(p *family.Policy) { p.Grants.ConfirmLife = 29 * time.Second }},
		{"grants.confirm_seconds", func(p *family.Policy) { p.Grants.ConfirmLife = 601 * time.Second }},
		{"grants.confirm_seconds", func(p *family.Policy) { p.Grants.ConfirmLife = 30500 * time.Millisecond }},
		{"grants.confirm_above_fen", func(p *family.Policy) { p.Grants.ConfirmAbove = map[family.Kin]family.Fen{"cousin": 1} }},
		{"grants.confirm_above_fen", func(p *family.Policy) { p.Grants.ConfirmAbove = map[family.Kin]family.Fen{family.Child: -1} }},
		{"grants.confirm_above_fen", func(p *family.Policy) {
			p.Grants.ConfirmAbove = map[family.Kin]family.Fen{family.Child: family.MaxFen + 1}
		}},
		{"grants.order", func(p *family.Policy) { p.Grants.Order = "random" }},
		{"grants.money", func(p *family.Policy) { p.Grants.Money = "" }},
		{"grants.max_per_kin", func(p *family.Policy) { p.Grants.MaxPerKin["cousin"] = 1 }},
		{"grants.max_per_kin", func(p *family.Policy) { p.Grants.MaxPerKin[family.Parent] = 0 }},
		{"benefits[0].insutype", func(p *family.Policy) { p.Benefits[0].Insutype = family.NoCover }},
		{"benefits[0].med_types", func(p *family.Policy) { p.Benefits[0].MedTypes = nil }},
		{"benefits[0].med_types", func(p *family.Policy) { p.Benefits[0].MedTypes[0] = "2101" }}, // beside an outpatient's
		{"benefits[0].med_types", func(p *family.Policy) { p.Benefits[0].MedTypes[0] = "2102" }},
		{"benefits[0].later_deductible_fen", func(p *family.Policy) { p.Benefits[0].LaterDeductible = map[family.Grade]family.Fen{"2": 1} }},
		{"benefits[0].later_deductible_fen", func(p *family.Policy) {
			b := &p.Benefits[0]
			b.MedTypes, b.LaterDeductible = []family.MedType{"2101"}, map[family.Grade]family.Fen{"2": 200_01}
		}},
		{"stays.accounts", func(p *family.Policy) { p.StayPayers = "" }},
		{"benefits[0].med_types", func(p *family.Policy) { p.Benefits[0].MedTypes[0] = family.PharmacyBuy }},
		{"benefits[0].deductible_fen", func(p *family.Policy) { p.Benefits[0].Deductible["4"] = 1 }},
		{"benefits[0].deductible_fen", func(p *family.Policy) { p.Benefits[0].Deductible["2"] = -1 }},
		{"benefits[1].ratio", func(p *family.Policy) { p.Benefits[1].Ratio = nil }},
		{"benefits[1].ratio", func(p *family.Policy) { p.Benefits[1].Ratio["4"] = 1 }},
		{"benefits[1].ratio", func(p *family.Policy) { p.Benefits[1].Ratio["1"] = family.Whole + 1 }},
		{"benefits[1].ratio", func(p *family.Policy) { p.Benefits[1].Ratio["1"] = -1 }},
		{"benefits[0].yearly_cap_fen", func(p *family.Policy) { p.Benefits[0].YearlyCap = -1 }},
		{"benefits[0].yearly_cap_fen", func(p *family.Policy) { p.Benefits[0].YearlyCap = family.MaxFen + 1 }},
		{"benefits[0].deductible_fen", func(p *family.Policy) { p.Benefits[0].Deductible["2"] = family.MaxFen + 1 }},
	} {
		p := samplePolicy()
		c.spoil(p)
		if err := p.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.rule+":") {
			t.Errorf("%v, want a fault of %s", err, c.rule)
		}
	}
}

// TestPolicyBounds: the bounds themselves are allowed.
func TestPolicyBounds(t *testing.T) {
	least, most := samplePolicy(), samplePolicy()
	least.Version, least.To = "1", least.From
	least.ConsentAge, least.MaxLinks, least.QRLife = 1, 1, 10*time.Second
	least.Grants.ConfirmLife, least.Grants.ConfirmAbove = 30*time.Second, map[family.Kin]family.Fen{family.Child: 0}
	least.BadCodes, least.BadCodesPause = 1, 10*time.Second
	least.Grants.MaxMembers, least.Grants.MaxGrantors, least.Grants.Floor = 1, 1, 0
	least.Grants.MaxPerKin = map[family.Kin]int{family.Spouse: 1}
	least.Benefits[0].Deductible["2"], least.Benefits[0].Ratio["2"], least.Benefits[0].YearlyCap = 0, 0, 0
	most.Version = strings.Repeat("1", 16)
	most.ConsentAge, most.MaxLinks, most.QRLife = 18, family.MaxMembers, 10*time.Minute
	most.Grants.ConfirmLife, most.Grants.ConfirmAbove = 10*time.Minute, map[family.Kin]family.Fen{family.Child: family.MaxFen}
	most.BadCodes, most.BadCodesPause = 100, time.Hour
	most.Grants.MaxMembers, most.Grants.MaxGrantors, most.Grants.Floor = family.MaxMembers, family.MaxGrantors, family.MaxFen
	most.Benefits[0].Deductible["2"], most.Benefits[0].Ratio["2"], most.Benefits[0].YearlyCap = family.MaxFen, family.Whole, family.MaxFen
	for _, p := range []*family.Policy{least, most} {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestPolicyBenefit(t *testing.T) {
	p := samplePolicy()
	for _, c := range []struct {
		i     family.Insutype
		psn   family.PsnType
		med   family.MedType
		found bool
	}{
		{family.Employee, "11", family.Outpatient, true},
		{family.Employee, "11", family.Emergency, true},
		{family.Employee, "12", family.Outpatient, false}, // not that class of persons
		{family.Employee, "11", family.Registration, false},
		{family.Employee, "11", family.PharmacyBuy, false},
		{family.Resident, "1403", family.Outpatient, true}, // no class named: every class
		{family.Resident, "15", family.Outpatient, true},
		{family.NoCover, "11", family.Outpatient, false},
	} {
		if b, found := p.Benefit(c.i, c.psn, c.med); found != c.found || found && b.Insutype != c.i {
			t.Errorf("%s %s %s: %t", c.i, c.psn, c.med, found)
		}
	}
	if p.ID() != "430100@test" {
		t.Error(p.ID())
	}
}
