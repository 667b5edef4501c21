package app

import (
	"context"
	"errors"
	"time"

	"gongji/shared/family"
)

// CredentialType is the kind of thing by which a patient is told.
type CredentialType string

// The kinds of credential (mdtrt_cert_type 01, 02 and 03). ByECToken is what an
// institution was given when it decoded a code (ecToken).
const (
	ByQR      CredentialType = "qr"
	ByECToken CredentialType = "ec_token"
	ByID      CredentialType = "id"
	ByCard    CredentialType = "card"
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
	// Visit takes the bill's lines from a visit; nil: they are in the bill.
	Visit *VisitBill `json:"-"`
	// Patient is whom the credential must name; empty: whomever it names.
	Patient family.PersonNo `json:"-"`
	// Expected are the amounts that the till was told of before; where they have
	// changed since, nothing is settled. nil accepts any.
	Expected *family.Amounts `json:"-"`
	Sent     Sent            `json:"-"`
	// Need is left out of the message's fingerprint where nothing is told.
	Need *family.Need `json:",omitempty"`
}

// need returns what is told of the patient's need.
func (in *SettleAsk) need() family.Need {
	if in.Need == nil {
		return family.Need{}
	}
	return *in.Need
}

// asExpected refuses a settlement whose amounts are not those that the till was
// told of.
func (in *SettleAsk) asExpected(s *family.Settlement) *family.Refusal {
	if in.Expected == nil || *in.Expected == s.Paid.Amounts {
		return nil
	}
	return &family.Refusal{
		Code: family.QuoteStale, Field: "inscp_scp_amt",
		Observed: in.Expected.InScope.String(), Allowed: s.Paid.InScope.String(), Detail: "the goods are priced otherwise than they were",
	}
}

// Outcome is a settlement, or a reversal or refund, with the masked names of all
// who took part.
type Outcome struct {
	Settlement family.Settlement
	Names      map[family.PersonNo]string
	Visit      family.MessageID // that it is of; empty without one
	Note       string           // what the door kept with it
	Replay     bool             // the answer was given before
}

// Quote decides what a settlement would be and moves nothing. It may be repeated
// and leaves no trace, but for a code that nobody was issued, which is counted.
func (a *App) Quote(ctx context.Context, place family.InstitutionCode, in SettleAsk) (Outcome, error) {
	if refusal := in.check(); refusal != nil {
		return Outcome{}, refusal
	}
	now := a.now()
	return looked(ctx, a, place, in.Credential.Value, now, func(t *tx) (Outcome, error) {
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
		return Outcome{Settlement: s, Names: names, Visit: in.visit(), Note: in.Sent.Note}, nil
	})
}

