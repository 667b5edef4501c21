package app

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// noticeKeep is how long a notice stays; the histories of the bindings stay.
const noticeKeep = 400 * 24 * time.Hour

// tell writes events into a binding's history and tells the sides that did not bring
// them about.
func tell(t *tx, b family.Binding, events []family.Event) error {
	for _, e := range events {
		if err := add(t, eventKey(e.Binding, e.Seq), e); err != nil {
			return err
		}
		for _, side := range []family.Side{family.BySelf, family.ByMember} {
			if !e.Told(side) {
				continue
			}
			person := b.Holder
			if side == family.ByMember {
				person = b.Member
			}
			key := noticeKey(person, e)
			if err := add(t, key, noticeRecord{e}); err != nil {
				return err
			}
			t.slots[key.storeKey()].write.Expires = e.At.Add(noticeKeep)
		}
	}
	return nil
}

// remind has the sweep of a day look at something.
func remind(t *tx, day family.Day, what string) error {
	key := dueKey(day, what)
	if err := t.read(key); err != nil {
		return err
	}
	if _, there, err := get(t, key); there || err != nil {
		return err
	}
	return put(t, key, dueRecord{what})
}

// ofPerson names a person, not a binding, in a day's list.
const ofPerson = "P#"

// tend sees to what time, the insurer and the civil registry have brought upon a
// binding, and tells whether that was anything.
func (a *App) tend(ctx context.Context, id family.BindingID) (bool, error) {
	now := a.now()
	type outcome struct {
		changed bool
		drop    []family.MaterialID
	}
	done, err := act(ctx, a, func(t *tx) (outcome, error) {
		var out outcome
		if err := t.read(bindingKey(id)); err != nil {
			return out, err
		}
		record, found, err := get(t, bindingKey(id))
		if !found || err != nil {
			return out, err
		}
		kept := record.Binding.Materials
		_, out.changed, err = a.decideOn(t, record, now, func(p family.Pair, h hand) (family.Pair, error) {
			said, err := a.kinship(h, p.Binding.Relation)
			if err != nil {
				return p, err
			}
			after := p.Tend(family.Facts{MemberBorn: h.member.Born, Registry: said}, h.policy, h.now)
			for i, m := range after.Binding.Materials {
				if m.State == family.MaterialDeleted && kept[i].State != family.MaterialDeleted {
					out.drop = append(out.drop, m.ID)
				}
			}
			return after, nil
		})
		return out, err
	})
	if err != nil || a.papers == nil {
		return done.changed, err
	}
	for _, paper := range done.drop {
		if err := a.papers.Drop(ctx, string(paper)); err != nil {
			return true, err
		}
	}
	return done.changed, nil
}

// kinship returns what the registry's table says of a relation, without the names:
// those were compared at the promise.
func (a *App) kinship(h hand, relation family.Relation) (family.RegistryAnswer, error) {
	holder, member := registryKey(h.holder.IDIndex), registryKey(h.member.IDIndex)
	if err := h.t.refer(holder, member); err != nil {
		return "", err
	}
	var records [2]*registryRecord
	for i, key := range []ref[registryRecord]{holder, member} {
		record, found, err := get(h.t, key)
		if err != nil {
			return "", err
		}
		if found {
			records[i] = &record
		}
	}
	memberIndex := h.member.IDIndex
	if h.member.Mother != "" {
		memberIndex = ""
	}
	return says(records[0], records[1], "", "", h.holder.IDIndex, memberIndex, relation), nil
}

// maxOfPerson bounds the bindings of one person that are looked at at once: his
// newest, those that may be live among them.
const maxOfPerson = 200

// TendPerson looks at all bindings of a person after something happened to him, and
// returns how many changed. It is for haste alone: what a settlement must not do it
// refuses of itself, and the day's sweep looks at him too.
func (a *App) TendPerson(ctx context.Context, p family.PersonNo) (int, error) {
	records, err := a.list(ctx, store.Range{Part: personKey(p).Part, Prefix: bindingPrefix, Limit: maxOfPerson, Descending: true})
	if err != nil {
		return 0, err
	}
	pointers, err := decodeAll[pointerRecord](records)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, pointer := range pointers {
		did, err := a.tend(ctx, family.BindingID(pointer.To))
		if err != nil {
			return changed, err
		}
		if did {
			changed++
		}
	}
	return changed, nil
}

