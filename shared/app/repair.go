package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Repaired is what a repair did and what it had to leave.
type Repaired struct {
	// Done says in words what was done, one line a repair.
	Done []string
	// Quarantined are the people whose accounts it froze, each with the reason.
	Quarantined map[family.PersonNo]string
	// Left are the faults that it could do nothing about: records that are damaged
	// and that nothing else holds.
	Left []family.Fault
}

// Repair puts right what a proof found. What can be written again from records that
// are whole is: an entry from its settlement, an account from its entries, a code, a
// box, a list, an index from what they follow from. Where the halves of a binding do
// not agree, the narrower stands, for a grant needs both. What cannot be known any
// more is set apart: the account is frozen, a message whose record is gone is closed,
// so that nothing moves until somebody has looked into it. No repair moves money, and
// each is written down beside what it wrote, in the same commit; done again it does
// nothing.
//
// quarantine tells whether what stays wrong is frozen now. Whoever repairs a range
// of days does so when all of them are mended: what is missing on one day may follow
// from another. by says who had it done.
func (a *App) Repair(ctx context.Context, proof Proof, quarantine bool, by string) (Repaired, error) {
	r := &repairer{App: a, by: by, credits: proof.suspects.credits, out: Repaired{Quarantined: map[family.PersonNo]string{}}}
	s := proof.suspects
	for _, id := range slices.Sorted(maps.Keys(s.messages)) {
		if err := r.message(ctx, id); err != nil {
			return r.out, err
		}
	}
	for _, reference := range slices.Sorted(maps.Keys(s.credits)) {
		if err := r.credit(ctx, reference, s.credits[reference]); err != nil {
			return r.out, err
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.records), compareKeys) {
		if err := r.record(ctx, k); err != nil {
			return r.out, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.bindings)) {
		if err := r.binding(ctx, id, slices.Sorted(maps.Keys(s.bindings[id]))); err != nil {
			return r.out, err
		}
	}
	if err := r.leaveLate(ctx); err != nil {
		return r.out, err
	}
	for _, p := range slices.Sorted(maps.Keys(s.people)) {
		if err := r.account(ctx, p, s.people[p], quarantine); err != nil {
			return r.out, err
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.bought), compareKeys) {
		if err := r.bought(ctx, k); err != nil {
			return r.out, err
		}
	}
	if !quarantine {
		return r.out, nil
	}
	for _, id := range slices.Sorted(maps.Keys(s.lost)) {
		if err := r.lost(ctx, id, slices.Sorted(maps.Keys(s.lost[id]))); err != nil {
			return r.out, err
		}
	}
	for _, p := range r.frozen {
		if err := r.tellOfFreeze(ctx, p); err != nil {
			return r.out, err
		}
	}
	return r.out, nil
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Sort, b.Sort))
}

// repairer carries out the repairs of one proof.
type repairer struct {
	*App
	by      string
	credits map[string]leg
	late    []store.Key       // damaged records that may follow from a binding
	frozen  []family.PersonNo // now, and not before
	out     Repaired
}

// mend carries out one repair: decide puts what is to be written, and says what it
// did; nothing put is nothing to repair.
func (r *repairer) mend(ctx context.Context, decide func(*tx) (string, error)) error {
	now := r.now()
	id, err := r.newID(now)
	if err != nil {
		return err
	}
	what, err := act(ctx, r.App, func(t *tx) (string, error) {
		what, err := decide(t)
		if err != nil || what == "" {
			return "", err
		}
		record := repairRecord{At: now, By: r.by, What: what}
		for _, s := range t.order {
			if s.write == nil {
				continue
			}
			record.Keys = append(record.Keys, s.record.Key)
			if s.record.Exists() && len(s.record.Body) == 0 {
				was, err := r.raw(ctx, s.record.Key)
				if err != nil {
					return "", err
				}
				record.Was = append(record.Was, was)
			}
		}
		if record.Keys == nil {
			return "", nil
		}
		return what, add(t, repairKey(id), record)
	})
	if err == nil && what != "" {
		r.out.Done = append(r.out.Done, what)
	}
	return err
}

// maxWas bounds what is kept of a damaged body, in bytes.
const maxWas = 64 << 10

// raw returns a damaged record's body as it lies in the store, so that whoever looks
// into it still has it.
func (r *repairer) raw(ctx context.Context, k store.Key) (string, error) {
	records, err := r.store.store.Get(ctx, k)
	if err != nil {
		return "", err
	}
	return string(records[0].Body[:min(len(records[0].Body), maxWas)]), nil
}

// half returns a record that was read, if it is there and whole.
func half[T any](t *tx, r ref[T]) (*T, bool) {
	body, found, err := get(t, r)
	if err != nil || !found {
		return nil, false
	}
	return &body, true
}

// freeze freezes an account with the reason. One that is not whole is left: nobody
// can spend from it.
func (r *repairer) freeze(ctx context.Context, p family.PersonNo, why string) error {
	r.out.Quarantined[p] = why
	today, froze := family.DayOf(r.now()), false
	err := r.mend(ctx, func(t *tx) (string, error) {
		froze = false
		accountRef := accountKey(p)
		if err := t.read(accountRef); err != nil {
			return "", err
		}
		account, whole := half(t, accountRef)
		if !whole || account.Account.Frozen && account.Quarantine != "" {
			return "", nil
		}
		account.Account.Frozen, account.Quarantine = true, why
		froze = true
		var damaged *DamagedError
		if err := remind(t, today, ofPerson+string(p)); err != nil && !errors.As(err, &damaged) {
			return "", err
		}
		return fmt.Sprintf("%s is frozen: %s", p, why), put(t, accountRef, *account)
	})
	if err == nil && froze {
		r.frozen = append(r.frozen, p)
	}
	return err
}

// tellOfFreeze has both sides of each binding of who was frozen hear of it at once.
// What is itself not whole is left to the day's sweep, which looks at him too.
func (r *repairer) tellOfFreeze(ctx context.Context, p family.PersonNo) error {
	records, err := r.list(ctx, store.Range{Part: personKey(p).Part, Prefix: bindingPrefix, Limit: maxOfPerson, Descending: true})
	if err != nil {
		return err
	}
	for _, record := range records {
		id := family.BindingID(strings.TrimPrefix(record.Key.Sort, bindingPrefix))
		bindings, _, err := look(ctx, r.App, bindingKey(id))
		if err != nil {
			return err
		}
		if bindings[0] == nil {
			continue
		}
		if whole, err := r.historyWhole(ctx, bindings[0].Binding); err != nil {
			return err
		} else if !whole {
			continue
		}
		var damaged *DamagedError
		var refusal *family.Refusal
		if _, err := r.tend(ctx, id); err != nil && !errors.As(err, &damaged) && !errors.As(err, &refusal) {
			return err
		}
	}
	return nil
}
