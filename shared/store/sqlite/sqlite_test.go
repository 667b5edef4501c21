package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

func open(t testing.TB, path string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "gongji.db") }

// raw opens the file without the adapter, as an operator's shell does.
func raw(t *testing.T, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open(driverName, dsn(path, "busy_timeout(5000)"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = db.Close()
	})
	return conn
}

func mustExec(t *testing.T, conn *sql.Conn, text string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func put(part, sort string, base uint64) store.Write {
	return store.Write{Key: store.Key{Part: part, Sort: sort}, Base: base, Body: []byte("x")}
}

func version(t *testing.T, s *Store, part, sort string) uint64 {
	t.Helper()
	records, err := s.Get(t.Context(), store.Key{Part: part, Sort: sort})
	if err != nil {
		t.Fatal(err)
	}
	return records[0].Version
}

// behindLock holds the file's write lock, hands the commits to the store so that
// all of them wait, lets during act, opens the lock, and returns the answers:
// what was handed over goes into one transaction.
func behindLock(t *testing.T, s *Store, path string, during func(), commits ...[]store.Write) []error {
	t.Helper()
	lock := raw(t, path)
	mustExec(t, lock, `BEGIN IMMEDIATE`)
	answers := make([]error, len(commits))
	var wg sync.WaitGroup
	for i, writes := range commits {
		wg.Go(func() { answers[i] = s.Commit(t.Context(), writes) })
	}
	queued(t, s, len(commits))
	if during != nil {
		during()
	}
	mustExec(t, lock, `ROLLBACK`)
	wg.Wait()
	return answers
}

// queued waits until n commits wait: one in the writer's hand, which wants the
// lock, and the others in the queue.
func queued(t *testing.T, s *Store, n int) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Second); len(s.queue) < n-1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d commits queue up, not %d", len(s.queue), n-1)
		}
		runtime.Gosched()
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, file(t)) })
}

