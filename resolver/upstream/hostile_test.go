package upstream_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// On the loopback interface anybody can see everything, so these are the attacks of who can, and the accidents of who means well.

// plain is the answer to query without an OPT record, so that it ends with the address.
func plain(query []byte) []byte { return withAddress(query, 7) }

// forgery is an answer that is right but for the address.
func forgery(query []byte) []byte { return withAddress(query, 66) }

func withAddress(query []byte, last byte) []byte {
	q := new(dns.Msg)
	if err := q.Unpack(query); err != nil {
		panic(err)
	}
	return (&exchange{query: q}).answer(func(m *dns.Msg) { m.Extra, m.Answer[0].(*dns.A).A[15] = nil, last })
}

// TestSocketStranger: an answer from another port of the server's address, and from another address, is not heard, be it as right as it
// may.
func TestSocketStranger(t *testing.T) {
	var strangers []*net.UDPConn
	for _, addr := range []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)} {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: addr})
		if err != nil {
			t.Skipf("only Linux has all of 127.0.0.0/8: %v", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		strangers = append(strangers, conn)
	}
	g := realGroup(t, rawServer(t, func(conn *net.UDPConn, from netip.AddrPort, query []byte) {
		for _, stranger := range strangers {
			if _, err := stranger.WriteToUDPAddrPort(forgery(query), from); err != nil {
				t.Error(err)
			}
		}
		_, _ = conn.WriteToUDPAddrPort(plain(query), from)
	}))
	for range 100 {
		mustBeGenuine(t, g)
	}
}

// mustBeGenuine asks, and wants the address that the server has.
func mustBeGenuine(t *testing.T, g *upstream.Group) {
	t.Helper()
	r, _ := ask(g, question())
	m := new(dns.Msg)
	if r.Err != nil || m.Unpack(r.Msg) != nil || len(m.Answer) != 1 || !m.Answer[0].(*dns.A).A.Equal(net.IPv4(192, 0, 2, 7)) {
		t.Fatalf("got %v, %v", m, r.Err)
	}
}

// lies are what can be wrong with an answer that has the right ID. b is the right answer without an OPT record: 12 octets of header, the
// question, and an A record whose last octets are TTL, RDLENGTH and the address.
var lies = []struct {
	name string
	lie  func(b []byte) []byte
}{
	{"nothing", func([]byte) []byte { return nil }},
	{"half a header", func(b []byte) []byte { return b[:7] }},
	{"half a question", func(b []byte) []byte { return b[:20] }},
	{"half a record", func(b []byte) []byte { return b[:len(b)-3] }},
	{"more behind it", func(b []byte) []byte { return append(b, 0) }},
	{"a query", func(b []byte) []byte { b[2] &^= 0x80; return b }},
	{"an update", func(b []byte) []byte { b[2] |= dns.OpcodeUpdate << 3; return b }},
	{"no question", func(b []byte) []byte { return append(set16(b, 4, 0)[:12], b[len(b)-14-len(wireName(secret)):]...) }},
	{"two questions", func(b []byte) []byte {
		question := bytes.Clone(b[12 : 12+len(wireName(secret))+4])
		return append(append(set16(b, 4, 2)[:12:12], question...), b[12:]...)
	}},
	{"another name", func(b []byte) []byte { b[13]++; return b }},
	{"another type", func(b []byte) []byte { return set16(b, 12+len(wireName(secret)), dns.TypeAAAA) }},
	{"another class", func(b []byte) []byte { return set16(b, 12+len(wireName(secret))+2, dns.ClassCHAOS) }},
	{"a compressed question", func(b []byte) []byte { return set16(b, 12, 0xC00C) }},
	{"fewer records than it says", func(b []byte) []byte { return set16(b, 6, 0xFFFF) }},
	{"more records than it says", func(b []byte) []byte { return set16(b, 6, 0) }},
	{"authority that is not there", func(b []byte) []byte { return set16(b, 8, 1) }},
	{"data that go on behind the end", func(b []byte) []byte { return set16(b, len(b)-6, 0xFFFF) }},
	{"an address of 3 octets", func(b []byte) []byte { return set16(b, len(b)-6, 3)[:len(b)-1] }},
	{"an address of 5 octets", func(b []byte) []byte { return append(set16(b, len(b)-6, 5), 0) }},
	{"an address of none", func(b []byte) []byte { return set16(b, len(b)-6, 0)[:len(b)-4] }},
	{"an alias that points at itself", func(b []byte) []byte {
		b = set16(set16(b, len(b)-6, 2), len(b)-14, dns.TypeCNAME)[:len(b)-2]
		return set16(b, len(b)-2, 0xC000|uint16(len(b)-2))
	}},
	{"an alias that points ahead", func(b []byte) []byte {
		b = set16(set16(b, len(b)-6, 2), len(b)-14, dns.TypeCNAME)[:len(b)-2]
		return set16(b, len(b)-2, 0xFFFF)
	}},
	{"two OPT records", func(b []byte) []byte {
		opt := []byte{0, 0, wire.TypeOPT, 4, 208, 0, 0, 0, 0, 0, 0}
		return append(append(set16(b, 10, 2), opt...), opt...)
	}},
	{"an option that goes on behind its end", func(b []byte) []byte {
		return append(set16(b, 10, 1), 0, 0, wire.TypeOPT, 4, 208, 0, 0, 0, 0, 0, 4, 0, 10, 0xFF, 0xFF)
	}},
	{"more than a datagram that we take", func(b []byte) []byte { return append(b, make([]byte, 5000)...) }},
}

