package app

import (
	"maps"
	"slices"
	"time"

	"gongji/shared/family"
)

// gathered is a case with the records behind it.
type gathered struct {
	family.Case
	qr      ref[qrRecord]
	code    qrRecord      // under it, as it was read
	visit   *family.Visit // whose charges the bill is
	records map[family.PersonNo]accountRecord
}

// releaseUndecisive takes grantors out of the commit's checks whose turn never
// came: how they stood decided nothing, unless they were ordered by balance.
func (g *gathered) releaseUndecisive(t *tx, s family.Settlement) {
	if g.Policy.Grants.Order == family.BalanceOrder {
		return
	}
	for _, share := range s.Shares {
		if share.Reason == family.NothingLeft || share.Reason == family.AccountUnused {
			t.release(accountKey(share.Grantor))
		}
	}
}

// needs are the keys that an act needs whatever they hold.
type needs struct{ decisive, reference []keyed }

// needs returns what a settlement reads first: the place, the goods, the boxes, and
// whom the credential names.
func (a *App) needs(place family.InstitutionCode, in SettleAsk) needs {
	n := billNeeds(place, in.Bill)
	switch c := in.Credential; c.Type {
	case ByQR, ByECToken:
		if key, ok := a.qrOf(place, c); ok {
			n.decisive = append(n.decisive, key)
		}
		n.reference = append(n.reference, guessesKey(place))
	case ByID:
		n.reference = append(n.reference, idIndexKey(a.vault.Index("id_no", c.Value)))
	case ByCard:
		n.reference = append(n.reference, cardIndexKey(a.vault.Index("card_no", c.Value)))
	}
	if v := in.Visit; v != nil {
		n.decisive = append(n.decisive, visitKey(place, v.Patient, v.ID))
	}
	return n
}

func billNeeds(place family.InstitutionCode, bill family.Bill) needs {
	n := needs{reference: []keyed{placeKey(place)}}
	for _, l := range bill.Lines {
		n.reference = append(n.reference, itemKey(l.Code))
		for _, code := range l.TraceCodes {
			n.decisive = append(n.decisive, boxKey(code))
		}
	}
	return n
}

// gather finds all that decides a case after its needs were read: first whom the
// credential names, then his account and his grantors'. It refuses a credential
// that names nobody.
func (a *App) gather(t *tx, place family.InstitutionCode, in SettleAsk, now time.Time) (gathered, map[family.PersonNo]string, error) {
	fail := func(err error) (gathered, map[family.PersonNo]string, error) { return gathered{}, nil, err }
	if err := a.mayLook(t, place, in.Credential, now); err != nil {
		return fail(err)
	}
	patient, qr, err := a.credited(t, place, in.Credential)
	if err != nil {
		return fail(err)
	}
	if in.Patient != "" && patient != in.Patient {
		return fail(&family.Refusal{Code: family.IdentityMismatch, Field: "person_no"})
	}
	if qr != nil && qr.Token.Visit != "" && qr.Token.Visit != in.visit() {
		return fail(family.Refuse(family.QRSpent)) // it is a visit's, and this is another bill
	}
	var visit *family.Visit
	var own []int
	if in.Visit != nil {
		if visit, own, err = a.visitBill(t, place, patient, &in); err != nil {
			return fail(err)
		}
	}
	need := billNeeds(place, in.Bill)
	ahead := append(need.reference, accountKey(patient))
	if in.Visit == nil { // its goods were read with what the till named
		items, err := a.itemsOn(t, in.Bill, family.DayOf(now))
		if err != nil {
			return fail(err)
		}
		limits := limitNeeds(patient, items)
		need.decisive, ahead = append(need.decisive, limits.decisive...), append(ahead, limits.reference...)
	}
	if qr != nil {
		ahead = append(ahead, accountKeys(qr.Grantors)...)
	}
	if in.Credential.Name != "" {
		ahead = append(ahead, personKey(patient))
	}
	if err := t.load(need.decisive, ahead); err != nil {
		return fail(err)
	}
	if name := in.Credential.Name; name != "" {
		fits, err := a.nameFits(t, patient, name)
		if err != nil {
			return fail(err)
		}
		if !fits && qr != nil {
			return fail(&family.Refusal{Code: family.QRWrongPatient, Field: "credential.name"})
		}
		if !fits {
			return fail(&family.Refusal{Code: family.IdentityMismatch, Field: "credential.name"})
		}
	}
	g, names, err := a.gatherFor(t, place, patient, in.Bill, now)
	if err != nil {
		return fail(err)
	}
	g.Message, g.Need, g.visit, g.OwnExpense = in.Message, in.need(), visit, own
	if visit != nil {
		g.StayPaid = visit.Deducted
	}
	if qr != nil {
		g.qr, _ = a.qrOf(place, in.Credential)
		g.code = *qr
		g.Token, g.Decoded = &qr.Token, in.Credential.Type == ByECToken
		if qr.PresenterMasked != "" {
			names[qr.Token.Presenter] = qr.PresenterMasked
		}
	}
	return g, names, nil
}

