package upstream_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
)

// fakeNet is a network of scripted servers. It plugs in as Config.Dial and works within a synctest bubble: its connections
// are pipes. An address that nobody has is a closed port.
type fakeNet struct {
	t       *testing.T
	mu      sync.Mutex
	servers map[netip.AddrPort]script
	sent    []packet
	began   time.Time
}

// packet is a query that a fake server got.
type packet struct {
	at      time.Duration // since the network began
	to      netip.AddrPort
	network string
	query   *dns.Msg
}

// script is what a server does with a query.
type script func(x *exchange)

// exchange is a query at a server.
type exchange struct {
	network string
	query   *dns.Msg
	number  int // 0 for the first query that the server got
	conn    net.Conn
}

// send sends msg as it is: a datagram, or a message behind its length.
func (x *exchange) send(msg []byte) {
	if x.network == "tcp" {
		msg = append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	}
	_, _ = x.conn.Write(msg) // fails when the client has gone
}

// answer is the right answer to the query, changed by change.
func (x *exchange) answer(change func(m *dns.Msg)) []byte {
	m := new(dns.Msg).SetReply(x.query)
	m.RecursionAvailable = true
	if x.query.IsEdns0() != nil {
		m.SetEdns0(1232, false)
	}
	if x.query.Question[0].Qtype == dns.TypeA {
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: x.query.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300},
			A:   net.IPv4(192, 0, 2, 7),
		}}
	}
	if change != nil {
		change(m)
	}
	return pack(m)
}

func pack(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// bubble runs a test on a network of its own, under a fake clock, and sees that every goroutine has ended a minute later.
func bubble(t *testing.T, test func(t *testing.T, n *fakeNet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newNet(t))
		time.Sleep(time.Minute)
	})
}

func newNet(t *testing.T) *fakeNet {
	return &fakeNet{t: t, servers: make(map[netip.AddrPort]script), began: time.Now()}
}

// add starts n servers with the same script and returns their addresses.
func (n *fakeNet) add(count int, s script) []upstream.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	var servers []upstream.Server
	for range count {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(len(n.servers) + 1)}), 53)
		n.servers[addr] = s
		servers = append(servers, upstream.Server{Addr: addr})
	}
	return servers
}

// set changes the script of a server; nil closes its port.
func (n *fakeNet) set(s upstream.Server, to script) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers[s.Addr] = to
}

func (n *fakeNet) dial(_ context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
	refused := &net.OpError{Op: "read", Net: network, Err: syscall.ECONNREFUSED}
	if network == "tcp" && n.script(addr) == nil {
		return nil, refused
	}
	client, server := net.Pipe()
	go n.serve(server, network, addr)
	if network == "tcp" {
		return client, nil
	}
	return port{client, refused}, nil
}

// port is a connected UDP socket: it is not closed by the other side, but refused.
type port struct {
	net.Conn
	refused error
}

func (p port) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		return n, p.refused
	}
	return n, err
}

// script is what a server does by now.
func (n *fakeNet) script(addr netip.AddrPort) script {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.servers[addr]
}

// serve reads queries until the client has gone, or the server's port is closed. Each has a goroutine, for a slow script must not
// keep others from coming in.
func (n *fakeNet) serve(conn net.Conn, network string, addr netip.AddrPort) {
	defer conn.Close()
	for {
		buf := make([]byte, 600)
		length, err := conn.Read(buf)
		s := n.script(addr)
		if err != nil || s == nil {
			return
		}
		msg := buf[:length]
		if network == "tcp" {
			if int(binary.BigEndian.Uint16(msg)) != length-2 {
				n.t.Errorf("length prefix %d of a query of %d octets", binary.BigEndian.Uint16(msg), length-2)
			}
			msg = msg[2:]
		}
		q := new(dns.Msg)
		if err := q.Unpack(msg); err != nil {
			n.t.Errorf("query does not parse: %v", err)
			return
		}
		go s(&exchange{network: network, query: q, conn: conn, number: n.record(packet{
			at: time.Since(n.began), to: addr, network: network, query: q,
		})})
	}
}

