package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// retired and outOfTown visit too in the generated year.
var (
	retired   = human{"P1007", "孙满堂", "19500303", family.Insurance{Region: changsha, Insutype: family.Employee, PsnType: "12", Active: true}, "", ""}
	outOfTown = human{"P1008", "何株洲", "19910404", family.Insurance{Region: "430200", Insutype: family.Employee, PsnType: "11", Active: true}, "", ""}
)

// newYearsEve is the day before the generated year.
var newYearsEve = time.Date(2025, 12, 31, 4, 0, 0, 0, time.UTC)

// year plays a year of visits that is the same in every house: who came where and what
// he needed do not depend on the rules. Two have more money than they need, the others
// none, so that what accounts could have paid is the same under any rule.
func (h *house) year(sales int) []Outcome {
	h.t.Helper()
	r := rand.New(rand.NewPCG(2026, 1))
	people := append([]human{}, cast...)
	people = append(people, retired, outOfTown)
	h.feed(retired)
	h.feed(outOfTown)
	h.pay(li, 10_000_000, 0)
	h.pay(retired.no, 10_000_000, 0)
	var made []Outcome
	for n := range sales {
		h.clock.now = newYearsEve.Add(time.Duration(24+n*364*24/sales) * time.Hour)
		p, place := people[r.IntN(len(people))], places[r.IntN(len(places))]
		b := medicine(family.Fen(1 + r.IntN(60_000)))
		if place.Kind == family.Hospital {
			b = bill(family.Outpatient, line(1, goods[r.IntN(len(goods))].Code, 1+r.IntN(3), family.Fen(1+r.IntN(20_000))), line(2, classA, 1, family.Fen(1+r.IntN(40_000))))
		}
		made = append(made, h.settle(place.Code, Credential{ByID, string(h.feedOf(p).ID), p.name}, b))
	}
	return made
}

// generous are the edits of Changsha's file that make its draft: another ratio, another
// deductible and another cap at once.
var generous = []string{`"2": "0.6000"`, `"2": "0.8000"`, `"2": 20000`, `"2": 25000`, `"yearly_cap_fen": 150000`, `"yearly_cap_fen": 90000`}

// draftFrom is the generous draft from a day on.
func draftFrom(t testing.TB, day, version string) string {
	t.Helper()
	return strings.Replace(draftText(t, version, generous...), "20260313", day, 1)
}

// TestADraftOverAYear: what a draft would have made of a generated year is, to the fen
// and in every group, what the same year comes to in a house where it was in force; and
// then two people publish it.
func TestADraftOverAYear(t *testing.T) {
	t.Parallel()
	const sales = 160
	ctx := t.Context()

	would := newHouse(t)
	would.clock.now = newYearsEve // before the day on which it was furnished
	would.restore(store.Key(closedKey), row{})
	would.App = would.over(would.store)
	ok(would.DraftPolicy(ctx, "clerk", draftFrom(t, "20260101", "2026-99")))(t)
	ok(would.PublishPolicy(ctx, "chief", "430100@2026-99", ""))(t)
	after := would.year(sales)

	h := newHouse(t)
	h.clock.now = newYearsEve
	before := h.year(sales)
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, "20270101", "2027-01")))(t)
	untouched := h.dump()
	report := ok(h.WhatIf(ctx, WhatIfAsk{Policy: "430100@2027-01", From: 20260101, To: 20261231, Most: 1000}))(t)
	h.wantNothingMoved(untouched)

	want := WhatIf{ByRegion: map[string]Change{}, ByGrade: map[string]Change{}, ByPsnType: map[string]Change{}}
	worth := map[family.MessageID]family.Breakdown{}
	for i, was := range before {
		s, is := was.Settlement, after[i].Settlement
		want.Settlements++
		if s.Basis.InsuredRegion != changsha {
			continue
		}
		want.Ruled++
		one := Change{Ruled: 1}
		if s.Paid != is.Paid {
			one = Change{1, 1, is.Paid.FundPaid - s.Paid.FundPaid, is.Paid.OwnPaid - s.Paid.OwnPaid, is.Paid.CashDue - s.Paid.CashDue}
			worth[s.ID] = is.Paid
		}
		want.Change.add(one)
		addTo(want.ByRegion, string(s.Basis.InsuredRegion), one)
		addTo(want.ByGrade, string(s.Basis.Level.Grade()), one)
		addTo(want.ByPsnType, string(s.Basis.PsnType), one)
	}
	examples := report.Examples
	report.Examples = nil
	same(t, "the report", report, want)
	if c := report.Change; c.Changed < 20 || c.Ruled == report.Settlements || c.Cash == 0 || c.Shared == 0 {
		t.Errorf("the year says too little: %+v", report)
	}
	same(t, "examples", len(examples), maxExamples)
	for i, e := range examples {
		same(t, "an example", e.Would, worth[e.ID])
		change := func(e Example) family.Fen {
			return max(e.Would.CashDue-e.Was.CashDue, e.Was.CashDue-e.Would.CashDue)
		}
		if i > 0 && change(e) > change(examples[i-1]) {
			t.Errorf("example %d is more than the one before it", i)
		}
	}

	// Half a year at a time says the same of the visits, and where to go on.
	half := ok(h.WhatIf(ctx, WhatIfAsk{Policy: "430100@2027-01", From: 20260101, To: 20261231, Most: sales / 2}))(t)
	rest := ok(h.WhatIf(ctx, WhatIfAsk{Policy: "430100@2027-01", From: half.Next, To: 20261231, Most: 1000}))(t)
	same(t, "both parts", half.Settlements+rest.Settlements, sales)

	// Published by another person it decides from its day on, and reaches into no past.
	refused(h.PublishPolicy(ctx, "clerk", "430100@2027-01", ""))(t, family.NotPermitted)
	ok(h.PublishPolicy(ctx, "chief", "430100@2027-01", ""))(t)
	h.clock.now = time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC)
	same(t, "the last second of the year", h.settle(hospital, h.byID(zhou), clinicVisit()).Settlement.Policy, "430100@2026-01")
	h.clock.add(time.Second)
	sale := h.settle(hospital, h.byID(zhou), clinicVisit())
	same(t, "the first of the next", sale.Settlement.Policy, "430100@2027-01")
	same(t, "its fund", sale.Settlement.Paid.FundPaid, family.Fen(191_20)) // 80 % of 489.00 − 250.00
	for _, s := range append(before, sale) {
		if d := ok(h.Replay(ctx, s.Settlement.ID))(t).Differences; len(d) > 0 {
			t.Errorf("%s comes out otherwise: %v", s.Settlement.ID, d)
		}
	}
}

