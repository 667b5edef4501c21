package dynamo

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"sync"

	"gongji/shared/store"
)

// A write is charged by the KiB of its item, twice in a transaction. An item over
// one KiB is therefore kept packed, if that makes it smaller: its body deflated
// (RFC 1951) in the attribute packed1 and not in body. Smaller ones are left as they
// are, for nothing would be saved.
const unit = 1024

// dictionary1 is what a packed body may refer back to: the names of fields as the
// house writes them, so that they cost next to nothing. To the store bodies are
// opaque, and one that looks like nothing in here is packed too, only not as small.
//
// What was packed with a dictionary is unpacked with the same for ever: this one
// never changes. A better one is dictionary2, beside it, under an attribute packed2.
//
//go:embed dictionary1.txt
var dictionary1 []byte

var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(nil, flate.DefaultCompression, dictionary1)
	if err != nil {
		panic(err) // there is such a level
	}
	return w
}}

// encode returns the item of a record, with its body or packed.
func encode(k store.Key, version uint64, body []byte, expires int64) (item, error) {
	i := item{key: k, version: version, body: body, expires: expires}
	if i.size() <= unit {
		return i, nil
	}
	var packed bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(body); err != nil {
		return item{}, err
	}
	if err := w.Close(); err != nil {
		return item{}, err
	}
	short := item{key: k, version: version, packed1: packed.Bytes(), expires: expires}
	if short.size() < i.size() {
		return short, nil
	}
	return i, nil
}

// unpacked returns the body of an item that was read.
func (i *item) unpacked() ([]byte, error) {
	if i.packed1 == nil {
		return i.body, nil
	}
	r := flate.NewReaderDict(bytes.NewReader(i.packed1), dictionary1)
	body, err := io.ReadAll(io.LimitReader(r, store.MaxBody+1))
	if err == nil && len(body) > store.MaxBody {
		err = fmt.Errorf("it unpacks to more than %d bytes", store.MaxBody)
	}
	if err != nil {
		return nil, fmt.Errorf("the body under %v: %w", i.key, err)
	}
	return body, nil
}

// size returns the item's size as DynamoDB counts it: the names and the values of
// its attributes; a number takes a byte for two digits and one more.
func (i *item) size() int {
	n := len("part") + len(i.key.Part) + len("sort") + len(i.key.Sort) + len("v") + (len(strconv.FormatUint(i.version, 10))+1)/2 + 1
	if i.packed1 != nil {
		n += len("packed1") + len(i.packed1)
	} else {
		n += len("body") + len(i.body)
	}
	if i.expires != 0 {
		n += len("expires") + 6
	}
	return n
}

// Size returns how many bytes a write's record has in the table, as DynamoDB counts
// them, and how many it would have if it were never packed.
func Size(w store.Write) (size, unpacked int, err error) {
	i, err := encode(w.Key, w.Base+1, w.Body, expiry(w))
	plain := item{key: i.key, version: i.version, body: w.Body, expires: i.expires}
	return i.size(), plain.size(), err
}

// expiry returns a write's expiry as the table has it.
func expiry(w store.Write) int64 {
	if w.Expires.IsZero() {
		return 0
	}
	return w.Expires.Unix()
}
