package app

import (
	"context"
	"errors"
	"time"

	"gongji/shared/family"
)

// guessesRecord is what an institution has tried of codes that nobody was issued.
// It lies in the store because every process that the institution reaches has to
// know of it, and is written by a bad code alone: a good one reads it in the round
// in which it reads the code, and never as a check, so the institution's good codes
// do not meet on it.
//
// That leaves room for as many codes as are decided at the same moment: none of
// them is told that it was bad without being counted, but a good one among them
// passes. A quote whose count was written and never answered for counts once more.
type guessesRecord struct{ Guesses family.Guesses }

// mayTry refuses a code while its institution's pause lasts. The record and the
// place must have been read.
func (a *App) mayTry(t *tx, place family.Place, now time.Time) error {
	record, _, err := get(t, guessesKey(place.Code))
	if err != nil {
		return err
	}
	if refusal := record.Guesses.MayTry(a.policyFor(place.Region, family.DayOf(now)), now); refusal != nil {
		return refusal
	}
	return nil
}

// countGuess counts a refusal of a code that nobody was issued against the
// institution, to be committed with the answer; every other error passes through.
// Digits that do not fit together are a slip of whoever typed them: they were never
// looked up, so nobody learns anything from them. It tells whether there is
// something to commit.
func (a *App) countGuess(t *tx, code family.InstitutionCode, digits string, refused error, now time.Time) (bool, error) {
	var refusal *family.Refusal
	if !errors.As(refused, &refusal) || refusal.Code != family.QRInvalid {
		return false, refused
	}
	if _, err := family.ParseQRDigits(digits); err != nil {
		return false, refused
	}
	place, _, err := get(t, placeKey(code))
	if err != nil {
		return false, err
	}
	key := guessesKey(code)
	record, _, err := get(t, key)
	if err != nil {
		return false, err
	}
	record.Guesses = record.Guesses.Add(a.policyFor(place.Region, family.DayOf(now)), now)
	if err := putUntil(t, key, record, record.Guesses.Forgotten()); err != nil {
		return false, err
	}
	return true, refused
}

// mayLook refuses an institution without an agreement, and a code of it while its
// pause lasts. What the credential needs must have been read.
func (a *App) mayLook(t *tx, code family.InstitutionCode, c Credential, now time.Time) error {
	if err := a.designated(t, code); err != nil || c.Type != ByQR && c.Type != ByECToken {
		return err
	}
	place, _, err := a.placeOf(t, code)
	if err != nil {
		return err
	}
	return a.mayTry(t, place, now)
}

// looked is an act in which the credential may turn out to be a code that nobody was
// issued: that is counted, and nothing else of the act happens.
func looked[A any](ctx context.Context, a *App, code family.InstitutionCode, credential string, now time.Time, decide func(*tx) (A, error)) (A, error) {
	type looking struct {
		answer  A
		refused error // and counted
	}
	done, err := act(ctx, a, func(t *tx) (looking, error) {
		answer, err := decide(t)
		if err == nil {
			return looking{answer: answer}, nil
		}
		counted, err := a.countGuess(t, code, credential, err, now)
		if counted {
			return looking{refused: err}, nil
		}
		return looking{}, err
	})
	if err == nil {
		err = done.refused
	}
	return done.answer, err
}
