package resolver

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver/cache"
	"cordon/resolver/limit"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// waiter is a client that waits for an answer. It belongs to who made it, then to its flight, then to who took it from there: that
// one answers and releases it.
type waiter struct {
	q     wire.Query // its own
	reply func(answer []byte)
	next  *waiter // who came after it
}

// waiters are used again: each is a query with its octets.
var waiters = sync.Pool{New: func() any { return new(waiter) }}

func newWaiter(q *wire.Query, reply func([]byte)) *waiter {
	w := waiters.Get().(*waiter) //nolint:errcheck // the pool holds nothing else
	q.CloneTo(&w.q)
	w.reply = reply
	return w
}

func (w *waiter) release() {
	w.reply, w.next = nil, nil
	waiters.Put(w)
}

// flight is one question under way, with the clients that wait for it. It is used again once it has landed and has no user any more:
// an Ask that will call back, or a timer that will run. Whoever has a use for it may read its key; all else is guarded by flights.mu.
type flight struct {
	key  cache.Key // its own: the name is in name
	name [wire.MaxName]byte
	hash uint64

	// What upstreams and the timer call, made once, because a closure for each question would be garbage.
	landed, landedAgain func(upstream.Result)
	overdue             func()

	next    *flight // with the same hash, or the next free one
	open    bool    // until it lands: others may join
	users   int
	first   *waiter // of those who wait
	last    *waiter
	stale   *cache.Entry // what those who wait get after StaleAfter, nil if nothing usable
	timer   *time.Timer  // for StaleAfter, nil if there never was one
	late    bool         // StaleAfter is over: whoever comes now gets stale at once
	renewal bool         // it was opened for the cache: see renew
	asked   time.Time    // when upstreams were last asked
}

// flights are the questions under way, one for each cache key, and the count of those who wait.
type flights struct {
	limits atomic.Pointer[Limits]
	build  func() *flight

	mu        sync.Mutex
	open      map[uint64]*flight // by the hash of the key, chained
	flying    int
	waiting   int
	crowded   uint64             // queries that found no place to wait, since the process began
	renewing  int                // open flights that are renewals
	perClient map[netip.Addr]int // by limit.Client
	free      *flight
	idle      int // how many are free
}

// keptIdle is how many flights are kept to be used again: some 600 octets each.
const keptIdle = 1024

func (fs *flights) init(l Limits, build func() *flight) {
	fs.limits.Store(&l)
	fs.build = build
	fs.open = map[uint64]*flight{}
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

// place is what join found: the flight if it is opened or again, which the caller then has a use for, and the stale answer if it is
// late or again.
type place struct {
	outcome outcome
	flight  *flight
	stale   *cache.Entry
}

// join finds or opens the flight for key and lets w wait for it. key may view w's query; hash is the cache's for it. stale is what
// the cache has for key that is past its time, nil if nothing: it is due to those who wait when StaleAfter is over (RFC 8767, section 5).
func (fs *flights) join(key cache.Key, hash uint64, w *waiter, stale *cache.Entry) place {
	client := limit.Client(w.q.Client.Addr())
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.find(key, hash)
	if f != nil && f.late {
		return fs.overlong(f, w.q.Now)
	}
	limits, waits := fs.limits.Load(), fs.perClient[client]
	if fs.waiting+fs.renewing >= limits.Waiting || waits >= limits.WaitingPerClient {
		fs.crowded++
		return place{outcome: crowded}
	}
	fs.waiting++
	fs.perClient[client] = waits + 1
	found := place{outcome: joined}
	if f == nil {
		f = fs.depart(key, hash, w.q.Now)
		found = place{outcome: opened, flight: f}
	}
	f.board(w)
	if stale != nil && f.stale == nil {
		f.stale = stale
		f.startTimer(limits.StaleAfter)
	}
	return found
}

// renew opens a flight for key that nobody waits for yet. It is nil, and nothing is to be done, if one is open already, or if the places
// of those who wait might run short: renewals take a tenth of them at most, and none while half are taken.
func (fs *flights) renew(key cache.Key, hash uint64, now time.Time) *flight {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	places := fs.limits.Load().Waiting
	if fs.renewing >= places/10 || fs.waiting+fs.renewing >= places/2 || fs.find(key, hash) != nil {
		return nil
	}
	f := fs.depart(key, hash, now)
	f.renewal = true
	fs.renewing++
	return f
}

// find is the open flight for key, nil if there is none. The caller holds fs.mu.
func (fs *flights) find(key cache.Key, hash uint64) *flight {
	f := fs.open[hash]
	for f != nil && !f.key.Equal(key) {
		f = f.next
	}
	return f
}

// depart opens a flight for key. The caller holds fs.mu, and asks.
func (fs *flights) depart(key cache.Key, hash uint64, now time.Time) *flight {
	f := fs.free
	if f == nil {
		f = fs.build()
	} else {
		fs.free = f.next
		fs.idle--
	}
	f.key, f.hash = key, hash
	f.key.Name = f.name[:copy(f.name[:], key.Name)]
	f.open, f.users, f.asked = true, 1, now
	f.next = fs.open[hash]
	fs.open[hash] = f
	fs.flying++
	return f
}

// board lets w wait for f, behind all others.
func (f *flight) board(w *waiter) {
	if f.first == nil {
		f.first = w
	} else {
		f.last.next = w
	}
	f.last = w
}

func (f *flight) startTimer(d time.Duration) {
	f.users++
	if f.timer == nil {
		f.timer = time.AfterFunc(d, f.overdue)
		return
	}
	f.timer.Reset(d)
}

// overlong is late, or again if what f asked has gone unanswered for another StaleAfter. The caller holds fs.mu.
func (fs *flights) overlong(f *flight, now time.Time) place {
	if now.Sub(f.asked) < fs.limits.Load().StaleAfter {
		return place{outcome: late, stale: f.stale}
	}
	f.asked = now
	f.users++
	return place{outcome: again, stale: f.stale, flight: f}
}

// overdue takes those who wait for f, to be given stale data; the flight goes on, for the cache. It is what f's timer runs: the timer
// has no use for f any more.
func (fs *flights) overdue(f *flight) (waiting *waiter, stale *cache.Entry) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.late = true
	waiting, stale = fs.take(f), f.stale
	fs.leave(f)
	return waiting, stale
}

