package upstream

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
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

// maxWrongIDs is how many datagrams with a wrong ID a socket survives: that many guesses of 65,536 are free.
const maxWrongIDs = 4

// guessedWait is how long TCP is tried when a wrong ID made UDP doubtful, before the socket is read again.
const guessedWait = time.Second

// attempt asks c once, one way or another, and delivers how it ended.
func (f *flight) attempt(c *candidate, number int) {
	now := time.Now()
	edns := !c.plainNow(now)
	o := f.ask(c, edns)
	if edns && chokedOnEDNS(o) {
		if plain := f.ask(c, false); plain.msg != nil {
			c.remember(now)
			f.g.log.Info("upstream server is asked without edns", slog.String("upstream", c.addr.String()),
				slog.Duration("for", plainFor))
			o = plain
		}
	}
	o.from, o.attempt = c, number
	f.outcomes <- o
}

// chokedOnEDNS says whether o may be what a server says that knows no EDNS (RFC 6891, section 7).
func chokedOnEDNS(o outcome) bool {
	return o.kind == Refused && (o.rcode == wire.FormErr || o.rcode == wire.NotImp || o.rcode == wire.BadVers)
}

// ask asks c over UDP, and over TCP if the answer is cut.
func (f *flight) ask(c *candidate, edns bool) outcome {
	o := f.overUDP(c, edns)
	if o.cut {
		return f.overTCP(c, edns, f.deadline)
	}
	return o
}

// overUDP asks c from a fresh socket and listens until the flight is at its end.
func (f *flight) overUDP(c *candidate, edns bool) outcome {
	if !f.spend(c, udp) {
		return outcome{kind: Timeout}
	}
	conn, err := f.g.dial(context.Background(), "udp", c.addr)
	if err != nil {
		return outcome{kind: kindOf(err)}
	}
	defer func() { _ = conn.Close() }()
	f.track(conn)
	buf, _ := f.g.buffers.Get().(*[bufferLen]byte)
	defer f.g.buffers.Put(buf)
	id := newID(buf[:])
	if err = conn.SetDeadline(f.deadline); err != nil {
		return outcome{kind: kindOf(err)}
	}
	sent := time.Now()
	if _, err = conn.Write(f.question.appendTo(buf[:0], id, c.trusted, edns)); err != nil {
		return outcome{kind: kindOf(err)}
	}
	return f.listen(c, conn, listening{buf: buf[:], id: id, edns: edns, sent: sent})
}

// listening is a UDP socket's query.
type listening struct {
	buf  []byte
	id   uint16
	edns bool
	sent time.Time
}

// listen reads datagrams until one is the answer. What is not, is not heard.
func (f *flight) listen(c *candidate, conn net.Conn, l listening) outcome {
	for wrongIDs := 0; wrongIDs <= maxWrongIDs; {
		n, err := conn.Read(l.buf)
		if err != nil {
			return outcome{kind: kindOf(err)}
		}
		switch f.question.compare(l.buf[:n], l.id) {
		case wrongID:
			wrongIDs++
			if o := f.guessed(c, wrongIDs, l.edns); o.msg != nil || o.kind == Refused {
				return o
			}
		case reply:
			if o := f.judge(c, l.buf[:n], udp); o.kind != Malformed {
				c.sample(time.Since(l.sent))
				return o
			}
			f.blame(c, Malformed)
		case noise:
		}
	}
	return outcome{kind: Malformed}
}

// guessed takes note of the number-th wrong ID on a socket. The first one has the question asked over TCP, where the ID is
// not what makes an answer authentic.
func (f *flight) guessed(c *candidate, number int, edns bool) outcome {
	c.meters.guessed()
	if number > 1 {
		return outcome{}
	}
	return f.overTCP(c, edns, time.Now().Add(guessedWait))
}

// closer is a function that interrupts something.
type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// overTCP asks c over a connection of its own until limit or the flight's end, whichever is first.
func (f *flight) overTCP(c *candidate, edns bool, limit time.Time) outcome {
	if !f.spend(c, tcp) {
		return outcome{kind: Timeout}
	}
	if limit.After(f.deadline) {
		limit = f.deadline
	}
	ctx, cancel := context.WithDeadline(context.Background(), limit)
	defer cancel()
	f.track(closer(cancel))
	conn, err := f.g.dial(ctx, "tcp", c.addr)
	if err != nil {
		return outcome{kind: kindOf(err)}
	}
	defer func() { _ = conn.Close() }()
	f.track(conn)
	if err = conn.SetDeadline(limit); err != nil {
		return outcome{kind: kindOf(err)}
	}
	msg, id, err := f.exchangeStream(conn, c.trusted, edns)
	if err != nil {
		return outcome{kind: kindOf(err)}
	}
	if f.question.compare(msg, id) != reply {
		return outcome{kind: Malformed}
	}
	return f.judge(c, msg, tcp)
}

// exchangeStream sends the query and reads one message, each behind its length in two octets (RFC 1035, section 4.2.2).
func (f *flight) exchangeStream(conn net.Conn, ad, edns bool) (msg []byte, id uint16, err error) {
	buf := make([]byte, 2, 2+maxQuery)
	id = newID(buf)
	buf = f.question.appendTo(buf, id, ad, edns)
	binary.BigEndian.PutUint16(buf, uint16(len(buf)-2))
	if _, err = conn.Write(buf); err != nil {
		return nil, 0, err
	}
	if _, err = io.ReadFull(conn, buf[:2]); err != nil {
		return nil, 0, err
	}
	msg = make([]byte, binary.BigEndian.Uint16(buf))
	if _, err = io.ReadFull(conn, msg); err != nil {
		return nil, 0, err
	}
	return msg, id, nil
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

// judge is what a message is worth that matches the query: an answer, a refusal, cut, or malformed. msg of a datagram is
// copied: it is in a buffer that others will use.
func (f *flight) judge(c *candidate, msg []byte, t transport) outcome {
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
	if t == udp {
		msg = bytes.Clone(msg)
	}
	return outcome{msg: msg}
}
