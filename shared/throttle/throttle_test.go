package throttle

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestARateIsKept: a burst, then a rate; whoever waits as long as he was told passes;
// who is refused loses nothing; nobody is limited by another.
func TestARateIsKept(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	g := newGate(Rates{Subject: Rate{2, 5}}, func() time.Time { return now }, 10)
	passed := func() (n int) {
		for g.Subject("a") == 0 {
			n++
		}
		return n
	}
	if n := passed(); n != 5 {
		t.Fatalf("%d at once", n)
	}
	for range 1000 { // knocking changes nothing
		if wait := g.Subject("a"); wait != 1 {
			t.Fatalf("told to wait %d s", wait)
		}
	}
	if g.Subject("b") != 0 || g.Institution("a") != 0 {
		t.Error("limited by another")
	}
	now = now.Add(time.Second)
	if n := passed(); n != 2 {
		t.Fatalf("%d in a second", n)
	}
	now = now.Add(time.Hour)
	if n := passed(); n != 5 {
		t.Fatalf("%d after an hour", n)
	}
	now = now.Add(-time.Hour) // a clock that is set back lets nobody in, and locks nobody out for longer than that
	g.Subject("a")
	now = now.Add(2 * time.Hour)
	if n := passed(); n != 5 {
		t.Fatalf("%d after the clock was set back", n)
	}
	var none *Gate
	if none.Subject("a") != 0 || none.Institution("a") != 0 || none.Address(&http.Request{}) != 0 {
		t.Error("no gate limits somebody")
	}
}

// TestAddressesOfOneNetwork: ports do not matter, nor which of its addresses an IPv6
// network uses.
func TestAddressesOfOneNetwork(t *testing.T) {
	now := time.Unix(0, 0)
	for _, c := range []struct {
		first, second string
		same          bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::ffff]:1", true},
		{"[fe80::1%eth0]:1", "[fe80::1%eth1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
	} {
		g := newGate(Rates{Address: Rate{1, 1}}, func() time.Time { return now }, 10)
		g.Address(&http.Request{RemoteAddr: c.first})
		if limited := g.Address(&http.Request{RemoteAddr: c.second}) > 0; limited != c.same {
			t.Errorf("%s and %s: %v", c.first, c.second, limited)
		}
	}
}

// TestMemoryIsBounded: many more keys than buckets keep as many buckets as there may be, the ones
// that were used last.
func TestMemoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	g := NewGate(Rates{Address: Rate{1, 1}}, func() time.Time { return now })
	before := heap()
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 20_000 {
				g.Address(&http.Request{RemoteAddr: fmt.Sprintf("10.%d.%d.%d:1", w, i>>8&255, i&255)})
				g.address.take(fmt.Sprint(w, i), now)
			}
		})
	}
	all.Wait()
	if len(g.address.byKey) != Keys || g.address.recent.Len() != Keys {
		t.Errorf("%d keys, %d buckets", len(g.address.byKey), g.address.recent.Len())
	}
	grown := heap() - before
	t.Logf("%d buckets take %d KB", Keys, grown>>10)
	if grown > Keys*1024 {
		t.Errorf("%d bytes for %d buckets", grown, Keys)
	}
	g.address.take("last", now)
	for i := range Keys - 1 { // as many others as push out whoever does not come back
		g.address.take(fmt.Sprint("other", i), now)
		if i == Keys/2 {
			g.address.take("last", now)
		}
	}
	g.address.take("one more", now)
	if g.address.take("last", now) == 0 {
		t.Error("the bucket used last was given up")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestParse(t *testing.T) {
	got, err := Parse("address=50:200,subject=0.5:1,institution=200:1000")
	if want := (Rates{Rate{50, 200}, Rate{0.5, 1}, Rate{200, 1000}}); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	for _, text := range []string{"", "off"} {
		if got, err := Parse(text); err != nil || got != (Rates{}) {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "address", "address=", "address=1", "address=1:0", "address=0:1", "address=-1:1", "address=NaN:1", "address=Inf:1", "address=1:1,address=1:1", "Address=1:1", "address=1:1,", "address=1:1:1", "address=1:9999999"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