// TendRelative is TendPerson for whoever is insured under an ID number.
func (a *App) TendRelative(ctx context.Context, id family.IDNumber) (int, error) {
	pointer, found, err := one(ctx, a, idIndexKey(a.vault.Index("id_no", string(id))))
	if err != nil || !found || pointer.To == "" {
		return 0, err
	}
	return a.TendPerson(ctx, family.PersonNo(pointer.To))
}

// Swept is what a sweep did.
type Swept struct {
	Looked, Changed int
	// Through is the last day that is done; Complete tells that it is today.
	Through  family.Day
	Complete bool
}

// Bounds of a sweep: how much one call looks at, and how far back the first begins.
const (
	maxSwept  = 500
	firstBack = 400
)

// Sweep looks at everything whose day has come: requests that were not finished,
// birthdays, grants that ran out, caps that take effect, papers that were kept long
// enough. It is bounded and goes on where the last one stopped; one that comes twice,
// beside another or late does no harm.
func (a *App) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	today := family.DayOf(a.now())
	at, found, err := one(ctx, a, sweptKey)
	if err != nil {
		return done, err
	}
	if !found {
		at.Day = family.DayOf(a.now().AddDate(0, 0, -firstBack))
	}
	for at.Day <= today && done.Looked < maxSwept {
		records, err := a.list(ctx, store.Range{Part: duePart(at.Day), After: at.After, Limit: 100})
		if err != nil {
			return done, err
		}
		for _, r := range records {
			var n int
			if person, is := strings.CutPrefix(r.Key.Sort, ofPerson); is {
				n, err = a.TendPerson(ctx, family.PersonNo(person))
			} else {
				var did bool
				if did, err = a.tend(ctx, family.BindingID(r.Key.Sort)); did {
					n = 1
				}
			}
			if err != nil {
				return done, err
			}
			done.Looked, done.Changed, at.After = done.Looked+1, done.Changed+n, r.Key.Sort
		}
		switch {
		case len(records) == 100:
		case at.Day == today:
			done.Complete = true
		default:
			at = sweptRecord{Day: dayAfter(at.Day, 1)}
		}
		if done.Complete {
			break
		}
	}
	if done.Complete {
		// More may come today, and more of yesterday too: an act that began before
		// midnight has its reminder there, whenever it commits.
		done.Through, at = today, sweptRecord{Day: dayAfter(today, -1)}
	} else {
		done.Through = dayAfter(at.Day, -1)
	}
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		if err := t.read(sweptKey); err != nil {
			return struct{}{}, err
		}
		was, found, err := get(t, sweptKey)
		if err != nil || found && (was == at || was.Day > at.Day && !done.Complete) {
			return struct{}{}, err // another sweep is further
		}
		return struct{}{}, put(t, sweptKey, at)
	})
	return done, err
}

// dayAfter returns the day so many days after one.
func dayAfter(d family.Day, days int) family.Day { return family.DayOf(noonOf(d).AddDate(0, 0, days)) }

// noonOf returns the middle of a day in China.
func noonOf(d family.Day) time.Time {
	return time.Date(d.Year(), time.Month(d/100%100), int(d%100), 4, 0, 0, 0, time.UTC)
}

// Notices lists what a person was told, newest first, after a notice.
func (a *App) Notices(ctx context.Context, p family.PersonNo, after string, limit int) (Page[family.Event], error) {
	var page Page[family.Event]
	r := store.Range{Part: personKey(p).Part, Prefix: noticePrefix, Limit: limit + 1, Descending: true}
	if after != "" {
		r.After = noticePrefix + after
	}
	records, err := a.list(ctx, r)
	if err != nil {
		return page, err
	}
	notices, err := decodeAll[noticeRecord](records)
	if err != nil {
		return page, err
	}
	for i, n := range notices {
		if i == limit {
			page.Next = strings.TrimPrefix(records[i-1].Key.Sort, noticePrefix)
			break
		}
		if n.Event.Binding != "" { // a repair has not taken it back
			page.Items = append(page.Items, n.Event)
		}
	}
	return page, nil
}

// NoticeCursor tells whether a text is a cursor of the list of notices: when it was,
// the binding and the number of the event.
func NoticeCursor(s string) bool {
	parts := strings.Split(s, "#")
	if len(parts) != 3 || !family.BindingID(parts[1]).Valid() || len(parts[2]) != 8 {
		return false
	}
	_, err := time.Parse("20060102T150405", parts[0])
	_, numberErr := strconv.ParseUint(parts[2], 10, 32)
	return errors.Join(err, numberErr) == nil
}
