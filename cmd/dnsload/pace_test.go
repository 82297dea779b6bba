package main

import (
	"testing"
	"time"
)

func TestOpenLoopIsDueByTheClockAlone(t *testing.T) {
	p := pace{rate: 1000, seconds: 2, count: maxCount}
	for now, want := range map[time.Duration]int{
		0: 1, 999 * time.Microsecond: 1, time.Millisecond: 2, time.Second: 1001, 2 * time.Second: 2001, time.Hour: 2001,
	} {
		if got := p.due(now); got != want {
			t.Errorf("after %s %d are due, want %d", now, got, want)
		}
	}
	if got := p.patience(500*time.Microsecond, 1); got != 500*time.Microsecond {
		t.Errorf("it waits %s for the second query, want 500us", got)
	}
	if got := p.patience(30*time.Millisecond, 1); got != 0 {
		t.Errorf("it waits %s for a query that is overdue, want 0", got)
	}
	if got := p.at(10, 50*time.Millisecond); got != 10*time.Millisecond {
		t.Errorf("query 10 counts from %s, want 10ms, when it was due", got)
	}
}

func TestCountEnds(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		p := pace{rate: rate, seconds: 2, count: 7}
		if got := p.due(time.Second); got != 7 {
			t.Errorf("rate %v: %d are due, want 7", rate, got)
		}
	}
}

func TestClosedLoopCountsFromSending(t *testing.T) {
	p := pace{seconds: 2, count: maxCount}
	if got := p.at(10, time.Second); got != time.Second {
		t.Errorf("it counts from %s, want 1s", got)
	}
}
