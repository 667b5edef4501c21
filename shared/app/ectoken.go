package app

import (
	"context"
	"time"

	"gongji/shared/family"

	"github.com/oklog/ulid/v2"
)

// An ecToken (40 characters, SPEC 6101) is the code's id and a mark that only this
// house can make, for one institution. So it needs no record of its own, holds
// nothing of the digits, and is worth nothing elsewhere.
const (
	ecMarkLen  = 14
	ecTokenLen = 26 + ecMarkLen
)

func (a *App) ecToken(place family.InstitutionCode, id family.TokenID) string {
	return string(id) + a.vault.ECMark(string(id), string(place))
}

// ecTokenID returns the code of an ecToken that was given to an institution.
func (a *App) ecTokenID(place family.InstitutionCode, token string) (family.TokenID, bool) {
	if len(token) != ecTokenLen {
		return "", false
	}
	id := family.TokenID(token[:26])
	if _, err := ulid.ParseStrict(string(id)); err != nil {
		return "", false
	}
	return id, a.ecToken(place, id) == token
}

// Decoded is what an institution learns by decoding a code (6101, 1162).
type Decoded struct {
	Identified
	ECToken string
	Until   time.Time
}

// Decode reads a displayed code for an institution: from then on only its ecToken
// at this institution redeems it. Nothing is spent; to decode again gives the same.
func (a *App) Decode(ctx context.Context, place family.InstitutionCode, digits string) (Decoded, error) {
	c := Credential{Type: ByQR, Value: digits}
	now := a.now()
	return looked(ctx, a, place, digits, now, func(t *tx) (Decoded, error) {
		need := a.needs(place, SettleAsk{Credential: c})
		if err := t.load(need.decisive, need.reference); err != nil {
			return Decoded{}, err
		}
		if err := a.mayLook(t, place, c, now); err != nil {
			return Decoded{}, err
		}
		_, qr, err := a.credited(t, place, c)
		if err != nil {
			return Decoded{}, err
		}
		key, _ := a.qrOf(place, c)
		who, err := a.identified(t, qr.Token.Patient, now)
		if err != nil {
			return Decoded{}, err
		}
		token, refusal := qr.Token.Decode(place, who.Policy, now)
		if refusal != nil {
			return Decoded{}, refusal
		}
		decoded := Decoded{Identified: who, ECToken: a.ecToken(place, token.ID), Until: token.DecodedUntil}
		if token == qr.Token {
			return decoded, nil
		}
		qr.Token = token
		return decoded, putUntil(t, key, *qr, token.DecodedUntil.Add(qrKeep))
	})
}

// designated refuses an institution without an agreement; its record must have been
// read.
func (a *App) designated(t *tx, place family.InstitutionCode) error {
	known, found, err := a.placeOf(t, place)
	if err == nil && (!found || !known.Designated) {
		err = family.Refuse(family.InstitutionNotDesignated)
	}
	return err
}
