//go:build amd64 || arm64

package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

const (
	answerRoom  = 2048
	waitAtLeast = 10 * time.Microsecond
)

// batches are UDP sockets that move as many datagrams with one system call as there are. They are not in the poller of Go's runtime,
// which would be told of each answer: that would be charged to the server, in whose time the system delivers it.
type batches struct {
	fds   []int
	polls []unix.PollFd

	in      []syscalls.Message
	rooms   []unix.Iovec
	answers [][answerRoom]byte
	found   [][]byte

	out     []syscalls.Message
	queries []unix.Iovec

	// With many clients the sockets are not connected, and each datagram says where it goes to and comes from.
	clients int
	client  int // the next one
	server  syscalls.Sockaddr
	sources [][sourceRoom]byte
}

// sourceRoom is for a control message with a struct in_pktinfo, of which the address to send from stands at sourceAt.
const (
	sourceRoom = 32
	sourceAt   = unix.SizeofCmsghdr + 4
)

// openBatches is not ok if the system, or what it is confined by, lacks the calls.
func openBatches(o *options) (n network, ok bool, err error) {
	if o.server.Addr().Zone() != "" { // package net knows its number
		return nil, false, nil
	}
	b := &batches{
		in: make([]syscalls.Message, batchSize), rooms: make([]unix.Iovec, batchSize), answers: make([][answerRoom]byte, batchSize),
		found: make([][]byte, batchSize), out: make([]syscalls.Message, batchSize), queries: make([]unix.Iovec, batchSize),
		clients: o.clients, sources: make([][sourceRoom]byte, batchSize),
	}
	for range o.sockets {
		fd, err := openSocket(o)
		if err != nil {
			b.close()
			return nil, false, err
		}
		b.fds = append(b.fds, fd)
		b.polls = append(b.polls, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if !canBatch(b.fds[0]) {
		b.close()
		return nil, false, nil
	}
	b.layOut(o.server)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // else a wait is some 50 us too long
	return b, true, nil
}

func canBatch(fd int) bool { return syscalls.CanBatch(fd) == nil }

// openSocket is connected to the server, unless it speaks for many clients.
func openSocket(o *options) (fd int, err error) {
	family, server := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Addr: o.server.Addr().As16(), Port: int(o.server.Port())})
	if a := o.server.Addr().Unmap(); a.Is4() {
		family, server = unix.AF_INET, &unix.SockaddrInet4{Addr: a.As4(), Port: int(o.server.Port())}
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketRoom)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketRoom)
	if o.clients > 0 {
		err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{}))
	} else {
		err = os.NewSyscallError("connect", unix.Connect(fd, server))
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// layOut points everything that never changes at its place.
func (b *batches) layOut(server netip.AddrPort) {
	if b.clients > 0 { // the server is at an IPv4 address
		a := server.Addr().As4()
		binary.NativeEndian.PutUint16(b.server[:], unix.AF_INET)
		binary.BigEndian.PutUint16(b.server[2:], server.Port())
		copy(b.server[4:], a[:])
	}
	for i := range batchSize {
		b.rooms[i] = unix.Iovec{Base: &b.answers[i][0], Len: answerRoom}
		b.in[i].Header.Iov, b.in[i].Header.Iovlen = &b.rooms[i], 1
		out := &b.out[i].Header
		out.Iov, out.Iovlen = &b.queries[i], 1
		if b.clients > 0 {
			copy(b.sources[i][:], unix.PktInfo4(&unix.Inet4Pktinfo{}))
			out.Control, out.Controllen = &b.sources[i][0], uint64(unix.CmsgSpace(unix.SizeofInet4Pktinfo))
			out.Name, out.Namelen = &b.server[0], unix.SizeofSockaddrInet4
		}
	}
}

func (b *batches) sockets() int { return len(b.fds) }

func (b *batches) receive(i int) ([][]byte, error) {
	n, errno := syscalls.Receive(uintptr(b.fds[i]), b.in)
	if err := passing(errno); err != nil {
		return nil, os.NewSyscallError("recvmmsg", err)
	}
	for k := range n {
		b.found[k] = b.answers[k][:min(b.in[k].Length, answerRoom)]
	}
	return b.found[:n], nil
}

func (b *batches) send(i int, messages [][]byte) (int, error) {
	for k, message := range messages {
		b.queries[k] = unix.Iovec{Base: &message[0], Len: uint64(len(message))}
		if b.clients > 0 {
			a := clientAddr((b.client + k) % b.clients).As4()
			copy(b.sources[k][sourceAt:], a[:])
		}
	}
	n, errno := syscalls.Send(uintptr(b.fds[i]), b.out[:len(messages)])
	b.client += n
	return n, os.NewSyscallError("sendmmsg", passing(errno))
}

// passing is nil for what will be over the next time: nothing has arrived, there is no room, or nobody listened a moment ago.
func passing(errno unix.Errno) error {
	switch errno {
	case 0, unix.EAGAIN, unix.EINTR, unix.ENOBUFS, unix.ECONNREFUSED:
		return nil
	default:
		return errno
	}
}

// wait does not wait at all for less than it takes to.
func (b *batches) wait(d time.Duration) error {
	if d < waitAtLeast {
		return nil
	}
	limit := unix.NsecToTimespec(int64(d))
	if _, err := unix.Ppoll(b.polls, &limit, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("ppoll", err)
	}
	return nil
}

func (b *batches) close() {
	for _, fd := range b.fds {
		_ = unix.Close(fd)
	}
}
