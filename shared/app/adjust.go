package app

import (
	"context"
	"regexp"
	"strconv"
	"sync"

	"gongji/shared/family"
	"gongji/shared/store"
)

// ProposeAdjustment takes over a proposal to put an account right; nothing moves
// before another person approves it. A repeat changes nothing, and the same reference
// with other content is refused.
func (a *App) ProposeAdjustment(ctx context.Context, by family.Reviewer, in family.Adjustment) (Answered[family.Adjustment], error) {
	var none Answered[family.Adjustment]
	switch {
	case !isReference(in.Reference):
		return none, &family.Refusal{Code: family.Malformed, Field: "reference", Detail: "a reference has 1 to 64 letters, digits, dots, hyphens and low lines"}
	case in.Amount == family.Pockets{} || max(in.Amount.Current, -in.Amount.Current, in.Amount.Past, -in.Amount.Past) > family.MaxFen:
		return none, &family.Refusal{Code: family.Malformed, Field: "amount_fen", Detail: "an adjustment is not 0 and at most " + strconv.Itoa(int(family.MaxFen)) + " either way"}
	case !in.Reason.Valid():
		return none, &family.Refusal{Code: family.Malformed, Field: "reason", Detail: "no reason of the list"}
	}
	now := a.now()
	return act(ctx, a, func(t *tx) (Answered[family.Adjustment], error) {
		r := adjustmentKey(in.Reference)
		if err := t.load([]keyed{r}, []keyed{creditKey(in.Reference), accountKey(in.Person)}); err != nil {
			return none, err
		}
		has, found, err := get(t, r)
		if err != nil {
			return none, err
		}
		proposed, err := in.Propose(by, now)
		switch {
		case err != nil:
			return none, err
		case found && !has.Same(in), !found && t.version(creditKey(in.Reference)) != 0:
			return none, &family.Refusal{Code: family.MessageReused, Field: "reference"}
		case found:
			return Answered[family.Adjustment]{Answer: has, Replay: true}, nil
		case t.version(accountKey(in.Person)) == 0:
			return none, &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		}
		return Answered[family.Adjustment]{Answer: proposed}, put(t, r, proposed)
	})
}

var referenceForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)
})

// isReference tells whether a text can name an adjustment: it stands in a path.
func isReference(s string) bool { return referenceForm().MatchString(s) }

// AdjustmentCursor tells whether a text is a cursor of the list of adjustments.
func AdjustmentCursor(s string) bool { return isReference(s) }

// ApproveAdjustment books an adjustment that another person proposed, with its entry
// in the account's chain. A repeat of the same person's changes nothing.
func (a *App) ApproveAdjustment(ctx context.Context, by family.Reviewer, reference string) (family.Adjustment, error) {
	now := a.now()
	return a.decideAdjustment(ctx, by, reference, family.AdjustmentBooked, func(t *tx, j family.Adjustment) (family.Adjustment, error) {
		creditRef, accountRef := creditKey(reference), accountKey(j.Person)
		if err := t.read(creditRef, accountRef); err != nil {
			return j, err
		}
		account, known, err := get(t, accountRef)
		if err != nil {
			return j, err
		}
		if !known {
			return j, &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		}
		booked, next, entry, err := j.Approve(account.Account, by, now)
		if err != nil {
			return j, err
		}
		if t.version(creditRef) != 0 {
			return j, &family.Refusal{Code: family.MessageReused, Field: "reference"}
		}
		if err := put(t, creditRef, creditRecord{Person: j.Person, Amount: j.Amount, At: entry.At, Seq: entry.Seq, Reason: entry.Reason}); err != nil {
			return j, err
		}
		account.Account = next
		if err := put(t, accountRef, account); err != nil {
			return j, err
		}
		return booked, add(t, entryKey(j.Person, entry.Seq), entry)
	})
}

// RejectAdjustment ends a proposal, which its proposer may take back. A repeat of the
// same person's changes nothing.
func (a *App) RejectAdjustment(ctx context.Context, by family.Reviewer, reference string) (family.Adjustment, error) {
	now := a.now()
	return a.decideAdjustment(ctx, by, reference, family.AdjustmentRejected, func(_ *tx, j family.Adjustment) (family.Adjustment, error) {
		return j.Reject(by, now)
	})
}

// decideAdjustment carries out a decision on an adjustment.
func (a *App) decideAdjustment(ctx context.Context, by family.Reviewer, reference string, to family.AdjustmentState, decide func(*tx, family.Adjustment) (family.Adjustment, error)) (family.Adjustment, error) {
	if !isReference(reference) {
		return family.Adjustment{}, family.Refuse(family.NotFound)
	}
	return act(ctx, a, func(t *tx) (family.Adjustment, error) {
		r := adjustmentKey(reference)
		if err := t.read(r); err != nil {
			return family.Adjustment{}, err
		}
		j, found, err := get(t, r)
		switch {
		case err != nil:
			return j, err
		case !found:
			return j, family.Refuse(family.NotFound)
		case j.State == to && j.DecidedBy == by.Subject:
			return j, nil
		}
		if j, err = decide(t, j); err != nil {
			return j, err
		}
		return j, put(t, r, j)
	})
}

// AdjustmentOf returns an adjustment.
func (a *App) AdjustmentOf(ctx context.Context, reference string) (family.Adjustment, error) {
	if !isReference(reference) {
		return family.Adjustment{}, family.Refuse(family.NotFound)
	}
	j, found, err := one(ctx, a, adjustmentKey(reference))
	if err == nil && !found {
		err = family.Refuse(family.NotFound)
	}
	return j, err
}

// maxAdjustments bounds how many adjustments one page looks through.
const maxAdjustments = store.MaxList

// Adjustments lists the adjustments in a state, all where it is empty, by their
// references, after one.
func (a *App) Adjustments(ctx context.Context, state family.AdjustmentState, after string, limit int) (Page[family.Adjustment], error) {
	var page Page[family.Adjustment]
	records, err := a.list(ctx, store.Range{Part: adjustmentsPart, After: after, Limit: maxAdjustments})
	if err != nil {
		return page, err
	}
	all, err := decodeAll[family.Adjustment](records)
	for i, j := range all {
		if state != "" && j.State != state {
			continue
		}
		if len(page.Items) == limit {
			page.Next = all[i-1].Reference
			return page, nil
		}
		page.Items = append(page.Items, j)
	}
	if len(all) == maxAdjustments {
		page.Next = all[len(all)-1].Reference
	}
	return page, err
}
