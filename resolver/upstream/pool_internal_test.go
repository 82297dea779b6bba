package upstream

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// links is a network that keeps what it is given. Its mutex guards its links, too.
type links struct {
	mu   sync.Mutex
	all  []*fakeLink
	fail error // of open
}

type fakeLink struct {
	network *links
	port    *port
	sent    [][]byte
	closed  bool
}

func (n *links) open(_ netip.AddrPort, p *port) (link, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return nil, n.fail
	}
	l := &fakeLink{network: n, port: p}
	n.all = append(n.all, l)
	return l, nil
}

func (l *fakeLink) send(msg []byte) error {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.sent = append(l.sent, append([]byte(nil), msg...))
	return nil
}

func (l *fakeLink) close() {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.closed = true
}

func (l *fakeLink) isClosed() bool {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	return l.closed
}

// answer is an empty answer to what was sent last.
func (l *fakeLink) answer() []byte {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	msg := append([]byte(nil), l.sent[len(l.sent)-1]...)
	msg[2] |= 0x80
	return msg
}

func linked(t *testing.T) (*Group, *links) {
	t.Helper()
	g, err := New(Config{Servers: []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:53")}}})
	if err != nil {
		t.Fatal(err)
	}
	n := new(links)
	g.network = n
	return g, n
}

func (n *links) open64(t *testing.T, g *Group) {
	t.Helper()
	s := (*g.servers.Load())[0].server
	for range 100 * maxPorts {
		if _, _, err := s.pool.choose(g, s, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if len(n.all) != maxPorts {
		t.Errorf("%d ports are open, want %d", len(n.all), maxPorts)
	}
}

var example = Question{Name: []byte("\x07example\x00"), Type: 1, Class: 1}

// asked asks and returns the link that the question went to.
func (n *links) asked(t *testing.T, g *Group, results chan Result) *fakeLink {
	t.Helper()
	before := n.sent()
	g.Ask(example, time.Time{}, func(r Result) { results <- r })
	for l, sent := range n.sent() {
		if sent > before[l] {
			return l
		}
	}
	t.Fatal("nothing was sent")
	return nil
}

// sent is how many datagrams were sent by each link.
func (n *links) sent() map[*fakeLink]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make(map[*fakeLink]int)
	for _, l := range n.all {
		all[l] = len(l.sent)
	}
	return all
}

// A port that is full or old gets no more questions, is open as long as one of its questions is, and then closes.
func TestPortRetires(t *testing.T) {
	for name, retire := range map[string]func(p *port){
		"full": func(p *port) {
			for id := range 2 * maxUses {
				if p.open(uint16(id), ticket{flight: new(flight)}) {
					p.forget(uint16(id))
				}
			}
		},
		"old": func(p *port) { p.ring(time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, n := linked(t)
				results := make(chan Result, 1)
				l := n.asked(t, g, results)
				retire(l.port)
				if l.isClosed() {
					t.Fatal("it is closed although a question is open")
				}
				if l.port.open(7, ticket{}) || l.port.server.pool.ports[l.port.place] != nil {
					t.Error("it gets another question")
				}
				l.port.heard(l.answer())
				if r := <-results; r.Err != nil {
					t.Error(r.Err)
				}
				if !l.isClosed() {
					t.Error("it is open although no question is")
				}
			})
		})
	}
}

// A port gets maxUses questions, each with an ID of its own.
func TestPortUses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		n.open64(t, g)
		p := n.all[0].port
		uses := 0
		for i := range 1 << 17 {
			if p.open(uint16(i*7), ticket{flight: new(flight)}) {
				uses++
			}
		}
		if uses != maxUses || len(p.asked) != maxUses {
			t.Errorf("%d questions with %d IDs, want %d", uses, len(p.asked), maxUses)
		}
	})
}

