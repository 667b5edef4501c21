// Package seedtest is where the tests have their chance from.
package seedtest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// usual is the seed of a test to which none is given: a change is judged by what it
// changes, and not by what another seed finds in the house as it was. To look for
// that, GONGJI_SEED=new draws one; the campaigns (make sim, make fuzz, make crash,
// make linear) go further than any seed of a test.
const usual = 20260701

// Seed returns the seed that a test is to use, the same at every run, and says it in
// the test's log. GONGJI_SEED gives another: a number, or "new" for one by chance.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(usual)
	switch text := os.Getenv("GONGJI_SEED"); text {
	case "":
	case "new":
		seed = rand.Uint64() // #nosec G404 -- tests
	default:
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("GONGJI_SEED: %v", err)
		}
	}
	t.Logf("random: GONGJI_SEED=%d repeats this", seed)
	return seed
}

// Rand returns a source of random numbers that begins at Seed.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(Seed(t), 0)) // #nosec G404 -- tests that repeat themselves
}
