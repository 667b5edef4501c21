package family_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/family"

	"github.com/google/go-cmp/cmp"
)

func TestTerms(t *testing.T) {
	for _, c := range []struct {
		field string // that is malformed; "" passes
		terms family.Terms
	}{
		{"", family.Terms{Purposes: []family.Purpose{family.ForCare}}},
		{"", family.Terms{Purposes: family.Purposes, MonthlyCap: family.MaxFen, PerSettlementCap: 1, Quota: 100_00, ValidUntil: 20260310}},
		{"pay.purposes", family.Terms{}},
		{"pay.purposes", family.Terms{Purposes: []family.Purpose{family.ForCare, family.ForCare}}},
		{"pay.purposes", family.Terms{Purposes: []family.Purpose{"shopping"}}},
		{"pay.monthly_cap_fen", family.Terms{Purposes: family.Purposes, MonthlyCap: -1}},
		{"pay.monthly_cap_fen", family.Terms{Purposes: family.Purposes, MonthlyCap: family.MaxFen + 1}},
		{"pay.per_settlement_cap_fen", family.Terms{Purposes: family.Purposes, PerSettlementCap: -1}},
		{"pay.per_settlement_cap_fen", family.Terms{Purposes: family.Purposes, PerSettlementCap: family.MaxFen + 1}},
		{"pay.quota_fen", family.Terms{Purposes: family.Purposes, Quota: -1}},
		{"pay.quota_fen", family.Terms{Purposes: family.Purposes, Quota: family.MaxFen + 1}},
		{"pay.valid_until", family.Terms{Purposes: family.Purposes, ValidUntil: 20260309}},
	} {
		w, _ := bindingTown()
		_, refusal := w.bind("P0", "P1", "20", false, &c.terms)
		if c.field == "" {
			refusedWith(t, refusal, "")
			continue
		}
		refusedWith(t, refusal, family.Malformed)
		if refusal.Field != c.field {
			t.Errorf("%+v, want %s", refusal, c.field)
		}
		// The same of new terms.
		w, _ = bindingTown()
		id, refusal := w.bind("P0", "P1", "20", true, nil)
		refusedWith(t, refusal, "")
		refusedWith(t, w.change("P0", id, family.Change{SetPay: true, Pay: &c.terms}), family.Malformed)
	}
	// What the region does not offer cannot be granted.
	w, policy := bindingTown()
	policy.Grants.Purposes = []family.Purpose{family.ForCare}
	_, refusal := w.bind("P0", "P1", "20", false, &family.Terms{Purposes: []family.Purpose{family.ForPharmacy}})
	refusedWith(t, refusal, family.Malformed)
}

// TestQuotaGrowsOnlyIntoWhatIsThere: freezing more needs the money; what is frozen
// stands when the free money goes, and may always shrink.
func TestQuotaGrowsOnlyIntoWhatIsThere(t *testing.T) {
	w, policy := bindingTown()
	quota := func(f family.Fen) family.Change {
		return family.Change{SetPay: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}, Quota: f}}
	}
	id, refusal := w.bind("P0", "P1", "20", false, forCare)
	refusedWith(t, refusal, "")
	refusedWith(t, w.change("P0", id, quota(100_01)), family.AccountEmpty)
	refusedWith(t, w.change("P0", id, quota(100_00)), "")
	policy.Grants.Floor = 60_00 // now no more than 40.00 could be frozen
	paused := true
	refusedWith(t, w.change("P0", id, family.Change{Paused: &paused}), "")
	refusedWith(t, w.change("P0", id, quota(100_01)), family.AccountEmpty)
	refusedWith(t, w.change("P0", id, quota(99_00)), "")
	refusedWith(t, w.change("P0", id, quota(40_00)), "")
	refusedWith(t, w.change("P0", id, quota(40_01)), family.AccountEmpty)
	policy.Grants.Money = family.PastYears // and there is no money of past years
	refusedWith(t, w.change("P0", id, quota(39_00)), "")
	refusedWith(t, w.change("P0", id, quota(40_00)), family.AccountEmpty)
	w.credit("P0", family.Pockets{Past: 100_00})
	refusedWith(t, w.change("P0", id, quota(40_00)), "")
	refusedWith(t, w.change("P0", id, quota(40_01)), family.AccountEmpty)
	a := w.accounts["P0"]
	if got := a.Free(); got != (family.Pockets{Current: 100_00, Past: 60_00}) {
		t.Errorf("quotas lie in past years' money first, free are %v", got)
	}
	// A quota that waits for the member's consent is checked when he gives it.
	w, _ = bindingTown()
	id, refusal = w.request("P0", "P1", "20", false, &family.Terms{Purposes: []family.Purpose{family.ForCare}, Quota: 100_01})
	refusedWith(t, refusal, "")
	submit(t, w, id)
	refusedWith(t, accept(w, id), family.AccountEmpty)
	w.credit("P0", family.Pockets{Past: 1})
	refusedWith(t, accept(w, id), "")
}

