package listen

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// canShare says that an address can have several UDP sockets among which the system spreads the clients.
const canShare = true

// bufferRoom is what a UDP socket may hold each way, in octets: some 10,000 queries while we are busy, and the answers to as
// many neighbours that do not tell their hardware address, because a query's source may be forged.
const bufferRoom = 4 << 20

// control sets what a UDP socket needs before it is bound.
func control(a netip.Addr, m mode) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return onSocket(c, func(fd int) error { return prepare(fd, a, m) })
	}
}

func prepare(fd int, a netip.Addr, m mode) error {
	setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	setBuffer(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	if m == shared {
		if err := setShared(fd); err != nil {
			return err
		}
	}
	// A forged "packet too big" must not make the system cut answers into fragments, which are easier to forge.
	level, discover, omit := unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_OMIT
	info := unix.IPV6_RECVPKTINFO
	if a.Is4() {
		level, discover, omit = unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_OMIT
		info = unix.IP_PKTINFO
	}
	_ = unix.SetsockoptInt(fd, level, discover, omit)
	if !a.IsUnspecified() {
		return nil
	}
	return unix.SetsockoptInt(fd, level, info, 1)
}

// setBuffer goes as far as net.core.rmem_max and wmem_max let us if force is forbidden. What is large enough already stays: it may have
// been made so by who was allowed to.
func setBuffer(fd, force, ask int) {
	if room, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, ask); err == nil && room/2 >= bufferRoom { // half of it is the system's own
		return
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bufferRoom) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, ask, bufferRoom)
	}
}

// share lets further sockets of ours join the port of conn, which was bound alone. The system makes the group when the first
// of them comes.
func share(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return onSocket(raw, setShared)
}

func setShared(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

func onSocket(c syscall.RawConn, do func(fd int) error) error {
	var err error
	if controlErr := c.Control(func(fd uintptr) { err = do(int(fd)) }); controlErr != nil {
		return controlErr
	}
	return err
}

// newSocket chooses how to talk to conn, bound to a: up to batch datagrams at a time, if this system can.
func newSocket(conn *net.UDPConn, a netip.Addr, batch int) socket {
	if batch > 1 {
		if s, ok := newBatchSocket(conn, a, batch); ok {
			return s
		}
	}
	if a.IsUnspecified() {
		return newAskedSocket(conn)
	}
	return newPlainSocket(conn)
}

// askedSocket is a plainSocket bound to a wildcard: an answer leaves from the address that was asked (IP_PKTINFO, and
// RFC 3542, section 6, for IPv6).
type askedSocket struct {
	conn    *net.UDPConn
	packets []packet // one
}

func newAskedSocket(conn *net.UDPConn) *askedSocket {
	return &askedSocket{conn: conn, packets: newPackets(1)}
}

func (s *askedSocket) receive() ([]packet, error) {
	p := &s.packets[0]
	n, controlLen, _, peer, err := s.conn.ReadMsgUDPAddrPort(p.in, p.control[:])
	if err != nil {
		return nil, err
	}
	p.query, p.peer = p.in[:n], peer
	p.controlLen = turn(p.control[:controlLen])
	return s.packets, nil
}

func (s *askedSocket) send(packets []packet) (failed int) {
	return sendEach(s, packets)
}

func (s *askedSocket) sendLater(answer []byte, to *route) error {
	_, _, err := s.conn.WriteMsgUDPAddrPort(answer, to.control[:to.controlLen], to.peer)
	return err
}

// turn makes the control message that came with a query into the one that goes with its answer, in place, and returns its
// length, or 0 if there is none that can. The two have the same form; only the interface is not to be prescribed, because
// the way back need not be the way in.
func turn(control []byte) int {
	if len(control) < unix.SizeofCmsghdr {
		return 0
	}
	header, data, rest, err := unix.ParseOneSocketControlMessage(control)
	if err != nil || !turnInfo(header, data) {
		return 0
	}
	return len(control) - len(rest)
}

// turnInfo turns an in_pktinfo {interface, local address, destination} or an in6_pktinfo {destination, interface}. The
// interface number has 4 octets. A link-local address means nothing without it, and a multicast address is no source.
func turnInfo(header unix.Cmsghdr, data []byte) bool {
	switch {
	case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) == unix.SizeofInet4Pktinfo:
		clear(data[:4])
		return true
	case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) == unix.SizeofInet6Pktinfo:
		asked := netip.AddrFrom16([16]byte(data))
		if !asked.IsLinkLocalUnicast() {
			clear(data[16:])
		}
		return !asked.IsMulticast()
	default:
		return false
	}
}
