package policy_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/resolver/policy"
)

func TestClock(t *testing.T) {
	var c policy.Clock
	for _, step := range []struct{ now, high string }{
		{"2023-06-01 12:00", "2023-06-01 12:00"},
		{"2023-06-01 12:01", "2023-06-01 12:01"},
		{"2001-01-01 00:00", "2023-06-01 12:01"},
		{"2023-06-01 12:00:59.999", "2023-06-01 12:01"},
		{"2023-06-01 12:02", "2023-06-01 12:02"},
		{"1969-01-01 00:00", "2023-06-01 12:02"},
	} {
		i := c.At(at(step.now))
		if !i.Now.Equal(at(step.now)) || !i.HighWater.Equal(at(step.high)) {
			t.Errorf("at %s: now %s, high water %s; want %s", step.now, i.Now, i.HighWater, step.high)
		}
	}
	c.Raise(at("2023-01-01 00:00"))
	if high := c.HighWater(); !high.Equal(at("2023-06-01 12:02")) {
		t.Errorf("raised to an earlier time: %s", high)
	}
	c.Raise(at("2024-01-01 00:00"))
	if i := c.At(at("2023-06-01 12:03")); !i.HighWater.Equal(at("2024-01-01 00:00")) {
		t.Errorf("raised to a later time: %s", i.HighWater)
	}
}

func TestClockOfBrokenMachines(t *testing.T) {
	var c policy.Clock
	for _, now := range []time.Time{time.Unix(0, 0), time.Unix(1<<40, 0), {}} {
		i := c.At(now)
		if !i.Now.Equal(now) || i.HighWater.Before(i.Now) {
			t.Errorf("at %s: now %s, high water %s", now, i.Now, i.HighWater)
		}
	}
}

// TestClockLooksAtTheWall: the monotonic reading of time.Now would hide that the wall clock was stepped back.
func TestClockLooksAtTheWall(t *testing.T) {
	var c policy.Clock
	i := c.At(time.Now())
	if text := i.Now.String() + i.HighWater.String(); strings.Contains(text, "m=") {
		t.Errorf("%s has a monotonic reading", text)
	}
}

func TestClockIsShared(t *testing.T) {
	var c policy.Clock
	start := at("2023-06-01 12:00")
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			last := time.Time{}
			for i := range 1000 {
				now := c.At(start.Add(time.Duration(i*(worker+1)) * time.Second))
				if now.HighWater.Before(last) || now.HighWater.Before(now.Now) {
					t.Errorf("high water %s after %s at %s", now.HighWater, last, now.Now)
				}
				last = now.HighWater
			}
		})
	}
	wg.Wait()
	if want := start.Add(999 * 4 * time.Second); !c.HighWater().Equal(want) {
		t.Errorf("high water %s, want %s", c.HighWater(), want)
	}
}
