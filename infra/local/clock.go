package main

import (
	"sync/atomic"
	"time"
)

// clock is the house's clock: the machine's, moved forward by what tests asked for.
type clock struct{ ahead atomic.Int64 } // time.Duration

// maxAhead bounds how far the clock can be moved in all: ten years.
const maxAhead = 10 * 366 * 24 * time.Hour

// Now returns the house's time.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// advance moves the clock forward, unless that is beyond its bound.
func (c *clock) advance(d time.Duration) bool {
	for {
		ahead := c.ahead.Load()
		if d < 0 || d > maxAhead-time.Duration(ahead) {
			return false
		}
		if c.ahead.CompareAndSwap(ahead, ahead+int64(d)) {
			return true
		}
	}
}