// When no port can be opened, those that are open do. The error is told only if there is none.
func TestPoolThatCannotGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		first := n.asked(t, g, results)
		n.fail = syscall.EMFILE
		for range 50 {
			if l := n.asked(t, g, results); l != first {
				t.Fatal("another port was opened")
			}
			first.port.heard(first.answer())
			if r := <-results; r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	})
}

// An ID that is out of use for long is no guess: an answer may be late, or come twice.
func TestLateAndTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		l := n.asked(t, g, results)
		answer := l.answer()
		for range 20 {
			l.port.heard(answer)
		}
		if r := <-results; r.Err != nil {
			t.Fatal(r.Err)
		}
		late := n.asked(t, g, results)
		lateAnswer := late.answer()
		if r := <-results; r.Err == nil {
			t.Fatal("want an error")
		}
		for range 20 {
			late.port.heard(lateAnswer)
		}
		if l.port.guesses+late.port.guesses != 0 || l.isClosed() || late.isClosed() {
			t.Errorf("it was taken for %d guesses", l.port.guesses+late.port.guesses)
		}
	})
}

// Guesses count while no question is open, too; a port that has seen a few is closed at once, and another takes its place.
func TestGuessesAtIdlePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		l := n.asked(t, g, results)
		l.port.heard(l.answer())
		<-results
		for i := range maxWrongIDs + 1 {
			if l.isClosed() {
				t.Errorf("closed after %d guesses", i)
			}
			l.guess(1)
		}
		if !l.isClosed() || l.port.server.pool.ports[l.port.place] != nil {
			t.Error("the port is still in use")
		}
	})
}

// An event for a question that is over does nothing to the one that the flight is on by then.
func TestLateEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 2)
		l := n.asked(t, g, results)
		id := binary.BigEndian.Uint16(l.sent[0])
		l.port.mu.Lock()
		old := l.port.asked[id]
		l.port.mu.Unlock()
		f := old.flight
		l.port.heard(l.answer())
		<-results

		f.mu.Lock() // as newFlight would have it for the next Ask, of which nothing is known of the old one
		f.g, f.deadline, f.packets, f.done = g, time.Now().Add(time.Second), maxPackets, func(r Result) { results <- r }
		f.question.set(&example)
		f.turn, f.made, f.open = 0, 0, 0
		f.rank(*g.servers.Load(), time.Now())
		g.inFlight.Add(1)
		f.advance(time.Now())
		a := &f.attempts[0]
		f.mu.Unlock()

		old.heard(a.port, a.id, l.answer())
		old.broke(a.port, a.id, Unreachable)
		old.doubted(a.port, a.id)
		old.exchanged(nil, 0, net.ErrClosed)
		f.ring(time.Now())
		f.mu.Lock()
		if len(results) != 0 || a.guessed || f.open != 1 {
			t.Errorf("%d results, guessed %v, %d attempts open", len(results), a.guessed, f.open)
		}
		f.mu.Unlock()
		if r := <-results; r.Err == nil { // its own alarm
			t.Error("want an error")
		}
	})
}

// An event for a question that was asked again, from another port, does nothing to that.
func TestLateEventsOfOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		l := n.asked(t, g, results)
		id := binary.BigEndian.Uint16(l.sent[0])
		l.port.mu.Lock()
		old := l.port.asked[id]
		l.port.mu.Unlock()
		answer, refusal := l.answer(), l.answer()
		refusal[3] |= 1 // FORMERR: it is asked again without EDNS
		l.port.heard(refusal)
		old.heard(l.port, id, answer)
		old.broke(l.port, id, Unreachable)
		old.doubted(l.port, id)
		old.flight.mu.Lock()
		if a := &old.flight.attempts[0]; len(results) != 0 || a.guessed || a.port == nil {
			t.Errorf("%d results, guessed %v", len(results), a.guessed)
		}
		old.flight.mu.Unlock()
		<-results
	})
}

