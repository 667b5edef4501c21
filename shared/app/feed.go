package app

import (
	"context"
	"strconv"

	"gongji/shared/family"
	"gongji/shared/vault"
)

// Fed says what a record of the insurer's feed did. A repeat changes nothing.
type Fed string

// What a record of the feed did.
const (
	FedCreated   Fed = "created"
	FedUpdated   Fed = "updated"
	FedUnchanged Fed = "unchanged"
)

// PersonFeed is a person as the insurer knows him.
type PersonFeed struct {
	Person    family.PersonNo
	Name      string
	ID        family.IDNumber
	Birth     *Birth // of a child who has no ID number yet; ID is empty then
	Insurance family.Insurance
	Card      string // card number; empty is none
	Phone     string // empty is none
}

// Birth is what a certificate of birth (出生医学证明) says.
type Birth struct {
	Certificate family.CertificateNumber
	Mother      family.IDNumber
	Born        family.Day
	Sex         family.Sex
}

// maxNameBytes bounds a name; the longest names of the register have some 30
// characters.
const maxNameBytes = 150

// FeedPerson takes over a person: who he is, sealed, and how he is insured. A
// number that another person already has refuses. A child who has no ID number yet is
// known by his certificate of birth; once it is fed with an ID number, that takes the
// certificate's place for good, and what was bound stays bound.
func (a *App) FeedPerson(ctx context.Context, in PersonFeed) (Fed, error) {
	if in.Name == "" || len(in.Name) > maxNameBytes {
		return "", &family.Refusal{Code: family.Malformed, Field: "name", Detail: "a name has 1 to 150 bytes"}
	}
	idIndex, field, born := a.vault.Index("id_no", string(in.ID)), "id_no", family.Day(0)
	mother, sex := "", family.Sex("")
	today := family.DayOf(a.now())
	if in.Birth == nil {
		born = in.ID.Birthday()
	} else {
		if in.Birth.Born > today {
			return "", &family.Refusal{Code: family.Malformed, Field: "birth_certificate.born", Detail: "the day of birth has not come"}
		}
		idIndex, field = a.certificateIndex(in.Birth.Certificate), "birth_certificate"
		mother, born, sex = a.vault.Index("id_no", string(in.Birth.Mother)), in.Birth.Born, in.Birth.Sex
	}
	cardIndex := ""
	if in.Card != "" {
		cardIndex = a.vault.Index("card_no", in.Card)
	}
	return act(ctx, a, func(t *tx) (Fed, error) {
		personRef, accountRef := personKey(in.Person), accountKey(in.Person)
		keys := []keyed{personRef, accountRef, idIndexKey(idIndex)}
		if cardIndex != "" {
			keys = append(keys, cardIndexKey(cardIndex))
		}
		if err := t.read(keys...); err != nil {
			return "", err
		}
		person, known, err := get(t, personRef)
		if err != nil {
			return "", err
		}
		account, _, err := get(t, accountRef)
		if err != nil {
			return "", err
		}
		if person.Erasure.Done() {
			return "", &family.Refusal{Code: family.StateForbids, Field: "person_no", Rule: "erasures.done"}
		}
		before := account.Account.Insurance
		account.Account.Person, account.Account.Insurance = in.Person, in.Insurance
		account.Masked = vault.MaskName(in.Name)
		same, err := a.samePerson(in.Person, person, in)
		if err != nil {
			return "", err
		}
		if in.Birth != nil && person.IDNo != "" {
			return "", &family.Refusal{Code: family.StateForbids, Field: field, Detail: "the person has an ID number"}
		}
		if known && same && person.IDIndex == idIndex && person.CardIdx == cardIndex && before == in.Insurance &&
			person.Born == born && person.Mother == mother && person.Sex == sex {
			return FedUnchanged, nil
		}
		if err := claimIndex(t, idIndexKey(idIndex), in.Person, field); err != nil {
			return "", err
		}
		if cardIndex != "" {
			if err := claimIndex(t, cardIndexKey(cardIndex), in.Person, "card_no"); err != nil {
				return "", err
			}
		}
		if known && person.IDIndex != idIndex {
			if err := dropIndex(t, idIndexKey(person.IDIndex)); err != nil {
				return "", err
			}
		}
		if person.CardIdx != "" && person.CardIdx != cardIndex {
			if err := dropIndex(t, cardIndexKey(person.CardIdx)); err != nil {
				return "", err
			}
		}
		person.IDIndex, person.CardIdx, person.Born, person.Mother, person.Sex = idIndex, cardIndex, born, mother, sex
		if err := a.seal(in.Person, &person, identity{in.Name, string(in.ID), in.Phone}); err != nil {
			return "", err
		}
		if err := put(t, personRef, person); err != nil {
			return "", err
		}
		if err := put(t, accountRef, account); err != nil {
			return "", err
		}
		if known {
			return FedUpdated, remind(t, today, ofPerson+string(in.Person))
		}
		return FedCreated, nil
	})
}

// certificateIndex is the keyed hash of the number of a certificate of birth. It lies
// among those of ID numbers, and is none of them.
func (a *App) certificateIndex(n family.CertificateNumber) string {
	return a.vault.Index("birth_certificate", string(n))
}

// claimIndex makes an index point at a person, or refuses where it points at
// another.
func claimIndex(t *tx, r ref[pointerRecord], p family.PersonNo, field string) error {
	at, found, err := get(t, r)
	switch {
	case err != nil:
		return err
	case found && at.To == string(p):
		return nil
	case found && at.To != "":
		return &family.Refusal{Code: family.AlreadyBound, Field: field, Detail: "another person has this number"}
	}
	return put(t, r, pointerRecord{To: string(p)})
}

