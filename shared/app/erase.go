package app

import (
	"context"

	"gongji/shared/family"
	"gongji/shared/store"
)

// erasedName stands for the name of a person whose data were destroyed.
const erasedName = "*"

// Erase is an operator's word that a person's data be destroyed; a second operator's
// does it ([family.Erasure]). Then his data key is gone, and with it his name, ID number
// and phone, and nobody finds him by a number any more. The books stay whole: they name
// people by their numbers of insurance, and what settlements show are masks.
//
// Copies of the record in backups open until the house's key that wrapped the data key
// is dropped after a rotation.
func (a *App) Erase(ctx context.Context, by family.Reviewer, p family.PersonNo) (family.Erasure, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (family.Erasure, error) {
		personRef, accountRef := personKey(p), accountKey(p)
		if err := t.read(personRef, accountRef); err != nil {
			return family.Erasure{}, err
		}
		person, known, err := get(t, personRef)
		if err == nil && !known {
			err = &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		}
		if err != nil {
			return family.Erasure{}, err
		}
		account, _, err := get(t, accountRef)
		if err != nil {
			return family.Erasure{}, err
		}
		bound, err := a.boundTo(t, p)
		if err != nil {
			return family.Erasure{}, err
		}
		asked, err := person.Erasure.Ask(account.Account, bound, by, now)
		if err != nil || asked == person.Erasure {
			return asked, err
		}
		if !asked.Done() {
			person.Erasure = asked
			return asked, a.putPerson(t, p, person)
		}
		var indexes []ref[pointerRecord]
		if person.IDIndex != "" {
			indexes = append(indexes, idIndexKey(person.IDIndex))
		}
		if person.CardIdx != "" {
			indexes = append(indexes, cardIndexKey(person.CardIdx))
		}
		for _, index := range indexes {
			if err := dropIndex(t, index); err != nil {
				return asked, err
			}
		}
		if err := put(t, personRef, personRecord{Erasure: asked}); err != nil {
			return asked, err
		}
		account.Masked = erasedName
		return asked, put(t, accountRef, account)
	})
}

// boundTo tells whether a live binding has a person on one of its sides. Nobody who is
// not insured is bound anew, so what is read here stands.
func (a *App) boundTo(t *tx, p family.PersonNo) (bool, error) {
	t.tally.reads.Add(1)
	records, err := t.store.List(t.ctx, store.Range{Part: personKey(p).Part, Prefix: bindingPrefix, Limit: maxOfPerson, Descending: true})
	if err != nil {
		return false, err
	}
	pointers, err := decodeAll[pointerRecord](records)
	if err != nil {
		return false, err
	}
	for _, pointer := range pointers {
		if pointer.To == "" {
			continue // a repair let it go
		}
		r := bindingKey(family.BindingID(pointer.To))
		if err := t.read(r); err != nil {
			return false, err
		}
		binding, _, err := get(t, r)
		if err != nil || binding.Binding.Live() {
			return true, err
		}
	}
	return false, nil
}