// When nothing is asked any more, nothing is on the clock but the ends of the ports; when they are closed, nothing.
func TestNothingStaysOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		for range 200 {
			l := n.asked(t, g, results)
			l.port.heard(l.answer())
			<-results
		}
		if len(g.clock.heap) != len(n.all) {
			t.Errorf("%d alarms for %d ports", len(g.clock.heap), len(n.all))
		}
		for _, l := range n.all {
			l.guess(maxWrongIDs + 1)
		}
		if len(g.clock.heap) != 0 {
			t.Errorf("%d alarms are left", len(g.clock.heap))
		}
	})
}

// A fault in one done is not another's, and the clock and the port go on.
func TestPanicInDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		results := make(chan Result, 1)
		l := n.asked(t, g, results)
		l.port.heard(l.answer())
		<-results
		for range 2 {
			g.Ask(example, time.Time{}, func(Result) { panic("a fault") })
		}
		time.Sleep(MaxWait)
		g.Ask(Question{}, time.Time{}, func(Result) { panic("a fault") })
		synctest.Wait()
		if g.inFlight.Load() != 0 {
			t.Errorf("%d in flight", g.inFlight.Load())
		}
		l = n.asked(t, g, results)
		l.port.heard(l.answer())
		if r := <-results; r.Err != nil {
			t.Error(r.Err)
		}
	})
}

// streams are what TCP connections become: the test holds their other ends.
func (n *links) streams(g *Group) chan net.Conn {
	conns := make(chan net.Conn, maxPackets)
	g.dial = func(context.Context, string, netip.AddrPort) (net.Conn, error) {
		here, there := net.Pipe()
		conns <- there
		return here, nil
	}
	return conns
}

// What comes over UDP in doubt waits until TCP is of no help, also if the port is closed meanwhile: it came before.
func TestHeldInDoubt(t *testing.T) {
	refused := syscall.ECONNREFUSED
	for _, c := range []struct {
		name string
		come func(l *fakeLink) // while TCP is tried
		want Kind              // 0: an answer
	}{
		{"answer", func(l *fakeLink) { l.port.heard(l.answer()) }, 0},
		{"answer in a buffer that is used again", func(l *fakeLink) { buf := l.answer(); l.port.heard(buf); clear(buf) }, 0},
		{"nothing", func(*fakeLink) {}, Timeout},
		{"answer, then refused", func(l *fakeLink) { l.port.heard(l.answer()); l.port.broke(refused, false) }, 0},
		{"refused", func(l *fakeLink) { l.port.broke(refused, false) }, Unreachable},
		{"answer, then guesses", func(l *fakeLink) { l.port.heard(l.answer()); l.guess(maxWrongIDs) }, 0},
		{"guesses, then answer", func(l *fakeLink) { l.guess(maxWrongIDs); l.port.heard(l.answer()) }, Malformed},
		{"garbage, then answer", func(l *fakeLink) { l.port.heard(l.answer()[:20]); l.port.heard(l.answer()) }, 0},
		{"garbled, then answer", func(l *fakeLink) { l.port.heard(append(l.answer(), 0)); l.port.heard(l.answer()) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, n := linked(t)
				conns := n.streams(g)
				results := make(chan Result, 1)
				l := n.asked(t, g, results)
				l.guess(1)
				conn := <-conns
				c.come(l)
				synctest.Wait()
				if len(results) != 0 {
					t.Error("it was over before TCP was")
				}
				_ = conn.Close()
				go func() { // further attempts, where there are any, fare no better
					for conn := range conns {
						_ = conn.Close()
					}
				}()
				r := <-results
				e, _ := errors.AsType[*Error](r.Err)
				if (c.want == 0) != (r.Err == nil) || e != nil && e.Kind != c.want {
					t.Errorf("got %v, want %v", r.Err, c.want)
				}
				close(conns)
			})
		})
	}
}

