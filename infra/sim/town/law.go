package town

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/family"
)

// law holds a seed's rules: for the house as policies, for the auditor as numbers.
type law struct {
	numbers  map[string][]*auditor.Rules
	policies map[*auditor.Rules]*family.Policy
	// drafts are what operators drafted, by their texts.
	drafts map[string]*draft
}

// For is the rules of a region on a day, for the house.
func (l *law) For(region family.Region, day family.Day) *family.Policy {
	return l.policies[l.rules(string(region), int(day))]
}

// Get is the policy with an id.
func (l *law) Get(id string) (*family.Policy, bool) {
	for _, p := range l.policies {
		if p.ID() == id {
			return p, true
		}
	}
	return nil, false
}

// rules is the same for the auditor.
func (l *law) rules(region string, day int) *auditor.Rules {
	versions := l.numbers[region]
	if versions == nil {
		versions = l.numbers[regions[0]]
	}
	latest := versions[0]
	for _, r := range versions {
		if r.From <= day {
			latest = r
		}
	}
	return latest
}

// older is the law of a program that is older than the newest rules of each region.
type older struct{ *law }

// For is the rules that the older program has.
func (o older) For(region family.Region, day family.Day) *family.Policy {
	return o.policies[o.rules(string(region), int(day))]
}

func (o older) rules(region string, _ int) *auditor.Rules { return o.law.rules(region, 0) }

// regions are where people are insured and care is given: two cities of one
// province, a municipality with a district of its own, and one far away.
var regions = []string{"430100", "430200", "110100", "110105", "440300"}

// drawLaw draws the rules of every region, narrow enough that their limits are met.
func (t *town) drawLaw() {
	t.law = &law{map[string][]*auditor.Rules{}, map[*auditor.Rules]*family.Policy{}, map[string]*draft{}}
	for i, region := range regions {
		versions := 1
		if i == 0 || t.chance(0.2) {
			versions = 2
		}
		from := 20210101
		for v := range versions {
			r := t.drawRules(region, v, from)
			t.law.numbers[region] = append(t.law.numbers[region], r)
			p := policyOf(r)
			if err := p.Validate(); err != nil {
				panic(err) // the house would not load it
			}
			t.law.policies[r] = p
			from = dayOf(t.now.Add(t.between(0, 45*24*time.Hour)))
		}
	}
}

// dayOf is a day in China as YYYYMMDD.
func dayOf(at time.Time) int {
	china := at.UTC().Add(8 * time.Hour)
	return china.Year()*10000 + int(china.Month())*100 + china.Day()
}

