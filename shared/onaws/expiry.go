package onaws

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/gateway"
)

// proofReserve is the time that stays to tell how far a proof came.
const proofReserve = 2 * time.Second

// maxFaultLines bounds the lines that one proof writes about faults.
const maxFaultLines = 20

// ExpiryEvent is what the schedule sends: nothing. Whoever goes on by hand with a
// proof that ran out of time names the day and where it stopped.
type ExpiryEvent struct {
	Day   string `json:"day"`
	After string `json:"after"`
}

// DayProof is what the proof of one day came to.
type DayProof struct {
	Day          string `json:"day"`
	Institutions int    `json:"institutions"`
	Settlements  int    `json:"settlements"`
	Accounts     int    `json:"accounts"`
	Entries      int    `json:"entries"`
	Faults       int    `json:"faults"`
	// Next is where to go on when the time ran out; empty when the day was proved
	// to its end.
	Next     string `json:"next,omitempty"`
	Complete bool   `json:"complete"`
}

// Expiry returns the function of the schedule. First it sees to bindings whose day
// has come ([app.App.Sweep]); then it proves the books of today and of yesterday, and
// says in the log and in metrics what it found; in what is left of its time it seals
// anew what is under older keys ([app.App.Reseal]). A run that comes twice, beside
// another, late or never does no harm.
//
// What it does not do: expire codes. Whether a code has expired is decided by the
// clock when it is redeemed, and DynamoDB's time to live removes what is left of
// it, as of first answers to people's requests.
//
// A run ends before its function does and says where it stopped. The next run of
// the schedule begins at the beginning again: where a day is more than one run can
// prove, the alarm on ProofIncomplete says so.
func Expiry(h *House) func(context.Context, ExpiryEvent) ([]DayProof, error) {
	return expiry(h, time.Now)
}

// maxSweeps bounds the calls of one run's sweep; each looks at some hundreds.
const maxSweeps = 200

func (h *House) sweep(ctx context.Context) error {
	for range maxSweeps {
		done, err := h.App.Sweep(ctx)
		if err != nil {
			return err
		}
		h.Log.InfoContext(ctx, "swept", "looked", done.Looked, "changed", done.Changed, "through", done.Through.String(), "complete", done.Complete)
		if done.Complete {
			return nil
		}
	}
	return nil // the next run goes on
}

func expiry(h *House, now func() time.Time) func(context.Context, ExpiryEvent) ([]DayProof, error) {
	return func(ctx context.Context, e ExpiryEvent) ([]DayProof, error) {
		days := []family.Day{family.DayOf(now().Add(-24 * time.Hour)), family.DayOf(now())}
		if e.Day != "" {
			day, err := family.ParseDay(e.Day)
			if err != nil {
				return nil, err
			}
			days = []family.Day{day}
		} else if e.After != "" {
			return nil, errors.New("onaws: after needs a day")
		}
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-proofReserve))
			defer cancel()
		}
		if e.Day == "" {
			if err := h.sweep(ctx); err != nil {
				return nil, err
			}
		}
		var proofs []DayProof
		for _, day := range days {
			proof, err := h.proveDay(ctx, day, e.After)
			if err != nil {
				return proofs, err
			}
			proofs = append(proofs, proof)
		}
		if e.Day != "" {
			return proofs, nil
		}
		if err := h.seal(ctx, days[0]); err != nil {
			return proofs, err
		}
		h.reseal(ctx)
		return proofs, nil
	}
}

// reseal goes on sealing anew what is under older keys, for what is left of the run's
// time. The proofs do not wait for it: where it cannot go on, the next run does.
func (h *House) reseal(ctx context.Context) {
	for ctx.Err() == nil {
		done, err := h.App.Reseal(ctx)
		if err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "sealing anew failed")
		}
		if done || err != nil {
			return
		}
	}
}

// seal signs a day that is over, and the next time finds out whether its books still
// are what was signed. It says so in the log and in a metric.
func (h *House) seal(ctx context.Context, day family.Day) error {
	if h.resign != nil {
		if err := h.resign(ctx); err != nil {
			return err // the run counts as failed and comes again
		}
	}
	_, err := h.App.Checkpoint(ctx, day)
	if refusal := (*family.Refusal)(nil); errors.As(err, &refusal) && (refusal.Code == family.NotFound || refusal.Code == family.StateForbids) {
		return nil // nobody signs here, or not yet
	}
	if err != nil {
		return err
	}
	same, err := h.App.ProveCheckpoint(ctx, day)
	if err != nil {
		return err
	}
	level, faults := slog.LevelInfo, int64(0)
	if !same {
		level, faults = slog.LevelError, 1
	}
	h.Log.LogAttrs(ctx, level, "checkpoint", append(gateway.Metrics(gateway.Count("CheckpointFaults", faults)), slog.String("day", day.String()), slog.Bool("as_signed", same))...)
	return nil
}

// proveDay proves a day to its end, or until the time is up.
func (h *House) proveDay(ctx context.Context, day family.Day, after string) (DayProof, error) {
	sum, began := DayProof{Day: day.String(), Next: after}, time.Now()
	var faults []family.Fault
	for !sum.Complete {
		part, err := h.App.ProveDay(ctx, day, sum.Next)
		if ctx.Err() != nil {
			break // what this part found so far is not told: the next run sees it whole
		}
		if err != nil {
			return sum, err
		}
		sum.add(part)
		faults = append(faults, part.Faults...)
		sum.Next, sum.Complete = part.Next, part.Next == ""
	}
	h.logProof(ctx, sum, faults, time.Since(began))
	return sum, nil
}

func (d *DayProof) add(part app.Proof) {
	d.Institutions += part.Institutions
	d.Settlements += part.Settlements
	d.Accounts += part.Accounts
	d.Entries += part.Entries
	d.Faults += len(part.Faults)
}

// logProof tells what a proof came to. Whose account a fault is in stays out of
// the log; GET /v1/proofs/{day} tells an auditor.
func (h *House) logProof(ctx context.Context, d DayProof, faults []family.Fault, took time.Duration) {
	level, incomplete := slog.LevelInfo, int64(0)
	if !d.Complete {
		level, incomplete = slog.LevelWarn, 1
	}
	if d.Faults > 0 {
		level = slog.LevelError
	}
	attrs := gateway.Metrics(gateway.Count("ProofFaults", int64(d.Faults)), gateway.Count("ProofIncomplete", incomplete), gateway.Count("ProofSettlements", int64(d.Settlements)))
	attrs = append(attrs, slog.Any("proof", d), slog.Int64("ms", took.Milliseconds()))
	h.Log.LogAttrs(ctx, level, "proof", attrs...)
	for _, f := range faults[:min(len(faults), maxFaultLines)] {
		line := []slog.Attr{slog.String("day", d.Day), slog.String("what", f.What), slog.Uint64("seq", f.Seq)}
		if id, err := family.ParseMessageID(f.Ref); err == nil { // other references are the insurer's and may name people
			line = append(line, slog.String("settlement_id", string(id)))
		}
		h.Log.LogAttrs(ctx, slog.LevelError, "fault", line...)
	}
}
