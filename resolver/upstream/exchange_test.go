package upstream_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
)

// TestUnheard: a datagram that is not the answer is as if it had not come; the right one is taken when it comes.
func TestUnheard(t *testing.T) {
	change := func(f func(m *dns.Msg)) func(x *exchange) []byte {
		return func(x *exchange) []byte { return x.answer(f) }
	}
	octets := func(f func(b []byte) []byte) func(x *exchange) []byte {
		return func(x *exchange) []byte { return f(x.answer(nil)) }
	}
	for _, c := range []struct {
		name string
		bad  func(x *exchange) []byte
	}{
		{"one octet", octets(func(b []byte) []byte { return b[:1] })},
		{"half a header", octets(func(b []byte) []byte { return b[:11] })},
		{"header only", octets(func(b []byte) []byte { return b[:12] })},
		{"half a question", octets(func(b []byte) []byte { return b[:20] })},
		{"a query", change(func(m *dns.Msg) { m.Response = false })},
		{"an update", change(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate })},
		{"no question", change(func(m *dns.Msg) { m.Question = nil })},
		{"servfail without question", change(func(m *dns.Msg) { m.Question, m.Answer, m.Rcode = nil, nil, 2 })},
		{"two questions", change(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) })},
		{"wrong name", change(func(m *dns.Msg) { m.Question[0].Name = "wwx.example.org." })},
		{"longer name", change(func(m *dns.Msg) { m.Question[0].Name = "a." + secret })},
		{"shorter name", change(func(m *dns.Msg) { m.Question[0].Name = "example.org." })},
		{"wrong type", change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA })},
		{"wrong class", change(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })},
		{"cut without TC", octets(func(b []byte) []byte { return b[:len(b)-3] })},
		{"more behind it", octets(func(b []byte) []byte { return append(b, 0) })},
		{"record count lies", octets(func(b []byte) []byte { b[7]++; return b })},
		{"address of 3 octets", func(x *exchange) []byte {
			b := x.answer(func(m *dns.Msg) { m.Extra = nil })
			b = b[:len(b)-1]
			b[len(b)-4]--
			return b
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
					x.send(c.bad(x))
					x.send(c.bad(x))
					after(50*time.Millisecond, good)(x)
				}))
				if took := mustAnswer(t, g); took != 50*time.Millisecond {
					t.Errorf("took %v, want 50ms", took)
				}
				if len(n.packets()) != 1 {
					t.Errorf("%d packets, want 1", len(n.packets()))
				}
			})
		})
	}
}

// TestCaseOfAnswer: the question of the answer may differ in case.
func TestCaseOfAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
			x.send(bytes.ReplaceAll(x.answer(nil), []byte("example"), []byte("ExAMPle")))
		}))
		if r, took := ask(g, question()); r.Err != nil || took != 0 {
			t.Errorf("%v after %v", r.Err, took)
		}
	})
}

// TestTruncated: an answer that is cut is fetched over TCP from the same server.
func TestTruncated(t *testing.T) {
	for name, tcp := range map[string]script{"at once": good, "octet by octet": dribble} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				g := n.group(upstream.Config{}, n.add(1, byTransport(cut, tcp)))
				mustAnswer(t, g)
				sent := n.packets()
				if len(sent) != 2 || sent[0].network != "udp" || sent[1].network != "tcp" {
					t.Errorf("sent %v", sent)
				}
				if sent[0].query.Id == sent[1].query.Id {
					t.Error("the ID was used twice")
				}
			})
		})
	}
}

// TestBigAnswer comes over TCP as large as a message can be.
func TestBigAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		big := func(x *exchange) {
			x.send(x.answer(func(m *dns.Msg) {
				for range 250 {
					m.Answer = append(m.Answer, &dns.TXT{
						Hdr: dns.RR_Header{Name: secret, Rrtype: dns.TypeTXT, Class: dns.ClassINET},
						Txt: []string{string(bytes.Repeat([]byte("x"), 220))},
					})
				}
			}))
		}
		r, _ := ask(n.group(upstream.Config{}, n.add(1, byTransport(cut, big))), question())
		if r.Err != nil || len(r.Msg) < 60000 {
			t.Errorf("%d octets, %v", len(r.Msg), r.Err)
		}
	})
}

// forged is a wrong ID followed by a guess that is right, with another address in it.
func forged(x *exchange) {
	wrongID(x)
	x.send(x.answer(func(m *dns.Msg) { m.Answer[0].(*dns.A).A[3] = 66 }))
}

