package upstream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
)

// realServer answers on a port of the loopback interface by UDP and TCP.
func realServer(tb testing.TB, handle dns.HandlerFunc) upstream.Server {
	tb.Helper()
	var lc net.ListenConfig
	for range 20 { // the port must be free in both
		pc, err := lc.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		l, err := lc.Listen(context.Background(), "tcp", pc.LocalAddr().String())
		if err != nil {
			_ = pc.Close()
			continue
		}
		for _, s := range []*dns.Server{{PacketConn: pc, Handler: handle}, {Listener: l, Handler: handle}} {
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go func() { _ = s.ActivateAndServe() }()
			<-started
			tb.Cleanup(func() { _ = s.Shutdown() })
		}
		return upstream.Server{Addr: netip.MustParseAddrPort(pc.LocalAddr().String())}
	}
	tb.Fatal("no port is free in UDP and TCP")
	return upstream.Server{}
}

// closedServer is a port of the loopback interface where nobody listens.
func closedServer(tb testing.TB) upstream.Server {
	tb.Helper()
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = pc.Close() }()
	return upstream.Server{Addr: netip.MustParseAddrPort(pc.LocalAddr().String())}
}

func realGroup(tb testing.TB, servers ...upstream.Server) *upstream.Group {
	tb.Helper()
	g, err := upstream.New(upstream.Config{Servers: servers})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func answerReal(w dns.ResponseWriter, q *dns.Msg) {
	x := &exchange{query: q}
	_, _ = w.Write(x.answer(nil))
}

// On real sockets the clock is real too, so these tests say nothing about time: those with the fake network do.

// rawServer is a UDP port of the loopback interface; handle gets what comes, one after the other, in a buffer that is its own.
func rawServer(tb testing.TB, handle func(conn *net.UDPConn, from netip.AddrPort, query []byte)) upstream.Server {
	tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			handle(conn, from, buf[:n])
		}
	}()
	return upstream.Server{Addr: netip.MustParseAddrPort(conn.LocalAddr().String())}
}

// numbered is a question for the i-th of many names.
func numbered(i int) upstream.Question {
	q := question()
	q.Name = wireName(fmt.Sprintf("%d.example.org.", i))
	return q
}

// TestSocketOutOfOrder: many questions are open, the answers come backwards, twice, and again when their questions are over. Each gets
// its own, and nobody suspects a guess.
func TestSocketOutOfOrder(t *testing.T) {
	const wave, waves = 50, 20
	type datagram struct {
		from netip.AddrPort
		msg  []byte
	}
	var before, now []datagram
	g := realGroup(t, rawServer(t, func(conn *net.UDPConn, from netip.AddrPort, query []byte) {
		query[2] |= 0x80
		now = append(now, datagram{from, bytes.Clone(query)})
		if len(now) < wave {
			return
		}
		for _, some := range [][]datagram{before, now, now} {
			for _, d := range slices.Backward(some) {
				_, _ = conn.WriteToUDPAddrPort(d.msg, d.from)
			}
		}
		before, now = now, nil
	}))
	for range waves {
		var wg sync.WaitGroup
		for i := range wave {
			wg.Add(1)
			q := numbered(i)
			g.Ask(q, time.Time{}, func(r upstream.Result) {
				defer wg.Done()
				if r.Err != nil || !bytes.Contains(r.Msg, q.Name) {
					t.Errorf("question %d: got %q, %v", i, r.Msg, r.Err)
				}
			})
		}
		wg.Wait()
	}
	if told := gather(t, g); strings.Contains(told, "wrong_id") || strings.Contains(told, "tcp") {
		t.Errorf("a late answer was taken for a guess:\n%s", told)
	}
}

// TestSocketGuess: a datagram with an ID that nobody asked with sends the open question to TCP, and what is then guessed right is not
// believed.
func TestSocketGuess(t *testing.T) {
	g := realGroup(t, realServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		x := &exchange{query: q}
		if w.RemoteAddr().Network() == "tcp" {
			answerReal(w, q)
			return
		}
		_, _ = w.Write(x.answer(func(m *dns.Msg) { m.Id++ }))
		_, _ = w.Write(x.answer(func(m *dns.Msg) { m.Answer[0].(*dns.A).A[3] = 66 }))
	}))
	for range 20 { // few, so that no port is guessed at too often, and no guess is an ID that was used
		r, _ := ask(g, question())
		m := new(dns.Msg)
		if r.Err != nil || m.Unpack(r.Msg) != nil || m.Answer[0].(*dns.A).A[3] != 7 {
			t.Fatalf("got %v, %v", m, r.Err)
		}
	}
}

