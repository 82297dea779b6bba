package querylog

import (
	"sync"
	"testing"

	"cordon/resolver"
)

func TestARingKeepsTheOldestAndCountsTheRest(t *testing.T) {
	r := newRing()
	for round := range 3 {
		for i := range ringSize + 5 {
			a := passed("192.0.2.1")
			a.Query.Type = uint16(i)
			r.put(&a)
		}
		if got := r.dropped.Swap(0); got != 5 {
			t.Errorf("round %d: %d dropped, want 5", round, got)
		}
		for i := range ringSize {
			if !r.take(func(e *event) {
				if e.qtype != uint16(i) || e.agency != world.press {
					t.Fatalf("round %d: event %d is %d of %v", round, i, e.qtype, e.agency)
				}
			}) {
				t.Fatalf("round %d: there is no event %d", round, i)
			}
		}
		if r.take(func(*event) {}) {
			t.Errorf("round %d: there is one more", round)
		}
	}
}

// Every event that was put by several at once is taken once, or counted.
func TestARingOfSeveral(t *testing.T) {
	const writers, each = 4, 5000
	r := newRing()
	var putting sync.WaitGroup
	for w := range writers {
		putting.Go(func() {
			for i := range each {
				a := passed("192.0.2.1")
				a.Query.Type, a.Query.Class = uint16(w), uint16(i)
				r.put(&a)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		putting.Wait()
		close(done)
	}()
	taken, last := 0, [writers]int{}
	take := func() bool {
		return r.take(func(e *event) {
			taken++
			if int(e.class)+1 <= last[e.qtype] {
				t.Errorf("event %d of %d came after %d", e.class, e.qtype, last[e.qtype]-1)
			}
			last[e.qtype] = int(e.class) + 1
		})
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for take() {
		}
	}
	if got := taken + int(r.dropped.Load()); got != writers*each {
		t.Errorf("%d taken and %d dropped, want %d in all", taken, r.dropped.Load(), writers*each)
	}
}

func TestObservingAllocatesNothing(t *testing.T) {
	l, _, _ := newLog(t, Config{})
	rings := []*ring{newRing()}
	l.rings.Store(&rings)
	a := refused("192.0.2.1")
	if n := testing.AllocsPerRun(3*ringSize, func() { l.Observe(a) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	rings := []*ring{newRing()}
	l := New(Config{Workers: 1})
	l.rings.Store(&rings)
	a := refused("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		l.Observe(a)
		rings[0].take(func(*event) {})
	}
}

// BenchmarkRecord is what Run does with one event for a file, in its own goroutine.
func BenchmarkRecord(b *testing.B) {
	var n namer
	e := eventOf(refused("192.0.2.1"))
	b.ReportAllocs()
	for b.Loop() {
		encode(e, n.of(e.client, e.time), "", words)
	}
}

var _ resolver.Observer = (*Log)(nil)
