//go:build linux

package endtoend

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Loopback addresses are clients like others here. The figures are of a machine that does much else: the bounds are wide.
const floodLimits = `limits:
  queries_per_second: 200
  queries_burst: 100
  queries_unlimited: []
  waiting_per_client: 20
  waiting_total: 200
  tcp_connections: 12
  tcp_connections_per_client: 4
`

// dialFrom connects to the program from a loopback address.
func (c *cordon) dialFrom(network, address string) net.Conn {
	c.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	if network == "tcp" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(address)}
	}
	conn, err := dialer.Dial(network, fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// figures are what a client that asks one question after the other has seen.
type figures struct {
	asked, lost int
	took        []time.Duration
}

func (f *figures) p99() time.Duration {
	slices.Sort(f.took)
	return f.took[len(f.took)*99/100]
}

func (f *figures) String() string {
	return fmt.Sprintf("%d asked, %d lost, p99 %v", f.asked, f.lost, f.p99().Round(10*time.Microsecond))
}

// polite asks a hundred questions a second, by turns, for so long. rcodes are what each must be answered with.
func (c *cordon) polite(address string, names []string, rcodes []int, long time.Duration) *figures {
	c.t.Helper()
	conn := &dns.Conn{Conn: c.dialFrom("udp", address)}
	f := new(figures)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		i := f.asked % len(names)
		f.asked++
		begun := time.Now()
		r, err := askOver(conn, names[i])
		f.took = append(f.took, time.Since(begun))
		if err != nil || r.Truncated {
			f.lost++
		} else if r.Rcode != rcodes[i] {
			c.t.Errorf("%s: got %s", names[i], dns.RcodeToString[r.Rcode])
		}
	}
	return f
}

// askOver asks for an address, and waits for 5 s at most.
func askOver(conn *dns.Conn, name string) (*dns.Msg, error) {
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA).SetEdns0(1232, false)
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		r, err := conn.ReadMsg()
		if err != nil || r.Id == q.Id {
			return r, err
		}
	}
}

// torrent is a client that sends and does not wait.
type torrent struct {
	sent          int
	answered, cut atomic.Int64
	began         time.Time
	stop          chan struct{}
	ended         chan struct{}
}

// pour sends 10,000 queries a second from address until it is stopped, for 10 s at most.
func (c *cordon) pour(address string, names []string) *torrent {
	c.t.Helper()
	conn := c.dialFrom("udp", address)
	f := &torrent{began: time.Now(), stop: make(chan struct{}), ended: make(chan struct{})}
	var queries [][]byte
	for _, name := range names {
		query, err := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA).Pack()
		if err != nil {
			c.t.Fatal(err)
		}
		queries = append(queries, query)
	}
	go func() {
		buf := make([]byte, 2048)
		for {
			n, err := conn.Read(buf)
			switch {
			case err != nil:
				return
			case n > 2 && buf[2]&2 != 0:
				f.cut.Add(1)
			default:
				f.answered.Add(1)
			}
		}
	}()
	go func() {
		defer close(f.ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for f.sent < 100_000 {
			select {
			case <-f.stop:
				return
			case <-tick.C:
			}
			for range 10 {
				_, _ = conn.Write(queries[f.sent%len(queries)])
				f.sent++
			}
		}
	}()
	return f
}

// One client sends fifty times what it may, another what a browser does: that one loses nothing and hardly waits, and the first gets its
// rate and no more.
func TestE2EOneFloodsAndOneIsPolite(t *testing.T) {
	endToEnd(t, "nsd")
	c := newCordon(t, []string{startNSD(t).address}, floodLimits)
	c.start()
	names := []string{"www.example", "www.tiktok.com", "plain.example", "none.example"}
	rcodes := []int{dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeSuccess, dns.RcodeNameError}
	alone := c.polite("127.0.1.1", names, rcodes, 2*time.Second)
	f := c.pour("127.0.1.2", names)
	beside := c.polite("127.0.1.1", names, rcodes, 4*time.Second)
	close(f.stop)
	<-f.ended
	lasted := time.Since(f.began)
	answered, cut := f.answered.Load(), f.cut.Load()
	t.Logf("the polite one alone: %v; beside the flood: %v", alone, beside)
	t.Logf("the flood: %d sent in %v, %d answered, %d sent to TCP", f.sent, lasted.Round(time.Millisecond), answered, cut)
	if alone.lost+beside.lost > 0 || beside.p99() > time.Second {
		t.Error("the polite one was not served as before")
	}
	if f.sent < 5000 {
		t.Errorf("only %d queries in %v are no flood", f.sent, lasted)
	}
	if most := int64(100 + 200*lasted.Seconds()*1.1 + 1); answered > most {
		t.Errorf("the flood had %d answers, want at most %d", answered, most)
	}
	if answered < 100 {
		t.Errorf("the flood had %d answers: it is to have its rate", answered)
	}
	if cut > int64(f.sent)/4 {
		t.Errorf("%d of %d queries were sent to TCP, want a quarter at most", cut, f.sent)
	}
	if n := c.metric(`cordon_dns_rate_limited_total{transport="udp"}`); n == "" || n == "0" {
		t.Errorf("rate limited queries: %q", n)
	}
}

