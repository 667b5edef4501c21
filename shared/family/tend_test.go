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
