package upstream

import (
	"encoding/binary"
	"sync"
	"time"

	"cordon/resolver/wire"
)

// maxWrongIDs is how many datagrams with a wrong ID a port survives: that many guesses of 65,536 are free.
const maxWrongIDs = 4

// port is a socket of the pool and what was asked from it. It gets questions until it is full or old; then it is open as long as
// one of them is, which is MaxWait at most.
//
// An ID is used once in a port's life. So a datagram with an ID that was never asked with is a guess, and one whose question is over
// is not: it is late, or comes twice.
type port struct {
	server *server
	clock  *clock
	link   link // set before anything is asked or heard
	place  int  // in the pool
	alarm  alarm

	mu      sync.Mutex
	asked   map[uint16]ticket // the questions that are open
	used    [1 << 16 / 64]uint64
	count   int // IDs used
	guesses int
	retired bool // it gets no more questions
	closed  bool
}

func openPort(g *Group, s *server, place int, now time.Time) (*port, error) {
	p := &port{server: s, clock: &g.clock, place: place, asked: make(map[uint16]ticket)}
	p.alarm.owner = p
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := g.network.open(s.addr, p)
	if err != nil {
		return nil, err
	}
	p.link = l
	p.clock.set(&p.alarm, now.Add(maxAge))
	return p, nil
}

// open opens a question. It is false if p gets no more or has used the ID before.
func (p *port) open(id uint16, t ticket) bool {
	ok, full := p.take(id, t)
	if full {
		p.server.pool.drop(p)
	}
	return ok
}

// take is open, and says whether this was the last question.
func (p *port) take(id uint16, t ticket) (ok, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired || p.isUsed(id) {
		return false, false
	}
	p.used[id/64] |= 1 << (id % 64)
	p.asked[id] = t
	p.count++
	p.retired = p.count == maxUses
	return true, p.retired
}

func (p *port) isUsed(id uint16) bool { return p.used[id/64]&(1<<(id%64)) != 0 }

// forget has a question that is over, if it is open.
func (p *port) forget(id uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asked, id)
	p.closeIfDone()
}

// ring is the alarm: p is old.
func (p *port) ring(time.Time) {
	p.server.pool.drop(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	p.closeIfDone()
}

// closeIfDone closes p if nothing is and nothing will be open. The caller holds mu.
func (p *port) closeIfDone() {
	if p.retired && len(p.asked) == 0 {
		p.close()
	}
}

// close is done with mu held.
func (p *port) close() {
	if !p.closed {
		p.closed, p.retired = true, true
		p.clock.cancel(&p.alarm)
		p.link.close()
	}
}

// heard takes a datagram to the question that it has the ID of. msg is the caller's again when heard returns.
func (p *port) heard(msg []byte) {
	if len(msg) < wire.HeaderLen {
		return
	}
	id := binary.BigEndian.Uint16(msg)
	p.mu.Lock()
	t, open := p.asked[id]
	guess := !open && !p.isUsed(id)
	p.mu.Unlock()
	switch {
	case open:
		t.heard(p, id, msg)
	case guess:
		p.guessed()
	}
}

// guessed takes note of an ID that nobody asked with. The questions that are open go on over TCP. After a few such IDs p is closed: they
// will hear nothing more from it.
func (p *port) guessed() {
	p.server.meters.guessed()
	p.mu.Lock()
	p.guesses++
	over := p.guesses > maxWrongIDs
	asked := p.questions()
	if over {
		clear(p.asked)
		p.close()
	}
	p.mu.Unlock()
	if over {
		p.server.pool.drop(p)
	}
	for _, q := range asked {
		if over {
			q.ticket.broke(p, q.id, Malformed)
		} else {
			q.ticket.doubted(p, q.id)
		}
	}
}

// broke ends the questions that are open: the network says that there will be no answer. If the socket is of no further use, p is
// closed.
func (p *port) broke(err error, useless bool) {
	p.mu.Lock()
	asked := p.questions()
	clear(p.asked)
	if useless {
		p.close()
	}
	p.closeIfDone()
	p.mu.Unlock()
	if useless {
		p.server.pool.drop(p)
	}
	for _, q := range asked {
		q.ticket.broke(p, q.id, kindOf(err))
	}
}

// asking is an open question.
type asking struct {
	id     uint16
	ticket ticket
}

// questions are those that are open. The caller holds mu.
func (p *port) questions() []asking {
	all := make([]asking, 0, len(p.asked))
	for id, t := range p.asked {
		all = append(all, asking{id, t})
	}
	return all
}
