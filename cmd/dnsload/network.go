package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// network is the sockets of a run, by index. It is used by one goroutine.
type network interface {
	sockets() int
	// receive returns what has arrived at socket i, which may be nothing; it is dead when receive is called again.
	receive(i int) ([][]byte, error)
	// send sends messages through socket i and returns how many of them, the first ones, were sent.
	send(i int, messages [][]byte) (int, error)
	// wait returns when something has arrived, or after d.
	wait(d time.Duration) error
	close()
}

// openNetwork connects to the server: with batches of datagrams where the system has them.
func openNetwork(ctx context.Context, o *options) (network, error) {
	if !o.tcp {
		if n, ok, err := openBatches(o); ok || err != nil {
			return n, err
		}
	}
	return openPlain(ctx, o)
}

// clientAddr is the address of client i, from 0.
func clientAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1 + byte(i>>16), byte(i >> 8), byte(i)}).Next()
}

// socketRoom is how many octets the system is asked to keep for a socket; it may give less.
const socketRoom = 4 << 20

// maxInbox is how many octets may have arrived at a socket and not been looked at.
const maxInbox = 4 << 20

// plain is sockets of package net, with a goroutine each that reads.
type plain struct {
	conns   []net.Conn
	stream  bool
	timeout time.Duration
	inboxes []inbox
	arrived chan struct{}
	out     []byte
	found   [][]byte
	readers sync.WaitGroup
}

// inbox is what has arrived at a socket, as a stream has it: each message behind its length. The lock is held for no longer than a copy.
type inbox struct {
	mu     sync.Mutex
	fresh  []byte
	err    error
	read   []byte // that the engine looks at
	behind int    // where the whole messages of read end
}

var errFlood = errors.New("the server sends more than it was asked for")

func openPlain(ctx context.Context, o *options) (*plain, error) {
	if o.clients > o.sockets {
		return nil, fmt.Errorf("-clients: found %d, want at most one for each of the %d sockets or connections", o.clients, o.sockets)
	}
	p := &plain{stream: o.tcp, timeout: o.timeout, inboxes: make([]inbox, o.sockets), arrived: make(chan struct{}, 1)}
	for i := range o.sockets {
		dialer := net.Dialer{Timeout: max(o.timeout, time.Second)}
		network := "udp"
		if o.tcp {
			network = "tcp"
		}
		if o.clients > 0 {
			dialer.LocalAddr = localAddr(o.tcp, clientAddr(i%o.clients))
		}
		conn, err := dialer.DialContext(ctx, network, o.server.String())
		if err != nil {
			p.close()
			return nil, err
		}
		p.conns = append(p.conns, conn)
		p.readers.Go(func() { p.read(i, conn) })
	}
	return p, nil
}

func localAddr(tcp bool, a netip.Addr) net.Addr {
	if tcp {
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
}

// read puts what arrives into the inbox until the socket is closed.
func (p *plain) read(i int, conn net.Conn) {
	box := &p.inboxes[i]
	const prefix = 2
	room := make([]byte, prefix+1<<16)
	for {
		n, err := conn.Read(room[prefix:])
		arrived := room[prefix : prefix+n]
		if !p.stream {
			binary.BigEndian.PutUint16(room, uint16(n))
			arrived = room[:prefix+n]
			if err != nil { // nobody listens, or another word of the network: the queries are lost, and the socket is not
				arrived, err = nil, ended(err)
			}
		}
		box.mu.Lock()
		box.fresh = append(box.fresh, arrived...)
		if err == nil && len(box.fresh) > maxInbox {
			err = errFlood
		}
		box.err = err
		box.mu.Unlock()
		select {
		case p.arrived <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// ended is err if the socket was closed, and nil otherwise.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (p *plain) sockets() int { return len(p.conns) }

func (p *plain) receive(i int) ([][]byte, error) {
	box := &p.inboxes[i]
	rest := copy(box.read, box.read[box.behind:])
	box.read = box.read[:rest]
	box.mu.Lock()
	box.read = append(box.read, box.fresh...)
	box.fresh = box.fresh[:0]
	err := box.err
	box.mu.Unlock()

	p.found, box.behind = p.found[:0], 0
	for {
		message, n := firstMessage(box.read[box.behind:])
		if n == 0 {
			break
		}
		p.found = append(p.found, message)
		box.behind += n
	}
	if err != nil && len(p.found) == 0 {
		return nil, broken(err)
	}
	return p.found, nil
}

// firstMessage is the first whole message of a stream, and how many octets it takes there; 0 if it is not whole.
func firstMessage(b []byte) (message []byte, n int) {
	const prefix = 2
	if len(b) < prefix {
		return nil, 0
	}
	n = prefix + int(binary.BigEndian.Uint16(b))
	if n > len(b) {
		return nil, 0
	}
	return b[prefix:n], n
}

// broken is what became of a connection; servers close those that have had too many queries, or too few.
func broken(err error) error {
	return fmt.Errorf("the server has ended a connection on which it was asked: %w", err)
}

func (p *plain) send(i int, messages [][]byte) (int, error) {
	if p.stream {
		return p.sendFrames(p.conns[i], messages)
	}
	for k, message := range messages {
		if _, err := p.conns[i].Write(message); err != nil {
			return k, ended(err)
		}
	}
	return len(messages), nil
}

// sendFrames writes each message by itself, as clients do that have one question after the other: together they would be cheaper for the
// server than clients are.
func (p *plain) sendFrames(conn net.Conn, messages [][]byte) (int, error) {
	if err := conn.SetWriteDeadline(time.Now().Add(max(p.timeout, time.Second))); err != nil {
		return 0, err
	}
	for k, message := range messages {
		p.out = binary.BigEndian.AppendUint16(p.out[:0], uint16(len(message)))
		p.out = append(p.out, message...)
		if _, err := conn.Write(p.out); err != nil {
			return k, broken(err)
		}
	}
	return len(messages), nil
}

func (p *plain) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.arrived:
	case <-timer.C:
	}
	return nil
}

func (p *plain) close() {
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.readers.Wait()
}
