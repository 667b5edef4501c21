package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"gongji/shared/store"
)

// BenchmarkCommit makes commits the size of a settlement's: two records changed,
// four new, 4 KB together. Beside the time of one commit it says how many shared
// a transaction; BenchmarkSync says what its sync costs.
func BenchmarkCommit(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "gongji.db"))
			body := bytes.Repeat([]byte("0123456789abcdef"), 700/16)
			var ids atomic.Int64
			run := func(id int64, n uint64) error {
				part := strconv.FormatInt(id, 10)
				number := fmt.Sprintf("%08d", n)
				return s.Commit(b.Context(), []store.Write{
					{Key: store.Key{Part: "ACCT#1" + part, Sort: "A"}, Base: n, Body: body},
					{Key: store.Key{Part: "ACCT#2" + part, Sort: "A"}, Base: n, Body: body},
					{Key: store.Key{Part: "ACCT#1" + part, Sort: "E#" + number}, Body: body},
					{Key: store.Key{Part: "ACCT#2" + part, Sort: "E#" + number}, Body: body},
					{Key: store.Key{Part: "QR#" + part + number, Sort: "A"}, Body: body},
					{Key: store.Key{Part: "DAY#" + part, Sort: "S#" + number}, Body: body},
				})
			}
			b.ResetTimer()
			done := make(chan error)
			var left atomic.Int64
			left.Store(int64(b.N))
			for range goroutines {
				go func() {
					id := ids.Add(1)
					var err error
					for n := uint64(0); err == nil && left.Add(-1) >= 0; n++ {
						err = run(id, n)
					}
					done <- err
				}()
			}
			for range goroutines {
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(float64(b.N)/float64(s.transactions), "commits/sync")
		})
	}
}

// BenchmarkGet reads one record.
func BenchmarkGet(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "gongji.db"))
	k := store.Key{Part: "P", Sort: "S"}
	if err := s.Commit(b.Context(), []store.Write{{Key: k, Body: make([]byte, 700)}}); err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Get(b.Context(), k); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkSync appends as many bytes as a commit does to a plain file and syncs
// it: what the disk alone costs.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
