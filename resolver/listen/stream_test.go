package listen_test

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

func TestAnswersLeaveAStreamAsTheyCome(t *testing.T) {
	h := newHandler()
	addr, _ := loopback(t, h)
	conn := dial(t, "tcp", addr)
	send(t, conn, framed(query(1, "slow.example"), query(2, "www.example"), query(3, "slow.example"), query(4, "www.example")))
	one, three := <-h.started, <-h.started
	var order []uint16
	next := func() {
		id, _ := readFramed(t, conn)
		order = append(order, id)
	}
	next()
	next()
	three.answer()
	next()
	one.answer()
	one.reply([]byte("a second reply to the same query")) // does nothing
	next()
	send(t, conn, framed(query(5, "www.example")))
	next()
	if want := []uint16{2, 4, 3, 1, 5}; !slices.Equal(order, want) {
		t.Errorf("answers came as %v, want %v", order, want)
	}
}

func TestStreamMessages(t *testing.T) {
	response := query(1, "www.example")
	response[2] |= 0x80
	tests := []struct {
		name  string
		msg   []byte
		rcode wire.Rcode
		drop  bool // no answer, but the stream goes on
		end   bool // the stream is closed
	}{
		{name: "query", msg: query(1, "www.example"), rcode: wire.Success},
		{name: "padded beyond the first buffer", msg: padded(1, "www.example", 5000), rcode: wire.Success},
		{name: "as long as a message can be", msg: padded(1, "www.example", 65535), rcode: wire.Success},
		{name: "junk as long as a message can be", msg: make([]byte, 65535), rcode: wire.FormErr},
		{name: "only a header", msg: make([]byte, 12), rcode: wire.FormErr},
		{name: "shorter than a header", msg: make([]byte, 11), end: true},
		{name: "empty", msg: nil, end: true},
		{name: "response", msg: response, end: true},
		{name: "the handler drops it", msg: query(1, "silent.example"), drop: true},
		{name: "panic at the first door", msg: query(1, "panic.example"), drop: true},
		{name: "panic at the second door", msg: query(1, "crash.example"), drop: true},
	}
	addr, _ := loopback(t, newHandler())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn := dial(t, "tcp", addr)
			send(t, conn, framed(test.msg))
			if test.end {
				wantClosed(t, conn)
				return
			}
			if !test.drop {
				if _, msg := readFramed(t, conn); rcode(msg) != test.rcode {
					t.Errorf("answer %x, want rcode %d", msg[:wire.HeaderLen], test.rcode)
				}
			}
			send(t, conn, framed(query(99, "after.example")))
			if id, _ := readFramed(t, conn); id != 99 {
				t.Errorf("then got answer %d, want 99", id)
			}
		})
	}
}

// Whoever closes only his half, as nc does, still gets his answers.
func TestHalfClosedStreamIsAnswered(t *testing.T) {
	h := newHandler()
	addr, _ := loopback(t, h)
	conn := dial(t, "tcp", addr)
	send(t, conn, framed(query(1, "slow.example"), query(2, "www.example")))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	waiting := <-h.started
	if id, _ := readFramed(t, conn); id != 2 {
		t.Errorf("got answer %d, want 2", id)
	}
	waiting.answer()
	if id, _ := readFramed(t, conn); id != 1 {
		t.Errorf("got answer %d, want 1", id)
	}
	wantClosed(t, conn)
}

func TestReplyAfterTheClientLeft(t *testing.T) {
	h := newHandler()
	addr, stop := loopback(t, h)
	for range 3 {
		conn := dial(t, "tcp", addr)
		send(t, conn, framed(query(1, "slow.example"), query(2, "www.example"))[:40]) // the second one only begun
		waiting := <-h.started
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		waiting.answer()
	}
	stop()
}

func TestConnectionsPerClient(t *testing.T) {
	addr, counts := limited(t, listen.Limits{ConnectionsPerClient: 2})
	one, two := dial(t, "tcp", addr), dial(t, "tcp", addr)
	ask(t, one, 1)
	ask(t, two, 2)
	wantClosed(t, dial(t, "tcp", addr))
	ask(t, one, 3)
	other := dialFrom(t, "127.0.0.2:0", addr)
	ask(t, other, 4)
	_ = one.Close()
	for { // the server sees it soon
		conn := dial(t, "tcp", addr)
		send(t, conn, framed(query(5, "www.example")))
		if n, _ := io.ReadFull(conn, make([]byte, 2)); n == 2 {
			break
		}
	}
	if got := counts("cordon_tcp_connections_rejected_total"); got < 1 {
		t.Errorf("%v connections rejected, want at least 1", got)
	}
	if got := counts("cordon_tcp_connections"); got != 3 {
		t.Errorf("%v connections open, want 3", got)
	}
}

func dialFrom(t *testing.T, from string, addr netip.AddrPort) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	conn, err := dialer.Dial("tcp", addr.String())
	if err != nil {
		t.Skip("this system has no second loopback address:", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(deadline())
	return conn
}

func ask(t *testing.T, conn net.Conn, id uint16) {
	t.Helper()
	send(t, conn, framed(query(id, "www.example")))
	if got, _ := readFramed(t, conn); got != id {
		t.Errorf("got answer %d, want %d", got, id)
	}
}