// One client asks for ever new names of a zone whose server is silent: others are answered at once, what the cache does not have too.
func TestE2EOneClientFillsItsPlacesToWait(t *testing.T) {
	endToEnd(t, "nsd")
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	more := fmt.Sprintf("forward: [{zone: silent.test, upstreams: [{address: %q}]}]\n", silent.LocalAddr())
	c := newCordon(t, []string{startNSD(t).address}, more+floodLimits)
	c.start()
	greedy := &dns.Conn{Conn: c.dialFrom("udp", "127.0.1.2")}
	const asked = 80
	for i := range asked {
		if err := greedy.WriteMsg(new(dns.Msg).SetQuestion(fmt.Sprintf("r%d.silent.test.", i), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, 3*time.Second, "its places are taken", func() bool { return c.metric("cordon_dns_waiting ") == "20" })
	var names []string
	var rcodes []int
	for i := range 100 {
		names, rcodes = append(names, fmt.Sprintf("n%d.wild.example", i)), append(rcodes, dns.RcodeSuccess)
	}
	f := c.polite("127.0.1.1", names, rcodes, time.Second)
	t.Logf("another client, with names that are in no cache: %v", f)
	if f.lost > 0 || f.p99() > time.Second {
		t.Error("another client was not served as before")
	}
	_ = greedy.SetDeadline(time.Now().Add(6 * time.Second))
	for i := range asked {
		r, err := greedy.ReadMsg()
		if err != nil || r.Rcode != dns.RcodeServerFailure {
			t.Fatalf("answer %d of %d is %v, %v; want SERVFAIL", i, asked, r, err)
		}
	}
}

// Connections that say nothing: those of one client above its number are closed, those of many make way for who asks, and UDP does not
// notice. When they are gone, so is all that they held.
func TestE2EConnectionsThatSayNothing(t *testing.T) {
	endToEnd(t, "nsd")
	c := newCordon(t, []string{startNSD(t).address}, floodLimits)
	c.start()
	c.wants([2]string{"www.example", "NOERROR A 192.0.2.80"}, [2]string{"www.example +tcp", "NOERROR A 192.0.2.80"})
	descriptors := func() int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := descriptors()

	var idle []net.Conn
	for range 10 {
		idle = append(idle, c.dialFrom("tcp", "127.0.1.2"))
	}
	until(t, 3*time.Second, "what is too much for one is closed", func() bool {
		return c.metric("cordon_tcp_connections ") == "4" && c.metric("cordon_tcp_connections_rejected_total") == "6"
	})
	open := 0
	for _, conn := range idle {
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		} else if err == nil {
			t.Error("a connection that said nothing got an answer")
		}
	}
	if open != 4 {
		t.Errorf("%d connections of one client are open, want 4", open)
	}
	for i := range 40 {
		idle = append(idle, c.dialFrom("tcp", fmt.Sprintf("127.0.2.%d", i+1)))
	}
	until(t, 3*time.Second, "all places are taken", func() bool { return c.metric("cordon_tcp_connections ") == "12" })
	for range 5 {
		conn := &dns.Conn{Conn: c.dialFrom("tcp", "127.0.1.1")}
		if r, err := askOver(conn, "www.example"); err != nil || len(r.Answer) != 1 {
			t.Errorf("who asks over TCP got %v, %v", r, err)
		}
		_ = conn.Close()
	}
	f := c.polite("127.0.1.1", []string{"www.example"}, []int{dns.RcodeSuccess}, time.Second)
	t.Logf("over UDP meanwhile: %v", f)
	if f.lost > 0 || f.p99() > time.Second {
		t.Error("who asks over UDP was not served as before")
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	until(t, 5*time.Second, "all descriptors come back", func() bool {
		return c.metric("cordon_tcp_connections ") == "0" && descriptors() <= before+1 // one may be of who asks for metrics
	})
}
