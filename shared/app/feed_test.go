package app

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/vault"
)

func TestFeedingAPersonAgainChangesNothing(t *testing.T) {
	h := emptyHouse(t)
	p := cast[0]
	if fed := h.feed(p); fed != FedCreated {
		t.Fatalf("a new person was %s", fed)
	}
	before := h.dump()
	if fed := h.feed(p); fed != FedUnchanged {
		t.Fatalf("the same person was %s", fed)
	}
	h.wantNothingMoved(before)

	// Each thing that the insurer may change is taken over, once.
	changes := []struct {
		what   string
		change func(*human)
	}{
		{"name", func(p *human) { p.name = "李明原" }},
		{"phone", func(p *human) { p.phone = "10000000009" }},
		{"no phone", func(p *human) { p.phone = "" }},
		{"card", func(p *human) { p.card = "A10000009" }},
		{"no card", func(p *human) { p.card = "" }},
		{"ID number", func(p *human) { p.born = "19850413" }},
		{"insurance paused", func(p *human) { p.insurance.Active = false }},
		{"moved", func(p *human) { p.insurance.Region, p.insurance.Active = "110100", true }},
		{"retired", func(p *human) { p.insurance.PsnType = "12" }},
	}
	for _, c := range changes {
		c.change(&p)
		if fed := h.feed(p); fed != FedUpdated {
			t.Fatalf("%s: the person was %s", c.what, fed)
		}
		if fed := h.feed(p); fed != FedUnchanged {
			t.Fatalf("%s: the same again was %s", c.what, fed)
		}
	}
	me := ok(h.Me(t.Context(), p.no))(t)
	same(t, "insurance", me.Account.Insurance, p.insurance)
	same(t, "masked name", me.NameMasked, "李**")
	id := string(idNumber(t, "990102", p.born, "001"))
	same(t, "masked ID number", me.IDNoMasked, id[:3]+"***********"+id[14:])
}

func TestANewNumberFreesTheOldOne(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	old := h.byID(li)

	mended := h.human(li)
	oldCard := mended.card
	mended.born, mended.card = "19850413", "A10000077" // the insurer had them wrong
	h.feed(mended)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: old, Bill: medicine(100)}))(t, family.IdentityMismatch)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: Credential{Type: ByCard, Value: oldCard}, Bill: medicine(100)}))(t, family.IdentityMismatch)
	h.settle(pharmacy, Credential{Type: ByCard, Value: mended.card}, medicine(100))
	now := Credential{Type: ByID, Value: string(h.feedOf(mended).ID), Name: mended.name}
	h.settle(pharmacy, now, medicine(100))

	// Somebody else may have the old number and the old card now.
	other := human{"P2001", "宋江河", "19850412", mended.insurance, oldCard, ""}
	feed := h.feedOf(other)
	feed.ID = family.IDNumber(old.Value)
	if fed := ok(h.FeedPerson(t.Context(), feed))(t); fed != FedCreated {
		t.Fatalf("the other person was %s", fed)
	}
	old.Name = other.name
	if out := h.settle(pharmacy, old, medicine(100)); out.Settlement.Patient != other.no {
		t.Fatalf("the old number names %s", out.Settlement.Patient)
	}
	if out := h.settle(pharmacy, Credential{Type: ByCard, Value: oldCard}, medicine(100)); out.Settlement.Patient != other.no {
		t.Fatalf("the old card names %s", out.Settlement.Patient)
	}
}

func TestANumberThatAnotherHasIsRefused(t *testing.T) {
	h := newHouse(t)
	before := h.dump()

	feed := h.feedOf(human{no: "P2001", name: "宋江河", born: "19700101", insurance: cast[0].insurance})
	feed.ID = h.idOf(li)
	if r := refused(h.FeedPerson(t.Context(), feed))(t, family.AlreadyBound); r.Field != "id_no" {
		t.Fatalf("the field at fault is %q", r.Field)
	}
	feed.ID = idNumber(t, "990102", "19700101", "777")
	feed.Card = h.human(li).card
	if r := refused(h.FeedPerson(t.Context(), feed))(t, family.AlreadyBound); r.Field != "card_no" {
		t.Fatalf("the field at fault is %q", r.Field)
	}
	// Neither may a known person take another's number.
	feed = h.feedOf(h.human(wang))
	feed.ID = h.idOf(li)
	refused(h.FeedPerson(t.Context(), feed))(t, family.AlreadyBound)
	h.wantNothingMoved(before)
}

