//go:build amd64 || arm64

package syscalls

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Message is a struct mmsghdr: one datagram. What Header points to is the caller's.
type Message struct {
	Header unix.Msghdr
	Length uint32 // octets of the datagram, after a call
	_      [4]byte
}

// Receive receives datagrams from a socket into messages, without waiting, and returns how many: at least one, or an error, EAGAIN if
// there is none.
func Receive(fd uintptr, messages []Message) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVMMSG, fd, messages)
}

// Send sends messages through a socket, without waiting, and returns how many: at least one, or an error, that of the first.
func Send(fd uintptr, messages []Message) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDMMSG, fd, messages)
}

// transfer does without syscall.Syscall, which tells Go's scheduler that the thread may be away for long. With MSG_DONTWAIT it
// is not: the call does only work, some microseconds a datagram, as a long function would.
func transfer(number, fd uintptr, messages []Message) (int, syscall.Errno) {
	first := unsafe.Pointer(unsafe.SliceData(messages)) //nolint:gosec // G103: see above
	n, _, errno := syscall.RawSyscall6(number, fd, uintptr(first), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// CanBatch is an error if the calls are missing or forbidden (an old sandbox). Moving no datagrams is always possible otherwise.
func CanBatch(fd int) error {
	none := make([]Message, 1)[:0]
	for _, call := range []uintptr{unix.SYS_RECVMMSG, unix.SYS_SENDMMSG} {
		if _, errno := transfer(call, uintptr(fd), none); errno != 0 {
			return errno
		}
	}
	return nil
}

// Sockaddr is a struct sockaddr_in or sockaddr_in6: family (in the host's order), port and, in the latter, flow; address; in
// the latter, zone (in the host's order).
type Sockaddr [unix.SizeofSockaddrInet6]byte

// SockaddrLen is the length of a Sockaddr of the family of a.
func SockaddrLen(a netip.Addr) uint32 {
	if a.Is4() {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

// NewSockaddr is the Sockaddr of which p is the AddrPort. p is valid; a zone that is no number is none.
func NewSockaddr(p netip.AddrPort) (s Sockaddr) {
	binary.BigEndian.PutUint16(s[2:4], p.Port())
	if a := p.Addr(); a.Is4() {
		binary.NativeEndian.PutUint16(s[0:2], unix.AF_INET)
		octets := a.As4()
		copy(s[4:8], octets[:])
		return s
	}
	binary.NativeEndian.PutUint16(s[0:2], unix.AF_INET6)
	octets := p.Addr().As16()
	copy(s[8:24], octets[:])
	if zone := p.Addr().Zone(); zone != "" {
		number, _ := strconv.ParseUint(zone, 10, 32)
		binary.NativeEndian.PutUint32(s[24:28], uint32(number))
	}
	return s
}

// AddrPort is the zero value for a family that is neither IPv4 nor IPv6.
func (s *Sockaddr) AddrPort() netip.AddrPort {
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
