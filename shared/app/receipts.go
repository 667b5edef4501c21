package app

import (
	"context"
	"strconv"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// Self is a person as he sees himself.
type Self struct {
	Account      family.Account
	NameMasked   string
	IDNoMasked   string
	PolicyID     string
	PolicyZH     string // the name of the place whose rules they are
	PolicyEN     string
	OrderOfUsing family.Order
}

// Me returns a person to himself.
func (a *App) Me(ctx context.Context, by family.PersonNo) (Self, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (Self, error) {
		if err := t.refer(personKey(by), accountKey(by)); err != nil {
			return Self{}, err
		}
		person, known, err := get(t, personKey(by))
		if err != nil {
			return Self{}, err
		}
		if !known {
			return Self{}, family.Refuse(family.NotFound)
		}
		account, _, err := get(t, accountKey(by))
		if err != nil {
			return Self{}, err
		}
		idNo, err := a.unseal(by, person, "id_no")
		if err != nil {
			return Self{}, err
		}
		policy := a.policyOf(account.Account, now)
		return Self{Account: account.Account, NameMasked: account.Masked, IDNoMasked: vault.MaskID(idNo), PolicyID: policy.ID(), PolicyZH: policy.NameZH, PolicyEN: policy.NameEN, OrderOfUsing: policy.Grants.Order}, nil
	})
}

// Account returns a person's own account.
func (a *App) Account(ctx context.Context, by family.PersonNo) (family.Account, error) {
	record, found, err := one(ctx, a, accountKey(by))
	if err == nil && !found {
		err = family.Refuse(family.NotFound)
	}
	return record.Account, err
}

// Entries lists the history of a person's own account, newest first, after an
// entry's number.
func (a *App) Entries(ctx context.Context, by family.PersonNo, after string, limit int) (Page[family.Entry], error) {
	entries, err := a.entriesBefore(ctx, by, after, limit+1)
	if err != nil {
		return Page[family.Entry]{}, err
	}
	page := Page[family.Entry]{Items: entries}
	if len(entries) > limit {
		page.Items = entries[:limit]
		page.Next = strconv.FormatUint(entries[limit-1].Seq, 10)
	}
	return page, nil
}

func (a *App) entriesBefore(ctx context.Context, by family.PersonNo, after string, limit int) ([]family.Entry, error) {
	seq, refusal := seqCursor(after)
	if refusal != nil {
		return nil, refusal
	}
	r := store.Range{Part: accountKey(by).Part, Prefix: entryPrefix, Limit: limit, Descending: true}
	if seq > 0 {
		r.After = entryKey(by, seq).Sort
	}
	records, err := a.list(ctx, r)
	if err != nil {
		return nil, err
	}
	return decodeAll[family.Entry](records)
}

// Role is how a person took part in a settlement.
type Role string

// The roles of a person in a settlement.
const (
	AsPatient   Role = "patient"
	AsPayer     Role = "payer"
	AsPresenter Role = "presenter"
)

// Receipt is a settlement as one person may see it.
type Receipt struct {
	Outcome
	Role  Role
	Place family.Place
	// Lines tells whether the reader may see what was bought.
	Lines bool
}

// maxScan bounds how many entries one page of receipts looks through.
const maxScan = 1000

// Receipts lists the settlements, reversals and refunds in which a person was the
// patient or a payer, newest first, after an entry's number.
func (a *App) Receipts(ctx context.Context, by family.PersonNo, role Role, after string, limit int) (Page[Receipt], error) {
	var page Page[Receipt]
	entries, err := a.entriesBefore(ctx, by, after, maxScan)
	if err != nil {
		return page, err
	}
	var chosen []family.Entry
	for _, e := range entries {
		if !e.OfBill() || role == AsPatient && !e.Patient || role == AsPayer && e.Patient {
			continue
		}
		if len(chosen) == limit {
			page.Next = strconv.FormatUint(chosen[limit-1].Seq, 10)
			break
		}
		chosen = append(chosen, e)
	}
	if page.Next == "" && len(entries) == maxScan {
		page.Next = strconv.FormatUint(entries[maxScan-1].Seq, 10)
	}
	refs := make([]ref[messageRecord], len(chosen))
	for i, e := range chosen {
		refs[i] = messageKey(family.MessageID(e.Ref))
	}
	records, err := many(ctx, a, refs...)
	if err != nil {
		return page, err
	}
	for _, record := range records {
		if record == nil || record.Settlement == nil {
			continue // the proof of the day reports it
		}
		receipt, err := a.receipt(ctx, by, record.outcome())
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, receipt)
	}
	return page, nil
}

// Receipt returns a settlement to the patient, to one who paid, or to the one who
// showed the code. To everybody else it looks like a missing one.
func (a *App) Receipt(ctx context.Context, by family.PersonNo, id family.MessageID) (Receipt, error) {
	outcome, err := a.settlement(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	return a.receipt(ctx, by, outcome)
}

func (a *App) receipt(ctx context.Context, by family.PersonNo, outcome Outcome) (Receipt, error) {
	s := outcome.Settlement
	receipt := Receipt{Outcome: outcome}
	var under family.BindingID
	for _, share := range s.Shares {
		if share.Grantor != by {
			continue
		}
		under = share.Binding
		if share.Paid != (family.Pockets{}) { // whose turn never came is no payer
			receipt.Role = AsPayer
		}
	}
	switch {
	case s.Patient == by:
		receipt.Role, receipt.Lines = AsPatient, true
	case receipt.Role == "" && s.Presenter == by:
		receipt.Role = AsPresenter
	case receipt.Role == "":
		return Receipt{}, family.Refuse(family.NotFound)
	}
	place, _, err := one(ctx, a, placeKey(s.Place))
	if err != nil {
		return Receipt{}, err
	}
	receipt.Place = place
	if under != "" && !receipt.Lines {
		// A guardian acts for the child, so he sees what the child may see. Anyone
		// else sees what was bought only when the patient allows it.
		bound, _, err := one(ctx, a, bindingKey(under))
		if err != nil {
			return Receipt{}, err
		}
		receipt.Lines = bound.Binding.Guardian && bound.Binding.Live() && bound.Binding.Holder == by
	}
	return receipt, nil
}
