package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// WhatIfAsk asks what a policy of the table would have made of past settlements.
type WhatIfAsk struct {
	Policy   string
	From, To family.Day
	// Most bounds how many settlements are looked at; a day is never cut.
	Most int
}

// WhatIf is what a draft would have made of past settlements. Only sales of which
// something is left count, and of those what is left.
type WhatIf struct {
	Settlements int // looked at
	Ruled       int // of patients whom the draft would rule
	Change      Change
	ByRegion    map[string]Change // of insurance
	ByGrade     map[string]Change // of the institution
	ByPsnType   map[string]Change
	// Examples are the settlements that would change most, at most maxExamples.
	Examples []Example
	// Next is the first day that was not looked at; 0 when all were.
	Next family.Day
}

// Change sums what would be otherwise.
type Change struct {
	Ruled, Changed     int
	Fund, Shared, Cash family.Fen // more, or with a minus less
}

// Example is one settlement that would be otherwise.
type Example struct {
	ID         family.MessageID
	Was, Would family.Breakdown
}

const (
	maxExamples = 20
	maxWhatIf   = 200_000
	maxRange    = 366 // days
)

// WhatIf reckons past settlements under a policy of the table, in the order in which
// they were made: what a person's benefit would have used up follows him from one to
// the next. It writes nothing.
func (a *App) WhatIf(ctx context.Context, ask WhatIfAsk) (WhatIf, error) {
	if ask.From == 0 || ask.To < ask.From || ask.To.Begins().Sub(ask.From.Begins()) > maxRange*24*time.Hour {
		return WhatIf{}, &family.Refusal{Code: family.Malformed, Field: "to", Detail: "the days are a year at most, the last not before the first"}
	}
	view, err := a.PolicyOf(ctx, ask.Policy)
	if err != nil {
		return WhatIf{}, err
	}
	places, err := a.placeCodes(ctx)
	if err != nil {
		return WhatIf{}, err
	}
	run := whatIf{
		app: a, draft: view.Policy, drift: map[driftOf]family.Drift{},
		out: WhatIf{ByRegion: map[string]Change{}, ByGrade: map[string]Change{}, ByPsnType: map[string]Change{}},
	}
	for day := ask.From; day <= ask.To; day = day.After(1) {
		if run.out.Settlements >= min(ask.Most, maxWhatIf) {
			run.out.Next = day
			break
		}
		if err := run.day(ctx, places, day); err != nil {
			return WhatIf{}, err
		}
	}
	return run.out, nil
}

// placeCodes lists all institutions.
func (a *App) placeCodes(ctx context.Context) ([]family.InstitutionCode, error) {
	var codes []family.InstitutionCode
	r := store.Range{Part: placesPart, Limit: store.MaxList}
	for {
		rows, err := a.list(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			codes = append(codes, family.InstitutionCode(row.Key.Sort))
		}
		if len(rows) < r.Limit {
			return codes, nil
		}
		r.After = rows[len(rows)-1].Key.Sort
	}
}

// whatIf is one run of a draft over past days.
type whatIf struct {
	app   *App
	draft *family.Policy
	drift map[driftOf]family.Drift // of those who have any
	out   WhatIf
}

// driftOf is a counter that comes apart from what it was.
type driftOf struct {
	person   family.PersonNo
	year     int
	insutype family.Insutype
	stays    bool
}

// day reckons all settlements of a day, in the order of their times.
func (w *whatIf) day(ctx context.Context, places []family.InstitutionCode, day family.Day) error {
	var sales []*family.Settlement
	for _, place := range places {
		r := store.Range{Part: dayPart(place, day), Prefix: messagePrefix, Limit: store.MaxList}
		for {
			records, err := w.app.list(ctx, r)
			if err != nil {
				return err
			}
			messages, err := decodeAll[messageRecord](records)
			if err != nil {
				return err
			}
			for _, m := range messages {
				if m.Settlement != nil && m.Settlement.Kind == family.Settled {
					sales = append(sales, m.Settlement)
				}
			}
			if len(records) < r.Limit {
				break
			}
			r.After = records[len(records)-1].Key.Sort
		}
	}
	slices.SortStableFunc(sales, func(a, b *family.Settlement) int { return a.At.Compare(b.At) })
	for _, s := range sales {
		w.reckon(s)
	}
	return nil
}

// reckon reckons one settlement.
func (w *whatIf) reckon(s *family.Settlement) {
	w.out.Settlements++
	region := s.Basis.InsuredRegion
	if w.draft.Region != region.City() && w.app.policyFor(region, s.Basis.Day).Region != w.draft.Region {
		return
	}
	w.out.Ruled++
	who := driftOf{s.Patient, s.Basis.Day.Year(), s.Basis.Insutype, s.MedType.IsStay()}
	was, would, drift := family.WhatIf(s, w.draft, w.drift[who])
	if drift != (family.Drift{}) {
		w.drift[who] = drift
	} else {
		delete(w.drift, who)
	}
	one := Change{Ruled: 1}
	if was != would {
		one = Change{1, 1, would.FundPaid - was.FundPaid, would.OwnPaid + would.SharedPaid - was.OwnPaid - was.SharedPaid, would.CashDue - was.CashDue}
		w.example(Example{s.ID, was, would})
	}
	w.out.Change.add(one)
	addTo(w.out.ByRegion, string(region.City()), one)
	addTo(w.out.ByGrade, string(s.Basis.Level.Grade()), one)
	addTo(w.out.ByPsnType, string(s.Basis.PsnType), one)
}

func (c *Change) add(d Change) {
	c.Ruled += d.Ruled
	c.Changed += d.Changed
	c.Fund += d.Fund
	c.Shared += d.Shared
	c.Cash += d.Cash
}

func addTo(m map[string]Change, key string, d Change) {
	c := m[key]
	c.add(d)
	m[key] = c
}

// example keeps a settlement if it is among those that change most.
func (w *whatIf) example(e Example) {
	size := func(e Example) family.Fen { return max(e.Would.CashDue-e.Was.CashDue, e.Was.CashDue-e.Would.CashDue) }
	if n := len(w.out.Examples); n == maxExamples && size(w.out.Examples[n-1]) >= size(e) {
		return
	}
	i, _ := slices.BinarySearchFunc(w.out.Examples, e, func(a, b Example) int { return cmp.Compare(size(b), size(a)) })
	w.out.Examples = slices.Insert(w.out.Examples, i, e)
	w.out.Examples = w.out.Examples[:min(len(w.out.Examples), maxExamples)]
}
