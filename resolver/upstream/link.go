package upstream

import "net/netip"

// link moves datagrams between a connected socket and its server. What it hears it tells its port, one after the other: see
// [port.heard] and [port.broke].
type link interface {
	// send sends one datagram and does not wait. After close its error is net.ErrClosed. A link that was told before that the port of
	// the server is closed forgets that.
	send(msg []byte) error
	close()
}

// network opens links: dialled connections, or sockets of this host.
type network interface {
	open(to netip.AddrPort, p *port) (link, error)
}

// bufferLen is the largest datagram that is read, in octets. Servers send 1232 at most when they listen to what we say; one
// that is longer than this is cut by the kernel, does not parse, and is not heard.
const bufferLen = 4096
