package upstream_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/upstream"
)

// TestLoadSpreads over the servers of the fast band, and nearly spares the slow.
func TestLoadSpreads(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		fast := n.add(2, after(10*time.Millisecond, good))
		near := n.add(1, after(55*time.Millisecond, good))
		slow := n.add(1, after(200*time.Millisecond, good))
		g := n.group(upstream.Config{}, fast, near, slow)
		for range 400 {
			mustAnswer(t, g)
		}
		for i, s := range []upstream.Server{fast[0], fast[1], near[0]} {
			if got := len(n.packets(s)); got < 90 {
				t.Errorf("server %d was asked %d times of 400", i, got)
			}
		}
		if got := len(n.packets(slow[0])); got > 20 {
			t.Errorf("the slow server was asked %d times of 400", got)
		}
	})
}

// TestSlowServerThatIsFastAgain is noticed by a probe.
func TestSlowServerThatIsFastAgain(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		var cured atomic.Bool
		first := n.add(1, after(10*time.Millisecond, good))
		second := n.add(1, func(x *exchange) {
			if !cured.Load() {
				time.Sleep(300 * time.Millisecond)
			}
			good(x)
		})
		g := n.group(upstream.Config{}, first, second)
		for range 100 {
			mustAnswer(t, g)
		}
		cured.Store(true)
		for range 200 { // a question a second
			mustAnswer(t, g)
			time.Sleep(time.Second)
		}
		before := len(n.packets(second[0]))
		for range 100 {
			mustAnswer(t, g)
		}
		if got := len(n.packets(second[0])) - before; got < 25 {
			t.Errorf("it was asked %d times of 100", got)
		}
	})
}

// TestFailingServer is asked last, and found within 2 s of its return, whatever its failure was.
func TestFailingServer(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  script
	}{{"silent", silent}, {"closed port", nil}, {"servfail", rcode(dns.RcodeServerFailure)}, {"garbled", garbled}} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *fakeNet) {
				bad, other := n.add(1, good), n.add(1, good)
				g := n.group(upstream.Config{}, bad, other)
				n.set(bad[0], c.bad)
				for range 40 {
					mustAnswer(t, g)
				}
				states := g.States()
				if s := states[0]; !s.Failing || s.Failures < 3 || s.Addr != bad[0].Addr {
					t.Errorf("its state is %+v", s)
				}
				if s := states[1]; s.Failing || s.Failures != 0 || s.Response == 0 {
					t.Errorf("that of the other is %+v", s)
				}
				// It is failing now: nobody waits for it, and it gets a question a second.
				before := len(n.packets(bad[0]))
				for range 100 {
					if took := mustAnswer(t, g); took != 0 {
						t.Errorf("took %v", took)
					}
					time.Sleep(100 * time.Millisecond)
				}
				if got := len(n.packets(bad[0])) - before; c.bad != nil && (got < 8 || got > 21) {
					t.Errorf("%d probes in 10 s", got)
				}
				n.set(bad[0], good)
				n.set(other[0], silent)
				back := time.Now()
				for time.Since(back) < 2*time.Second {
					mustAnswer(t, g)
					time.Sleep(100 * time.Millisecond)
				}
				for range 10 {
					mustAnswer(t, g)
				}
				if took := mustAnswer(t, g); took != 0 {
					t.Errorf("2 s after its return, and with the other gone, an answer took %v", took)
				}
			})
		})
	}
}

// TestAllFail and one returns: it answers within 2 s.
func TestAllFail(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		servers := n.add(4, silent)
		g := n.group(upstream.Config{}, servers)
		for range 5 {
			if r, _ := ask(g, question()); r.Err == nil {
				t.Fatal("want an error")
			}
		}
		n.set(servers[2], good)
		began := time.Now()
		mustAnswer(t, g)
		for time.Since(began) < 2*time.Second {
			mustAnswer(t, g)
			time.Sleep(50 * time.Millisecond)
		}
		if took := mustAnswer(t, g); took != 0 {
			t.Errorf("2 s after the return an answer took %v", took)
		}
	})
}

// TestBrokenName: a name for which every server says SERVFAIL is held against none.
func TestBrokenName(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		byName := func(x *exchange) {
			if x.query.Question[0].Name == secret {
				good(x)
			} else {
				rcode(dns.RcodeServerFailure)(x)
			}
		}
		servers := n.add(2, byName)
		g := n.group(upstream.Config{}, servers)
		broken := question()
		broken.Name = wireName("broken.example.")
		for range 20 {
			if r, _ := ask(g, broken); r.Err == nil {
				t.Fatal("want an error")
			}
		}
		before := [2]int{len(n.packets(servers[0])), len(n.packets(servers[1]))}
		for range 60 {
			mustAnswer(t, g)
		}
		for i, s := range servers {
			if got := len(n.packets(s)) - before[i]; got < 15 {
				t.Errorf("server %d was asked %d times of 60", i, got)
			}
		}
	})
}

// TestSetServers while it runs: what stays is remembered, what goes is not asked any more.
func TestSetServers(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		bad, gone := n.add(1, silent), n.add(1, good)
		g := n.group(upstream.Config{}, bad, gone)
		for range 20 {
			mustAnswer(t, g)
		}
		added := n.add(1, good)
		if err := g.SetServers([]upstream.Server{bad[0], added[0]}); err != nil {
			t.Fatal(err)
		}
		before := len(n.packets(gone[0]))
		for range 20 {
			if took := mustAnswer(t, g); took != 0 {
				t.Errorf("took %v: the failing server was forgotten", took)
			}
		}
		if len(n.packets(gone[0])) != before || len(n.packets(added[0])) != 20 {
			t.Errorf("asked the old one %d times, the new one %d times, want 0 and 20",
				len(n.packets(gone[0]))-before, len(n.packets(added[0])))
		}
		if err := g.SetServers(nil); err == nil {
			t.Error("want an error for no servers")
		}
		mustAnswer(t, g)
	})
}

// TestSetServersUnderLoad: no Ask is lost.
func TestSetServersUnderLoad(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		servers := n.add(3, after(20*time.Millisecond, good))
		g := n.group(upstream.Config{}, servers)
		var answered atomic.Int32
		for i := range 300 {
			g.Ask(question(), time.Time{}, func(r upstream.Result) {
				if r.Err == nil {
					answered.Add(1)
				}
			})
			if err := g.SetServers(servers[i%3 : i%3+1]); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if answered.Load() != 300 {
			t.Errorf("%d of 300 were answered", answered.Load())
		}
	})
}
