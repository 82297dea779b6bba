package listen_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cordon/resolver/listen"
)

// pipes is a listener without sockets, for a bubble: its connections are net.Pipes, which buffer nothing.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

type pipe struct {
	net.Conn
	peer net.Addr
}

func (p pipe) RemoteAddr() net.Addr { return p.peer }

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects from address, and returns when the server has taken or closed the connection.
func (p *pipes) dial(address string) net.Conn {
	peer := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 40000))
	here, there := net.Pipe()
	p.conns <- pipe{there, peer}
	synctest.Wait()
	return here
}

// bubble runs test beside a server of streams with these limits. The server stops when test returns, or calls stop.
func bubble(t *testing.T, l listen.Limits, test func(t *testing.T, h *handler, p *pipes, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, h := newPipes(), newHandler()
		_, stop := serve(t, listen.Config{Streams: []net.Listener{p}, Handler: h, Limits: l})
		test(t, h, p, stop)
	})
}

// elapsed is how long do takes.
func elapsed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

func TestIdleStreamIsClosed(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		if got := elapsed(func() { wantClosed(t, conn) }); got != 10*time.Second {
			t.Errorf("a new connection was closed after %v, want 10s", got)
		}
		conn = p.dial("192.0.2.1")
		time.Sleep(9 * time.Second)
		ask(t, conn, 1)
		time.Sleep(9 * time.Second)
		ask(t, conn, 2)
		if got := elapsed(func() { wantClosed(t, conn) }); got != 10*time.Second {
			t.Errorf("it was closed %v after the last query, want 10s", got)
		}
	})
}

func TestStreamWithQueryInFlightIsNotIdle(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "slow.example")))
		waiting := <-h.started
		time.Sleep(35 * time.Second)
		waiting.answer()
		if id, _ := readFramed(t, conn); id != 1 {
			t.Errorf("got answer %d, want 1", id)
		}
		if got := elapsed(func() { wantClosed(t, conn) }); got != 10*time.Second {
			t.Errorf("it was closed %v after the last answer, want 10s", got)
		}
	})
}

func TestSlowLoris(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		time.Sleep(time.Second)
		ask(t, conn, 1)
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			for _, octet := range framed(query(2, "www.example")) {
				if _, err := conn.Write([]byte{octet}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if got := elapsed(func() { wantClosed(t, conn) }); got != 5*time.Second {
			t.Errorf("the client was cut after %v, want 5s", got)
		}
		<-cut
	})
}

func TestBeginningOfTheNextMessageStartsItsTime(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		both := append(framed(query(1, "www.example")), 0)
		send(t, conn, both[:1])
		time.Sleep(2 * time.Second)
		send(t, conn, both[1:])
		if id, _ := readFramed(t, conn); id != 1 {
			t.Errorf("got answer %d, want 1", id)
		}
		if got := elapsed(func() { wantClosed(t, conn) }); got != 5*time.Second {
			t.Errorf("the client was cut after %v, want 5s", got)
		}
	})
}

func TestMessageOctetByOctet(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		for id := range uint16(3) {
			for _, octet := range framed(query(id, "www.example")) {
				send(t, conn, []byte{octet})
			}
			if got, _ := readFramed(t, conn); got != id {
				t.Errorf("got answer %d, want %d", got, id)
			}
		}
	})
}

func TestClientThatNeverReads(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "slow.example"), query(2, "slow.example")))
		one, two := <-h.started, <-h.started
		if got := elapsed(func() { one.answer(); two.answer() }); got != 0 {
			t.Errorf("replies took %v, want them not to wait for the client", got)
		}
		time.Sleep(5*time.Second - 1)
		synctest.Wait()
		if _, err := conn.Write([]byte{0}); err != nil {
			t.Errorf("the client was cut before 5s: %v", err)
		}
		time.Sleep(1)
		synctest.Wait()
		if _, err := conn.Write([]byte{0}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after 5s the client got error %v, want it cut", err)
		}
	})
}

func TestClientThatReadsOnlyTheFirstDoor(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		write := func() {
			for {
				if _, err := conn.Write(framed(query(1, "www.example"))); err != nil {
					return
				}
			}
		}
		if got := elapsed(write); got != 5*time.Second {
			t.Errorf("a client that only writes was cut after %v, want 5s", got)
		}
	})
}

func TestUnreadRepliesAreBounded(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		for id := range uint16(4) {
			send(t, conn, framed(query(id, "slow.example")))
		}
		for range 4 { // the first one is being written, three are more than may be queued
			(<-h.started).reply(bytes.Repeat([]byte{1}, 60000))
			synctest.Wait()
		}
		if got := elapsed(func() { wantClosed(t, conn) }); got != 0 {
			t.Errorf("it was closed after %v, want at once", got)
		}
	})
}

func TestQueriesInFlightAreBounded(t *testing.T) {
	bubble(t, listen.Limits{InFlight: 2}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "slow.example"), query(2, "slow.example"), query(3, "slow.example")))
		synctest.Wait()
		if got := len(h.started); got != 2 {
			t.Fatalf("%d queries started, want 2", got)
		}
		(<-h.started).answer()
		if id, _ := readFramed(t, conn); id != 1 {
			t.Errorf("got answer %d, want 1", id)
		}
		synctest.Wait()
		if got := len(h.started); got != 2 {
			t.Errorf("%d queries in flight, want 2 again", got)
		}
		(<-h.started).reply(nil) // dropped: it makes room too
		(<-h.started).answer()
		if id, _ := readFramed(t, conn); id != 3 {
			t.Errorf("got answer %d, want 3", id)
		}
	})
}

