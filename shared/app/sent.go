package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gongji/shared/family"
)

// Sent is how a message came through a door that signs its requests and whose
// messages do not hold all that they settle. The zero Sent is a message that is
// known by its content.
type Sent struct {
	// Form is the request as it came, which tells a repeat from a reuse in place of
	// the content: the lines of a visit may have changed since.
	Form string
	// Note is what the door wants to find again with the settlement.
	Note string
	// Signature is what the request was signed with; empty without one. It serves
	// one Form: what was overheard signs nothing else.
	Signature string
	// SignedTogether tells that it may serve other messages too, because one moment
	// makes one signature, as long as the first has not been served long ago.
	SignedTogether bool
	// SignedUntil is when the signature is void by its own time.
	SignedUntil time.Time
}

func (a *App) signatureRef(sent Sent) ref[signatureRecord] {
	return signatureKey(a.vault.Index("signature", sent.Signature))
}

// signed returns what has to be read before a signature serves.
func (a *App) signed(sent Sent) []keyed {
	if sent.Signature == "" {
		return nil
	}
	return []keyed{a.signatureRef(sent)}
}

// Messages that are signed in one moment: how long after the first the others are
// taken, and how many there are.
const (
	sameMoment  = 10 * time.Second
	maxTogether = 16
)

// mayServe refuses a signature that has served another request, unless both can have
// been signed in the same moment.
func (a *App) mayServe(t *tx, sent Sent, fingerprint string, now time.Time) error {
	if sent.Signature == "" {
		return nil
	}
	served, found, err := get(t, a.signatureRef(sent))
	if err != nil || !found || served.has(fingerprint) || sent.SignedTogether && now.Sub(served.At) <= sameMoment && len(served.More)+1 < maxTogether {
		return err
	}
	return &family.Refusal{Code: family.Unauthenticated, Detail: "the signature has served another request"}
}

// has tells whether the signature served a request.
func (s signatureRecord) has(fingerprint string) bool {
	return s.Fingerprint == fingerprint || slices.Contains(s.More, fingerprint)
}

// serve writes down what a signature served, in the commit of what it served.
func (a *App) serve(t *tx, sent Sent, fingerprint string, now time.Time) error {
	if sent.Signature == "" {
		return nil
	}
	served, found, err := get(t, a.signatureRef(sent))
	switch {
	case err != nil:
		return err
	case !found:
		served.Fingerprint, served.At = fingerprint, now
	case !served.has(fingerprint):
		served.More = append(slices.Clone(served.More), fingerprint)
	}
	return putUntil(t, a.signatureRef(sent), served, sent.SignedUntil.Add(time.Minute))
}

// stepLife is how long the first answer to a step is kept. Institutions send again
// within minutes, and correct a day's batch on the next.
const stepLife = 7 * 24 * time.Hour

// fencedStep stands in place of the fingerprint of a step that must not come any
// more: no fingerprint is so short.
const fencedStep = "fenced"

// step carries out one message of an institution that moves no money: the same
// message gets its first answer again, with other content it is refused. Refusals
// are not final: a step out of order may be sent again in its place.
func step[A any](ctx context.Context, a *App, place family.InstitutionCode, credential string, id family.MessageID, op string, sent Sent, decide func(*tx, time.Time) (A, error)) (A, error) {
	var none A
	fingerprint, err := a.fingerprint(op, sent.Form)
	if err != nil {
		return none, err
	}
	now := a.now()
	key := stepKey(id, op)
	return looked(ctx, a, place, credential, now, func(t *tx) (A, error) {
		if err := t.read(append(a.signed(sent), key)...); err != nil {
			return none, err
		}
		if err := a.mayServe(t, sent, fingerprint, now); err != nil {
			return none, err
		}
		first, found, err := get(t, key)
		switch {
		case err != nil:
			return none, err
		case found && first.Fingerprint == fencedStep:
			return none, family.Refuse(family.MessageFenced)
		case found && first.Fingerprint != fingerprint:
			return none, family.Refuse(family.MessageReused)
		case found:
			var answer A
			return answer, json.Unmarshal(first.Answer, &answer)
		}
		answer, err := decide(t, now)
		if err != nil {
			return none, err
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return none, err
		}
		if err := a.serve(t, sent, fingerprint, now); err != nil {
			return none, err
		}
		return answer, putUntil(t, key, stepRecord{Fingerprint: fingerprint, Answer: text}, now.Add(stepLife))
	})
}
