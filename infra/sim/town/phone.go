package town

import (
	"context"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// issue is somebody who wants a code on his phone: his own, or a relative's.
func (t *town) issue() *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpIssue, By: pick(t, t.people).No}}
	if len(t.bindings) > 0 && t.chance(0.6) {
		b := pick(t, t.bindings)
		r.audit.Binding, r.audit.By = b.id, b.holder
		if t.chance(0.05) {
			r.audit.By = b.member
		}
	}
	once := t.once(r.audit, r.audit.Binding)
	var digits string
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		done, err := a.IssueQR(ctx, family.PersonNo(r.audit.By), family.BindingID(r.audit.Binding), once)
		answer := answerOf(err)
		answer.Replay, answer.ID = done.Replay, string(done.Answer.Token.ID)
		answer.Digits, digits = len(done.Answer.Digits) == 20, done.Answer.Digits
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Digits {
			t.codes = append(t.codes, code{digits, r.audit.By, r.audit.Binding})
			switch {
			case t.chance(0.5):
				t.next = append(t.next, t.visit(t.byCode(digits, true)))
			case t.chance(0.3):
				t.next = append(t.next, t.decode())
			}
		}
	}
	return r
}

// confirms is a grantor who says his word to a sale that waits for it, or somebody
// whom nobody asked.
func (t *town) confirms(message, grantor string) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpConfirm, By: grantor, Message: message, Says: "approved"}}
	if t.chance(0.2) {
		r.audit.Says = "declined"
	}
	if t.chance(0.1) {
		r.audit.By = pick(t, t.people).No
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.Confirm(ctx, family.PersonNo(r.audit.By), family.MessageID(message), family.Consent(r.audit.Says))
		return answerOf(err)
	}
	return r
}

// anyBind is somebody who asks for a binding with anybody.
func (t *town) anyBind() *request {
	return t.bind(pick(t, t.people), pick(t, t.people), false)
}

// bind asks for a binding; kindly asks for one that most rules allow.
func (t *town) bind(holder, member *human, kindly bool) *request {
	ask, in := t.wish(holder, member, kindly)
	r := &request{audit: &auditor.Request{Op: auditor.OpBind, By: holder.No, Ask: ask}}
	once := t.once(r.audit, in)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		done, err := a.RequestBinding(ctx, family.PersonNo(holder.No), in, once)
		answer := answerOf(err)
		answer.Replay, answer.ID = done.Replay, string(done.Answer.Binding.ID)
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" && !a.Replay {
			t.bindings = append(t.bindings, bond{id: a.ID, holder: holder.No, member: member.No, relation: ask.Relation})
			if t.chance(0.1) {
				t.next = append(t.next, t.feedKinOf(holder), t.onBinding(auditor.OpSubmit, holder.No, a.ID))
			}
		}
	}
	return r
}

// wish draws what somebody asks for who would bind another; kindly is what most rules
// allow.
func (t *town) wish(holder, member *human, kindly bool) (auditor.Ask, app.BindingAsk) {
	relation := pick(t, []string{"10", "11", "12", "20", "30", "51", "52", "61", "41", "71", "77", "40", "99"})
	if kindly {
		relation = pick(t, []string{"20", "30", "20", "71", "12"})
	}
	ask := auditor.Ask{ID: member.IDKey, Name: member.Name, Relation: relation, Show: kindly || t.chance(0.7)}
	id := member.id
	if kindly || t.chance(0.8) {
		ask.Pay = t.terms(kindly)
	}
	if !kindly && t.chance(0.04) {
		ask.Name = "别人"
	}
	if !kindly && t.chance(0.02) {
		id = t.idNumber(member.Born, 901)
		ask.ID = auditor.IDKey(t.vault.Index("id_no", string(id)))
	}
	return ask, app.BindingAsk{Name: ask.Name, ID: id, Relation: family.Relation(relation), Show: ask.Show, Pay: termsOf(ask.Pay)}
}

// terms draws the limits of a grant.
func (t *town) terms(kindly bool) *auditor.Terms {
	terms := &auditor.Terms{Purposes: []string{"care", "pharmacy"}}
	if t.chance(0.3) {
		terms.Purposes = [][]string{{"care"}, {"pharmacy"}, {"care", "premium"}, {"care", "pharmacy", "premium"}}[t.rng.IntN(4)]
	}
	if t.chance(0.3) {
		terms.MonthlyCap = 1 + t.rng.Int64N(20_000)
	}
	if t.chance(0.2) {
		terms.PerSettlementCap = 1 + t.rng.Int64N(8_000)
	}
	if t.chance(0.2) {
		terms.Quota = 1 + t.rng.Int64N(10_000)
	}
	if t.chance(0.2) {
		terms.ValidUntil = dayOf(t.now.AddDate(0, 0, t.rng.IntN(3)))
	}
	if !kindly && t.chance(t.rates.malformed) {
		switch t.rng.IntN(6) {
		case 0:
			terms.Purposes = nil
		case 1:
			terms.Purposes = []string{"care", "care"}
		case 2:
			terms.MonthlyCap = -1
		case 3:
			terms.PerSettlementCap = int64(family.MaxFen) + 1
		case 4:
			terms.Quota = -5
		case 5:
			terms.ValidUntil = dayOf(t.now.AddDate(0, 0, -2))
		}
	}
	return terms
}

