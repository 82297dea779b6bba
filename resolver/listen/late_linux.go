//go:build amd64 || arm64

package listen

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

// lateAnswer is what the system reads of one answer that is sent by itself.
type lateAnswer struct {
	message [1]syscalls.Message
	octets  unix.Iovec
	peer    syscalls.Sockaddr

	send  func(fd uintptr) // made once, as those of batchSocket
	call  calls
	n     int
	errno syscall.Errno
}

var lateAnswers = sync.Pool{New: func() any {
	l := new(lateAnswer)
	header := &l.message[0].Header
	header.Name = &l.peer[0]
	header.Iov, header.Iovlen = &l.octets, 1
	l.send = func(fd uintptr) { l.n, l.errno = l.call.send(fd, l.message[:]) }
	return l
}}

// sendLater never waits, because who replies may have others to serve: an answer that finds the socket full is dropped, as one that the
// network loses, and its client asks again.
func (s *batchSocket) sendLater(answer []byte, to *route) error {
	l := lateAnswers.Get().(*lateAnswer) //nolint:errcheck // the pool holds nothing else
	defer lateAnswers.Put(l)
	l.point(answer, to)
	l.call = s.call
	err := s.raw.Control(l.send)
	l.octets.Base, l.message[0].Header.Control = nil, nil
	switch {
	case err != nil:
		return err
	case l.errno != 0 || l.n != 1:
		return os.NewSyscallError("sendmmsg", l.errno)
	default:
		return nil
	}
}

// point makes l the answer, which is not empty, on its way to to. It views both.
func (l *lateAnswer) point(answer []byte, to *route) {
	l.peer = syscalls.NewSockaddr(to.peer)
	l.octets = unix.Iovec{Base: &answer[0], Len: uint64(len(answer))}
	header := &l.message[0].Header
	header.Namelen = syscalls.SockaddrLen(to.peer.Addr())
	header.Control, header.Controllen = nil, 0
	if to.controlLen > 0 {
		header.Control, header.Controllen = &to.control[0], uint64(to.controlLen)
	}
}