func (n *fakeNet) record(p packet) (before int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sent {
		if s.to == p.to {
			before++
		}
	}
	n.sent = append(n.sent, p)
	return before
}

// packets are the queries so far, those to one server if it is given.
func (n *fakeNet) packets(to ...upstream.Server) []packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []packet
	for _, p := range n.sent {
		if len(to) == 0 || p.to == to[0].Addr {
			all = append(all, p)
		}
	}
	return all
}

// group makes a group of servers on n.
func (n *fakeNet) group(c upstream.Config, servers ...[]upstream.Server) *upstream.Group {
	n.t.Helper()
	c.Dial = n.dial
	for _, s := range servers {
		c.Servers = append(c.Servers, s...)
	}
	g, err := upstream.New(c)
	if err != nil {
		n.t.Fatal(err)
	}
	return g
}

const secret = "www.example.org." // the name that is asked: it must not be told to logs

func question() upstream.Question {
	return upstream.Question{Name: wireName(secret), Type: dns.TypeA, Class: dns.ClassINET}
}

func wireName(name string) []byte {
	buf := make([]byte, 300)
	n, err := dns.PackDomainName(name, buf, 0, nil, false)
	if err != nil {
		panic(err)
	}
	return buf[:n]
}

// ask asks and waits for the result.
func ask(g *upstream.Group, q upstream.Question) (r upstream.Result, took time.Duration) {
	began := time.Now()
	results := make(chan upstream.Result, 2)
	g.Ask(q, time.Time{}, func(r upstream.Result) {
		r.Msg = bytes.Clone(r.Msg)
		results <- r
	})
	return <-results, time.Since(began)
}

// mustAnswer asks, wants the right answer, and returns how long it took.
func mustAnswer(t *testing.T, g *upstream.Group) time.Duration {
	t.Helper()
	r, took := ask(g, question())
	if r.Err != nil {
		t.Fatalf("after %v: %v", took, r.Err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(r.Msg); err != nil {
		t.Fatalf("the answer does not parse: %v", err)
	}
	if len(m.Answer) != 1 || m.Question[0].Name != secret {
		t.Fatalf("got %v", m)
	}
	return took
}

// Scripts.

func good(x *exchange) { x.send(x.answer(nil)) }

func silent(*exchange) {}

func after(d time.Duration, s script) script {
	return func(x *exchange) {
		time.Sleep(d) // in a bubble
		s(x)
	}
}

func rcode(code int) script {
	return func(x *exchange) {
		if code > 15 && x.query.IsEdns0() == nil {
			code = dns.RcodeServerFailure
		}
		x.send(x.answer(func(m *dns.Msg) { m.Answer, m.Rcode = nil, code }))
	}
}

// byTransport does one thing over UDP, another over TCP.
func byTransport(udp, tcp script) script {
	return func(x *exchange) {
		if x.network == "udp" {
			udp(x)
		} else {
			tcp(x)
		}
	}
}

func cut(x *exchange) {
	x.send(x.answer(func(m *dns.Msg) { m.Answer, m.Truncated = nil, true }))
}

func wrongID(x *exchange) {
	x.send(x.answer(func(m *dns.Msg) { m.Id++ }))
}

func garbled(x *exchange) {
	msg := x.answer(nil)
	x.send(msg[:len(msg)-3])
}

func hangUp(x *exchange) { _ = x.conn.Close() }

// dribble sends the answer octet by octet.
func dribble(x *exchange) {
	msg := x.answer(nil)
	for _, b := range append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...) {
		if _, err := x.conn.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(time.Millisecond) // in a bubble
	}
}

// lie announces more octets than it sends.
func lie(x *exchange) {
	_, _ = x.conn.Write([]byte{0xff, 0xff, 1, 2, 3})
	_ = x.conn.Close()
}
