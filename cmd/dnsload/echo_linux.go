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
	can := err
	if err := raw.Control(func(fd uintptr) { can = syscalls.CanBatch(int(fd)) }); err != nil || can != nil {
		return echoPlainly(conn)
	}
	rooms := make([][echoRoom]byte, batchSize)
	peers := make([]syscalls.Sockaddr, batchSize)
	parts := make([]unix.Iovec, batchSize)
	messages := make([]syscalls.Message, batchSize)
	for i := range messages {
		messages[i].Header.Name, messages[i].Header.Iov, messages[i].Header.Iovlen = &peers[i][0], &parts[i], 1
	}
	own, _ := conn.LocalAddr().(*net.UDPAddr)
	peerLen := syscalls.SockaddrLen(own.AddrPort().Addr())
	n := 0
	receive := func(fd uintptr) bool {
		for i := range messages {
			parts[i] = unix.Iovec{Base: &rooms[i][0], Len: echoRoom}
			messages[i].Header.Namelen = peerLen
		}
		var errno unix.Errno
		n, errno = syscalls.Receive(fd, messages)
		return errno != unix.EAGAIN
	}
	send := func(fd uintptr) {
		for unsent := messages[:n]; len(unsent) > 0; {
			sent, _ := syscalls.Send(fd, unsent)
			unsent = unsent[max(sent, 1):] // a query may be lost
		}
	}
	for {
		if err := raw.Read(receive); err != nil {
			return err
		}
		for i := range n {
			parts[i].Len = uint64(min(messages[i].Length, echoRoom))
			if !echoable(rooms[i][:parts[i].Len]) {
				parts[i].Len = 0
			}
		}
		if err := raw.Control(send); err != nil {
			return err
		}
	}
}
