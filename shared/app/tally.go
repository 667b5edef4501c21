package app

import (
	"context"
	"log/slog"
	"sync/atomic"

	"gongji/shared/family"
)

// Tally counts what one request cost the store and remembers which message it was
// about: what the line of a log says of it. A message's id names an institution, a
// second and four digits, and no person.
//
// A Tally rides in a context because it observes acts and decides nothing: see
// [WithTally].
type Tally struct {
	reads, commits, again atomic.Int64
	message               atomic.Pointer[family.MessageID]
}

type tallyKey struct{}

// WithTally returns a context under which acts count into the Tally returned.
func WithTally(ctx context.Context) (context.Context, *Tally) {
	t := new(Tally)
	return context.WithValue(ctx, tallyKey{}, t), t
}

// tallyOf returns the Tally of a context, or one that nobody reads.
func tallyOf(ctx context.Context) *Tally {
	if t, ok := ctx.Value(tallyKey{}).(*Tally); ok {
		return t
	}
	return new(Tally)
}

// about notes which message a request is about; what is none is not noted, so that
// nothing else can get into a log by this door.
func (t *Tally) about(id family.MessageID) {
	if _, err := family.ParseMessageID(string(id)); err == nil {
		t.message.Store(&id)
	}
}

// Attrs returns the tally as attributes of a log line: message_id, where there was
// one; reads and commits, the calls of the store; again, how many of an act's
// attempts were not its first.
func (t *Tally) Attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Int64("reads", t.reads.Load()), slog.Int64("commits", t.commits.Load()), slog.Int64("again", t.again.Load()),
	}
	if id := t.message.Load(); id != nil {
		attrs = append(attrs, slog.String("message_id", string(*id)))
	}
	return attrs
}
