package auditor

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of what the insurer's feed does.

// fed works out what a record of the feed is answered; same tells that it changes
// nothing.
func (v *view) fed(r *Request, at time.Time) (e effects, same bool, code string) {
	e = effects{}
	switch r.Op {
	case OpPerson:
		return v.fedPerson(r)
	case OpOwe:
		return v.owed(r)
	case OpCredit:
		booked, found := read[creditRecord](v, creditKey(r.Identity))
		if found && (booked.Person != r.By || booked.Amount != r.Amount || booked.Reason != "" || booked.Turn) {
			return nil, false, "message_reused"
		}
		if found {
			return e, true, ""
		}
		record, known := read[accountRecord](v, accountKey(r.By))
		if !known {
			return nil, false, "not_found"
		}
		e[creditKey(r.Identity)] = is("the credit", creditRecord{Person: r.By, Amount: r.Amount})
		me := record.Account.copied()
		e.book(&me, &entry{Account: r.By, At: at, Kind: "credit", Ref: r.Identity, Delta: r.Amount})
	case OpTurn:
		return v.turned(r, at)
	case OpPropose:
		return v.proposed(r, at)
	case OpBook, OpDrop:
		return v.adjusted(r, at)
	case OpDraft:
		return v.drafted(r, at)
	case OpPublish:
		return v.published(r, at)
	case OpFreeze:
		record, known := read[accountRecord](v, accountKey(r.By))
		if !known {
			return nil, false, "not_found"
		}
		me := record.Account.copied()
		same, me.Frozen = me.Frozen == r.Switch, r.Switch
		e.account(me)
	case OpPlace:
		place, known := read[Place](v, placeKey(r.Where.Code))
		same = known && *place == r.Where
		e[placeKey(r.Where.Code)] = is("the place", r.Where)
		if !known {
			e[store.Key{Part: "INSTITUTIONS", Sort: r.Where.Code}] = is("the row", pointerRecord{r.Where.Code})
		}
	case OpItem:
		after := itemRecord{}
		if record, known := read[itemRecord](v, itemKey(r.Item.Code)); known {
			after.Versions = slices.Clone(record.Versions)
		}
		at := slices.IndexFunc(after.Versions, func(i Item) bool { return i.From == r.Item.From })
		if at < 0 {
			after.Versions = append(after.Versions, r.Item)
		} else {
			same = reflect.DeepEqual(plain(after.Versions[at]), plain(r.Item))
			after.Versions[at] = r.Item
		}
		e[itemKey(r.Item.Code)] = is("the item", after)
	case OpSuspend:
		place, known := read[Place](v, placeKey(r.Code))
		if !known {
			return nil, false, "not_found"
		}
		after := *place
		same, after.Designated = place.Designated == !r.Switch, !r.Switch
		e[placeKey(r.Code)] = is("the place", after)
	}
	if same {
		e = effects{}
	}
	return e, same, ""
}

// turned works out what the turn of a year does to an account: what was there of this
// year's money at midnight, less what was taken of it since and did not come back, moves.
// What was paid in since is taken first.
func (v *view) turned(r *Request, at time.Time) (effects, bool, string) {
	reference := fmt.Sprintf("turn %d %s", r.Year, r.By)
	if _, found := read[creditRecord](v, creditKey(reference)); found {
		return effects{}, true, ""
	}
	record, known := read[accountRecord](v, accountKey(r.By))
	if !known {
		return nil, false, "not_found"
	}
	if day(at)/10000 != r.Year {
		return nil, false, "state_forbids"
	}
	me := record.Account.copied()
	var year []*entry // the newest first
	midnight := int64(0)
	for seq := me.Seq; seq > 0; seq-- {
		e := shape[entry](v.a, v.a.disk.Peek(entryKey(r.By, seq)))
		if day(e.At)/10000 < r.Year {
			midnight = e.After.Current
			break
		}
		year = append(year, e)
	}
	fresh, gone := int64(0), int64(0) // paid in since and still there; taken of midnight's
	for _, e := range slices.Backward(year) {
		d := e.Delta.Current
		if e.Kind != "credit" && d > 0 { // it came back
			back := min(gone, d)
			gone, d = gone-back, d-back
		}
		if fresh += d; fresh < 0 {
			gone, fresh = gone-fresh, 0
		}
	}
	moves := Pockets{Current: gone - midnight, Past: midnight - gone}
	if moves.Past > 0 {
		v.a.Reached("a year's money becomes past years'")
		if len(year) > 0 {
			v.a.Reached("a year turns late")
		}
	}
	e := effects{creditKey(reference): is("the turn of the year", creditRecord{Person: r.By, Amount: moves, Turn: true})}
	e.book(&me, &entry{Account: r.By, At: at, Kind: "rollover", Ref: reference, Delta: moves})
	return e, false, ""
}

func (v *view) fedPerson(r *Request) (effects, bool, string) {
	e, in := effects{}, r.Person
	person, known := read[personRecord](v, personKey(in.No))
	record, has := read[accountRecord](v, accountKey(in.No))
	me := account{}
	if has {
		me = record.Account.copied()
	}
	was := me.Insurance
	me.Person, me.Insurance = in.No, in.Insurance
	if known && v.a.open(in.No, person.Key, "name", person.Name) == in.Name && v.a.open(in.No, person.Key, "phone", person.Phone) == in.Phone &&
		person.IDIndex == in.IDIndex && person.CardIdx == in.CardIx && was == in.Insurance {
		return e, true, ""
	}
	if at, found := read[pointerRecord](v, in.IDKey); found && at.To != "" && at.To != in.No {
		return nil, false, "already_bound"
	} else if !found || at.To == "" {
		e[in.IDKey] = is("the index", pointerRecord{in.No})
	}
	if in.CardIx != "" {
		if at, found := read[pointerRecord](v, in.CardKey); found && at.To != "" && at.To != in.No {
			return nil, false, "already_bound"
		} else if !found || at.To == "" {
			e[in.CardKey] = is("the index", pointerRecord{in.No})
		}
	}
	if known && person.IDIndex != in.IDIndex {
		e[IDKey(person.IDIndex)] = is("the index given up", pointerRecord{})
	}
	if known && person.CardIdx != "" && person.CardIdx != in.CardIx {
		e[CardKey(person.CardIdx)] = is("the index given up", pointerRecord{})
	}
	if known {
		e.person(in.No, person.Bound, person.Former)
	} else {
		e.person(in.No, nil, nil)
	}
	held := e[personKey(in.No)]
	e[personKey(in.No)] = func(a *Auditor, rec store.Record) string {
		p := shape[personRecord](a, rec)
		if a.open(in.No, p.Key, "name", p.Name) != in.Name || a.open(in.No, p.Key, "phone", p.Phone) != in.Phone || p.IDIndex != in.IDIndex || p.CardIdx != in.CardIx || p.Born != in.Born {
			return "the person is not what the feed says"
		}
		return held(a, rec)
	}
	e.account(me)
	return e, false, ""
}