func termsOf(a *auditor.Terms) *family.Terms {
	if a == nil {
		return nil
	}
	return &family.Terms{
		Purposes: named[family.Purpose](a.Purposes), MonthlyCap: family.Fen(a.MonthlyCap), PerSettlementCap: family.Fen(a.PerSettlementCap),
		Quota: family.Fen(a.Quota), ValidUntil: family.Day(a.ValidUntil),
	}
}

// anyOnBinding is either side of a binding doing something with it.
func (t *town) anyOnBinding() *request {
	if len(t.bindings) == 0 {
		return nil
	}
	b := t.bindings[max(0, len(t.bindings)-1-t.rng.IntN(8))]
	by := b.holder
	op := pick(t, []auditor.Op{auditor.OpSubmit, auditor.OpAccept, auditor.OpAccept, auditor.OpDecline, auditor.OpEnd, auditor.OpChange, auditor.OpChange, auditor.OpChange})
	switch {
	case op == auditor.OpAccept, op == auditor.OpDecline:
		by = b.member
	case op == auditor.OpEnd && t.chance(0.5), op == auditor.OpChange && t.chance(0.3):
		by = b.member
	}
	if t.chance(0.05) {
		by = pick(t, t.people).No
	}
	return t.onBinding(op, by, b.id)
}

// onBinding is an act on a binding.
func (t *town) onBinding(op auditor.Op, by, id string) *request {
	if op == auditor.OpChange {
		return t.changes(by, id, t.change())
	}
	r := &request{audit: &auditor.Request{Op: op, By: by, Binding: id}, anew: op == auditor.OpSubmit}
	person, binding := family.PersonNo(by), family.BindingID(id)
	act := map[auditor.Op]func(*app.App, context.Context, family.PersonNo, family.BindingID) (app.BindingView, error){
		auditor.OpSubmit: (*app.App).Submit, auditor.OpAccept: (*app.App).Accept,
		auditor.OpDecline: (*app.App).Decline, auditor.OpEnd: (*app.App).EndBinding,
	}[op]
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		view, err := act(a, ctx, person, binding)
		answer := answerOf(err)
		answer.ID = string(view.Binding.ID)
		return answer
	}
	return r
}

// changes is a change of a binding.
func (t *town) changes(by, id string, c auditor.Change) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpChange, By: by, Binding: id, Change: c}}
	in := family.Change{Show: c.Show, Paused: c.Paused, SetPay: c.SetPay, Pay: termsOf(c.Pay)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		view, err := a.ChangeBinding(ctx, family.PersonNo(by), family.BindingID(id), in)
		answer := answerOf(err)
		answer.ID = string(view.Binding.ID)
		return answer
	}
	return r
}

func (t *town) change() (c auditor.Change) {
	on := t.chance(0.6)
	switch t.rng.IntN(5) {
	case 0:
		c.Show = &on
	case 1:
		off := !on
		c.Paused = &off
	case 2:
		c.SetPay = true
	default:
		c.SetPay, c.Pay = true, t.terms(false)
	}
	return c
}

// chooseOrder is somebody who wants his grantors to pay in another order.
func (t *town) chooseOrder() *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpOrder, By: pick(t, t.people).No}}
	var order []family.BindingID
	if k := t.disk.Peek(auditor.AccountKey(r.audit.By)); k.Exists() { // he sees his list
		r.audit.Order = auditor.GrantorsOf(k)
	}
	t.rng.Shuffle(len(r.audit.Order), func(i, j int) {
		r.audit.Order[i], r.audit.Order[j] = r.audit.Order[j], r.audit.Order[i]
	})
	if len(r.audit.Order) > 0 && t.chance(0.1) {
		r.audit.Order[0] = r.audit.Order[len(r.audit.Order)-1]
	}
	if len(r.audit.Order) > 0 && t.chance(0.05) {
		r.audit.Order = r.audit.Order[1:]
	}
	for _, id := range r.audit.Order {
		order = append(order, family.BindingID(id))
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.ChooseOrder(ctx, family.PersonNo(r.audit.By), order)
		return answerOf(err)
	}
	return r
}