// TestAWhatIfCountsWhatIsLeft: a reversed sale is none, of a refunded one what is kept
// counts.
func TestAWhatIfCountsWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	b := bill(family.Outpatient, line(1, classA, 4, 20000))
	kept, gone := h.settle(hospital, h.byID(zhou), b), h.settle(hospital, h.byID(lijun), b)
	ok(h.Refund(ctx, hospital, kept.Settlement.ID, h.message(hospital), []family.Return{{LineNo: 1, Quantity: 1_0000}}))(t)
	ok(h.Reverse(ctx, hospital, gone.Settlement.ID, h.message(hospital), "退"))(t)
	ok(h.DraftPolicy(ctx, "clerk", draftText(t, "2026-04", `"2": "0.6000"`, `"2": "0.8000"`)))(t)
	report := ok(h.WhatIf(ctx, WhatIfAsk{Policy: "430100@2026-04", From: today, To: today, Most: 10}))(t)
	// 600.00 − 200.00 are left to the fund: 240.00 at 60 %, 320.00 at 80 %.
	same(t, "the change", report.Change, Change{Ruled: 2, Changed: 1, Fund: 8000, Cash: -8000})
}

// TestPublishedOneAfterAnother: the first day of each is after the last one's, also for
// two who publish at once.
func TestPublishedOneAfterAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	day := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	named := func(n int) (first, version string) {
		return day.AddDate(0, 0, n).Format("20060102"), fmt.Sprintf("2027-%d", n)
	}
	const most = 4
	for n := range most {
		first, version := named(n)
		ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, first, version)))(t)
	}
	for n := range most {
		_, version := named(n)
		ok(h.PublishPolicy(ctx, "chief", "430100@"+version, ""))(t)
	}
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, "20270103", "2027-late")))(t)
	refused(h.PublishPolicy(ctx, "chief", "430100@2027-late", ""))(t, family.StateForbids)

	// One reads that nothing is in the way; another publishes the same day meanwhile.
	first, _ := named(most)
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, first, "2027-one")))(t)
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, first, "2027-two")))(t)
	late := h.over(&between{Store: h.store, other: func() {
		ok(h.PublishPolicy(ctx, "chief", "430100@2027-two", ""))(t)
	}})
	refused(late.PublishPolicy(ctx, "chief", "430100@2027-one", ""))(t, family.StateForbids)

	listed := 0
	for page := (Page[PolicyView]{Next: ""}); ; {
		page = ok(h.PoliciesOf(ctx, page.Next, 2))(t)
		listed += len(page.Items)
		if page.Next == "" {
			break
		}
	}
	same(t, "policies listed", listed, most+3)
}

// TestALatePublicationDoesNotReachIntoItsDay: one publishes for tomorrow, and his commit
// comes when tomorrow has begun and others have decided by its rules. They stay its rules.
func TestALatePublicationDoesNotReachIntoItsDay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, "20260313", "2026-slow")))(t)
	h.clock.now = time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC) // an hour before
	var before string
	slow := h.over(&storetest.Faulty{Store: h.store, Before: func(call storetest.Call) {
		if call.Verb == storetest.Commit && call.Writes[0].Key.Part == policiesPart && before == "" {
			h.clock.add(time.Hour + time.Minute)
			before = h.settle(hospital, h.byID(zhou), clinicVisit()).Settlement.Policy
		}
	}})
	refused(slow.PublishPolicy(ctx, "chief", "430100@2026-slow", ""))(t, family.StateForbids)
	same(t, "the rules before", before, "430100@2026-01")
	same(t, "the rules after", h.settle(hospital, h.byID(zhou), clinicVisit()).Settlement.Policy, before)
	fresh := h.over(h.store)
	same(t, "in another process", ok(fresh.Settle(ctx, hospital, SettleAsk{Message: h.message(hospital), Credential: h.byID(zhou), Bill: clinicVisit()}))(t).Settlement.Policy, before)

	// What closes a day is written anew where it is damaged.
	h.overwrite(store.Key(closedKey), []byte(`{"Through":20990101}`))
	h.clock.add(24 * time.Hour)
	h.settle(hospital, h.byID(zhou), clinicVisit())
	ok(h.DraftPolicy(ctx, "clerk", draftFrom(t, "20260316", "2026-next")))(t)
	ok(h.PublishPolicy(ctx, "chief", "430100@2026-next", ""))(t)
}
