package histogram

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Metric is the sum of what hs have counted since begun, with the values of desc's labels: a classic and a native histogram in one, of
// which Prometheus takes what it is told to. An error is one of the labels.
func Metric(desc *prometheus.Desc, begun time.Time, hs []*Histogram, labels ...string) (prometheus.Metric, error) {
	counts, seconds := total(hs)
	classic, native, count := map[float64]uint64{}, map[int]int64{}, counts[0]
	for i, n := range counts[1:] {
		octave, place := i/places, i%places
		count += n
		if bound, shown := classicBound(octave); shown && place == 0 {
			classic[bound] = count
		}
		if n > 0 {
			native[nativeIndex(octave, place)] += int64(n)
		}
	}
	coarse, err := prometheus.NewConstHistogram(desc, count, seconds, classic, labels...)
	if err != nil {
		return nil, err
	}
	fine, err := prometheus.NewConstNativeHistogram(desc, count, seconds, native, nil, counts[0], schema, math.Ldexp(1, leastPower),
		begun, labels...)
	return both{fine, coarse}, err
}

// classicBound is the classic bound in a doubling, in seconds, and whether it is one of those that are shown: from 31.25 µs to 8.192 s.
func classicBound(octave int) (bound float64, shown bool) {
	const first, last = 5, octaves - 1
	return math.Ldexp(bounds[0], leastPower+octave+1), octave >= first && octave <= last
}

// nativeIndex is the number that Prometheus has for the native bucket of a place: the bucket with the bound 2^(i/8) s has i.
func nativeIndex(octave, place int) int {
	return (leastPower+octave)<<schema + max(place, 1)
}

// total is what hs have counted together, and how many seconds all that took.
func total(hs []*Histogram) (counts [counters]uint64, seconds float64) {
	for _, h := range hs {
		for i := range h.counts {
			counts[i] += h.counts[i].Load()
		}
		seconds += float64(h.sum.Load()) / 1e9
	}
	return counts, seconds
}

// both is a native histogram with the buckets of a classic one.
type both struct{ native, classic prometheus.Metric }

// Desc implements [prometheus.Metric].
func (b both) Desc() *prometheus.Desc { return b.classic.Desc() }

// Write implements [prometheus.Metric].
func (b both) Write(out *dto.Metric) error {
	if err := b.classic.Write(out); err != nil {
		return err
	}
	buckets := out.Histogram.Bucket
	if err := b.native.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = buckets
	return nil
}
