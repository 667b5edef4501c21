package app

import (
	"context"
	"reflect"
	"slices"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// BindingAsk is what a holder fills in.
type BindingAsk struct {
	Name     string // the member's
	ID       family.IDNumber
	Relation family.Relation
	Show     bool
	Pay      *family.Terms
}

// BindingView is a binding as one of its sides sees it.
type BindingView struct {
	Binding                    family.Binding
	HolderMasked, MemberMasked string
	// Grant is the grant as it stands in the holder's account; nil without one.
	Grant *family.Grant
	// SpentThisMonth is what it paid in the month in which it was looked at.
	SpentThisMonth family.Fen
}

// RequestBinding asks for a binding of the holder with a relative whom he names.
// An unknown ID number and a wrong name are one answer, so that nobody can find
// out who is in the register.
func (a *App) RequestBinding(ctx context.Context, holder family.PersonNo, in BindingAsk, o Once) (Answered[BindingView], error) {
	now := a.now()
	newID, err := a.newID(now)
	if err != nil {
		return Answered[BindingView]{}, err
	}
	id := family.BindingID(newID)
	return once(ctx, a, holder, "bind", o, now, func(t *tx) (BindingView, error) {
		indexRef, holderRef, holderAccountRef := idIndexKey(a.vault.Index("id_no", string(in.ID))), personKey(holder), accountKey(holder)
		if err := t.read(indexRef, holderRef, holderAccountRef, bindingKey(id)); err != nil {
			return BindingView{}, err
		}
		if view, found, err := a.bound(t, id, now); found || err != nil {
			return view, err // a commit of this very call, whose answer was lost
		}
		holderPerson, known, err := get(t, holderRef)
		if err != nil {
			return BindingView{}, err
		}
		if !known {
			return BindingView{}, family.Refuse(family.PersonNotInsured)
		}
		holderAccount, _, err := get(t, holderAccountRef)
		if err != nil {
			return BindingView{}, err
		}
		index, _, err := get(t, indexRef)
		if err != nil {
			return BindingView{}, err
		}
		if index.To == "" {
			return BindingView{}, family.Refuse(family.IdentityMismatch)
		}
		member := family.PersonNo(index.To)
		memberRef, memberAccountRef := personKey(member), accountKey(member)
		if err := t.read(memberRef, memberAccountRef); err != nil {
			return BindingView{}, err
		}
		memberPerson, _, err := get(t, memberRef)
		if err != nil {
			return BindingView{}, err
		}
		memberAccount, _, err := get(t, memberAccountRef)
		if err != nil {
			return BindingView{}, err
		}
		name, err := a.unseal(member, "name", memberPerson.Name)
		if err != nil {
			return BindingView{}, err
		}
		if name != in.Name {
			return BindingView{}, family.Refuse(family.IdentityMismatch)
		}
		binding, refusal := family.RequestBinding(family.BindingRequest{
			ID: id, Holder: holderAccount.Account, Member: memberAccount.Account,
			HolderBorn: holderPerson.Born, MemberBorn: memberPerson.Born,
			Relation: in.Relation, Show: in.Show, Pay: in.Pay, Bound: holderPerson.Bound,
			Policy: a.policyOf(holderAccount.Account, now), Now: now,
		})
		if refusal != nil {
			return BindingView{}, refusal
		}
		record := bindingRecord{Binding: binding, HolderMasked: holderAccount.Masked, MemberMasked: memberAccount.Masked}
		holderPerson.Bound = append(holderPerson.Bound, family.Bound{ID: id, Member: member, Relation: in.Relation, Show: in.Show, Pay: in.Pay != nil})
		if err := put(t, holderRef, holderPerson); err != nil {
			return BindingView{}, err
		}
		if err := put(t, bindingKey(id), record); err != nil {
			return BindingView{}, err
		}
		for _, side := range []family.PersonNo{holder, member} {
			if err := add(t, bindingPointerKey(side, id), pointerRecord{To: string(id)}); err != nil {
				return BindingView{}, err
			}
		}
		return viewOf(record, holderAccount.Account, now), nil
	})
}

// bound returns the view of a binding that was read, if it is there.
func (a *App) bound(t *tx, id family.BindingID, now time.Time) (BindingView, bool, error) {
	record, found, err := get(t, bindingKey(id))
	if !found || err != nil {
		return BindingView{}, false, err
	}
	holderRef := accountKey(record.Binding.Holder)
	if err := t.read(holderRef); err != nil {
		return BindingView{}, false, err
	}
	holder, _, err := get(t, holderRef)
	return viewOf(record, holder.Account, now), true, err
}

func viewOf(record bindingRecord, holder family.Account, now time.Time) BindingView {
	view := BindingView{Binding: record.Binding, HolderMasked: record.HolderMasked, MemberMasked: record.MemberMasked}
	for _, g := range holder.Given {
		if g.Binding == record.Binding.ID {
			view.Grant, view.SpentThisMonth = &g, g.SpentIn(family.DayOf(now).Month())
		}
	}
	return view
}

// Submit is the holder's promise that the relation is true. A repeat changes
// nothing.
func (a *App) Submit(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, by, id, func(p family.Pair, _ []family.Bound, policy *family.Policy, now time.Time) (family.Pair, *family.Refusal) {
		return p.Submit(by, policy, now)
	})
}