// TestWrongIDGoesToTCP: once somebody guesses, what comes over UDP is not believed if TCP can be asked.
func TestWrongIDGoesToTCP(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, byTransport(forged, after(30*time.Millisecond, good))))
		r, took := ask(g, question())
		if r.Err != nil || took != 30*time.Millisecond {
			t.Fatalf("%v after %v", r.Err, took)
		}
		m := new(dns.Msg)
		if err := m.Unpack(r.Msg); err != nil || m.Answer[0].(*dns.A).A[3] != 7 {
			t.Errorf("got %v, %v", m, err)
		}
	})
}

// TestWrongIDWithoutTCP: a server that has no TCP is still heard over UDP, as long as the wrong IDs are few.
func TestWrongIDWithoutTCP(t *testing.T) {
	for _, c := range []struct {
		wrong int
		heard bool
	}{{1, true}, {4, true}, {5, false}, {500, false}} {
		for name, tcp := range map[string]script{"closes": hangUp, "silent": silent} {
			bubble(t, func(t *testing.T, n *fakeNet) {
				g := n.group(upstream.Config{}, n.add(1, byTransport(func(x *exchange) {
					for range c.wrong {
						wrongID(x)
					}
					good(x)
				}, tcp)))
				r, took := ask(g, question())
				if heard := r.Err == nil; heard != c.heard {
					t.Errorf("%d wrong IDs, tcp %s: got %v after %v", c.wrong, name, r.Err, took)
				}
				if c.heard && took > time.Second {
					t.Errorf("%d wrong IDs, tcp %s: heard after %v, want at most 1s", c.wrong, name, took)
				}
			})
		}
	}
}

// withoutEDNS refuses a query that has an OPT record.
func withoutEDNS(code int) script {
	return func(x *exchange) {
		if x.query.IsEdns0() != nil {
			x.send(x.answer(func(m *dns.Msg) {
				m.Answer, m.Rcode = nil, code
				if code <= 15 {
					m.Extra = nil
				}
			}))
			return
		}
		good(x)
	}
}

// bare says code in a header without anything behind it.
func bare(code int) script {
	return func(x *exchange) {
		id := x.query.Id
		x.send([]byte{byte(id >> 8), byte(id), 0x81, 0x80 | byte(code), 0, 0, 0, 0, 0, 0, 0, 0})
	}
}

// referral names the servers of a zone instead of asking them.
func referral(x *exchange) {
	x.send(x.answer(func(m *dns.Msg) {
		m.Answer = nil
		m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "ns.example."}}
	}))
}

// TestServerWithoutEDNSThatDoesNotReadOn: its error has no question.
func TestServerWithoutEDNSThatDoesNotReadOn(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(1, func(x *exchange) {
			if x.query.IsEdns0() != nil {
				bare(dns.RcodeFormatError)(x)
				return
			}
			good(x)
		}))
		if took := mustAnswer(t, g); took != 0 || len(n.packets()) != 2 {
			t.Errorf("took %v and %d packets, want none and 2", took, len(n.packets()))
		}
	})
}

// TestServerWithoutEDNS: it is asked again without, and remembered for ten minutes.
func TestServerWithoutEDNS(t *testing.T) {
	for _, code := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented, dns.RcodeBadVers} {
		t.Run(dns.RcodeToString[code], func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				g := n.group(upstream.Config{}, n.add(1, withoutEDNS(code)))
				wait := func(d time.Duration) { time.Sleep(d) }
				for i, want := range []int{2, 3, 4, 6} {
					if i == 3 {
						wait(10 * time.Minute)
					}
					if took := mustAnswer(t, g); took != 0 {
						t.Errorf("took %v", took)
					}
					if got := len(n.packets()); got != want {
						t.Errorf("after question %d: %d packets, want %d", i+1, got, want)
					}
				}
			})
		})
	}
}

// TestFormatErrorForOneName: a server that says FORMERR either way has nothing against EDNS.
func TestFormatErrorForOneName(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		server := n.add(1, rcode(dns.RcodeFormatError))
		g := n.group(upstream.Config{}, server)
		if r, _ := ask(g, question()); r.Err == nil {
			t.Fatal("want an error")
		}
		n.set(server[0], good)
		mustAnswer(t, g)
		sent := n.packets()
		if last := sent[len(sent)-1]; last.query.IsEdns0() == nil {
			t.Error("EDNS was given up")
		}
	})
}

// TestNXDomain is an answer as good as any.
func TestNXDomain(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		g := n.group(upstream.Config{}, n.add(2, rcode(dns.RcodeNameError)))
		if r, _ := ask(g, question()); r.Err != nil || len(n.packets()) != 1 {
			t.Errorf("%v after %d packets", r.Err, len(n.packets()))
		}
	})
}
