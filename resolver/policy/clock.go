package policy

import (
	"sync/atomic"
	"time"
)

// Instant is a moment to decide at. Two readings make it, so that a clock that steps back can't open what was shut:
//
//	             starts when                      ends when
//	policy       HighWater or Now reaches From    Now reaches Until
//	exception    Now reaches From                 HighWater or Now reaches Until
type Instant struct {
	Now       time.Time // the wall clock
	HighWater time.Time // the latest Now ever seen; one earlier than Now, such as the zero Time, counts as Now
}

// Clock makes instants and remembers the latest time it was shown. The zero Clock is ready, remembers nothing, and is safe for
// concurrent use. A Clock outlives snapshots: a process has one.
type Clock struct {
	high atomic.Int64 // Unix time in milliseconds: it has room for every year that a broken clock can show
}

// At returns the Instant of now and remembers it to the millisecond. Only the wall reading of now counts, because a step of
// the clock doesn't show in the monotonic one.
func (c *Clock) At(now time.Time) Instant {
	now = now.Round(0)
	if high := c.raise(now.UnixMilli()); high > now.UnixMilli() {
		return Instant{Now: now, HighWater: time.UnixMilli(high)}
	}
	return Instant{Now: now, HighWater: now}
}

// HighWater returns the latest time that At or Raise was given, in whole milliseconds; the Unix epoch if there was none later.
func (c *Clock) HighWater() time.Time { return time.UnixMilli(c.high.Load()) }

// Raise makes the clock remember t if it is later than what it remembers: what an earlier process saw, for example. A t from
// the far future ends every exception before it for good; whoever reads it from a file judges it first.
func (c *Clock) Raise(t time.Time) { c.raise(t.UnixMilli()) }

// raise returns the later of ms and what is remembered, and remembers it.
func (c *Clock) raise(ms int64) int64 {
	for {
		high := c.high.Load()
		if ms <= high {
			return high
		}
		if c.high.CompareAndSwap(high, ms) {
			return ms
		}
	}
}
