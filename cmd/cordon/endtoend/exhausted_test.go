//go:build linux

package endtoend

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// memory is a figure of /proc/PID/status, such as VmHWM, in KiB.
func (c *child) memory(field string) int {
	c.t.Helper()
	n, err := strconv.Atoi(strings.Fields(c.status(field))[0])
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// descriptors is how many the process has open.
func (c *child) descriptors() int {
	c.t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	return len(all)
}

// Clients take all descriptors that the server may have: refusals and what is in the cache go on over UDP, what must be asked for fails in
// time, files that change are not lost, the log has a few lines of it, and all is as before when the clients are gone.
func TestE2EDescriptorsExhausted(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	c.wrap = []string{"sh", "-c", `ulimit -n 64; exec "$@"`, "sh"}
	c.start()
	known := [][2]string{{"plain.example", "NXDOMAIN ede=15 soa=plain.example."}, {"www.example", "NOERROR A 192.0.2.80"}}
	c.wants(known...)
	before, lines := c.descriptors(), strings.Count(c.log(), "\n")
	t.Logf("%d descriptors of 64 when nobody asks", before)

	var held []net.Conn
	release := func() {
		for _, conn := range held {
			_ = conn.Close()
		}
		held = nil
	}
	t.Cleanup(release)
	for i := range 100 { // the system accepts what the server does not
		dialer := net.Dialer{Timeout: time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 4, byte(1+i))}}
		conn, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	c.logs(0, "level=ERROR", "can't be accepted", "too many open files")
	for range 20 {
		c.wants(known...)
	}
	for i := range 5 {
		if r := c.dig(fmt.Sprintf("x%d.wild.example", i)); r.status == "none" || r.took > 5300*time.Millisecond {
			t.Errorf("what must be asked for: %v after %v, want an answer or SERVFAIL within 5 s", r, r.took)
		}
	}
	c.write(extra+"later.example\n", "policy/lists/extra.txt")
	release()
	until(t, 5*time.Second, "the list that changed meanwhile is in force", func() bool { return c.dig("later.example").status == "NXDOMAIN" })
	until(t, 2*time.Second, "what must be asked for is", func() bool { return c.dig("y.wild.example").status == "NOERROR" })
	c.wants([2]string{"www.example +tcp", "NOERROR A 192.0.2.80"})
	until(t, 3*time.Second, "the descriptors are free again", func() bool { return c.descriptors() <= before+4 })
	if more := strings.Count(c.log(), "\n") - lines; more > 30 {
		t.Errorf("%d lines were logged, want a few", more)
	}
}

// fountain is an upstream that knows every name: those that begin with "huge" have 60 KiB of TXT records.
func fountain(t *testing.T) (address string) {
	t.Helper()
	port := freePort(t)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		answer.RecursionAvailable = true
		header := dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 3600}
		_, overTCP := w.RemoteAddr().(*net.TCPAddr)
		switch huge := strings.HasPrefix(header.Name, "huge"); {
		case huge && !overTCP:
			answer.Truncated = true
		case huge:
			for i := range 80 {
				text := fmt.Sprintf("%d", i) + strings.Repeat("x", 240)
				answer.Answer = append(answer.Answer, &dns.TXT{Hdr: header, Txt: []string{text, text, text}})
			}
		default:
			answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: net.IPv4(192, 0, 2, 1)})
		}
		_ = w.WriteMsg(answer)
	})
	for _, network := range []string{"udp", "tcp"} {
		ready := make(chan struct{})
		server := &dns.Server{Addr: address, Net: network, Handler: handler, NotifyStartedFunc: func() { close(ready) }}
		go func() { _ = server.ListenAndServe() }()
		<-ready
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return address
}

// flood asks for names that begin with prefix, each only once, from so many clients, until stop is closed. It returns how many were asked
// for, and how many of those were not answered in time.
func (c *cordon) flood(prefix string, qtype uint16, clients int, stop <-chan struct{}) (asked, lost *atomic.Int64, wait func()) {
	asked, lost = new(atomic.Int64), new(atomic.Int64)
	ended := make(chan struct{}, clients)
	for i := range clients {
		go func() {
			defer func() { ended <- struct{}{} }()
			conn, err := dns.Dial("udp", fmt.Sprintf("127.0.0.1:%d", c.port))
			if err != nil {
				lost.Add(1)
				return
			}
			defer conn.Close()
			client := dns.Client{Timeout: 6 * time.Second, UDPSize: 1232}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				asked.Add(1)
				name := fmt.Sprintf("%s-%d-%d.%s.example.", prefix, i, n, strings.Repeat("l", 40))
				if _, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion(name, qtype), conn); err != nil {
					lost.Add(1)
				}
			}
		}()
	}
	return asked, lost, func() {
		for range clients {
			<-ended
		}
	}
}

// Names that nobody asks for twice, and answers of 60 KiB, don't make the server larger than it may become: the cache stays within its
// octets, and the process well below the limit of its data, above which the system gives it no more and it would end.
func TestE2EMemoryStaysWithinItsLimit(t *testing.T) {
	endToEnd(t, "dig", "sh")
	const cacheSize, seconds, limit = 8 << 20, 6, 112 // octets, s, MiB
	c := newCordon(t, []string{fountain(t)}, "cache: {max_bytes: 8MiB}\n")
	c.env = []string{"GOMEMLIMIT=96MiB"}
	c.wrap = []string{"sh", "-c", `ulimit -d 524288; exec "$@"`, "sh"}
	c.start()
	idle := c.memory("VmHWM")
	stop := make(chan struct{})
	names, namesLost, namesEnd := c.flood("name", dns.TypeA, 32, stop)
	huge, hugeLost, hugeEnd := c.flood("huge", dns.TypeTXT, 4, stop)
	most := 0
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range seconds {
		<-tick.C
		size, err := strconv.ParseFloat(c.metric("cordon_cache_bytes"), 64)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, int(size))
		c.wants([2]string{"www.tiktok.com", listedByNSC})
	}
	close(stop)
	namesEnd()
	hugeEnd()
	peak := c.memory("VmHWM")
	t.Logf("%d names and %d huge answers asked for; cache at most %d KiB, process %d KiB idle, %d KiB at its peak",
		names.Load(), huge.Load(), most>>10, idle, peak)
	if lost := namesLost.Load() + hugeLost.Load(); lost > 0 {
		t.Errorf("%d were not answered", lost)
	}
	if most > cacheSize {
		t.Errorf("the cache had %d octets, want at most %d", most, cacheSize)
	}
	if n, err := strconv.ParseFloat(c.metric("cordon_cache_evictions_total"), 64); err != nil || n == 0 {
		t.Errorf("nothing was thrown out (%v): the cache was not full", err)
	}
	if peak > limit<<10 {
		t.Errorf("the process had %d KiB, want at most %d MiB", peak, limit)
	}
	if strings.Contains(c.log(), "out of memory") || !c.running() {
		t.Error("the process did not survive")
	}
}