func TestGroupCommit(t *testing.T) {
	path := file(t)
	s := open(t, path)
	if err := s.Commit(t.Context(), []store.Write{put("P", "old", 0)}); err != nil {
		t.Fatal(err)
	}

	commits := [][]store.Write{
		{put("P", "loser", 0), put("P", "old", 7)}, // fails alone
		{put("P", "twin", 0)},                      // one of these
		{put("P", "twin", 0)},                      // two
	}
	const plain = 50
	for i := range plain {
		commits = append(commits, []store.Write{put("P", strconv.Itoa(i), 0)})
	}
	answers := behindLock(t, s, path, nil, commits...)

	if !errors.Is(answers[0], store.ErrConflict) || version(t, s, "P", "loser") != 0 {
		t.Errorf("the commit whose condition fails: %v, version %d", answers[0], version(t, s, "P", "loser"))
	}
	if twins := answers[1:3]; (twins[0] == nil) == (twins[1] == nil) ||
		!errors.Is(errors.Join(twins...), store.ErrConflict) || version(t, s, "P", "twin") != 1 {
		t.Errorf("two creators of one record: %v", twins)
	}
	for i, err := range answers[3:] {
		if err != nil || version(t, s, "P", strconv.Itoa(i)) != 1 {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := 2; s.transactions != want {
		t.Errorf("%d commits took %d transactions, not %d", len(commits)+1, s.transactions, want)
	}
}

func TestBatchIsBounded(t *testing.T) {
	path := file(t)
	s := open(t, path)
	var commits [][]store.Write
	for i := range 2*batchCommits + 1 {
		commits = append(commits, []store.Write{put("P", strconv.Itoa(i), 0)})
	}
	if err := errors.Join(behindLock(t, s, path, nil, commits...)...); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := 3; s.transactions != want {
		t.Errorf("%d commits took %d transactions, not %d", len(commits), s.transactions, want)
	}
}

func TestWithdraw(t *testing.T) {
	path := file(t)
	s := open(t, path)
	cancelled := make(chan error, 1)
	answers := behindLock(t, s, path, func() {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { cancelled <- s.Commit(ctx, []store.Write{put("P", "withdrawn", 0)}) }()
		queued(t, s, 3)
		cancel()
		// Answered while the lock is still held: nothing else can be meant.
		if err := <-cancelled; !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnknown) {
			t.Errorf("withdrawn commit: %v", err)
		}
	}, []store.Write{put("P", "a", 0)}, []store.Write{put("P", "b", 0)})
	if err := errors.Join(answers...); err != nil {
		t.Error(err)
	}
	if a, b, w := version(t, s, "P", "a"), version(t, s, "P", "b"), version(t, s, "P", "withdrawn"); a != 1 || b != 1 || w != 0 {
		t.Errorf("versions %d, %d and, of the withdrawn, %d", a, b, w)
	}
}

// TestCommitStatementFails lets the COMMIT itself fail, by a foreign key that is
// looked at only then.
func TestCommitStatementFails(t *testing.T) {
	path := file(t)
	s := open(t, path)
	operator := raw(t, path)
	mustExec(t, operator, `
		CREATE TABLE parent (id INTEGER PRIMARY KEY);
		CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
		CREATE TRIGGER poison AFTER INSERT ON records WHEN new.part = 'poison'
		BEGIN INSERT INTO child VALUES (1); END`)
	mustExec(t, s.conn.Conn, `PRAGMA foreign_keys = ON`)

	commits := [][]store.Write{
		{put("P", "a", 0)},
		{put("poison", "b", 0)},
		{put("P", "c", 0)},
		{put("P", "d", 3)}, // would be a conflict
	}
	for i, err := range behindLock(t, s, path, nil, commits...) {
		if !errors.Is(err, store.ErrUnknown) {
			t.Errorf("commit %d: %v, not unknown", i, err)
		}
	}
	// The very same again, without the poison: as if nothing had been.
	for i, want := range []error{nil, nil, nil, store.ErrConflict} {
		if i == 1 {
			continue
		}
		if err := s.Commit(t.Context(), commits[i]); !errors.Is(err, want) {
			t.Errorf("commit %d, sent again: %v", i, err)
		}
	}
	if v := version(t, s, "poison", "b"); v != 0 {
		t.Errorf("the poisoned record has version %d", v)
	}
}

// TestStatementFails lets a statement fail before the COMMIT: nobody in the
// transaction is done, everybody knows it, and the next one is sound.
func TestStatementFails(t *testing.T) {
	for _, c := range []struct {
		name, prepare, undo string
		onWriter            bool
		want                string
	}{
		{
			name: "and the transaction stays open",
			prepare: `CREATE TRIGGER poison BEFORE INSERT ON records WHEN new.part = 'poison'
				BEGIN SELECT RAISE (FAIL, 'poisoned'); END`,
			undo: `DROP TRIGGER poison`,
			want: "poisoned",
		},
		{
			name: "and SQLite rolls back by itself",
			prepare: `CREATE TRIGGER poison BEFORE INSERT ON records WHEN new.part = 'poison'
				BEGIN SELECT RAISE (ROLLBACK, 'poisoned'); END`,
			undo: `DROP TRIGGER poison`,
			want: "poisoned",
		},
		{
			name:     "because the disk is full",
			onWriter: true,
			prepare:  `PRAGMA max_page_count = 8`,
			undo:     `PRAGMA max_page_count = 1000000`,
			want:     "the disk is full",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := file(t)
			s := open(t, path)
			on := s.conn.Conn
			if !c.onWriter {
				on = raw(t, path)
			}
			mustExec(t, on, c.prepare)
			large := store.Write{Key: store.Key{Part: "poison", Sort: "b"}, Body: make([]byte, store.MaxBody)}
			commits := [][]store.Write{{put("P", "a", 0)}, {large}, {put("P", "c", 0)}}
			for i, err := range behindLock(t, s, path, nil, commits...) {
				if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("commit %d: %v, want ErrUnavailable and %q", i, err, c.want)
				}
			}
			for _, w := range []store.Write{commits[0][0], large, commits[2][0]} {
				if v := version(t, s, w.Key.Part, w.Key.Sort); v != 0 {
					t.Errorf("%v has version %d", w.Key, v)
				}
			}
			mustExec(t, on, c.undo)
			for i, writes := range commits {
				if err := s.Commit(t.Context(), writes); err != nil {
					t.Errorf("commit %d, afterwards: %v", i, err)
				}
			}
		})
	}
}

