package app

import (
	"context"
	"time"

	"gongji/shared/family"
)

// Identified is a person as his institution has to know him (1101): the national
// interface answers with his name and ID number.
type Identified struct {
	Person  family.PersonNo
	Name    string
	ID      family.IDNumber
	Account family.Account
	Policy  *family.Policy // of the region of his insurance
	At      time.Time      // when he was looked up
}

// Identify tells an institution whose credential it was shown. It moves and spends
// nothing. A card's number alone tells nothing of its owner: his name must be given
// too, as with an ID number.
func (a *App) Identify(ctx context.Context, place family.InstitutionCode, c Credential) (Identified, error) {
	if refusal := c.check(true); refusal != nil {
		return Identified{}, refusal
	}
	if c.Type == ByCard && c.Name == "" {
		return Identified{}, &family.Refusal{Code: family.Malformed, Field: "credential.name", Detail: "a card number needs the name"}
	}
	now := a.now()
	return looked(ctx, a, place, c.Value, now, func(t *tx) (Identified, error) {
		need := a.needs(place, SettleAsk{Credential: c})
		if err := t.load(need.decisive, need.reference); err != nil {
			return Identified{}, err
		}
		if err := a.mayLook(t, place, c, now); err != nil {
			return Identified{}, err
		}
		patient, qr, err := a.credited(t, place, c)
		if err != nil {
			return Identified{}, err
		}
		if qr != nil {
			if refusal := qr.Token.Redeemable(place, "", c.Type == ByECToken, now); refusal != nil {
				return Identified{}, refusal
			}
		}
		who, err := a.identified(t, patient, now)
		if err == nil && c.Name != "" && who.Name != c.Name {
			err = &family.Refusal{Code: family.IdentityMismatch, Field: "credential.name"}
		}
		return who, err
	})
}

// identified reads who a person is.
func (a *App) identified(t *tx, p family.PersonNo, now time.Time) (Identified, error) {
	if err := t.refer(personKey(p), accountKey(p)); err != nil {
		return Identified{}, err
	}
	person, known, err := get(t, personKey(p))
	if err == nil && !known {
		err = family.Refuse(family.PersonNotInsured)
	}
	if err != nil {
		return Identified{}, err
	}
	account, _, err := get(t, accountKey(p))
	if err != nil {
		return Identified{}, err
	}
	who := Identified{Person: p, Account: account.Account, Policy: a.policyOf(account.Account, now), At: now}
	if who.Name, err = a.unseal(p, person, "name"); err != nil {
		return Identified{}, err
	}
	if person.Erasure.Done() {
		who.Name = erasedName
	}
	id, err := a.unseal(p, person, "id_no")
	who.ID = family.IDNumber(id)
	return who, err
}

// Particulars are what the national interface tells of a patient beside his
// settlement (setlinfo).
type Particulars struct {
	Identified
	// Balance is his own account's after the settlement; in a quote, what it would
	// be.
	Balance family.Fen
	// FundSumIncludesAccount is the convention of the institution's region.
	FundSumIncludesAccount bool
	Place                  family.Place
}

// Particulars reads them for a settlement, a reversal or a quote of an institution.
// A settlement's are those of its time, but for what the insurer has corrected.
func (a *App) Particulars(ctx context.Context, s *family.Settlement) (Particulars, error) {
	now := a.now()
	var seq uint64
	for _, leg := range s.Legs {
		if leg.Party == family.Personal && leg.Account == s.Patient {
			seq = leg.Seq
			break
		}
	}
	return act(ctx, a, func(t *tx) (Particulars, error) {
		keys := []keyed{placeKey(s.Place), personKey(s.Patient), accountKey(s.Patient)}
		if seq > 0 {
			keys = append(keys, entryKey(s.Patient, seq))
		}
		if err := t.refer(keys...); err != nil {
			return Particulars{}, err
		}
		who, err := a.identified(t, s.Patient, now)
		if err != nil {
			return Particulars{}, err
		}
		p := Particulars{Identified: who, Balance: who.Account.Balance.Total() - s.Own.Total()}
		if p.Place, _, err = get(t, placeKey(s.Place)); err != nil {
			return Particulars{}, err
		}
		p.FundSumIncludesAccount = a.policyFor(p.Place.Region, family.DayOf(s.At)).FundSumIncludesAccount
		if seq > 0 {
			entry, _, err := get(t, entryKey(s.Patient, seq))
			if err != nil {
				return Particulars{}, err
			}
			p.Balance = entry.After.Total()
		}
		return p, nil
	})
}

// Entitlement is whether the fund pays for a kind of visit of a person somewhere.
type Entitlement struct {
	Insurance family.Insurance
	Used      family.Used
	Policy    *family.Policy
	Enjoys    bool
	Reason    family.Code // why not, where that is a refusal
}

// Entitlement tells an institution whether the fund pays for a visit (2001).
func (a *App) Entitlement(ctx context.Context, place family.InstitutionCode, p family.PersonNo, kind family.MedType) (Entitlement, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (Entitlement, error) {
		if err := t.refer(placeKey(place), accountKey(p)); err != nil {
			return Entitlement{}, err
		}
		where, _, err := get(t, placeKey(place))
		if err != nil {
			return Entitlement{}, err
		}
		record, known, err := get(t, accountKey(p))
		if err == nil && !known {
			err = &family.Refusal{Code: family.NotFound, Field: "person_no"}
		}
		if err != nil {
			return Entitlement{}, err
		}
		c := family.Case{Now: now, Place: where, Patient: record.Account, Policy: a.policyOf(record.Account, now), Bill: family.Bill{MedType: kind}}
		e := Entitlement{Insurance: record.Account.Insurance, Used: record.Account.UsedOn(family.DayOf(now), kind.IsStay()), Policy: c.Policy}
		e.Reason, e.Enjoys = family.Entitled(c)
		return e, nil
	})
}

// FundSumIncludesAccount tells the convention of an institution's region today.
func (a *App) FundSumIncludesAccount(place family.Place) bool {
	return a.policies.For(place.Region, family.DayOf(a.now())).FundSumIncludesAccount
}

// FindPlace returns an institution.
func (a *App) FindPlace(ctx context.Context, code family.InstitutionCode) (family.Place, error) {
	place, found, err := one(ctx, a, placeKey(code))
	if err == nil && !found {
		err = family.Refuse(family.NotFound)
	}
	return place, err
}

// FindItem returns an item as it is in force on a day.
func (a *App) FindItem(ctx context.Context, code string, day family.Day) (family.Item, error) {
	item, _, err := one(ctx, a, itemKey(code))
	if err != nil {
		return family.Item{}, err
	}
	version, found := family.ItemOn(item.Versions, day)
	if !found {
		err = family.Refuse(family.NotFound)
	}
	return version, err
}
