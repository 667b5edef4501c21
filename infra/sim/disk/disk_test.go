package disk

import (
	"testing"
	"time"

	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// TestTheDiskKeepsThePort: what the simulator finds on this disk, it would find on
// any store that passes the same suite.
func TestTheDiskKeepsThePort(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return New() })
}

func TestForget(t *testing.T) {
	d, now := New(), time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)
	put := func(sort string, expires time.Time) store.Write {
		return store.Write{Key: store.Key{Part: "P", Sort: sort}, Body: []byte("x"), Expires: expires}
	}
	if err := d.Commit(t.Context(), []store.Write{put("past", now.Add(-time.Second)), put("now", now), put("later", now.Add(time.Second)), put("never", time.Time{})}); err != nil {
		t.Fatal(err)
	}
	if n := d.Forget(now); n != 2 {
		t.Errorf("%d records were forgotten, want 2", n)
	}
	var left []string
	d.Each(func(r store.Record) bool {
		left = append(left, r.Key.Sort)
		return true
	})
	if len(left) != 2 || left[0] != "later" || left[1] != "never" {
		t.Errorf("left are %v", left)
	}
}
