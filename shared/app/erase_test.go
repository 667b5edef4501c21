package app

import (
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/vault"
)

// TestAPersonsKeyIsDestroyedAndTheBooksProve: he paid for his wife, left the house, and
// two operators destroy who he was. Nobody finds or reads him any more, not even in a
// copy of his record from before once the house's keys have rotated; everybody's
// settlements, his own among them, are as they were, come back when goods do, and prove.
func TestAPersonsKeyIsDestroyedAndTheBooksProve(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.pay(li, 3000, 0)
	h.pay(wang, 1000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	sold := h.settle(pharmacy, h.byID(wang), medicine(4000))
	if sold.Settlement.Paid.SharedPaid != 3000 {
		t.Fatalf("he paid %v", sold.Settlement.Paid)
	}
	feed := h.feedOf(h.human(li))
	needed := func() {
		t.Helper()
		before := h.dump()
		same(t, "rule", refused(h.Erase(ctx, anna, li))(t, family.StateForbids).Rule, "erasures.needed")
		h.wantNothingMoved(before)
	}
	needed() // he is insured
	left := feed
	left.Insurance.Active = false
	ok(h.FeedPerson(ctx, left))(t)
	needed() // and bound
	ok(h.EndBinding(ctx, li, id))(t)
	ok(h.FeedCredit(ctx, "late", li, family.Pockets{Current: 5}))(t)
	needed() // and has money
	adjust := family.Adjustment{Reference: "heirs", Person: li, Amount: family.Pockets{Current: -5}, Reason: family.Ruling}
	ok(h.ProposeAdjustment(ctx, anna, adjust))(t)
	ok(h.ApproveAdjustment(ctx, bert, "heirs"))(t)
	ok(h.FeedPerson(ctx, feed))(t)
	needed() // and is insured again
	ok(h.FeedPerson(ctx, left))(t)

	// Two people, neither of them he, within a week.
	refused(h.Erase(ctx, family.Reviewer{Subject: "li", Person: li}, li))(t, family.NotPermitted)
	refused(h.Erase(ctx, anna, "P9999"))(t, family.NotFound)
	for range 2 {
		if e := ok(h.Erase(ctx, anna, li))(t); e.Done() {
			t.Fatal("one person did it alone")
		}
	}
	h.clock.add(8 * 24 * time.Hour)
	if e := ok(h.Erase(ctx, bert, li))(t); e.Done() || e.ProposedBy != "bert" {
		t.Fatalf("a proposal of long ago: %+v", e)
	}
	same(t, "his name", ok(h.Identify(ctx, pharmacy, h.byID(li)))(t).Name, feed.Name)
	copied := h.person(li)
	if e := ok(h.Erase(ctx, anna, li))(t); !e.Done() {
		t.Fatalf("%+v", e)
	}
	before := h.dump()
	if e := ok(h.Erase(ctx, anna, li))(t); !e.Done() {
		t.Fatalf("again: %+v", e)
	}
	h.wantNothingMoved(before)

	// Nothing of him can be read, and nobody finds him.
	if left := h.person(li); left.Key+left.Name+left.IDNo+left.Phone+left.IDIndex+left.CardIdx != "" || left.Born != 0 {
		t.Errorf("of his record is left: %+v", left)
	}
	me := ok(h.Me(ctx, li))(t)
	if me.NameMasked != "*" || me.IDNoMasked != "" {
		t.Errorf("he is shown as %q, %q", me.NameMasked, me.IDNoMasked)
	}
	refused(h.Settle(ctx, pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(li), Bill: medicine(100)}))(t, family.IdentityMismatch)
	refused(h.Settle(ctx, pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: Credential{ByCard, feed.Card, feed.Name}, Bill: medicine(100)}))(t, family.IdentityMismatch)
	refused(h.Identify(ctx, pharmacy, h.byID(li)))(t, family.IdentityMismatch)
	refused(h.RequestBinding(ctx, wang, h.ask(li, "11", true, nil), Once{}))(t, family.IdentityMismatch)
	refused(h.IssueQR(ctx, li, "", Once{}))(t, family.PersonNotInsured)
	same(t, "rule", refused(h.FeedPerson(ctx, feed))(t, family.StateForbids).Rule, "erasures.done")

	// What lies in a backup goes with the key that wrapped his.
	rotated := ok(ok(fixedKeys())(t).Rotate(&draws{n: 1000}))(t)
	if done := ok(h.under(rotated).Reseal(ctx))(t); !done {
		t.Fatal("not sealed anew")
	}
	h.App = h.under(ok(rotated.Drop())(t))
	if _, err := h.unseal(li, copied, "name"); err != vault.ErrUnknownKey {
		t.Errorf("a copy of his record from before: %v", err)
	}

	// The books: his and others', and goods that come back.
	h.prove()
	shown := ok(h.FindMessage(ctx, pharmacy, sold.Settlement.ID))(t)
	same(t, "the settlement", shown.Settled.Settlement.Paid, sold.Settlement.Paid)
	ok(h.Reverse(ctx, pharmacy, sold.Settlement.ID, h.message(pharmacy), ""))(t)
	same(t, "what he paid is back", h.balance(li), family.Fen(3000))
	h.settle(pharmacy, h.byID(wang), medicine(500))
	h.prove()
	for after, complete := (store.Key{}), false; !complete; {
		proof := ok(h.ProveTable(ctx, after, 500))(t)
		after, complete = proof.After, proof.Complete
		if len(proof.Faults) > 0 {
			t.Errorf("the whole table: %+v", proof.Faults)
		}
	}
	for k, r := range h.dump() {
		if strings.Contains(r.Body, feed.Name) || strings.Contains(r.Body, string(feed.ID)) {
			t.Errorf("%v names him", k)
		}
	}
}

// TestManyEraseOnePerson: of many operators who ask at once one proposes and one does it.
func TestManyEraseOnePerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	left := h.feedOf(h.human(zhou))
	left.Insurance.Active = false
	ok(h.FeedPerson(t.Context(), left))(t)
	together(8, func(i int) {
		by := family.Reviewer{Subject: "clerk" + string(rune('a'+i%4)), Person: family.PersonNo("P8" + string(rune('0'+i%2)))}
		_, err := h.Erase(t.Context(), by, zhou)
		if code := codeOf(err); err != nil && code != family.NotPermitted && code != family.Busy {
			t.Errorf("%v", err)
		}
	})
	done := h.person(zhou).Erasure
	if done.ProposedBy == "" || done.Done() && done.ProposedBy == done.DecidedBy {
		t.Errorf("%+v", done)
	}
	h.prove()
}
