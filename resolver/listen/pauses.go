package listen

import (
	"context"
	"time"
)

// pauses keeps a loop whose socket fails again and again (no descriptors, no memory) from burning a processor. Its zero
// value is ready.
type pauses struct {
	next time.Duration
}

func (p *pauses) reset() { p.next = 0 }

// pause waits 1 ms, then 2, 4, … up to 1 s, or until ctx ends.
func (p *pauses) pause(ctx context.Context) {
	p.next = min(max(2*p.next, time.Millisecond), time.Second)
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
