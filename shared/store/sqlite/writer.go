package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gongji/shared/store"
)

const (
	queueLen     = 1024     // commits that may wait before Commit itself waits
	batchCommits = 256      // commits in one transaction
	batchBytes   = 16 << 20 // bodies in one transaction; the last commit may go over it
	purgeEvery   = time.Minute
	purgeRecords = 500            // deleted with one transaction
	purgeAfter   = 24 * time.Hour // from a record's expiry to its deletion
)

// commit is one call of Commit on its way through the queue. Whoever moves its
// state out of waiting, the writer or the caller, decides whether it is done.
type commit struct {
	writes []store.Write
	bytes  int
	state  atomic.Int32
	answer chan error // takes one answer without anybody listening
}

const (
	waiting = iota
	taken
	withdrawn
)

func newCommit(writes []store.Write) *commit {
	c := &commit{writes: writes, answer: make(chan error, 1)}
	for _, w := range writes {
		c.bytes += len(w.Body)
	}
	return c
}

func (c *commit) take() bool     { return c.state.CompareAndSwap(waiting, taken) }
func (c *commit) withdraw() bool { return c.state.CompareAndSwap(waiting, withdrawn) }

// run is the writer: the only goroutine that writes to the file.
func (s *Store) run() {
	defer close(s.ended)
	for first := range s.queue {
		s.transact(first)
	}
}

// transact does one transaction with the first commit and all that queued up
// behind it, and answers them.
//
// The lock comes first and the commits after it: while another process holds the
// lock they go on queueing, and may be withdrawn.
func (s *Store) transact(first *commit) {
	s.transactions++
	lockErr := do(s.begin)
	batch := s.gather(first)
	answers := make([]error, len(batch))

	fail := func(err error) {
		_ = do(s.rollback) // fails when SQLite has rolled back by itself
		for i := range answers {
			answers[i] = err
		}
	}
	if lockErr != nil {
		fail(unavailable(lockErr))
	} else if err := s.write(batch, answers); err != nil {
		// Nothing of a transaction without COMMIT survives: it certainly failed.
		fail(unavailable(err))
	} else if err := do(s.commit); err != nil {
		// The log may hold the transaction whole, and a restart would find it.
		fail(fmt.Errorf("%w: %v", store.ErrUnknown, explain(err)))
	}
	for i, c := range batch {
		c.answer <- answers[i]
	}
}

// gather takes commits out of the queue until it is empty or the batch is full.
func (s *Store) gather(first *commit) []*commit {
	var batch []*commit
	bytes := 0
	for c := first; ; {
		if c.take() {
			batch = append(batch, c)
			bytes += c.bytes
		}
		if len(batch) >= batchCommits || bytes >= batchBytes {
			return batch
		}
		select {
		case next, open := <-s.queue:
			if !open {
				return batch
			}
			c = next
		default:
			return batch
		}
	}
}

// write does the batch inside the transaction that has begun. A commit whose
// conditions do not hold writes nothing and is answered ErrConflict; an error is
// the whole transaction's.
func (s *Store) write(batch []*commit, answers []error) error {
	for i, c := range batch {
		ok, err := s.holds(c.writes)
		if err != nil {
			return err
		}
		if !ok {
			answers[i] = store.ErrConflict
			continue
		}
		for _, w := range c.writes {
			if w.Check {
				continue
			}
			expires := sql.NullInt64{Int64: w.Expires.Unix(), Valid: !w.Expires.IsZero()}
			if err := do(s.put, w.Key.Part, w.Key.Sort, w.Base+1, w.Body, expires); err != nil {
				return err
			}
		}
	}
	return s.forget()
}

// holds reports whether every record is at the version its writer read, as the
// commits before in the batch have left it.
func (s *Store) holds(writes []store.Write) (bool, error) {
	for _, w := range writes {
		var version uint64
		err := s.version.QueryRow(w.Key.Part, w.Key.Sort).Scan(&version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
		if version != w.Base {
			return false, nil
		}
	}
	return true, nil
}

// forget deletes some of the records that expired long ago. It rides in a
// transaction that is paid for anyway: a store that nobody writes to does not
// grow either.
func (s *Store) forget() error {
	now := s.now()
	if now.Before(s.nextPurge) {
		return nil
	}
	result, err := s.purge.Exec(now.Add(-purgeAfter).Unix(), purgeRecords)
	if err != nil {
		return err
	}
	deleted, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if deleted < purgeRecords {
		s.nextPurge = now.Add(purgeEvery)
	}
	return nil
}

// do runs a statement of the writer's. It takes no caller's context: the
// transaction belongs to many.
func do(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(context.Background(), args...)
	return err
}
