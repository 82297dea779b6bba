package listen

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"cordon/resolver/wire"
)

// Sizes in octets.
const (
	lengthLen    = 2                           // before each message on a stream
	firstRoom    = 2048                        // of a read buffer; only a message that does not fit makes it grow
	mostRoom     = lengthLen + wire.MaxMessage // of a read buffer
	keptRoom     = 16 << 10                    // of a queue that is kept when it is empty
	enoughQueued = 32 << 10                    // unwritten answers that stop the reader
	mostQueued   = 128 << 10                   // unwritten answers that end the connection: its client does not read
)

// conn is one stream. Its reader is the goroutine in serve; replies come from others.
type conn struct {
	door
	limits Limits
	table  *table
	stream net.Conn
	client netip.AddrPort

	// The reader's own: in[start:end] is read but not yet handled.
	in         []byte
	start, end int
	arrived    time.Time // when the last octets came
	begun      time.Time // when the message at start came, its first octet at least
	query      wire.Query
	scratch    []byte // the first door's answer

	mu       sync.Mutex
	changed  sync.Cond // inFlight, out, writing, stopped or closed
	inFlight int       // queries started and not yet replied to
	active   time.Time // the last query or reply
	out      []byte    // answers behind their lengths, to be written
	spare    []byte    // the other buffer: out and spare swap places at each write
	writing  bool      // somebody is at it, and will look at out again before he stops
	stopped  bool      // no more reading; what is in flight is still answered
	closed   bool
}

func newConn(a *acceptor, stream net.Conn, peer netip.AddrPort) *conn {
	c := &conn{
		door:    a.door,
		limits:  a.limits,
		table:   a.table,
		stream:  stream,
		client:  peer,
		in:      make([]byte, firstRoom),
		scratch: make([]byte, 0, answerRoom),
		active:  time.Now(),
	}
	c.changed.L = &c.mu
	return c
}

// serve reads and answers until the client or the server has had enough.
func (c *conn) serve() {
	defer c.leave()
	for c.waitForRoom() {
		msg, err := c.next()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, errStopped) {
				c.finish()
			}
			return
		}
		if !c.handle(msg) {
			return
		}
	}
	c.finish()
}

var (
	errStopped = errors.New("reading was stopped")
	errShort   = errors.New("message is shorter than a header")
	errLate    = errors.New("nothing, or no whole message, came in time")
)

// next returns the next whole message, which is dead at the next call. Before it waits for one it writes what is queued: so
// the answers to pipelined queries leave together.
func (c *conn) next() ([]byte, error) {
	for {
		msg, err := c.whole()
		if msg != nil || err != nil {
			return msg, err
		}
		c.flush()
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// whole takes the message at start, if all of it is there.
func (c *conn) whole() ([]byte, error) {
	have := c.in[c.start:c.end]
	if len(have) < lengthLen {
		return nil, nil
	}
	n := int(binary.BigEndian.Uint16(have))
	if n < wire.HeaderLen {
		return nil, errShort
	}
	if len(have) < lengthLen+n {
		return nil, nil
	}
	c.start += lengthLen + n
	c.begun = c.arrived // the next message, if some of it is there: it came with the end of this one
	return have[lengthLen : lengthLen+n], nil
}

// fill reads once: at least one octet, or an error.
func (c *conn) fill() error {
	c.makeRoom()
	for {
		if err := c.arm(); err != nil {
			return err
		}
		n, err := c.stream.Read(c.in[c.end:])
		if n > 0 {
			c.arrived = time.Now()
			if c.start == c.end {
				c.begun = c.arrived
			}
			c.end += n
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// makeRoom moves what is there to the front. A full buffer holds the beginning of one message, and grows with it.
func (c *conn) makeRoom() {
	if c.start == c.end && len(c.in) > firstRoom {
		c.in = make([]byte, firstRoom)
		c.start, c.end = 0, 0
		return
	}
	c.end = copy(c.in, c.in[c.start:c.end])
	c.start = 0
	if c.end == len(c.in) {
		grown := make([]byte, min(2*len(c.in), mostRoom))
		copy(grown, c.in)
		c.in = grown
	}
}

// arm sets the time at which a read ends, or says why there shall be no more. A read that ends for time only asks again here.
func (c *conn) arm() error {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return errStopped
	}
	deadline := c.active.Add(c.limits.Idle)
	switch {
	case c.end > c.start:
		deadline = c.begun.Add(c.limits.Message)
	case c.inFlight > 0:
		deadline = now.Add(c.limits.Idle)
	}
	if !deadline.After(now) {
		return errLate
	}
	return c.stream.SetReadDeadline(deadline)
}

// handle answers or starts one query, and says whether the stream shall go on: not with a client that sends anything else.
func (c *conn) handle(msg []byte) (alive bool) {
	defer func() {
		if reason := recover(); reason != nil {
			alive = true
			c.crashed(reason)
		}
	}()
	q := &c.query
	q.Client, q.Now, q.Stream = c.client, c.arrived, true
	if !c.pause(q) || !c.parse(q, msg) {
		return false
	}
	answer, ok := c.handler.Answer(c.scratch[:0], q)
	if !ok {
		c.begin(q)
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = q.Now
	c.queue(answer)
	if len(answer) > 0 && !q.Own() {
		c.counters.atOnce.Add(time.Since(q.Now), 1)
	}
	return true
}

// pause lets a client that asks too much wait: meanwhile nothing more is read from it. It says false if the stream was closed meanwhile.
func (c *conn) pause(q *wire.Query) bool {
	wait := c.wait(q)
	if wait == 0 {
		return true
	}
	c.flush()
	c.mu.Lock()
	defer c.mu.Unlock()
	for wait > 0 && !c.stopped && !c.closed {
		c.sleep(wait)
		q.Now = time.Now()
		wait = c.rate.Take(q.Client.Addr(), q.Now)
	}
	return !c.closed
}

// sleep waits until something has changed, at most for so long. The caller holds c.mu.
func (c *conn) sleep(most time.Duration) {
	alarm := time.AfterFunc(most, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer alarm.Stop()
	c.changed.Wait()
}

// begin hands q to the handler's second door. If that panics, no reply is waited for.
func (c *conn) begin(q *wire.Query) {
	c.mu.Lock()
	c.inFlight++
	c.active = q.Now
	c.mu.Unlock()
	r := &streamReply{conn: c, asked: asked(q)}
	started := false
	defer func() {
		if !started {
			r.send(nil)
		}
	}()
	c.handler.Start(q, r.send)
	started = true
}

// activity is what the table asks for: the last time that something happened, and whether the client waits for an answer.
func (c *conn) activity() (since time.Time, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active, c.inFlight > 0
}

// stop ends reading; see arm.
func (c *conn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	_ = c.stream.SetReadDeadline(time.Unix(1, 0))
	c.changed.Broadcast()
}

// cut closes the stream at once, whoever reads or writes.
func (c *conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	_ = c.stream.Close()
	c.changed.Broadcast()
}

// leave is the end of the reader: nothing of the connection stays.
func (c *conn) leave() {
	c.cut()
	c.mu.Lock()
	for c.writing {
		c.changed.Wait()
	}
	c.mu.Unlock()
	c.table.remove(c)
}
