package app

import (
	"strings"
	"testing"

	"gongji/shared/family"
)

// TestSearch finds goods and places by a name or what is within it, by the initials of
// both, and by a code or its last characters.
func TestSearch(t *testing.T) {
	h := emptyHouse(t)
	item := goods[1]
	item.Code, item.Name = "XM01AEB277X007010100002", "布洛芬混悬液"
	other := item
	other.Code, other.Name = "XM01AEB277X007010100003", "布洛芬缓释胶囊"
	for _, i := range []family.Item{item, other} {
		ok(h.FeedItem(t.Context(), i))(t)
	}
	place := places[0]
	place.Name = "长沙示例医院"
	ok(h.FeedPlace(t.Context(), place))(t)

	finds := func(typed string, limit int, want ...string) {
		t.Helper()
		var codes []string
		for _, i := range ok(h.SearchItems(t.Context(), typed, limit))(t) {
			codes = append(codes, i.Code)
		}
		if strings.Join(codes, " ") != strings.Join(want, " ") {
			t.Errorf("%q finds %v, not %v", typed, codes, want)
		}
	}
	finds("布洛芬混", 9, item.Code)
	finds("blfhx", 9, item.Code)
	finds("xm01aeb277x007010100003", 9, other.Code)
	finds("BLF", 9, other.Code, item.Code) // HS before HX
	finds("B", 1, other.Code)
	finds("混悬", 9, item.Code)
	finds("hxy", 9, item.Code)
	finds("洛芬", 9, item.Code, other.Code) // 混 before 缓
	finds("100003", 9, other.Code)
	for _, nothing := range []string{"液", "洛悬", "Y", "00003", "", " ", "\x00", "\xff", "X#", "布洛芬#", strings.Repeat("布", 50)} {
		finds(nothing, 9)
	}

	// What is called otherwise is found by its new name alone, once it is in force.
	item.Name = "对乙酰氨基酚"
	ok(h.FeedItem(t.Context(), item))(t)
	finds("布洛芬混", 9)
	finds("混悬", 9)
	finds("dyxa", 9, item.Code)
	finds("氨基酚", 9, item.Code)
	item.Name = "布洛芬混悬液"
	ok(h.FeedItem(t.Context(), item))(t)
	finds("布洛芬混", 9, item.Code)
	later := other
	later.Code, later.From = "Z9", 20990101
	ok(h.FeedItem(t.Context(), later))(t)
	finds("Z9", 9)

	if found := ok(h.SearchPlaces(t.Context(), "cssl", 9, false))(t); len(found) != 1 || found[0] != place {
		t.Errorf("found %v", found)
	}
	if err := h.Suspend(t.Context(), anna, place.Code, true); err != nil {
		t.Fatal(err)
	}
	if found := ok(h.SearchPlaces(t.Context(), "长沙", 9, false))(t); len(found) != 0 {
		t.Errorf("a suspended place is found: %v", found)
	}
}