func accountKeys(people []family.PersonNo) []keyed {
	keys := make([]keyed, len(people))
	for i, p := range people {
		keys[i] = accountKey(p)
	}
	return keys
}

// qrOf returns where the code lies that a credential is or was decoded from.
func (a *App) qrOf(place family.InstitutionCode, c Credential) (ref[qrRecord], bool) {
	switch c.Type {
	case ByQR:
		return qrKey(a.vault.QRHash(c.Value)), true
	case ByECToken:
		id, ok := a.ecTokenID(place, c.Value)
		return qrKey(a.vault.QRHash(a.digits(id))), ok
	}
	return ref[qrRecord]{}, false
}

// credited returns whom a credential names, and the QR token if it is one.
func (a *App) credited(t *tx, place family.InstitutionCode, c Credential) (family.PersonNo, *qrRecord, error) {
	if c.Type == ByQR {
		if _, err := family.ParseQRDigits(c.Value); err != nil {
			return "", nil, &family.Refusal{Code: family.QRInvalid, Field: "credential.value", Detail: err.Error()}
		}
	}
	if c.Type == ByQR || c.Type == ByECToken {
		key, ok := a.qrOf(place, c)
		if !ok {
			return "", nil, &family.Refusal{Code: family.QRInvalid, Field: "credential.value"}
		}
		record, found, err := get(t, key)
		if err == nil && !found {
			err = &family.Refusal{Code: family.QRInvalid, Field: "credential.value"}
		}
		return record.Token.Patient, &record, err
	}
	index := idIndexKey(a.vault.Index("id_no", c.Value))
	if c.Type == ByCard {
		index = cardIndexKey(a.vault.Index("card_no", c.Value))
	}
	pointer, _, err := get(t, index)
	if err == nil && pointer.To == "" {
		err = &family.Refusal{Code: family.IdentityMismatch, Field: "credential.value"}
	}
	return family.PersonNo(pointer.To), nil, err
}

// nameFits tells whether a person has a name.
func (a *App) nameFits(t *tx, p family.PersonNo, name string) (bool, error) {
	if err := t.refer(personKey(p)); err != nil {
		return false, err
	}
	person, _, err := get(t, personKey(p))
	if err != nil {
		return false, err
	}
	has, err := a.unseal(p, person, "name")
	return has == name, err
}

// payer puts the rules beside an account by which it pays for others.
func (a *App) payer(grantor family.Grantor, account family.Account, now time.Time) family.Payer {
	home := a.policyOf(account, now)
	return family.Payer{Grantor: grantor, Account: account, Policy: home, Beyond: a.beyond(home, now)}
}