func TestANameIsNeededAndShort(t *testing.T) {
	h := emptyHouse(t)
	feed := h.feedOf(cast[0])
	for _, name := range []string{"", strings.Repeat("长", 51)} {
		feed.Name = name
		if r := refused(h.FeedPerson(t.Context(), feed))(t, family.Malformed); r.Field != "name" {
			t.Fatalf("the field at fault is %q", r.Field)
		}
	}
	if dump := h.dump(); len(dump) > 0 {
		t.Fatalf("%d records were written", len(dump))
	}
}

func TestAFeedSealsAnewAfterTheKeysWereRotated(t *testing.T) {
	h := newHouse(t)
	newer := h.under(ok(ok(fixedKeys())(t).Rotate(&draws{n: 1000}))(t))
	if fed := ok(newer.FeedPerson(t.Context(), h.feedOf(cast[0])))(t); fed != FedUpdated {
		t.Fatalf("the person was %s", fed)
	}
	if fed := ok(newer.FeedPerson(t.Context(), h.feedOf(cast[0])))(t); fed != FedUnchanged {
		t.Fatalf("the person sealed anew was %s", fed)
	}
	ok(newer.Me(t.Context(), li))(t)
	// A process with the old keys fails on him, and does not say that he is unknown.
	if _, err := h.Me(t.Context(), li); !errors.Is(err, vault.ErrUnknownKey) {
		t.Fatalf("under the old keys: %v", err)
	}
}

func TestAStoreIsBegunUnderOneSetOfKeys(t *testing.T) {
	h := emptyHouse(t)
	if founded := ok(Founded(t.Context(), h.store))(t); founded {
		t.Fatal("an empty store holds a house")
	}
	for range 2 {
		if err := h.CheckKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if founded := ok(Founded(t.Context(), h.store))(t); !founded {
		t.Fatal("the store was not marked")
	}
	before := h.dump()
	other := h.over(h.store)
	other.vault = vault.New(ok(vault.NewKeys(&draws{n: 3000}))(t), &draws{})
	if err := other.CheckKeys(t.Context()); !errors.Is(err, ErrForeignKeys) {
		t.Fatalf("under other keys: %v", err)
	}
	h.wantNothingMoved(before)
}

func TestFeedingPlacesAndGoods(t *testing.T) {
	h := emptyHouse(t)
	place := places[0]
	for _, want := range []Fed{FedCreated, FedUnchanged} {
		if fed := ok(h.FeedPlace(t.Context(), place))(t); fed != want {
			t.Fatalf("the place was %s, want %s", fed, want)
		}
	}
	place.Level = "2"
	if fed := ok(h.FeedPlace(t.Context(), place))(t); fed != FedUpdated {
		t.Fatalf("the changed place was %s", fed)
	}

	item := goods[1]
	feed := func(want Fed) {
		t.Helper()
		if fed := ok(h.FeedItem(t.Context(), item))(t); fed != want {
			t.Fatalf("the item was %s, want %s", fed, want)
		}
	}
	feed(FedCreated)
	feed(FedUnchanged)
	item.Name = "乙类药（新名）"
	feed(FedUpdated)
	item.From = 20260401 // a later version stands beside
	feed(FedCreated)
	versions, _, err := one(t.Context(), h.App, itemKey(item.Code))
	if err != nil || len(versions.Versions) != 2 {
		t.Fatalf("the item has %d versions: %v", len(versions.Versions), err)
	}
	for day := family.Day(20270101); len(versions.Versions) < maxVersions; day++ {
		item.From = day
		feed(FedCreated)
		versions.Versions = append(versions.Versions, item)
	}
	item.From = 20280101
	refused(h.FeedItem(t.Context(), item))(t, family.StateForbids)
}

func TestACreditIsBookedOnce(t *testing.T) {
	h := newHouse(t)
	amount := family.Pockets{Current: 12345, Past: 678}
	if fed := ok(h.FeedCredit(t.Context(), "2026-03-P1001", li, amount))(t); fed != FedCreated {
		t.Fatalf("the credit was %s", fed)
	}
	same(t, "balance", h.account(li).Balance, amount)
	page := ok(h.Entries(t.Context(), li, "", 10))(t)
	if len(page.Items) != 1 || page.Items[0].Kind != family.Credited || page.Items[0].Ref != "2026-03-P1001" || page.Items[0].Delta != amount {
		t.Fatalf("the entries are %+v", page.Items)
	}

	before := h.dump()
	if fed := ok(h.FeedCredit(t.Context(), "2026-03-P1001", li, amount))(t); fed != FedUnchanged {
		t.Fatalf("the same credit was %s", fed)
	}
	refused(h.FeedCredit(t.Context(), "2026-03-P1001", wang, amount))(t, family.MessageReused)
	refused(h.FeedCredit(t.Context(), "2026-03-P1001", li, family.Pockets{Current: 1}))(t, family.MessageReused)
	refused(h.FeedCredit(t.Context(), "another", "P9999", amount))(t, family.NotFound)
	for _, reference := range []string{"", strings.Repeat("r", 65)} {
		refused(h.FeedCredit(t.Context(), reference, li, amount))(t, family.Malformed)
	}
	for _, amount := range []family.Pockets{{}, {Current: -1}, {Current: 5, Past: -1}, {Current: family.MaxFen + 1}, {Past: family.MaxFen + 1}} {
		refused(h.FeedCredit(t.Context(), "another", li, amount))(t, family.Malformed)
	}
	h.wantNothingMoved(before)
	h.prove()
}

func TestAFrozenPersonNeitherPaysNorGetsBenefit(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	h.pay(wang, 1000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	sold := h.settle(pharmacy, h.byID(wang), medicine(2000))

	freeze := func(frozen bool) {
		t.Helper()
		if err := h.Freeze(t.Context(), anna, li, frozen); err != nil {
			t.Fatal(err)
		}
		before := h.dump()
		if err := h.Freeze(t.Context(), anna, li, frozen); err != nil {
			t.Fatal(err)
		}
		h.wantNothingMoved(before)
	}
	freeze(true)
	if out := h.settle(pharmacy, h.byID(wang), medicine(2000)); out.Settlement.Paid.SharedPaid != 0 || !slices.Equal(reasons(out), []string{"P1001 0.00 person_frozen"}) {
		t.Fatalf("a frozen account paid: %v", reasons(out))
	}
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(li), Bill: medicine(100)}))(t, family.PersonFrozen)
	refused(h.IssueQR(t.Context(), li, "", Once{}))(t, family.PersonFrozen)
	ok(h.IssueQR(t.Context(), li, id, Once{}))(t) // his wife is not frozen

	// What he paid comes back all the same.
	ok(h.Reverse(t.Context(), pharmacy, sold.Settlement.ID, h.message(pharmacy), "退药"))(t)
	same(t, "his balance", h.balance(li), family.Fen(10000))

	freeze(false)
	if out := h.settle(pharmacy, h.byID(wang), medicine(2000)); out.Settlement.Paid.SharedPaid == 0 {
		t.Fatalf("an account that was frozen before does not pay: %v", reasons(out))
	}
	if err := h.Freeze(t.Context(), anna, "P9999", true); codeOf(err) != family.NotFound {
		t.Fatalf("freezing nobody: %v", err)
	}
	h.prove()
}

