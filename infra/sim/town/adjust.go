package town

import (
	"context"
	"fmt"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// adjust is an operator who would put an account right, or one who decides on what a
// colleague proposed.
func (t *town) adjust() *request {
	if len(t.adjustments) == 0 || t.chance(0.4) {
		return t.propose()
	}
	return t.decideOn(t.adjustments[max(0, len(t.adjustments)-1-t.rng.IntN(4))])
}

// operator draws who serves, now and then one who is insured here himself.
func (t *town) operator() (subject, person string) {
	if t.chance(0.15) {
		person = pick(t, t.people).No
	}
	return pick(t, []string{"op1", "op2", "op3"}), person
}

func (t *town) propose() *request {
	t.sent++
	in := auditor.Adjustment{Reference: fmt.Sprintf("ADJ%06d", t.sent), Person: pick(t, t.people).No, Reason: pick(t, []string{"duplicate_credit", "missed_credit", "wrong_amount", "ruling"})}
	in.Amount = auditor.Pockets{Current: t.rng.Int64N(8_000) - 4_000, Past: t.rng.Int64N(8_000) - 4_000}
	switch {
	case len(t.adjustments) > 0 && t.chance(0.1): // a reference that was used
		in.Reference = pick(t, t.adjustments)
	case t.chance(0.1): // perhaps a payment's
		in.Reference = fmt.Sprintf("CR%06d", 1+t.rng.IntN(t.sent))
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpPropose}}
	if t.chance(t.rates.malformed) {
		r.audit.Malformed = true
		in.Amount = pick(t, []auditor.Pockets{{}, {Current: int64(family.MaxFen) + 1}, {Past: -int64(family.MaxFen) - 1}})
	}
	r.audit.Adjust = in
	r.audit.Subject, r.audit.By = t.operator()
	by := family.Reviewer{Subject: r.audit.Subject, Person: family.PersonNo(r.audit.By)}
	ask := family.Adjustment{Reference: in.Reference, Person: family.PersonNo(in.Person), Amount: family.Pockets{Current: family.Fen(in.Amount.Current), Past: family.Fen(in.Amount.Past)}, Reason: family.AdjustmentReason(in.Reason)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		done, err := a.ProposeAdjustment(ctx, by, ask)
		answer := answerOf(err)
		answer.Replay = done.Replay
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" {
			t.adjustments = append(t.adjustments, in.Reference)
		}
		if a.Code == "" && t.chance(0.5) {
			t.next = append(t.next, t.decideOn(in.Reference))
		}
		if a.Code == "" && t.chance(0.3) { // a colleague at the same time
			t.next = append(t.next, t.decideOn(in.Reference))
		}
	}
	return r
}

// decideOn books an adjustment, or ends it.
func (t *town) decideOn(reference string) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpBook, Adjust: auditor.Adjustment{Reference: reference}}}
	r.audit.Subject, r.audit.By = t.operator()
	by := family.Reviewer{Subject: r.audit.Subject, Person: family.PersonNo(r.audit.By)}
	act := (*app.App).ApproveAdjustment
	if t.chance(0.2) {
		r.audit.Op, act = auditor.OpDrop, (*app.App).RejectAdjustment
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := act(a, ctx, by, reference)
		return answerOf(err)
	}
	return r
}
