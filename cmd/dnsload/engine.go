package main

import (
	"context"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"time"
)

const (
	batchSize  = 64 // datagrams that are moved at once
	sweepEvery = 20 * time.Millisecond
)

// engine asks and hears on all sockets of a network, in one goroutine that allocates nothing.
//
// A query's ID says which slot of its socket it is in (the low bits) and which one it is of those that the slot has had (the others):
// an answer finds its query at once, and one to a query that was given up is not taken for that of the next one.
type engine struct {
	net    network
	source *source
	pace   pace
	clock  func() time.Duration // since the run's begin

	sockets  []slots
	idBits   int // those of an ID that are its slot's
	messages [batchSize][]byte
	lastSeen time.Duration // of an answer
	swept    time.Duration
	waiting  int // queries under way
	tally    tally
}

// tally is what came of a run.
type tally struct {
	sent, answers, lost, late int
	wrong                     [verdicts]int
	kinds                     [classes]int // answers that were right
	elapsed                   time.Duration
	latency, behind           histogram // behind: how late the queries of an open loop were sent
}

// slots are the places of a socket for queries under way.
type slots struct {
	all  []slot
	free []uint16
}

type slot struct {
	due   time.Duration
	busy  bool
	id    uint16
	owing uint16 // queries that were given up, and whose answers may still come
	class class
	n     uint16
	query [queryRoom]byte
}

// newEngine has outstanding slots on each socket of the network.
func newEngine(net network, s *source, p pace, outstanding int) *engine {
	e := &engine{net: net, source: s, pace: p, sockets: make([]slots, net.sockets()), idBits: bits.Len(uint(outstanding - 1))}
	for i := range e.sockets {
		all := make([]slot, outstanding)
		free := make([]uint16, outstanding)
		for k := range all {
			all[k].id = uint16(rand.Uint32())<<e.idBits | uint16(k) //nolint:gosec // G404: a stray answer of the last run should not fit
			free[k] = uint16(k)
		}
		e.sockets[i] = slots{all: all, free: free}
	}
	begin := time.Now()
	e.clock = func() time.Duration { return time.Since(begin) }
	return e
}

// run asks until the time is over, or the count is full, and all answers are there or lost. An error is one of the network.
func (e *engine) run(ctx context.Context) error {
	runtime.LockOSThread() // the network's waiting is tuned for a thread
	defer runtime.UnlockOSThread()
	for turn := 0; ; turn++ {
		now := e.clock()
		sending := now < e.pace.end() && e.tally.sent < e.pace.count && ctx.Err() == nil
		if !sending && e.waiting == 0 {
			e.tally.elapsed = e.lastSeen
			return nil
		}
		busy, err := e.goRound(turn, sending)
		if err != nil {
			return err
		}
		if now-e.swept >= sweepEvery {
			e.sweep(now)
		}
		if busy {
			continue
		}
		if err := e.net.wait(e.patience()); err != nil {
			return err
		}
	}
}

// patience is how long to wait if nothing arrives. What is due is of no interest as long as there is no room for it.
func (e *engine) patience() time.Duration {
	if e.waiting == len(e.sockets)*len(e.sockets[0].all) {
		return sweepEvery / 4
	}
	return e.pace.patience(e.clock(), e.tally.sent)
}

// goRound hears and asks on each socket once, beginning with another one each time. busy: something was sent or received.
func (e *engine) goRound(turn int, sending bool) (busy bool, err error) {
	for k := range e.sockets {
		i := (turn + k) % len(e.sockets)
		received, sent := 0, 0
		if len(e.sockets[i].free) < len(e.sockets[i].all) {
			if received, err = e.hear(i); err != nil {
				return false, err
			}
		}
		if sending {
			if sent, err = e.ask(i); err != nil {
				return false, err
			}
		}
		busy = busy || received+sent > 0
	}
	return busy, nil
}

// hear takes the answers that have arrived at socket i.
func (e *engine) hear(i int) (int, error) {
	answers, err := e.net.receive(i)
	if err != nil || len(answers) == 0 {
		return 0, err
	}
	now := e.clock()
	for _, answer := range answers {
		e.take(&e.sockets[i], answer, now)
	}
	return len(answers), nil
}

// take finds the query that answer belongs to, and checks it.
func (e *engine) take(s *slots, answer []byte, now time.Duration) {
	if len(answer) < 2 {
		e.tally.wrong[malformed]++
		return
	}
	id := binary.BigEndian.Uint16(answer)
	k := int(id) & (1<<e.idBits - 1)
	if k >= len(s.all) {
		e.tally.wrong[unasked]++
		return
	}
	q := &s.all[k]
	switch {
	case q.busy && q.id == id:
		q.busy = false
	case q.owing > 0:
		q.owing--
		e.tally.late++
		return
	default:
		e.tally.wrong[unasked]++
		return
	}
	s.free = append(s.free, uint16(k))
	e.waiting--
	e.lastSeen = now
	e.tally.answers++
	e.tally.latency.add(now - q.due)
	if v := e.source.expected[q.class].check(q.query[:q.n], answer); v != right {
		e.tally.wrong[v]++
		return
	}
	e.tally.kinds[q.class]++
}

// ask sends what is due on socket i and finds room there: in a closed loop all that it has room for, in an open loop one query, so
// that they are spread over the sockets.
func (e *engine) ask(i int) (int, error) {
	s := &e.sockets[i]
	now := e.clock()
	n := min(e.pace.due(now)-e.tally.sent, len(s.free), batchSize)
	if e.pace.rate > 0 {
		n = min(n, 1)
	}
	if n <= 0 {
		return 0, nil
	}
	taken := s.free[len(s.free)-n:]
	for j, k := range taken {
		e.messages[j] = e.fill(&s.all[k])
	}
	sent, err := e.net.send(i, e.messages[:n])
	if err != nil {
		return 0, err
	}
	// What was not sent is not asked again, and its slots were written in vain; the last ones of taken, so that the rest stay free.
	for j, k := range taken[:sent] {
		q := &s.all[k]
		q.busy, q.due = true, e.pace.at(e.tally.sent+j, now)
		if e.pace.rate > 0 {
			e.tally.behind.add(now - q.due)
		}
	}
	s.free = append(s.free[:len(s.free)-n], taken[sent:]...)
	e.tally.sent += sent
	e.waiting += sent
	return sent, nil
}

// fill writes the next query into q, with an ID that q has not had for long.
func (e *engine) fill(q *slot) []byte {
	n, c := e.source.next(&q.query)
	q.id += 1 << e.idBits
	q.n, q.class = uint16(n), c
	binary.BigEndian.PutUint16(q.query[:], q.id)
	return q.query[:n]
}

// sweep gives up what has been under way for too long.
func (e *engine) sweep(now time.Duration) {
	e.swept = now
	for i := range e.sockets {
		s := &e.sockets[i]
		for k := range s.all {
			q := &s.all[k]
			if !q.busy || now-q.due <= e.pace.timeout {
				continue
			}
			q.busy = false
			q.owing++
			s.free = append(s.free, uint16(k))
			e.waiting--
			e.tally.lost++
		}
	}
}
