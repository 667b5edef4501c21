package town

import (
	"context"
	"strings"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// counter is an operator of the insurer who serves people that have no phone: a new
// request, the next step of one that he filled in, or an end.
func (t *town) counter() *request {
	switch n := t.rng.IntN(10); {
	case n < 2 && len(t.bindings) > 0:
		return t.serveEnd()
	case n < 7 && len(t.served) > 0:
		return t.serve(pick(t, t.served))
	}
	return t.serveBind(pick(t, t.people), pick(t, t.people))
}

// before draws how somebody who stands at the counter names himself, now and then
// wrongly, and how the auditor is to see it.
func (t *town) before(h *human) (app.Identity, auditor.Identity) {
	shown, seen := t.byID(h)
	return app.Identity{Name: shown.Name, ID: family.IDNumber(strings.ToUpper(shown.Value))}, auditor.Identity{Key: seen.Key, Name: seen.Name}
}

// serveBind is an operator who fills a request in for a holder.
func (t *town) serveBind(holder, member *human) *request {
	ask, in := t.wish(holder, member, t.chance(0.8))
	r := &request{audit: &auditor.Request{Op: auditor.OpServe, Ask: ask}}
	r.audit.Subject, r.audit.By = t.operator()
	who, seen := t.before(holder)
	r.audit.Who = seen
	by := family.Reviewer{Subject: r.audit.Subject, Person: family.PersonNo(r.audit.By)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		view, err := a.RequestAtCounter(ctx, by, who, in)
		answer := answerOf(err)
		answer.ID = string(view.Binding.ID)
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code != "" {
			return
		}
		b := bond{id: a.ID, holder: holder.No, member: member.No, relation: ask.Relation, by: r.audit.Subject}
		t.bindings, t.served = append(t.bindings, b), append(t.served, b)
		t.next = append(t.next, t.serve(b))
	}
	return r
}

// serve is the next step of a request that was filled in at the counter.
func (t *town) serve(b bond) *request {
	subject, by := b.by, ""
	if t.chance(0.1) { // a colleague, or one of the family
		subject, by = pick(t, []string{"op1", "op2", "op3"}), pick(t, []string{b.holder, b.member})
	}
	who := family.Reviewer{Subject: subject, Person: family.PersonNo(by)}
	id := family.BindingID(b.id)
	state, paper := auditor.StateOf(t.disk.Peek(auditor.BindingKey(b.id)))
	if t.chance(0.1) {
		state = pick(t, []string{"draft", "awaiting_member"})
	}
	then := func(r *request) *request {
		learn := r.learn
		r.learn = func(t *town, a auditor.Answer) {
			if learn != nil {
				learn(t, a)
			}
			if a.Code == "" && t.chance(0.95) || a.Code == "paper_missing" && t.chance(0.7) {
				t.next = append(t.next, t.serve(b))
			}
		}
		return r
	}
	switch {
	case state == "in_review":
		return t.review(pick(t, []auditor.Op{auditor.OpLook, auditor.OpApprove}), b.id, pick(t, []string{"rev1", b.by}), "")
	case state == "awaiting_member":
		r := &request{audit: &auditor.Request{Op: auditor.OpServeAccept, Subject: subject, By: by, Binding: b.id}}
		r.run = func(ctx context.Context, a *app.App) auditor.Answer {
			_, err := a.AcceptAtCounter(ctx, who, id)
			return answerOf(err)
		}
		return then(r)
	case state == "draft" && paper != "" && t.chance(0.7):
		r := &request{audit: &auditor.Request{Op: auditor.OpServeAnnounce, Subject: subject, By: by, Binding: b.id}}
		return then(t.uploads(r, paper, func(ctx context.Context, a *app.App, in app.MaterialAsk) (app.UploadView, error) {
			return a.AnnounceAtCounter(ctx, who, id, in)
		}))
	case state == "draft":
		r := &request{audit: &auditor.Request{Op: auditor.OpServeSubmit, Subject: subject, By: by, Binding: b.id}, anew: true}
		r.run = func(ctx context.Context, a *app.App) auditor.Answer {
			_, err := a.SubmitAtCounter(ctx, who, id)
			return answerOf(err)
		}
		return then(r)
	}
	return nil
}

// serveEnd is somebody at the counter who wants a binding ended.
func (t *town) serveEnd() *request {
	b := t.bindings[max(0, len(t.bindings)-1-t.rng.IntN(8))]
	side := t.human(pick(t, []string{b.holder, b.member}))
	if t.chance(0.1) {
		side = pick(t, t.people)
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpServeEnd, Binding: b.id}}
	r.audit.Subject, r.audit.By = t.operator()
	who, seen := t.before(side)
	r.audit.Who = seen
	by := family.Reviewer{Subject: r.audit.Subject, Person: family.PersonNo(r.audit.By)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, _, err := a.EndAtCounter(ctx, by, family.BindingID(b.id), who)
		return answerOf(err)
	}
	return r
}