func set16(b []byte, at int, value uint16) []byte {
	binary.BigEndian.PutUint16(b[at:], value)
	return b
}

// TestSocketLies: whatever comes with the right ID and is no answer is as if it had not come, and what comes after it is taken.
func TestSocketLies(t *testing.T) {
	for _, c := range lies {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			g := realGroup(t, rawServer(t, func(conn *net.UDPConn, from netip.AddrPort, query []byte) {
				asked.Add(1)
				_, _ = conn.WriteToUDPAddrPort(c.lie(plain(query)), from)
				_, _ = conn.WriteToUDPAddrPort(c.lie(forgery(query)), from)
				_, _ = conn.WriteToUDPAddrPort(plain(query), from)
			}))
			mustBeGenuine(t, g)
			if n := asked.Load(); n != 1 {
				t.Errorf("the server was asked %d times, want once: the wait goes on", n)
			}
		})
	}
}

// streamServer says over UDP that its answers are cut; over TCP a connection is handle's.
func streamServer(tb testing.TB, handle func(conn net.Conn, query []byte)) upstream.Server {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	addr := netip.MustParseAddrPort(l.Addr().String())
	pc, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		tb.Skipf("the port is not free in both: %v", err)
	}
	tb.Cleanup(func() { _ = pc.Close() })
	cutAll := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		_, _ = w.Write((&exchange{query: q}).answer(func(m *dns.Msg) { m.Answer, m.Truncated = nil, true }))
	})
	server := &dns.Server{PacketConn: pc, Handler: cutAll}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	tb.Cleanup(func() { _ = server.Shutdown() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var length [2]byte
				if _, err := io.ReadFull(conn, length[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(conn, query); err == nil {
					handle(conn, query)
				}
			}()
		}
	}()
	return upstream.Server{Addr: addr}
}

// prefixed is msg behind its length.
func prefixed(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
}

// TestSocketBrokenStreams: whatever a server does with a connection, the question ends, and another server's answer is taken.
func TestSocketBrokenStreams(t *testing.T) {
	untilClosed := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	streams := map[string]func(conn net.Conn, query []byte){
		"closed at once":           func(net.Conn, []byte) {},
		"closed within the length": func(conn net.Conn, _ []byte) { _, _ = conn.Write([]byte{0}) },
		"closed within the message": func(conn net.Conn, query []byte) {
			msg := prefixed(forgery(query))
			_, _ = conn.Write(msg[:len(msg)-2])
		},
		"reset":          func(conn net.Conn, _ []byte) { _ = conn.(*net.TCPConn).SetLinger(0) },
		"never answered": func(conn net.Conn, _ []byte) { untilClosed(conn) },
		"never whole": func(conn net.Conn, query []byte) {
			_, _ = conn.Write(append([]byte{0xFF, 0xFF}, forgery(query)...))
			untilClosed(conn)
		},
		"without end": func(conn net.Conn, _ []byte) {
			zeros := make([]byte, 1<<16)
			for {
				if _, err := conn.Write(zeros); err != nil {
					return
				}
			}
		},
		"another ID": func(conn net.Conn, query []byte) {
			msg := forgery(query)
			msg[0]++
			_, _ = conn.Write(prefixed(msg))
		},
		"cut over TCP too": func(conn net.Conn, query []byte) {
			msg := forgery(query)
			msg[2] |= 2
			_, _ = conn.Write(prefixed(msg))
		},
	}
	for _, c := range lies {
		streams[c.name] = func(conn net.Conn, query []byte) { _, _ = conn.Write(prefixed(c.lie(forgery(query)))) }
	}
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var broken atomic.Int32
			g := realGroup(t, streamServer(t, func(conn net.Conn, query []byte) {
				broken.Add(1)
				stream(conn, query)
			}), realServer(t, answerReal))
			for limit := time.Now().Add(20 * time.Second); broken.Load() == 0; {
				mustBeGenuine(t, g)
				if time.Now().After(limit) {
					t.Fatal("the broken server was never asked")
				}
			}
		})
	}
}

// TestSocketTenThousandOptions: an answer with as many EDNS options as fit is read in time that is in proportion to its length.
func TestSocketTenThousandOptions(t *testing.T) {
	options := bytes.Repeat([]byte{0xFF, 0xFD, 0, 0}, 10_000)
	g := realGroup(t, streamServer(t, func(conn net.Conn, query []byte) {
		msg := set16(plain(query), 10, 1)
		msg = append(msg, 0, 0, wire.TypeOPT, 4, 208, 0, 0, 0, 0)
		msg = append(binary.BigEndian.AppendUint16(msg, uint16(len(options))), options...)
		_, _ = conn.Write(prefixed(msg))
	}))
	r, _ := ask(g, question())
	if r.Err != nil || len(r.Msg) < len(options) {
		t.Errorf("got %d octets, %v", len(r.Msg), r.Err)
	}
}
