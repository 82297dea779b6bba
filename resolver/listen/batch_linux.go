//go:build amd64 || arm64

package listen

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

// sendPatience is how long a batch of answers waits for a socket whose send buffer is full, while nothing is read; what is then
// left is dropped.
const sendPatience = 10 * time.Millisecond

// batchSocket moves as many datagrams with one system call as there are. All that the system reads and writes is laid out
// once, in arrays that go together by index:
//
//	in[i] ──┬─▶ rooms[i]           ─▶ packets[i].in
//	        ├─▶ peers[i]                                  who asked
//	        └─▶ packets[i].control                        where, if the socket is bound to a wildcard
//	out[k] ─┬─▶ answers[k]         ─▶ packets[i].answer   the k-th packet that has one
//	        └─▶ peers[i], packets[i].control              as they came
//
// The sockets of package net do the waiting: receive parks in the poller, and deadlines and Close end it.
type batchSocket struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	call calls

	packets  []packet
	peers    []syscalls.Sockaddr
	rooms    []unix.Iovec
	answers  []unix.Iovec
	in, out  []syscalls.Message
	wildcard bool

	// What runs while package net holds the descriptor, made once because a closure for each call would be garbage, and
	// what it works on.
	receiveSome func(fd uintptr) bool
	sendSome    func(fd uintptr)
	sendRest    func(fd uintptr) bool
	received    int
	errno       syscall.Errno
	unsent      []syscalls.Message
	failed      int
}

// calls are those of package syscalls, or what a test puts in their place.
type calls struct {
	receive, send func(fd uintptr, messages []syscalls.Message) (n int, errno syscall.Errno)
}

var systemCalls = calls{receive: syscalls.Receive, send: syscalls.Send}

// newBatchSocket is not ok if the system, or what it is confined by, lacks the calls.
func newBatchSocket(conn *net.UDPConn, a netip.Addr, n int) (s *batchSocket, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil || onSocket(raw, syscalls.CanBatch) != nil {
		return nil, false
	}
	s = &batchSocket{
		conn: conn, raw: raw, call: systemCalls, wildcard: a.IsUnspecified(),
		packets: newPackets(n), peers: make([]syscalls.Sockaddr, n),
		rooms: make([]unix.Iovec, n), answers: make([]unix.Iovec, n),
		in: make([]syscalls.Message, n), out: make([]syscalls.Message, n),
	}
	s.receiveSome, s.sendRest = s.tryReceive, s.trySend
	s.sendSome = func(fd uintptr) { s.trySend(fd) }
	s.layOut()
	return s, true
}

// layOut points everything that never changes at its place.
func (s *batchSocket) layOut() {
	for i := range s.packets {
		p := &s.packets[i]
		s.rooms[i] = unix.Iovec{Base: &p.in[0], Len: uint64(len(p.in))}
		in := &s.in[i].Header
		in.Name, in.Namelen = &s.peers[i][0], uint32(len(s.peers[i])) // the system writes how long it is, the same for all of a socket
		in.Iov, in.Iovlen = &s.rooms[i], 1
		if s.wildcard {
			in.Control, in.Controllen = &p.control[0], controlRoom
		}
		out := &s.out[i].Header
		out.Iov, out.Iovlen = &s.answers[i], 1
	}
}

func (s *batchSocket) receive() ([]packet, error) {
	if err := s.raw.Read(s.receiveSome); err != nil {
		return nil, err
	}
	if s.errno != 0 {
		return nil, os.NewSyscallError("recvmmsg", s.errno)
	}
	packets := s.packets[:s.received]
	for i := range packets {
		s.take(i)
	}
	return packets, nil
}

// tryReceive is false if there is nothing to receive yet.
func (s *batchSocket) tryReceive(fd uintptr) bool {
	s.received, s.errno = s.call.receive(fd, s.in)
	return s.errno != unix.EAGAIN
}

// take makes packet i of what the system has written, and in[i] ready for the next call. A datagram that was too long for its
// room has been cut off to it.
func (s *batchSocket) take(i int) {
	p, m := &s.packets[i], &s.in[i]
	p.query = p.in[:min(int(m.Length), len(p.in))]
	p.peer = s.peers[i].AddrPort()
	if s.wildcard {
		p.controlLen = turn(p.control[:min(m.Header.Controllen, controlRoom)])
		m.Header.Controllen = controlRoom
	}
}

func (s *batchSocket) send(packets []packet) (failed int) {
	s.unsent, s.failed = s.out[:s.gather(packets)], 0
	if len(s.unsent) == 0 {
		return 0
	}
	// Unlike RawConn.Write, Control keeps nobody from writing meanwhile: the system has no need of that with datagrams.
	if s.raw.Control(s.sendSome) == nil && len(s.unsent) > 0 {
		s.insist()
	}
	return s.failed + len(s.unsent)
}

// gather puts the answers of packets into out and returns how many there are.
func (s *batchSocket) gather(packets []packet) int {
	n := 0
	for i := range packets {
		p := &packets[i]
		if len(p.answer) == 0 {
			continue
		}
		s.answers[n] = unix.Iovec{Base: &p.answer[0], Len: uint64(len(p.answer))}
		out := &s.out[n].Header
		out.Name, out.Namelen = &s.peers[i][0], s.in[i].Header.Namelen
		out.Control, out.Controllen = nil, 0
		if p.controlLen > 0 {
			out.Control, out.Controllen = &p.control[0], uint64(p.controlLen)
		}
		n++
	}
	return n
}

// trySend sends until nothing is unsent, or until the socket takes no more: then it is false. The system stops at a datagram
// that cannot be sent (no route, no permission, …); it is passed over, and says nothing of the others.
func (s *batchSocket) trySend(fd uintptr) bool {
	for len(s.unsent) > 0 {
		n, errno := s.call.send(fd, s.unsent)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 || n < 1 {
			s.failed++
			n = 1
		}
		s.unsent = s.unsent[n:]
	}
	return true
}

// insist waits for the socket to take more. The deadline holds for answers sent later, too, as long as the socket is full.
func (s *batchSocket) insist() {
	_ = s.conn.SetWriteDeadline(time.Now().Add(sendPatience))
	_ = s.raw.Write(s.sendRest)
	_ = s.conn.SetWriteDeadline(time.Time{})
}
