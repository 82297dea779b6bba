//go:build amd64 || arm64

package listen

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file is all that Cordon knows of recvmmsg(2) and sendmmsg(2), and its only use of package unsafe. x/sys has no such calls,
// and those of x/net/ipv4 allocate for every datagram and cost more than they save.
//
// What makes it safe: every pointer that the system follows is a Go pointer in a typed field of memory from the heap, so the
// garbage collector sees it and nothing moves; the one conversion to a uintptr stands in the argument list of a function of
// package syscall (unsafe.Pointer, rule 4).

// message is a struct mmsghdr: one datagram, and after a call its length.
type message struct {
	header unix.Msghdr
	length uint32 // octets
	_      [4]byte
}

// calls move datagrams through a socket, never wait, and return how many of messages they moved: at least one, or an error.
type calls struct {
	receive, send func(fd uintptr, messages []message) (n int, errno syscall.Errno)
}

var systemCalls = calls{receive: receiveMessages, send: sendMessages}

func receiveMessages(fd uintptr, messages []message) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVMMSG, fd, messages)
}

func sendMessages(fd uintptr, messages []message) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDMMSG, fd, messages)
}

// transfer does without syscall.Syscall, which tells Go's scheduler that the thread may be away for long. With MSG_DONTWAIT it
// is not: the call does only work, some microseconds a datagram, as a long function would.
func transfer(number, fd uintptr, messages []message) (int, syscall.Errno) {
	first := unsafe.Pointer(unsafe.SliceData(messages)) //nolint:gosec // G103: see above
	n, _, errno := syscall.RawSyscall6(number, fd, uintptr(first), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// canBatch is an error if the calls are missing or forbidden (an old sandbox). Moving no datagrams is always possible otherwise.
func canBatch(fd int) error {
	none := make([]message, 1)[:0]
	for _, call := range []uintptr{unix.SYS_RECVMMSG, unix.SYS_SENDMMSG} {
		if _, errno := transfer(call, uintptr(fd), none); errno != 0 {
			return errno
		}
	}
	return nil
}

// sockaddr is a struct sockaddr_in or sockaddr_in6: family (in the host's order), port and, in the latter, flow; address; in
// the latter, zone (in the host's order).
type sockaddr [unix.SizeofSockaddrInet6]byte

// sockaddrLen is the length of a sockaddr of the family of a.
func sockaddrLen(a netip.Addr) uint32 {
	if a.Is4() {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

// addrPort is the zero value for a family that is neither IPv4 nor IPv6.
func (s *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(s[2:4])
	switch binary.NativeEndian.Uint16(s[0:2]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])), port)
	case unix.AF_INET6:
		a := netip.AddrFrom16([16]byte(s[8:24]))
		if zone := binary.NativeEndian.Uint32(s[24:28]); zone != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
		return netip.AddrPortFrom(a, port)
	default:
		return netip.AddrPort{}
	}
}
