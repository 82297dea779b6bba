package upstream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

func TestQuery(t *testing.T) {
	for _, c := range []struct {
		name          string
		do, cd, trust bool
	}{
		{name: "plain"},
		{name: "do", do: true},
		{name: "cd", cd: true},
		{name: "trusted", trust: true},
		{name: "all", do: true, cd: true, trust: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				servers := n.add(1, good)
				servers[0].Trusted = c.trust
				g := n.group(upstream.Config{}, servers)
				q := question()
				q.DO, q.CD = c.do, c.cd
				r, took := ask(g, q)
				if r.Err != nil || took != 0 || r.Trusted != c.trust {
					t.Fatalf("got %+v after %v", r, took)
				}
				m := n.packets()[0].query
				if !m.RecursionDesired || m.CheckingDisabled != c.cd || m.AuthenticatedData != c.trust || m.Response {
					t.Errorf("header %+v", m.MsgHdr)
				}
				opt := m.IsEdns0()
				if len(m.Extra) != 1 || opt == nil || opt.UDPSize() != 1232 || opt.Do() != c.do || len(opt.Option) != 0 {
					t.Errorf("additional section %v", m.Extra)
				}
				if m.Question[0] != (dns.Question{Name: secret, Qtype: dns.TypeA, Qclass: dns.ClassINET}) {
					t.Errorf("question %v", m.Question)
				}
			})
		})
	}
}

// TestFirstServerFails has one bad server and a good one, and asks until the bad one was asked first.
func TestFirstServerFails(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		name string
		bad  script
		cost time.Duration // at most
	}{
		{"silent", silent, second},
		{"closed port", nil, 0},
		{"garbled", garbled, second},
		{"wrong id, no tcp", byTransport(wrongID, hangUp), second},
		{"slow", after(3*second, good), second},
		{"servfail", rcode(dns.RcodeServerFailure), 0},
		{"refused", rcode(dns.RcodeRefused), 0},
		{"formerr", rcode(dns.RcodeFormatError), 0},
		{"notimp", rcode(dns.RcodeNotImplemented), 0},
		{"notauth", rcode(dns.RcodeNotAuth), 0},
		{"badvers", rcode(dns.RcodeBadVers), 0},
		{"referral", referral, 0},
		{"a header that says formerr", bare(dns.RcodeFormatError), 0},
		{"a header that says servfail", bare(dns.RcodeServerFailure), second},
		{"cut, tcp closes", byTransport(cut, hangUp), 0},
		{"cut, tcp lies", byTransport(cut, lie), 0},
		{"cut, tcp silent", byTransport(cut, silent), second},
		{"cut, tcp cut", cut, 0},
		{"cut, tcp wrong id", byTransport(cut, wrongID), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				bad := n.add(1, silent)
				n.set(bad[0], c.bad)
				g := n.group(upstream.Config{}, bad, n.add(1, good))
				for range 30 {
					if took := mustAnswer(t, g); took > c.cost {
						t.Errorf("took %v, want at most %v", took, c.cost)
					}
				}
				if c.bad != nil && len(n.packets(bad[0])) == 0 {
					t.Error("the bad server was never asked")
				}
			})
		})
	}
}

// TestLimits has servers that never answer, in every way.
func TestLimits(t *testing.T) {
	for name, s := range map[string]script{
		"silent":          silent,
		"garbled":         garbled,
		"wrong id":        wrongID,
		"cut, tcp silent": byTransport(cut, silent),
		"cut, tcp closes": byTransport(cut, hangUp),
		"formerr":         rcode(dns.RcodeFormatError),
		"guesses": func(x *exchange) {
			for range 500 {
				wrongID(x)
			}
		},
	} {
		for count := 1; count <= 6; count++ {
			t.Run(fmt.Sprintf("%s %d", name, count), func(t *testing.T) {
				bubble(t, func(t *testing.T, n *fakeNet) {
					servers := n.add(count, s)
					g := n.group(upstream.Config{}, servers)
					r, took := ask(g, question())
					if r.Err == nil || took > upstream.MaxWait {
						t.Errorf("got %+v after %v", r, took)
					}
					if len(n.packets()) > 12 {
						t.Errorf("%d packets", len(n.packets()))
					}
					perTransport := make(map[string]int)
					for _, p := range n.packets() {
						perTransport[p.to.String()+p.network]++
					}
					for to, sent := range perTransport {
						if sent > 3 {
							t.Errorf("%d queries to %s", sent, to)
						}
					}
				})
			})
		}
	}
}

