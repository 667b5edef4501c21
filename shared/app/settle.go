package app

import (
	"context"
	"errors"
	"time"

	"gongji/shared/family"
)

// CredentialType is the kind of thing by which a patient is told.
type CredentialType string

// The kinds of credential (mdtrt_cert_type 01, 02 and 03).
const (
	ByQR   CredentialType = "qr"
	ByID   CredentialType = "id"
	ByCard CredentialType = "card"
)

// Credential is what the patient showed at the till.
type Credential struct {
	Type CredentialType
	// Value is the code, the ID number or the card number.
	Value string
	// Name is the patient's name: needed with an ID number; where it is given
	// with another credential it must fit too.
	Name string
}

// SettleAsk is what a till wants quoted or settled.
type SettleAsk struct {
	Message    family.MessageID // empty in a quote
	Credential Credential
	Bill       family.Bill
}

// Outcome is a settlement, or a reversal or refund, with the masked names of all
// who took part.
type Outcome struct {
	Settlement family.Settlement
	Names      map[family.PersonNo]string
	Replay     bool // the answer was given before
}

// Quote decides what a settlement would be and moves nothing. It may be repeated
// and leaves no trace.
func (a *App) Quote(ctx context.Context, place family.InstitutionCode, in SettleAsk) (Outcome, error) {
	if refusal := in.check(); refusal != nil {
		return Outcome{}, refusal
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (Outcome, error) {
		need := a.needs(place, in)
		if err := t.load(need.decisive, need.reference); err != nil {
			return Outcome{}, err
		}
		c, names, err := a.gather(t, place, in, now)
		if err != nil {
			return Outcome{}, err
		}
		s, refusal := family.Quote(c.Case)
		if refusal != nil {
			return Outcome{}, refusal
		}
		return Outcome{Settlement: s, Names: names}, nil
	})
}

// Check tells a person whether a bill would be paid for him, or for a relative
// whose code he may show, as a quote does and moving nothing.
func (a *App) Check(ctx context.Context, by family.PersonNo, id family.BindingID, place family.InstitutionCode, bill family.Bill) (Outcome, error) {
	if refusal := bill.Check(); refusal != nil {
		return Outcome{}, refusal
	}
	if id != "" && !id.Valid() {
		return Outcome{}, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (Outcome, error) {
		patient := by
		if id != "" {
			if err := t.read(bindingKey(id)); err != nil {
				return Outcome{}, err
			}
			bound, found, err := get(t, bindingKey(id))
			if err != nil {
				return Outcome{}, err
			}
			if !found || bound.Binding.Holder != by {
				return Outcome{}, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
			}
			if !bound.Binding.MayShow() {
				return Outcome{}, &family.Refusal{Code: family.StateForbids, Field: "binding_id", Observed: bound.Binding.Standing()}
			}
			patient = bound.Binding.Member
		}
		c, names, err := a.gatherFor(t, place, patient, bill, now)
		if err != nil {
			return Outcome{}, err
		}
		s, refusal := family.Quote(c.Case)
		if refusal != nil {
			return Outcome{}, refusal
		}
		return Outcome{Settlement: s, Names: names}, nil
	})
}

// Settle settles a bill under the message's id: the code is spent, accounts, caps
// and counters move, entries and the message's answer are written, all in one
// commit. What is decided is final, a refusal too: the same message gets the same
// answer, and the same id with other content is refused.
func (a *App) Settle(ctx context.Context, place family.InstitutionCode, in SettleAsk) (Outcome, error) {
	if refusal := in.check(); refusal != nil {
		return Outcome{}, refusal
	}
	return a.message(ctx, place, in.Message, "settle", in, a.needs(place, in), func(t *tx, now time.Time) (messageRecord, error) {
		c, names, err := a.gather(t, place, in, now)
		if err != nil {
			return messageRecord{}, err
		}
		s, effects, refusal := family.Settle(c.Case)
		if refusal != nil {
			return messageRecord{}, refusal
		}
		if err := a.putEffects(t, effects, c.records); err != nil {
			return messageRecord{}, err
		}
		if effects.Token != nil {
			qr, _, err := get(t, c.qr)
			if err != nil {
				return messageRecord{}, err
			}
			qr.Token = *effects.Token
			if err := putUntil(t, c.qr, qr, qr.Token.Expires.Add(qrKeep)); err != nil {
				return messageRecord{}, err
			}
		}
		for _, l := range s.Lines {
			for _, code := range l.TraceCodes {
				if err := put(t, boxKey(code), boxRecord{SoldBy: s.ID}); err != nil {
					return messageRecord{}, err
				}
			}
		}
		c.releaseUndecisive(t, s)
		return messageRecord{State: messageSettled, Settlement: &s, Names: names}, nil
	})
}