// dropIndex makes an index point at nobody.
func dropIndex(t *tx, r ref[pointerRecord]) error {
	if err := t.read(r); err != nil {
		return err
	}
	return put(t, r, pointerRecord{})
}

// samePerson tells whether the sealed fields already say what the feed says.
func (a *App) samePerson(p family.PersonNo, has personRecord, in PersonFeed) (bool, error) {
	if has.Name == "" || a.stale(has) {
		return false, nil
	}
	for field, told := range map[string]string{"name": in.Name, "phone": in.Phone} {
		plain, err := a.unseal(p, has, field)
		if err != nil || plain != told {
			return false, err
		}
	}
	return true, nil
}

// FeedPlace takes over an institution.
func (a *App) FeedPlace(ctx context.Context, in family.Place) (Fed, error) {
	return act(ctx, a, func(t *tx) (Fed, error) {
		placeRef, rowRef := placeKey(in.Code), placeRowKey(in.Code)
		if err := t.read(placeRef, rowRef); err != nil {
			return "", err
		}
		has, known, err := get(t, placeRef)
		if err != nil || known && has == in {
			return FedUnchanged, err
		}
		if err := put(t, placeRef, in); err != nil {
			return "", err
		}
		if !known || has.Name != in.Name {
			if err := t.index(placeShelf, in.Name, string(in.Code)); err != nil {
				return "", err
			}
		}
		if known {
			return FedUpdated, nil
		}
		return FedCreated, put(t, rowRef, pointerRecord{To: string(in.Code)})
	})
}

// FeedCredit books a payment of the insurer into an account. The reference is its
// identity: a repeat books nothing, and the same reference with other content is
// refused.
func (a *App) FeedCredit(ctx context.Context, reference string, person family.PersonNo, amount family.Pockets) (Fed, error) {
	if reference == "" || len(reference) > 64 {
		return "", &family.Refusal{Code: family.Malformed, Field: "reference", Detail: "a reference has 1 to 64 characters"}
	}
	if amount.Current < 0 || amount.Past < 0 || amount.Total() == 0 || amount.Current > family.MaxFen || amount.Past > family.MaxFen {
		return "", &family.Refusal{Code: family.Malformed, Field: "amount_fen", Detail: "a credit is above 0 and at most " + strconv.Itoa(int(family.MaxFen))}
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (Fed, error) {
		creditRef, accountRef := creditKey(reference), accountKey(person)
		if err := t.read(creditRef, accountRef); err != nil {
			return "", err
		}
		booked, found, err := get(t, creditRef)
		switch {
		case err != nil:
			return "", err
		case found && (booked.Person != person || booked.Amount != amount || booked.kind() != family.Credited):
			return "", &family.Refusal{Code: family.MessageReused, Field: "reference"}
		case found:
			return FedUnchanged, nil
		}
		account, known, err := get(t, accountRef)
		if err != nil {
			return "", err
		}
		if !known {
			return "", &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		}
		var entry family.Entry
		account.Account, entry = family.Credit(account.Account, reference, amount, now)
		if err := put(t, creditRef, creditRecord{Person: person, Amount: amount, At: entry.At, Seq: entry.Seq}); err != nil {
			return "", err
		}
		if err := put(t, accountRef, account); err != nil {
			return "", err
		}
		return FedCreated, add(t, entryKey(person, entry.Seq), entry)
	})
}

// Freeze freezes or unfreezes a person: while frozen, nothing leaves his account
// and he gets no benefit. A repeat changes nothing.
func (a *App) Freeze(ctx context.Context, by family.Reviewer, person family.PersonNo, frozen bool) error {
	now, what := a.now(), ActUnfreeze
	if frozen {
		what = ActFreeze
	}
	line, err := a.newAct(by, now, what)
	if err != nil {
		return err
	}
	line.Person = person
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		accountRef := accountKey(person)
		if err := t.read(accountRef); err != nil {
			return struct{}{}, err
		}
		account, known, err := get(t, accountRef)
		switch {
		case err != nil:
			return struct{}{}, err
		case !known:
			return struct{}{}, family.Refuse(family.NotFound)
		case account.Account.Frozen == frozen:
			return struct{}{}, nil
		}
		if account.Account.Frozen = frozen; !frozen {
			account.Quarantine = "" // an operator has looked into it
		}
		if err := put(t, accountRef, account); err != nil {
			return struct{}{}, err
		}
		if err := t.trace(line); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, remind(t, family.DayOf(now), ofPerson+string(person))
	})
	return err
}

// Suspend suspends an institution's agreement or resumes it. A repeat changes
// nothing.
func (a *App) Suspend(ctx context.Context, by family.Reviewer, code family.InstitutionCode, suspended bool) error {
	what := ActResume
	if suspended {
		what = ActSuspend
	}
	line, err := a.newAct(by, a.now(), what)
	if err != nil {
		return err
	}
	line.Institution = code
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		placeRef := placeKey(code)
		if err := t.read(placeRef); err != nil {
			return struct{}{}, err
		}
		place, known, err := get(t, placeRef)
		switch {
		case err != nil:
			return struct{}{}, err
		case !known:
			return struct{}{}, family.Refuse(family.NotFound)
		case place.Designated == !suspended:
			return struct{}{}, nil
		}
		place.Designated = !suspended
		if err := put(t, placeRef, place); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, t.trace(line)
	})
	return err
}
