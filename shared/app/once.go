package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gongji/shared/family"
)

// Once is the identity that a person's request may carry (Idempotency-Key): the
// same key and content get the first answer again.
type Once struct {
	Key string // empty: the request is carried out each time it comes
	// Content is the request as it came, to tell a repeat from a reuse.
	Content any
}

// onceLife is how long the store keeps a person's first answers. A phone that
// lost an answer asks again within minutes.
const onceLife = 48 * time.Hour

// Answered is an answer and whether it was given before.
type Answered[A any] struct {
	Answer A
	Replay bool
}

// once carries out an act under a person's key: its answer, or its refusal, is
// recorded in the act's own commit.
func once[A any](ctx context.Context, a *App, who family.PersonNo, op string, o Once, now time.Time, decide func(*tx) (A, error)) (Answered[A], error) {
	if o.Key == "" {
		answer, err := act(ctx, a, decide)
		return Answered[A]{Answer: answer}, err
	}
	if len(o.Key) > 128 {
		return Answered[A]{}, &family.Refusal{Code: family.Malformed, Field: "Idempotency-Key", Detail: "at most 128 characters"}
	}
	fingerprint, err := a.fingerprint(op, o.Content)
	if err != nil {
		return Answered[A]{}, err
	}
	type outcome struct {
		answered Answered[A]
		refusal  *family.Refusal
	}
	key := onceKey(who, a.vault.Index("idempotency_key", o.Key))
	done, err := act(ctx, a, func(t *tx) (outcome, error) {
		if err := t.read(key); err != nil {
			return outcome{}, err
		}
		first, found, err := get(t, key)
		if err != nil {
			return outcome{}, err
		}
		if found {
			if first.Fingerprint != fingerprint {
				return outcome{}, family.Refuse(family.MessageReused)
			}
			replay := outcome{answered: Answered[A]{Replay: true}, refusal: first.Refusal}
			if first.Refusal == nil {
				err = json.Unmarshal(first.Answer, &replay.answered.Answer)
			}
			return replay, err
		}
		record := onceRecord{Fingerprint: fingerprint}
		answer, err := decide(t)
		if errors.As(err, &record.Refusal) && !record.Refusal.Code.Malformed() {
			err = nil
		}
		if err != nil {
			return outcome{}, err
		}
		if record.Refusal == nil {
			if record.Answer, err = json.Marshal(answer); err != nil {
				return outcome{}, err
			}
		}
		return outcome{Answered[A]{Answer: answer}, record.Refusal}, putUntil(t, key, record, now.Add(onceLife))
	})
	if err == nil && done.refusal != nil {
		err = done.refusal
	}
	return done.answered, err
}

// fingerprint returns a keyed hash of a request's content. Keyed, because the
// content may hold an ID number, which a bare hash would not hide.
func (a *App) fingerprint(op string, content any) (string, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	return a.vault.Index("message", op+"\n"+string(text)), nil
}
