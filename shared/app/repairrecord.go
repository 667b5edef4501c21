package app

import (
	"context"
	"fmt"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// record puts a single record right from what it follows from, or makes it one that
// does no harm.
func (r *repairer) record(ctx context.Context, k store.Key) error {
	kind, name, _ := strings.Cut(k.Part, "#")
	switch {
	case kind == "QR":
		return r.deadCode(ctx, ref[qrRecord](k))
	case kind == "TRACE":
		return r.freeBox(ctx, ref[boxRecord](k))
	case kind == "ID" || kind == "CARD":
		return r.index(ctx, ref[pointerRecord](k), name)
	case k.Part == placesPart:
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{To: k.Sort}, "the institution "+k.Sort+" is listed again")
	case kind == "INST":
		return rewrite(ctx, r, ref[family.Place](k), family.Place{Code: family.InstitutionCode(name)}, "the institution "+name+" is suspended until it is fed again")
	case kind == "ITEM":
		return rewrite(ctx, r, ref[catalogueRecord](k), catalogueRecord{}, "the item "+name+" is out of the catalogue until it is fed again")
	case kind == "GUESS":
		return rewrite(ctx, r, ref[guessesRecord](k), guessesRecord{}, "the bad codes of "+name+" are counted anew")
	case kind == "ONCE":
		return rewrite(ctx, r, ref[onceRecord](k), onceRecord{Fingerprint: "lost"}, "an answer that was given once is not given again")
	case kind == "CREDIT" && r.credits[name] != (leg{}):
		return nil // its entry has it
	case kind == "PREMIUM":
		return rewrite(ctx, r, ref[premiumRecord](k), premiumRecord{Premium: family.Premium{ID: family.PremiumID(name)}, Lost: true}, "the premium "+name+" was lost, and nothing is paid or given back of it")
	case kind == "PERSON" && k.Sort == "P":
		return r.person(ctx, family.PersonNo(name))
	case kind == "PERSON" && strings.HasPrefix(k.Sort, bindingPrefix):
		id := strings.TrimPrefix(k.Sort, bindingPrefix)
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{To: id}, "the binding "+id+" is listed again")
	case kind == "FIND":
		code := k.Sort[strings.LastIndex(k.Sort, "#")+1:]
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{To: code}, code+" is found again")
	case kind == "CONFIRM":
		return r.question(ctx, ref[pointerRecord](k), family.MessageID(k.Sort[strings.LastIndex(k.Sort, "#")+1:]))
	case kind == "DUE":
		return rewrite(ctx, r, ref[dueRecord](k), dueRecord{k.Sort}, "what is due on the "+name+" is listed again")
	case kind == "PERSON" && strings.HasPrefix(k.Sort, noticePrefix):
		r.late = append(r.late, k)
		return r.takeBack(ctx, ref[noticeRecord](k))
	case kind == "PAPER", kind == "PROOF", k.Part == reviewsPart:
		r.late = append(r.late, k) // its binding may write it again
		return nil
	case kind == "PERSON":
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{}, "no code is taken for the one that "+name+" shows")
	}
	r.leave(k)
	return nil
}

// leave owns up to a record that cannot be mended.
func (r *repairer) leave(k store.Key) {
	kind, _, _ := strings.Cut(k.Part, "#")
	r.out.Left = append(r.out.Left, family.Fault{Ref: nameOf(k), What: "a damaged record of kind " + kind + ": nothing else holds what it held"})
}

// leaveLate owns up to the records that their bindings have not written again.
func (r *repairer) leaveLate(ctx context.Context) error {
	for _, k := range r.late {
		record, err := r.store.Get(ctx, k)
		if err != nil {
			return err
		}
		if len(record[0].Body) == 0 {
			r.leave(k)
		}
	}
	return nil
}

// rewrite writes a record that is damaged or not there.
func rewrite[T any](ctx context.Context, r *repairer, k ref[T], body T, what string) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		if _, whole := half(t, k); whole {
			return "", nil
		}
		return what, putUntil(t, k, body, t.slots[store.Key(k)].record.Expires)
	})
}

