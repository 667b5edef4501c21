package family_test

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// TestPapersWhoseTimeIsOverHaveADay: where a region keeps papers for no days, or for
// fewer than when they were decided on, they are still looked at again and deleted.
func TestPapersWhoseTimeIsOverHaveADay(t *testing.T) {
	now := time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)
	for _, days := range []int{0, 5, 30} {
		p := &family.Policy{Binding: family.BindPolicy{PaperDays: days}}
		pair := family.Pair{Binding: family.Binding{
			State: family.BindingEnded, Created: now.AddDate(0, 0, -20), Ended: now.AddDate(0, 0, -10),
			Materials: []family.Material{{Kind: family.HouseholdRegister, State: family.MaterialKept}},
		}}
		if days == 0 {
			pair.Binding.Ended = now
		}
		at := pair.Scheduled(family.Facts{}, p, now).Binding.Due
		if at <= family.DayOf(now) {
			t.Fatalf("kept for %d days: looked at again on %s", days, at)
		}
		noon := time.Date(at.Year(), time.Month(at/100%100), int(at%100), 4, 0, 0, 0, time.UTC)
		if after := pair.Tend(family.Facts{}, p, noon); after.Binding.Materials[0].State != family.MaterialDeleted || after.Binding.Due != 0 {
			t.Errorf("kept for %d days: on %s it is %s, and looked at again on %s", days, at, after.Binding.Materials[0].State, after.Binding.Due)
		}
	}
}

// TestARaisedCapIsLetInOnItsDay: on that day, and not the day before.
func TestARaisedCapIsLetInOnItsDay(t *testing.T) {
	now := time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)
	p := &family.Policy{Binding: family.BindPolicy{OnMove: family.MoveHolds}, Grants: family.GrantPolicy{Grantors: []family.Insutype{family.Employee}, Insured: family.SameNation}}
	insured := family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true}
	raise := family.Raise{From: 20260310, MonthlyCap: 9000}
	terms := family.Terms{Purposes: []family.Purpose{family.ForCare}, MonthlyCap: 500}
	pair := family.Pair{
		Binding: family.Binding{ID: "B", Holder: "P1", Member: "P2", Relation: "12", State: family.BindingActive, Created: now.AddDate(0, 0, -9), Pay: &terms, Raise: raise},
		Holder:  family.Account{Person: "P1", Insurance: insured, Given: []family.Grant{{Binding: "B", Beneficiary: "P2", Terms: terms, Raise: raise}}},
		Member:  family.Account{Person: "P2", Insurance: insured, Grantors: []family.Grantor{{Person: "P1", Binding: "B"}}},
	}
	for _, c := range []struct {
		at    time.Time
		month family.Fen
	}{{now.AddDate(0, 0, -1), 500}, {now, 9000}} {
		after := pair.Tend(family.Facts{MemberBorn: 19800101}, p, c.at)
		grant := after.Holder.Given[0]
		if after.Binding.Pay.MonthlyCap != c.month || grant.Terms.MonthlyCap != c.month || (grant.Raise == family.Raise{}) != (c.month == 9000) {
			t.Errorf("on %s the cap is %d in the binding and %d in the grant, whose raise is %+v", family.DayOf(c.at), after.Binding.Pay.MonthlyCap, grant.Terms.MonthlyCap, grant.Raise)
		}
	}
}

// TestAnInsuranceThatMoved: where the region says so, a grant whose sides are no longer
// insured where it may be given ends its binding; elsewhere it waits. What only shows codes
// does not end with it.
func TestAnInsuranceThatMoved(t *testing.T) {
	now := time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)
	insured := func(region family.Region, active bool) family.Insurance {
		return family.Insurance{Region: region, Insutype: family.Employee, PsnType: "11", Active: active}
	}
	for _, c := range []struct {
		name   string
		onMove family.OnMove
		member family.Insurance
		pays   bool
		ends   bool
	}{
		{"moved away, and that ends it", family.MoveEnds, insured("440300", true), true, true},
		{"no longer insured, and that ends it", family.MoveEnds, insured("430100", false), true, true},
		{"moved away, and it waits", family.MoveHolds, insured("440300", true), true, false},
		{"stays", family.MoveEnds, insured("430100", true), true, false},
		{"moved away, and it pays nothing", family.MoveEnds, insured("440300", true), false, false},
	} {
		p := &family.Policy{Binding: family.BindPolicy{OnMove: c.onMove}, Grants: family.GrantPolicy{Grantors: []family.Insutype{family.Employee}, Insured: family.SameCity}}
		pair := family.Pair{
			Binding: family.Binding{ID: "B", Holder: "P1", Member: "P2", Relation: "12", State: family.BindingActive, Created: now.AddDate(0, 0, -9), Show: true},
			Holder:  family.Account{Person: "P1", Insurance: insured("430100", true)},
			Member:  family.Account{Person: "P2", Insurance: c.member},
		}
		if c.pays {
			terms := family.Terms{Purposes: []family.Purpose{family.ForCare}}
			pair.Binding.Pay = &terms
			pair.Holder.Given = []family.Grant{{Binding: "B", Beneficiary: "P2", Terms: terms}}
			pair.Member.Grantors = []family.Grantor{{Person: "P1", Binding: "B"}}
		}
		after := pair.Tend(family.Facts{MemberBorn: 19800101}, p, now)
		if ended := after.Binding.State == family.BindingEnded; ended != c.ends || ended && (after.Binding.EndWhy != family.WhyMoved || len(after.Holder.Given) > 0) {
			t.Errorf("%s: it is %s because of %q, with grants %v", c.name, after.Binding.State, after.Binding.EndWhy, after.Holder.Given)
		}
	}
}
