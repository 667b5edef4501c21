package town

import (
	"context"
	"fmt"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// fed is the answer of the insurer's feed.
func fed(_ app.Fed, err error) auditor.Answer { return answerOf(err) }

// feedPerson feeds a person.
func (t *town) feedPerson(h human) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpPerson, By: h.No, Person: h.Person}}
	in := app.PersonFeed{
		Person: family.PersonNo(h.No), Name: h.Name, ID: h.id, Card: h.card, Phone: h.Phone,
		Insurance: family.Insurance{Region: family.Region(h.Insurance.Region), Insutype: family.Insutype(h.Insurance.Insutype), PsnType: family.PsnType(h.Insurance.PsnType), Active: h.Insurance.Active},
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer { return fed(a.FeedPerson(ctx, in)) }
	return r
}

// feedPlace feeds an institution.
func (t *town) feedPlace(p auditor.Place) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpPlace, Where: p}}
	in := family.Place{Code: family.InstitutionCode(p.Code), Name: "测试机构", Kind: family.InstitutionKind(p.Kind), Level: family.Level(p.Level), Region: family.Region(p.Region), Designated: p.Designated}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer { return fed(a.FeedPlace(ctx, in)) }
	return r
}

// feedItem feeds a version of a catalogue item.
func (t *town) feedItem(i auditor.Item) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpItem, Item: i}}
	in := family.Item{Code: i.Code, Name: "货品", ListType: i.ListType, Class: family.Class(i.Class), Excluded: i.Excluded, From: family.Day(i.From), To: family.Day(i.To)}
	in.SelfPay, in.Ceiling = ratios(i.SelfPay), ceilings(i.Ceiling)
	for region, v := range i.In {
		if in.In == nil {
			in.In = map[family.Region]family.Variant{}
		}
		in.In[family.Region(region)] = family.Variant{Class: family.Class(v.Class), SelfPay: ratios(v.SelfPay), Ceiling: ceilings(v.Ceiling)}
	}
	if l := i.Limits; l != nil {
		in.Limits = &family.Limits{
			Prescription: l.Prescription, MinAge: l.MinAge, MaxAge: l.MaxAge, Sex: family.Sex(l.Sex), Grades: named[family.Grade](l.Grades),
			Kinds: named[family.InstitutionKind](l.Kinds), Diagnoses: l.Diagnoses, MaxDays: l.MaxDays, MaxQuantity: family.Quantity(l.MaxQuantity),
			PeriodDays: l.PeriodDays, PeriodQuantity: family.Quantity(l.PeriodQuantity),
		}
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer { return fed(a.FeedItem(ctx, in)) }
	return r
}

func ratios(from map[string]auditor.Ratio) map[family.Insutype]family.Ratio {
	if from == nil {
		return nil
	}
	to := map[family.Insutype]family.Ratio{}
	for insutype, ratio := range from {
		to[family.Insutype(insutype)] = family.Ratio(ratio)
	}
	return to
}

func ceilings(from map[string]int64) map[family.Level]family.Fen {
	if from == nil {
		return nil
	}
	to := map[family.Level]family.Fen{}
	for level, fen := range from {
		to[family.Level(level)] = family.Fen(fen)
	}
	return to
}

