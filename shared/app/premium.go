package app

import (
	"context"
	"slices"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// PremiumAsk is what a person wants paid from his account.
type PremiumAsk struct {
	// Binding is the one under which his account pays for the other side; empty: his own
	// premium.
	Binding family.BindingID
	Kind    family.PremiumKind
	Year    int
	Amount  family.Fen // what he was told that it is
}

// PremiumView is a premium as one person may see it.
type PremiumView struct {
	Premium family.Premium
	Masked  string // the name of him whose premium it is
}

// FeedPremium takes over what whoever collects a premium says that a person owes. A
// repeat changes nothing; what is paid does not change its amount.
func (a *App) FeedPremium(ctx context.Context, in family.Premium) (Fed, error) {
	if refusal := in.Check(); refusal != nil {
		return "", refusal
	}
	fresh, err := a.newID(a.now())
	if err != nil {
		return "", err
	}
	return act(ctx, a, func(t *tx) (Fed, error) {
		owedRef, accountRef := owedKey(in.Person, in.Year, in.Kind), accountKey(in.Person)
		if err := t.load([]keyed{owedRef}, []keyed{accountRef}); err != nil {
			return "", err
		}
		account, known, err := get(t, accountRef)
		if err != nil {
			return "", err
		}
		if !known {
			return "", &family.Refusal{Code: family.NotFound, Field: "person_no", Detail: "no such person"}
		}
		owed, found, err := get(t, owedRef)
		if err != nil {
			return "", err
		}
		if !found {
			in.ID = family.PremiumID(fresh)
			if err := put(t, owedRef, pointerRecord{To: fresh}); err != nil {
				return "", err
			}
			return FedCreated, add(t, premiumKey(in.ID), premiumRecord{Premium: in, Masked: account.Masked})
		}
		key := premiumKey(family.PremiumID(owed.To))
		if err := t.read(key); err != nil {
			return "", err
		}
		has, _, err := get(t, key)
		if err == nil && has.Lost {
			err = errLost
		}
		if err != nil {
			return "", err
		}
		was := has.Premium
		told, refusal := was.Owe(in)
		if refusal != nil {
			return "", refusal
		}
		if told.Amount == was.Amount && told.From == was.From && told.To == was.To && has.Masked == account.Masked {
			return FedUnchanged, nil
		}
		return FedUpdated, put(t, key, premiumRecord{Premium: told, Masked: account.Masked})
	})
}

// PayPremium pays a premium of a person's own, or of a relative to whom he has granted
// the use of his account for premiums, from that account. What he has paid he has paid:
// a repeat of the same gets the same answer, and what another has paid is not due.
func (a *App) PayPremium(ctx context.Context, by family.PersonNo, in PremiumAsk, o Once) (Answered[PremiumView], error) {
	if in.Binding != "" && !in.Binding.Valid() {
		return Answered[PremiumView]{}, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
	}
	now := a.now()
	repeat := false
	done, err := once(ctx, a, by, "premium", o, now, func(t *tx) (PremiumView, error) {
		repeat = false
		owner, err := t.owner(by, in.Binding)
		if err != nil {
			return PremiumView{}, err
		}
		owedRef := owedKey(owner, in.Year, in.Kind)
		if err := t.load([]keyed{accountKey(by), accountKey(owner)}, []keyed{owedRef}); err != nil {
			return PremiumView{}, err
		}
		owed, _, err := get(t, owedRef)
		if err == nil && owed.To == "" {
			err = &family.Refusal{Code: family.NotFound, Field: "kind", Detail: "no such premium is owed"}
		}
		if err != nil {
			return PremiumView{}, err
		}
		key := premiumKey(family.PremiumID(owed.To))
		if err := t.read(key); err != nil {
			return PremiumView{}, err
		}
		record, _, err := get(t, key)
		if err == nil && record.Lost {
			err = errLost
		}
		if err != nil {
			return PremiumView{}, err
		}
		if n := record.Premium.Standing(); n > 0 {
			if paid := record.Premium.Payments[n-1]; paid.Payer == by && in.Amount == record.Premium.Amount {
				repeat = true
				return record.view(), nil
			}
		}
		payer, _, err := get(t, accountKey(by))
		if err != nil {
			return PremiumView{}, err
		}
		whose, known, err := get(t, accountKey(owner))
		if err != nil {
			return PremiumView{}, err
		}
		if !known {
			return PremiumView{}, family.Refuse(family.PersonNotInsured)
		}
		premium, account, entry, refusal := family.PayPremium(family.PremiumCase{
			Now: now, Premium: record.Premium, Owner: whose.Account, Amount: in.Amount,
			Payer: a.payer(family.Grantor{Person: by, Binding: in.Binding}, payer.Account, now),
		})
		if refusal != nil {
			return PremiumView{}, refusal
		}
		record.Premium = premium
		return record.view(), t.putPremium(record, payer, account, entry)
	})
	done.Replay = done.Replay || err == nil && repeat
	return done, err
}

// owner returns whose premium a person asks to pay: his own, or that of the member of a
// binding that he holds.
func (t *tx) owner(by family.PersonNo, id family.BindingID) (family.PersonNo, error) {
	if id == "" {
		return by, nil
	}
	if err := t.read(bindingKey(id)); err != nil {
		return "", err
	}
	bound, found, err := get(t, bindingKey(id))
	if err != nil {
		return "", err
	}
	if !found || bound.Binding.Holder != by {
		return "", &family.Refusal{Code: family.NotFound, Field: "binding_id"}
	}
	return bound.Binding.Member, nil
}

// putPremium writes what became of a premium and of the account that paid it.
func (t *tx) putPremium(record premiumRecord, payer accountRecord, account family.Account, entry family.Entry) error {
	payer.Account = account
	if err := put(t, premiumKey(record.Premium.ID), record); err != nil {
		return err
	}
	if err := put(t, accountKey(account.Person), payer); err != nil {
		return err
	}
	return add(t, entryKey(account.Person, entry.Seq), entry)
}

// RefundPremium gives what was paid of a premium back to the account that it came from.
func (a *App) RefundPremium(ctx context.Context, by family.Reviewer, id family.PremiumID) (PremiumView, error) {
	if !family.BindingID(id).Valid() { // the same shape
		return PremiumView{}, family.Refuse(family.NotFound)
	}
	now := a.now()
	line, err := a.newAct(by, now, ActPremiumBack)
	if err != nil {
		return PremiumView{}, err
	}
	return act(ctx, a, func(t *tx) (PremiumView, error) {
		if err := t.read(premiumKey(id)); err != nil {
			return PremiumView{}, err
		}
		record, found, err := get(t, premiumKey(id))
		if err == nil && !found {
			err = family.Refuse(family.NotFound)
		}
		if err == nil && record.Lost {
			err = errLost
		}
		if err != nil {
			return PremiumView{}, err
		}
		payer := accountRecord{}
		if n := record.Premium.Standing(); n > 0 {
			key := accountKey(record.Premium.Payments[n-1].Payer)
			if err := t.read(key); err != nil {
				return PremiumView{}, err
			}
			if payer, _, err = get(t, key); err != nil {
				return PremiumView{}, err
			}
		}
		premium, account, entry, refusal := family.RefundPremium(record.Premium, payer.Account, now)
		if refusal != nil {
			return PremiumView{}, refusal
		}
		record.Premium = premium
		line := line
		line.Person, line.Ref = premium.Person, string(id)
		if err := t.trace(line); err != nil {
			return PremiumView{}, err
		}
		return record.view(), t.putPremium(record, payer, account, entry)
	})
}

// Premiums lists what a person owes, or the member of a binding that he holds and by
// which he may pay, the newest year first. Both sides see what the other has paid.
func (a *App) Premiums(ctx context.Context, by family.PersonNo, id family.BindingID) ([]PremiumView, error) {
	if id != "" && !id.Valid() {
		return nil, &family.Refusal{Code: family.NotFound, Field: "binding_id"}
	}
	owner := by
	if id != "" {
		var err error
		if owner, err = act(ctx, a, func(t *tx) (family.PersonNo, error) { return t.payable(by, id) }); err != nil {
			return nil, err
		}
	}
	rows, err := a.list(ctx, store.Range{Part: owedPart(owner), Descending: true, Limit: 20})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	owed, err := decodeAll[pointerRecord](rows)
	if err != nil {
		return nil, err
	}
	refs := make([]ref[premiumRecord], len(owed))
	for i, o := range owed {
		refs[i] = premiumKey(family.PremiumID(o.To))
	}
	records, err := many(ctx, a, refs...)
	if err != nil {
		return nil, err
	}
	var views []PremiumView
	for _, r := range records {
		if r != nil && !r.Lost {
			views = append(views, r.view())
		}
	}
	return views, nil
}

// payable returns the member of a person's binding under which he pays, where it is one.
func (t *tx) payable(by family.PersonNo, id family.BindingID) (family.PersonNo, error) {
	owner, err := t.owner(by, id)
	if err != nil {
		return "", err
	}
	bound, _, err := get(t, bindingKey(id))
	if err == nil && (bound.Binding.State != family.BindingActive || bound.Binding.Pay == nil || !slices.Contains(bound.Binding.Pay.Purposes, family.ForPremium)) {
		err = &family.Refusal{Code: family.StateForbids, Field: "binding_id", Observed: bound.Binding.Standing()}
	}
	return owner, err
}

// provePremium proves a premium and wants the entries of its payments.
func (a *App) provePremium(ctx context.Context, record premiumRecord, proof *Proof) error {
	if record.Lost { // a repair has written that down
		return nil
	}
	p := record.Premium
	proof.Faults = append(proof.Faults, family.ProvePremium(p)...)
	owed, damaged, err := look(ctx, a, owedKey(p.Person, p.Year, p.Kind))
	if err != nil {
		return err
	}
	if !damaged[0] && (owed[0] == nil || owed[0].To != string(p.ID)) {
		proof.found(p.Person, 0, string(p.ID), "the premium is not listed")
	}
	for i, paid := range p.Payments {
		seqs := []uint64{paid.Seq}
		if paid.BackSeq > 0 {
			seqs = append(seqs, paid.BackSeq)
		}
		for _, seq := range seqs {
			entries, _, err := look(ctx, a, entryKey(paid.Payer, seq))
			if err != nil {
				return err
			}
			if e := entries[0]; e == nil || !p.Entered(*e) {
				proof.found(paid.Payer, seq, p.Ref(i+1), "the premium has no entry, or another")
				proof.suspects.person(paid.Payer)[seq] = claim{premium: p.ID}
			}
		}
	}
	return nil
}

// provePremiums wants the premiums that entries name to know of them.
func (a *App) provePremiums(ctx context.Context, p family.PersonNo, entries []family.Entry, proof *Proof) error {
	for some := range slices.Chunk(entries, store.MaxWrites) {
		refs := make([]ref[premiumRecord], len(some))
		for i, e := range some {
			id, _, _ := family.ParsePremiumRef(e.Ref)
			refs[i] = premiumKey(id)
		}
		records, _, err := look(ctx, a, refs...)
		if err != nil {
			return err
		}
		for i, e := range some {
			switch {
			case records[i] == nil:
				proof.found(p, e.Seq, e.Ref, "the entry's premium is not there, or damaged")
				proof.suspects.record(refs[i].storeKey())
			case !records[i].Lost && !records[i].Premium.Entered(e):
				proof.found(p, e.Seq, e.Ref, "the entry's premium does not know of it")
			}
		}
	}
	return nil
}

// premiumEntry returns the entry that a premium's payment made at a number, after
// another entry; nil where it made none.
func premiumEntry(p *family.Premium, payer family.PersonNo, seq uint64, before family.Entry) *family.Entry {
	for i, paid := range p.Payments {
		e := family.Entry{Account: payer, Seq: seq, Ref: p.Ref(i + 1), Grant: paid.Binding, Month: paid.Month}
		var at time.Time
		switch {
		case paid.Payer != payer:
			continue
		case paid.Seq == seq:
			e.Kind, at, e.Delta = family.PremiumPaid, paid.At, family.Pockets{}.Minus(paid.Paid)
		case paid.BackSeq == seq:
			e.Kind, at, e.Delta = family.PremiumBack, paid.BackAt, paid.Paid
		default:
			continue
		}
		e.At, e.After = at, before.After.Plus(e.Delta)
		if before.Seq > 0 {
			e.Prev = before.Hash()
		}
		return &e
	}
	return nil
}
