package upstream

import (
	"cmp"
	"io"
	"log/slog"
	"sync"
	"time"

	"cordon/resolver/wire"
)

const (
	// maxQueries is how often a flight asks one server over one transport (RFC 9520, section 3.1).
	maxQueries = 3
	// maxPackets is how many queries a flight sends in all, its probe included.
	maxPackets = 12
)

// flight is what one Ask sets in motion. One goroutine runs it and decides, each attempt has one that listens.
type flight struct {
	g        *Group
	question question
	deadline time.Time
	outcomes chan outcome // has room for every attempt: none ever waits for the flight

	order  []candidate // in which servers are asked, over and over
	turn   int         // the next one's place in it
	open   int         // attempts that have not ended
	newest int         // number of the last attempt
	silent *candidate  // who fails if the next attempt's time comes before anything else

	mu      sync.Mutex
	packets int         // what may still be sent
	closers []io.Closer // what the end of the flight interrupts
	ended   bool
}

// outcome is the end of an attempt: an answer if msg is set, else a failure.
type outcome struct {
	from    *candidate
	attempt int
	msg     []byte
	kind    Kind
	rcode   wire.Rcode
	cut     bool // no end: the answer did not fit into a datagram
}

func newFlight(g *Group, q *Question, deadline time.Time) *flight {
	f := &flight{g: g, deadline: deadline, outcomes: make(chan outcome, maxPackets), packets: maxPackets}
	f.question = question{rtype: q.Type, class: q.Class, do: q.DO, cd: q.CD}
	f.question.length = copy(f.question.octets[:], q.Name)
	return f
}

// run makes attempts until one has an answer, none is left, or time is up.
func (f *flight) run() Result {
	defer f.end()
	timer := time.NewTimer(MaxWait)
	defer timer.Stop()
	for wait, more := f.advance(); more; wait, more = f.advance() {
		timer.Reset(wait)
		if o, ok := f.wait(timer.C); ok {
			return f.answered(o)
		}
	}
	return Result{Err: f.failure()}
}

// advance starts the next attempt, if one is left, and says how long to wait for it; without one, how long to listen to
// those that are open. It is over when there are none either, or when time is up.
func (f *flight) advance() (wait time.Duration, more bool) {
	left := time.Until(f.deadline)
	c := f.pick()
	f.silent = nil
	switch {
	case left <= 0, c == nil && f.open == 0:
		return 0, false
	case c == nil:
		return left, true
	}
	f.open++
	f.newest++
	go f.attempt(c, f.newest)
	wait = min(c.patience(), left)
	if wait >= minPatience {
		f.silent = c
	}
	return wait, true
}

// pick is the next server in turn that may still be asked, nil if there is none.
func (f *flight) pick() *candidate {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range f.order {
		c := &f.order[f.turn%len(f.order)]
		f.turn++
		if !c.out && c.udp < maxQueries && f.packets > 0 {
			return c
		}
	}
	return nil
}

// wait returns an answer, or false when it is time for the next attempt: at once when the newest one has failed, or when
// patience is at its end. The failure of an older one changes nothing while the newest is still open.
func (f *flight) wait(patience <-chan time.Time) (outcome, bool) {
	for {
		select {
		case o := <-f.outcomes:
			f.open--
			if o.msg != nil {
				return o, true
			}
			f.failed(o)
			if o.attempt == f.newest || f.open == 0 {
				return outcome{}, false
			}
		case <-patience:
			if f.silent != nil {
				f.blame(f.silent, Timeout)
			}
			return outcome{}, false
		}
	}
}

// answered is the result with the answer o. A response code that a server gave instead of this answer was its own fault:
// as long as nobody answers, the fault may as well lie with the name.
func (f *flight) answered(o outcome) Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.order {
		if c := &f.order[i]; c.kind == Refused && c != o.from {
			f.g.fail(c.server, Refused)
		}
	}
	return Result{Msg: o.msg, Trusted: o.from.trusted}
}

// failed takes note of an attempt that ended without an answer.
func (f *flight) failed(o outcome) {
	f.mu.Lock()
	c := o.from
	c.note(o.kind)
	if o.kind == Refused {
		c.rcode = o.rcode
	}
	c.out = c.out || o.kind == Refused || o.kind == Unreachable || o.kind == Local
	f.mu.Unlock()
	if o.kind == Unreachable || o.kind == Malformed {
		f.g.fail(c.server, o.kind)
	}
	c.meters.failed(o.kind)
}

// blame takes note of a failure of c other than the end of an attempt.
func (f *flight) blame(c *candidate, k Kind) {
	f.mu.Lock()
	c.note(k)
	f.mu.Unlock()
	c.meters.failed(k)
	f.g.fail(c.server, k)
}

// failure is the error of a flight without an answer.
func (f *flight) failure() *Error {
	f.mu.Lock()
	defer f.mu.Unlock()
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
	f.mu.Lock()
	defer f.mu.Unlock()
	sent := &c.udp
	if t == tcp {
		sent = &c.tcp
	}
	if f.packets <= 0 || *sent >= maxQueries || f.ended {
		return false
	}
	f.packets--
	*sent++
	c.meters.sent(t)
	return true
}

// track has c closed when the flight ends. If it has ended, c is closed now.
func (f *flight) track(c io.Closer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		_ = c.Close()
		return
	}
	f.closers = append(f.closers, c)
}

// end interrupts the attempts that are still open.
func (f *flight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for _, c := range f.closers {
		_ = c.Close() // most are closed already
	}
	f.closers = nil
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