func (t *town) drawRules(region string, version, from int) *auditor.Rules {
	scopes := []string{"city", "province", "nation", "nation", "nation", "nation"}
	r := &auditor.Rules{
		ID: region + "@" + strconv.Itoa(version+1), Region: region, From: from,
		ConsentAge: 14 + t.rng.IntN(5), MaxLinks: 1 + t.rng.IntN(5), QRLife: time.Duration(10+t.rng.IntN(110)) * time.Second,
		Kins:       []string{"spouse", "parent", "child", "sibling", "grandparent", "grandchild"},
		MaxPerKin:  map[string]int{"spouse": 1 + t.rng.IntN(2), "parent": 1 + t.rng.IntN(3)},
		MaxMembers: 1 + t.rng.IntN(6), MaxGrantors: 1 + t.rng.IntN(6),
		Grantors: [][]string{{"310"}, {"310"}, {"310", "390"}}[t.rng.IntN(3)],
		Insured:  pick(t, scopes), Usable: pick(t, scopes),
		Purposes:       []string{"care", "pharmacy", "premium"},
		PaysOutOfScope: t.chance(0.2), PastOnly: t.chance(0.2),
		StayPayers: pick(t, []string{"family", "family", "owner", "nobody"}),
	}
	r.RequestDays, r.PaperDays, r.EndedBy, r.DualRole = 3650, t.rng.IntN(3), []string{"holder", "member"}, t.chance(0.9)
	if t.chance(0.2) {
		r.RequestDays = 1 + t.rng.IntN(3)
	}
	if t.chance(0.15) {
		r.EndedBy = pick(t, [][]string{{"holder"}, {"member"}})
	}
	if t.chance(0.3) {
		r.RebindDays = 1 + t.rng.IntN(10)
	}
	if t.chance(0.3) {
		r.RaiseDays = 1 + t.rng.IntN(3)
	}
	r.EndsOnMove, r.AtOnce = t.chance(0.3), t.chance(0.2)
	r.Evidence = pick(t, []string{"declaration", "declaration", "declaration", "machine", "review"})
	r.Papers = map[string][]string{}
	if t.chance(0.25) {
		for _, kin := range r.Kins {
			if t.chance(0.4) {
				r.Papers[kin] = [][]string{{"household_register"}, {"household_register", "marriage_certificate"}}[t.rng.IntN(2)]
			}
		}
		if t.chance(0.3) {
			r.GuardianPapers = []string{"birth_certificate"}
		}
	}
	r.BadCodes, r.BadPause = 2+t.rng.IntN(4), time.Duration(10+t.rng.IntN(60))*time.Second
	if t.chance(0.1) {
		r.Traced = []string{"102"}
	}
	if t.chance(0.2) {
		r.Kins = r.Kins[:3]
	}
	if t.chance(0.2) {
		r.Purposes = r.Purposes[:2]
	}
	r.Pays = []string{"care", "pharmacy", "registration", "resident_premium", "ltc_premium"}
	if t.chance(0.2) {
		r.Pays = r.Pays[:t.rng.IntN(5)]
	}
	if len(r.Pays) == 0 {
		r.Pays = []string{"care"}
	}
	if t.chance(0.3) {
		r.Floor = t.rng.Int64N(20_000)
	}
	r.ConfirmLife, r.VisitLife = time.Duration(30+t.rng.IntN(90))*time.Second, time.Hour
	if t.chance(0.4) {
		r.VisitLife = r.QRLife + time.Duration(t.rng.IntN(60))*time.Second
	}
	if t.chance(0.5) {
		r.ConfirmAbove = map[string]int64{}
		for _, kin := range r.Kins {
			if t.chance(0.8) {
				r.ConfirmAbove[kin] = t.rng.Int64N(pick(t, []int64{1, 500, 4_000}))
			}
		}
	}
	switch t.rng.IntN(3) {
	case 0:
		r.ByBalance = true
	case 1:
		r.Chosen = true
	}
	for _, class := range []struct {
		insutype string
		psn      []string
	}{{"310", []string{"11"}}, {"310", []string{"12"}}, {"390", nil}} {
		b := auditor.Benefit{Insutype: class.insutype, PsnTypes: class.psn, MedTypes: []string{"11", "12", "13"}, Deductible: map[string]int64{}, Ratio: map[string]int64{}}
		for _, g := range []string{"0", "1", "2", "3"} {
			if g == "0" || t.chance(0.8) {
				b.Ratio[g] = pick(t, []int64{0, 3333, 5000, 6667, 7000, 9000, 10_000})
				b.Deductible[g] = pick(t, []int64{0, 1, 5000, 20_000})
			}
		}
		if t.chance(0.6) {
			b.YearlyCap = 1 + t.rng.Int64N(40_000)
		}
		if t.chance(0.3) {
			b.DailyCap = 1 + t.rng.Int64N(8_000)
		}
		if t.chance(0.3) {
			b.VisitCap = 1 + t.rng.Int64N(5_000)
		}
		if t.chance(0.9) {
			r.Benefits = append(r.Benefits, b)
		}
		if t.chance(0.8) {
			b.MedTypes, b.LaterDeductible = []string{"21", "2101"}, map[string]int64{}
			for _, g := range slices.Sorted(maps.Keys(b.Deductible)) { // a map has no order, a seed has one
				if t.chance(0.7) {
					b.LaterDeductible[g] = b.Deductible[g] / 2
				}
			}
			r.Benefits = append(r.Benefits, b)
		}
	}
	return r
}

