package family_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"gongji/shared/family"

	"pgregory.net/rapid"
)

// A life is a random story: some families under random rules, to whom things
// happen one after another. Every law that speaks of a course of events is held
// against lives. A failure prints the seed that repeats it.
type life struct {
	*town
	last event
}

// event is the newest thing that happened.
type event struct {
	before  *town // how the town stood
	refusal *family.Refusal
	asked   *family.Case       // of a settlement
	sale    *family.Settlement // that was made
	back    *family.Settlement // reversal or refund that was made
}

// live plays random lives and holds a law against each after every event.
func live(t *testing.T, law func(*rapid.T, *life)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		happens := func(what func(*rapid.T, *life)) func(*rapid.T) {
			return func(t *rapid.T) {
				l.last = event{before: l.town.clone()}
				what(t, l)
				law(t, l)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"settle": happens(settles), "settle again": happens(settles), "settle once more": happens(settles), "settle often": happens(settles),
			"refund": happens(refunds), "refund again": happens(refunds), "reverse": happens(reverses),
			"bind": happens(binds), "change": happens(changes), "end": happens(ends), "reorder": happens(reorders),
			"credit": happens(credits), "freeze or stop": happens(fates), "time passes": happens(passes), "premium": happens(premiums),
		})
	})
}

// grown draws a life in which some things have happened already.
func grown(t *rapid.T) *life {
	l := newLife(t)
	for range rapid.IntRange(0, 12).Draw(t, "events") {
		switch rapid.IntRange(0, 9).Draw(t, "event") {
		case 0:
			credits(t, l)
		case 1:
			binds(t, l)
		case 2:
			passes(t, l)
		case 3:
			if len(l.sales) > 0 {
				refunds(t, l)
			}
		case 4:
			if len(l.bindings) > 0 {
				changes(t, l)
			}
		case 5:
			premiums(t, l)
		default:
			settles(t, l)
		}
	}
	return l
}

// The people of a life: three in work, one in work in the next city, a child and
// two old people insured as residents, and one in another province.
var people = []struct {
	no        family.PersonNo
	born      family.Day
	insurance family.Insurance
}{
	{"A", 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true}},
	{"B", 19820229, family.Insurance{Region: "430102", Insutype: family.Employee, PsnType: "11", Active: true}},
	{"C", 19550606, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "12", Active: true}},
	{"D", 19830101, family.Insurance{Region: "430200", Insutype: family.Employee, PsnType: "11", Active: true}},
	{"E", 20150101, family.Insurance{Region: "430100", Insutype: family.Resident, PsnType: "1403", Active: true}},
	{"F", 19540101, family.Insurance{Region: "430100", Insutype: family.Resident, PsnType: "15", Active: true}},
	{"G", 19530101, family.Insurance{Region: "430200", Insutype: family.Resident, PsnType: "15", Active: true}},
	{"H", 19850101, family.Insurance{Region: "110105", Insutype: family.Employee, PsnType: "11", Active: true}},
}

var places = []family.Place{
	{Code: "H43010000001", Kind: family.Hospital, Level: "2", Region: "430100", Designated: true},
	{Code: "H43010000002", Kind: family.Hospital, Level: "5", Region: "430102", Designated: true},
	{Code: "H43020000003", Kind: family.Hospital, Level: "11", Region: "430200", Designated: true},
	{Code: "P43010000004", Kind: family.Pharmacy, Region: "430100", Designated: true},
	{Code: "H11010000005", Kind: family.Hospital, Level: "2", Region: "110100", Designated: true},
}

// fen draws an amount up to most, small ones and round ones more often.
func fen(t *rapid.T, most family.Fen, label string) family.Fen {
	if rapid.Bool().Draw(t, label+" round") {
		return family.Fen(rapid.Int64Range(0, int64(most)/1000).Draw(t, label)) * 1000
	}
	return family.Fen(rapid.Int64Range(0, int64(most)).Draw(t, label))
}

// often draws true n-1 times of n.
func often(t *rapid.T, n int, label string) bool { return rapid.IntRange(1, n).Draw(t, label) < n }

func pick[T any](t *rapid.T, list []T, label string) T { return rapid.SampledFrom(list).Draw(t, label) }

// some draws a sublist that is not empty.
func some[T comparable](t *rapid.T, list []T, label string) []T {
	all := rapid.Permutation(list).Draw(t, label)
	return all[:rapid.IntRange(1, len(all)).Draw(t, label+" number")]
}

