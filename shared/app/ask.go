package app

import (
	"context"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// MessageView is what became of an institution's message.
type MessageView struct {
	Message family.MessageID
	// Refusal is the answer of a message that was refused.
	Refusal *family.Refusal
	// Settled is the answer of a message that moved money.
	Settled *Outcome
	// Waits is what a settlement waits for that was not decided yet.
	Waits *family.Confirmation
	// Confirmed tells that all who were asked have approved.
	Confirmed bool
	// Fenced tells that the message was never seen, and cannot land any more.
	Fenced bool
}

// FindMessage tells an institution what became of its message. A message that was
// never seen is fenced: whoever asks is about to charge the patient otherwise, and
// a late original must not charge him again.
func (a *App) FindMessage(ctx context.Context, place family.InstitutionCode, id family.MessageID) (MessageView, error) {
	if id.Institution() != place {
		return MessageView{}, family.Refuse(family.NotFound)
	}
	tallyOf(ctx).about(id)
	now := a.now()
	return act(ctx, a, func(t *tx) (MessageView, error) {
		messageRef := messageKey(id)
		if err := t.read(messageRef); err != nil {
			return MessageView{}, err
		}
		record, found, err := get(t, messageRef)
		if err != nil {
			return MessageView{}, err
		}
		if !found {
			return MessageView{Message: id, Fenced: true}, put(t, messageRef, messageRecord{State: messageFenced, At: now})
		}
		if record.State == messageLost {
			return MessageView{}, errLost
		}
		if record.State == messageWaits {
			switch refusal := record.Confirmation.Answer(now); {
			case refusal == nil:
				return MessageView{Message: id, Waits: record.Confirmation, Confirmed: true}, nil
			case refusal.Code == family.ConfirmationNeeded:
				return MessageView{Message: id, Waits: record.Confirmation, Refusal: refusal}, nil
			default:
				// What was told is written down: another's clock may be behind.
				record.State, record.Refusal = messageRefused, refusal
				return MessageView{Message: id, Refusal: refusal}, put(t, messageRef, record)
			}
		}
		view := MessageView{Message: id, Refusal: record.Refusal, Fenced: record.State == messageFenced}
		if record.Settlement != nil {
			settled := record.outcome()
			view.Settled = &settled
		}
		return view, nil
	})
}

// PlaceSettlement returns a settlement to the institution that made it.
func (a *App) PlaceSettlement(ctx context.Context, place family.InstitutionCode, id family.MessageID) (Outcome, error) {
	if id.Institution() != place {
		return Outcome{}, family.Refuse(family.NotFound)
	}
	return a.settlement(ctx, id)
}

func (a *App) settlement(ctx context.Context, id family.MessageID) (Outcome, error) {
	record, found, err := one(ctx, a, messageKey(id))
	if err == nil && (!found || record.Settlement == nil) {
		err = family.Refuse(family.NotFound)
	}
	if err != nil {
		return Outcome{}, err
	}
	return record.outcome(), nil
}

// Totals sums settlements; what was given back counts negative.
type Totals struct {
	Settlements, GivenBack                       int
	Total, FundPaid, OwnPaid, SharedPaid, CashIn family.Fen
	// Complete is false when the day has more messages than are summed.
	Complete bool
}

// maxDay bounds how many messages of one day are summed in one answer.
const maxDay = 20_000

// Day returns one page of an institution's settlements of a day, reversals and
// refunds among them, and the totals of the whole day. A settlement is filed
// under the day on which its message was sent.
func (a *App) Day(ctx context.Context, place family.InstitutionCode, day family.Day, after string, limit int) (Page[Outcome], Totals, error) {
	var page Page[Outcome]
	totals := Totals{Complete: true}
	r := store.Range{Part: dayPart(place, day), Prefix: messagePrefix, Limit: store.MaxList}
	for seen := 0; ; {
		records, err := a.list(ctx, r)
		if err != nil {
			return page, totals, err
		}
		messages, err := decodeAll[messageRecord](records)
		if err != nil {
			return page, totals, err
		}
		for i, m := range messages {
			if m.Settlement == nil {
				continue
			}
			totals.add(m.Settlement)
			id := strings.TrimPrefix(records[i].Key.Sort, messagePrefix)
			switch {
			case id <= after:
			case len(page.Items) < limit:
				page.Items = append(page.Items, m.outcome())
			case page.Next == "":
				page.Next = string(page.Items[limit-1].Settlement.ID)
			}
		}
		if len(records) < r.Limit {
			return page, totals, nil
		}
		if seen += len(records); seen >= maxDay {
			totals.Complete = false
			return page, totals, nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}

func (t *Totals) add(s *family.Settlement) {
	if s.Kind == family.Settled {
		t.Settlements++
	} else {
		t.GivenBack++
	}
	t.Total += s.Paid.Total
	t.FundPaid += s.Paid.FundPaid
	t.OwnPaid += s.Paid.OwnPaid
	t.SharedPaid += s.Paid.SharedPaid
	t.CashIn += s.Paid.CashDue
}
