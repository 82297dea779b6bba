package querylog

import (
	"net/netip"
	"sync/atomic"
	"time"

	"cordon/resolver"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// event is one question with what became of it, in one piece.
type event struct {
	time   time.Time
	client netip.Addr
	stream bool

	qtype, class   uint16
	flags, answers uint16 // of the answer: its second and fourth word (RFC 1035, section 4.1.1)

	action    policy.Action
	inAnswer  bool
	agency    *policy.Agency    // nil: the client is of no network
	policy    *policy.Policy    // nil if none bears on it
	exception *policy.Exception // nil if none
	list      string
	addr      netip.Addr // in the answer, that matched; not valid if none did

	// Octets of names: what was asked, what was judged if that is another name, and where in that the rule's suffix begins.
	asked, judged, rule int
	names               [2 * wire.MaxName]byte
}

// set makes e a copy of a.
func (e *event) set(a *resolver.Answered) {
	q, v := a.Query, &a.Verdict
	e.time, e.client, e.stream = q.Now, q.Client.Addr(), q.Stream
	e.qtype, e.class = q.Type, q.Class
	e.flags = uint16(a.Message[2])<<8 | uint16(a.Message[3])
	e.answers = uint16(a.Message[6])<<8 | uint16(a.Message[7])
	e.action, e.inAnswer = v.Action, v.InAnswer
	e.agency, e.policy, e.exception, e.list, e.addr = v.Agency, v.Policy, v.Exception, v.List, v.Addr
	e.asked = copy(e.names[:wire.MaxName], q.Name)
	e.judged, e.rule = 0, v.Start
	if v.InAnswer {
		e.judged = copy(e.names[wire.MaxName:], v.Name)
	}
}

// name is what was asked, canonical.
func (e *event) name() []byte { return e.names[:e.asked] }

// other is the name in the answer that was judged, nil if it was an address or the name that was asked.
func (e *event) other() []byte { return e.names[wire.MaxName : wire.MaxName+e.judged] }

// suffix is the part of what was judged that a rule matched, nil if there is none.
func (e *event) suffix() []byte {
	name := e.name()
	if e.inAnswer {
		name = e.other()
	}
	if e.policy == nil || e.rule >= len(name) {
		return nil
	}
	return name[e.rule:]
}

// rcode is that of the answer.
func (e *event) rcode() wire.Rcode { return wire.Rcode(e.flags & 0xF) }

// ringSize is how many events a ring holds, a power of 2: 200,000 a second and listener, with [pace], in 1.5 MB.
const ringSize = 2048

// ring is a bounded queue of events that any number of goroutines put into without waiting and one takes from: the turn of a slot says
// whose it is (D. Vyukov's bounded queue).
type ring struct {
	head    atomic.Uint64 // the next to put
	_       [56]byte
	dropped atomic.Uint64 // events that found it full
	_       [56]byte
	tail    uint64 // the next to take
	slots   [ringSize]slot
}

// slot is for who puts at position turn, and for who takes the event at position turn-1.
type slot struct {
	turn  atomic.Uint64
	event event
}

func newRing() *ring {
	r := new(ring)
	for i := range r.slots {
		r.slots[i].turn.Store(uint64(i))
	}
	return r
}

// put puts a copy of a into r, or counts it as dropped.
func (r *ring) put(a *resolver.Answered) {
	for {
		at := r.head.Load()
		s := &r.slots[at%ringSize]
		switch turn := s.turn.Load(); {
		case turn == at && r.head.CompareAndSwap(at, at+1):
			s.event.set(a)
			s.turn.Store(at + 1)
			return
		case turn < at: // it has not been taken since the last time round
			r.dropped.Add(1)
			return
		}
	}
}

// take gives the oldest event to use, and says false if there is none. The event is dead when use returns.
func (r *ring) take(use func(*event)) bool {
	s := &r.slots[r.tail%ringSize]
	if s.turn.Load() != r.tail+1 {
		return false
	}
	use(&s.event)
	s.event.agency, s.event.policy, s.event.exception, s.event.list = nil, nil, nil, "" // of a snapshot that may be gone by now
	s.turn.Store(r.tail + ringSize)
	r.tail++
	return true
}
