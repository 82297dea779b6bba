package upstream

import (
	"cmp"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxQueries is how often a flight asks one server over one transport (RFC 9520, section 3.1).
	maxQueries = 3
	// maxPackets is how many queries a flight sends in all, its probe included.
	maxPackets = 12
)

// flight is what one Ask sets in motion. It has no goroutine: it is moved by whoever brings an event, one at a time because the
// event holds mu. The events are a datagram, a broken port, a guess, the end of an exchange over TCP (all by [ticket]), and the
// alarm.
//
// Flights are used again. An event that was on its way when its flight ended must find out: a ticket by its generation, the
// alarm by due.
type flight struct {
	mu         sync.Mutex
	generation uint32 // of Asks that this flight has served

	g        *Group
	question question
	deadline time.Time
	done     func(Result) // nil for a probe

	candidates [MaxServers]candidate
	order      []candidate // those of this flight, in the order in which they are asked, over and over
	turn       int         // the next one's place in it
	packets    int         // what may still be sent
	attempts   [maxPackets]attempt
	made       int        // attempts so far: each sends a query at least
	open       int        // attempts that have not ended
	silent     *candidate // who fails if due comes before anything else

	due   time.Time // when the next attempt is made, or the flight ends; zero: it has ended
	alarm alarm

	packet [maxQuery]byte // where queries are written
}

// ticket is how a port and an exchange over TCP hold an attempt: it is good as long as the flight is on the same Ask.
type ticket struct {
	flight     *flight
	generation uint32
	attempt    uint8
}

func emptyFlight() any {
	f := new(flight)
	f.alarm.owner = f
	return f
}

// newFlight is a flight that is held: [flight.rest] or [flight.land] let it go. It has no question and no servers yet.
func (g *Group) newFlight(deadline time.Time, packets int, done func(Result)) *flight {
	f, _ := g.flights.Get().(*flight)
	f.mu.Lock()
	f.g, f.deadline, f.packets, f.done = g, deadline, packets, done
	f.turn, f.made, f.open, f.silent = 0, 0, 0, nil
	return f
}

// rest lets f wait for the next event, or ends it.
func (f *flight) rest(result Result, over bool) {
	if !over {
		f.mu.Unlock()
		return
	}
	g := f.g
	g.finish(f.land(), result)
}

// land ends f, which is then nobody's any more, and returns its done.
func (f *flight) land() func(Result) {
	g, done := f.g, f.done
	for i := range f.made {
		f.attempts[i].end()
	}
	g.clock.cancel(&f.alarm)
	f.due, f.done = time.Time{}, nil
	f.generation++
	f.mu.Unlock()
	g.flights.Put(f)
	return done
}

// ring is the alarm: the next attempt is due, or time is up. What rings for the flight's last Ask is too early for this one.
func (f *flight) ring(now time.Time) {
	f.mu.Lock()
	if f.due.IsZero() || now.Before(f.due) {
		f.mu.Unlock()
		return
	}
	if f.silent != nil {
		f.blame(f.silent, Timeout)
	}
	f.rest(f.advance(now))
}

// advance starts the next attempt, if one is left, and sets the alarm for how long to wait for it; without one, for how long to
// listen to those that are open. It is over when there are none either, or when time is up.
func (f *flight) advance(now time.Time) (result Result, over bool) {
	for {
		left := f.deadline.Sub(now)
		c := f.pick()
		f.silent = nil
		switch {
		case left <= 0, c == nil && f.open == 0:
			return Result{Err: f.failure()}, true
		case c == nil:
			f.wake(f.deadline)
			return Result{}, false
		}
		a := f.newAttempt(c, now)
		if o, ended := f.overUDP(a, now); ended {
			f.failed(a, o)
			continue
		}
		wait := min(c.patience(), left)
		if wait >= minPatience {
			f.silent = c
		}
		f.wake(now.Add(wait))
		return Result{}, false
	}
}

func (f *flight) wake(at time.Time) {
	f.due = at
	f.g.clock.set(&f.alarm, at)
}

// pick is the next server in turn that may still be asked, nil if there is none.
func (f *flight) pick() *candidate {
	for range f.order {
		c := &f.order[f.turn%len(f.order)]
		f.turn++
		if !c.out && c.udp < maxQueries && f.packets > 0 {
			return c
		}
	}
	return nil
}

// ended takes note of the end of a. The next attempt is made at once if a was the newest, or the last one open; the failure of
// an older one changes nothing while the newest is still open.
func (f *flight) ended(a *attempt, o outcome, now time.Time) (result Result, over bool) {
	if o.msg != nil {
		return f.answered(a, o), true
	}
	f.failed(a, o)
	if a.number == f.made-1 || f.open == 0 {
		return f.advance(now)
	}
	return Result{}, false
}

// answered is the result with the answer o. A response code that a server gave instead of this answer was its own fault:
// as long as nobody answers, the fault may as well lie with the name.
func (f *flight) answered(a *attempt, o outcome) Result {
	for i := range f.order {
		if c := &f.order[i]; c.kind == Refused && c != a.c {
			f.g.fail(c.server, Refused)
		}
	}
	return Result{Msg: o.msg, Trusted: a.c.trusted}
}

// failed takes note of an attempt that ended without an answer.
func (f *flight) failed(a *attempt, o outcome) {
	f.open--
	c := a.c
	c.note(o.kind)
	if o.kind == Refused {
		c.rcode = o.rcode
	}
	c.out = c.out || o.kind == Refused || o.kind == Unreachable || o.kind == Local
	if o.kind == Unreachable || o.kind == Malformed {
		f.g.fail(c.server, o.kind)
	}
	c.meters.failed(o.kind)
}

// blame takes note of a failure of c other than the end of an attempt.
func (f *flight) blame(c *candidate, k Kind) {
	c.note(k)
	c.meters.failed(k)
	f.g.fail(c.server, k)
}

// failure is the error of a flight without an answer.
func (f *flight) failure() *Error {
	e := &Error{Kind: Timeout}
	for i := range f.order {
		c := &f.order[i]
		if c.udp+c.tcp == 0 && c.kind == 0 {
			continue
		}
		kind := cmp.Or(c.kind, Timeout)
		if len(e.Servers) == 0 || kind > e.Kind {
			e.Kind = kind
		}
		if kind == Refused {
			e.Rcode = c.rcode
		}
		e.Servers = append(e.Servers, Failure{Addr: c.addr, Queries: c.udp + c.tcp, Kind: kind, Rcode: c.rcode})
	}
	return e
}

// spend takes one query over UDP or TCP from what may be sent to c, and says whether there was one.
func (f *flight) spend(c *candidate, t transport) bool {
	sent := &c.udp
	if t == tcp {
		sent = &c.tcp
	}
	if f.packets <= 0 || *sent >= maxQueries {
		return false
	}
	f.packets--
	*sent++
	c.meters.sent(t)
	return true
}

// fail counts a failure of s.
func (g *Group) fail(s *server, k Kind) {
	if s.fail() {
		s.meters.health(s.failing())
		g.log.Warn("upstream server is failing", slog.String("upstream", s.addr.String()),
			slog.String("kind", k.String()), slog.Int("failures", failLimit))
	}
}

// succeed takes note of an answer of s.
func (g *Group) succeed(s *server) {
	if s.succeed() {
		s.meters.health(s.failing())
		g.log.Info("upstream server works again", slog.String("upstream", s.addr.String()))
	}
}
