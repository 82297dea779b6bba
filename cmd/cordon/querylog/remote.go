package querylog

import (
	"context"
	"net"
	"time"
)

// RemoteConfig is a reader that records are sent to.
type RemoteConfig struct {
	Network string // "unix", "udp" or "tcp"; "": none
	Address string // a path, or an address with a port
}

// Patience with a reader.
const (
	dialPatience  = 5 * time.Second
	writePatience = 10 * time.Second // for a piece
)

// timed is a connection whose every read and write ends in time, or with ctx.
type timed struct {
	net.Conn

	ctx context.Context //nolint:containedctx // it is the time of one write of a batch, for what takes an io.Writer only
}

// during is conn until ctx ends; release is called then, or before.
func during(ctx context.Context, conn net.Conn) (t timed, release func()) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return timed{Conn: conn, ctx: ctx}, func() { stop() }
}

func (t timed) Write(octets []byte) (int, error) {
	t.extend()
	return t.Conn.Write(octets)
}

func (t timed) Read(octets []byte) (int, error) {
	t.extend()
	return t.Conn.Read(octets)
}

// extend gives the next read or write its time, unless ctx has ended.
func (t timed) extend() {
	_ = t.SetDeadline(time.Now().Add(writePatience)) // a connection without deadlines has none to miss
	if t.ctx.Err() != nil {
		_ = t.SetDeadline(time.Unix(1, 0))
	}
}

// dialFunc opens a connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialPatience}
	return d.DialContext(ctx, network, address)
}
