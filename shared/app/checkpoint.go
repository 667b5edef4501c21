package app

import (
	"context"
	"time"

	"gongji/shared/checkpoint"
	"gongji/shared/family"
	"gongji/shared/store"
)

// A day is signed an hour after its end: until then a commit of its last moment may
// land.
const sealAfter = time.Hour

// maxHeads bounds the entries of the day that one checkpoint is made of: they are held
// in memory, some hundred bytes each.
const maxHeads = 1_000_000

// HeadsOf lists the entries that the settlements of a day made, institution by
// institution, after one; next is where to go on, empty at the end. The entry of an
// account speaks for all before it, credits and adjustments too.
func (a *App) HeadsOf(ctx context.Context, day family.Day, after string) (heads []checkpoint.Head, next string, err error) {
	places := store.Range{Part: placesPart, After: after, Limit: store.MaxList}
	for {
		rows, err := a.list(ctx, places)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			if len(heads) >= maxProof {
				return heads, places.After, nil
			}
			of, err := a.headsAt(ctx, family.InstitutionCode(row.Key.Sort), day)
			if err != nil {
				return nil, "", err
			}
			heads, places.After = append(heads, of...), row.Key.Sort
		}
		if len(rows) < places.Limit {
			return heads, "", nil
		}
	}
}

// headsAt lists the entries that the settlements of one institution made on a day.
func (a *App) headsAt(ctx context.Context, place family.InstitutionCode, day family.Day) ([]checkpoint.Head, error) {
	var heads []checkpoint.Head
	err := a.settledOn(ctx, place, day, func(messages []messageRecord) error {
		var refs []ref[family.Entry]
		for _, m := range messages {
			if m.Settlement == nil || family.DayOf(m.Settlement.At) != day {
				continue
			}
			for _, leg := range m.Settlement.Legs {
				if leg.Party == family.Personal {
					refs = append(refs, entryKey(leg.Account, leg.Seq))
					heads = append(heads, checkpoint.Head{Account: leg.Account, Seq: leg.Seq})
				}
			}
		}
		fill := heads[len(heads)-len(refs):]
		for len(refs) > 0 {
			n := min(len(refs), store.MaxWrites)
			entries, _, err := look(ctx, a, refs[:n]...)
			if err != nil {
				return err
			}
			for i, e := range entries {
				if e != nil {
					fill[i].Hash = e.Hash()
				}
			}
			refs, fill = refs[n:], fill[n:]
		}
		return nil
	})
	return heads, err
}

// settledOn goes through the messages of an institution that lie in a day's list, and
// those of other days that were settled on it.
func (a *App) settledOn(ctx context.Context, place family.InstitutionCode, day family.Day, each func([]messageRecord) error) error {
	for _, prefix := range []string{messagePrefix, latePrefix} {
		r := store.Range{Part: dayPart(place, day), Prefix: prefix, Limit: store.MaxWrites}
		for {
			records, err := a.list(ctx, r)
			if err != nil {
				return err
			}
			messages, _ := whole[messageRecord](records)
			if prefix == latePrefix {
				messages = nil
				pointers, _ := whole[pointerRecord](records)
				refs := make([]ref[messageRecord], len(pointers))
				for i, p := range pointers {
					refs[i] = messageKey(family.MessageID(p.To))
				}
				if len(refs) > 0 {
					late, _, err := look(ctx, a, refs...)
					if err != nil {
						return err
					}
					for _, m := range late {
						if m != nil {
							messages = append(messages, *m)
						}
					}
				}
			}
			if err := each(messages); err != nil {
				return err
			}
			if len(records) < r.Limit {
				break
			}
			r.After = records[len(records)-1].Key.Sort
		}
	}
	return nil
}

// allHeads lists the entries of a whole day.
func (a *App) allHeads(ctx context.Context, day family.Day) ([]checkpoint.Head, error) {
	var all []checkpoint.Head
	for after := ""; ; {
		heads, next, err := a.HeadsOf(ctx, day, after)
		if err != nil {
			return nil, err
		}
		if all = append(all, heads...); len(all) > maxHeads {
			return nil, &family.Refusal{Code: family.TooLarge, Field: "day", Detail: "more entries than one checkpoint takes"}
		}
		if next == "" {
			return all, nil
		}
		after = next
	}
}

// Checkpoint returns the signed checkpoint of a day as a note. A day that is over and
// not yet signed is signed now, where the house has the key to; else there is none.
func (a *App) Checkpoint(ctx context.Context, day family.Day) (string, error) {
	now := a.now()
	at, found, err := one(ctx, a, checkpointKey(day))
	switch {
	case err != nil || found:
		return at.Note, err
	case a.signer == nil:
		return "", family.Refuse(family.NotFound)
	case now.Before(endOf(day).Add(sealAfter)):
		return "", &family.Refusal{Code: family.StateForbids, Field: "day", Observed: day.String(), Detail: "a day is signed an hour after its end"}
	}
	heads, err := a.allHeads(ctx, day)
	if err != nil {
		return "", err
	}
	previous := ""
	before, err := a.list(ctx, store.Range{Part: checkpointsPart, After: day.String(), Limit: 1, Descending: true})
	if err != nil {
		return "", err
	}
	if records, err := decodeAll[checkpointRecord](before); err != nil {
		return "", err
	} else if len(records) == 1 {
		previous = checkpoint.TextOf(records[0].Note)
	}
	signed, err := checkpoint.Of(day, heads, previous).Sign(a.signer)
	if err != nil {
		return "", err
	}
	return act(ctx, a, func(t *tx) (string, error) {
		key := checkpointKey(day)
		if err := t.read(key); err != nil {
			return "", err
		}
		first, found, err := get(t, key)
		if err != nil || found {
			return first.Note, err // another was first
		}
		return signed, put(t, key, checkpointRecord{signed})
	})
}

// endOf returns the moment at which a day in China is over.
func endOf(d family.Day) time.Time { return d.Begins().AddDate(0, 0, 1) }

// ProveCheckpoint tells whether the books of a day still are what was signed of them.
// It believes the note that the table holds: whoever keeps notes and heads outside
// ([checkpoint.Audit]) needs not.
func (a *App) ProveCheckpoint(ctx context.Context, day family.Day) (bool, error) {
	at, found, err := one(ctx, a, checkpointKey(day))
	if err == nil && !found {
		err = family.Refuse(family.NotFound)
	}
	if err != nil {
		return false, err
	}
	heads, err := a.allHeads(ctx, day)
	if err != nil {
		return false, err
	}
	c, err := checkpoint.Parse(checkpoint.TextOf(at.Note))
	now := checkpoint.Of(day, heads, "")
	return err == nil && c.Day == day && c.Root == now.Root && c.Accounts == now.Accounts, nil
}
