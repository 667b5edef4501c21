package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/infra/rig"
)

// seedOfTests is what the tests here begin with; the long forms draw their own.
const seedOfTests = 20260312

// program is the server, built once for all tests.
var program struct {
	once   sync.Once
	folder string
	path   string
	err    error
}

func built(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.folder, program.err = os.MkdirTemp("", "gongji-crash-test-"); program.err == nil {
			program.path, program.err = rig.Build(t.Context(), program.folder)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(program.folder)
	os.Exit(status)
}

// TestKill is the campaign's shortest form: the server is killed under its clients,
// twice.
func TestKill(t *testing.T) {
	k := killing{cycles: 2, clients: 4}
	if _, err := k.life(t.Context(), newTown(k.clients), built(t), filepath.Join(t.TempDir(), "data"), k.cycles, rand.New(rand.NewPCG(seedOfTests, 1))); err != nil {
		t.Fatal(err)
	}
	if k.tally.answered == 0 || k.tally.settlements == 0 {
		t.Errorf("nothing happened: %+v", k.tally)
	}
}

// TestAnOlderDatabaseIsNoticed shows that the audit can fail: behind a crash
// somebody puts a copy of the database back that was taken before the clients came.
func TestAnOlderDatabaseIsNoticed(t *testing.T) {
	program, data := built(t), filepath.Join(t.TempDir(), "data")
	start := func() *rig.Server {
		server, err := rig.Start(t.Context(), program, data, io.Discard, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Kill() })
		return server
	}
	server, w, dice := start(), newTown(4), rand.New(rand.NewPCG(seedOfTests, 0))
	w.enter(server)
	if err := w.settleIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(data, "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	server = start()
	w.enter(server)
	if err := w.untilKilled(t.Context(), server, dice, 150*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gongji.db-wal", "gongji.db-shm"} {
		if err := os.Remove(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(data, "gongji.db"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	w.enter(start())
	if err := w.audit(t.Context(), dice, new(tally)); err == nil || !strings.Contains(err.Error(), "was answered") {
		t.Errorf("everything that happened is gone, and the audit says: %v", err)
	}
}

// traced is a short run of the server under the tracer, or skips the test.
func traced(t *testing.T) (p *power, w *town, program string, before disk, steps []step) {
	t.Helper()
	if err := canTrace(t.Context()); err != nil {
		t.Skip(err)
	}
	program = built(t)
	p, w = &power{clients: 4, fates: map[fate]int{}, lasting: 200 * time.Millisecond}, newTown(4)
	before, steps, err := p.trace(t.Context(), w, program, filepath.Join(t.TempDir(), "run"), rand.New(rand.NewPCG(seedOfTests, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return p, w, program, before, steps
}

// TestPower is the shortest form of the campaign, and shows that it can fail: the
// same run on a disk that says it has synced and has not is found out.
func TestPower(t *testing.T) {
	p, w, program, before, steps := traced(t)
	dice := rand.New(rand.NewPCG(seedOfTests, 0))
	if err := p.look(t.Context(), w, program, filepath.Join(t.TempDir(), "image"), before, steps, dice); err != nil {
		t.Fatal(err)
	}
	var lying []step
	for _, s := range steps {
		if s.what != synced {
			lying = append(lying, s)
		}
	}
	err := p.lookAt(t.Context(), w, program, filepath.Join(t.TempDir(), "image"), before, lying, len(lying), dropped, dice)
	if err == nil || !strings.Contains(err.Error(), "was answered") {
		t.Errorf("nothing was ever synced, and all of it is lost: %v", err)
	}
}

// TestImages holds what a loss of power leaves of a handful of steps.
func TestImages(t *testing.T) {
	before := disk{"a.db": []byte("....")}
	write := func(file string, at int64, text string) step {
		return step{what: wrote, file: file, at: at, data: []byte(text)}
	}
	steps := []step{
		write("a.db", 0, "1"),
		{what: synced, file: "a.db", sync: 1},
		write("a.db", 1, "2"),
		write("b", 0, "new"),
		{what: synced, file: "b", sync: 4}, // its name is not synced
		write("a.db", 6, "3"),
		{what: synced, file: "", sync: 5},
		{what: synced, file: "a.db", sync: 3}, // began before the last write
	}
	for _, c := range []struct {
		n    int
		fate fate
		want disk
	}{
		{0, kept, disk{"a.db": []byte("....")}},
		{1, dropped, disk{"a.db": []byte("....")}},
		{1, kept, disk{"a.db": []byte("1...")}},
		{2, dropped, disk{"a.db": []byte("1...")}},
		{3, dropped, disk{"a.db": []byte("1...")}},
		{3, kept, disk{"a.db": []byte("12..")}},
		{5, dropped, disk{"a.db": []byte("1...")}},
		{7, dropped, disk{"a.db": []byte("1..."), "b": []byte("new")}},
		{8, dropped, disk{"a.db": []byte("12.."), "b": []byte("new")}},
		{8, kept, disk{"a.db": []byte("12..\x00\x003"), "b": []byte("new")}},
	} {
		got := before.image(steps, c.n, c.fate, rand.New(rand.NewPCG(seedOfTests, 0)))
		if !maps.EqualFunc(got, c.want, bytes.Equal) {
			t.Errorf("after %d steps, the rest %s: %q, want %q", c.n, c.fate, got, c.want)
		}
	}
	if string(before["a.db"]) != "...." {
		t.Error("an image changes the disk that it is of")
	}
	// A sector is there or not, whole.
	seen := map[string]bool{}
	page := strings.Repeat("x", sector) + strings.Repeat("y", sector)
	for seed := range uint64(64) {
		got := disk{"a.db": make([]byte, 2*sector)}.image([]step{write("a.db", 0, page)}, 1, mixed, rand.New(rand.NewPCG(seedOfTests, seed)))
		seen[string(got["a.db"])] = true
	}
	if len(seen) != 4 {
		t.Errorf("two sectors have %d fates, want 4", len(seen))
	}
}

// TestATraceThatWasCut: a call at which the server was killed may have been done or
// not; one that the tracer had not read yet was not, unless the trace says that it
// ended: then it does not hold what was written.
func TestATraceThatWasCut(t *testing.T) {
	hexed := func(s string) (out string) {
		for _, b := range []byte(s) {
			out += fmt.Sprintf(`\x%02x`, b)
		}
		return out
	}
	write := "12 pwrite64(9<" + hexed("/d/gongji.db-wal") + ">, "
	for _, c := range []struct {
		what, lines string
		cut         []bool
		fails       bool
	}{
		{"done", write + `"\x61", 1, 0) = 1`, []bool{false}, false},
		{"killed at it", write + `"\x61", 1, 0) = ?`, []bool{true}, false},
		{"ended later", write + "\"\\x61\", 1, 0 <unfinished ...>\n12 <... pwrite64 resumed>) = 1", []bool{false}, false},
		{"never ended", write + `"\x61", 1, 0 <unfinished ...>`, []bool{true}, false},
		{"killed before it was read", write + " <unfinished ...>", nil, false},
		{"never read, and done", write + " <unfinished ...>\n12 <... pwrite64 resumed>) = 1", nil, true},
		{"done without what", write + "0xc000, 1, 0) = 1", nil, true},
	} {
		file := filepath.Join(t.TempDir(), "trace")
		if err := os.WriteFile(file, []byte(c.lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		steps, err := readTrace(file, "/d")
		var cut []bool
		for _, s := range steps {
			cut = append(cut, s.cut)
		}
		if (err != nil) != c.fails || !c.fails && !slices.Equal(cut, c.cut) {
			t.Errorf("%s: %v, %v", c.what, cut, err)
		}
	}
}

// FuzzTrace reads whatever a tracer may have written: it fails or gives steps whose
// parts fit together, and never panics.
func FuzzTrace(f *testing.F) {
	for _, text := range []string{
		`12 pwrite64(9<\x2f\x64\x2f\x61>, "\x61", 1, 0) = 1`, `12 pwrite64(9<\x2f\x64\x2f\x61>, "\x61", 1, 0 <unfinished ...>`,
		`12 <... pwrite64 resumed>) = 1`, `12 fsync(9<\x2f\x64\x2f\x61>) = 0`, "12 pwrite64(", "", "12",
	} {
		f.Add(text)
	}
	file := filepath.Join(f.TempDir(), "trace")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		steps, err := readTrace(file, "/d")
		for i, s := range steps {
			if err == nil && (s.at < 0 || s.sync > i) {
				t.Errorf("%q: step %d is %+v", text, i, s)
			}
		}
	})
}

// TestNobodyIsNamedInWhatTheServerLeaves: the built server lives through a story with
// canaries in it, and ends in every way; no file, line of the log or traceback has one,
// and there is no core. (make crash shows that this machine would leave one.)
func TestNobodyIsNamedInWhatTheServerLeaves(t *testing.T) {
	var said strings.Builder
	l := newLeaking(t.TempDir())
	if err := l.run(t.Context(), built(t), rand.New(rand.NewPCG(seedOfTests, 4)), &said); err != nil {
		t.Fatal(err)
	}
	t.Log(said.String())
	for what, text := range l.canaries {
		for _, form := range forms(text) {
			if found := l.hits([]byte("… " + form + " …")); !slices.Contains(found, what) {
				t.Errorf("%s is not found as %q", what, form)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(l.data, "papers", "a page"), []byte(`{"text":"\u95fb\u7b1b \u9e7f\u95fb\u7b1b"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.search(&said, "a name that JSON escaped"); err == nil || !strings.Contains(err.Error(), "the name of LEAK01") {
		t.Errorf("a name in a file is not found: %v", err)
	}
}
