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
	Name string // the member's
	ID   family.IDNumber
	// Certificate is that of the birth of a child who has no ID number yet; empty, or
	// ID is. Only the mother whom it names binds the child by it.
	Certificate family.CertificateNumber
	Relation    family.Relation
	Show        bool
	Pay         *family.Terms
	// Counter is the operator who fills it in at the counter, for a holder without a
	// phone; zero where the holder does it himself.
	Counter family.Reviewer
}

// BindingView is a binding as one of its sides sees it.
type BindingView struct {
	Binding                    family.Binding
	HolderMasked, MemberMasked string
	// Grant is the grant as it stands in the holder's account; nil without one.
	Grant *family.Grant
	// Ready says whether it would pay now, and what keeps it from paying.
	Ready family.Readiness
	// SpentThisMonth is what it paid in the month in which it was looked at.
	SpentThisMonth family.Fen
}

// RequestBinding asks for a binding of the holder with a relative whom he names.
// An unknown ID number and a wrong name are one answer after the same calls of the
// store, so that nobody is told by a number who is in the register. The time still
// differs by some µs: the door evens it out (shared/api/even.go).
func (a *App) RequestBinding(ctx context.Context, holder family.PersonNo, in BindingAsk, o Once) (Answered[BindingView], error) {
	now := a.now()
	newID, err := a.newID(now)
	if err != nil {
		return Answered[BindingView]{}, err
	}
	id := family.BindingID(newID)
	return once(ctx, a, holder, "bind", o, now, func(t *tx) (BindingView, error) {
		index := a.vault.Index("id_no", string(in.ID))
		if in.Certificate != "" {
			index = a.certificateIndex(in.Certificate)
		}
		indexRef, holderRef, holderAccountRef := idIndexKey(index), personKey(holder), accountKey(holder)
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
		at, _, err := get(t, indexRef)
		if err != nil {
			return BindingView{}, err
		}
		registered := at.To != ""
		// Whom the number does not lead to is read all the same, in records that nobody
		// has, and the holder's own name is opened in the place of his: the calls of
		// the store tell no more than the answer, and its time little more.
		member, named := family.PersonNo(at.To), family.PersonNo(at.To)
		if !registered {
			member, named = nobody(indexRef), holder
			if _, _, err := get(t, holderRef); err != nil { // in the place of the index
				return BindingView{}, err
			}
		}
		memberRef, memberAccountRef := personKey(member), accountKey(member)
		if err := t.read(memberRef, memberAccountRef); err != nil {
			return BindingView{}, err
		}
		memberPerson, _, err := get(t, personKey(named))
		if err != nil {
			return BindingView{}, err
		}
		memberAccount, _, err := get(t, accountKey(named))
		if err != nil {
			return BindingView{}, err
		}
		name, err := a.unseal(named, memberPerson, "name")
		if err != nil {
			return BindingView{}, err
		}
		if name != in.Name || !registered {
			return BindingView{}, family.Refuse(family.IdentityMismatch)
		}
		if in.Certificate != "" && memberPerson.Mother != holderPerson.IDIndex {
			return BindingView{}, family.Refuse(family.IdentityMismatch)
		}
		policy := a.policyOf(holderAccount.Account, now)
		binding, refusal := family.RequestBinding(family.BindingRequest{
			ID: id, Holder: holderAccount.Account, Member: memberAccount.Account,
			HolderBorn: holderPerson.Born, MemberBorn: memberPerson.Born,
			Relation: in.Relation, Newborn: in.Certificate != "", Show: in.Show, Pay: in.Pay, Bound: holderPerson.Bound, Former: holderPerson.Former,
			Policy: policy, Beyond: a.beyond(policy, now), Counter: in.Counter, Now: now,
		})
		if refusal != nil {
			return BindingView{}, refusal
		}
		record := bindingRecord{Binding: binding, HolderMasked: holderAccount.Masked, MemberMasked: memberAccount.Masked}
		today := family.DayOf(now)
		holderPerson.Bound = slices.DeleteFunc(holderPerson.Bound, func(b family.Bound) bool { return b.Until != 0 && b.Until < today })
		holderPerson.Bound = append(holderPerson.Bound, family.Bound{ID: id, Member: member, Relation: in.Relation, Show: in.Show, Pay: in.Pay != nil, Until: binding.Until})
		if err := a.putPerson(t, holder, holderPerson); err != nil {
			return BindingView{}, err
		}
		if err := put(t, bindingKey(id), record); err != nil {
			return BindingView{}, err
		}
		if err := tell(t, binding, []family.Event{binding.FirstEvent()}); err != nil {
			return BindingView{}, err
		}
		if err := remind(t, binding.Due, string(id)); err != nil {
			return BindingView{}, err
		}
		for _, side := range []family.PersonNo{holder, member} {
			if err := add(t, bindingPointerKey(side, id), pointerRecord{To: string(id)}); err != nil {
				return BindingView{}, err
			}
		}
		return a.viewOf(record, holderAccount.Account, memberAccount.Account, now), nil
	})
}