// message carries out one message of an institution: its first answer again if it
// was decided before, else the decision and its record in one commit. What decide
// needs in any case is read together with the message.
func (a *App) message(ctx context.Context, place family.InstitutionCode, id family.MessageID, op string, content any, need needs, decide func(*tx, time.Time) (messageRecord, error)) (Outcome, error) {
	if id.Institution() != place {
		return Outcome{}, &family.Refusal{Code: family.Malformed, Field: "message_id", Detail: "a message id begins with your own institution code"}
	}
	fingerprint, err := a.fingerprint(op, content)
	if err != nil {
		return Outcome{}, err
	}
	now := a.now()
	type answered struct {
		record messageRecord
		replay bool
	}
	done, err := act(ctx, a, func(t *tx) (answered, error) {
		messageRef := messageKey(id)
		if err := t.load(append(need.decisive, messageRef), need.reference); err != nil {
			return answered{}, err
		}
		first, found, err := get(t, messageRef)
		switch {
		case err != nil:
			return answered{}, err
		case found && first.State == messageFenced:
			return answered{}, family.Refuse(family.MessageFenced)
		case found && first.Fingerprint != fingerprint:
			return answered{}, family.Refuse(family.MessageReused)
		case found:
			return answered{record: first, replay: true}, nil
		}
		record, err := decide(t, now)
		var refusal *family.Refusal
		if errors.As(err, &refusal) && !refusal.Code.Malformed() {
			record, err = messageRecord{State: messageRefused, Refusal: refusal}, nil
		}
		if err != nil {
			return answered{}, err
		}
		record.Fingerprint, record.At = fingerprint, now
		return answered{record: record}, put(t, messageRef, record)
	})
	if err != nil {
		return Outcome{}, err
	}
	if done.record.Refusal != nil {
		return Outcome{Replay: done.replay}, done.record.Refusal
	}
	return Outcome{Settlement: *done.record.Settlement, Names: done.record.Names, Replay: done.replay}, nil
}

// putEffects writes what a settlement did to accounts.
func (a *App) putEffects(t *tx, effects family.Effects, records map[family.PersonNo]accountRecord) error {
	for i, account := range effects.Accounts {
		record := records[account.Person]
		record.Account = account
		if err := put(t, accountKey(account.Person), record); err != nil {
			return err
		}
		entry := effects.Entries[i]
		if err := add(t, entryKey(account.Person, entry.Seq), entry); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what cannot be read as a settlement.
func (in *SettleAsk) check() *family.Refusal {
	var err error
	switch c := &in.Credential; c.Type {
	case ByQR:
		if len(c.Value) != 20 {
			return &family.Refusal{Code: family.Malformed, Field: "credential.value", Detail: "a code has 20 digits"}
		}
	case ByID:
		var id family.IDNumber
		id, err = family.ParseIDNumber(c.Value)
		c.Value = string(id)
		if err == nil && c.Name == "" {
			return &family.Refusal{Code: family.Malformed, Field: "credential.name", Detail: "an ID number needs the name"}
		}
	case ByCard:
		if c.Value == "" || len(c.Value) > 64 {
			return &family.Refusal{Code: family.Malformed, Field: "credential.value", Detail: "a card number has 1 to 64 characters"}
		}
	default:
		return &family.Refusal{Code: family.Malformed, Field: "credential.type", Allowed: "qr, id, card"}
	}
	if err != nil {
		return family.Faulty("credential.value", err)
	}
	return in.Bill.Check()
}

// gathered is a case with the records behind it.
type gathered struct {
	family.Case
	qr      ref[qrRecord]
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
	case ByQR:
		n.decisive = append(n.decisive, qrKey(a.vault.QRHash(c.Value)))
	case ByID:
		n.reference = append(n.reference, idIndexKey(a.vault.Index("id_no", c.Value)))
	case ByCard:
		n.reference = append(n.reference, cardIndexKey(a.vault.Index("card_no", c.Value)))
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
	if known, found, err := get(t, placeKey(place)); err != nil || !found || !known.Designated {
		if err == nil {
			err = family.Refuse(family.InstitutionNotDesignated)
		}
		return fail(err)
	}
	patient, qr, err := a.credited(t, in.Credential)
	if err != nil {
		return fail(err)
	}
	ahead := []keyed{accountKey(patient)}
	if qr != nil {
		ahead = append(ahead, accountKeys(qr.Grantors)...)
	}
	if in.Credential.Name != "" {
		ahead = append(ahead, personKey(patient))
	}
	if err := t.refer(ahead...); err != nil {
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
	g.Message = in.Message
	if qr != nil {
		g.qr, g.Token = qrKey(a.vault.QRHash(in.Credential.Value)), &qr.Token
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

// credited returns whom a credential names, and the QR token if it is one.
func (a *App) credited(t *tx, c Credential) (family.PersonNo, *qrRecord, error) {
	if c.Type == ByQR {
		if _, err := family.ParseQRDigits(c.Value); err != nil {
			return "", nil, &family.Refusal{Code: family.QRInvalid, Field: "credential.value", Detail: err.Error()}
		}
		record, found, err := get(t, qrKey(a.vault.QRHash(c.Value)))
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
	has, err := a.unseal(p, "name", person.Name)
	return has == name, err
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
	where, found, err := get(t, placeKey(place))
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
		Items: map[string]family.Item{}, Sold: map[string]family.MessageID{}, Policy: a.policyOf(record.Account, now),
	}
	if err := t.read(accountKeys(grantorsOf(record.Account))...); err != nil {
		return g, nil, err
	}
	for _, grantor := range record.Account.Grantors {
		payer, _, err := get(t, accountKey(grantor.Person))
		if err != nil {
			return g, nil, err
		}
		g.records[grantor.Person], names[grantor.Person] = payer, payer.Masked
		g.Payers = append(g.Payers, family.Payer{Grantor: grantor, Account: payer.Account, Policy: a.policyOf(payer.Account, now)})
	}
	day := family.DayOf(now)
	for _, l := range bill.Lines {
		item, _, err := get(t, itemKey(l.Code))
		if err != nil {
			return g, nil, err
		}
		if version, found := family.ItemOn(item.Versions, day); found {
			g.Items[l.Code] = version
		}
		for _, code := range l.TraceCodes {
			box, _, err := get(t, boxKey(code))
			if err != nil {
				return g, nil, err
			}
			if box.SoldBy != "" {
				g.Sold[code] = box.SoldBy
			}
		}
	}
	return g, names, nil
}