// TestLimitWithoutEDNS: asking again without EDNS counts as well.
func TestLimitWithoutEDNS(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
			if x.number >= 2 {
				rcode(dns.RcodeFormatError)(x)
			}
		}))
		if r, _ := ask(g, question()); r.Err == nil || len(n.packets()) != 3 {
			t.Errorf("%v after %d packets, want 3", r.Err, len(n.packets()))
		}
	})
}

// TestNewestFails: when the server that was asked last says no, the next one is asked at once, though an earlier one may still answer.
func TestNewestFails(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		var asked atomic.Int32
		g := n.group(upstream.Config{}, n.add(3, func(x *exchange) {
			switch asked.Add(1) {
			case 1:
				silent(x)
			case 2:
				rcode(dns.RcodeServerFailure)(x)
			default:
				good(x)
			}
		}))
		took := mustAnswer(t, g)
		if sent := n.packets(); len(sent) != 3 || sent[1].at != took || sent[2].at != took {
			t.Errorf("%d packets, want the third at once after the second; it took %v", len(sent), took)
		}
	})
}

// TestNobodyLeft: the flight is over when the last open attempt is, even if it is not the newest.
func TestNobodyLeft(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
			if x.number == 0 {
				time.Sleep(3 * time.Second)
			}
			rcode(dns.RcodeServerFailure)(x)
		}))
		if r, took := ask(g, question()); r.Err == nil || took != 3*time.Second {
			t.Errorf("%v after %v, want 3s", r.Err, took)
		}
	})
}

func TestFailureOfAll(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     script
		kind  upstream.Kind
		rcode wire.Rcode
		ede   wire.EDECode
		took  time.Duration
		text  string
	}{
		{
			"silent", silent, upstream.Timeout, 0, wire.EDENoReachableAuth, 5 * time.Second,
			"no upstream answered: 192.0.2.1:53 timeout (3 queries)",
		},
		{
			"closed port", nil, upstream.Unreachable, 0, wire.EDENoReachableAuth, 0,
			"no upstream answered: 192.0.2.1:53 unreachable (1 query)",
		},
		{
			"servfail", rcode(2), upstream.Refused, wire.ServFail, wire.EDENetworkError, 0,
			"no upstream answered: 192.0.2.1:53 SERVFAIL (1 query)",
		},
		{
			"notauth", rcode(9), upstream.Refused, 9, wire.EDENetworkError, 0,
			"no upstream answered: 192.0.2.1:53 RCODE9 (1 query)",
		},
		{
			"garbled", garbled, upstream.Malformed, 0, wire.EDENetworkError, 5 * time.Second,
			"no upstream answered: 192.0.2.1:53 malformed (3 queries)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				server := n.add(1, silent)
				n.set(server[0], c.s)
				r, took := ask(n.group(upstream.Config{}, server), question())
				e, ok := errors.AsType[*upstream.Error](r.Err)
				if !ok || e.Kind != c.kind || e.Rcode != c.rcode || e.EDE() != c.ede || took != c.took || r.Msg != nil {
					t.Fatalf("got %+v after %v", r, took)
				}
				if e.Error() != c.text {
					t.Errorf("error %q, want %q", e, c.text)
				}
			})
		})
	}
}

// TestErrorIsWorst: of several servers' failures the error has the one that says most.
func TestErrorIsWorst(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		dead := n.add(2, silent)
		n.set(dead[1], nil)
		r, _ := ask(n.group(upstream.Config{}, dead, n.add(1, rcode(dns.RcodeRefused))), question())
		e, ok := errors.AsType[*upstream.Error](r.Err)
		if !ok || e.Kind != upstream.Refused || e.Rcode != wire.Refused || len(e.Servers) != 3 {
			t.Errorf("got %+v", r.Err)
		}
	})
}

