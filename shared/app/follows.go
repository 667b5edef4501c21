package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Some records hold nothing of their own: they are there because another is, so that
// it is found, looked at on its day, or told to somebody. Where one is missing or
// damaged it follows from that other; where it stands and should not, it does no harm.

// following is a record that follows from another.
type following struct {
	key  store.Key
	what string // is missing
	// there tells whether the record that was read is as it should be.
	there func(t *tx) bool
	put   func(t *tx) error
}

// followers returns the records that follow from a binding and its history: its day
// for the sweep, its row in the reviewers' queue, its papers, what they prove, and what
// either side is told. The binding's holder is insured in a region.
func (a *App) followers(b family.Binding, events []family.Event, region family.Region) []following {
	var all []following
	if b.Due != 0 {
		all = append(all, follows(dueKey(b.Due, string(b.ID)), "the day on which the binding is due", func(dueRecord) dueRecord { return dueRecord{string(b.ID)} }))
	}
	if b.State == family.BindingInReview {
		all = append(all, follows(reviewKey(b.Review.Since, b.ID), "the binding's row in the reviewers' queue",
			func(r reviewRecord) reviewRecord {
				if r.Binding == b.ID && !r.Done {
					return r // the holder may have moved since
				}
				return reviewRecord{Binding: b.ID, Region: region}
			}))
	}
	for _, m := range b.Materials {
		all = append(all, follows(materialKey(m.ID), "the way from a paper to its binding", func(materialRecord) materialRecord { return materialRecord{b.ID} }))
		if m.State == family.MaterialKept {
			all = append(all, follows(proofKey(a.vault.Index("paper", m.SHA256)), "whose relation a paper proves", func(p proofRecord) proofRecord {
				p.People = slices.Clone(p.People)
				for _, person := range []family.PersonNo{b.Holder, b.Member} {
					if !slices.Contains(p.People, person) && len(p.People) < maxProved {
						p.People = append(p.People, person)
					}
				}
				return p
			}))
		}
	}
	for _, e := range events {
		if !a.now().Before(e.At.Add(noticeKeep)) {
			continue
		}
		for _, side := range []family.Side{family.BySelf, family.ByMember} {
			if !e.Told(side) {
				continue
			}
			person := b.Holder
			if side == family.ByMember {
				person = b.Member
			}
			f := follows(noticeKey(person, e), "what a side of the binding is told", func(noticeRecord) noticeRecord { return noticeRecord{e} })
			put := f.put
			f.put = func(t *tx) error {
				if err := put(t); err != nil {
					return err
				}
				t.slots[f.key].write.Expires = e.At.Add(noticeKeep)
				return nil
			}
			all = append(all, f)
		}
	}
	return all
}

// follows returns a record that follows: be returns what it must hold, given what it
// holds.
func follows[T any](k ref[T], what string, be func(T) T) following {
	return following{
		key: store.Key(k), what: what,
		there: func(t *tx) bool {
			is, whole := half(t, k)
			return whole && fmt.Sprint(be(*is)) == fmt.Sprint(*is)
		},
		put: func(t *tx) error {
			var is T
			if body, whole := half(t, k); whole {
				is = *body
			}
			return put(t, k, be(is))
		},
	}
}

// storeKey implements keyed.
func (f following) storeKey() store.Key { return f.key }

// missing returns those of some records that are not as they should be.
func missing(t *tx, all []following) ([]following, error) {
	for part := range slices.Chunk(all, store.MaxWrites) {
		keys := make([]keyed, len(part))
		for i, f := range part {
			keys[i] = f
		}
		if err := t.refer(keys...); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(f following) bool { return f.there(t) }), nil
}

// followersOf returns what follows from a binding as it stands, nothing where it or its
// history is not whole: then that is told of.
func (a *App) followersOf(ctx context.Context, id family.BindingID) (family.Binding, []following, error) {
	bindings, _, err := look(ctx, a, bindingKey(id))
	if err != nil || bindings[0] == nil {
		return family.Binding{}, nil, err
	}
	b := bindings[0].Binding
	records, err := a.list(ctx, store.Range{Part: bindingKey(id).Part, Prefix: eventPrefix, Limit: store.MaxList})
	if err != nil {
		return b, nil, err
	}
	events, _ := whole[family.Event](records)
	holders, _, err := look(ctx, a, accountKey(b.Holder))
	if err != nil || holders[0] == nil {
		return b, nil, err
	}
	return b, a.followers(b, events, holders[0].Account.Insurance.Region), nil
}