// TestChangeSetsWhatItNames: each change does its own and leaves the rest.
func TestChangeSetsWhatItNames(t *testing.T) {
	w, _ := bindingTown()
	id, refusal := w.bind("P0", "P1", "20", true, forCare)
	refusedWith(t, refusal, "")
	before := w.bindings[id]
	refusedWith(t, w.change("P0", id, family.Change{}), "")
	if diff := cmp.Diff(before, w.bindings[id]); diff != "" {
		t.Error(diff)
	}
	terms := &family.Terms{Purposes: []family.Purpose{family.ForPharmacy}, MonthlyCap: 5_00, PerSettlementCap: 4_00, ValidUntil: 20261231}
	refusedWith(t, w.change("P0", id, family.Change{SetPay: true, Pay: terms}), "")
	want := []family.Grant{{Binding: id, Beneficiary: "P1", Relation: "20", Terms: *terms, Since: 1}}
	if diff := cmp.Diff(want, w.accounts["P0"].Given); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]family.Grantor{{Person: "P0", Binding: id}}, w.accounts["P1"].Grantors); diff != "" {
		t.Error(diff)
	}
	if bound := w.bound["P0"]; len(bound) != 1 || !bound[0].Pay || !bound[0].Show {
		t.Errorf("%+v", bound)
	}
	refusedWith(t, w.change("P0", id, family.Change{SetPay: true}), "")
	if bound := w.bound["P0"]; bound[0].Pay || !bound[0].Show || len(w.accounts["P0"].Given)+len(w.accounts["P1"].Grantors) != 0 {
		t.Errorf("%+v", bound)
	}
	if b := w.bindings[id]; b.State != family.BindingActive || b.Pay != nil || !b.Show {
		t.Errorf("%+v", b)
	}
}

func TestBindingsInAll(t *testing.T) {
	w, policy := bindingTown()
	policy.MaxLinks, policy.Grants.MaxMembers = 15, 15
	for i := range family.MaxMembers {
		show, pay := i < 12, forCare
		if show {
			pay = nil
		}
		_, refusal := w.bind("P0", family.PersonNo("P"+strconv.Itoa(i+1)), "20", show, pay)
		refusedWith(t, refusal, "")
	}
	_, refusal := w.bind("P0", "P25", "20", true, nil)
	refusedWith(t, refusal, family.BindingLimitReached)
	if refusal.Rule != "bindings" || refusal.Observed != "20" || refusal.Allowed != "20" {
		t.Errorf("%+v", refusal)
	}
}

func TestBindingStanding(t *testing.T) {
	for want, b := range map[string]family.Binding{
		"draft":           {State: family.BindingDraft, Show: true},
		"awaiting_member": {State: family.BindingAwaiting},
		"in_review":       {State: family.BindingInReview},
		"active":          {State: family.BindingActive, Show: true},
		"active, no show": {State: family.BindingActive},
		"paused":          {State: family.BindingActive, Show: true, PausedByMember: true},
		"declined":        {State: family.BindingDeclined, PausedByHolder: true},
		"ended":           {State: family.BindingEnded, Show: true},
	} {
		if got := b.Standing(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := b.MayShow(); got != (want == "active") {
			t.Errorf("%s: may show %t", want, got)
		}
		if got := b.Live(); got != !slices.Contains([]string{"declined", "ended"}, want) {
			t.Errorf("%s: live %t", want, got)
		}
	}
	b := family.Binding{Holder: "H", Member: "M"}
	if b.SideOf("H") != family.BySelf || b.SideOf("M") != family.ByMember || b.SideOf("X") != "" {
		t.Error("sides")
	}
}

func TestSmallThings(t *testing.T) {
	for id, want := range map[family.BindingID]bool{
		"01JQ0000000000000000000000": true, "": false, "01JQ000000000000000000000": false, "01JQ00000000000000000000000": false, "01JQ00000000000000000000#0": false,
	} {
		if id.Valid() != want {
			t.Errorf("%q: %t", id, !want)
		}
	}
	// The first kind of answer ends with the message that was used before.
	for i, c := range family.Codes {
		if want := i <= slices.Index(family.Codes, family.MessageReused); c.Malformed() != want {
			t.Errorf("%s: malformed %t", c, !want)
		}
	}
	item := func() family.Item {
		return family.Item{Code: "X", Name: "药", ListType: "101", Class: family.ClassB, SelfPay: map[family.Insutype]family.Ratio{"310": 1000}, Ceiling: map[family.Level]family.Fen{"5": 1}, From: 20260101, To: 20261231}
	}
	if !item().Equal(item()) {
		t.Error("an item is not itself")
	}
	for i, change := range []func(*family.Item){
		func(i *family.Item) { i.Code = "Y" }, func(i *family.Item) { i.Name = "" }, func(i *family.Item) { i.ListType = "" }, func(i *family.Item) { i.Class = family.ClassA },
		func(i *family.Item) { i.SelfPay["310"]++ }, func(i *family.Item) { i.Ceiling["6"] = 1 }, func(i *family.Item) { i.From++ }, func(i *family.Item) { i.To = 0 },
	} {
		other := item()
		change(&other)
		if item().Equal(other) || other.Equal(item()) {
			t.Errorf("change %d is no change", i)
		}
	}
	// Errors keep what they quote short.
	if _, err := family.ParseYuan(strings.Repeat("9", 1000)); err == nil || len(err.Error()) > 100 {
		t.Error(err)
	}
	g := family.Grant{Spent: family.MonthSpent{Month: 202603, Spent: 5}}
	if g.SpentIn(202603) != 5 || g.SpentIn(202604) != 0 {
		t.Error("a month's spending")
	}
}