func TestPipelinedAnswersLeaveInOneWrite(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "www.example"), query(2, "www.example"), query(3, "www.example")))
		buf := make([]byte, 1000)
		n, err := conn.Read(buf)
		if want := len(framed(query(1, "www.example"))) * 3; n != want || err != nil {
			t.Errorf("one read got %d octets (error %v), want %d", n, err, want)
		}
	})
}

func TestLongestIdleConnectionMakesWay(t *testing.T) {
	bubble(t, listen.Limits{Connections: 3}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		waits := p.dial("192.0.2.1")
		send(t, waits, framed(query(1, "slow.example")))
		waiting := <-h.started
		time.Sleep(time.Second)
		idle := p.dial("192.0.2.2")
		drips := p.dial("192.0.2.3")
		send(t, drips, []byte{0})
		time.Sleep(time.Second)
		ask(t, idle, 2) // now the one that drips is the longest idle

		first := p.dial("192.0.2.4")
		wantClosedAtOnce(t, drips)
		time.Sleep(time.Second)
		ask(t, first, 3)
		second := p.dial("192.0.2.5")
		wantClosedAtOnce(t, idle)
		ask(t, second, 4)
		ask(t, first, 5)
		waiting.answer()
		if id, _ := readFramed(t, waits); id != 1 {
			t.Errorf("got answer %d, want 1", id)
		}
	})
}

// All addresses of an IPv6 network are one client: a device can have as many of them as it likes.
func TestConnectionsOfAnIPv6Network(t *testing.T) {
	bubble(t, listen.Limits{ConnectionsPerClient: 2}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
		first := p.dial("2001:db8::1")
		ask(t, first, 1)
		ask(t, p.dial("2001:db8::2"), 2)
		wantClosedAtOnce(t, p.dial("2001:db8::3"))
		ask(t, p.dial("2001:db8:0:1::3"), 3)
		_ = first.Close()
		synctest.Wait()
		ask(t, p.dial("2001:db8::3"), 4)
		for _, neighbour := range []string{"fe80::1", "fe80::2", "fe80::3"} {
			ask(t, p.dial(neighbour), 5)
		}
	})
}

// wantClosedAtOnce wants the server to have closed the stream, without having waited for its time to be over.
func wantClosedAtOnce(t *testing.T, conn io.Reader) {
	t.Helper()
	if took := elapsed(func() { wantClosed(t, conn) }); took != 0 {
		t.Errorf("it was closed after %v, want at once", took)
	}
}

func TestDrainWaitsForReplies(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, stop func()) {
		conn, idle := p.dial("192.0.2.1"), p.dial("192.0.2.2")
		send(t, conn, framed(query(1, "slow.example")))
		waiting := <-h.started
		time.AfterFunc(2*time.Second, waiting.answer)
		go func() {
			time.Sleep(time.Second)
			if _, err := conn.Write([]byte{0}); err == nil {
				t.Error("the server reads while it drains")
			}
		}()
		go wantClosed(t, idle)
		answered := make(chan uint16, 1)
		go func() {
			id, _ := readFramed(t, conn)
			answered <- id
		}()
		if got := elapsed(stop); got != 2*time.Second {
			t.Errorf("stopped after %v, want 2s", got)
		}
		if id := <-answered; id != 1 {
			t.Errorf("got answer %d, want 1", id)
		}
	})
}

func TestDrainEnds(t *testing.T) {
	bubble(t, listen.Limits{Drain: time.Second}, func(t *testing.T, h *handler, p *pipes, stop func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "slow.example")))
		waiting := <-h.started
		if got := elapsed(stop); got != time.Second {
			t.Errorf("stopped after %v, want 1s", got)
		}
		waiting.answer() // too late, and harmless
		wantClosed(t, conn)
	})
}

func TestHandlerThatNeverRepliesToAClosedStream(t *testing.T) {
	bubble(t, listen.Limits{}, func(t *testing.T, h *handler, p *pipes, _ func()) {
		conn := p.dial("192.0.2.1")
		send(t, conn, framed(query(1, "slow.example")))
		<-h.started
		_ = conn.Close()
		time.Sleep(11 * time.Second) // its place is free again: the bubble would not end
		synctest.Wait()
	})
}

// flaky fails to accept, as without free descriptors, until it is told to work.
type flaky struct {
	*pipes
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	return f.pipes.Accept()
}

func TestAcceptGoesOnAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := &flaky{pipes: newPipes(), failures: 3}
		s, err := listen.New(listen.Config{
			Streams: []net.Listener{f}, Handler: newHandler(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		var conn net.Conn
		if got := elapsed(func() { conn = f.dial("192.0.2.1") }); got != 7*time.Millisecond {
			t.Errorf("it took %v, want pauses of 1, 2 and 4 ms", got)
		}
		ask(t, conn, 1)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "can't be accepted") {
			t.Errorf("want one line for three failures: %s", log.String())
		}
	})
}
