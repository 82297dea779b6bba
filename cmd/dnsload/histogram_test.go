package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramOfKnownTimes(t *testing.T) {
	var h histogram
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("an empty one has p99 %s, want 0", got)
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for q, us := range map[float64]int{0: 1, 0.5: 500, 0.9: 900, 0.99: 990, 0.999: 999, 1: 1000} {
		want := time.Duration(us) * time.Microsecond
		if got := h.quantile(q); got < want || float64(got) > 1.016*float64(want) {
			t.Errorf("quantile %v: got %s, want %s to 1.6 %% more", q, got, want)
		}
	}
	if h.most != time.Millisecond {
		t.Errorf("the longest is %s, want 1ms", h.most)
	}
}

// The slow way: sort all of them.
func TestHistogramBesideSorting(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	var h histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(dice.Uint64() >> (24 + dice.IntN(40)))
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[max(0, int(q*float64(len(all))+0.5)-1)]
		if got := h.quantile(q); got < want || float64(got) > 1.016*float64(want)+1 {
			t.Errorf("quantile %v: got %d, want %d to 1.6 %% more", q, got, want)
		}
	}
}

func TestBucketsFollowOneAnother(t *testing.T) {
	var h histogram
	for i := range h.buckets {
		if got := bucketOf(uint64(leastOf(i))); got != i {
			t.Fatalf("the least of bucket %d is in bucket %d", i, got)
		}
		if got := bucketOf(uint64(leastOf(i+1) - 1)); got != i {
			t.Fatalf("the most of bucket %d is in bucket %d", i, got)
		}
	}
	if got := bucketOf(1 << 63); got != len(h.buckets)-1 {
		t.Errorf("an endless time is in bucket %d, want the last one", got)
	}
	h.add(-time.Second) // a clock that steps back
	if h.buckets[0] != 1 {
		t.Error("a time before the begin is not in the first bucket")
	}
}
