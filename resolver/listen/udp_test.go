package listen_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

func TestBothTransportsAndFamiliesAnswer(t *testing.T) { bothWays(t, testTransportsAndFamilies) }

func testTransportsAndFamilies(t *testing.T, batch int) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			skipWithoutIPv6(t, address)
			h := newHandler()
			s, _ := serve(t, listen.Config{Addresses: addrs(address), Batch: batch, Handler: h})
			addr := s.Addrs()[0]
			if addr.Addr().IsUnspecified() {
				addr = netip.AddrPortFrom(map[bool]netip.Addr{
					true: netip.MustParseAddr("127.0.0.1"), false: netip.IPv6Loopback(),
				}[addr.Addr().Is4()], addr.Port())
			}
			udp, tcp := dial(t, "udp", addr), dial(t, "tcp", addr)
			send(t, udp, query(7, "www.example"))
			if id, msg := receive(t, udp); id != 7 || !bytes.Equal(msg[12:], query(7, "www.example")[12:]) {
				t.Errorf("UDP: answer %x, want the question back", msg)
			}
			send(t, tcp, framed(query(8, "www.example")))
			if id, msg := readFramed(t, tcp); id != 8 || !bytes.Equal(msg[12:], query(8, "www.example")[12:]) {
				t.Errorf("TCP: answer %x, want the question back", msg)
			}
			wantQuery(t, h, udp, query(9, "slow.example"), false)
			wantQuery(t, h, tcp, framed(query(9, "slow.example")), true)
		})
	}
}

// wantQuery sends data and looks at what the handler is told of it.
func wantQuery(t *testing.T, h *handler, conn net.Conn, data []byte, stream bool) {
	t.Helper()
	send(t, conn, data)
	s := <-h.started
	defer s.answer()
	local := netip.MustParseAddrPort(conn.LocalAddr().String())
	if s.q.Client != local || s.q.Stream != stream || s.q.Now.IsZero() || s.q.Worker < 0 {
		t.Errorf("client %v, stream %v, now %v, worker %d; want client %v, stream %v",
			s.q.Client, s.q.Stream, s.q.Now, s.q.Worker, local, stream)
	}
}

func skipWithoutIPv6(t *testing.T, address string) {
	t.Helper()
	if netip.MustParseAddrPort(address).Addr().Is4() {
		return
	}
	conn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	_ = conn.Close()
}

func TestDatagrams(t *testing.T) { bothWays(t, testDatagrams) }

func testDatagrams(t *testing.T, batch int) {
	response := query(1, "www.example")
	response[2] |= 0x80
	status := query(1, "www.example")
	status[2] |= 2 << 3
	tests := []struct {
		name  string
		msg   []byte
		rcode wire.Rcode // of the answer
		drop  bool       // no answer
	}{
		{name: "query", msg: query(1, "www.example"), rcode: wire.Success},
		{name: "not a query opcode", msg: status, rcode: wire.NotImp},
		{name: "cut off", msg: query(1, "www.example")[:20], rcode: wire.FormErr},
		{name: "longer than any buffer", msg: padded(1, "www.example", 9000), rcode: wire.FormErr},
		{name: "as long as a datagram can be", msg: make([]byte, 65507), rcode: wire.FormErr},
		{name: "padded", msg: padded(1, "www.example", 4000), rcode: wire.Success},
		{name: "empty", msg: []byte{}, drop: true},
		{name: "shorter than a header", msg: make([]byte, 11), drop: true},
		{name: "response", msg: response, drop: true},
		{name: "the handler drops it", msg: query(1, "silent.example"), drop: true},
		{name: "panic at the first door", msg: query(1, "panic.example"), drop: true},
		{name: "panic at the second door", msg: query(1, "crash.example"), drop: true},
	}
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		s, _ := serve(t, listen.Config{Addresses: addrs(address), Workers: 1, Batch: batch, Handler: newHandler()})
		addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addrs()[0].Port())
		for _, test := range tests {
			t.Run(address+"/"+test.name, func(t *testing.T) {
				conn := dial(t, "udp", addr)
				send(t, conn, test.msg)
				send(t, conn, query(99, "after.example")) // one worker: answered after it, if it is answered
				id, msg := receive(t, conn)
				if test.drop {
					if id != 99 {
						t.Errorf("got answer %x, want none", msg)
					}
					return
				}
				if id == 99 || rcode(msg) != test.rcode {
					t.Errorf("got answer %x, want rcode %d", msg, test.rcode)
				}
			})
		}
	}
}

func TestSecondDoor(t *testing.T) { bothWays(t, testSecondDoor) }

func testSecondDoor(t *testing.T, batch int) {
	h := newHandler()
	s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 1, Batch: batch, Handler: h})
	addr := s.Addrs()[0]
	conns := []net.Conn{dial(t, "udp", addr), dial(t, "udp", addr)}
	send(t, conns[0], query(10, "slow.example"))
	first := <-h.started
	send(t, conns[1], query(11, "slow.example"))
	second := <-h.started

	second.answer()
	first.answer()
	first.reply([]byte("a second reply to the same query")) // does nothing
	for i, conn := range conns {
		send(t, conn, query(99, "after.example"))
		got := map[uint16]bool{}
		for range 2 {
			id, _ := receive(t, conn)
			got[id] = true
		}
		if !got[uint16(10+i)] || !got[99] {
			t.Errorf("client %d got answers %v, want its own and 99", i, got)
		}
	}
}

// The way back of one query is used again for another, but not by who has had it.
func TestASecondReplyReachesNobody(t *testing.T) { bothWays(t, testSecondReply) }

func testSecondReply(t *testing.T, batch int) {
	h := newHandler()
	s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 1, Batch: batch, Handler: h})
	conn := dial(t, "udp", s.Addrs()[0])
	var earlier []started
	for i := range 50 {
		send(t, conn, query(uint16(i), "slow.example"))
		now := <-h.started
		for _, other := range earlier {
			other.reply([]byte("an answer to somebody who has one"))
		}
		now.answer()
		if id, msg := receive(t, conn); id != uint16(i) {
			t.Fatalf("query %d got %q", i, msg)
		}
		earlier = append(earlier, now)
	}
}

func TestEachWorkerHasItsIndex(t *testing.T) {
	c := listen.Config{Addresses: addrs("127.0.0.1:0", "127.0.0.2:0"), Workers: 4, Handler: newHandler()}
	if got := c.Listeners(); got != 10 {
		t.Errorf("Listeners() = %d, want 10: 4 workers and 1 stream listener an address", got)
	}
}
