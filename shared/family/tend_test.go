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