// TestDialErrors: an error of this host is not held against the server.
func TestDialErrors(t *testing.T) {
	for _, c := range []struct {
		err     error
		kind    upstream.Kind
		ede     wire.EDECode
		failing bool
	}{
		{syscall.EMFILE, upstream.Local, wire.EDENone, false},
		{syscall.EADDRNOTAVAIL, upstream.Local, wire.EDENone, false},
		{syscall.ENETUNREACH, upstream.Unreachable, wire.EDENoReachableAuth, true},
		{syscall.EHOSTUNREACH, upstream.Unreachable, wire.EDENoReachableAuth, true},
	} {
		g, err := upstream.New(upstream.Config{
			Servers: []upstream.Server{{Addr: netip.MustParseAddrPort("192.0.2.1:53")}},
			Dial: func(context.Context, string, netip.AddrPort) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", c.err)}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			r, _ := ask(g, question())
			if e, ok := errors.AsType[*upstream.Error](r.Err); !ok || e.Kind != c.kind || e.EDE() != c.ede {
				t.Errorf("%v: got %v", c.err, r.Err)
			}
		}
		if failing := strings.Contains(gather(t, g), "failing"); failing != c.failing {
			t.Errorf("%v: the server is failing: %v", c.err, failing)
		}
	}
}

func TestDeadline(t *testing.T) {
	for _, c := range []struct{ deadline, took time.Duration }{
		{-time.Second, 0},
		{0, 0},
		{700 * time.Millisecond, 700 * time.Millisecond},
		{time.Hour, upstream.MaxWait},
	} {
		bubble(t, func(t *testing.T, n *fakeNet) {
			g := n.group(upstream.Config{}, n.add(2, silent))
			began := time.Now()
			results := make(chan upstream.Result)
			g.Ask(question(), began.Add(c.deadline), func(r upstream.Result) { results <- r })
			r := <-results
			if took := time.Since(began); r.Err == nil || took != c.took {
				t.Errorf("deadline in %v: %v after %v", c.deadline, r.Err, took)
			}
			if c.took == 0 && len(n.packets()) > 0 {
				t.Error("asked after the deadline")
			}
		})
	}
}

// TestSlowServerIsHeard: patience is for asking others; who answers late still answers.
func TestSlowServerIsHeard(t *testing.T) {
	for _, delay := range []time.Duration{900 * time.Millisecond, 1500 * time.Millisecond, 4 * time.Second} {
		bubble(t, func(t *testing.T, n *fakeNet) {
			s := after(delay, good)
			if took := mustAnswer(t, n.group(upstream.Config{}, n.add(1, s))); took != delay {
				t.Errorf("took %v, want %v", took, delay)
			}
		})
	}
}

// TestLostPacket: patience is four response times, within 0.4 and 1 s.
func TestLostPacket(t *testing.T) {
	for _, c := range []struct{ rtt, patience time.Duration }{
		{time.Millisecond, 400 * time.Millisecond},
		{150 * time.Millisecond, 600 * time.Millisecond},
		{350 * time.Millisecond, time.Second},
	} {
		bubble(t, func(t *testing.T, n *fakeNet) {
			var lose atomic.Bool
			g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
				if !lose.CompareAndSwap(true, false) {
					after(c.rtt, good)(x)
				}
			}))
			if took := mustAnswer(t, g); took != c.rtt {
				t.Fatalf("took %v, want %v", took, c.rtt)
			}
			lose.Store(true)
			if took := mustAnswer(t, g); took != c.patience+c.rtt {
				t.Errorf("took %v, want %v", took, c.patience+c.rtt)
			}
		})
	}
}

func TestBusy(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{MaxInFlight: 2}, n.add(1, after(time.Second, good)))
		var answered, busy atomic.Int32
		for range 5 {
			g.Ask(question(), time.Time{}, func(r upstream.Result) {
				if r.Err == nil {
					answered.Add(1)
				} else if errors.Is(r.Err, upstream.ErrBusy) {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		if busy.Load() != 3 {
			t.Errorf("%d were refused at once, want 3", busy.Load())
		}
		time.Sleep(2 * time.Second)
		if answered.Load() != 2 {
			t.Errorf("%d were answered, want 2", answered.Load())
		}
		mustAnswer(t, g)
	})
}

// TestDoneOnce: done is called once, whatever comes late or twice.
func TestDoneOnce(t *testing.T) {
	for name, s := range map[string]script{
		"good": good, "silent": silent,
		"twice": func(x *exchange) { good(x); good(x) },
		"late":  after(900*time.Millisecond, good),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				g := n.group(upstream.Config{}, n.add(3, s))
				var calls atomic.Int32
				g.Ask(question(), time.Time{}, func(upstream.Result) { calls.Add(1) })
				time.Sleep(time.Minute)
				if calls.Load() != 1 {
					t.Errorf("done was called %d times", calls.Load())
				}
			})
		})
	}
}