// randomPolicy draws the rules of a region.
func randomPolicy(t *rapid.T, region family.Region) *family.Policy {
	p := samplePolicy()
	p.Region = region
	p.StayPayers = pick(t, []family.StayPayers{family.FamilyPaysStays, family.FamilyPaysStays, family.OwnerPaysStays, family.NobodyPaysStays}, "who pays stays")
	if !often(t, 5, "accounts pay for everything") {
		p.AccountPays = some(t, family.Uses, "uses")
	}
	p.AccountPaysOutOfScope = rapid.Bool().Draw(t, "account pays out of scope")
	g := &p.Grants
	g.MaxPerKin = nil
	g.MaxMembers = rapid.IntRange(3, 8).Draw(t, "max members")
	g.MaxGrantors = rapid.IntRange(1, 8).Draw(t, "max grantors")
	g.Insured = pick(t, []family.Scope{family.SameNation, family.SameNation, family.SameProvince, family.SameCity}, "insured scope")
	g.Usable = pick(t, []family.Scope{family.SameNation, family.SameNation, family.SameProvince, family.SameCity}, "usable scope")
	g.Order = pick(t, []family.Order{family.FilingOrder, family.BalanceOrder, family.ChosenOrder}, "order")
	g.Money = pick(t, []family.Money{family.LiveBalance, family.LiveBalance, family.PastYears}, "money")
	g.Floor = pick(t, []family.Fen{0, 0, 0, 1, 50_00}, "floor")
	for _, med := range []family.MedType{family.Outpatient, family.Emergency, family.OrdinaryStay} {
		for _, i := range []family.Insutype{family.Employee, family.Resident} {
			b := family.Benefit{Insutype: i, MedTypes: []family.MedType{med}, Deductible: map[family.Grade]family.Fen{}, Ratio: map[family.Grade]family.Ratio{}}
			b.YearlyCap = pick(t, []family.Fen{0, 0, 1, 100_00, 1500_00}, "yearly cap")
			if med.IsStay() {
				b.LaterDeductible = map[family.Grade]family.Fen{}
			}
			for _, grade := range family.Grades {
				b.Deductible[grade] = pick(t, []family.Fen{0, 200_00, 300_00, 77}, "deductible")
				b.Ratio[grade] = family.Ratio(rapid.Int64Range(0, int64(family.Whole)).Draw(t, "ratio"))
				if med.IsStay() && rapid.Bool().Draw(t, "less later") {
					b.LaterDeductible[grade] = b.Deductible[grade] / 2
				}
			}
			p.Benefits = append(p.Benefits, b)
		}
	}
	p.Benefits = p.Benefits[2:] // without the sample's
	if err := p.Validate(); err != nil {
		t.Fatalf("the test drew a policy that is none: %v", err)
	}
	return p
}

// newLife draws a town with some money and some bindings.
func newLife(t *rapid.T) *life {
	rules := map[family.Region]*family.Policy{}
	for _, r := range []family.Region{"430100", "430200", "110100"} {
		rules[r] = randomPolicy(t, r)
	}
	now := at(2026, 11, 28, 8, 0)
	l := &life{town: newTown(now, func(r family.Region, _ family.Day) *family.Policy { return rules[r.City()] })}
	for _, p := range people {
		l.enrol(p.no, p.born, p.insurance)
		if p.insurance.Insutype == family.Employee || !often(t, 3, "no own money") {
			l.town.credit(p.no, family.Pockets{Current: fen(t, 800_00, "current"), Past: fen(t, 800_00, "past")})
		}
	}
	for _, p := range places {
		l.places[p.Code] = p
	}
	for _, code := range []string{"X1", "X2", "X3", "X4", "X5"} {
		item := family.Item{Code: code, Class: pick(t, []family.Class{family.ClassA, family.ClassB, family.ClassB, family.ClassC}, "class"), From: 20210101}
		if item.Class == family.ClassB {
			item.SelfPay = map[family.Insutype]family.Ratio{
				family.Employee: family.Ratio(rapid.Int64Range(0, int64(family.Whole)).Draw(t, "self pay")),
				family.Resident: family.Ratio(rapid.Int64Range(0, int64(family.Whole)).Draw(t, "self pay")),
			}
		}
		if rapid.Bool().Draw(t, "has a ceiling") {
			item.Ceiling = map[family.Level]family.Fen{}
			for _, level := range []family.Level{"2", "5", "11", "1"} {
				item.Ceiling[level] = 1 + fen(t, 60_00, "ceiling")
			}
		}
		l.items[code] = item
	}
	// Some in work grant to the residents; whoever else binds whom, chance decides.
	for _, member := range people[4:7] {
		for _, holder := range people[:4] {
			if often(t, 3, "grants") {
				l.town.bind(holder.no, member.no, "30", true, randomTerms(t, family.DayOf(now)))
			}
		}
	}
	for range rapid.IntRange(0, 5).Draw(t, "more bindings") {
		binds(t, l)
	}
	return l
}

