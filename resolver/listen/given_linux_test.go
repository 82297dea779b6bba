package listen_test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cordon/resolver/listen"
)

// givenSockets are n UDP sockets and the one of TCP of a free port of host, bound as a service manager would.
func givenSockets(t *testing.T, host string, n int) (udp []listen.Given, tcp listen.Given) {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
				t.Error(err)
			}
		})
	}}
	for range 16 { // a port that is free for TCP may be somebody's for UDP
		listener, err := net.Listen("tcp4", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		for len(udp) < n {
			conn, err := config.ListenPacket(t.Context(), "udp4", listener.Addr().String())
			if err != nil {
				break
			}
			udp = append(udp, listen.Given{UDP: conn.(*net.UDPConn)})
		}
		if len(udp) == n {
			return udp, listen.Given{TCP: listener}
		}
		_ = listener.Close()
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, listen.Given{}
}

// Whatever the order in which they come, each UDP socket of an address is a worker, and its answers leave from where the question went.
func TestGivenSocketsAreServed(t *testing.T) {
	first, firstTCP := givenSockets(t, "127.0.0.1", 3)
	second, secondTCP := givenSockets(t, "0.0.0.0", 1)
	at, wildcard := first[0].UDP.LocalAddr().String(), second[0].UDP.LocalAddr().String()
	given := []listen.Given{first[0], secondTCP, first[1], second[0], firstTCP, first[2]}
	config := listen.Config{Given: given, Handler: newHandler()}
	if n := config.Listeners(); n != len(given) {
		t.Errorf("there are %d listeners, want %d", n, len(given))
	}
	s, _ := serve(t, config)
	addresses := s.Addrs()
	if len(addresses) != 2 || addresses[0].String() != at || addresses[1].String() != wildcard {
		t.Fatalf("it serves %v, want %s and %s", addresses, at, wildcard)
	}
	for _, asked := range []string{at, strings.Replace(wildcard, "0.0.0.0", "127.0.0.2", 1)} {
		for _, transport := range []string{"udp", "tcp"} {
			for range 8 { // by several of the sockets
				conn, err := net.Dial(transport, asked) // a connected socket hears nobody else
				if err != nil {
					t.Fatal(err)
				}
				exchangeOn(t, conn, transport)
				_ = conn.Close()
			}
		}
	}
	if n := s.Queries(); n != 2*2*8 {
		t.Errorf("%d queries were read, want %d", n, 2*2*8)
	}
}

// A socket of IPv6 can be bound to an IPv4 address in its mapped form; the addresses of its clients are as long as those of IPv6.
func TestAGivenSocketOfAMappedAddress(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip("no IPv6 here")
	}
	file := os.NewFile(uintptr(fd), "udp")
	defer func() { _ = file.Close() }()
	if err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
		t.Fatal(err)
	}
	_, tcp := givenSockets(t, "127.0.0.1", 0)
	at := netip.MustParseAddrPort(tcp.TCP.Addr().String())
	if err = unix.Bind(fd, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}); err != nil {
		t.Skip("somebody else has the port")
	}
	udp, err := net.FilePacketConn(file)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, listen.Config{Given: []listen.Given{{UDP: udp.(*net.UDPConn)}, tcp}, Handler: newHandler()})
	for range 3 {
		conn, err := net.Dial("udp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		exchangeOn(t, conn, "udp")
		_ = conn.Close()
	}
}

// exchangeOn asks by conn and wants the answer.
func exchangeOn(t *testing.T, conn net.Conn, transport string) {
	t.Helper()
	if err := conn.SetDeadline(deadline()); err != nil {
		t.Fatal(err)
	}
	query := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x00\x00\x01\x00\x01")
	if transport == "tcp" {
		query = append([]byte{0, byte(len(query))}, query...)
	}
	if _, err := conn.Write(query); err != nil {
		t.Fatal(err)
	}
	var answer [512]byte
	n, err := conn.Read(answer[:])
	if err != nil {
		t.Fatal(err)
	}
	if got := string(answer[:n]); !strings.Contains(got, "\x12\x34") {
		t.Errorf("over %s: %q", transport, got)
	}
}

// What a service manager has made large is not made small.
func TestAGivenSocketKeepsItsBuffer(t *testing.T) {
	given, tcp := givenSockets(t, "127.0.0.1", 1)
	raw, err := given[0].UDP.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	size := func(set int) (size int) {
		if err := raw.Control(func(fd uintptr) {
			if set > 0 {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, set)
			}
			size, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		}); err != nil {
			t.Fatal(err)
		}
		return size
	}
	const large = 16 << 20
	if size(large) < large {
		t.Skip("only a process with CAP_NET_ADMIN may make it larger than net.core.rmem_max")
	}
	before := size(0)
	serve(t, listen.Config{Given: append(given, tcp), Handler: newHandler()})
	if after := size(0); after != before {
		t.Errorf("it has room for %d octets, had %d", after, before)
	}
}

func TestGivenSocketsThatDoNotFit(t *testing.T) {
	udp, tcp := givenSockets(t, "127.0.0.1", 1)
	others, other := givenSockets(t, "127.0.0.1", 1)
	defer others[0].UDP.Close()
	socket, err := net.Listen("unix", "@"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer udp[0].UDP.Close()
	defer tcp.TCP.Close()
	defer other.TCP.Close()
	defer socket.Close()
	for name, test := range map[string]struct {
		config listen.Config
		want   string
	}{
		"no TCP":        {listen.Config{Given: udp}, "only one was handed over for"},
		"no UDP":        {listen.Config{Given: []listen.Given{tcp}}, "want both: ListenDatagram= and ListenStream="},
		"TCP elsewhere": {listen.Config{Given: []listen.Given{udp[0], other}}, "want both"},
		"TCP twice":     {listen.Config{Given: []listen.Given{udp[0], tcp, tcp}}, "several TCP sockets"},
		"a unix socket": {listen.Config{Given: []listen.Given{{TCP: socket}}}, "found a socket of unix"},
		"addresses too": {listen.Config{Given: udp, Addresses: addrs("127.0.0.1:0")}, "want one of the two"},
	} {
		test.config.Handler = newHandler()
		s, err := listen.New(test.config)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
