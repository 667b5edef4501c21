package app

import (
	"context"
	"errors"
	"time"

	"gongji/shared/family"

	"github.com/oklog/ulid/v2"
)

// qrKeep is how long a token's record outlives the token, so that whoever asks
// hears what became of it.
const qrKeep = 24 * time.Hour

// QRView is a token as its presenter sees it.
type QRView struct {
	Token         family.QRToken
	PatientMasked string
	Now           time.Time // when it was looked at: the state follows from it
	// Digits is the code itself, only while it can be redeemed.
	Digits string
}

// IssueQR issues a code for the member of a binding, or for the presenter himself
// when there is no binding. It takes the place of the one that he showed for that
// patient before.
//
// The digits follow from the token's id under a key that the store does not hold,
// so the picture can be drawn again by any process while the store keeps only a
// keyed hash of the digits.
func (a *App) IssueQR(ctx context.Context, presenter family.PersonNo, id family.BindingID, o Once) (Answered[QRView], error) {
	now := a.now()
	newID, err := a.newID(now)
	if err != nil {
		return Answered[QRView]{}, err
	}
	tokenID := family.TokenID(newID)
	hash := a.vault.QRHash(a.digits(tokenID))
	done, err := once(ctx, a, presenter, "qr", o, now, func(t *tx) (QRView, error) {
		if id != "" && !id.Valid() {
			return QRView{}, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
		}
		newRef := qrKey(hash)
		keys := []keyed{newRef}
		if id != "" {
			keys = append(keys, bindingKey(id))
		}
		if err := t.read(keys...); err != nil {
			return QRView{}, err
		}
		if issued, found, err := get(t, newRef); found || err != nil {
			return QRView{Token: issued.Token, PatientMasked: issued.PatientMasked, Now: now}, err // ours, the answer was lost
		}
		patient, binding := presenter, (*family.Binding)(nil)
		record := qrRecord{}
		if id != "" {
			bound, found, err := get(t, bindingKey(id))
			if err != nil {
				return QRView{}, err
			}
			if !found || bound.Binding.Holder != presenter {
				return QRView{}, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
			}
			patient, binding = bound.Binding.Member, &bound.Binding
			record.PresenterMasked = bound.HolderMasked
		}
		accountRef, pointerRef := accountKey(patient), currentQRKey(presenter, patient)
		if err := t.read(accountRef, pointerRef); err != nil {
			return QRView{}, err
		}
		account, known, err := get(t, accountRef)
		if err != nil {
			return QRView{}, err
		}
		if !known {
			return QRView{}, family.Refuse(family.PersonNotInsured)
		}
		var refusal *family.Refusal
		record.Token, refusal = family.IssueQR(tokenID, presenter, account.Account, binding, a.policyOf(account.Account, now), now)
		if refusal != nil {
			return QRView{}, refusal
		}
		record.PatientMasked, record.Grantors = account.Masked, grantorsOf(account.Account)
		if err := a.replaceCurrentQR(t, pointerRef, now); err != nil {
			return QRView{}, err
		}
		if err := putUntil(t, newRef, record, record.Token.Expires.Add(qrKeep)); err != nil {
			return QRView{}, err
		}
		view := QRView{Token: record.Token, PatientMasked: record.PatientMasked, Now: now}
		// The pointer is kept for good: there is one a pair, and were it forgotten and made
		// anew, it would be at a version at which it had been before, where a commit that
		// is sent again takes another's code for the one that it read.
		return view, put(t, pointerRef, pointerRecord{To: hash})
	})
	switch {
	case err != nil:
		return done, err
	case done.Replay:
		done.Answer, err = a.shownStill(ctx, presenter, done.Answer)
		return done, err
	}
	done.Answer.Digits = a.digits(done.Answer.Token.ID)
	return done, nil
}

// shownStill returns a code that was issued before as it stands now: an answer that
// is given again for two days must not show a code for longer than its minute.
func (a *App) shownStill(ctx context.Context, presenter family.PersonNo, issued QRView) (QRView, error) {
	view, err := a.GetQR(ctx, presenter, issued.Token.ID)
	refusal := (*family.Refusal)(nil)
	switch {
	case !errors.As(err, &refusal):
	case refusal.Code == family.NotFound:
		issued.Now = a.now() // the store has forgotten the token, long after its end
		return issued, nil
	case refusal.Code == family.Busy: // which would say that there is no code
		return view, family.Refuse(family.OutcomeUnknown)
	}
	return view, err
}

// grantorsOf returns whose grants a person may use.
func grantorsOf(account family.Account) []family.PersonNo {
	people := make([]family.PersonNo, len(account.Grantors))
	for i, g := range account.Grantors {
		people[i] = g.Person
	}
	return people
}

// digits returns the code of a token.
func (a *App) digits(id family.TokenID) string {
	return family.QRDigits(a.vault.QRDigits(string(id)))
}

// GetQR returns a token to the one who shows it, with its digits while it can be
// redeemed.
func (a *App) GetQR(ctx context.Context, presenter family.PersonNo, id family.TokenID) (QRView, error) {
	if _, err := ulid.ParseStrict(string(id)); err != nil {
		return QRView{}, family.Refuse(family.NotFound)
	}
	digits := a.digits(id)
	qr, found, err := one(ctx, a, qrKey(a.vault.QRHash(digits)))
	if err != nil {
		return QRView{}, err
	}
	if !found || qr.Token.ID != id || qr.Token.Presenter != presenter {
		return QRView{}, family.Refuse(family.NotFound)
	}
	view := QRView{Token: qr.Token, PatientMasked: qr.PatientMasked, Now: a.now()}
	if view.Token.StateAt(view.Now) == family.QRStateIssued {
		view.Digits = digits
	}
	return view, nil
}
