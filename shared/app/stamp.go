package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"gongji/shared/store"
	"gongji/shared/vault"
)

// stamped puts a stamp on every record that leaves the house for its store, and
// holds every record that comes back against its own. It is the one place where
// both happens: no act sees a stamp.
//
// A stamp is a keyed hash over key, version, expiry and body. So a record that was
// changed past the house, written under another key, or moved to another version
// is seen by its next reader, whatever field it was and whether or not anything
// else in the books follows from it. What it cannot see is a record that is whole
// but old, or not there: that is what the proofs compare records with one another
// for.
type stamped struct {
	store store.Store
	vault *vault.Vault
}

// A stamp is the last field of a body, so that every body is JSON as before.
const (
	stampStart = `,"Stamp":"`
	stampEnd   = `"}`
	stampBytes = len(stampStart) + vault.StampLen + len(stampEnd)
)

// Get implements [store.Store]. A record whose stamp is not right has no body,
// which decode tells as a DamagedError.
func (s stamped) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	records, err := s.store.Get(ctx, keys...)
	s.check(records)
	return records, err
}

// List implements [store.Store], as Get does.
func (s stamped) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	records, err := s.store.List(ctx, r)
	s.check(records)
	return records, err
}

// errNoScan says that a store cannot be read from end to end.
var errNoScan = errors.New("app: this store cannot be read from end to end")

// Scan implements [store.Scanner], as Get does, where the store does.
func (s stamped) Scan(ctx context.Context, after store.Key, limit int) ([]store.Record, error) {
	scanner, can := s.store.(store.Scanner)
	if !can {
		return nil, errNoScan
	}
	records, err := scanner.Scan(ctx, after, limit)
	s.check(records)
	return records, err
}

func (s stamped) check(records []store.Record) {
	for i, r := range records {
		if r.Exists() {
			records[i].Body = s.unstamp(r)
		}
	}
}

// Commit implements [store.Store]. The same writes get the same stamps.
func (s stamped) Commit(ctx context.Context, writes []store.Write) error {
	out := make([]store.Write, len(writes))
	for i, w := range writes {
		if out[i] = w; !w.Check {
			out[i].Body = s.stamp(store.Record{Key: w.Key, Version: w.Base + 1, Body: w.Body, Expires: w.Expires})
		}
	}
	return s.store.Commit(ctx, out)
}

// stamp returns the body of a record with its stamp.
func (s stamped) stamp(r store.Record) []byte {
	if len(r.Body) < len(`{"a":1}`) || r.Body[len(r.Body)-1] != '}' {
		panic("app: a record's body is an object with fields")
	}
	out := make([]byte, 0, len(r.Body)+stampBytes)
	out = append(out, r.Body[:len(r.Body)-1]...)
	out = append(out, stampStart...)
	out = append(out, s.stampOf(r)...)
	return append(out, stampEnd...)
}

// unstamp returns the body of a record without its stamp; nil when the stamp is
// not right.
func (s stamped) unstamp(r store.Record) []byte {
	at := len(r.Body) - stampBytes
	if at < 1 || !bytes.HasPrefix(r.Body[at:], []byte(stampStart)) || !bytes.HasSuffix(r.Body, []byte(stampEnd)) {
		return nil
	}
	has := string(r.Body[at+len(stampStart) : at+len(stampStart)+vault.StampLen])
	r.Body = append(bytes.Clone(r.Body[:at]), '}')
	if !vault.SameStamp(has, s.stampOf(r)) {
		return nil
	}
	return r.Body
}

func (s stamped) stampOf(r store.Record) string {
	return s.vault.Stamp(r.Body, r.Key.Part, r.Key.Sort, strconv.FormatUint(r.Version, 10), strconv.FormatInt(r.Expires.Unix(), 10))
}

// DamagedError is the failure of a read that met a record which is not as the
// house wrote it. Repair puts right what follows from others and sets the rest
// apart; until then no act that needs the record does anything.
type DamagedError struct{ Key store.Key }

// Error implements error. It names the kind of record only.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("app: a record %.4s… is damaged: it is not as the house wrote it (prove the books, then repair)", e.Key.Part)
}
