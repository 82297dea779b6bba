package mirror

import (
	"math/rand/v2"
	"time"
)

const (
	betweenPokes = time.Second
	leastWait    = time.Second        // after a failure
	longestWait  = 7 * 24 * time.Hour // that a source may ask for
)

// jitter is d, 10 % more or less.
func jitter(d time.Duration) time.Duration { return d - d/10 + upTo(d/5) }

// afterStart is when to ask a source that was last asked at checked, a time of day. A clock that was set back since then does not make
// that later than it would be from now; one that was set forward asks at once.
func afterStart(now, checked time.Time, refresh time.Duration) time.Time {
	wait := jitter(refresh)
	return now.Add(min(checked.Add(wait).Sub(now), wait))
}

// afterFailure is how long to wait after the failure that is the given one in a row, counted from 1. asked is what the source asked for,
// 0 for nothing.
func afterFailure(failures int, asked, retry, refresh time.Duration) time.Duration {
	least, most := leastWait, retry
	if asked > 0 {
		least = min(max(asked, leastWait), longestWait)
		most = least
	}
	limit := max(refresh, most)
	for ; failures > 1 && most < limit; failures-- {
		most = min(2*most, limit)
	}
	return least + upTo(most-least)
}

// upTo is a time from 0 to d, by chance; 0 if d is not more.
func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // it spreads load, nobody gains by guessing
}