// policyOf writes the numbers as the house has them.
func policyOf(r *auditor.Rules) *family.Policy {
	p := &family.Policy{
		AccountPays: named[family.Use](r.Pays),
		Region:      family.Region(r.Region), Version: r.ID[len(r.Region)+1:], From: family.Day(r.From), NameZH: "试", NameEN: "test",
		ConsentAge: r.ConsentAge, MaxLinks: r.MaxLinks, QRLife: r.QRLife, AccountPaysOutOfScope: r.PaysOutOfScope, StayPayers: family.StayPayers(r.StayPayers),
		BadCodes: r.BadCodes, BadCodesPause: r.BadPause, QRVisitLife: r.VisitLife, Trace: family.TracePolicy{ListTypes: r.Traced},
		Grants: family.GrantPolicy{
			MaxPerKin: map[family.Kin]int{}, MaxMembers: r.MaxMembers, MaxGrantors: r.MaxGrantors,
			Insured: family.Scope(r.Insured), Usable: family.Scope(r.Usable), Order: family.FilingOrder, Money: family.LiveBalance,
			Floor: family.Fen(r.Floor), Kins: named[family.Kin](r.Kins), Grantors: named[family.Insutype](r.Grantors), Purposes: named[family.Purpose](r.Purposes),
			DualRole: r.DualRole, Quota: family.QuotaMay, ConfirmLife: r.ConfirmLife, ConfirmAbove: map[family.Kin]family.Fen{},
		},
		Binding: family.BindPolicy{
			Evidence: family.Evidence(r.Evidence), Papers: map[family.Kin][]family.PaperKind{}, GuardianPapers: named[family.PaperKind](r.GuardianPapers),
			GrantAtOnce: r.AtOnce, RequestDays: r.RequestDays, PaperDays: r.PaperDays, RebindDays: r.RebindDays, RaiseDays: r.RaiseDays,
			EndedBy: named[family.Side](r.EndedBy), OnMove: family.MoveHolds,
		},
	}
	if r.EndsOnMove {
		p.Binding.OnMove = family.MoveEnds
	}
	for kin, papers := range r.Papers {
		p.Binding.Papers[family.Kin(kin)] = named[family.PaperKind](papers)
	}
	for kin, fen := range r.ConfirmAbove {
		p.Grants.ConfirmAbove[family.Kin(kin)] = family.Fen(fen)
	}
	for kin, n := range r.MaxPerKin {
		p.Grants.MaxPerKin[family.Kin(kin)] = n
	}
	if r.ByBalance {
		p.Grants.Order = family.BalanceOrder
	}
	if r.Chosen {
		p.Grants.Order = family.ChosenOrder
	}
	if r.PastOnly {
		p.Grants.Money = family.PastYears
	}
	for _, b := range r.Benefits {
		benefit := family.Benefit{
			Insutype: family.Insutype(b.Insutype), PsnTypes: named[family.PsnType](b.PsnTypes), MedTypes: named[family.MedType](b.MedTypes),
			Deductible: map[family.Grade]family.Fen{}, LaterDeductible: map[family.Grade]family.Fen{}, Ratio: map[family.Grade]family.Ratio{}, YearlyCap: family.Fen(b.YearlyCap), DailyCap: family.Fen(b.DailyCap), VisitCap: family.Fen(b.VisitCap),
		}
		for g, fen := range b.Deductible {
			benefit.Deductible[family.Grade(g)] = family.Fen(fen)
		}
		for g, fen := range b.LaterDeductible {
			benefit.LaterDeductible[family.Grade(g)] = family.Fen(fen)
		}
		for g, ratio := range b.Ratio {
			benefit.Ratio[family.Grade(g)] = family.Ratio(ratio)
		}
		p.Benefits = append(p.Benefits, benefit)
	}
	return p
}

// named gives the words of a list the law's types.
func named[T ~string](words []string) []T {
	var out []T
	for _, w := range words {
		out = append(out, T(w))
	}
	return out
}