// gatherFor reads all that decides a case of a known patient.
func (a *App) gatherFor(t *tx, place family.InstitutionCode, patient family.PersonNo, bill family.Bill, now time.Time) (gathered, map[family.PersonNo]string, error) {
	g := gathered{records: map[family.PersonNo]accountRecord{}}
	names := map[family.PersonNo]string{}
	patientRef := accountKey(patient)
	need := billNeeds(place, bill)
	if err := t.load(append(need.decisive, patientRef), need.reference); err != nil {
		return g, nil, err
	}
	where, found, err := a.placeOf(t, place)
	if err != nil {
		return g, nil, err
	}
	if !found {
		return g, nil, family.Refuse(family.InstitutionNotDesignated)
	}
	record, found, err := get(t, patientRef)
	if err != nil {
		return g, nil, err
	}
	if !found {
		return g, nil, family.Refuse(family.PersonNotInsured)
	}
	g.records[patient], names[patient] = record, record.Masked
	g.Case = family.Case{
		Now: now, Place: where, Patient: record.Account, Bill: bill,
		Sold: map[string]family.MessageID{}, Bought: map[string]family.Quantity{}, Policy: a.policyOf(record.Account, now),
	}
	day := family.DayOf(now)
	if g.Items, err = a.itemsOn(t, bill, day); err != nil {
		return g, nil, err
	}
	if err := g.boxesOn(t, bill); err != nil {
		return g, nil, err
	}
	more := limitNeeds(patient, g.Items)
	if err := t.load(append(accountKeys(grantorsOf(record.Account)), more.decisive...), more.reference); err != nil {
		return g, nil, err
	}
	if len(more.reference) > 0 {
		if g.Born, g.Sex, err = a.who(t, patient); err != nil {
			return g, nil, err
		}
	}
	for _, grantor := range record.Account.Grantors {
		payer, _, err := get(t, accountKey(grantor.Person))
		if err != nil {
			return g, nil, err
		}
		g.records[grantor.Person], names[grantor.Person] = payer, payer.Masked
		g.Payers = append(g.Payers, a.payer(grantor, payer.Account, now))
	}
	for code, item := range g.Items {
		if !item.PerPeriod() {
			continue
		}
		bought, _, err := get(t, boughtKey(patient, code))
		if err != nil {
			return g, nil, err
		}
		g.Bought[code] = family.Bought(bought.Purchases, day, item.Limits.PeriodDays)
	}
	return g, names, nil
}

// limitNeeds returns what the limits of items ask of a patient: what he bought of each
// that is counted by period, and who he is where one asks for age or sex.
func limitNeeds(patient family.PersonNo, items map[string]family.Item) needs {
	var n needs
	asksWho := false
	for _, code := range slices.Sorted(maps.Keys(items)) { // the same reads for the same bill
		item := items[code]
		if item.PerPeriod() {
			n.decisive = append(n.decisive, boughtKey(patient, code))
		}
		asksWho = asksWho || item.AsksWho()
	}
	if asksWho {
		n.reference = []keyed{personKey(patient)}
	}
	return n
}

// boxesOn puts the boxes of a bill that were sold into the case.
func (g *gathered) boxesOn(t *tx, bill family.Bill) error {
	for _, l := range bill.Lines {
		for _, code := range l.TraceCodes {
			box, _, err := get(t, boxKey(code))
			if err != nil {
				return err
			}
			if box.SoldBy != "" {
				g.Sold[code] = box.SoldBy
			}
		}
	}
	return nil
}

// who returns when a person was born and of which sex, which some items are paid by.
func (a *App) who(t *tx, p family.PersonNo) (family.Day, family.Sex, error) {
	person, _, err := get(t, personKey(p))
	if err != nil {
		return 0, "", err
	}
	if person.Mother != "" { // a child without an ID number
		return person.Born, person.Sex, nil
	}
	sealed, err := a.unseal(p, person, "id_no")
	if err != nil {
		return 0, "", err
	}
	if sealed == "" { // erased: what it says of him nobody knows
		return person.Born, "", nil
	}
	id, err := family.ParseIDNumber(sealed)
	return person.Born, id.Sex(), err
}

// putPurchases counts what a settlement sold, or a refund returned, of the items that
// are limited by period.
func putPurchases(t *tx, s family.Settlement, told *family.Told) error {
	if told == nil {
		return nil
	}
	for _, code := range told.Counted {
		key := boughtKey(s.Patient, code)
		if err := t.read(key); err != nil {
			return err
		}
		bought, _, err := get(t, key)
		if err != nil {
			return err
		}
		if err := put(t, key, boughtRecord{family.Buy(bought.Purchases, s, code)}); err != nil {
			return err
		}
	}
	return nil
}
