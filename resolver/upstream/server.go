package upstream

import (
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	firstPatience = 800 * time.Millisecond // of a server that has not answered yet
	minPatience   = 400 * time.Millisecond
	maxPatience   = time.Second

	failLimit = 3                // failures in a row that make a server a failing one
	plainFor  = 10 * time.Minute // how long a server is asked without EDNS that choked on it

	probeFailing = time.Second      // between two probes of a failing server
	probeSlow    = 10 * time.Second // of a healthy one that is too slow to be asked first
	probeWait    = time.Second      // what a probe may take
	probePackets = 2                // for a probe, and one more if it is without EDNS
)

// server is what is remembered of one address. It outlives the sets of servers that it is in. Its numbers are atomic
// and independent of each other: a lost update costs one sample.
type server struct {
	addr   netip.AddrPort
	meters *serverMeters
	pool   pool      // from where it is asked
	born   time.Time // moments are kept as monotonic time since then: the clock may be set while it runs

	rtt      atomic.Int64 // smoothed response time in nanoseconds; 0: unknown
	failures atomic.Int64 // in a row
	probed   atomic.Int64 // moment of the last probe
	plain    atomic.Int64 // moment until which it is asked without EDNS
}

func newServer(addr netip.AddrPort, m *meters) *server {
	return &server{addr: addr, meters: m.server(addr), born: time.Now()}
}

// moment is now as nanoseconds since the server was made, never 0.
func (s *server) moment(now time.Time) int64 { return int64(now.Sub(s.born)) + 1 }

// smoothed is the smoothed response time, 0 if it never answered.
func (s *server) smoothed() time.Duration { return time.Duration(s.rtt.Load()) }

// sample takes a response time into account (RFC 6298, section 2: one eighth of each).
func (s *server) sample(took time.Duration) {
	took = max(took, 1)
	s.meters.observe(took)
	if old := s.rtt.Load(); old != 0 {
		took = time.Duration(old + (int64(took)-old)/8)
	}
	s.rtt.Store(int64(took))
}

// patience is how long a flight waits for s before it asks the next server too.
func (s *server) patience() time.Duration {
	rtt := s.smoothed()
	if rtt == 0 {
		return firstPatience
	}
	return min(max(4*rtt, minPatience), maxPatience)
}

func (s *server) failing() bool { return s.failures.Load() >= failLimit }

// fail counts a failure and says whether it is the one that makes s a failing server.
func (s *server) fail() bool { return s.failures.Add(1) == failLimit }

// succeed forgets the failures and says whether s was a failing server.
func (s *server) succeed() bool {
	return s.failures.Load() != 0 && s.failures.Swap(0) >= failLimit
}

// probeDue says whether it is time to probe s. It says so to one caller at a time.
func (s *server) probeDue(now time.Time, every time.Duration) bool {
	last, moment := s.probed.Load(), s.moment(now)
	return (last == 0 || moment-last >= int64(every)) && s.probed.CompareAndSwap(last, moment)
}

// plainNow says whether s is to be asked without EDNS.
func (s *server) plainNow(now time.Time) bool { return s.moment(now) < s.plain.Load() }

// remember notes that s has answered without EDNS what it would not with it.
func (s *server) remember(now time.Time) { s.plain.Store(s.moment(now) + int64(plainFor)) }
