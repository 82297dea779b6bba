package listen_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

// A query that the first door answers costs no allocation from socket to socket, the test's own client included.
func TestFirstDoorAllocatesNothing(t *testing.T) { bothWays(t, testAllocations) }

func testAllocations(t *testing.T, batch int) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		t.Run("udp "+address, func(t *testing.T) {
			skipWithoutIPv6(t, address)
			conn := dialHot(t, "udp", address, batch)
			msg, buf := query(1, "www.example"), make([]byte, 2048)
			wantNoAllocations(t, func() error {
				if _, err := conn.Write(msg); err != nil {
					return err
				}
				_, err := conn.Read(buf)
				return err
			})
		})
	}
	t.Run("tcp", func(t *testing.T) {
		conn := dialHot(t, "tcp", "127.0.0.1:0", batch)
		msg := framed(query(1, "www.example"))
		buf := make([]byte, len(msg))
		wantNoAllocations(t, func() error {
			if _, err := conn.Write(msg); err != nil {
				return err
			}
			_, err := io.ReadFull(conn, buf)
			return err
		})
	})
}

func wantNoAllocations(t *testing.T, exchange func() error) {
	t.Helper()
	wantAllocations(t, 0, exchange)
}

func wantAllocations(t *testing.T, want float64, exchange func() error) {
	t.Helper()
	var err error
	got := testing.AllocsPerRun(500, func() {
		if e := exchange(); e != nil {
			err = e
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got > want && !raceEnabled {
		t.Errorf("%v allocations a query, want %v", got, want)
	}
}

// later answers at the second door, at once.
type later struct{ buffer [512]byte }

func (*later) Answer(dst []byte, _ *wire.Query) ([]byte, bool) { return dst, false }

func (l *later) Start(q *wire.Query, reply func([]byte)) { reply(empty(l.buffer[:0], q)) }

// A query that the second door answers costs the function by which it is answered.
func TestSecondDoorAllocatesTheReply(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			skipWithoutIPv6(t, address)
			conn := dialTo(t, "udp", address, 0, new(later))
			msg, buf := query(1, "www.example"), make([]byte, 2048)
			wantAllocations(t, 1, func() error {
				if _, err := conn.Write(msg); err != nil {
					return err
				}
				_, err := conn.Read(buf)
				return err
			})
		})
	}
}

// dialHot connects to a new server on address by way of the loopback interface.
func dialHot(t testing.TB, network, address string, batch int) net.Conn {
	t.Helper()
	return dialTo(t, network, address, batch, newHandler())
}

func dialTo(t testing.TB, network, address string, batch int, h listen.Handler) net.Conn {
	t.Helper()
	s, _ := serve(t, listen.Config{Addresses: addrs(address), Workers: 1, Batch: batch, Handler: h})
	addr := s.Addrs()[0]
	switch addr.Addr() {
	case netip.IPv4Unspecified():
		addr = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr.Port())
	case netip.IPv6Unspecified():
		addr = netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port())
	}
	return dial(t, network, addr)
}

// BenchmarkStageListen is from socket to socket, the kernel's part and the test's own client included.
func BenchmarkStageListen(b *testing.B) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		for _, batch := range []int{1, 8, 32} {
			b.Run(fmt.Sprintf("udp/%s/batch=%d", address, batch), func(b *testing.B) {
				conn := dialHot(b, "udp", address, batch)
				benchmark(b, conn, query(1, "www.example"))
			})
		}
	}
	b.Run("later", func(b *testing.B) {
		benchmark(b, dialTo(b, "udp", "127.0.0.1:0", 32, new(later)), query(1, "www.example"))
	})
	b.Run("tcp", func(b *testing.B) {
		conn := dialHot(b, "tcp", "127.0.0.1:0", 0)
		benchmark(b, conn, framed(query(1, "www.example")))
	})
}

// benchmark sends and receives in turn, with some messages in flight so that server and client work side by side.
func benchmark(b *testing.B, conn net.Conn, msg []byte) {
	b.Helper()
	const inFlight = 32
	if err := conn.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, len(msg))
	for range inFlight {
		send(b, conn, msg)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Write(msg); err != nil {
			b.Fatal(err)
		}
	}
}
