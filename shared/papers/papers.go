// Package papers is the port through which the house takes papers that prove a
// relation: files that a family uploads by a signed door straight to where they lie,
// and that nobody sees before [Inspect] found them to be what they say they are and
// took out what nobody asked for.
//
// Two adapters keep the port, [gongji/shared/papers/folder] (a directory, the
// embedded default) and [gongji/shared/papers/bucket] (Amazon S3). Neither knows
// what a paper says: what is kept was sealed before.
package papers

import (
	"context"
	"errors"
	"time"
)

// MaxBytes bounds a paper as it is uploaded; a sealed one is a third larger.
const (
	MaxBytes  = 10 << 20
	MaxSealed = 15 << 20
)

// Announced is what an upload has to be.
type Announced struct {
	ContentType string // one of [Types]
	Size        int64  // bytes
	SHA256      string // lower-case hex
}

// Upload is a door through which one file can be sent once, until it closes: the
// request with this method and URL and exactly these headers, and the file as body.
type Upload struct {
	Method, URL string
	Headers     map[string]string
	Expires     time.Time
}

// Shelf is where papers lie. Ids are 26 letters and digits. Implementations are safe
// for concurrent use.
type Shelf interface {
	// Door returns a door for the upload of one paper, open until a time.
	Door(ctx context.Context, id string, a Announced, until time.Time) (Upload, error)
	// Uploaded returns what came through the door of a paper, or [ErrNone]; at most
	// MaxBytes+1 bytes of it.
	Uploaded(ctx context.Context, id string) ([]byte, error)
	// Keep puts a paper's sealed content in the place of its upload.
	Keep(ctx context.Context, id string, sealed []byte) error
	// Kept returns a paper's sealed content, or [ErrNone].
	Kept(ctx context.Context, id string) ([]byte, error)
	// Discard deletes the content of a paper that was refused or replaced, and leaves its
	// door used: nothing comes through it once more.
	Discard(ctx context.Context, id string) error
	// Drop deletes all that there is of a paper whose door has long closed. What is not
	// there is dropped.
	Drop(ctx context.Context, id string) error
}

// ErrNone says that there is no such paper, or not yet.
var ErrNone = errors.New("papers: there is no such paper")