// TestSocketServerIsBack: a port that was told that nobody listens hears the server that then does.
func TestSocketServerIsBack(t *testing.T) {
	closed := closedServer(t)
	g := realGroup(t, closed)
	for range 300 { // from every port
		if r, _ := ask(g, question()); r.Err == nil {
			t.Fatal("want an error")
		}
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(closed.Addr))
	if err != nil {
		t.Skip("somebody else has the port by now")
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(answerReal)}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	defer func() { _ = server.Shutdown() }()
	for range 300 {
		mustAnswer(t, g)
	}
}

func TestSocketPortsVary(t *testing.T) {
	var mu sync.Mutex
	ports := make(map[string]bool)
	g := realGroup(t, realServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		ports[w.RemoteAddr().String()] = true
		mu.Unlock()
		answerReal(w, q)
	}))
	for range 200 {
		mustAnswer(t, g)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ports) < 45 {
		t.Errorf("%d source ports in 200 queries", len(ports))
	}
}

func TestSocketClosedPort(t *testing.T) {
	closed := closedServer(t)
	both := realGroup(t, closed, realServer(t, answerReal))
	for range 20 {
		mustAnswer(t, both)
	}
	alone := realGroup(t, closed)
	r, _ := ask(alone, question())
	if e, ok := errors.AsType[*upstream.Error](r.Err); !ok || e.Kind != upstream.Unreachable {
		t.Errorf("got %v", r.Err)
	}
}

func TestSocketTruncated(t *testing.T) {
	g := realGroup(t, realServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		x := &exchange{query: q}
		_, _ = w.Write(x.answer(func(m *dns.Msg) {
			if w.RemoteAddr().Network() == "udp" {
				m.Answer, m.Truncated = nil, true
			}
		}))
	}))
	mustAnswer(t, g)
}

// TestSocketForgery: garbage before the answer is not heard.
func TestSocketForgery(t *testing.T) {
	g := realGroup(t, realServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		x := &exchange{query: q}
		_, _ = w.Write(nil)
		_, _ = w.Write(x.answer(nil)[:20])
		_, _ = w.Write(x.answer(func(m *dns.Msg) { m.Question[0].Name = "example.net." }))
		_, _ = w.Write(x.answer(func(m *dns.Msg) { m.Response = false }))
		_, _ = w.Write(x.answer(nil))
	}))
	mustAnswer(t, g)
}

// TestSocketMany at a time, with a server that is silent among them: every one is answered, every goroutine ends.
func TestSocketMany(t *testing.T) {
	g := realGroup(t, realServer(t, answerReal), realServer(t, func(dns.ResponseWriter, *dns.Msg) {}))
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 300 {
		wg.Add(1)
		g.Ask(question(), time.Time{}, func(r upstream.Result) {
			defer wg.Done()
			if r.Err != nil {
				t.Error(r.Err)
			}
		})
	}
	wg.Wait()
	for limit := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > before+10; runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestAllocations: a question costs none, when ports are open and flights are there to be used again.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	g := realGroup(t, echoServer(t))
	q, done := question(), make(chan upstream.Result)
	reply := func(r upstream.Result) { done <- r }
	ask := func() {
		g.Ask(q, time.Time{}, reply)
		if r := <-done; r.Err != nil {
			t.Error(r.Err)
		}
	}
	for range 1000 { // until every port is open
		ask()
	}
	if got := testing.AllocsPerRun(200, ask); got > 1 { // a garbage collection takes the flights
		t.Errorf("%v allocations a question", got)
	}
}

func BenchmarkAsk(b *testing.B) {
	g := realGroup(b, echoServer(b))
	q, done := question(), make(chan upstream.Result)
	reply := func(r upstream.Result) { done <- r }
	b.ReportAllocs()
	for b.Loop() {
		g.Ask(q, time.Time{}, reply)
		if r := <-done; r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

// BenchmarkAskMany has a hundred questions open at a time.
func BenchmarkAskMany(b *testing.B) {
	g := realGroup(b, echoServer(b))
	q, open := question(), make(chan struct{}, 100)
	reply := func(r upstream.Result) {
		<-open
		if r.Err != nil {
			b.Error(r.Err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		open <- struct{}{}
		g.Ask(q, time.Time{}, reply)
	}
	for range cap(open) {
		open <- struct{}{}
	}
}

// echoServer sends every query back as an empty answer, without allocating.
func echoServer(tb testing.TB) upstream.Server {
	tb.Helper()
	return rawServer(tb, func(conn *net.UDPConn, from netip.AddrPort, query []byte) {
		query[2] |= 0x80
		_, _ = conn.WriteToUDPAddrPort(query, from)
	})
}
