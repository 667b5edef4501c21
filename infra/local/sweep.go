package main

import (
	"context"
	"log/slog"
	"time"

	"gongji/shared/app"
)

// sweepEvery is how often the house looks at what has come due, by the machine's clock:
// soon after /dev/clock has moved the house's on.
const sweepEvery = 30 * time.Second

// maxSweeps bounds how many calls one look makes, a few hundred things each: what is
// left waits for the next.
const maxSweeps = 20

// sweeper is what does the schedule's work.
type sweeper interface {
	Sweep(context.Context) (app.Swept, error)
	Reseal(context.Context) (done bool, err error)
}

// keepSwept does until ctx ends what the schedule does in the cloud: requests, birthdays,
// grants and papers whose day has come, and what is under older keys.
func keepSwept(ctx context.Context, house sweeper, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		again := func(do func(context.Context) (bool, error)) {
			for range maxSweeps {
				done, err := do(ctx)
				if err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "the sweep failed and is tried again later")
				}
				if done || err != nil {
					return
				}
			}
		}
		again(func(ctx context.Context) (bool, error) {
			done, err := house.Sweep(ctx)
			return done.Complete, err
		})
		again(house.Reseal)
	}
}