// credit pays money into somebody's account.
func (t *town) credit(person string) *request {
	t.sent++
	r := &request{audit: &auditor.Request{Op: auditor.OpCredit, By: person, Identity: fmt.Sprintf("CR%06d", t.sent)}}
	if t.chance(t.rates.altered) && t.sent > 1 { // a reference that was used
		r.audit.Identity = fmt.Sprintf("CR%06d", 1+t.rng.IntN(t.sent))
	}
	if len(t.adjustments) > 0 && t.chance(0.03) { // an adjustment's
		r.audit.Identity = pick(t, t.adjustments)
	}
	r.audit.Amount = auditor.Pockets{Current: t.rng.Int64N(9_000), Past: t.rng.Int64N(9_000)}
	switch t.rng.IntN(4) {
	case 0:
		r.audit.Amount.Past = 0
	case 1:
		r.audit.Amount.Current = 0
	}
	if t.chance(t.rates.malformed) || r.audit.Amount == (auditor.Pockets{}) {
		r.audit.Malformed = true
		r.audit.Amount = pick(t, []auditor.Pockets{{}, {Current: -1, Past: 5}, {Current: 5, Past: -1}, {Current: int64(family.MaxFen) + 1}, {Past: int64(family.MaxFen) + 1}})
		r.audit.Identity = ""
	}
	r.audit.Content = told("credit", person, r.audit.Amount)
	reference := r.audit.Identity
	if reference == "" {
		reference = "CRX"
	}
	amount := family.Pockets{Current: family.Fen(r.audit.Amount.Current), Past: family.Fen(r.audit.Amount.Past)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return fed(a.FeedCredit(ctx, reference, family.PersonNo(person), amount))
	}
	return r
}

// turn rolls somebody's account over into a year, which mostly is the present one.
func (t *town) turn() *request {
	year := t.now.UTC().Add(8 * time.Hour).Year()
	if t.chance(0.1) {
		year += pick(t, []int{-1, 1})
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpTurn, By: pick(t, t.people).No, Year: year}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return fed(a.Rollover(ctx, family.PersonNo(r.audit.By), year))
	}
	return r
}

// operate freezes or suspends, or takes it back.
func (t *town) operate() *request {
	if t.chance(0.6) {
		return t.freeze(pick(t, t.people).No, t.chance(0.25))
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpSuspend, Code: pick(t, t.places).Code, Switch: t.chance(0.15)}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return answerOf(a.Suspend(ctx, family.Reviewer{Subject: auditor.Operator}, family.InstitutionCode(r.audit.Code), r.audit.Switch))
	}
	return r
}

// freeze freezes somebody, or takes it back.
func (t *town) freeze(person string, frozen bool) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpFreeze, By: person, Switch: frozen}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return answerOf(a.Freeze(ctx, family.Reviewer{Subject: auditor.Operator}, family.PersonNo(person), frozen))
	}
	return r
}

// reference feeds what changes: how somebody is insured, what he is called, a card,
// the terms of a place, a new version of an item.
func (t *town) reference() *request {
	switch t.rng.IntN(4) {
	case 0:
		i := t.rng.IntN(len(t.goods))
		item := t.drawItem(t.goods[i].Code, t.goods[i].Class)
		item.From = dayOf(t.now.AddDate(0, 0, t.rng.IntN(5)-2))
		if t.chance(0.3) {
			item.To = dayOf(t.now.AddDate(0, 0, t.rng.IntN(6)-1))
			item.To = max(item.To, item.From)
		}
		return t.feedItem(item)
	case 1:
		p := *pick(t, t.places)
		p.Level = pick(t, []string{"1", "5", "6", "9", "11"})
		p.Designated = t.chance(0.95)
		return t.feedPlace(p.Place)
	}
	h := pick(t, t.people)
	changed := *h
	switch t.rng.IntN(5) {
	case 0, 4:
		changed.Insurance = t.drawInsurance()
		changed.Insurance.Active = t.chance(0.8)
	case 1:
		t.sent++
		changed.card = fmt.Sprintf("A%08d", 10_000+t.sent)
		if t.chance(0.2) {
			changed.card = pick(t, t.people).card
			if changed.card == "" {
				changed.CardIx = ""
				changed.CardKey = auditor.CardKey("")
			}
		}
	case 2:
		changed.Name = h.Name[:6] + string(rune('子'+t.rng.IntN(8)))
	case 3:
		changed.Phone = fmt.Sprintf("1%010d", t.rng.IntN(1000))
	}
	t.index(&changed)
	r := t.feedPerson(changed)
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" {
			*t.human(changed.No) = changed
		}
	}
	return r
}
