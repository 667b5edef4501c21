package app

import (
	"context"
	"fmt"
	"slices"

	"gongji/shared/family"
)

// lost closes a message whose record is gone while entries of it stand, and freezes
// those it concerns.
func (r *repairer) lost(ctx context.Context, id family.MessageID, people []family.PersonNo) error {
	err := r.mend(ctx, func(t *tx) (string, error) {
		messageRef := messageKey(id)
		if err := t.read(messageRef); err != nil {
			return "", err
		}
		if m, whole := half(t, messageRef); whole && (m.Settlement != nil || m.State == messageLost) {
			return "", nil
		}
		return fmt.Sprintf("the message %s moved money and its record is lost: it is closed", id), put(t, messageRef, messageRecord{State: messageLost, At: r.now()})
	})
	if err != nil {
		return err
	}
	for _, p := range people {
		if p == "" {
			continue // a damaged message that moved nothing, or whose entries are told of by themselves
		}
		if err := r.freeze(ctx, p, "the record of "+string(id)+" is lost: ask the institution for it"); err != nil {
			return err
		}
	}
	return nil
}

// message puts right what follows from a settlement: its code, its boxes, its place
// in the list of its day, and the sale that it gave back.
func (r *repairer) message(ctx context.Context, id family.MessageID) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		messageRef := messageKey(id)
		if err := t.read(messageRef); err != nil {
			return "", err
		}
		m, whole := half(t, messageRef)
		if !whole || m.Settlement == nil {
			return "", nil
		}
		for _, put := range []func(*tx, *messageRecord) error{r.putCode, r.putBoxes, r.putLate, r.putOriginal} {
			if err := put(t, m); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("what the settlement %s did to its code, boxes, list and original", id), nil
	})
}

func (r *repairer) putCode(t *tx, m *messageRecord) error {
	if m.Code == "" || r.now().After(m.At.Add(qrKeep)) {
		return nil
	}
	codeRef := qrKey(r.vault.QRHash(r.digits(m.Code)))
	if err := t.read(codeRef); err != nil {
		return err
	}
	s := m.Settlement
	code, whole := half(t, codeRef)
	switch {
	case whole && code.Token.State == family.QRStateSpent:
		return nil // as it should be, or by another: both stand, and the proof says so
	case !whole:
		code = &qrRecord{Token: family.QRToken{ID: m.Code, Patient: s.Patient, Presenter: s.Presenter, Issued: s.At, Expires: s.At}}
	}
	code.Token = code.Token.Spend(s.ID)
	return putUntil(t, codeRef, *code, code.Token.Expires.Add(qrKeep))
}

func (r *repairer) putBoxes(t *tx, m *messageRecord) error {
	s := m.Settlement
	if s.Kind != family.Settled || len(s.Kept) != len(s.Lines) {
		return nil
	}
	for i, l := range s.Lines {
		for _, code := range l.TraceCodes {
			boxRef := boxKey(code)
			if err := t.read(boxRef); err != nil {
				return err
			}
			box, whole := half(t, boxRef)
			sold := whole && box.SoldBy == s.ID
			switch {
			case s.Kept[i] > 0 && !sold && (!whole || box.SoldBy == ""):
				if err := put(t, boxRef, boxRecord{SoldBy: s.ID}); err != nil {
					return err
				}
			case s.Kept[i] == 0 && (sold || !whole):
				if err := put(t, boxRef, boxRecord{}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *repairer) putLate(t *tx, m *messageRecord) error {
	settled := family.DayOf(m.At)
	if settled == m.Settlement.ID.Day() {
		return nil
	}
	lateRef := lateKey(m.Settlement.ID, settled)
	if err := t.read(lateRef); err != nil {
		return err
	}
	if to, whole := half(t, lateRef); whole && to.To == string(m.Settlement.ID) {
		return nil
	}
	return put(t, lateRef, pointerRecord{To: string(m.Settlement.ID)})
}

// putOriginal tells a sale of a refund of it.
func (r *repairer) putOriginal(t *tx, m *messageRecord) error {
	back := m.Settlement
	if back.Kind == family.Settled {
		return nil
	}
	if _, err := family.ParseMessageID(string(back.Original)); err != nil {
		return nil
	}
	saleRef := messageKey(back.Original)
	if err := t.read(saleRef); err != nil {
		return err
	}
	sale, whole := half(t, saleRef)
	if !whole || sale.Settlement == nil || slices.Contains(sale.Settlement.Refunds, back.ID) {
		return nil
	}
	after := sale.Settlement.Redo([]family.Settlement{*back})
	if len(family.ProveSettlement(after)) > 0 {
		return nil
	}
	sale.Settlement = &after
	return put(t, saleRef, *sale)
}

// credit writes a credit again from the entry that names it.
func (r *repairer) credit(ctx context.Context, reference string, at leg) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		creditRef, entryRef := creditKey(reference), entryKey(at.person, at.seq)
		if err := t.read(creditRef, entryRef); err != nil {
			return "", err
		}
		e, there := half(t, entryRef)
		if _, whole := half(t, creditRef); whole || !there || e.Ref != reference {
			return "", nil
		}
		return "the credit " + reference + " as its entry has it", put(t, creditRef, creditRecord{at.person, e.Delta, e.At, e.Seq, e.Reason, e.Kind == family.RolledOver})
	})
}
