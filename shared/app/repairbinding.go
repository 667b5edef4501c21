package app

import (
	"context"
	"fmt"
	"slices"

	"gongji/shared/family"
	"gongji/shared/store"
)

// binding lets the narrower of a binding's halves stand: a grant that both accounts
// and the binding do not hold alike ends, and the lists and limits follow the binding.
func (r *repairer) binding(ctx context.Context, id family.BindingID, named []family.PersonNo) error {
	gone := false
	err := r.mend(ctx, func(t *tx) (string, error) {
		bindingRef := bindingKey(id)
		if err := t.read(bindingRef); err != nil {
			return "", err
		}
		bound, whole := half(t, bindingRef)
		gone = t.slots[store.Key(bindingRef)].record.Exists() && !whole
		people := slices.Clone(named)
		if whole {
			people = append(people, bound.Binding.Holder, bound.Binding.Member)
		}
		slices.Sort(people)
		people = slices.Compact(people)
		if err := r.narrow(t, id, bindingRef, bound, people); err != nil {
			return "", err
		}
		for _, p := range people {
			if err := r.relist(t, p, id, bound); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("the binding %s: where its records did not agree, the narrower stands", id), nil
	})
	if err != nil {
		return err
	}
	if err := r.follow(ctx, id); err != nil {
		return err
	}
	bindings, _, err := look(ctx, r.App, bindingKey(id))
	if err == nil && bindings[0] != nil {
		whole, err := r.historyWhole(ctx, bindings[0].Binding)
		if err != nil {
			return err
		}
		if !whole {
			return r.freeze(ctx, bindings[0].Binding.Holder, "the history of his binding "+string(id)+" is not whole")
		}
	}
	if gone {
		r.out.Left = append(r.out.Left, family.Fault{Ref: string(id), What: "a damaged binding: it grants and shows nothing any more, and can be asked for anew"})
	}
	return err
}

// narrow ends the grant of a binding in all accounts that do not hold it as the
// binding does.
func (r *repairer) narrow(t *tx, id family.BindingID, bindingRef ref[bindingRecord], bound *bindingRecord, people []family.PersonNo) error {
	accounts := map[family.PersonNo]*accountRecord{}
	for _, p := range people {
		if err := t.read(accountKey(p)); err != nil {
			return err
		}
		if account, whole := half(t, accountKey(p)); whole {
			accounts[p] = account
		}
	}
	if bound != nil && accounts[bound.Binding.Holder] != nil && accounts[bound.Binding.Member] != nil &&
		granted(bound.Binding, accounts[bound.Binding.Holder].Account, accounts[bound.Binding.Member].Account) {
		return nil
	}
	for _, p := range people {
		account := accounts[p]
		if account == nil {
			continue
		}
		next := *account
		next.Account.Given = slices.DeleteFunc(slices.Clone(account.Account.Given), func(g family.Grant) bool { return g.Binding == id })
		next.Account.Grantors = slices.DeleteFunc(slices.Clone(account.Account.Grantors), func(g family.Grantor) bool { return g.Binding == id })
		if len(next.Account.Given) != len(account.Account.Given) || len(next.Account.Grantors) != len(account.Account.Grantors) {
			if err := put(t, accountKey(p), next); err != nil {
				return err
			}
		}
	}
	if bound != nil && bound.Binding.State == family.BindingActive && bound.Binding.Pay != nil {
		bound.Binding.Pay = nil
		return put(t, bindingRef, *bound)
	}
	return nil
}

// relist makes a side's list and limits follow the binding; one that is not there or
// damaged is let go.
func (r *repairer) relist(t *tx, p family.PersonNo, id family.BindingID, bound *bindingRecord) error {
	pointerRef, personRef := bindingPointerKey(p, id), personKey(p)
	if err := t.read(pointerRef, personRef); err != nil {
		return err
	}
	want := pointerRecord{}
	if bound != nil && bound.Binding.SideOf(p) != "" {
		want.To = string(id)
	}
	if has, whole := half(t, pointerRef); !whole && want.To != "" || whole && *has != want {
		if err := put(t, pointerRef, want); err != nil {
			return err
		}
	}
	person, whole := half(t, personRef)
	if !whole {
		return nil
	}
	next := slices.DeleteFunc(slices.Clone(person.Bound), func(b family.Bound) bool { return b.ID == id })
	if bound != nil && bound.Binding.Holder == p {
		next = reboundOf(person.Bound, bound.Binding)
	}
	if slices.Equal(next, person.Bound) {
		return nil
	}
	person.Bound = next
	return r.putPerson(t, p, *person)
}