func TestLockedByAnother(t *testing.T) {
	path := file(t)
	s := open(t, path, WithBusyTimeout(time.Millisecond))
	lock := raw(t, path)
	mustExec(t, lock, `BEGIN IMMEDIATE`)
	err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Commit while another holds the lock: %v", err)
	}
	if v := version(t, s, "P", "a"); v != 0 { // reads need no lock
		t.Errorf("version %d", v)
	}
	mustExec(t, lock, `ROLLBACK`)
	if err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)}); err != nil {
		t.Errorf("Commit after the lock is gone: %v", err)
	}
}

func TestCannotBeWritten(t *testing.T) {
	s := open(t, file(t))
	mustExec(t, s.conn.Conn, `PRAGMA query_only = 1`)
	err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "the file cannot be written") {
		t.Errorf("Commit: %v", err)
	}
	mustExec(t, s.conn.Conn, `PRAGMA query_only = 0`)
	if err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)}); err != nil {
		t.Errorf("Commit, afterwards: %v", err)
	}
}

func TestDurabilitySettings(t *testing.T) {
	path := file(t)
	s := open(t, path)
	reader := <-s.readers
	defer func() { s.readers <- reader }()
	for _, c := range []struct {
		pragma, want string
		on           interface {
			QueryRowContext(context.Context, string, ...any) *sql.Row
		}
	}{
		{"journal_mode", "wal", s.conn},
		{"synchronous", "2", s.conn},
		{"fullfsync", "1", s.conn},
		{"checkpoint_fullfsync", "1", s.conn},
		{"user_version", "2", s.conn},
		{"query_only", "1", reader},
		{"busy_timeout", "5000", s.conn},
		{"busy_timeout", "5000", reader},
	} {
		var got string
		if err := c.on.QueryRowContext(t.Context(), `PRAGMA `+c.pragma).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s is %q, want %q (%v)", c.pragma, got, c.want, err)
		}
	}
	if _, err := reader.ExecContext(t.Context(), `DELETE FROM records`); err == nil {
		t.Error("a read connection can write")
	}

	conn := raw(t, path)
	for _, c := range []struct {
		pragma string
		fine   bool
	}{
		{"synchronous = EXTRA", true},
		{"synchronous = FULL", true},
		{"synchronous = NORMAL", false},
		{"synchronous = OFF", false},
	} {
		mustExec(t, conn, `PRAGMA `+c.pragma)
		if err := checkDurable(t.Context(), conn); (err == nil) != c.fine {
			t.Errorf("%s: %v", c.pragma, err)
		}
	}
	other := raw(t, newDatabase(t, `PRAGMA journal_mode = DELETE`))
	mustExec(t, other, `PRAGMA synchronous = FULL`)
	if err := checkDurable(t.Context(), other); err == nil {
		t.Error("a file without a write-ahead log is taken for durable")
	}
}

// newDatabase makes a file that the adapter has never seen.
func newDatabase(t *testing.T, text string) string {
	t.Helper()
	path := file(t)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustExec(t, raw(t, path), text)
	return path
}

