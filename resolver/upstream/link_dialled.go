package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// dialled is a network of connections, each with a goroutine that reads. It is for systems without epoll, and for tests.
type dialled struct {
	dial DialFunc
}

func (d dialled) open(to netip.AddrPort, p *port) (link, error) {
	conn, err := d.dial(context.Background(), "udp", to)
	if err != nil {
		return nil, err
	}
	go listen(conn, p)
	return connection{conn}, nil
}

// listen reads until conn breaks or is closed. That the port of the server is closed breaks it too: not every system is fit
// to be listened to again.
func listen(conn net.Conn, p *port) {
	var buf [bufferLen]byte
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			p.broke(err, true)
			return
		}
		p.heard(buf[:n])
	}
}

// connection is a link.
type connection struct {
	conn net.Conn
}

// send sends again what an earlier datagram's error kept from being sent, as that of socket.
func (c connection) send(msg []byte) error {
	_, err := c.conn.Write(msg)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = c.conn.Write(msg)
	}
	return err
}

func (c connection) close() { _ = c.conn.Close() }