// land ends f and takes those who still wait for it, with what is stale for them, nil if nothing. A flight that asked again lands more
// than once; renewed is true for the first landing of a renewal. The caller has no use for f any more.
func (fs *flights) land(f *flight) (waiting *waiter, stale *cache.Entry, renewed bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	renewed = f.open && f.renewal
	fs.close(f)
	if f.timer != nil && f.timer.Stop() {
		f.users--
	}
	waiting, stale = fs.take(f), f.stale
	fs.leave(f)
	return waiting, stale, renewed
}

// giveUp is the end of a use for f that changes nothing.
func (fs *flights) giveUp(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.leave(f)
}

// close takes f out of those that can be joined. The caller holds fs.mu.
func (fs *flights) close(f *flight) {
	if !f.open {
		return
	}
	f.open = false
	fs.flying--
	if f.renewal {
		fs.renewing--
	}
	if head := fs.open[f.hash]; head != f {
		for head.next != f {
			head = head.next
		}
		head.next = f.next
		return
	}
	if f.next == nil {
		delete(fs.open, f.hash)
		return
	}
	fs.open[f.hash] = f.next
}

// leave is the end of one use for f. After the last one, f is free. The caller holds fs.mu.
func (fs *flights) leave(f *flight) {
	if f.users--; f.users > 0 {
		return
	}
	if fs.idle >= keptIdle {
		return
	}
	f.stale, f.late, f.renewal = nil, false, false
	f.next, fs.free = fs.free, f
	fs.idle++
}

// take empties f. The caller holds fs.mu.
func (fs *flights) take(f *flight) *waiter {
	taken := f.first
	f.first, f.last = nil, nil
	for w := taken; w != nil; w = w.next {
		fs.waiting--
		client := limit.Client(w.q.Client.Addr())
		if left := fs.perClient[client] - 1; left > 0 {
			fs.perClient[client] = left
		} else {
			delete(fs.perClient, client)
		}
	}
	return taken
}

// load is how many flights are under way and how many clients wait for them.
func (fs *flights) load() (open, waiting int, crowded uint64) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.flying, fs.waiting, fs.crowded
}

// failureTTL is for how long a question that failed is not asked again: at least 1 s (RFC 9520, section 3.2), and short, so that
// an upstream that is back is noticed within 2 s.
const failureTTL = time.Second