func TestInvalidName(t *testing.T) {
	n := newNet(t)
	g := n.group(upstream.Config{}, n.add(1, good))
	long := bytes.Repeat([]byte{1, 'a'}, 128)
	for _, name := range []string{
		"", "\x03www", "\x03www\x00x", "\xc0\x0c", "\x03wWw\x00", string(append(long, 0)), strings.Repeat("a", 300),
	} {
		r, _ := ask(g, upstream.Question{Name: []byte(name), Type: 1, Class: 1})
		if e, ok := errors.AsType[*upstream.Error](r.Err); !ok || e.Kind != upstream.Invalid || e.EDE() != wire.EDENone {
			t.Errorf("%q: got %+v", name, r)
		}
	}
	for _, name := range []string{"\x00", "\x01a\x00", "\x03w.w\x00", "\x01\x00\x00"} {
		if r, _ := ask(g, upstream.Question{Name: []byte(name), Type: 1, Class: 1}); r.Err != nil {
			t.Errorf("%q: %v", name, r.Err)
		}
	}
}

func TestIDsVary(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, good))
		ids := make(map[uint16]bool)
		for range 500 {
			mustAnswer(t, g)
		}
		for _, p := range n.packets() {
			ids[p.query.Id] = true
		}
		if len(ids) < 480 { // 2 repetitions are to be expected
			t.Errorf("%d IDs in 500 queries", len(ids))
		}
	})
}

func TestConfig(t *testing.T) {
	ap := netip.MustParseAddrPort
	var many []upstream.Server
	for i := range upstream.MaxServers + 1 {
		many = append(many, upstream.Server{Addr: netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), uint16(i+1))})
	}
	for _, c := range []struct {
		servers []upstream.Server
		max     int
		want    string
	}{
		{nil, 0, "no servers"},
		{many, 0, "17 servers"},
		{[]upstream.Server{{}}, 0, "want an address and a port"},
		{[]upstream.Server{{Addr: ap("192.0.2.1:0")}}, 0, "want an address and a port"},
		{[]upstream.Server{{Addr: ap("192.0.2.1:53")}, {Addr: ap("[::ffff:192.0.2.1]:53")}}, 0, "192.0.2.1:53\" appears twice"},
		{[]upstream.Server{{Addr: netip.AddrPortFrom(netip.IPv6LinkLocalAllNodes().WithZone("a\xff"), 53)}}, 0, "printable ASCII"},
		{many[:1], -1, "MaxInFlight is -1"},
	} {
		_, err := upstream.New(upstream.Config{Servers: c.servers, MaxInFlight: c.max})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if _, err := upstream.New(upstream.Config{Servers: many[:1], Route: "\xff"}); err == nil {
		t.Error("want an error for a route that is not UTF-8")
	}
	if _, err := upstream.New(upstream.Config{Servers: many[:upstream.MaxServers]}); err != nil {
		t.Error(err)
	}
}

// TestNothingTold: no log line and no error says what was asked.
func TestNothingTold(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		var log, told bytes.Buffer
		bad := n.add(5, silent)
		n.set(bad[1], garbled)
		n.set(bad[2], rcode(dns.RcodeServerFailure))
		n.set(bad[3], wrongID)
		n.set(bad[4], nil)
		g := n.group(upstream.Config{
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}, bad)
		for range 10 {
			r, _ := ask(g, question())
			fmt.Fprintln(&told, r.Err)
		}
		time.Sleep(time.Minute) // now nobody logs any more
		told.Write(log.Bytes())
		if !strings.Contains(log.String(), "upstream server is failing") {
			t.Errorf("a failing server was not logged: %s", log.String())
		}
		if strings.Contains(told.String(), "example") {
			t.Errorf("the name was told: %s", told.String())
		}
	})
}
