package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// TestOperatorsLeaveATrail: what operators do and whom they look at is written down, in
// both places; a repeat, which does nothing, and a look at nobody leave no line.
func TestOperatorsLeaveATrail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.pay(li, 500, 0)
	wife := h.bind(li, wang, "12", true, forAll())
	for _, frozen := range []bool{true, true, false} {
		if err := h.Freeze(ctx, anna, li, frozen); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Suspend(ctx, anna, pharmacy, true); err != nil {
		t.Fatal(err)
	}
	key := SigningKey{ID: "AK1", Institution: pharmacy, Scheme: SchemeAPI, Secret: "SK-of-a-key"}
	for _, want := range []Fed{FedCreated, FedUnchanged} {
		same(t, "a key", ok(h.FeedSigningKey(ctx, anna, key))(t), want)
	}
	if _, _, err := h.BindingsAtCounter(ctx, anna, Identity{h.human(li).name, h.idOf(li)}); err != nil {
		t.Fatal(err)
	}
	refused(h.LookAtPerson(ctx, anna, PersonAsk{Person: "P9999"}))(t, family.NotFound)
	refused(h.LookAtPerson(ctx, anna, PersonAsk{Card: "A99999999"}))(t, family.NotFound)
	for _, ask := range []PersonAsk{{Person: li}, {ID: h.idOf(li)}, {Card: h.human(li).card}} {
		h.clock.add(time.Second) // lines of one second stand in no order
		file := ok(h.LookAtPerson(ctx, anna, ask))(t)
		same(t, "whom he sees", file.Account.Person, li)
		same(t, "his binding", file.Bindings[0].Binding.ID, wife)
		same(t, "his balance", file.Entries[0].After.Total(), family.Fen(500))
		same(t, "the look itself", file.Acts[0].What, ActLook)
	}
	said := func(acts []OperatorAct) (lines []string) {
		for _, a := range acts {
			same(t, "who did it", a.By, anna.Subject)
			lines = append(lines, string(a.What)+" "+string(a.Person)+string(a.Institution)+a.Ref)
		}
		return lines
	}
	all := ok(h.ActsOfDay(ctx, family.DayOf(h.clock.Now()), "", 100))(t)
	count := map[string]int{}
	for _, line := range said(all.Items) {
		count[line]++
	}
	same(t, "the day's trail", count, map[string]int{
		"freeze " + string(li): 1, "unfreeze " + string(li): 1, "suspend " + string(pharmacy): 1, "key " + string(pharmacy) + "AK1": 1, "serve " + string(li): 1, "look " + string(li): 3,
	})
	first := ok(h.ActsOfDay(ctx, family.DayOf(h.clock.Now()), "", 5))(t)
	rest := ok(h.ActsOfDay(ctx, family.DayOf(h.clock.Now()), first.Next, 5))(t)
	same(t, "the same in two pages", append(first.Items, rest.Items...), all.Items)
	file := ok(h.PlaceFileOf(ctx, pharmacy))(t)
	same(t, "the pharmacy's trail", len(file.Acts), 2)
	same(t, "its key", file.Keys, []SigningKey{{ID: "AK1", Institution: pharmacy, Scheme: SchemeAPI}})
	if file.Place.Designated {
		t.Error("it is not suspended")
	}
	refused(h.PlaceFileOf(ctx, "P43010009999"))(t, family.NotFound)
	events := ok(h.BindingTrail(ctx, wife, "", 100))(t)
	if len(events.Items) == 0 {
		t.Error("the binding has no history")
	}
	refused(h.BindingTrail(ctx, "01KAJ3Z8F0ZZZZZZZZZZZZZZZZ", "", 1))(t, family.NotFound)
	h.prove()
}
