package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// What a patient bought of an item with a limit by period follows from his sales: each
// says which of its items it counted, and what was left of them after refunds.

// proveBought wants what a sale counted to be among the patient's purchases.
func (a *App) proveBought(ctx context.Context, m messageRecord, proof *Proof) error {
	s := m.Settlement
	if s.Told == nil {
		return nil
	}
	for _, code := range s.Told.Counted {
		bought, counts := s.Bought(code)
		if !counts {
			continue
		}
		records, damaged, err := look(ctx, a, boughtKey(s.Patient, code))
		if err != nil {
			return err
		}
		if !damaged[0] && a.counted(records[0], bought) {
			continue
		}
		// What came back since the sale was read was counted with it.
		now, found, err := one(ctx, a, messageKey(s.ID))
		if err != nil {
			return err
		}
		if found && now.Settlement != nil && !slices.Equal(now.Settlement.Kept, s.Kept) {
			return nil
		}
		proof.found(s.Patient, 0, string(s.ID), "what was bought of an item with a limit is not counted as the sale has it")
		proof.suspects.buys(store.Key(boughtKey(s.Patient, code)))
	}
	return nil
}

// counted tells whether purchases have one as it is, or may lack it.
func (a *App) counted(has *boughtRecord, bought family.Purchase) bool {
	var purchases []family.Purchase
	if has != nil {
		purchases = has.Purchases
	}
	i := slices.IndexFunc(purchases, func(p family.Purchase) bool { return p.Ref == bought.Ref })
	if i < 0 {
		return family.MayLack(purchases, bought, family.DayOf(a.now()))
	}
	return purchases[i] == bought
}

// boughtOf returns whose purchases of what a record holds.
func boughtOf(k store.Key) (p family.PersonNo, code string) {
	return family.PersonNo(strings.TrimPrefix(k.Part, boughtPrefix)), k.Sort
}

// provePurchases wants a sale for each purchase that a period can still count. One whose
// sale is damaged or lost stands: that is told of by itself.
func (a *App) provePurchases(ctx context.Context, k store.Key, b boughtRecord, proof *Proof) error {
	p, code := boughtOf(k)
	for _, bought := range family.Remembered(b.Purchases, family.DayOf(a.now())) {
		m, damaged, err := a.saleOf(ctx, bought.Ref)
		if err != nil {
			return err
		}
		if damaged || m != nil && (m.State == messageLost || sold(m, p, code, bought)) {
			continue
		}
		now, _, err := look(ctx, a, ref[boughtRecord](k))
		if err != nil {
			return err
		}
		if now[0] == nil || !slices.Equal(now[0].Purchases, b.Purchases) {
			return nil // bought or given back meanwhile
		}
		proof.found(p, 0, string(bought.Ref), "what is counted as bought is not what was sold")
		proof.suspects.buys(k)
	}
	return nil
}

// saleOf reads the record of a purchase's sale.
func (a *App) saleOf(ctx context.Context, id family.MessageID) (m *messageRecord, damaged bool, err error) {
	if _, err := family.ParseMessageID(string(id)); err != nil {
		return nil, false, nil
	}
	records, broken, err := look(ctx, a, messageKey(id))
	if err != nil {
		return nil, false, err
	}
	return records[0], broken[0], nil
}

// sold tells whether a message is the sale that a purchase counts.
func sold(m *messageRecord, p family.PersonNo, code string, bought family.Purchase) bool {
	if m.Settlement == nil || m.Settlement.Patient != p {
		return false
	}
	is, counts := m.Settlement.Bought(code)
	return counts && is == bought
}

// bought counts again what a patient bought of an item: from the sales that his entries
// name, and of those whose record is not whole what was counted before, so that nobody
// may buy the more for it.
func (r *repairer) bought(ctx context.Context, k store.Key) error {
	p, code := boughtOf(k)
	return r.mend(ctx, func(t *tx) (string, error) {
		boughtRef := ref[boughtRecord](k)
		if err := t.read(boughtRef); err != nil {
			return "", err
		}
		was, whole := half(t, boughtRef)
		if !whole {
			was = &boughtRecord{}
		}
		purchases, err := r.purchases(ctx, p, code, was.Purchases)
		if err != nil || whole && slices.Equal(purchases, was.Purchases) {
			return "", err
		}
		return fmt.Sprintf("what %s bought of %s is counted again from his sales", p, code), put(t, boughtRef, boughtRecord{purchases})
	})
}

// purchases returns what a patient's sales say that he bought of an item.
func (r *repairer) purchases(ctx context.Context, p family.PersonNo, code string, was []family.Purchase) ([]family.Purchase, error) {
	entries, err := r.entriesOf(ctx, p)
	if err != nil {
		return nil, err
	}
	today := family.DayOf(r.now())
	sales := map[family.MessageID]uint64{} // by the patient's entry; 0 has none
	for _, was := range was {
		sales[was.Ref] = 0
	}
	for seq, e := range entries {
		if e.Patient && e.Kind == family.Settled && !family.MayLack(nil, family.Purchase{Day: e.Day}, today) {
			sales[family.MessageID(e.Ref)] = seq
		}
	}
	type numbered struct {
		family.Purchase
		seq uint64
	}
	var all []numbered
	for id, seq := range sales {
		m, damaged, err := r.saleOf(ctx, id)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Settlement != nil {
			s := m.Settlement
			at := slices.IndexFunc(s.Legs, func(l family.Posting) bool { return l.Account == p })
			if bought, counts := s.Bought(code); counts && s.Patient == p && at >= 0 {
				all = append(all, numbered{bought, s.Legs[at].Seq})
			}
			continue
		}
		i := slices.IndexFunc(was, func(w family.Purchase) bool { return w.Ref == id })
		if i >= 0 && (seq > 0 || damaged || m != nil && m.State == messageLost) {
			all = append(all, numbered{was[i], seq})
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.Ref, b.Ref)) })
	purchases := make([]family.Purchase, len(all))
	for i, n := range all {
		purchases[i] = n.Purchase
	}
	return family.Remembered(purchases, today), nil
}
