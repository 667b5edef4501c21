package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Those who put accounts right: two clerks, and one who is a person of the house.
var (
	clerk   = family.Reviewer{Subject: "clerk"}
	chief   = family.Reviewer{Subject: "chief"}
	insider = family.Reviewer{Subject: "insider", Person: li}
)

// adjustment is a proposal to change Li's account of this year.
func adjustment(reference string, fen family.Fen) family.Adjustment {
	return family.Adjustment{Reference: reference, Person: li, Amount: family.Pockets{Current: fen}, Reason: "wrong_amount"}
}

// TestTwoPeopleAdjustAnAccount: a proposal moves nothing; another person books it, in
// the chain, once; and nobody overdraws an account or touches his own.
func TestTwoPeopleAdjustAnAccount(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	ctx := t.Context()
	ok(h.FeedCredit(ctx, "PAID1", wang, family.Pockets{Current: 100}))(t)
	refused(h.ProposeAdjustment(ctx, clerk, adjustment("PAID1", 100)))(t, family.MessageReused) // a payment's
	before := h.account(li)

	if first := ok(h.ProposeAdjustment(ctx, clerk, adjustment("A1", -2500)))(t); first.Replay || first.Answer.State != family.AdjustmentProposed {
		t.Fatalf("%+v", first)
	}
	if again := ok(h.ProposeAdjustment(ctx, chief, adjustment("A1", -2500)))(t); !again.Replay || again.Answer.ProposedBy != "clerk" {
		t.Fatalf("%+v", again)
	}
	same(t, "the account before anybody approved", h.account(li), before)
	dump := h.dump()
	refused(h.ProposeAdjustment(ctx, clerk, adjustment("A1", -2501)))(t, family.MessageReused)
	refused(h.ProposeAdjustment(ctx, insider, adjustment("A9", 1)))(t, family.NotPermitted)
	other := adjustment("A9", 1)
	other.Person = "P9999"
	refused(h.ProposeAdjustment(ctx, clerk, other))(t, family.NotFound)
	for _, spoil := range []func(*family.Adjustment){
		func(j *family.Adjustment) { j.Reference = "" },
		func(j *family.Adjustment) { j.Reference = "a b" },
		func(j *family.Adjustment) { j.Reference = "../x" },
		func(j *family.Adjustment) { j.Reference = strings.Repeat("r", 65) },
		func(j *family.Adjustment) { j.Amount = family.Pockets{} },
		func(j *family.Adjustment) { j.Amount.Past = -family.MaxFen - 1 },
		func(j *family.Adjustment) { j.Amount.Current = family.MaxFen + 1 },
		func(j *family.Adjustment) { j.Reason = "" },
		func(j *family.Adjustment) { j.Reason = "because" },
	} {
		j := adjustment("A9", 1)
		spoil(&j)
		refused(h.ProposeAdjustment(ctx, clerk, j))(t, family.Malformed)
	}
	refused(h.ApproveAdjustment(ctx, clerk, "A1"))(t, family.NotPermitted)
	refused(h.ApproveAdjustment(ctx, insider, "A1"))(t, family.NotPermitted)
	refused(h.ApproveAdjustment(ctx, family.Reviewer{}, "A1"))(t, family.NotPermitted)
	refused(h.ApproveAdjustment(ctx, chief, "A9"))(t, family.NotFound)
	h.wantNothingMoved(dump)

	booked := ok(h.ApproveAdjustment(ctx, chief, "A1"))(t)
	if booked.State != family.AdjustmentBooked || booked.DecidedBy != "chief" || booked.Seq != 2 {
		t.Fatalf("%+v", booked)
	}
	dump = h.dump()
	same(t, "approved again", ok(h.ApproveAdjustment(ctx, chief, "A1"))(t), booked)
	refused(h.ApproveAdjustment(ctx, family.Reviewer{Subject: "third"}, "A1"))(t, family.StateForbids)
	refused(h.RejectAdjustment(ctx, chief, "A1"))(t, family.StateForbids)
	refused(h.FeedCredit(ctx, "A1", li, family.Pockets{Current: -2500 + 5000}))(t, family.MessageReused)
	h.wantNothingMoved(dump)
	entry := ok(h.Entries(ctx, li, "", 1))(t).Items[0]
	if entry.Kind != family.Adjusted || entry.Ref != "A1" || entry.Reason != "wrong_amount" || entry.Delta.Current != -2500 || entry.After.Current != 7500 {
		t.Fatalf("%+v", entry)
	}
	if receipts := ok(h.Receipts(ctx, li, AsPayer, "", 10))(t); len(receipts.Items) != 0 {
		t.Fatalf("an adjustment is no receipt: %+v", receipts)
	}

	// Below zero, and below what is frozen for relatives, nobody gets by any two.
	terms := forAll()
	terms.Quota = 5000
	h.bind(li, wang, "12", true, terms)
	for reference, fen := range map[string]family.Fen{"A2": -7501, "A3": -2501} {
		ok(h.ProposeAdjustment(ctx, clerk, adjustment(reference, fen)))(t)
		dump := h.dump()
		refused(h.ApproveAdjustment(ctx, chief, reference))(t, family.StateForbids)
		h.wantNothingMoved(dump)
	}
	ok(h.RejectAdjustment(ctx, clerk, "A2"))(t) // taken back
	ok(h.RejectAdjustment(ctx, chief, "A3"))(t)
	refused(h.ApproveAdjustment(ctx, chief, "A2"))(t, family.StateForbids)

	// A reference that a credit took meanwhile is the credit's.
	ok(h.ProposeAdjustment(ctx, clerk, adjustment("A4", 5)))(t)
	ok(h.FeedCredit(ctx, "A4", li, family.Pockets{Current: 5}))(t)
	refused(h.ApproveAdjustment(ctx, chief, "A4"))(t, family.MessageReused)

	page := ok(h.Adjustments(ctx, family.AdjustmentRejected, "", 1))(t)
	if len(page.Items) != 1 || page.Items[0].Reference != "A2" || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	if page = ok(h.Adjustments(ctx, family.AdjustmentRejected, page.Next, 1))(t); len(page.Items) != 1 || page.Items[0].Reference != "A3" {
		t.Fatalf("%+v", page)
	}
	h.prove()
}

