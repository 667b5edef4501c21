package town

import (
	"context"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// owed is a premium of which an operator has told.
type owed struct {
	person  string
	premium auditor.Premium
}

// premium is an operator's word that somebody owes one, a payment of one, or its way
// back.
func (t *town) premium() *request {
	switch {
	case len(t.premiums) == 0 || t.chance(0.25):
		return t.owe()
	case len(t.paid) > 0 && t.chance(0.3):
		return t.returnPremium()
	}
	return t.payPremium()
}

// owe tells of a premium, or of one otherwise than before.
func (t *town) owe() *request {
	person := pick(t, t.people).No
	in := auditor.Premium{
		Kind: []string{"resident", "long_term_care"}[t.rng.IntN(2)], Year: 2026 + t.rng.IntN(2), Amount: 1 + t.rng.Int64N(6_000),
		From: dayOf(t.now.AddDate(0, 0, -t.rng.IntN(3))), To: dayOf(t.now.AddDate(0, 0, t.rng.IntN(30))),
	}
	if len(t.premiums) > 0 && t.chance(0.4) {
		again := pick(t, t.premiums)
		person, in = again.person, again.premium
		if t.chance(0.5) {
			in.Amount += t.rng.Int64N(3)
		}
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpOwe, By: person, Premium: in}}
	premium := family.Premium{
		Person: family.PersonNo(person), Kind: family.PremiumKind(in.Kind), Year: in.Year, Amount: family.Fen(in.Amount), From: family.Day(in.From), To: family.Day(in.To),
	}
	if t.chance(t.rates.malformed) {
		r.audit.Malformed = true
		premium.Amount = 0
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer { return fed(a.FeedPremium(ctx, premium)) }
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" {
			t.premiums = append(t.premiums, owed{person, in})
		}
	}
	return r
}

// payPremium pays what somebody owes: his own, a relative's, or one that nobody knows
// of.
func (t *town) payPremium() *request {
	o := pick(t, t.premiums)
	by, binding := o.person, ""
	for _, i := range t.rng.Perm(len(t.bindings)) {
		if b := t.bindings[i]; b.member == o.person && t.chance(0.8) {
			by, binding = b.holder, b.id
			break
		}
	}
	if t.chance(0.05) && len(t.bindings) > 0 {
		binding = pick(t, t.bindings).id // not his to name
	}
	in := o.premium
	switch n := t.rng.IntN(20); n {
	case 0:
		in.Amount++
	case 1:
		in.Year++
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpPremium, By: by, Binding: binding, Premium: in}}
	ask := app.PremiumAsk{Binding: family.BindingID(binding), Kind: family.PremiumKind(in.Kind), Year: in.Year, Amount: family.Fen(in.Amount)}
	once := t.once(r.audit, ask)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		done, err := a.PayPremium(ctx, family.PersonNo(by), ask, once)
		answer := answerOf(err)
		answer.Replay, answer.ID = done.Replay, string(done.Answer.Premium.ID)
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" {
			t.paid = append(t.paid, a.ID)
		}
	}
	return r
}

// returnPremium gives a premium back.
func (t *town) returnPremium() *request {
	id := pick(t, t.paid)
	r := &request{audit: &auditor.Request{Op: auditor.OpReturn, Premium: auditor.Premium{ID: id}}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.RefundPremium(ctx, family.Reviewer{Subject: auditor.Operator}, family.PremiumID(id))
		return answerOf(err)
	}
	return r
}