// nobody is a number that no person has, one for each ID number: were it one for all,
// their commits would meet on its records.
func nobody(index ref[pointerRecord]) family.PersonNo { return family.PersonNo("-" + index.Part) }

// bound returns the view of a binding that was read, if it is there.
func (a *App) bound(t *tx, id family.BindingID, now time.Time) (BindingView, bool, error) {
	record, found, err := get(t, bindingKey(id))
	if !found || err != nil {
		return BindingView{}, false, err
	}
	holderRef, memberRef := accountKey(record.Binding.Holder), accountKey(record.Binding.Member)
	if err := t.read(holderRef, memberRef); err != nil {
		return BindingView{}, true, err
	}
	holder, _, err := get(t, holderRef)
	if err != nil {
		return BindingView{}, true, err
	}
	member, _, err := get(t, memberRef)
	return a.viewOf(record, holder.Account, member.Account, now), true, err
}

func (a *App) viewOf(record bindingRecord, holder, member family.Account, now time.Time) BindingView {
	view := BindingView{Binding: record.Binding, HolderMasked: record.HolderMasked, MemberMasked: record.MemberMasked}
	for _, g := range holder.Given {
		if g.Binding == record.Binding.ID {
			view.Grant, view.SpentThisMonth = &g, g.SpentIn(family.DayOf(now).Month())
		}
	}
	view.Ready = family.Pair{Binding: record.Binding, Holder: holder, Member: member}.Ready(a.rulesOf(record.Binding, holder, now), now)
	return view
}

// Submit is the holder's promise that the relation is true. Papers that have come
// are looked at first, and the civil registry is asked. A repeat changes nothing.
func (a *App) Submit(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.SubmitWithFace(ctx, by, id, "")
}

// SubmitWithFace is Submit with whatever a region wants the civil registry to see of
// the holder's face; it is passed on as it is.
func (a *App) SubmitWithFace(ctx context.Context, by family.PersonNo, id family.BindingID, face string) (BindingView, error) {
	said, err := a.examine(ctx, id, face, func(b family.Binding) bool { return b.SideOf(by) == family.BySelf })
	if err != nil {
		return BindingView{}, err
	}
	return a.onPair(ctx, id, sideOf(by), func(p family.Pair, h hand) (family.Pair, error) {
		p.Registry = said
		return lawful(p.Submit(by, h.policy, h.now))
	})
}

// Accept is the member's consent. A repeat changes nothing.
func (a *App) Accept(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, id, sideOf(by), func(p family.Pair, h hand) (family.Pair, error) {
		return lawful(p.Accept(by, h.policy, h.now))
	})
}

// Decline is the member's refusal. A repeat changes nothing.
func (a *App) Decline(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, id, sideOf(by), func(p family.Pair, h hand) (family.Pair, error) {
		return lawful(p.Decline(by, h.now))
	})
}

// EndBinding ends a binding at once: a code that is being shown under it dies with
// it. A repeat changes nothing.
func (a *App) EndBinding(ctx context.Context, by family.PersonNo, id family.BindingID) (BindingView, error) {
	return a.onPair(ctx, id, sideOf(by), func(p family.Pair, h hand) (family.Pair, error) {
		return lawful(p.End(by, h.policy, h.now))
	})
}

// ChangeBinding changes an active binding.
func (a *App) ChangeBinding(ctx context.Context, by family.PersonNo, id family.BindingID, c family.Change) (BindingView, error) {
	return a.onPair(ctx, id, sideOf(by), func(p family.Pair, h hand) (family.Pair, error) {
		return lawful(p.Change(by, c, h.holder.Bound, h.policy, h.now))
	})
}

// sideOf lets only the two sides of a binding see it.
func sideOf(by family.PersonNo) func(family.Binding) bool {
	return func(b family.Binding) bool { return b.SideOf(by) != "" }
}

// hand is what an act on a binding has at hand, beside the pair.
type hand struct {
	t              *tx
	holder, member personRecord
	policy         *family.Policy // that rules the binding
	now            time.Time
}

// deciding decides on a pair. It may read and put further records through the hand.
type deciding func(family.Pair, hand) (family.Pair, error)

// lawful returns what the law decided as an act does: no refusal is no error.
func lawful(p family.Pair, r *family.Refusal) (family.Pair, error) {
	if r != nil {
		return p, r
	}
	return p, nil
}

// beyond returns the policy of grants across provinces, nil where a region gives
// none.
func (a *App) beyond(p *family.Policy, now time.Time) *family.Policy {
	if p.Grants.Beyond == "" {
		return nil
	}
	return a.policies.For(p.Grants.Beyond, family.DayOf(now))
}