// proveFollowers wants all that follows from a binding to be there.
func (a *App) proveFollowers(ctx context.Context, id family.BindingID, proof *Proof) error {
	b, all, err := a.followersOf(ctx, id)
	if err != nil {
		return err
	}
	gone, err := act(ctx, a, func(t *tx) ([]following, error) { return missing(t, all) })
	for _, f := range gone {
		proof.found(b.Holder, 0, string(id), "not there, or damaged: "+f.what)
		proof.suspects.binding(id)
	}
	return err
}

// follow writes again what follows from a binding.
func (r *repairer) follow(ctx context.Context, id family.BindingID) error {
	_, all, err := r.followersOf(ctx, id)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(all, maxMended) {
		err := r.mend(ctx, func(t *tx) (string, error) {
			gone, err := missing(t, part)
			if err != nil || len(gone) == 0 {
				return "", err
			}
			for _, f := range gone {
				if err := f.put(t); err != nil {
					return "", err
				}
			}
			return fmt.Sprintf("%d records that follow from the binding %s are written again", len(gone), id), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// proveNotice wants what somebody is told to stand in its binding's history.
func (a *App) proveNotice(ctx context.Context, k store.Key, person string, n noticeRecord, proof *Proof) error {
	if n.Event.Binding == "" {
		return nil // a repair has taken it back
	}
	events, damaged, err := look(ctx, a, eventKey(n.Event.Binding, n.Event.Seq))
	if err == nil && !damaged[0] && (events[0] == nil || !events[0].At.Equal(n.Event.At)) {
		proof.found(family.PersonNo(person), 0, string(n.Event.Binding), "somebody is told what is not in the binding's history")
		proof.suspects.record(k)
	}
	return err
}

// proveTerms wants a thing to be found by its name, its initials and its code.
func (a *App) proveTerms(ctx context.Context, on shelf, name, code string, proof *Proof) error {
	var refs []ref[pointerRecord]
	for _, s := range termsOf(name, code) {
		refs = append(refs, termKey(on, s, code))
	}
	if len(refs) == 0 {
		return nil
	}
	to, _, err := look(ctx, a, refs...)
	for i := range to {
		if to[i] == nil || to[i].To != code {
			proof.found("", 0, code, "a thing is not found by one of its names")
			proof.suspects.record(store.Key(refs[i]))
		}
	}
	return err
}

// proveTerm wants the item to be there that something points at. Institutions are
// listed besides.
func (a *App) proveTerm(ctx context.Context, k store.Key, to string, proof *Proof) error {
	if !strings.HasPrefix(k.Part, "FIND#"+string(itemShelf)+"#") {
		return nil
	}
	items, damaged, err := look(ctx, a, itemKey(to))
	if err == nil && items[0] == nil && !damaged[0] {
		proof.found("", 0, to, "the item that is found is not there")
		proof.suspects.record(store.Key(itemKey(to)))
	}
	return err
}

// proveAsked wants whoever is asked for his word to find the question in his list.
func (a *App) proveAsked(ctx context.Context, id family.MessageID, m messageRecord, proof *Proof) error {
	if m.State != messageWaits || m.Confirmation == nil || !a.now().Before(m.Confirmation.Until.Add(confirmKeep)) {
		return nil
	}
	for _, asked := range m.Confirmation.Asked {
		key := confirmationKey(asked.Grantor, m.Confirmation.At, id)
		to, _, err := look(ctx, a, key)
		if err != nil {
			return err
		}
		if to[0] == nil || to[0].To != string(id) {
			proof.found(asked.Grantor, 0, string(id), "who is asked for his word does not find the question")
			proof.suspects.record(store.Key(key))
		}
	}
	return nil
}