// Check tells a person whether a bill would be paid for him, or for a relative
// whose code he may show, as a quote does and moving nothing.
func (a *App) Check(ctx context.Context, by family.PersonNo, id family.BindingID, place family.InstitutionCode, bill family.Bill, need family.Need) (Outcome, error) {
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
		c.Need = need
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
	return a.message(ctx, place, in.Message, "settle", in, in.Sent, a.needs(place, in), func(t *tx, now time.Time, waited *family.Confirmation) (messageRecord, error) {
		c, names, err := a.gather(t, place, in, now)
		if err != nil {
			_, err = a.countGuess(t, place, in.Credential.Value, err, now)
			return messageRecord{}, err
		}
		if err := a.resume(t, &c, waited); err != nil {
			return messageRecord{}, err
		}
		s, effects, refusal := family.Settle(c.Case)
		if effects.Confirmation != nil {
			return a.wait(t, in.Message, c, effects, names, refusal)
		}
		if refusal == nil {
			refusal = in.asExpected(&s)
		}
		if refusal != nil {
			return messageRecord{}, refusal
		}
		if err := a.putEffects(t, effects, c.records); err != nil {
			return messageRecord{}, err
		}
		if effects.Token != nil {
			if err := a.putToken(t, c, *effects.Token, effects.Token.Expires); err != nil {
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
		if c.visit != nil {
			settled := c.visit.Settled(s)
			if err := putUntil(t, visitKey(place, settled.Patient, settled.ID), settled, now.Add(family.VisitLife)); err != nil {
				return messageRecord{}, err
			}
		}
		if err := putPurchases(t, s, s.Told); err != nil {
			return messageRecord{}, err
		}
		c.releaseUndecisive(t, s)
		record := messageRecord{State: messageSettled, Settlement: &s, Names: names, Visit: in.visit(), Note: in.Sent.Note}
		if effects.Token != nil {
			record.Code = effects.Token.ID
		}
		return record, nil
	})
}

// putToken writes what became of a case's token, which is over at a time.
func (a *App) putToken(t *tx, g gathered, token family.QRToken, end time.Time) error {
	g.code.Token = token
	return putUntil(t, g.qr, g.code, end.Add(qrKeep))
}

// message carries out one message of an institution: its first answer again if it
// was decided before, else the decision and its record in one commit. A settlement
// that waits for a grantor's word is decided each time it comes, until it is. What
// decide needs in any case is read together with the message.
func (a *App) message(ctx context.Context, place family.InstitutionCode, id family.MessageID, op string, content any, sent Sent, need needs, decide func(*tx, time.Time, *family.Confirmation) (messageRecord, error)) (Outcome, error) {
	if id.Institution() != place {
		return Outcome{}, &family.Refusal{Code: family.Malformed, Field: "message_id", Detail: "a message id begins with your own institution code"}
	}
	tallyOf(ctx).about(id)
	if sent.Form != "" {
		content = sent.Form
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
		if err := t.load(append(need.decisive, append(a.signed(sent), messageRef)...), need.reference); err != nil {
			return answered{}, err
		}
		if err := a.mayServe(t, sent, fingerprint, now); err != nil {
			return answered{}, err
		}
		first, found, err := get(t, messageRef)
		switch {
		case err != nil:
			return answered{}, err
		case found && first.State == messageLost:
			return answered{}, errLost
		case found && first.State == messageFenced:
			return answered{}, family.Refuse(family.MessageFenced)
		case found && first.Fingerprint != fingerprint:
			return answered{}, family.Refuse(family.MessageReused)
		case found && first.State != messageWaits:
			return answered{record: first, replay: true}, nil
		}
		record, err := decide(t, now, first.Confirmation)
		var refusal *family.Refusal
		if errors.As(err, &refusal) && refusal.Code == family.ConfirmationNeeded {
			return answered{record: first, replay: true}, nil // it waits still
		}
		if errors.As(err, &refusal) && !refusal.Code.Malformed() {
			record, err = messageRecord{State: messageRefused, Refusal: refusal}, nil
		}
		if err != nil {
			return answered{}, err
		}
		record.Fingerprint, record.At = fingerprint, now
		if settled := family.DayOf(now); record.Settlement != nil && settled != id.Day() {
			if err := add(t, lateKey(id, settled), pointerRecord{To: string(id)}); err != nil {
				return answered{}, err
			}
		}
		if err := a.serve(t, sent, fingerprint, now); err != nil {
			return answered{}, err
		}
		if found {
			record.Confirmation = first.Confirmation
		}
		return answered{record: record}, put(t, messageRef, record)
	})
	if err != nil {
		return Outcome{}, err
	}
	if done.record.Refusal != nil {
		return Outcome{Replay: done.replay}, done.record.Refusal
	}
	outcome := done.record.outcome()
	outcome.Replay = done.replay
	return outcome, nil
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

// check refuses what cannot be read as a settlement. The lines of a visit are
// checked where they lie, and whose it is says its patient, without a name.
func (in *SettleAsk) check() *family.Refusal {
	if refusal := in.Credential.check(in.Visit == nil); refusal != nil || in.Visit != nil {
		return refusal
	}
	if refusal := in.Bill.Check(); refusal != nil {
		return refusal
	}
	need := in.need()
	return need.Check(&in.Bill)
}

// check refuses what cannot be read as a credential, and brings it to one form.
// Without the name an ID number tells only whoever knows the person already.
func (c *Credential) check(named bool) *family.Refusal {
	switch c.Type {
	case ByQR:
		if len(c.Value) != 20 {
			return &family.Refusal{Code: family.Malformed, Field: "credential.value", Detail: "a code has 20 digits"}
		}
	case ByID:
		id, err := family.ParseIDNumber(c.Value)
		if err != nil {
			return family.Faulty("credential.value", err)
		}
		c.Value = string(id)
		if named && c.Name == "" {
			return &family.Refusal{Code: family.Malformed, Field: "credential.name", Detail: "an ID number needs the name"}
		}
	case ByECToken:
		if len(c.Value) != ecTokenLen {
			return &family.Refusal{Code: family.QRInvalid, Field: "credential.value"}
		}
	case ByCard:
		if c.Value == "" || len(c.Value) > 64 {
			return &family.Refusal{Code: family.Malformed, Field: "credential.value", Detail: "a card number has 1 to 64 characters"}
		}
	default:
		return &family.Refusal{Code: family.Malformed, Field: "credential.type", Allowed: "qr, id, card"}
	}
	return nil
}