func TestOpenRefuses(t *testing.T) {
	garbage := file(t)
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("not a database, "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, want string }{
		{"garbage", garbage, "not a database"},
		{"a newer schema", newDatabase(t, `PRAGMA user_version = 3`), "newer program"},
		{"another's database", newDatabase(t, `CREATE TABLE t (x)`), "something else"},
		{"another's version", newDatabase(t, `PRAGMA user_version = -1`), "something else"},
		{"another's table", newDatabase(t, `PRAGMA user_version = 2; CREATE TABLE t (x)`), "records"},
		{"a folder", t.TempDir(), "cannot be opened"},
		{"no folder", filepath.Join(t.TempDir(), "none", "gongji.db"), "no such file"},
	} {
		s, err := Open(t.Context(), c.path)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
	if b, err := os.ReadFile(garbage); err != nil || !bytes.HasPrefix(b, []byte("not a database")) {
		t.Errorf("opening changed the file: %v", err)
	}
}

// TestOlderFile opens a file as the program before this one made it: what was in it
// is in it, at its version, and it goes on.
func TestOlderFile(t *testing.T) {
	path := newDatabase(t, `PRAGMA journal_mode = wal;
		CREATE TABLE records (
			part TEXT NOT NULL, sort TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, expires INTEGER,
			PRIMARY KEY (part, sort)
		) STRICT, WITHOUT ROWID;
		CREATE INDEX records_expires ON records (expires) WHERE expires IS NOT NULL;
		INSERT INTO records VALUES ('P', 'b', 7, x'62', 2000000000), ('P', 'a', 1, x'61', NULL), ('Q', 'a', 2, x'63', NULL);
		PRAGMA user_version = 1`)
	s := open(t, path)
	want := []store.Record{
		{Key: store.Key{Part: "P", Sort: "a"}, Version: 1, Body: []byte("a")},
		{Key: store.Key{Part: "P", Sort: "b"}, Version: 7, Body: []byte("b"), Expires: time.Unix(2_000_000_000, 0).UTC()},
	}
	got, err := s.List(t.Context(), store.Range{Part: "P", Limit: 10})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Commit(t.Context(), []store.Write{put("P", "b", 7), put("P", "c", 0)}); err != nil {
		t.Error(err)
	}
	if err := s.Commit(t.Context(), []store.Write{put("Q", "a", 1)}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a commit on a version that is long gone: %v", err)
	}
}

// TestConflictAmongNew lets the last of a commit's new records be there already: the
// others are gone again, and what is changed with them is not.
func TestConflictAmongNew(t *testing.T) {
	s := open(t, file(t))
	if err := s.Commit(t.Context(), []store.Write{put("P", "there", 0), put("P", "changed", 0)}); err != nil {
		t.Fatal(err)
	}
	commit := []store.Write{put("P", "changed", 1), put("P", "new", 0), {Key: store.Key{Part: "P", Sort: "none"}, Check: true}, put("P", "there", 0)}
	if err := s.Commit(t.Context(), commit); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit: %v", err)
	}
	if c, n, o := version(t, s, "P", "changed"), version(t, s, "P", "new"), version(t, s, "P", "there"); c != 1 || n != 0 || o != 1 {
		t.Errorf("versions %d, %d and %d", c, n, o)
	}
}

