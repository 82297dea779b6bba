package upstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// sleeper takes note of when it was rung.
type sleeper struct {
	alarm alarm
	want  time.Time // zero: it should not ring
	rang  []time.Time
}

func (s *sleeper) ring(now time.Time) { s.rang = append(s.rang, now) }

// Each alarm rings once, at its moment, whatever was set, moved and cancelled before.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		random := rand.New(rand.NewPCG(1, 2))
		sleepers := make([]sleeper, 300)
		for range 3000 {
			s := &sleepers[random.IntN(len(sleepers))]
			s.alarm.owner = s
			if random.IntN(3) == 0 {
				c.cancel(&s.alarm)
				s.want = time.Time{}
				continue
			}
			s.want = time.Now().Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			c.set(&s.alarm, s.want)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i, s := range sleepers {
			if set := !s.want.IsZero(); set && len(s.rang) != 1 || !set && len(s.rang) != 0 {
				t.Errorf("alarm %d rang at %v, want %v", i, s.rang, s.want)
			} else if set && !s.rang[0].Equal(s.want) {
				t.Errorf("alarm %d rang %v late", i, s.rang[0].Sub(s.want))
			}
		}
		if len(c.heap) != 0 || c.armed {
			t.Errorf("%d alarms are left, the timer goes off: %v", len(c.heap), c.armed)
		}
	})
}

// An alarm that is set when the clock has rung all others, and one that is set by a ring, ring too.
func TestClockAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		began := time.Now()
		second, third := new(sleeper), new(sleeper)
		second.alarm.owner, third.alarm.owner = second, third
		first := alarm{owner: ringer(func(now time.Time) { c.set(&second.alarm, now.Add(time.Second)) })}
		c.set(&first, began.Add(-time.Second))
		time.Sleep(10 * time.Second)
		c.set(&third.alarm, time.Now().Add(time.Second))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(second.rang) != 1 || len(third.rang) != 1 {
			t.Fatalf("rang %v and %v", second.rang, third.rang)
		}
		if s, l := second.rang[0].Sub(began), third.rang[0].Sub(began); s != time.Second || l != 11*time.Second {
			t.Errorf("after %v and %v, want 1 s and 11 s", s, l)
		}
	})
}

type ringer func(now time.Time)

func (r ringer) ring(now time.Time) { r(now) }
