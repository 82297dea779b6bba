package listen_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"cordon/resolver/limit"
	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

// One that floods is not answered above its rate, but for some queries that are sent to TCP; one beside it is answered as before.
func TestFloodOverUDP(t *testing.T) {
	bothWays(t, func(t *testing.T, batch int) {
		const burst, flood = 10, 50
		s, _ := serve(t, listen.Config{
			Addresses: addrs("127.0.0.1:0"), Workers: 1, Batch: batch, Handler: newHandler(),
			Rate: limit.New(limit.Rules{PerSecond: 1, Burst: burst, IPv4Bits: 32}),
		})
		flooder := dialAs(t, "127.0.0.2", s)
		for i := range uint16(flood) {
			send(t, flooder, query(i, "www.example"))
		}
		polite := dialAs(t, "127.0.0.3", s)
		for i := range uint16(burst) {
			send(t, polite, query(i, "www.example"))
			if id, msg := receive(t, polite); id != i || msg[2]&(wire.FlagTC>>8) != 0 {
				t.Fatalf("answer %d to query %d: %x", id, i, msg)
			}
		}
		answered, cut := 0, 0
		for answered+cut < burst+(flood-burst)/4 {
			if _, msg := receive(t, flooder); msg[2]&(wire.FlagTC>>8) != 0 {
				cut++
			} else {
				answered++
			}
		}
		if answered != burst || cut != 10 {
			t.Errorf("%d answers and %d that send to TCP, want %d and 10", answered, cut, burst)
		}
	})
}

// dialAs connects to the first address of s from a loopback address.
func dialAs(t *testing.T, from string, s *listen.Server) net.Conn {
	t.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, net.UDPAddrFromAddrPort(s.Addrs()[0]))
	if err != nil {
		t.Skipf("only Linux has all of 127.0.0.0/8: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Over a stream a client that asks too much waits for its answers and loses none.
func TestFloodOverAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		_, stop := serve(t, listen.Config{
			Streams: []net.Listener{p}, Handler: newHandler(),
			Rate: limit.New(limit.Rules{PerSecond: 10, Burst: 5, IPv4Bits: 32}),
		})
		conn, other := p.dial("192.0.2.1"), p.dial("192.0.2.2")
		go func() {
			for i := range uint16(25) {
				if _, err := conn.Write(framed(query(i, "www.example"))); err != nil {
					return
				}
			}
		}()
		took := elapsed(func() {
			for range 25 {
				readFramed(t, conn)
			}
		})
		if took != 2*time.Second {
			t.Errorf("25 answers took %v, want 2s: five at once, then ten a second", took)
		}
		if took := elapsed(func() { ask(t, other, 1) }); took != 0 {
			t.Errorf("another client waited for %v", took)
		}
		stop()
	})
}

// A client that waits for its rate does not hold up the end of the server, and is answered before.
func TestStopOfAStreamThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		_, stop := serve(t, listen.Config{
			Streams: []net.Listener{p}, Handler: newHandler(), Rate: limit.New(limit.Rules{PerSecond: 1, IPv4Bits: 32}),
		})
		conn := p.dial("192.0.2.1")
		ask(t, conn, 1)
		go func() { _, _ = conn.Write(framed(query(2, "www.example"))) }()
		synctest.Wait()
		go stop()
		if took := elapsed(func() { readFramed(t, conn) }); took != 0 {
			t.Errorf("the last answer came %v after the stop", took)
		}
	})
}
