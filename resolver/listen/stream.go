package listen

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
)

// acceptor is one listener of streams.
type acceptor struct {
	door
	listener net.Listener
	table    *table
	limits   Limits
}

func newAcceptor(d door, listener net.Listener, t *table, l Limits) *acceptor {
	return &acceptor{door: d, listener: listener, table: t, limits: l}
}

// run accepts until the listener is closed, then waits for its connections to end.
func (a *acceptor) run(ctx context.Context) {
	var readers sync.WaitGroup
	defer readers.Wait()
	var failures pauses
	for {
		stream, err := a.listener.Accept()
		switch {
		case err == nil:
			failures.reset()
			a.admit(stream, &readers)
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			a.counters.failed.Add(1)
			a.troubles.acceptFailed(err)
			failures.pause(ctx)
		}
	}
}

// admit serves stream if its client may have another connection.
func (a *acceptor) admit(stream net.Conn, readers *sync.WaitGroup) {
	peer, ok := remote(stream)
	if !ok {
		_ = stream.Close()
		return
	}
	c := newConn(a, stream, client(peer))
	evicted, ok := a.table.add(c)
	if evicted != nil {
		evicted.cut()
	}
	if !ok {
		_ = stream.Close()
		return
	}
	readers.Go(c.serve)
}

func remote(stream net.Conn) (netip.AddrPort, bool) {
	addr := stream.RemoteAddr()
	if tcp, ok := addr.(*net.TCPAddr); ok {
		peer := tcp.AddrPort()
		return peer, peer.IsValid()
	}
	if addr == nil {
		return netip.AddrPort{}, false
	}
	peer, err := netip.ParseAddrPort(addr.String())
	return peer, err == nil
}
