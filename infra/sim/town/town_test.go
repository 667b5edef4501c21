package town

import (
	"runtime"
	"testing"

	"gongji/shared/seedtest"
)

// TestTowns is the campaign of make sim for a few seconds.
func TestTowns(t *testing.T) {
	from := seedtest.Seed(t)
	for i := range uint64(12) {
		r := Run(from+i, 800)
		for _, wrong := range r.Wrong {
			t.Errorf("go run ./infra/sim -from %d -seeds 1 -steps 800: %s", r.Seed, wrong)
		}
	}
}

// TestASeedRepeatsExactly: the same with one processor, with two, and beside other
// towns. The race detector runs this test too.
func TestASeedRepeatsExactly(t *testing.T) {
	seed := seedtest.Seed(t)
	want := Run(seed, 600)
	if want.Steps < 600 || want.Calls == 0 {
		t.Fatalf("the town did nothing: %+v", want)
	}
	if other := Run(seed+1, 600); other.Trace == want.Trace {
		t.Error("two seeds are one town")
	}
	for _, processors := range []int{1, 2} {
		before := runtime.GOMAXPROCS(processors)
		traces := make(chan Report)
		for range 2 {
			go func() { traces <- Run(seed, 600) }()
		}
		for range 2 {
			if got := <-traces; got.Trace != want.Trace || got.Calls != want.Calls {
				t.Errorf("with %d processors the trace is %s after %d calls, and was %s after %d", processors, got.Trace, got.Calls, want.Trace, want.Calls)
			}
		}
		runtime.GOMAXPROCS(before)
	}
}
