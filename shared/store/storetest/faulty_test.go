package storetest_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/store/storetest"
)

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var (
	a = store.Key{Part: "P", Sort: "a"}
	b = store.Key{Part: "P", Sort: "b"}
)

func put(k store.Key, base uint64) []store.Write {
	return []store.Write{{Key: k, Base: base, Body: []byte("x")}}
}

func version(t *testing.T, s store.Store, k store.Key) uint64 {
	t.Helper()
	records, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return records[0].Version
}

// TestFaultyWithoutPlan holds a store that nothing befalls to the suite.
func TestFaultyWithoutPlan(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return &storetest.Faulty{Store: open(t)} })
}

func TestCommitFaults(t *testing.T) {
	for _, c := range []struct {
		fault storetest.Fault
		want  error
		// version of the record at once, and after the very same commit again
		now, after uint64
		again      error
	}{
		{fault: storetest.None, now: 1, after: 1, again: store.ErrConflict},
		{fault: storetest.Fails, want: store.ErrUnavailable, now: 0, after: 1},
		{fault: storetest.Conflicts, want: store.ErrConflict, now: 0, after: 1},
		{fault: storetest.Vanishes, want: store.ErrUnknown, now: 0, after: 1},
		{fault: storetest.Loses, want: store.ErrUnknown, now: 1, after: 1, again: store.ErrConflict},
		{fault: storetest.Late, want: store.ErrUnknown, now: 0, after: 1, again: store.ErrConflict},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			f := &storetest.Faulty{Store: open(t), Plan: func(call storetest.Call) storetest.Fault {
				if call.Verb == storetest.Commit && call.N == 1 {
					return c.fault
				}
				return storetest.None
			}}
			if err := f.Commit(t.Context(), put(a, 0)); !errors.Is(err, c.want) {
				t.Errorf("Commit: %v, want %v", err, c.want)
			}
			if v := version(t, f, a); v != c.now {
				t.Errorf("at once, version %d, want %d", v, c.now)
			}
			if err := f.Commit(t.Context(), put(a, 0)); !errors.Is(err, c.again) {
				t.Errorf("the very same again: %v, want %v", err, c.again)
			}
			if v := version(t, f, a); v != c.after {
				t.Errorf("afterwards, version %d, want %d", v, c.after)
			}
			if n := f.Calls(storetest.Commit); n != 2 {
				t.Errorf("%d commits counted", n)
			}
		})
	}
}

// TestLateLosesItsRace: a late commit is one like any other, and its conditions
// are those of the moment at which it is done.
func TestLateLosesItsRace(t *testing.T) {
	inner := open(t)
	f := &storetest.Faulty{Store: inner, Plan: func(storetest.Call) storetest.Fault { return storetest.Late }}
	writes := put(a, 0)
	if err := f.Commit(t.Context(), writes); !errors.Is(err, store.ErrUnknown) {
		t.Fatal(err)
	}
	writes[0].Body[0] = '!' // the caller's again
	if err := inner.Commit(t.Context(), put(a, 0)); err != nil {
		t.Fatal(err)
	}
	f.Settle(t.Context())
	if v := version(t, inner, a); v != 1 {
		t.Errorf("version %d", v)
	}

	if err := f.Commit(t.Context(), put(b, 0)); !errors.Is(err, store.ErrUnknown) {
		t.Fatal(err)
	}
	f.Settle(t.Context())
	f.Settle(t.Context()) // has nothing left to do
	if v := version(t, inner, b); v != 1 {
		t.Errorf("version %d", v)
	}
}

func TestReadFaults(t *testing.T) {
	for _, fault := range storetest.Faults {
		f := &storetest.Faulty{Store: open(t), Plan: func(storetest.Call) storetest.Fault { return fault }}
		var want error
		if fault != storetest.None {
			want = store.ErrUnavailable
		}
		if _, err := f.Get(t.Context(), a); !errors.Is(err, want) {
			t.Errorf("%v: Get: %v", fault, err)
		}
		if _, err := f.List(t.Context(), store.Range{Part: "P", Limit: 1}); !errors.Is(err, want) {
			t.Errorf("%v: List: %v", fault, err)
		}
		if g, l, c := f.Calls(storetest.Get), f.Calls(storetest.List), f.Calls(storetest.Commit); g != 1 || l != 1 || c != 0 {
			t.Errorf("%v: counted %d, %d, %d", fault, g, l, c)
		}
	}
}

// TestBefore slips another's commit in between a read and its commit.
func TestBefore(t *testing.T) {
	inner := open(t)
	var seen []storetest.Verb
	f := &storetest.Faulty{Store: inner}
	f.Before = func(c storetest.Call) {
		seen = append(seen, c.Verb)
		if c.Verb == storetest.Commit && c.N == 1 {
			if err := inner.Commit(t.Context(), c.Writes); err != nil {
				t.Error(err)
			}
		}
	}
	base := version(t, f, a)
	if err := f.Commit(t.Context(), put(a, base)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit: %v", err)
	}
	if err := f.Commit(t.Context(), put(a, version(t, f, a))); err != nil {
		t.Errorf("Commit: %v", err)
	}
	if want := []storetest.Verb{storetest.Get, storetest.Commit, storetest.Get, storetest.Commit}; !slices.Equal(seen, want) {
		t.Errorf("calls %v, want %v", seen, want)
	}
}