// TestManyKeys reads more records than one statement does, some twice and some that
// are not there.
func TestManyKeys(t *testing.T) {
	s := open(t, file(t))
	key := func(i int) store.Key { return store.Key{Part: "P", Sort: strconv.Itoa(i / 2)} }
	there := func(i int) bool { return i/2%3 == 0 }
	const most = 2*getKeys + 1
	for i := 0; i < most; i += 2 {
		if there(i) {
			if err := s.Commit(t.Context(), []store.Write{{Key: key(i), Body: []byte(key(i).Sort)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range most + 1 {
		keys := make([]store.Key, n)
		for i := range keys {
			keys[i] = key(i)
		}
		records, err := s.Get(t.Context(), keys...)
		if err != nil || len(records) != n {
			t.Fatal(records, err)
		}
		for i, r := range records {
			if r.Key != keys[i] || r.Exists() != there(i) || there(i) && string(r.Body) != keys[i].Sort {
				t.Errorf("of %d keys, the record %d is %+v", n, i, r)
			}
		}
	}
}

func TestDamagedFile(t *testing.T) {
	path := file(t)
	s := open(t, path)
	if err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ { // all but the first page, which holds the schema
		b[i] ^= 0xaa
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}

	s = open(t, path)
	_, getErr := s.Get(t.Context(), store.Key{Part: "P", Sort: "a"})
	_, listErr := s.List(t.Context(), store.Range{Part: "P", Limit: 1})
	commitErr := s.Commit(t.Context(), []store.Write{put("P", "b", 0)})
	for _, err := range []error{getErr, listErr, commitErr} {
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("on a damaged file: %v", err)
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b#c%20?d&'é.db")
	s := open(t, path)
	if err := s.Commit(t.Context(), []store.Write{put("P", "a", 0)}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%q has mode %v", path+suffix, info.Mode())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("after Close the folder holds %v (%v), not the file alone", entries, err)
	}
	if v := version(t, open(t, path), "P", "a"); v != 1 {
		t.Errorf("after reopening, version %d", v)
	}
}

func TestClose(t *testing.T) {
	path := file(t)
	s := open(t, path)
	closed := make(chan error, 1)
	answers := behindLock(t, s, path, func() {
		go func() {
			err := s.Close()
			select {
			case <-s.ended:
			default:
				err = errors.Join(err, errors.New("Close left the writer at work"))
			}
			closed <- err
		}()
		// From here on Commit is refused, though the earlier ones are not answered.
		refused := func() bool {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return s.closed
		}
		for !refused() {
			runtime.Gosched()
		}
		select {
		case err := <-closed:
			t.Errorf("Close did not wait for the queue: %v", err)
		default:
		}
	}, []store.Write{put("P", "a", 0)}, []store.Write{put("P", "b", 0)}, []store.Write{put("P", "c", 0)})
	if err := errors.Join(append(answers, <-closed)...); err != nil {
		t.Error(err)
	}

	_, getErr := s.Get(t.Context(), store.Key{Part: "P", Sort: "a"})
	_, listErr := s.List(t.Context(), store.Range{Part: "P", Limit: 1})
	commitErr := s.Commit(t.Context(), []store.Write{put("P", "d", 0)})
	for _, err := range []error{getErr, listErr, commitErr} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("on a closed store: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	records, err := open(t, path).List(t.Context(), store.Range{Part: "P", Prefix: "", Limit: 10})
	if err != nil || len(records) != 3 {
		t.Errorf("after reopening: %v, %v", records, err)
	}
}

// TestCloseAmongCalls closes the store under calls of all kinds: each is done or
// refused, and what was done is there.
func TestCloseAmongCalls(t *testing.T) {
	path := file(t)
	s := open(t, path)
	const workers, before = 8, 5
	var ready, wg sync.WaitGroup
	ready.Add(workers)
	done := make([]uint64, workers)
	for w := range workers {
		wg.Go(func() {
			k := store.Key{Part: "P", Sort: strconv.Itoa(w)}
			underWay := sync.OnceFunc(ready.Done)
			defer underWay()
			for {
				if done[w] == before {
					underWay()
				}
				err := s.Commit(t.Context(), []store.Write{{Key: k, Base: done[w], Body: []byte("x")}})
				if err == nil {
					done[w]++
					_, err = s.Get(t.Context(), k)
				}
				if err == nil {
					_, err = s.List(t.Context(), store.Range{Part: "P", Limit: 10})
				}
				if err != nil {
					if !errors.Is(err, store.ErrUnavailable) || done[w] < before {
						t.Errorf("after %d commits: %v", done[w], err)
					}
					return
				}
			}
		})
	}
	ready.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	s = open(t, path)
	for w := range workers {
		if v := version(t, s, "P", strconv.Itoa(w)); v != done[w] {
			t.Errorf("worker %d was told of %d commits, and there are %d", w, done[w], v)
		}
	}
}

func TestForget(t *testing.T) {
	clock := time.Unix(2_000_000_000, 0)
	var mu sync.Mutex
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return clock
	}
	set := func(at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		clock = at
	}
	s := open(t, file(t), WithClock(now))
	start := clock
	expiring := func(sort string, at time.Time) store.Write {
		return store.Write{Key: store.Key{Part: "P", Sort: sort}, Body: []byte("x"), Expires: at}
	}
	commit := func(writes ...store.Write) {
		t.Helper()
		if err := s.Commit(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	ticks := uint64(0)
	tick := func() { // any commit will do
		t.Helper()
		commit(put("tick", "tick", ticks))
		ticks++
	}
	left := func() string {
		t.Helper()
		records, err := s.List(t.Context(), store.Range{Part: "P", Limit: store.MaxList})
		if err != nil {
			t.Fatal(err)
		}
		var sorts []string
		for _, r := range records {
			sorts = append(sorts, r.Key.Sort)
		}
		return strings.Join(sorts, " ")
	}
	want := func(what, want string) {
		t.Helper()
		if got := left(); got != want {
			t.Errorf("%s: left are %q, want %q", what, got, want)
		}
	}

	commit(
		expiring("1s", start.Add(time.Second)),
		expiring("2s", start.Add(2*time.Second)),
		expiring("3h", start.Add(3*time.Hour)),
		put("P", "never", 0),
	)
	want("at first", "1s 2s 3h never")
	set(start.Add(time.Hour)) // past, but for less than a day
	tick()
	want("after an hour", "1s 2s 3h never")
	set(start.Add(purgeAfter + 2*time.Second)) // 2s expired a day ago to the second
	tick()
	want("after a day and two seconds", "2s 3h never")
	set(start.Add(purgeAfter + 3*time.Second))
	tick()
	want("a second later, sooner than it looks again", "2s 3h never")
	set(start.Add(purgeAfter + 2*time.Second + purgeEvery))
	tick()
	want("a minute later", "3h never")

	// A record written anew at the last moment stays.
	set(start.Add(purgeAfter + 4*time.Hour))
	w := expiring("3h", start.Add(1000*time.Hour))
	w.Base = 1
	commit(w)
	want("after it was written anew", "3h never")
	set(start.Add(5000 * time.Hour))
	tick()
	want("at the end", "never")
}

func TestForgetIsBounded(t *testing.T) {
	clock := time.Unix(2_000_000_000, 0)
	path := file(t)
	s := open(t, path, WithClock(func() time.Time { return clock }))
	const n = 2*purgeRecords + 1
	for i := 0; i < n; i += store.MaxWrites {
		var writes []store.Write
		for j := i; j < min(i+store.MaxWrites, n); j++ {
			w := put("P", strconv.Itoa(j), 0)
			w.Expires = clock
			writes = append(writes, w)
		}
		if err := s.Commit(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	// The writer reads the clock inside Commit only, so it can be set between.
	clock = clock.Add(2 * purgeAfter)
	for i, want := range []int{n - purgeRecords, n - 2*purgeRecords, 0} {
		if err := s.Commit(t.Context(), []store.Write{put("tick", "tick", uint64(i))}); err != nil {
			t.Fatal(err)
		}
		var got int
		if err := raw(t, path).QueryRowContext(t.Context(), `SELECT count(*) FROM records WHERE part = 'P'`).Scan(&got); err != nil || got != want {
			t.Errorf("after transaction %d, %d records are left, want %d (%v)", i, got, want, err)
		}
	}
}

func increment(ctx context.Context, s *Store, k store.Key) error {
	for {
		records, err := s.Get(ctx, k)
		if err != nil {
			return err
		}
		n := 0
		if records[0].Exists() {
			if n, err = strconv.Atoi(string(records[0].Body)); err != nil {
				return err
			}
		}
		err = s.Commit(ctx, []store.Write{{Key: k, Base: records[0].Version, Body: []byte(strconv.Itoa(n + 1))}})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

var shared = store.Key{Part: "P", Sort: "counter"}

// TestTwoProcesses increments one counter from two processes, and in this one
// from two stores: not one increment is lost.
func TestTwoProcesses(t *testing.T) {
	const each = 100
	path := file(t)
	a, b := open(t, path), open(t, path)
	other := process(t, "increment", path, strconv.Itoa(each))
	var wg sync.WaitGroup
	for _, s := range []*Store{a, b} {
		wg.Go(func() {
			for range each {
				if err := increment(t.Context(), s, shared); err != nil {
					t.Errorf("increment: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := other.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	for _, s := range []*Store{a, b} {
		if v := version(t, s, shared.Part, shared.Sort); v != 3*each {
			t.Errorf("the counter stands at %d, not %d", v, 3*each)
		}
	}
}

// TestKilled kills a process that commits, and finds every commit that it was
// told of.
func TestKilled(t *testing.T) {
	path := file(t)
	victim := process(t, "report", path)
	lines := bufio.NewScanner(victim.out)
	told := 0
	for told < 100 && lines.Scan() {
		told++
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it said before it died
		told++
	}
	_ = victim.Wait() // it was killed
	if told < 100 {
		t.Fatalf("it ended after %d commits: %v", told, lines.Err())
	}
	if v := version(t, open(t, path), shared.Part, shared.Sort); v < uint64(told) || v > uint64(told)+1 {
		t.Errorf("it was told of %d commits, and there are %d", told, v)
	}
}

type child struct {
	*exec.Cmd
	out *bufio.Reader
}

// process runs this test binary again, as one of the programs in TestMain.
func process(t *testing.T, args ...string) child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GONGJI_TEST_PROCESS="+strings.Join(args, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // long gone, unless the test failed
	return child{cmd, bufio.NewReader(out)}
}

func TestMain(m *testing.M) {
	args := strings.Split(os.Getenv("GONGJI_TEST_PROCESS"), "\n")
	if args[0] == "" {
		os.Exit(m.Run())
	}
	if err := program(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func program(args []string) error {
	ctx := context.Background()
	s, err := Open(ctx, args[1])
	if err != nil {
		return err
	}
	if args[0] == "report" {
		for {
			if err := increment(ctx, s, shared); err != nil {
				return err
			}
			fmt.Println("one more")
		}
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	for range n {
		if err := increment(ctx, s, shared); err != nil {
			return err
		}
	}
	return s.Close()
}
