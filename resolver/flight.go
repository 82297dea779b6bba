package resolver

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// waiter is a client that waits for an answer.
type waiter struct {
	q     *wire.Query // its own
	reply func(answer []byte)
}

// flight is one question under way, with the clients that wait for it. Its waiters, late and asked are guarded by flights.mu.
type flight struct {
	id      string
	key     cache.Key    // its own
	stale   *cache.Entry // what was in the cache when it departed, nil if nothing usable
	timer   *time.Timer  // for StaleAfter, nil without stale
	waiters []*waiter
	late    bool      // StaleAfter is over: whoever comes now gets stale at once
	asked   time.Time // when upstreams were last asked
}

// flights are the questions under way, one for each cache key, and the count of those who wait.
type flights struct {
	limits atomic.Pointer[Limits]

	mu        sync.Mutex
	open      map[string]*flight
	waiting   int
	perClient map[netip.Addr]int
}

func (fs *flights) init(l Limits) {
	fs.limits.Store(&l)
	fs.open = map[string]*flight{}
	fs.perClient = map[netip.Addr]int{}
}

// outcome is what becomes of a waiter that wants to join.
type outcome uint8

const (
	joined  outcome = iota // it waits
	opened                 // it waits for a flight that is its own: the caller must send it off
	late                   // it does not wait: the flight's stale answer is due
	again                  // the same, and the caller must ask once more: what was asked may be lost, and upstreams be back
	crowded                // it does not wait: too many do
)

// join finds or opens the flight for key and lets w wait for it. key may view w's query.
func (fs *flights) join(key cache.Key, w *waiter) (*flight, outcome) {
	id := flightID(key)
	client := w.q.Client.Addr()
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.open[string(id)]
	if f != nil && f.late {
		return f, fs.overlong(f, w.q.Now)
	}
	if limits := fs.limits.Load(); fs.waiting >= limits.Waiting || fs.perClient[client] >= limits.WaitingPerClient {
		return nil, crowded
	}
	fs.waiting++
	fs.perClient[client]++
	if f != nil {
		f.waiters = append(f.waiters, w)
		return f, joined
	}
	key.Name = append([]byte(nil), key.Name...)
	f = &flight{id: string(id), key: key, waiters: []*waiter{w}, asked: w.q.Now}
	fs.open[f.id] = f
	return f, opened
}

// overlong is late, or again if what f asked has gone unanswered for another StaleAfter. The caller holds fs.mu.
func (fs *flights) overlong(f *flight, now time.Time) outcome {
	if now.Sub(f.asked) < fs.limits.Load().StaleAfter {
		return late
	}
	f.asked = now
	return again
}

// overdue takes those who wait for f, to be given stale data; the flight goes on, for the cache.
func (fs *flights) overdue(f *flight) []*waiter {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.late = true
	return fs.take(f)
}

// land ends f and takes those who still wait for it. A flight that asked again lands more than once.
func (fs *flights) land(f *flight) []*waiter {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.open[f.id] == f {
		delete(fs.open, f.id)
	}
	return fs.take(f)
}

// take empties f. The caller holds fs.mu.
func (fs *flights) take(f *flight) []*waiter {
	taken := f.waiters
	f.waiters = nil
	fs.waiting -= len(taken)
	for _, w := range taken {
		client := w.q.Client.Addr()
		if fs.perClient[client]--; fs.perClient[client] == 0 {
			delete(fs.perClient, client)
		}
	}
	return taken
}

// load is how many flights are under way and how many clients wait for them.
func (fs *flights) load() (open, waiting int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.open), fs.waiting
}

// flightID is key as octets that are equal when the keys are.
func flightID(k cache.Key) []byte {
	id := make([]byte, 0, len(k.Name)+7)
	id = binary.BigEndian.AppendUint16(id, k.Type)
	id = binary.BigEndian.AppendUint16(id, k.Class)
	id = binary.BigEndian.AppendUint16(id, k.Route)
	var bits byte
	if k.DO {
		bits |= 1
	}
	if k.CD {
		bits |= 2
	}
	return append(append(id, bits), k.Name...)
}

// failureTTL is for how long a question that failed is not asked again: at least 1 s (RFC 9520, section 3.2), and short, so that
// an upstream that is back is noticed within 2 s.
const failureTTL = time.Second