// TestManyApproveOneAdjustment: it is booked once.
func TestManyApproveOneAdjustment(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	ok(h.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -2500)))(t)
	together(16, func(i int) {
		_, err := h.ApproveAdjustment(t.Context(), family.Reviewer{Subject: string(rune('a' + i%4))}, "A1")
		if code := codeOf(err); code != "" && code != family.StateForbids && code != family.Busy {
			t.Errorf("%v", err)
		}
	})
	if a := h.account(li); a.Balance.Current != 7500 || a.Seq != 2 {
		t.Fatalf("%+v", a)
	}
	h.prove()
}

// between is a store beside which something else happens after its first Get.
type between struct {
	store.Store
	other func()
}

func (b *between) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	records, err := b.Store.Get(ctx, keys...)
	if other := b.other; other != nil {
		b.other = nil
		other()
	}
	return records, err
}

// TestARefusalRestsOnOneMoment: one reads a proposal; another approves it; the first
// finds its reference taken. That it was proposed and its reference taken never was.
func TestARefusalRestsOnOneMoment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pay(li, 10000, 0)
	ok(h.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -2500)))(t)
	meanwhile := false
	late := h.over(&between{Store: h.store, other: func() {
		meanwhile = true
		ok(h.ApproveAdjustment(t.Context(), chief, "A1"))(t)
	}})
	refused(late.ApproveAdjustment(t.Context(), family.Reviewer{Subject: "third"}, "A1"))(t, family.StateForbids)
	if !meanwhile {
		t.Error("nothing happened between")
	}
}

// TestTheProofSeesOneWhoAdjustsAlone: who writes the table with the right stamps, and
// makes an adjustment or changes one that two people made, is found.
func TestTheProofSeesOneWhoAdjustsAlone(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	ok(h.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -2500)))(t)
	ok(h.ApproveAdjustment(t.Context(), chief, "A1"))(t)
	h.prove()
	for _, key := range []store.Key{adjustmentKey("A1").storeKey(), creditKey("A1").storeKey(), entryKey(li, 2).storeKey()} {
		body := ok(h.stamps().Get(t.Context(), key))(t)[0].Body
		for _, change := range tampered(t, body) {
			if slices.Contains([]string{"ProposedAt", "Proposer", "DecidedBy", "ProposedBy"}, change.path) {
				continue // who it was, as long as it was two
			}
			h.forge(key, change.body)
			if !h.notices() {
				t.Errorf("nobody noticed a change of %s in %s", change.path, key.Part)
			}
		}
		h.forge(key, body)
	}
	key := adjustmentKey("A1").storeKey()
	var j family.Adjustment
	if err := json.Unmarshal(ok(h.stamps().Get(t.Context(), key))(t)[0].Body, &j); err != nil {
		t.Fatal(err)
	}
	j.DecidedBy = j.ProposedBy
	alone, _ := json.Marshal(j)
	h.forge(key, alone)
	if !h.notices() {
		t.Error("nobody noticed that one person proposed and approved")
	}
}
