package app

import (
	"context"
	"maps"
	"time"

	"gongji/shared/family"
)

// maxReason bounds the reason of a reversal, in bytes.
const maxReason = 200

// Reverse gives a whole settlement back, or what refunds have left of it, to
// where it came from. An original that was never seen, or that still waits for a
// grantor's word, is refused and fenced, so that it cannot land later.
func (a *App) Reverse(ctx context.Context, place family.InstitutionCode, original, id family.MessageID, reason string) (Outcome, error) {
	if len(reason) > maxReason {
		return Outcome{}, &family.Refusal{Code: family.Malformed, Field: "reason", Detail: "a reason has at most 200 bytes"}
	}
	content := struct {
		Original family.MessageID
		Reason   string
	}{original, reason}
	return a.giveBack(ctx, place, original, id, "reverse", content, Sent{}, family.Reverse)
}

// ReverseSent is Reverse for a door that signs its messages. Where the original is
// known to be another patient's, nothing is given back.
func (a *App) ReverseSent(ctx context.Context, place family.InstitutionCode, original, id family.MessageID, patient family.PersonNo, sent Sent) (Outcome, error) {
	return a.giveBack(ctx, place, original, id, "reverse", original, sent,
		func(id family.MessageID, s family.Settlement, account family.Account, payers map[family.PersonNo]family.Account, now time.Time) (family.Settlement, family.Settlement, family.Effects, *family.Refusal) {
			if s.Patient != patient {
				return family.Settlement{}, s, family.Effects{}, &family.Refusal{Code: family.IdentityMismatch, Field: "person_no"}
			}
			return family.Reverse(id, s, account, payers, now)
		})
}

// Refund gives part of a settlement back, by line and quantity.
func (a *App) Refund(ctx context.Context, place family.InstitutionCode, original, id family.MessageID, returns []family.Return) (Outcome, error) {
	if refusal := family.CheckReturns(returns); refusal != nil {
		return Outcome{}, refusal
	}
	content := struct {
		Original family.MessageID
		Returns  []family.Return
	}{original, returns}
	return a.giveBack(ctx, place, original, id, "refund", content, Sent{},
		func(id family.MessageID, s family.Settlement, patient family.Account, payers map[family.PersonNo]family.Account, now time.Time) (family.Settlement, family.Settlement, family.Effects, *family.Refusal) {
			return family.Refund(id, s, returns, patient, payers, now)
		})
}

// undoing is how the law takes a settlement back.
type undoing func(id family.MessageID, s family.Settlement, patient family.Account, payers map[family.PersonNo]family.Account, now time.Time) (family.Settlement, family.Settlement, family.Effects, *family.Refusal)

func (a *App) giveBack(ctx context.Context, place family.InstitutionCode, original, id family.MessageID, op string, content any, sent Sent, undo undoing) (Outcome, error) {
	if original.Institution() != place {
		return Outcome{}, family.Refuse(family.OriginalUnknown) // another's looks like a missing one
	}
	if original == id {
		return Outcome{}, &family.Refusal{Code: family.Malformed, Field: "message_id", Detail: "a message of its own"}
	}
	need := needs{decisive: []keyed{messageKey(original)}}
	return a.message(ctx, place, id, op, content, sent, need, func(t *tx, now time.Time, _ *family.Confirmation) (messageRecord, error) {
		originalRef := messageKey(original)
		sale, found, err := get(t, originalRef)
		if err != nil {
			return messageRecord{}, err
		}
		if !found || sale.State == messageWaits {
			sale.State, sale.At, sale.Refusal = messageFenced, now, nil
			if err := put(t, originalRef, sale); err != nil {
				return messageRecord{}, err
			}
		}
		if sale.State == messageLost {
			return messageRecord{}, errLost
		}
		if sale.Settlement == nil {
			return messageRecord{}, family.Refuse(family.OriginalUnknown)
		}
		keys := []keyed{accountKey(sale.Settlement.Patient)}
		for _, share := range sale.Settlement.Shares {
			if share.Paid != (family.Pockets{}) {
				keys = append(keys, accountKey(share.Grantor))
			}
		}
		if err := t.read(keys...); err != nil {
			return messageRecord{}, err
		}
		records := map[family.PersonNo]accountRecord{}
		payers := map[family.PersonNo]family.Account{}
		for _, key := range keys {
			record, _, err := get(t, key.(ref[accountRecord]))
			if err != nil {
				return messageRecord{}, err
			}
			records[record.Account.Person], payers[record.Account.Person] = record, record.Account
		}
		back, after, effects, refusal := undo(id, *sale.Settlement, payers[sale.Settlement.Patient], payers, now)
		if refusal != nil {
			return messageRecord{}, refusal
		}
		for _, l := range back.Lines {
			for _, code := range l.TraceCodes {
				if err := t.read(boxKey(code)); err != nil {
					return messageRecord{}, err
				}
				if err := put(t, boxKey(code), boxRecord{}); err != nil {
					return messageRecord{}, err
				}
			}
		}
		if err := putPurchases(t, back, sale.Settlement.Told); err != nil {
			return messageRecord{}, err
		}
		if err := a.putEffects(t, effects, records); err != nil {
			return messageRecord{}, err
		}
		if sale.Visit != "" && (after.State() == family.StateReversed || after.MedType.IsStay()) {
			if err := a.giveBackVisit(t, place, back, after, sale.Visit, now); err != nil {
				return messageRecord{}, err
			}
		}
		sale.Settlement = &after
		if err := put(t, originalRef, sale); err != nil {
			return messageRecord{}, err
		}
		return messageRecord{State: messageSettled, Settlement: &back, Names: maps.Clone(sale.Names), Visit: sale.Visit, Note: sent.Note}, nil
	})
}
