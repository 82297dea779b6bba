//go:build linux

package endtoend

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestE2EPortTaken(t *testing.T) {
	endToEnd(t, "nsd")
	nsd := startNSD(t)
	first := newCordon(t, []string{nsd.address}, "")
	first.start()
	second := newCordon(t, []string{nsd.address}, "")

	t.Run("by another cordon", func(t *testing.T) {
		second.t, second.port = t, first.port
		second.service([]string{nsd.address}, "")
		second.refuses(fmt.Sprintf("127.0.0.1:%d", first.port), "--listen", "another server has it")
	})
	t.Run("by another server", func(t *testing.T) {
		second.t = t
		second.args = []string{"--listen", nsd.address}
		second.service([]string{"127.0.0.1:9"}, "")
		second.refuses(nsd.address, "--listen", "another server has it")
	})
	t.Run("for metrics", func(t *testing.T) {
		second.t, second.port = t, freePort(t)
		second.args = []string{"--admin", first.admin}
		second.service([]string{nsd.address}, "")
		second.refuses(first.admin, "--admin")
	})
	t.Run("by itself", func(t *testing.T) {
		second.t, second.port, second.args = t, freePort(t), nil
		self := fmt.Sprintf("127.0.0.1:%d", second.port)
		second.service([]string{self}, "")
		second.refuses(self, "itself")
		if status, text := second.run("check"); status != 1 || !strings.Contains(text, self) {
			t.Errorf("cordon check: exit status %d, want 1 and %s:\n%s", status, self, text)
		}
	})
	first.wants([2]string{"www.example", "NOERROR A 192.0.2.80"}) // all that has not disturbed it
}

// A server that listens on all addresses answers from the one that was asked: others are not believed.
func TestE2EWildcardListen(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newCordon(t, []string{startNSD(t).address}, "")
	c.args = []string{"--listen", fmt.Sprintf("0.0.0.0:%[1]d,[::]:%[1]d", c.port)}
	c.start()
	for _, server := range []string{"127.0.0.1", "127.0.0.2", "127.99.0.1", "::1"} {
		for _, name := range []string{"www.example", "www.example +tcp", "plain.example", "www.tiktok.com"} {
			r := c.dig(append(strings.Fields(name), "@"+server)...)
			if r.status == "none" || strings.Contains(r.text, "unexpected source") {
				t.Errorf("%s asked for %s:\n%s", server, name, r.text)
			}
		}
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0") // takes answers from anybody
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	query, err := new(dns.Msg).SetQuestion("later.example.", dns.TypeA).Pack() // by the second door
	if err != nil {
		t.Fatal(err)
	}
	asked := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3), Port: c.port}
	if _, err := conn.WriteTo(query, asked); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, from, err := conn.ReadFrom(make([]byte, 2048)); err != nil || from.String() != asked.String() {
		t.Errorf("asked %v, got an answer from %v (%v)", asked, from, err)
	}
}

// SIGTERM: what is in flight is answered, new questions are not taken.
func TestE2EShutdown(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	for _, how := range []string{"+notcp", "+tcp"} {
		t.Run(how, func(t *testing.T) {
			nsd := startNSD(t)
			c := newCordon(t, []string{nsd.address}, "")
			c.start()
			got := c.inFlight(nsd, how)
			begun := time.Now()
			c.signal(syscall.SIGTERM)
			until(t, time.Second, "no connection is taken", func() bool { return !c.accepts() })
			nsd.signal(syscall.SIGCONT)
			if r := <-got; r.String() != "NOERROR A 192.0.2.84" {
				t.Errorf("what was in flight got %v:\n%s", r, r.text)
			}
			if status := c.wait(4 * time.Second); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
			took := time.Since(begun)
			t.Logf("ended after %v", took.Round(time.Millisecond))
			if took > 3500*time.Millisecond {
				t.Errorf("ended after %v, want at most 3.5 s", took)
			}
		})
	}
}

// inFlight asks, with nsd stopped, and waits until the question is on its way.
func (c *cordon) inFlight(nsd *dnsServer, how string) <-chan reply {
	nsd.signal(syscall.SIGSTOP)
	got := make(chan reply, 1)
	go func() { got <- c.dig("later.example", how) }()
	until(c.t, 3*time.Second, "a query waits", func() bool { return c.metric("cordon_dns_waiting ") == "1" })
	return got
}

func (c *cordon) accepts() bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", c.port), time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// SIGTERM with upstreams that stay silent: the end comes all the same.
func TestE2EShutdownIsBounded(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	nsd := startNSD(t)
	c := newCordon(t, []string{nsd.address}, "")
	c.start()
	got := c.inFlight(nsd, "+timeout=4")
	begun := time.Now()
	c.signal(syscall.SIGTERM)
	status := c.wait(4 * time.Second)
	if took := time.Since(begun); status != 0 || took > 3500*time.Millisecond {
		t.Errorf("exit status %d after %v, want 0 within 3.5 s", status, took)
	}
	<-got
}

func TestE2EKilledAndStartedAgain(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	for range 3 {
		c.start() // on the same ports
		c.wants(
			[2]string{"plain.example +tcp", "NXDOMAIN ede=15 soa=plain.example."},
			[2]string{"www.example +tcp", "NOERROR A 192.0.2.80"},
		)
		c.kill()
	}
}
