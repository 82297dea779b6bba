//go:build amd64 || arm64

package syscalls

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// struct mmsghdr on 64-bit Linux: a struct msghdr of 56 octets, an unsigned int, and padding.
func TestLayoutOfMessage(t *testing.T) {
	var m Message
	if size, length := unsafe.Sizeof(m), unsafe.Offsetof(m.Length); size != 64 || length != 56 {
		t.Errorf("size %d with the length at %d, want 64 and 56", size, length)
	}
}

func TestSockaddr(t *testing.T) {
	in4 := func(family uint16, port uint16, addr string) (s Sockaddr) {
		binary.NativeEndian.PutUint16(s[:], family)
		binary.BigEndian.PutUint16(s[2:], port)
		copy(s[4:], netip.MustParseAddr(addr).AsSlice())
		return s
	}
	in6 := func(port uint16, addr string, zone uint32) (s Sockaddr) {
		binary.NativeEndian.PutUint16(s[:], unix.AF_INET6)
		binary.BigEndian.PutUint16(s[2:], port)
		binary.BigEndian.PutUint32(s[4:], 0xFFFFF) // a flow label, of no interest
		copy(s[8:], netip.MustParseAddr(addr).AsSlice())
		binary.NativeEndian.PutUint32(s[24:], zone)
		return s
	}
	tests := []struct {
		name string
		s    Sockaddr
		want string
	}{
		{name: "IPv4", s: in4(unix.AF_INET, 53, "192.0.2.1"), want: "192.0.2.1:53"},
		{name: "IPv6", s: in6(65535, "2001:db8::1", 0), want: "[2001:db8::1]:65535"},
		{name: "link-local", s: in6(5353, "fe80::1", 12), want: "[fe80::1%12]:5353"},
		{name: "another family", s: in4(unix.AF_UNIX, 53, "192.0.2.1"), want: "invalid AddrPort"},
		{name: "nothing", want: "invalid AddrPort"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.s.AddrPort().String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// What the system says of a peer is what it is told of him.
func TestSockaddrThereAndBack(t *testing.T) {
	for _, text := range []string{
		"192.0.2.1:53", "255.255.255.255:65535", "[2001:db8::1]:53", "[fe80::1%12]:5353", "[::ffff:192.0.2.1]:7", "[fe80::1%4294967295]:1",
	} {
		want := netip.MustParseAddrPort(text)
		s := NewSockaddr(want)
		if got := s.AddrPort(); got != want {
			t.Errorf("%s: got %s", want, got)
		}
	}
	s := NewSockaddr(netip.MustParseAddrPort("[fe80::1%eth0]:53"))
	if got := s.AddrPort().String(); got != "[fe80::1]:53" {
		t.Errorf("a zone that is no number: got %s", got)
	}
}

func TestCanBatch(t *testing.T) {
	if err := CanBatch(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("error %v for no socket, want EBADF", err)
	}
}