// takeBack takes back a notice of what is not in its binding's history.
func (r *repairer) takeBack(ctx context.Context, k ref[noticeRecord]) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		notice, whole := half(t, k)
		if !whole || notice.Event.Binding == "" {
			return "", nil
		}
		event := eventKey(notice.Event.Binding, notice.Event.Seq)
		if err := t.read(event); err != nil {
			return "", err
		}
		if e, whole := half(t, event); whole && e.At.Equal(notice.Event.At) {
			return "", nil
		}
		return "nobody is told what is not in the history of the binding " + string(notice.Event.Binding), putUntil(t, k, noticeRecord{}, t.slots[store.Key(k)].record.Expires)
	})
}

// question has who is asked for his word find the question again, for as long as it
// is kept.
func (r *repairer) question(ctx context.Context, k ref[pointerRecord], id family.MessageID) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k, messageKey(id)); err != nil {
			return "", err
		}
		if to, whole := half(t, k); whole && to.To == string(id) {
			return "", nil
		}
		end := t.slots[store.Key(k)].record.Expires
		if m, whole := half(t, messageKey(id)); whole && m.Confirmation != nil {
			end = m.Confirmation.Until.Add(confirmKeep)
		}
		return "who is asked about " + string(id) + " finds the question again", putUntil(t, k, pointerRecord{To: string(id)}, end)
	})
}

// deadCode takes a code out of use that no settlement has spent, or that is not the
// newest: whoever shows it is asked for another.
func (r *repairer) deadCode(ctx context.Context, k ref[qrRecord]) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		code, whole := half(t, k)
		if !whole {
			code = &qrRecord{Token: family.QRToken{Issued: r.now(), Expires: r.now()}}
		}
		if whole && code.Token.State == family.QRStateSpent {
			if err := t.read(messageKey(code.Token.SpentBy)); err != nil {
				return "", err
			}
			if m, whole := half(t, messageKey(code.Token.SpentBy)); whole && (m.Code == code.Token.ID || m.Confirmation != nil || m.State == messageLost) {
				return "", nil
			}
		}
		code.Token.State, code.Token.SpentBy = family.QRStateReplaced, ""
		return "a code that nothing says anything about is out of use", putUntil(t, k, *code, code.Token.Expires.Add(qrKeep))
	})
}

// freeBox frees a box that no settlement sold.
func (r *repairer) freeBox(ctx context.Context, k ref[boxRecord]) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		_, code, _ := strings.Cut(k.Part, "#")
		if box, whole := half(t, k); whole {
			if box.SoldBy == "" {
				return "", nil
			}
			if err := t.read(messageKey(box.SoldBy)); err != nil {
				return "", err
			}
			if m, whole := half(t, messageKey(box.SoldBy)); whole && (m.State == messageLost || sells(m.Settlement, code)) {
				return "", nil
			}
		}
		return "a box that no settlement sold is free", put(t, k, boxRecord{})
	})
}

// index makes an index point at nobody who does not have that number; the person's
// own repair points it at him again.
func (r *repairer) index(ctx context.Context, k ref[pointerRecord], index string) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		if to, whole := half(t, k); whole {
			person := personKey(family.PersonNo(to.To))
			if to.To == "" {
				return "", nil
			}
			if err := t.read(person); err != nil {
				return "", err
			}
			if p, whole := half(t, person); whole && (p.IDIndex == index || p.CardIdx == index) {
				return "", nil
			}
		}
		return "a number is nobody's until its person is fed again", put(t, k, pointerRecord{})
	})
}

// person makes a person's indexes point at him; one who is not there or damaged is
// nobody until the insurer has fed him again, and his account is frozen.
func (r *repairer) person(ctx context.Context, p family.PersonNo) error {
	known := false
	err := r.mend(ctx, func(t *tx) (string, error) {
		personRef := personKey(p)
		if err := t.read(personRef); err != nil {
			return "", err
		}
		person, whole := half(t, personRef)
		if known = whole; !whole {
			return fmt.Sprintf("%s is to be fed again", p), put(t, personRef, personRecord{})
		}
		for _, index := range []ref[pointerRecord]{idIndexKey(person.IDIndex), cardIndexKey(person.CardIdx)} {
			if strings.HasSuffix(index.Part, "#") {
				continue
			}
			if err := t.read(index); err != nil {
				return "", err
			}
			if to, whole := half(t, index); !whole || to.To == "" {
				if err := put(t, index, pointerRecord{To: string(p)}); err != nil {
					return "", err
				}
			}
		}
		return fmt.Sprintf("%s is found by his numbers again", p), nil
	})
	if err != nil || known {
		return err
	}
	return r.freeze(ctx, p, "who he is was lost or damaged: feed the person again")
}
