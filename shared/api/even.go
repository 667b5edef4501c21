package api

import (
	"context"
	"runtime"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// grid is how long, and how many times as long, an answer may take that must not
// tell by its time what it does not tell by its words. The act behind it takes a fifth
// of a millisecond on a local store and some reads of a few milliseconds each in the
// cloud. An answer that is late goes on to the next line of the grid: what its time then
// tells is that the act took more than a tenth of a second.
//
// It is cheap where time is paid for: a tenth of a second of a function with 512 MB is
// 0.7 millionths of a dollar, for a request that was refused.
const grid = 100 * time.Millisecond

// even holds an answer back until the next line of the grid since the request came, if
// it is the one answer to an ID number that nobody has and to a name that is not its
// owner's. Where the answer names the field that is wrong, as a till's does, there is
// nothing to hide.
func (d *door) even(ctx context.Context, err error) {
	if r := app.RefusalOf(err); r == nil || r.Code != family.IdentityMismatch || r.Field != "" {
		return
	}
	asked, _ := ctx.Value(requestKey{}).(request)
	d.waitUntil(ctx, asked.came.Add((d.now().Sub(asked.came)/grid+1)*grid))
}

// waitUntil returns at a time, or when ctx ends. The runtime sleeps for whole
// milliseconds from the moment at which it goes to sleep: works of 0.2 and of 0.6 ms,
// each followed by a timer set to 20 ms after its beginning, ended at 20.39 and 20.79 ms,
// which tells all that the timer was to hide. The last stretch is therefore waited out
// awake, and both end at 20.0003.
func waitUntil(ctx context.Context, at time.Time) {
	const awake = 1500 * time.Microsecond
	timer := time.NewTimer(time.Until(at) - awake)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	for time.Now().Before(at) && ctx.Err() == nil {
		runtime.Gosched()
	}
}
