// Package sqlite keeps the records of [gongji/shared/store] in one SQLite file:
// the embedded adapter, for a single machine.
//
// It promises what the port promises, and besides:
//
//   - A commit that was answered is on the disk: the log is synced before every
//     answer (WAL, synchronous=FULL), and Open refuses a file or a file system
//     that will not have it so.
//   - One goroutine writes. While it waits for the disk, commits queue up; it
//     takes all of them into its next transaction and pays one sync for all.
//     Each stands or falls by its own conditions.
//   - Several processes may have the file open. Conditions are checked inside a
//     transaction that holds SQLite's write lock, so they cannot both win; but
//     only one machine may, since network file systems do not keep the locks.
//   - A context that ends withdraws a commit that still waits its turn, for
//     certain. One already in a transaction is past recall: Commit then waits
//     for the answer, which is one write to the disk away.
//   - Records a day past their expiry are deleted, some with each transaction.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"gongji/shared/store"
)

// Store is a [store.Store] in one file. Open makes one.
type Store struct {
	now func() time.Time

	readDB                     *sql.DB // a small pool that cannot write
	get, ascending, descending *sql.Stmt

	writeDB                 *sql.DB // holds one connection:
	conn                    *sql.Conn
	begin, commit, rollback *sql.Stmt // on conn, as the next three
	version, put, purge     *sql.Stmt

	stmts []*sql.Stmt // all of them, to close

	mu     sync.RWMutex // held for reading while a commit enters the queue
	closed bool
	queue  chan *commit
	ended  chan struct{} // closed when the writer has answered the last commit

	// The writer's own.
	nextPurge    time.Time
	transactions int // begun
}

var _ store.Store = (*Store)(nil)

// Close refuses new commits, waits until those in the queue are answered, and
// closes the file. Closing twice is allowed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.queue)
	s.mu.Unlock()
	<-s.ended
	return s.closeFiles()
}

// closeFiles closes what is open, the writer last: only it may move the rest of
// the log into the file.
func (s *Store) closeFiles() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	if s.readDB != nil {
		errs = append(errs, s.readDB.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.writeDB != nil {
		errs = append(errs, s.writeDB.Close())
	}
	return errors.Join(errs...)
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	if err := store.CheckGet(keys); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	records := make([]store.Record, len(keys))
	for i, k := range keys {
		r, err := scan(s.get.QueryRowContext(ctx, k.Part, k.Sort), k.Part)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			records[i] = store.Record{Key: k}
		case err != nil:
			return nil, readError(ctx, err)
		default:
			records[i] = r
		}
	}
	return records, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	if err := store.CheckRange(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, to := bounds(r)
	stmt := s.ascending
	if r.Descending {
		stmt = s.descending
	}
	rows, err := stmt.QueryContext(ctx, r.Part, from, to, r.Limit)
	if err != nil {
		return nil, readError(ctx, err)
	}
	defer rows.Close()
	var records []store.Record
	for rows.Next() {
		record, err := scan(rows, r.Part)
		if err != nil {
			return nil, readError(ctx, err)
		}
		records = append(records, record)
	}
	if err := rows.Err(); err != nil {
		return nil, readError(ctx, err)
	}
	return records, nil
}

// bounds returns the span of sorts that r asks for: from inclusive, to exclusive.
// Sorts and prefixes are UTF-8, so a prefix's last byte can always be raised by
// one and 0xff lies above every sort.
func bounds(r store.Range) (from, to string) {
	from, to = r.Prefix, "\xff"
	if n := len(r.Prefix); n > 0 {
		to = r.Prefix[:n-1] + string([]byte{r.Prefix[n-1] + 1})
	}
	switch {
	case r.After == "":
	case r.Descending:
		to = min(to, r.After)
	default:
		from = max(from, r.After+"\x00") // the least string above After
	}
	return from, to
}

func scan(row interface{ Scan(...any) error }, part string) (store.Record, error) {
	r := store.Record{Key: store.Key{Part: part}}
	var expires sql.NullInt64
	if err := row.Scan(&r.Key.Sort, &r.Version, &r.Body, &expires); err != nil {
		return store.Record{}, err
	}
	if expires.Valid {
		r.Expires = time.Unix(expires.Int64, 0).UTC()
	}
	return r, nil
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, writes []store.Write) error {
	if err := store.CheckCommit(writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := newCommit(writes)
	if err := s.enqueue(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		if c.withdraw() {
			return ctx.Err()
		}
		return <-c.answer
	}
}

func (s *Store) enqueue(ctx context.Context, c *commit) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return fmt.Errorf("%w: the store is closed", store.ErrUnavailable)
	}
	select {
	case s.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readError turns the failure of a read into the port's words.
func readError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable(err)
}

// unavailable turns a failure that left no effect into the port's words.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w", store.ErrUnavailable, explain(err))
}

// explain puts SQLite's result codes that an operator can do something about
// into plain words before the driver's own.
func explain(err error) error {
	var what string
	switch resultCode(err) {
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		what = "another process keeps the file locked"
	case 8: // SQLITE_READONLY
		what = "the file cannot be written"
	case 10: // SQLITE_IOERR
		what = "the disk fails"
	case 11: // SQLITE_CORRUPT
		what = "the file is damaged"
	case 13: // SQLITE_FULL
		what = "the disk is full"
	case 14: // SQLITE_CANTOPEN
		what = "the file cannot be opened"
	case 26: // SQLITE_NOTADB
		what = "the file is not a database, or is damaged"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
