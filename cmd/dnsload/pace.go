package main

import (
	"math"
	"time"
)

// pace says when queries are due. The zero rate is a closed loop: one is due whenever there is room for it.
type pace struct {
	rate    float64       // queries a second
	seconds float64       // after so long none is due any more
	count   int           // nor after so many
	timeout time.Duration // after which a query is lost
}

// end is when the last query may be sent.
func (p *pace) end() time.Duration { return time.Duration(p.seconds * float64(time.Second)) }

// due is how many of all queries should have been sent at now, which is the time since the run's begin.
func (p *pace) due(now time.Duration) int {
	if p.rate == 0 {
		return p.count
	}
	now = min(now, p.end())
	return min(p.count, int(math.Floor(now.Seconds()*p.rate))+1)
}

// at is when query i, from 0, was due; that is the moment that its latency counts from.
func (p *pace) at(i int, now time.Duration) time.Duration {
	if p.rate == 0 {
		return now
	}
	return min(now, time.Duration(float64(i)/p.rate*float64(time.Second)))
}

// patience is how long it may be waited at now, with so many sent, before something is due or has to be looked for.
func (p *pace) patience(now time.Duration, sent int) time.Duration {
	if p.rate == 0 || sent >= p.count || now >= p.end() {
		return sweepEvery / 4
	}
	return min(sweepEvery/4, max(0, time.Duration(float64(sent)/p.rate*float64(time.Second))-now))
}
