// Package histogram counts how long things take, where there is no time to count.
//
//	a listener ──▶ Histogram ──┐   Add: for a whole batch, with one clock reading of the caller's, two atomic additions
//	a listener ──▶ Histogram ──┼──▶ Metric, at a scrape: their sum, as a classic and a native histogram in one
//	     …             …       ┘
//
// Its scale is two in one. The bounds of the native one are 2^(i/8) s (a factor of about 1.09): its quantiles are off by less than 5 %.
// Those of the classic one, which every version of Prometheus reads, are 31.25 µs × 2^n, so 0.25 ms, 0.5 ms, 1 ms, … are among them. Each
// doubling of the one has one bound of the other, always at the same place:
//
//	native    │ 1       │ 1.09    │ 1.19    │ …    │ 1.83    │ 2
//	classic   │  │ 1.024                                     │  │ 2.048
//	place     │0 │1      │2        │3        │ …    │8        │0 │1     of the next doubling
//
// So every counter belongs to one bucket of each, both are exact, and they always agree.
//
// Not its job: labels, and reading a clock.
package histogram

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	schema     = 3   // of the native scale: 2^schema buckets for each doubling
	octaves    = 24  // doublings: up to 16 s
	leastPower = -20 // what is not above 2^leastPower s, about 1 µs, is as good as nothing
	places     = 1 + 1<<schema
	counters   = 1 + octaves*places // the first is for what is as good as nothing
)

// bounds are those of the places within a doubling that ends at 1: the bound of the last is 1 itself.
var bounds = [places - 1]float64{
	0.512, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// Histogram is how often something took how long. Its zero value is ready. It fills cache lines of its own, so that those who add to
// different ones do not slow each other down. It is safe for concurrent use, and must not be copied.
type Histogram struct {
	_      [64]byte
	sum    atomic.Uint64 // nanoseconds
	counts [counters]atomic.Uint64
	_      [64]byte
}

// Add counts n things that took that long each. Less than nothing, after a step of a clock, is nothing.
func (h *Histogram) Add(took time.Duration, n int) {
	if n <= 0 {
		return
	}
	took = max(took, 0)
	h.sum.Add(uint64(took) * uint64(n))
	h.counts[counter(took)].Add(uint64(n))
}

// counter is the number of the counter for what took that long. What is too long for all is in the last.
func counter(took time.Duration) int {
	if took <= time.Second>>-leastPower {
		return 0
	}
	fraction, power := math.Frexp(took.Seconds()) // 0.5 ≤ fraction < 1
	place := 0
	for place < len(bounds) && fraction > bounds[place] {
		place++
	}
	if fraction == 0.5 { // the bound of the doubling before
		place, power = places-1, power-1
	}
	return min(1+(power-1-leastPower)*places+place, counters-1)
}
