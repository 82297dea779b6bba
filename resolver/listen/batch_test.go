package listen_test

import (
	"net"
	"net/netip"
	"runtime"
	"testing"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

// held keeps the worker in its first query until it is let go, so that what comes meanwhile is one batch or more.
type held struct {
	*handler
	holds, release chan struct{}
}

func (h held) Answer(dst []byte, q *wire.Query) ([]byte, bool) {
	if word(q, "hold") {
		h.holds <- struct{}{}
		<-h.release
	}
	return h.handler.Answer(dst, q)
}

// Whatever comes in one batch, each client gets its own answers, from the address that it asked, and a query that is dropped
// takes no other with it.
func TestBatch(t *testing.T) { bothWays(t, testBatch) }

func testBatch(t *testing.T, batch int) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			skipWithoutIPv6(t, address)
			h := held{newHandler(), make(chan struct{}), make(chan struct{})}
			s, _ := serve(t, listen.Config{Addresses: addrs(address), Workers: 1, Batch: batch, Handler: h})
			clients := make([]net.Conn, 30)
			for i := range clients {
				clients[i] = dial(t, "udp", netip.AddrPortFrom(asked(s.Addrs()[0].Addr(), i), s.Addrs()[0].Port()))
			}
			send(t, clients[0], query(1000, "hold.example"))
			<-h.holds
			for i, conn := range clients {
				sendSeveral(t, conn, uint16(i))
			}
			close(h.release)
			receiveIDs(t, clients[0], 1000)
			for range clients {
				(<-h.started).answer()
			}
			for i, conn := range clients {
				receiveIDs(t, conn, uint16(i), 100+uint16(i), 200+uint16(i))
			}
		})
	}
}

// asked is an address by which client i reaches a server at a.
func asked(a netip.Addr, i int) netip.Addr {
	switch {
	case a == netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	case a == netip.IPv4Unspecified() && runtime.GOOS == "linux": // which has all of 127.0.0.0/8
		return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i%5)})
	case a == netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		return a
	}
}

// sendSeveral sends three queries that are answered, one of them later, and some datagrams that are not.
func sendSeveral(t *testing.T, conn net.Conn, id uint16) {
	t.Helper()
	send(t, conn, query(id, "www.example"))
	send(t, conn, []byte{})
	send(t, conn, query(id, "panic.example"))
	send(t, conn, query(100+id, "slow.example"))
	send(t, conn, query(id, "silent.example"))
	send(t, conn, padded(200+id, "www.example", 5000))
}

// receiveIDs wants answers to these, in any order.
func receiveIDs(t *testing.T, conn net.Conn, ids ...uint16) {
	t.Helper()
	missing := map[uint16]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for range ids {
		id, _ := receive(t, conn)
		if !missing[id] {
			t.Errorf("got answer %d, want one of %v", id, missing)
		}
		delete(missing, id)
	}
}