// randomTerms draws terms of a grant: often without limits, often with small ones.
func randomTerms(t *rapid.T, today family.Day) *family.Terms {
	terms := &family.Terms{Purposes: family.Purposes}
	if !often(t, 4, "all purposes") {
		terms.Purposes = some(t, family.Purposes, "purposes")
	}
	limit := func(label string) family.Fen {
		if often(t, 4, "no "+label) {
			return 0
		}
		return 1 + fen(t, 300_00, label)
	}
	terms.MonthlyCap, terms.PerSettlementCap, terms.Quota = limit("monthly cap"), limit("cap"), limit("quota")
	if !often(t, 8, "open") {
		terms.ValidUntil = today
	}
	return terms
}

// premiums has a premium owed, paid by a relative or by its owner, or given back.
func premiums(t *rapid.T, l *life) {
	owner := pick(t, people, "owes").no
	kind, year := pick(t, family.PremiumKinds, "premium"), l.now.Year()+1
	id := premiumID(owner, kind, year)
	today := family.DayOf(l.now)
	if _, owed := l.premiums[id]; !owed {
		l.owe(family.Premium{Person: owner, Kind: kind, Year: year, Amount: 1 + fen(t, 200_00, "premium"), From: today, To: today.After(rapid.IntRange(0, 40).Draw(t, "days to pay"))})
	}
	if !often(t, 4, "pays it") {
		l.last.refusal = l.refundPremium(id)
		return
	}
	payer, binding := owner, family.BindingID("")
	if grantors := l.accounts[owner].Grantors; len(grantors) > 0 && often(t, 3, "a relative pays") {
		g := pick(t, grantors, "grantor")
		payer, binding = g.Person, g.Binding
	}
	l.last.refusal = l.payPremium(payer, binding, id)
}

func binds(t *rapid.T, l *life) {
	holder, member := pick(t, people[:4], "holder").no, pick(t, people, "member").no
	relation := pick(t, []family.Relation{"11", "20", "30", "51", "52", "61", "73", "75"}, "relation")
	if !often(t, 20, "all is well") {
		holder, relation = pick(t, people, "holder").no, "55"
	}
	var terms *family.Terms
	if often(t, 6, "pays") {
		terms = randomTerms(t, family.DayOf(l.now))
	}
	_, l.last.refusal = l.town.bind(holder, member, relation, !often(t, 4, "hidden"), terms)
}

// randomBinding draws one of the bindings that were ever asked for.
func (l *life) randomBinding(t *rapid.T) family.Binding {
	if len(l.bindings) == 0 {
		t.Skip("nobody is bound")
	}
	return l.bindings[pick(t, slices.Sorted(maps.Keys(l.bindings)), "binding")]
}

func (l *life) randomSide(t *rapid.T, b family.Binding) family.PersonNo {
	return pick(t, []family.PersonNo{b.Holder, b.Holder, b.Holder, b.Member, b.Member, "A"}, "by")
}

func changes(t *rapid.T, l *life) {
	b := l.randomBinding(t)
	var c family.Change
	yes := rapid.Bool().Draw(t, "yes")
	switch rapid.IntRange(0, 4).Draw(t, "what is changed") {
	case 0:
		c.Show = &yes
	case 1:
		c.Paused = &yes
	case 2:
		c.SetPay = true
	default:
		c.SetPay, c.Pay = true, randomTerms(t, family.DayOf(l.now))
	}
	l.last.refusal = l.change(l.randomSide(t, b), b.ID, c)
}

func ends(t *rapid.T, l *life) {
	b := l.randomBinding(t)
	l.last.refusal = l.end(l.randomSide(t, b), b.ID)
}

func reorders(t *rapid.T, l *life) {
	p := pick(t, people, "beneficiary").no
	account := l.accounts[p]
	var order []family.BindingID
	for _, g := range account.Grantors {
		order = append(order, g.Binding)
	}
	if len(order) < 2 {
		t.Skip("nothing to order")
	}
	account, l.last.refusal = family.ChooseOrder(account, rapid.Permutation(order).Draw(t, "order"), l.policyOf(p))
	if l.last.refusal == nil {
		l.accounts[p] = account
	}
}

