package main

import (
	"math/bits"
	"time"
)

const (
	fineBits = 6 // each power of two is cut into 64: a value is known to 1.6 %
	powers   = 36
)

// histogram counts times. The zero value is empty. Times below 64 ns have a bucket each; then each power of two has 64 buckets of the
// same width, up to over an hour, as HdrHistogram has them. Adding is a few instructions and allocates nothing.
type histogram struct {
	buckets [(powers + 1) << fineBits]uint64
	n       uint64
	most    time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucketOf(uint64(d))]++
	h.n++
	h.most = max(h.most, d)
}

// bucketOf is the bucket of ns; the last one for all that is longer.
func bucketOf(ns uint64) int {
	if ns < 1<<fineBits {
		return int(ns)
	}
	power := bits.Len64(ns) - 1 - fineBits
	return min((power+1)<<fineBits|int(ns>>power)&(1<<fineBits-1), (powers+1)<<fineBits-1)
}

// leastOf is the shortest time of bucket i.
func leastOf(i int) time.Duration {
	if i < 1<<fineBits {
		return time.Duration(i)
	}
	return time.Duration(1<<fineBits|i&(1<<fineBits-1)) << (i>>fineBits - 1)
}

// quantile is the time that the share q of all, 0 to 1, did not exceed, to 1.6 % and never beyond the longest; 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.n)+0.5), uint64(0)
	for i := range h.buckets {
		n := h.buckets[i]
		if seen += n; n > 0 && seen >= rank {
			return min(leastOf(i+1)-1, h.most)
		}
	}
	return h.most
}
