package upstream

import (
	"sync"
	"time"
)

// clock rings alarms, on a goroutine that it has only while it does. It is a heap with the next one on top, and one timer for all: that is
// moved only when an alarm is set before all others, which nearly never happens while questions come one after the other.
type clock struct {
	mu    sync.Mutex
	heap  []appointment
	epoch time.Time
	timer *time.Timer
	armed bool          // timer will go off
	next  time.Duration // when
}

// alarm is set at most once at a time. What it rings is told of the time, on the clock's goroutine, and must not block. It may ring
// although it was set anew or cancelled meanwhile: its owner has to look.
type alarm struct {
	place int // in the heap, from 1; 0: not set
	owner interface{ ring(now time.Time) }
}

// appointment is when an alarm rings, in time since the epoch.
type appointment struct {
	at    time.Duration
	alarm *alarm
}

// set has a ring at a moment, and not when it was to ring before.
func (c *clock) set(a *alarm, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		c.epoch = time.Now()
		c.timer = time.AfterFunc(time.Hour, c.ring)
	}
	when := at.Sub(c.epoch)
	if a.place == 0 {
		c.heap = append(c.heap, appointment{})
		c.move(len(c.heap)-1, appointment{when, a})
	} else {
		c.move(a.place-1, appointment{when, a})
	}
	if !c.armed || when < c.next {
		c.arm(when)
	}
}

// cancel has a not ring.
func (c *clock) cancel(a *alarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(a)
}

// ring rings what is due.
func (c *clock) ring() {
	for {
		now := time.Now()
		a := c.due(now)
		if a == nil {
			return
		}
		a.owner.ring(now)
	}
}

// due takes an alarm out that is due. If there is none it is nil, and the timer goes off for the next one.
func (c *clock) due(now time.Time) *alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	if len(c.heap) == 0 {
		return nil
	}
	first := c.heap[0]
	if first.at > now.Sub(c.epoch) {
		c.arm(first.at)
		return nil
	}
	c.remove(first.alarm)
	return first.alarm
}

func (c *clock) arm(at time.Duration) {
	c.armed, c.next = true, at
	c.timer.Reset(time.Until(c.epoch.Add(at)))
}

func (c *clock) remove(a *alarm) {
	if a.place == 0 {
		return
	}
	i, last := a.place-1, len(c.heap)-1
	moved := c.heap[last]
	c.heap[last] = appointment{}
	c.heap = c.heap[:last]
	a.place = 0
	if i < last {
		c.move(i, moved)
	}
}

// move puts x where place i is free, or as far up or down from there as its time wants.
func (c *clock) move(i int, x appointment) {
	for parent := (i - 1) / 2; i > 0 && x.at < c.heap[parent].at; parent = (i - 1) / 2 {
		c.put(i, c.heap[parent])
		i = parent
	}
	for {
		child := 2*i + 1
		if child+1 < len(c.heap) && c.heap[child+1].at < c.heap[child].at {
			child++
		}
		if child >= len(c.heap) || c.heap[child].at >= x.at {
			break
		}
		c.put(i, c.heap[child])
		i = child
	}
	c.put(i, x)
}

func (c *clock) put(i int, x appointment) {
	c.heap[i] = x
	x.alarm.place = i + 1
}
