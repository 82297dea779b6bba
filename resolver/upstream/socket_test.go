package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
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

// TestAllocations keeps an eye on what one question costs; most of it is the socket's, which package net makes.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	g := realGroup(t, echoServer(t))
	q, done := question(), make(chan upstream.Result)
	reply := func(r upstream.Result) { done <- r }
	got := testing.AllocsPerRun(200, func() {
		g.Ask(q, time.Time{}, reply)
		if r := <-done; r.Err != nil {
			t.Error(r.Err)
		}
	})
	if got > 40 {
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

// echoServer sends every query back as an empty answer, without allocating.
func echoServer(tb testing.TB) upstream.Server {
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
			buf[2] |= 0x80
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return upstream.Server{Addr: netip.MustParseAddrPort(conn.LocalAddr().String())}
}
