package upstream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"time"

	"cordon/resolver/wire"
)

// transport is what a query is sent over.
type transport uint8

const (
	udp transport = iota
	tcp
	transports // how many there are
)

func (t transport) String() string {
	if t == tcp {
		return "tcp"
	}
	return "udp"
}

// guessedWait is how long TCP is tried when a wrong ID made UDP doubtful, before UDP is heard again.
const guessedWait = time.Second

// attempt asks one server, one way or another, until it has an outcome. Like its flight it is moved by events:
//
//	asked over UDP ─┬─ answer ───────────────────────────────────────────────▶ outcome
//	                ├─ cut ──────────────▶ asked over TCP ───────────────────▶ outcome
//	                ├─ a guess at the port ▶ in doubt: asked over TCP ─┬─ answer ▶ outcome
//	                │                        what comes over UDP waits └─ none ─▶ asked over UDP, as before
//	                └─ the port broke ───────────────────────────────────────▶ outcome
//
// An outcome that may be due to EDNS starts it over, once, without.
type attempt struct {
	c      *candidate
	number int
	began  time.Time

	port *port // where the answer is waited for, nil: nowhere
	id   uint16
	sent time.Time

	edns    bool
	refused outcome // with EDNS; its kind is 0 as long as that was not refused

	guessed bool               // TCP was tried because of a guess: once is enough
	doubt   bool               // TCP is being tried because of a guess
	held    []byte             // what came over UDP meanwhile
	broken  Kind               // why the port broke meanwhile
	cancel  context.CancelFunc // interrupts the exchange over TCP, nil: there is none
}

// outcome is the end of an attempt: an answer if msg is set, else a failure.
type outcome struct {
	msg   []byte
	kind  Kind
	rcode wire.Rcode
	cut   bool // no end: the answer did not fit into a datagram
}

func (f *flight) newAttempt(c *candidate, now time.Time) *attempt {
	a := &f.attempts[f.made]
	*a = attempt{c: c, number: f.made, began: now, edns: !c.plainNow(now)}
	f.made++
	f.open++
	return a
}

// end gives up what a waits for.
func (a *attempt) end() {
	a.leave()
	if a.cancel != nil {
		a.cancel()
	}
	a.c, a.cancel, a.held, a.refused = nil, nil, nil, outcome{}
}

// leave has a wait for nothing over UDP.
func (a *attempt) leave() {
	if a.port != nil {
		a.port.forget(a.id)
		a.port = nil
	}
}

func (f *flight) ticket(a *attempt) ticket {
	return ticket{flight: f, generation: f.generation, attempt: uint8(a.number)}
}

// overUDP asks a's server. It has ended if the query could not be sent.
func (f *flight) overUDP(a *attempt, now time.Time) (o outcome, ended bool) {
	if !f.spend(a.c, udp) {
		return outcome{kind: Timeout}, true
	}
	msg := f.question.appendTo(f.packet[:0], 0, a.c.trusted, a.edns)
	for range maxTries {
		p, id, err := a.c.pool.choose(f.g, a.c.server, now)
		if err != nil {
			return outcome{kind: kindOf(err)}, true
		}
		if !p.open(id, f.ticket(a)) {
			continue
		}
		a.port, a.id, a.sent = p, id, now
		binary.BigEndian.PutUint16(msg, id)
		err = p.link.send(msg)
		if err == nil {
			return outcome{}, false
		}
		a.leave()
		if !errors.Is(err, net.ErrClosed) {
			return outcome{kind: kindOf(err)}, true
		}
	}
	return outcome{kind: Local}, true
}

// enter holds the flight if the question that p knows by id is still open; else it is nil.
func (t ticket) enter(p *port, id uint16) *attempt {
	f := t.flight
	f.mu.Lock()
	if f.generation == t.generation {
		if a := &f.attempts[t.attempt]; a.port == p && a.id == id {
			return a
		}
	}
	f.mu.Unlock()
	return nil
}

// heard is the event that a datagram with the right ID came.
func (t ticket) heard(p *port, id uint16, msg []byte) {
	if a := t.enter(p, id); a != nil {
		t.flight.rest(t.flight.hear(a, msg))
	}
}

// broke is the event that nothing more will come for this question.
func (t ticket) broke(p *port, id uint16, k Kind) {
	a := t.enter(p, id)
	if a == nil {
		return
	}
	a.leave()
	if a.doubt {
		a.broken = k
		t.flight.mu.Unlock()
		return
	}
	t.flight.rest(t.flight.settle(a, outcome{kind: k}, time.Now()))
}

// doubted is the event that somebody guesses IDs at the port. The first time, the question is asked over TCP, where the ID is
// not what makes an answer authentic.
func (t ticket) doubted(p *port, id uint16) {
	a := t.enter(p, id)
	if a == nil {
		return
	}
	if !a.guessed {
		a.guessed = true
		_, ended := t.flight.overTCP(a, time.Now().Add(guessedWait))
		a.doubt = !ended
	}
	t.flight.mu.Unlock()
}

