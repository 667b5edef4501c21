package sqlite

import (
	"database/sql/driver"
	"fmt"
	"slices"
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
	lockErr := s.do(s.begin)
	batch := s.gather(first)
	answers := make([]error, len(batch))

	fail := func(err error) {
		_ = s.do(s.rollback) // fails when SQLite has rolled back by itself
		for i := range answers {
			answers[i] = err
		}
	}
	if lockErr != nil {
		fail(unavailable(lockErr))
	} else if err := s.conn.with(func() error { return s.write(batch, answers) }); err != nil {
		// Nothing of a transaction without COMMIT survives: it certainly failed.
		fail(unavailable(err))
	} else if err := s.do(s.commit); err != nil {
		// The log may hold the transaction whole, and a restart would find it.
		fail(fmt.Errorf("%w: %v", store.ErrUnknown, explain(err)))
	}
	for i, c := range batch {
		c.answer <- answers[i]
	}
}

func (s *Store) do(statement *stmt) error {
	return s.conn.with(func() error {
		_, err := statement.exec()
		return err
	})
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
		done, err := s.apply(c.writes)
		if err != nil {
			return err
		}
		if !done {
			answers[i] = store.ErrConflict
		}
	}
	return s.forget()
}

// standing is a record as a commit finds it.
type standing struct {
	id, version int64
	expires     driver.Value
}

// apply does the writes of one commit and reports true, or does none of them and
// reports false when a record is not at the version its writer read, as the commits
// before in the batch have left it. Records that were there are looked at first; those
// that must be new are then inserted, which finds out by itself; so what has to be
// taken back are inserted records alone, and only when a later one is there already.
func (s *Store) apply(writes []store.Write) (bool, error) {
	found, err := s.look(writes)
	if err != nil {
		return false, err
	}
	for i, w := range writes {
		if uint64(found[i].version) != w.Base {
			return false, nil
		}
	}
	for i, w := range writes {
		if w.Base > 0 || w.Check {
			continue
		}
		inserted, err := s.insert.exec(w.Key.Part, w.Key.Sort, w.Body, expiry(w))
		if err != nil {
			return false, err
		}
		if inserted == 0 {
			return false, s.takeBack(writes[:i])
		}
	}
	for i, w := range writes {
		if w.Base == 0 || w.Check {
			continue
		}
		var err error
		if r := found[i]; r.expires == expiry(w) {
			_, err = s.update.exec(w.Body, r.id)
		} else {
			_, err = s.reschedule.exec(w.Body, expiry(w), r.id)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// look finds the records of a commit that must be there or must not; the standing of
// one that is to be inserted is left empty.
func (s *Store) look(writes []store.Write) ([]standing, error) {
	found := append(s.found[:0], make([]standing, len(writes))...)
	s.found = found
	var at []int
	for i, w := range writes {
		if w.Base > 0 || w.Check {
			at = append(at, i)
		}
	}
	for some := range slices.Chunk(at, getKeys) {
		args := make([]driver.Value, 0, 2*getKeys)
		for _, i := range some {
			args = append(args, writes[i].Key.Part, writes[i].Key.Sort)
		}
		err := s.find[len(some)].query(func(columns []driver.Value) {
			found[some[columns[0].(int64)]] = standing{columns[1].(int64), columns[2].(int64), columns[3]}
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// takeBack deletes the records that a commit has inserted.
func (s *Store) takeBack(writes []store.Write) error {
	for _, w := range writes {
		if w.Base > 0 || w.Check {
			continue
		}
		if _, err := s.unwrite.exec(w.Key.Part, w.Key.Sort); err != nil {
			return err
		}
	}
	return nil
}

func expiry(w store.Write) driver.Value {
	if w.Expires.IsZero() {
		return nil
	}
	return w.Expires.Unix()
}

// forget deletes some of the records that expired long ago. It rides in a
// transaction that is paid for anyway: a store that nobody writes to does not
// grow either.
func (s *Store) forget() error {
	now := s.now()
	if now.Before(s.nextPurge) {
		return nil
	}
	deleted, err := s.purge.exec(now.Add(-purgeAfter).Unix(), int64(purgeRecords))
	if err != nil {
		return err
	}
	if deleted < purgeRecords {
		s.nextPurge = now.Add(purgeEvery)
	}
	return nil
}