func credits(t *rapid.T, l *life) {
	l.town.credit(pick(t, people, "account").no, family.Pockets{Current: fen(t, 200_00, "current"), Past: fen(t, 200_00, "past")})
}

// fates freezes people, stops their insurance, and makes both good again.
func fates(t *rapid.T, l *life) {
	p := pick(t, people, "person").no
	account := l.accounts[p]
	account.Frozen = !often(t, 5, "free")
	account.Insurance.Active = often(t, 5, "insured")
	l.accounts[p] = account
}

func passes(t *rapid.T, l *life) {
	l.now = l.now.Add(pick(t, []time.Duration{time.Second, time.Hour, 24 * time.Hour, 20 * 24 * time.Hour}, "how long"))
}

// randomBill draws a bill whose sums agree.
func randomBill(t *rapid.T) family.Bill {
	bill := family.Bill{
		MedType:    pick(t, []family.MedType{family.Outpatient, family.Outpatient, family.Emergency, family.PharmacyBuy, family.OrdinaryStay}, "kind of visit"),
		UseAccount: often(t, 10, "use accounts"),
	}
	for no := range rapid.IntRange(1, 12).Draw(t, "lines") {
		l := family.Line{No: no + 1, Code: pick(t, []string{"X1", "X2", "X3", "X4", "X5"}, "code"), UnitPrice: fen(t, 100_00, "price")}
		if rapid.Bool().Draw(t, "whole units") {
			l.Quantity = family.Quantity(rapid.Int64Range(1, 5).Draw(t, "quantity")) * 10_000
		} else {
			l.Quantity = family.Quantity(rapid.Int64Range(1, 50_000).Draw(t, "quantity"))
		}
		l.Amount = max(0, halfUp(int64(l.UnitPrice)*int64(l.Quantity), 10_000)+family.Fen(rapid.Int64Range(-1, 1).Draw(t, "rounded by the till")))
		bill.Lines = append(bill.Lines, l)
		bill.Total += l.Amount
	}
	if bill.Total == 0 {
		bill.Lines[0].Quantity, bill.Lines[0].UnitPrice, bill.Lines[0].Amount, bill.Total = 10_000, 1, 1, 1
	}
	return bill
}

// randomCase draws a bill of somebody somewhere, with or without a code.
func (l *life) randomCase(t *rapid.T) family.Case {
	patient := pick(t, people[4:7], "resident")
	if !often(t, 3, "a resident") {
		patient = pick(t, people, "patient")
	}
	c := l.caseOf(patient.no, pick(t, places, "place").Code, randomBill(t), nil)
	if rapid.Bool().Draw(t, "shows a code") {
		if token, refusal := family.IssueQR("Q", patient.no, c.Patient, nil, c.Policy, l.now); refusal == nil {
			c.Token = &token
		}
	}
	return c
}

func settles(t *rapid.T, l *life) {
	c := l.randomCase(t)
	l.last.asked = &c
	s, refusal := l.settle(c)
	if l.last.refusal = refusal; refusal == nil {
		l.last.sale = &s
	}
}

// randomSale draws one of the sales so far.
func (l *life) randomSale(t *rapid.T) family.Settlement {
	if len(l.sales) == 0 {
		t.Skip("nothing was sold")
	}
	return l.sales[pick(t, slices.Sorted(maps.Keys(l.sales)), "sale")]
}

// randomReturns draws a refund of what is kept of a sale, or a little more.
func randomReturns(t *rapid.T, s family.Settlement) []family.Return {
	var returns []family.Return
	for i, l := range s.Lines {
		if s.Kept[i] == 0 || !often(t, 3, "comes back") {
			continue
		}
		q := s.Kept[i]
		switch rapid.IntRange(0, 3).Draw(t, "how much") {
		case 0:
			q = min(q, 10_000)
		case 1:
			q = family.Quantity(rapid.Int64Range(1, int64(q)).Draw(t, "quantity"))
		}
		returns = append(returns, family.Return{LineNo: l.No, Quantity: q})
	}
	return returns
}

func refunds(t *rapid.T, l *life) {
	sale := l.randomSale(t)
	returns := randomReturns(t, sale)
	if len(returns) == 0 {
		return
	}
	if !often(t, 10, "as much as there is") {
		returns[0].Quantity += 1_000_000
	}
	back, refusal := l.refund(sale.ID, returns...)
	if l.last.refusal = refusal; refusal == nil {
		l.last.back = &back
	}
}

func reverses(t *rapid.T, l *life) {
	back, refusal := l.reverse(l.randomSale(t).ID)
	if l.last.refusal = refusal; refusal == nil {
		l.last.back = &back
	}
}
