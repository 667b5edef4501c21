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
}

// keepSwept does until ctx ends what the schedule does in the cloud: requests, birthdays,
// grants and papers whose day has come.
func keepSwept(ctx context.Context, house sweeper, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for range maxSweeps {
			done, err := house.Sweep(ctx)
			if err != nil {
				if ctx.Err() == nil {
					log.WarnContext(ctx, "the sweep failed and is tried again later")
				}
				break
			}
			if done.Complete {
				break
			}
		}
	}
}
