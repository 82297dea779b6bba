package resolver

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// Keys whose hashes are the same are still different questions, in whatever order their flights come and go.
func TestFlightsWithTheSameHash(t *testing.T) {
	names := []string{"\x01a\x00", "\x01b\x00", "\x01c\x00"}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		var fs flights
		fs.init(Limits{}.withDefaults(), func() *flight { return new(flight) })
		open := make([]*flight, len(names))
		join := func(i int) place {
			w := &waiter{q: wire.Query{Client: netip.MustParseAddrPort("192.0.2.1:53"), Now: time.Now(), ID: uint16(i)}}
			return fs.join(cache.Key{Name: []byte(names[i])}, 7, w, nil)
		}
		for round := range 3 { // flights are used again
			for i := range names {
				first, second := join(i), join(i)
				if first.outcome != opened || second.outcome != joined {
					t.Fatalf("order %v, round %d: outcomes %d and %d, want opened and joined", order, round, first.outcome, second.outcome)
				}
				open[i] = first.flight
			}
			if flying, waiting, _ := fs.load(); flying != 3 || waiting != 6 {
				t.Errorf("%d flights with %d waiting, want 3 with 6", flying, waiting)
			}
			for _, i := range order {
				w, _, _ := fs.land(open[i])
				for range 2 {
					if w == nil || w.q.ID != uint16(i) {
						t.Fatalf("order %v: somebody else waited for %q", order, names[i])
					}
					w = w.next
				}
			}
			if flying, waiting, _ := fs.load(); flying != 0 || waiting != 0 || len(fs.open) != 0 || len(fs.perClient) != 0 {
				t.Errorf("order %v: %d flights with %d waiting stay", order, flying, waiting)
			}
		}
		if fs.idle != 3 {
			t.Errorf("%d flights are kept, want 3", fs.idle)
		}
	}
}

// As long as somebody will still call back, a flight that has landed is not another's.
func TestAFlightIsNotUsedAgainWhileItHasAUser(t *testing.T) {
	var fs flights
	fs.init(Limits{}.withDefaults(), func() *flight { return new(flight) })
	key := cache.Key{Name: []byte("\x01a\x00")}
	start := time.Now()
	join := func(now time.Time) place {
		return fs.join(key, 7, &waiter{q: wire.Query{Client: netip.MustParseAddrPort("192.0.2.1:53"), Now: now}}, nil)
	}
	first := join(start).flight
	first.late = true // as when its timer has run
	if found := join(start.Add(time.Minute)); found.outcome != again || found.flight != first {
		t.Fatalf("outcome %d, want again", found.outcome)
	}
	fs.land(first) // what was asked last
	second := join(start).flight
	if second == first {
		t.Fatal("a flight with a user was used again")
	}
	fs.giveUp(first) // what was asked first
	if third := fs.renew(cache.Key{Name: []byte("\x01b\x00")}, 7, start); third != first || third.late {
		t.Error("a flight without users was not used again, or is as it was")
	}
	if !slices.Equal(second.key.Name, key.Name) || !second.open {
		t.Error("the flight between has changed")
	}
}

// Stale data is for those who asked for it: a flight that is used again, for another name, has none, whether or not its timer has run.
func TestAFlightTakesNothingStaleToTheNextQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fs flights
		ran := 0
		fs.init(Limits{StaleAfter: time.Second}.withDefaults(), func() *flight {
			f := new(flight)
			f.overdue = func() {
				fs.overdue(f)
				ran++
			}
			return f
		})
		var last *flight
		for i, lands := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 0} {
			key := cache.Key{Name: []byte{1, 'a' + byte(i), 0}}
			var own *cache.Entry // the last question has nothing stale
			if lands > 0 {
				own = cache.NewFailure(key, wire.EDE{}, time.Second, time.Now())
			}
			w := &waiter{q: wire.Query{Client: netip.MustParseAddrPort("192.0.2.1:53"), Now: time.Now()}}
			f := fs.join(key, 7, w, own).flight
			if last != nil && f != last {
				t.Error("the flight before was not used again")
			}
			last = f
			time.Sleep(lands)
			synctest.Wait()
			if _, stale, _ := fs.land(f); stale != own {
				t.Errorf("question %d: stale data of another one", i)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if ran != 1 {
			t.Errorf("the timer ran %d times, want once", ran)
		}
	})
}