// rulesOf returns the policy that rules a binding.
func (a *App) rulesOf(b family.Binding, holder family.Account, now time.Time) *family.Policy {
	p := a.policyOf(holder, now)
	if beyond := a.beyond(p, now); b.Nationwide && beyond != nil {
		return beyond
	}
	return p
}

// onPair is every act on a binding after its request: read both sides, decide, and
// write what the decision changed. A binding that see does not let see looks like
// one that is not there.
func (a *App) onPair(ctx context.Context, id family.BindingID, see func(family.Binding) bool, decide deciding) (BindingView, error) {
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
		if !found || !see(record.Binding) {
			return BindingView{}, family.Refuse(family.NotFound)
		}
		view, _, err := a.decideOn(t, record, now, decide)
		return view, err
	})
}

// decideOn decides on a binding that was read and puts what the decision changed. It
// tells whether it changed anything.
func (a *App) decideOn(t *tx, record bindingRecord, now time.Time, decide deciding) (BindingView, bool, error) {
	none := func(err error) (BindingView, bool, error) { return BindingView{}, false, err }
	bindingRef := bindingKey(record.Binding.ID)
	holderNo, memberNo := record.Binding.Holder, record.Binding.Member
	personRef, otherRef, holderRef, memberRef := personKey(holderNo), personKey(memberNo), accountKey(holderNo), accountKey(memberNo)
	qrPointerRef := currentQRKey(holderNo, memberNo)
	if err := t.load([]keyed{personRef, holderRef, memberRef, qrPointerRef}, []keyed{otherRef}); err != nil {
		return none(err)
	}
	person, _, err := get(t, personRef)
	if err != nil {
		return none(err)
	}
	other, _, err := get(t, otherRef)
	if err != nil {
		return none(err)
	}
	holder, _, err := get(t, holderRef)
	if err != nil {
		return none(err)
	}
	member, _, err := get(t, memberRef)
	if err != nil {
		return none(err)
	}
	before := family.Pair{Binding: record.Binding, Holder: holder.Account, Member: member.Account, MemberBorn: other.Born}
	after, err := decide(before, hand{t, person, other, a.rulesOf(record.Binding, holder.Account, now), now})
	if err != nil {
		return none(err)
	}
	if !reflect.DeepEqual(before.Binding, after.Binding) {
		after = after.Scheduled(family.Facts{MemberBorn: other.Born}, a.rulesOf(after.Binding, after.Holder, now), now)
	}
	record.Binding = after.Binding
	view := a.viewOf(record, after.Holder, after.Member, now)
	if reflect.DeepEqual(before.Binding, after.Binding) {
		return view, false, nil
	}
	if err := put(t, bindingRef, record); err != nil {
		return none(err)
	}
	if err := tell(t, after.Binding, after.Events); err != nil {
		return none(err)
	}
	if due := after.Binding.Due; due != before.Binding.Due && due != 0 {
		if err := remind(t, due, string(after.Binding.ID)); err != nil {
			return none(err)
		}
	}
	if err := queue(t, before.Binding, after.Binding, holder.Account.Insurance.Region, now); err != nil {
		return none(err)
	}
	rebound, former := family.Rebound(person.Bound, after.Binding), family.Bygones(person.Former, after.Binding)
	if !slices.Equal(rebound, person.Bound) || !slices.Equal(former, person.Former) {
		person.Bound, person.Former = rebound, former
		if err := a.putPerson(t, holderNo, person); err != nil {
			return none(err)
		}
	}
	if !reflect.DeepEqual(before.Holder, after.Holder) {
		holder.Account = after.Holder
		if err := put(t, holderRef, holder); err != nil {
			return none(err)
		}
	}
	if !reflect.DeepEqual(before.Member, after.Member) {
		member.Account = after.Member
		if err := put(t, memberRef, member); err != nil {
			return none(err)
		}
	}
	if before.Binding.MayShow() && !after.Binding.MayShow() {
		return view, true, a.replaceCurrentQR(t, qrPointerRef, now)
	}
	return view, true, nil
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
	// A pointer and its binding are written by one commit and never removed, but a
	// restored table may have lost the one and not the other.
	found = slices.DeleteFunc(found, func(b *bindingRecord) bool { return b == nil })
	accounts := make([]ref[accountRecord], 0, 2*len(found))
	for _, b := range found {
		accounts = append(accounts, accountKey(b.Binding.Holder), accountKey(b.Binding.Member))
	}
	sides, err := many(ctx, a, accounts...)
	if err != nil {
		return page, err
	}
	for i, b := range found {
		page.Items = append(page.Items, a.viewOf(*b, sides[2*i].Account, sides[2*i+1].Account, now))
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
