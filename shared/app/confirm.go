package app

import (
	"context"
	"strings"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// confirmKeep is how long a grantor finds in his list what he was asked, after its
// time; the settlement itself stands in his history.
const confirmKeep = 24 * time.Hour

// ConfirmationState is what became of what a grantor was asked.
type ConfirmationState string

// What became of it.
const (
	ConfirmationWaits     ConfirmationState = "waiting"  // for his word
	ConfirmationApproved  ConfirmationState = "approved" // by him; the till goes on, or others are asked too
	ConfirmationSettled   ConfirmationState = "settled"
	ConfirmationDeclined  ConfirmationState = "declined" // by him or by another who was asked
	ConfirmationLapsed    ConfirmationState = "lapsed"
	ConfirmationWithdrawn ConfirmationState = "withdrawn" // by the till, or refused for something else
)

// ConfirmationView is what a grantor is asked, as he sees it.
type ConfirmationView struct {
	Message       family.MessageID
	At, Until     time.Time
	Asked         family.Question // himself
	State         ConfirmationState
	Place         family.Place
	PatientMasked string
}

// wait writes down what a settlement has to wait for, holds its code, and puts it
// on the list of each grantor who is asked.
func (a *App) wait(t *tx, id family.MessageID, c gathered, effects family.Effects, names map[family.PersonNo]string, refusal *family.Refusal) (messageRecord, error) {
	if effects.Token != nil {
		end := later(effects.Confirmation.Until, later(effects.Token.Expires, effects.Token.DecodedUntil))
		if err := a.putToken(t, c, *effects.Token, end); err != nil {
			return messageRecord{}, err
		}
	}
	for _, asked := range effects.Confirmation.Asked {
		key := confirmationKey(asked.Grantor, effects.Confirmation.At, id)
		if err := addUntil(t, key, pointerRecord{To: string(id)}, effects.Confirmation.Until.Add(confirmKeep)); err != nil {
			return messageRecord{}, err
		}
	}
	return messageRecord{State: messageWaits, Refusal: refusal, Confirmation: effects.Confirmation, Names: names}, nil
}

// resume completes the case of a settlement that has waited: what was said, and the
// link under which its code was shown, as it stands now.
func (a *App) resume(t *tx, c *gathered, waited *family.Confirmation) error {
	if waited == nil {
		return nil
	}
	c.Confirmation = waited
	if c.Token == nil || c.Token.Binding == "" {
		return nil
	}
	if err := t.read(bindingKey(c.Token.Binding)); err != nil {
		return err
	}
	bound, _, err := get(t, bindingKey(c.Token.Binding))
	c.Link = &bound.Binding
	return err
}

// Confirm is a grantor's word to a settlement that waits for it. It moves nothing:
// an approval lets the till's message pass when it comes again, a "no" decides it.
// A repeat changes nothing.
func (a *App) Confirm(ctx context.Context, by family.PersonNo, id family.MessageID, what family.Consent) (ConfirmationView, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (ConfirmationView, error) {
		ref, placeRef := messageKey(id), placeKey(id.Institution())
		if err := t.load([]keyed{ref}, []keyed{placeRef}); err != nil {
			return ConfirmationView{}, err
		}
		record, found, err := get(t, ref)
		if err != nil {
			return ConfirmationView{}, err
		}
		place, _, err := get(t, placeRef)
		if err != nil {
			return ConfirmationView{}, err
		}
		if !found || record.Confirmation == nil {
			return ConfirmationView{}, family.Refuse(family.NotFound)
		}
		asked, found := record.Confirmation.Of(by)
		switch {
		case !found:
			return ConfirmationView{}, family.Refuse(family.NotFound) // another's looks like a missing one
		case asked.Said == what:
			return confirmationView(by, id, record, place, now), nil
		case record.State != messageWaits:
			state := stateOfConfirmation(record, asked, now)
			return ConfirmationView{}, &family.Refusal{Code: family.StateForbids, Field: "state", Observed: string(state)}
		}
		said, refusal := record.Confirmation.Say(by, what, now)
		if refusal != nil {
			return ConfirmationView{}, refusal
		}
		record.Confirmation = &said
		if refusal := said.Answer(now); refusal != nil && refusal.Code == family.ConfirmationDeclined {
			record.State, record.Refusal = messageRefused, refusal
		}
		return confirmationView(by, id, record, place, now), put(t, ref, record)
	})
}

// Confirmations lists what a grantor was asked of late, newest first, after a
// cursor.
func (a *App) Confirmations(ctx context.Context, by family.PersonNo, after string, limit int) (Page[ConfirmationView], error) {
	var page Page[ConfirmationView]
	r := store.Range{Part: confirmationPart(by), Prefix: confirmationPrefix, Limit: limit + 1, Descending: true}
	if after != "" {
		if !confirmationCursor().MatchString(after) {
			return page, &family.Refusal{Code: family.Malformed, Field: "after", Detail: "not a cursor of this list"}
		}
		r.After = confirmationPrefix + after
	}
	rows, err := a.list(ctx, r)
	if err != nil {
		return page, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = strings.TrimPrefix(rows[limit-1].Key.Sort, confirmationPrefix)
	}
	pointers, err := decodeAll[pointerRecord](rows)
	if err != nil {
		return page, err
	}
	refs := make([]ref[messageRecord], len(pointers))
	for i, p := range pointers {
		refs[i] = messageKey(family.MessageID(p.To))
	}
	records, err := many(ctx, a, refs...)
	if err != nil {
		return page, err
	}
	where := make([]ref[family.Place], len(pointers))
	for i, p := range pointers {
		where[i] = placeKey(family.MessageID(p.To).Institution())
	}
	places, err := many(ctx, a, where...)
	if err != nil {
		return page, err
	}
	now := a.now()
	for i, record := range records { // written by one commit with their pointers, and never removed
		page.Items = append(page.Items, confirmationView(by, family.MessageID(pointers[i].To), *record, *places[i], now))
	}
	return page, nil
}

func confirmationView(by family.PersonNo, id family.MessageID, record messageRecord, place family.Place, now time.Time) ConfirmationView {
	c := record.Confirmation
	asked, _ := c.Of(by)
	return ConfirmationView{
		Message: id, At: c.At, Until: c.Until, Asked: asked, State: stateOfConfirmation(record, asked, now),
		Place: place, PatientMasked: record.Names[c.Patient],
	}
}

func stateOfConfirmation(record messageRecord, asked family.Question, now time.Time) ConfirmationState {
	switch {
	case record.State == messageSettled:
		return ConfirmationSettled
	case record.State == messageWaits && !now.Before(record.Confirmation.Until), record.Refusal != nil && record.Refusal.Code == family.ConfirmationLapsed:
		return ConfirmationLapsed
	case record.State == messageWaits && asked.Said == family.ConsentGiven:
		return ConfirmationApproved
	case record.State == messageWaits:
		return ConfirmationWaits
	case record.Refusal != nil && record.Refusal.Code == family.ConfirmationDeclined:
		return ConfirmationDeclined
	}
	return ConfirmationWithdrawn
}
