package upstream

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

const (
	// maxPorts is how many ports of a server's pool are open to questions at a time.
	maxPorts = 64
	// maxUses is after how many questions a port gets no more, and maxAge when: whoever finds it has that long to guess.
	maxUses = 1024
	maxAge  = 10 * time.Second
	// maxTries is in how many ports a question looks for a place, if one is full by then or knows its ID.
	maxTries = 8
	// drawn is how many octets of chance a question takes: its ID and its port. They are read for many at a time.
	drawn = 3
)

// pool is the ports from which one server is asked. They are opened as questions fall on them: a random one of maxPorts each, so
// that as long as questions are few, nearly each has a port of its own.
type pool struct {
	mu     sync.Mutex
	ports  [maxPorts]*port // nil where none is open to questions
	chance [512 * drawn]byte
	left   int // octets of chance not used yet
}

// choose is a random port to ask s from, with a random ID. It is opened if need be; if that fails, the next open one will do. A
// chosen port may be full or closed by now: [port.open] finds out.
func (p *pool) choose(g *Group, s *server, now time.Time) (*port, uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, place := p.draw()
	if p.ports[place] == nil {
		opened, err := openPort(g, s, place, now)
		if err == nil {
			p.ports[place] = opened
		} else if place = p.next(place); p.ports[place] == nil {
			return nil, 0, err
		}
	}
	return p.ports[place], id, nil
}

// draw is an ID and a place among the ports that nobody can predict (RFC 5452, section 9.2). The caller holds mu.
func (p *pool) draw() (id uint16, place int) {
	if p.left == 0 {
		_, _ = rand.Read(p.chance[:]) // never fails: it ends the process instead
		p.left = len(p.chance)
	}
	p.left -= drawn
	octets := p.chance[p.left : p.left+drawn]
	id, place = binary.BigEndian.Uint16(octets), int(octets[2])%maxPorts
	clear(octets)
	return id, place
}

// next is the place of the next open port after place, or place if there is none. The caller holds mu.
func (p *pool) next(place int) int {
	for i := 1; i < maxPorts; i++ {
		if other := (place + i) % maxPorts; p.ports[other] != nil {
			return other
		}
	}
	return place
}

// drop takes x out: it gets no more questions.
func (p *pool) drop(x *port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ports[x.place] == x {
		p.ports[x.place] = nil
	}
}
