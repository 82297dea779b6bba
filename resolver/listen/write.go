package listen

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"

	"cordon/resolver/wire"
)

// queue puts answer into c.out. An empty one, or one that no stream can carry, is dropped. c.mu is held.
func (c *conn) queue(answer []byte) {
	if len(answer) == 0 || len(answer) > wire.MaxMessage || c.closed {
		return
	}
	c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(answer)))
	c.out = append(c.out, answer...)
}

// waitForRoom writes and waits until the client has few enough queries in flight and few enough answers unread. It is false
// when reading is over.
func (c *conn) waitForRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.stopped && !c.closed && (c.inFlight >= c.limits.InFlight || len(c.out) >= enoughQueued) {
		c.writeOrWait()
	}
	return !c.stopped && !c.closed
}

// finish waits until everything is answered and written, but no longer than an idle client may stay.
func (c *conn) finish() {
	timer := time.AfterFunc(c.limits.Idle, c.cut)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && (c.inFlight > 0 || c.writing || len(c.out) > 0) {
		c.writeOrWait()
	}
}

// writeOrWait writes what is queued, or waits for a change. c.mu is held, but not meanwhile.
func (c *conn) writeOrWait() {
	if len(c.out) > 0 && !c.writing {
		c.writing = true
		c.writeAll()
		return
	}
	c.changed.Wait()
}

// flush writes what is queued. If somebody else is writing, it is left to him.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) > 0 && !c.writing {
		c.writing = true
		c.writeAll()
	}
}

// writeAll writes until the queue is empty. Its caller holds c.mu, which is open during a write, and has set c.writing.
func (c *conn) writeAll() {
	for len(c.out) > 0 && !c.closed {
		full := c.out
		c.out, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		err := c.write(full)
		c.mu.Lock()
		if cap(full) <= keptRoom {
			c.spare = full
		}
		if err != nil && !c.closed {
			c.closed = true
			c.reset()
		}
	}
	if cap(c.out) > keptRoom && len(c.out) == 0 {
		c.out = nil
	}
	c.writing = false
	c.changed.Broadcast()
}

func (c *conn) write(full []byte) error {
	if err := c.stream.SetWriteDeadline(time.Now().Add(c.limits.Write)); err != nil {
		return err
	}
	_, err := c.stream.Write(full)
	return err
}

// reset closes the stream of a client that does not read, and has the system forget what it holds for that client.
func (c *conn) reset() {
	if tcp, ok := c.stream.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.stream.Close()
}

// streamReply is the way back for one query.
type streamReply struct {
	conn  *conn
	asked time.Time
	sent  atomic.Bool
}

// send queues answer and returns; if nobody is writing, a goroutine writes it, so that the caller never waits for a client.
func (r *streamReply) send(answer []byte) {
	if !r.sent.CompareAndSwap(false, true) {
		return
	}
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	c.active = time.Now()
	if len(answer) > 0 {
		c.counters.wait(r.asked, c.active)
	}
	c.queue(answer)
	if len(c.out) > mostQueued && !c.closed {
		c.closed = true
		c.reset()
	}
	if len(c.out) > 0 && !c.writing && !c.closed {
		c.writing = true
		go func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.writeAll()
		}()
	}
	c.changed.Broadcast()
}
