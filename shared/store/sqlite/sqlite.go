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
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gongji/shared/store"
)

// Store is a [store.Store] in one file. Open makes one.
type Store struct {
	now func() time.Time

	readDB   *sql.DB
	readers  chan *conn // those that are free; they cannot write
	nReaders int

	writeDB                   *sql.DB // holds one connection:
	conn                      *conn
	begin, commit, rollback   *stmt              // on conn, as the others
	find                      [getKeys + 1]*stmt // of findText
	insert, unwrite           *stmt
	update, reschedule, purge *stmt

	mu     sync.RWMutex // held for reading while a commit enters the queue
	closed bool
	queue  chan *commit
	ended  chan struct{} // closed when the writer has answered the last commit

	// The writer's own.
	nextPurge    time.Time
	transactions int        // begun
	found        []standing // room for those of one commit
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
	for range s.nReaders { // waits for those that are reading
		errs = append(errs, (<-s.readers).close())
	}
	close(s.readers)
	if s.readDB != nil {
		errs = append(errs, s.readDB.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.close())
	}
	if s.writeDB != nil {
		errs = append(errs, s.writeDB.Close())
	}
	return errors.Join(errs...)
}

// getKeys is how many records one statement reads.
const getKeys = 16

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	if err := store.CheckGet(keys); err != nil {
		return nil, err
	}
	records := make([]store.Record, len(keys))
	for i, k := range keys {
		records[i].Key = k
	}
	err := s.read(ctx, func(c *conn) error {
		for rest := records; len(rest) > 0; {
			some := rest[:min(len(rest), getKeys)]
			rest = rest[len(some):]
			get, err := c.prepare(getText[len(some)])
			if err != nil {
				return err
			}
			args := make([]driver.Value, 0, 2*getKeys)
			for _, r := range some {
				args = append(args, r.Key.Part, r.Key.Sort)
			}
			err = c.with(func() error {
				return get.query(func(columns []driver.Value) { fill(&some[columns[0].(int64)], columns[1:]) }, args...)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// getText are the statements that read so many records, findText those that look what
// became of them: one statement, because each locks and unlocks the log.
var getText, findText = manyText("version, body, expires"), manyText("id, version, expires")

func manyText(columns string) (texts [getKeys + 1]string) {
	for n := 1; n <= getKeys; n++ {
		arms := make([]string, n)
		for i := range arms {
			arms[i] = fmt.Sprintf(`SELECT %d, %s FROM records WHERE part = ? AND sort = ?`, i, columns)
		}
		texts[n] = strings.Join(arms, " UNION ALL ")
	}
	return texts
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	if err := store.CheckRange(r); err != nil {
		return nil, err
	}
	from, to := bounds(r)
	text := listText + `ORDER BY sort LIMIT ?`
	if r.Descending {
		text = listText + `ORDER BY sort DESC LIMIT ?`
	}
	var records []store.Record
	err := s.read(ctx, func(c *conn) error {
		list, err := c.prepare(text)
		if err != nil {
			return err
		}
		return c.with(func() error {
			return list.query(func(columns []driver.Value) {
				record := store.Record{Key: store.Key{Part: r.Part, Sort: columns[0].(string)}}
				fill(&record, columns[1:])
				records = append(records, record)
			}, r.Part, from, to, int64(r.Limit))
		})
	})
	return records, err
}

const listText = `SELECT sort, version, body, expires FROM records WHERE part = ? AND sort >= ? AND sort < ? `

const scanText = `SELECT part, sort, version, body, expires FROM records WHERE (part, sort) > (?, ?) ORDER BY part, sort LIMIT ?`

// Scan implements [store.Scanner], in the order of the keys.
func (s *Store) Scan(ctx context.Context, after store.Key, limit int) ([]store.Record, error) {
	if limit < 1 || limit > store.MaxList {
		return nil, fmt.Errorf("%w: limit %d is not in 1..%d", store.ErrInvalid, limit, store.MaxList)
	}
	var records []store.Record
	err := s.read(ctx, func(c *conn) error {
		scan, err := c.prepare(scanText)
		if err != nil {
			return err
		}
		return c.with(func() error {
			return scan.query(func(columns []driver.Value) {
				record := store.Record{Key: store.Key{Part: columns[0].(string), Sort: columns[1].(string)}}
				fill(&record, columns[2:])
				records = append(records, record)
			}, after.Part, after.Sort, int64(limit))
		})
	})
	return records, err
}

// read has a free reader do work.
func (s *Store) read(ctx context.Context, work func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c, open := <-s.readers:
		if !open {
			return fmt.Errorf("%w: the store is closed", store.ErrUnavailable)
		}
		defer func() { s.readers <- c }()
		if err := work(c); err != nil {
			return unavailable(err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fill puts the columns version, body and expires into a record.
func fill(r *store.Record, columns []driver.Value) {
	r.Version = uint64(columns[0].(int64))
	r.Body = columns[1].([]byte)
	if expires, set := columns[2].(int64); set {
		r.Expires = time.Unix(expires, 0).UTC()
	}
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
