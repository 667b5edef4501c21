package storetest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/store"
)

// model is the port in a few lines of plain code: what a store must agree with.
type model map[store.Key]store.Record

func (m model) get(k store.Key) store.Record {
	if r, ok := m[k]; ok {
		return r
	}
	return store.Record{Key: k}
}

// commit reports whether the writes were done.
func (m model) commit(writes []store.Write) bool {
	for _, w := range writes {
		if m.get(w.Key).Version != w.Base {
			return false
		}
	}
	for _, w := range writes {
		if !w.Check {
			m[w.Key] = store.Record{Key: w.Key, Version: w.Base + 1, Body: w.Body, Expires: w.Expires}
		}
	}
	return true
}

func (m model) list(r store.Range) []store.Record {
	var records []store.Record
	for k, record := range m {
		after := r.After == "" || k.Sort > r.After
		if r.Descending {
			after = r.After == "" || k.Sort < r.After
		}
		if k.Part == r.Part && strings.HasPrefix(k.Sort, r.Prefix) && after {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b store.Record) int {
		if r.Descending {
			a, b = b, a
		}
		return strings.Compare(a.Key.Sort, b.Key.Sort)
	})
	return records[:min(len(records), r.Limit)]
}

func same(a, b store.Record) bool {
	return a.Key == b.Key && a.Version == b.Version && bytes.Equal(a.Body, b.Body) && a.Expires.Equal(b.Expires)
}

// wantRecords fails the test unless got are the records want, in that order.
func wantRecords(t *testing.T, what string, got, want []store.Record) {
	t.Helper()
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

func show(records []store.Record) string {
	var b strings.Builder
	for _, r := range records {
		b.WriteString("\n\t" + strconv.Quote(r.Key.Part) + " " + strconv.Quote(r.Key.Sort) +
			" v" + strconv.FormatUint(r.Version, 10) + " " + strconv.Quote(string(r.Body[:min(len(r.Body), 40)])))
		if !r.Expires.IsZero() {
			b.WriteString(" until " + r.Expires.String())
		}
	}
	return b.String()
}
