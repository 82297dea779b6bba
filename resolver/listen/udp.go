package listen

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver/wire"
)

// worker is one UDP socket and its read loop.
type worker struct {
	door
	conn    *net.UDPConn
	socket  socket
	query   wire.Query
	waiting waiting
	unheard uint64 // queries above the rate of their client
}

func newWorker(d door, conn *net.UDPConn, a netip.Addr, batch int) *worker {
	w := &worker{door: d, conn: conn, socket: newSocket(conn, a, batch)}
	w.waiting.init()
	return w
}

// run serves until reading is stopped, then waits until all is answered or closed is closed.
func (w *worker) run(ctx context.Context, closed <-chan struct{}) {
	var failures pauses
	for {
		packets, err := w.socket.receive()
		switch {
		case err == nil:
			failures.reset()
			w.serve(packets)
			continue
		case ctx.Err() == nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded):
			w.counters.failed.Add(1)
			failures.pause(ctx)
			continue
		}
		break
	}
	w.waiting.end()
	select {
	case <-w.waiting.none:
	case <-closed:
	}
}

// serve handles one batch.
func (w *worker) serve(packets []packet) {
	now, answered := time.Now(), 0
	for i := range packets {
		w.handle(&packets[i], now)
		if len(packets[i].answer) > 0 && !w.query.Own() {
			answered++
		}
	}
	if failed := w.socket.send(packets); failed > 0 {
		w.counters.failed.Add(uint64(failed))
	}
	if answered > 0 { // else nobody needs to know what time it is
		w.counters.atOnce.Add(time.Since(now), answered)
	}
}

// handle sets p.answer, or starts the query and leaves p.answer empty.
func (w *worker) handle(p *packet, now time.Time) {
	defer func() {
		if reason := recover(); reason != nil {
			p.answer = nil
			w.crashed(reason)
		}
	}()
	p.answer = nil
	q := &w.query
	q.Client, q.Now = client(p.peer), now
	if w.wait(q) > 0 {
		p.answer = w.tooMany(q, p)
		return
	}
	if !w.parse(q, p.query) {
		return
	}
	answer, ok := w.handler.Answer(p.out[:0], q)
	if !ok {
		w.start(q, &p.route)
		return
	}
	p.answer = answer
}

// tooMany is nil, or for some of the queries above a client's rate an answer that says nothing but to ask over TCP: who floods in the name
// of another address can't do that, and the one whose address it is can.
func (w *worker) tooMany(q *wire.Query, p *packet) []byte {
	if w.unheard++; w.unheard%slip != 0 || !w.parse(q, p.query) || q.Problem != wire.None {
		return nil
	}
	answer := wire.Begin(p.out[:0], q, wire.Success, wire.FlagTC)
	return wire.Finish(answer, 0, q, wire.Success, wire.Sections{}, &wire.EDE{Code: wire.EDENone})
}

// slip is of how many queries above the rate one is answered: far fewer answers than queries, so that nobody is flooded by them.
const slip = 4

// start hands q to the handler's second door. If that panics, no reply is waited for.
func (w *worker) start(q *wire.Query, to *route) {
	reply := w.newReply(to, asked(q))
	w.waiting.add()
	started := false
	defer func() {
		if !started {
			reply(nil)
		}
	}()
	w.handler.Start(q, reply)
	started = true
}

// newReply is the way back for one query, which goes once. The function is all that is made for it, and is its ticket.
func (w *worker) newReply(to *route, asked time.Time) func(answer []byte) {
	r := replies.Get().(*datagramReply) //nolint:errcheck // the pool holds nothing else
	r.worker, r.to, r.asked = w, *to, asked
	turn := r.turn.Load()
	return func(answer []byte) { r.send(turn, answer) }
}

// datagramReply is the way back for one query after the other. Each has its turn, which ends with the reply: a handler that replied twice
// would else answer somebody else.
type datagramReply struct {
	worker *worker
	to     route
	asked  time.Time
	turn   atomic.Uint64
}

// replies are those whose turn is not given to anybody.
var replies = sync.Pool{New: func() any { return new(datagramReply) }}

func (r *datagramReply) send(turn uint64, answer []byte) {
	if !r.turn.CompareAndSwap(turn, turn+1) {
		return
	}
	w := r.worker
	if len(answer) > 0 {
		if w.socket.sendLater(answer, &r.to) != nil {
			w.counters.failed.Add(1)
		}
		w.counters.wait(r.asked, time.Now())
	}
	replies.Put(r)
	w.waiting.done()
}

// waiting counts replies that are to come, and can be waited for once no more are added.
type waiting struct {
	n    atomic.Int64  // and one until end
	none chan struct{} // closed when n is 0
}

func (w *waiting) init() {
	w.n.Store(1)
	w.none = make(chan struct{})
}

func (w *waiting) add() { w.n.Add(1) }

func (w *waiting) done() {
	if w.n.Add(-1) == 0 {
		close(w.none)
	}
}

// end says that nothing is added any more.
func (w *waiting) end() { w.done() }
