package app

import (
	"context"
	"slices"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Replayed is what came of deciding a settlement again.
type Replayed struct {
	Settlement  family.Settlement
	Differences []family.Difference
}

// Replay decides a sale again, from what it holds, the policy and the catalogue that
// it names and the patient's entries before it, and says where it comes out
// otherwise; a reversal or refund it reckons again from its sale. It writes nothing.
func (a *App) Replay(ctx context.Context, id family.MessageID) (Replayed, error) {
	outcome, err := a.settlement(ctx, id)
	if err != nil {
		return Replayed{}, err
	}
	s := outcome.Settlement
	if s.Kind != family.Settled {
		return a.replayBack(ctx, s)
	}
	var r family.Replayed
	if err := a.fresh(ctx); err != nil {
		return Replayed{}, err
	}
	policy, ok := a.policyNamed(s.Policy)
	if !ok {
		return Replayed{}, &family.Refusal{Code: family.NotFound, Field: "policy", Observed: s.Policy, Detail: "nobody knows the policy by which it was decided"}
	}
	r.Policy = policy
	refs := make([]ref[catalogueRecord], len(s.Lines))
	for i, l := range s.Lines {
		refs[i] = itemKey(l.Code)
	}
	items, err := many(ctx, a, refs...)
	if err != nil {
		return Replayed{}, err
	}
	r.Items = map[string]family.Item{}
	for i, item := range items {
		if item == nil {
			continue
		}
		if version, found := family.ItemOn(item.Versions, s.Basis.Day); found {
			r.Items[s.Lines[i].Code] = version
		}
	}
	if s.Told != nil {
		_, err := act(ctx, a, func(t *tx) (struct{}, error) {
			if err := t.refer(personKey(s.Patient)); err != nil {
				return struct{}{}, err
			}
			r.Born, r.Sex, err = a.who(t, s.Patient)
			return struct{}{}, err
		})
		if err != nil {
			return Replayed{}, err
		}
	}
	place, _, err := one(ctx, a, placeKey(s.Place))
	if err != nil {
		return Replayed{}, err
	}
	if r.Used, err = a.usedBefore(ctx, s, outcome.Visit); err != nil {
		return Replayed{}, err
	}
	return Replayed{s, family.Replay(s, place, r)}, nil
}

// replayBack reckons a reversal or refund again, from its sale and what had been given
// back of it before.
func (a *App) replayBack(ctx context.Context, back family.Settlement) (Replayed, error) {
	sale, err := a.settlement(ctx, back.Original)
	if err != nil {
		return Replayed{}, err
	}
	var before []family.Settlement
	for _, id := range sale.Settlement.Refunds {
		if id == back.ID {
			return Replayed{back, family.ReplayBack(sale.Settlement, before, back)}, nil
		}
		earlier, err := a.settlement(ctx, id)
		if err != nil {
			return Replayed{}, err
		}
		before = append(before, earlier.Settlement)
	}
	return Replayed{back, []family.Difference{{Field: "original_settlement_id", Was: string(back.Original), Is: ""}}}, nil
}

// usedBefore sums what the patient's entries before a sale say that his benefit had
// used up, and of a stay, what its earlier bills took of its deductible.
func (a *App) usedBefore(ctx context.Context, s family.Settlement, stay family.MessageID) (family.Used, error) {
	var used family.Used
	if !s.MedType.IsStay() {
		stay = ""
	}
	i := slices.IndexFunc(s.Legs, func(l family.Posting) bool { return l.Party == family.Personal && l.Account == s.Patient })
	if i < 0 {
		return used, nil
	}
	before := s.Legs[i].Seq
	r := store.Range{Part: accountKey(s.Patient).Part, Prefix: entryPrefix, Limit: store.MaxList}
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return used, err
		}
		entries, err := decodeAll[family.Entry](records)
		if err != nil {
			return used, err
		}
		for _, e := range entries {
			if e.Seq >= before {
				return used, nil
			}
			if e.Stay && stay != "" {
				bill, err := a.settlement(ctx, family.MessageID(e.Ref))
				if err != nil {
					return used, err
				}
				if bill.Visit == stay {
					used.Stay += e.Deductible
				}
			}
			if e.Insutype == s.Basis.Insutype && e.Stay == s.MedType.IsStay() && e.Day.Year() == s.Basis.Day.Year() {
				used.Deductible += e.Deductible
				used.Pool += e.Pool
				if e.Day == s.Basis.Day {
					used.Day += e.Pool
				}
			}
		}
		if len(records) < r.Limit {
			return used, nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}
