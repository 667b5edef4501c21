// Package store is the port through which the house keeps its state:
// versioned records and three verbs, Get, List and Commit.
//
// A record has a key of two parts, a version and a body that the port never
// looks into. A commit is a set of conditional writes that happens whole or not
// at all: every record it names must still be at the version its writer read.
// That one condition is the whole of the port's expression language; every rule
// of the trade lives above it.
//
// Two adapters keep it, [gongji/shared/store/sqlite] and
// [gongji/shared/store/dynamo]; the suite in [gongji/shared/store/storetest]
// says what keeping it means. There are no others and no mocks.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of one commit. They are DynamoDB's (TransactWriteItems: 100 actions,
// 4 MB together, 400 KB an item) less room for the key and the version, so that
// a commit which one adapter takes is never refused by the other.
const (
	MaxWrites      = 100
	MaxBody        = 380 << 10 // bytes, one record
	MaxCommitBytes = 3_900_000 // bytes, all bodies of one commit together
	MaxKey         = 512       // bytes, each part of a key
	MaxList        = 1000      // records, one List
)

// Key names a record. Records of one Part lie together, ordered by Sort, byte
// by byte. Neither part is empty; both are UTF-8 without NUL, for DynamoDB's
// strings hold nothing else.
type Key struct{ Part, Sort string }

// Record is what the store holds under a key.
type Record struct {
	Key Key
	// Version counts the commits that wrote the record: 1 after the first.
	// 0 stands for a record that is not there.
	Version uint64
	// Body is opaque to the store.
	Body []byte
	// Expires is when the store may, at some later time of its own choosing,
	// forget the record; zero is never. It is housekeeping only: a record past
	// it can still be read, so whoever depends on the time compares it himself.
	// Whole seconds; what is below is cut off.
	Expires time.Time
}

// Exists tells whether the record was there when it was read.
func (r Record) Exists() bool { return r.Version > 0 }

// Write is one conditional write of a commit.
type Write struct {
	Key Key
	// Base is the version the writer read: the write happens only if the record
	// still has it. 0 means that there must be no such record.
	Base uint64
	// Check leaves the record as it is: only the condition counts.
	Check bool
	// Body becomes the record's body, at version Base+1.
	Body []byte
	// Expires becomes the record's expiry; zero is never.
	Expires time.Time
}

// Range asks for the records of one Part in order of Sort.
type Range struct {
	Part string
	// Prefix keeps the records whose Sort begins with it.
	Prefix string
	// After leaves out all up to and including this Sort (all from it on, when
	// Descending), so that the last Sort of one page begins the next.
	After string
	// Limit is the most records to return, 1 to MaxList.
	Limit int
	// Descending turns the order round.
	Descending bool
}

// Store keeps records. Implementations are safe for concurrent use.
//
// Every error is one of the four below or the context's. The context's error from
// Commit means that nothing was written and nothing will be.
type Store interface {
	// Get returns the records under the keys, in the order of the keys, each as
	// of its last commit (never stale). A record that is not there has its Key
	// and Version 0. The records of one Get may be torn, read at different
	// moments: only a Commit that names them all proves that they stood together.
	Get(ctx context.Context, keys ...Key) ([]Record, error)

	// List returns the records of a range, each as of its last commit.
	List(ctx context.Context, r Range) ([]Record, error)

	// Commit makes all the writes durable, or none.
	//
	// It returns nil when they are durable; ErrConflict when a record was not at
	// its Base or another commit held it (nothing was written, look again);
	// ErrUnknown when the commit may or may not have happened, now or later:
	// send the very same commit again. Only two things settle it: that a commit of
	// the same writes answers nil, and that one of its records is read at a version
	// other than Base. ErrUnavailable and ErrConflict speak for the commit that
	// they answer and not for the one before, and reading the records and not
	// finding the commit proves nothing.
	//
	// Two writes of one commit may not name one key.
	Commit(ctx context.Context, writes []Write) error
}

// Scanner is a Store that can be read from end to end. No act does that: it is for
// the proof of a whole table, as after a restore.
type Scanner interface {
	// Scan returns at most limit records (1 to MaxList) after a key, the zero Key
	// for the first, in an order of the store's own in which the records of one
	// Part lie together, ordered by Sort. None means that there are no more. What
	// is written meanwhile may be seen or not.
	Scan(ctx context.Context, after Key, limit int) ([]Record, error)
}

var (
	// ErrConflict says that somebody moved first. Nothing was written.
	ErrConflict = errors.New("store: a record is not at the version that was read")
	// ErrUnknown says that nobody knows whether the commit happened.
	ErrUnknown = errors.New("store: the outcome of the commit is unknown")
	// ErrUnavailable says that the store cannot be asked now. Nothing was written.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrInvalid says that the call broke the port's bounds: a mistake of the
	// program, never of a client. Nothing was written.
	ErrInvalid = errors.New("store: invalid call")
)

// CheckGet reports whether keys keep the port's bounds. Adapters call it first.
func CheckGet(keys []Key) error {
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return err
		}
	}
	return nil
}

// CheckRange reports whether r keeps the port's bounds. Adapters call it first.
func CheckRange(r Range) error {
	if r.Part == "" || !keyText(r.Part) || !keyText(r.Prefix) || !keyText(r.After) {
		return fmt.Errorf("%w: range %+v", ErrInvalid, r)
	}
	if r.Limit < 1 || r.Limit > MaxList {
		return fmt.Errorf("%w: limit %d is not in 1..%d", ErrInvalid, r.Limit, MaxList)
	}
	return nil
}

// CheckCommit reports whether writes keep the port's bounds. Adapters call it
// first, so that a commit too large is refused before anything is sent.
func CheckCommit(writes []Write) error {
	if len(writes) == 0 || len(writes) > MaxWrites {
		return fmt.Errorf("%w: %d writes are not in 1..%d", ErrInvalid, len(writes), MaxWrites)
	}
	seen := make(map[Key]bool, len(writes))
	total := 0
	for _, w := range writes {
		if err := checkKey(w.Key); err != nil {
			return err
		}
		if seen[w.Key] {
			return fmt.Errorf("%w: two writes name %v", ErrInvalid, w.Key)
		}
		seen[w.Key] = true
		switch {
		case w.Check && w.Body != nil:
			return fmt.Errorf("%w: the check of %v has a body", ErrInvalid, w.Key)
		case !w.Check && len(w.Body) == 0:
			return fmt.Errorf("%w: the write of %v has no body", ErrInvalid, w.Key)
		case len(w.Body) > MaxBody:
			return fmt.Errorf("%w: the body of %v has %d bytes, more than %d", ErrInvalid, w.Key, len(w.Body), MaxBody)
		}
		total += len(w.Body)
	}
	if total > MaxCommitBytes {
		return fmt.Errorf("%w: the bodies have %d bytes together, more than %d", ErrInvalid, total, MaxCommitBytes)
	}
	return nil
}

func checkKey(k Key) error {
	if k.Part == "" || k.Sort == "" || !keyText(k.Part) || !keyText(k.Sort) {
		return fmt.Errorf("%w: key %q", ErrInvalid, k)
	}
	return nil
}

// keyText tells whether a key can hold s.
func keyText(s string) bool {
	return len(s) <= MaxKey && utf8.ValidString(s) && !strings.Contains(s, "\x00")
}
