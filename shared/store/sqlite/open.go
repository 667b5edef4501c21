package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// schemaVersion is kept in PRAGMA user_version. Whoever changes the schema
// raises it and teaches create to bring an older file up to it.
const schemaVersion = 2

// The columns are TEXT so that an operator can read them in any SQLite shell;
// the default collation compares them byte by byte, as the port asks.
//
// The table is one of row numbers with an index of keys beside it. In a table
// WITHOUT ROWID the records themselves would lie in the inner pages of the tree,
// five to a page: at a million records nine pages deep. Here new records lie one
// after another at the end, so that those of one transaction share their pages.
const schema = `
CREATE TABLE records (
	id      INTEGER PRIMARY KEY,
	part    TEXT    NOT NULL,
	sort    TEXT    NOT NULL,
	version INTEGER NOT NULL,
	expires INTEGER,
	body    BLOB    NOT NULL,
	UNIQUE (part, sort)
) STRICT;
CREATE INDEX records_expires ON records (expires) WHERE expires IS NOT NULL;
`

// fromVersion1 brings a file of schema 1, a table WITHOUT ROWID, up to schema 2.
const fromVersion1 = `
DROP INDEX records_expires;
ALTER TABLE records RENAME TO records_1;
` + schema + `
INSERT INTO records (part, sort, version, expires, body) SELECT part, sort, version, expires, body FROM records_1;
DROP TABLE records_1;
`

// Option changes how a store is opened.
type Option func(*options)

type options struct {
	now  func() time.Time
	busy time.Duration
}

// WithClock sets the clock that decides which expired records are forgotten;
// the default is time.Now. It is called from one goroutine at a time.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.now = now }
}

// WithBusyTimeout sets how long a commit or a read waits for another process
// that has the file locked before it fails with store.ErrUnavailable; whole
// milliseconds, the default is five seconds.
func WithBusyTimeout(d time.Duration) Option {
	return func(o *options) { o.busy = d }
}

// Open opens the store in the file at path, and creates the file, readable by
// its owner only, when there is none. The folder must exist. ctx bounds the
// opening alone.
//
// It fails when the file is not a store, when a newer program made it, when it
// is damaged or cannot be written, and when SQLite will not promise that what it
// has committed survives a loss of power.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	o := options{now: time.Now, busy: 5 * time.Second}
	for _, opt := range opts {
		opt(&o)
	}
	s := &Store{
		now:     o.now,
		queue:   make(chan *commit, queueLen),
		readers: make(chan *conn, readers()),
		ended:   make(chan struct{}),
	}
	if err := s.open(ctx, path, o.busy); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open %s: %w", path, explain(err)), s.closeFiles())
	}
	go s.run()
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, busy time.Duration) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := createFile(path); err != nil {
		return err
	}

	busyPragma := fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds())
	s.writeDB, err = sql.Open(driverName, dsn(path, busyPragma,
		"journal_mode(wal)", "synchronous(full)",
		"fullfsync(1)", "checkpoint_fullfsync(1)")) // macOS: a plain fsync stops at the drive's cache
	if err != nil {
		return err
	}
	s.writeDB.SetMaxOpenConns(1)
	if s.conn, err = newConn(ctx, s.writeDB); err != nil {
		return err
	}
	if err := checkDurable(ctx, s.conn.Conn); err != nil {
		return err
	}
	if err := create(ctx, s.conn.Conn); err != nil {
		return err
	}
	// The names of the file and of its log must survive as well. Drivers differ
	// in whether they see to it.
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}

	// query_only rather than mode=ro: a reader of a WAL writes to the file of
	// locks beside it.
	s.readDB, err = sql.Open(driverName, dsn(path, busyPragma, "query_only(1)"))
	if err != nil {
		return err
	}
	for range cap(s.readers) {
		reader, err := newConn(ctx, s.readDB)
		if err != nil {
			return err
		}
		s.readers <- reader
		s.nReaders++
		// It finds out here, and not in the first request, what is wrong with the file.
		if _, err := reader.prepare(getText[1]); err != nil {
			return err
		}
	}
	return s.prepare()
}

// readers is how many connections read. Each forgets what it knew of the file
// whenever the writer commits, so more than there are processors only read more.
func readers() int { return max(2, runtime.NumCPU()) }

func (s *Store) prepare() error {
	for _, p := range []struct {
		stmt **stmt
		text string
	}{
		{&s.begin, `BEGIN IMMEDIATE`},
		{&s.commit, `COMMIT`},
		{&s.rollback, `ROLLBACK`},
		{&s.insert, `INSERT INTO records (part, sort, version, body, expires) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.unwrite, `DELETE FROM records WHERE part = ? AND sort = ?`},
		// The expiry is named only where it changes: its index is then left alone.
		{&s.update, `UPDATE records SET version = version + 1, body = ? WHERE id = ?`},
		{&s.reschedule, `UPDATE records SET version = version + 1, body = ?, expires = ? WHERE id = ?`},
		{&s.purge, `DELETE FROM records WHERE id IN (SELECT id FROM records WHERE expires < ? ORDER BY expires LIMIT ?)`},
	} {
		var err error
		if *p.stmt, err = s.conn.prepare(p.text); err != nil {
			return err
		}
	}
	for n := 1; n <= getKeys; n++ {
		var err error
		if s.find[n], err = s.conn.prepare(findText[n]); err != nil {
			return err
		}
	}
	return nil
}

// dsn names the file for database/sql. The file is always there: mode=rw keeps
// SQLite from making one with wider permissions.
func dsn(path string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // a drive letter
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path}
	q := url.Values{"mode": {"rw"}, "_pragma": pragmas}
	u.RawQuery = q.Encode()
	return u.String()
}

// creating keeps a second Open in this process from locking a file that the
// first is about to close: on Unix, closing any descriptor of a file drops every
// lock the process holds on it. For the same reason a file that exists is left
// to SQLite alone.
var creating sync.Mutex

func createFile(path string) error {
	creating.Lock()
	defer creating.Unlock()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the folder is the operator's choice
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such call, and needs none
	}
	d, err := os.Open(folder) // #nosec G304 -- the folder is the operator's choice
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// checkDurable refuses a connection that could lose an answered commit: asking
// for WAL and FULL is a wish that SQLite may pass over in silence.
func checkDurable(ctx context.Context, conn *sql.Conn) error {
	var journal string
	if err := conn.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&journal); err != nil {
		return err
	}
	if journal != "wal" {
		return fmt.Errorf("journal_mode is %q, not wal: does the file system share memory between processes?", journal)
	}
	var synchronous int
	if err := conn.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return err
	}
	if full := 2; synchronous < full {
		return fmt.Errorf("synchronous is %d, less than FULL (%d)", synchronous, full)
	}
	return nil
}

// create makes the schema in an empty file and refuses a file that is not ours.
// The transaction makes two processes that open a new file at once take turns.
func create(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := createInside(ctx, conn)
	if err == nil {
		_, err = conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	}
	return err
}

func createInside(ctx context.Context, conn *sql.Conn) error {
	var version, objects int
	if err := conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&objects); err != nil {
		return err
	}
	switch {
	case version == schemaVersion:
		return nil
	case version > schemaVersion:
		return fmt.Errorf("its schema is version %d, this program knows only up to %d: use the newer program", version, schemaVersion)
	case version < 0 || version == 0 && objects > 0:
		return errors.New("it is a database of something else")
	}
	text := schema
	if version == 1 {
		text = fromVersion1
	}
	if _, err := conn.ExecContext(ctx, text); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, schemaVersion))
	return err
}