func TestASuspendedPlaceCannotSettleButCanGiveBack(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	sold := h.settle(pharmacy, h.byID(wang), medicine(2000))
	if err := h.Suspend(t.Context(), anna, pharmacy, true); err != nil {
		t.Fatal(err)
	}
	before := h.dump()
	if err := h.Suspend(t.Context(), anna, pharmacy, true); err != nil {
		t.Fatal(err)
	}
	refused(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: h.byID(wang), Bill: medicine(100)}))(t, family.InstitutionNotDesignated)
	refused(h.Check(t.Context(), wang, "", pharmacy, medicine(100), family.Need{}))(t, family.InstitutionNotDesignated)
	h.wantNothingMoved(before)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(100)}))(t, family.InstitutionNotDesignated)
	ok(h.Reverse(t.Context(), pharmacy, sold.Settlement.ID, h.message(pharmacy), ""))(t)
	same(t, "her balance", h.balance(wang), family.Fen(10000))

	if err := h.Suspend(t.Context(), anna, pharmacy, false); err != nil {
		t.Fatal(err)
	}
	h.settle(pharmacy, h.byID(wang), medicine(100))
	if err := h.Suspend(t.Context(), anna, "P43010009999", true); codeOf(err) != family.NotFound {
		t.Fatalf("suspending nowhere: %v", err)
	}
	refused(h.Settle(t.Context(), "P43010009999", SettleAsk{Message: h.message("P43010009999"), Credential: h.byID(wang), Bill: medicine(100)}))(t, family.InstitutionNotDesignated)
	h.prove()
}