// guess sends datagrams with IDs that were not asked with.
func (l *fakeLink) guess(count int) {
	msg := l.answer()
	for id := binary.BigEndian.Uint16(msg); count > 0; id++ {
		l.port.mu.Lock()
		used := l.port.isUsed(id)
		l.port.mu.Unlock()
		if used { // then it would be late, and no guess
			continue
		}
		binary.BigEndian.PutUint16(msg, id)
		l.port.heard(msg)
		count--
	}
}

// TestDraw: neither port nor ID follows from those before.
func TestDraw(t *testing.T) {
	const draws = 4096
	p := new(pool)
	places, steps := make(map[[2]int]bool), make(map[uint16]bool)
	lastID, lastPlace := p.draw()
	for range draws {
		id, place := p.draw()
		places[[2]int{lastPlace, place}] = true
		steps[id-lastID] = true
		lastID, lastPlace = id, place
	}
	if len(places) < 2400 { // 2,589 of the 4,096 pairs are to be expected, give or take 30
		t.Errorf("%d different pairs of ports in %d draws", len(places), draws)
	}
	if len(steps) < 3800 { // 3,970, give or take 11
		t.Errorf("%d different distances from ID to ID in %d draws", len(steps), draws)
	}
}

// promise is a stream from a server that says how much will come and sends less.
type promise struct {
	net.Conn // what is not overwritten is not called

	say io.Reader
}

func (p *promise) Read(b []byte) (int, error)  { return p.say.Read(b) }
func (p *promise) Write(b []byte) (int, error) { return len(b), nil }
func (p *promise) SetDeadline(time.Time) error { return nil }
func (p *promise) Close() error                { return nil }

// What a server promises over TCP takes no memory before it comes.
func TestEmptyPromises(t *testing.T) {
	dial := func(context.Context, string, netip.AddrPort) (net.Conn, error) {
		return &promise{say: strings.NewReader("\xff\xffonly this")}, nil
	}
	const exchanges = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range exchanges {
		_, err := exchange(t.Context(), dial, netip.AddrPort{}, time.Time{}, make([]byte, 20))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v, want that it ended early", err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / exchanges; took > 8<<10 {
		t.Errorf("an exchange took %d octets", took)
	}
}

// refusedOnce is a connected UDP socket whose next write tells what became of an earlier one.
type refusedOnce struct {
	net.Conn

	told bool
	sent []string
}

func (r *refusedOnce) Write(b []byte) (int, error) {
	if !r.told {
		r.told = true
		return 0, &net.OpError{Op: "write", Err: syscall.ECONNREFUSED}
	}
	r.sent = append(r.sent, string(b))
	return len(b), nil
}

// That nobody listened to an earlier datagram does not keep one from being sent.
func TestConnectionThatWasRefused(t *testing.T) {
	conn := new(refusedOnce)
	if err := (connection{conn}).send([]byte("again")); err != nil || len(conn.sent) != 1 || conn.sent[0] != "again" {
		t.Errorf("sent %q, %v", conn.sent, err)
	}
}

// faulty is a log that a fault comes from, once.
type faulty struct {
	slog.Handler

	faults int
}

func (h *faulty) Enabled(context.Context, slog.Level) bool { return true }
func (h *faulty) WithAttrs([]slog.Attr) slog.Handler       { return h }

func (h *faulty) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelDebug {
		panic("a fault")
	}
	h.faults++
	return nil
}

// A fault in reading a message costs that message only: the question is open, and nobody else waits for it.
func TestPanicInReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, n := linked(t)
		log := new(faulty)
		g.log = slog.New(log)
		results := make(chan Result, 1)
		l := n.asked(t, g, results)
		l.port.heard(append(l.answer(), 0)) // malformed, which is logged
		if len(results) != 0 || log.faults != 1 {
			t.Errorf("%d results, %d faults were told", len(results), log.faults)
		}
		l.port.heard(l.answer())
		if r := <-results; r.Err != nil {
			t.Error(r.Err)
		}
	})
}