// Accept is the member's consent. A repeat changes nothing.
func (a *App) Accept(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, by, id, func(p family.Pair, _ []family.Bound, policy *family.Policy, now time.Time) (family.Pair, *family.Refusal) {
		return p.Accept(by, policy, now)
	})
}

// Decline is the member's refusal. A repeat changes nothing.
func (a *App) Decline(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, by, id, func(p family.Pair, _ []family.Bound, _ *family.Policy, now time.Time) (family.Pair, *family.Refusal) {
		return p.Decline(by, now)
	})
}

// EndBinding ends a binding at once, by either side: a code that is being shown
// under it dies with it. A repeat changes nothing.
func (a *App) EndBinding(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, by, id, func(p family.Pair, _ []family.Bound, _ *family.Policy, now time.Time) (family.Pair, *family.Refusal) {
		return p.End(by, now)
	})
}

// ChangeBinding changes an active binding.
func (a *App) ChangeBinding(ctx context.Context, by family.PersonNo, id family.BindingID, c family.Change) (BindingView, error) {
	return a.onPair(ctx, by, id, func(p family.Pair, bound []family.Bound, policy *family.Policy, now time.Time) (family.Pair, *family.Refusal) {
		return p.Change(by, c, bound, policy, now)
	})
}

// onPair is every act on a binding after its request: read both sides, decide,
// and write what the decision changed.
func (a *App) onPair(ctx context.Context, by family.PersonNo, id family.BindingID, decide func(family.Pair, []family.Bound, *family.Policy, time.Time) (family.Pair, *family.Refusal)) (BindingView, error) {
	if !id.Valid() {
		return BindingView{}, family.Refuse(family.NotFound)
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (BindingView, error) {
		bindingRef := bindingKey(id)
		if err := t.read(bindingRef); err != nil {
			return BindingView{}, err
		}
		record, found, err := get(t, bindingRef)
		if err != nil {
			return BindingView{}, err
		}
		if !found || record.Binding.SideOf(by) == "" {
			return BindingView{}, family.Refuse(family.NotFound) // another's looks like a missing one
		}
		holderNo, memberNo := record.Binding.Holder, record.Binding.Member
		personRef, holderRef, memberRef := personKey(holderNo), accountKey(holderNo), accountKey(memberNo)
		qrPointerRef := currentQRKey(holderNo, memberNo)
		if err := t.read(personRef, holderRef, memberRef, qrPointerRef); err != nil {
			return BindingView{}, err
		}
		person, _, err := get(t, personRef)
		if err != nil {
			return BindingView{}, err
		}
		holder, _, err := get(t, holderRef)
		if err != nil {
			return BindingView{}, err
		}
		member, _, err := get(t, memberRef)
		if err != nil {
			return BindingView{}, err
		}
		before := family.Pair{Binding: record.Binding, Holder: holder.Account, Member: member.Account}
		after, refusal := decide(before, person.Bound, a.policyOf(holder.Account, now), now)
		if refusal != nil {
			return BindingView{}, refusal
		}
		record.Binding = after.Binding
		view := viewOf(record, after.Holder, now)
		if reflect.DeepEqual(before, after) {
			return view, nil
		}
		if err := put(t, bindingRef, record); err != nil {
			return BindingView{}, err
		}
		if rebound := family.Rebound(person.Bound, after.Binding); !slices.Equal(rebound, person.Bound) {
			person.Bound = rebound
			if err := put(t, personRef, person); err != nil {
				return BindingView{}, err
			}
		}
		if !reflect.DeepEqual(before.Holder, after.Holder) {
			holder.Account = after.Holder
			if err := put(t, holderRef, holder); err != nil {
				return BindingView{}, err
			}
		}
		if !reflect.DeepEqual(before.Member, after.Member) {
			member.Account = after.Member
			if err := put(t, memberRef, member); err != nil {
				return BindingView{}, err
			}
		}
		if before.Binding.MayShow() && !after.Binding.MayShow() {
			return view, a.replaceCurrentQR(t, qrPointerRef, now)
		}
		return view, nil
	})
}

