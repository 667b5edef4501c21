package app

import (
	"context"
	"time"

	"gongji/shared/family"
)

// The counter: what an operator does for people who stand before him and have no phone.
// Whom he serves he names by both factors, as their identity cards show them; an unknown
// number and a wrong name are one answer here too.

// whoIs returns who is insured under a name and an ID number.
func (a *App) whoIs(ctx context.Context, who Identity) (family.PersonNo, error) {
	index, found, err := one(ctx, a, idIndexKey(a.vault.Index("id_no", string(who.ID))))
	if err != nil {
		return "", err
	}
	if !found || index.To == "" {
		return "", family.Refuse(family.IdentityMismatch)
	}
	no := family.PersonNo(index.To)
	person, _, err := one(ctx, a, personKey(no))
	if err != nil {
		return "", err
	}
	name, err := a.unseal(no, person, "name")
	if err != nil {
		return "", err
	}
	if name != who.Name {
		return "", family.Refuse(family.IdentityMismatch)
	}
	return no, nil
}

// RequestAtCounter is [App.RequestBinding] by an operator for a holder who stands before
// him.
func (a *App) RequestAtCounter(ctx context.Context, r family.Reviewer, holder Identity, in BindingAsk) (BindingView, error) {
	if r.Subject == "" {
		return BindingView{}, &family.Refusal{Code: family.NotPermitted, Rule: "counter.own_request", Detail: "the token does not say who serves"}
	}
	no, err := a.whoIs(ctx, holder)
	if err != nil {
		return BindingView{}, err
	}
	in.Counter = r
	done, err := a.RequestBinding(ctx, no, in, Once{})
	return done.Answer, err
}

// servedBy lets an operator see what he filled in at the counter.
func servedBy(r family.Reviewer) func(family.Binding) bool {
	return func(b family.Binding) bool { return b.Assisted != "" && b.Assisted == r.Subject }
}

// atCounter is an act of an operator on what he filled in.
func (a *App) atCounter(ctx context.Context, id family.BindingID, r family.Reviewer, decide func(family.Pair, family.Reviewer, hand) (family.Pair, *family.Refusal)) (BindingView, error) {
	return a.onPair(ctx, id, servedBy(r), func(p family.Pair, h hand) (family.Pair, error) {
		r, err := a.reviewer(h, r, p.Binding)
		if err != nil {
			return p, err
		}
		return lawful(decide(p, r, h))
	})
}

// ServedAtCounter returns a binding to the operator who filled it in.
func (a *App) ServedAtCounter(ctx context.Context, r family.Reviewer, id family.BindingID) (BindingView, error) {
	return a.atCounter(ctx, id, r, func(p family.Pair, _ family.Reviewer, _ hand) (family.Pair, *family.Refusal) { return p, nil })
}

// AnnounceAtCounter is [App.AnnouncePaper] by the operator who filled the binding in.
func (a *App) AnnounceAtCounter(ctx context.Context, r family.Reviewer, id family.BindingID, in MaterialAsk) (UploadView, error) {
	return a.announce(ctx, id, in, servedBy(r), func(b family.Binding, m family.Material, now time.Time) (family.Binding, family.MaterialID, *family.Refusal) {
		return b.AnnounceFor(r, m, now)
	}, family.ByOperator, r.Subject)
}

// SubmitAtCounter notes the promise that the holder signed before the operator. Papers
// that have come are looked at first, and the civil registry is asked. A repeat changes
// nothing.
func (a *App) SubmitAtCounter(ctx context.Context, r family.Reviewer, id family.BindingID) (BindingView, error) {
	said, err := a.examine(ctx, id, "", servedBy(r))
	if err != nil {
		return BindingView{}, err
	}
	return a.atCounter(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		p.Registry = said
		return p.Assist(family.StepSubmit, r, h.policy, h.now)
	})
}

// AcceptAtCounter notes the consent that the member gave before the operator. A repeat
// changes nothing.
func (a *App) AcceptAtCounter(ctx context.Context, r family.Reviewer, id family.BindingID) (BindingView, error) {
	return a.atCounter(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Assist(family.StepAccept, r, h.policy, h.now)
	})
}

// maxAtCounter bounds the bindings that a person at the counter is told of: the newest.
const maxAtCounter = 60

// BindingsAtCounter returns the live bindings of a person who stands before an operator,
// on both sides, newest first, and who he is.
func (a *App) BindingsAtCounter(ctx context.Context, r family.Reviewer, who Identity) ([]BindingView, family.PersonNo, error) {
	no, err := a.whoIs(ctx, who)
	if err != nil {
		return nil, "", err
	}
	if err := a.looked(ctx, r, no, ActServe); err != nil {
		return nil, "", err
	}
	page, err := a.Bindings(ctx, no, "", maxAtCounter)
	var live []BindingView
	for _, v := range page.Items {
		if v.Binding.Live() {
			live = append(live, v)
		}
	}
	return live, no, err
}

// EndAtCounter ends a binding for the side that stands before the operator and wants it,
// whoever filled it in. A repeat changes nothing.
func (a *App) EndAtCounter(ctx context.Context, r family.Reviewer, id family.BindingID, who Identity) (BindingView, family.PersonNo, error) {
	no, err := a.whoIs(ctx, who)
	if err != nil {
		return BindingView{}, "", err
	}
	view, err := a.onPair(ctx, id, sideOf(no), func(p family.Pair, h hand) (family.Pair, error) {
		r, err := a.reviewer(h, r, p.Binding)
		if err != nil {
			return p, err
		}
		return lawful(p.EndFor(no, r, h.policy, h.now))
	})
	return view, no, err
}