// hear takes a datagram that has the right ID. What is not the answer, is not heard. In doubt the first that is it is kept.
func (f *flight) hear(a *attempt, msg []byte) (result Result, over bool) {
	if !f.question.matches(msg, a.id) {
		return Result{}, false
	}
	if a.doubt {
		if a.held == nil && f.parses(msg) {
			a.held = bytes.Clone(msg)
		}
		return Result{}, false
	}
	o := f.judge(a.c, msg, udp)
	if o.kind == Malformed {
		f.blame(a.c, Malformed)
		return Result{}, false
	}
	now := time.Now()
	a.c.sample(now.Sub(a.sent))
	a.leave()
	if o.cut {
		if o, over = f.overTCP(a, f.deadline); !over {
			return Result{}, false
		}
	}
	return f.settle(a, o, now)
}

// exchanged is the event that the exchange over TCP is over. msg is the answer to the query with this id, unless err is set.
func (t ticket) exchanged(msg []byte, id uint16, err error) {
	f := t.flight
	f.mu.Lock()
	if f.generation != t.generation {
		f.mu.Unlock()
		return
	}
	a := &f.attempts[t.attempt]
	a.cancel()
	a.cancel = nil
	o := outcome{kind: Malformed}
	switch {
	case err != nil:
		o.kind = kindOf(err)
	case f.question.matches(msg, id):
		o = f.judge(a.c, msg, tcp)
	}
	if a.doubt && o.msg == nil && o.kind != Refused {
		f.rest(f.trust(a))
		return
	}
	a.leave()
	f.rest(f.settle(a, o, time.Now()))
}

// trust hears over UDP again, where a was in doubt: TCP was of no help.
func (f *flight) trust(a *attempt) (result Result, over bool) {
	a.doubt = false
	switch {
	case a.held != nil:
		return f.hear(a, a.held)
	case a.broken != 0:
		return f.settle(a, outcome{kind: a.broken}, time.Now())
	default:
		return Result{}, false
	}
}

// settle ends a with o, unless o may be due to EDNS: then a is asked again without.
func (f *flight) settle(a *attempt, o outcome, now time.Time) (result Result, over bool) {
	if a.edns && chokedOnEDNS(o) {
		*a = attempt{c: a.c, number: a.number, began: a.began, refused: o}
		var ended bool
		if o, ended = f.overUDP(a, now); !ended {
			return Result{}, false
		}
	}
	if a.refused.kind != 0 {
		if o.msg == nil {
			o = a.refused
		} else {
			a.c.remember(a.began)
			f.g.log.Info("upstream server is asked without edns", slog.String("upstream", a.c.addr.String()),
				slog.Duration("for", plainFor))
		}
	}
	return f.ended(a, o, now)
}

// chokedOnEDNS says whether o may be what a server says that knows no EDNS (RFC 6891, section 7).
func chokedOnEDNS(o outcome) bool {
	return o.kind == Refused && (o.rcode == wire.FormErr || o.rcode == wire.NotImp || o.rcode == wire.BadVers)
}

// isReferral says whether m only names other servers to ask: this one does no recursion (RFC 1034, section 4.3.1).
func isReferral(m *wire.Message) bool {
	if m.Rcode != wire.Success || m.Counts().Answer > 0 {
		return false
	}
	refers := false
	for r := range m.Records() {
		if r.Section == wire.Authority && r.Type == wire.TypeSOA {
			return false
		}
		refers = refers || r.Section == wire.Authority && r.Type == wire.TypeNS
	}
	return refers
}

// parses says whether judge would find something other than malformed in a datagram.
func (f *flight) parses(msg []byte) (ok bool) {
	defer func() { f.g.survive(recover()) }()
	if binary.BigEndian.Uint16(msg[2:])&wire.FlagTC != 0 || bareError(msg) {
		return true
	}
	_, err := wire.ReadMessage(msg)
	return err == nil
}

// judge is what a message is worth that matches the query: an answer, a refusal, cut, or malformed. An answer views msg. With a
// fault of ours it is malformed: who reads it reads for all others, too.
func (f *flight) judge(c *candidate, msg []byte, t transport) (o outcome) {
	defer func() { f.g.survive(recover()) }()
	o.kind = Malformed
	if binary.BigEndian.Uint16(msg[2:])&wire.FlagTC != 0 {
		if t == tcp {
			return outcome{kind: Malformed}
		}
		f.g.succeed(c.server)
		return outcome{cut: true}
	}
	if bareError(msg) {
		return outcome{kind: Refused, rcode: wire.Rcode(msg[3] & 0xF)}
	}
	m, err := wire.ReadMessage(msg)
	if err != nil {
		f.g.log.Debug("upstream sent a malformed message", slog.String("upstream", c.addr.String()), slog.Any("error", err))
		return outcome{kind: Malformed}
	}
	c.meters.answered(m.Rcode)
	if m.Rcode != wire.Success && m.Rcode != wire.NXDomain || isReferral(&m) {
		return outcome{kind: Refused, rcode: m.Rcode}
	}
	f.g.succeed(c.server)
	return outcome{msg: msg}
}