// replaceCurrentQR takes the code that is being shown, if any, out of use.
func (a *App) replaceCurrentQR(t *tx, pointerRef ref[pointerRecord], now time.Time) error {
	pointer, found, err := get(t, pointerRef)
	if err != nil || !found || pointer.To == "" {
		return err
	}
	qrRef := qrKey(pointer.To)
	if err := t.read(qrRef); err != nil {
		return err
	}
	qr, found, err := get(t, qrRef)
	if err != nil || !found || qr.Token.StateAt(now) != family.QRStateIssued {
		return err
	}
	qr.Token = qr.Token.Replace()
	return putUntil(t, qrRef, qr, qr.Token.Expires.Add(qrKeep))
}

// GetBinding returns a binding of one's own, on either side.
func (a *App) GetBinding(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	if !id.Valid() {
		return BindingView{}, family.Refuse(family.NotFound)
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (BindingView, error) {
		if err := t.read(bindingKey(id)); err != nil {
			return BindingView{}, err
		}
		view, found, err := a.bound(t, id, now)
		if err == nil && (!found || view.Binding.SideOf(by) == "") {
			err = family.Refuse(family.NotFound)
		}
		return view, err
	})
}

// Bindings lists a person's bindings on both sides, newest first, after a
// binding's id.
func (a *App) Bindings(ctx context.Context, by family.PersonNo, after string, limit int) (Page[BindingView], error) {
	r := store.Range{Part: personKey(by).Part, Prefix: bindingPrefix, Limit: limit + 1, Descending: true}
	if after != "" {
		if !family.BindingID(after).Valid() {
			return Page[BindingView]{}, &family.Refusal{Code: family.Malformed, Field: "after", Detail: "not a cursor of this list"}
		}
		r.After = bindingPrefix + after
	}
	records, err := a.list(ctx, r)
	if err != nil {
		return Page[BindingView]{}, err
	}
	pointers, err := decodeAll[pointerRecord](records)
	if err != nil {
		return Page[BindingView]{}, err
	}
	page, now := Page[BindingView]{}, a.now()
	if len(pointers) > limit {
		pointers = pointers[:limit]
		page.Next = pointers[limit-1].To
	}
	bindings := make([]ref[bindingRecord], len(pointers))
	for i, p := range pointers {
		bindings[i] = bindingKey(family.BindingID(p.To))
	}
	found, err := many(ctx, a, bindings...)
	if err != nil {
		return page, err
	}
	// A pointer and its binding are written by one commit and never removed.
	accounts := make([]ref[accountRecord], len(found))
	for i, b := range found {
		accounts[i] = accountKey(b.Binding.Holder)
	}
	holders, err := many(ctx, a, accounts...)
	if err != nil {
		return page, err
	}
	for i, b := range found {
		page.Items = append(page.Items, viewOf(*b, holders[i].Account, now))
	}
	return page, nil
}

// ChooseOrder sets the order in which a beneficiary's grantors pay. A repeat
// changes nothing.
func (a *App) ChooseOrder(ctx context.Context, by family.PersonNo, order []family.BindingID) ([]family.BindingID, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) ([]family.BindingID, error) {
		accountRef := accountKey(by)
		if err := t.read(accountRef); err != nil {
			return nil, err
		}
		account, found, err := get(t, accountRef)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, family.Refuse(family.NotFound)
		}
		chosen, refusal := family.ChooseOrder(account.Account, order, a.policyOf(account.Account, now))
		if refusal != nil {
			return nil, refusal
		}
		if slices.Equal(chosen.Grantors, account.Account.Grantors) {
			return order, nil
		}
		account.Account = chosen
		return order, put(t, accountRef, account)
	})
}
