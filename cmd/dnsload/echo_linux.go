//go:build amd64 || arm64

package main

import (
	"net"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

// echoAll is echoPlainly with as many datagrams at once as there are, if the system has the calls.
func echoAll(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	can := false
	if err := raw.Control(func(fd uintptr) { can = canBatch(int(fd)) }); err != nil || !can {
		return echoPlainly(conn)
	}
	own, _ := conn.LocalAddr().(*net.UDPAddr)
	e := newEchoer(syscalls.SockaddrLen(own.AddrPort().Addr()))
	for {
		if err := raw.Read(e.receive); err != nil {
			return err
		}
		if err := raw.Control(e.send); err != nil {
			return err
		}
	}
}

// echoer is the memory that the system reads and writes.
type echoer struct {
	rooms    [batchSize][echoRoom]byte
	peers    [batchSize]syscalls.Sockaddr
	parts    [batchSize]unix.Iovec
	messages [batchSize]syscalls.Message
	peerLen  uint32
	n        int
}

func newEchoer(peerLen uint32) *echoer {
	e := &echoer{peerLen: peerLen}
	for i := range e.messages {
		m := &e.messages[i].Header
		m.Name, m.Iov, m.Iovlen = &e.peers[i][0], &e.parts[i], 1
	}
	return e
}

// receive is false if there is nothing to receive yet.
func (e *echoer) receive(fd uintptr) bool {
	for i := range e.messages {
		e.parts[i] = unix.Iovec{Base: &e.rooms[i][0], Len: echoRoom}
		e.messages[i].Header.Namelen = e.peerLen
	}
	var errno unix.Errno
	e.n, errno = syscalls.Receive(fd, e.messages[:])
	return errno != unix.EAGAIN
}

// send sends back what was received; what is no query goes back empty.
func (e *echoer) send(fd uintptr) {
	for i := range e.n {
		n := min(e.messages[i].Length, echoRoom)
		if !echoable(e.rooms[i][:n]) {
			n = 0
		}
		e.parts[i].Len = uint64(n)
	}
	for unsent := e.messages[:e.n]; len(unsent) > 0; {
		sent, _ := syscalls.Send(fd, unsent)
		unsent = unsent[max(sent, 1):] // a query may be lost
	}
}
