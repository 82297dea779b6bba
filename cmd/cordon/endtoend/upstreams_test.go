//go:build linux

package endtoend

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestE2EUpstreamKilled(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			first, second := startNSD(t), startNSD(t)
			c := newCordon(t, []string{first.address, second.address}, "")
			c.start()
			first.signal(sig)
			var worst time.Duration
			for i := range 12 {
				r := c.dig(string(rune('a'+i)) + ".wild.example")
				if !strings.HasPrefix(r.String(), "NOERROR A 192.0.2.85") {
					t.Errorf("with one of two upstreams gone: %v", r)
				}
				worst = max(worst, r.took)
			}
			t.Logf("slowest answer with one of two upstreams gone: %v", worst.Round(time.Millisecond))
			if worst > 1300*time.Millisecond {
				t.Errorf("an answer took %v, want about 1 s at most", worst)
			}
		})
	}
}

func TestE2EAllUpstreamsGoneAndBack(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	first, second := startNSD(t), startNSD(t)
	c := newCordon(t, []string{first.address, second.address}, "")
	c.start()
	c.wants([2]string{"brief.example", "NOERROR A 192.0.2.82"}) // for a second
	first.signal(syscall.SIGSTOP)
	second.signal(syscall.SIGSTOP)

	var stale reply
	until(t, 10*time.Second, "a stale answer", func() bool {
		stale = c.dig("brief.example")
		return len(stale.ede) > 0
	})
	if stale.String() != "NOERROR ede=3 A 192.0.2.82" || stale.ttl() != 30 || stale.took > 2300*time.Millisecond {
		t.Errorf("with no upstream: %v, TTL %d, after %v; want stale data with TTL 30 after 1.8 s", stale, stale.ttl(), stale.took)
	}
	c.wants([2]string{"www.tiktok.com", listedByNSC})
	unknown := c.dig("www.example")
	if unknown.String() != "SERVFAIL ede=22" || unknown.took > 5300*time.Millisecond {
		t.Errorf("with no upstream: %v after %v; want SERVFAIL with EDE 22 within 5 s", unknown, unknown.took)
	}

	second.signal(syscall.SIGCONT)
	back := time.Now()
	until(t, 5*time.Second, "the upstream is back", func() bool {
		return c.dig("www.example").String() == "NOERROR A 192.0.2.80"
	})
	took := time.Since(back)
	t.Logf("recovered after %v", took.Round(time.Millisecond))
	if took > 2*time.Second {
		t.Errorf("recovered after %v, want at most 2 s", took)
	}
	until(t, 5*time.Second, "fresh data in place of stale", func() bool {
		return c.dig("brief.example").String() == "NOERROR A 192.0.2.82"
	})
}

// With the upstreams gone for good, a name that is listed by now is refused, stale data or not.
func TestE2EStaleDataIsNotServedForAListedName(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	nsd := startNSD(t)
	c := newMinistry(t, nsd.address)
	c.start()
	c.wants([2]string{"brief.example", "NOERROR A 192.0.2.82"})
	nsd.kill()
	until(t, 10*time.Second, "a stale answer", func() bool { return len(c.dig("brief.example").ede) > 0 })
	c.write(extra+"brief.example\n", "policy/lists/extra.txt")
	until(t, time.Second, "the list is in force", func() bool {
		return c.dig("brief.example").String() == "NXDOMAIN ede=15 soa=brief.example."
	})
}

// A reload of cordon.yaml changes whom is asked, without a restart.
func TestE2EUpstreamsReload(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	nsd := startNSD(t)
	unbound := startUnbound(t, nsd)
	c := newCordon(t, []string{nsd.address}, "")
	c.start()
	c.wants([2]string{"www.example", "NOERROR A 192.0.2.80"})
	c.service([]string{unbound.address}, "")
	asked := 0
	until(t, time.Second, "the new upstream is asked", func() bool {
		asked++
		r := c.dig("x" + strings.Repeat("y", asked%60) + ".wild.example")
		return r.status == "NOERROR" && strings.Contains(unbound.output.String(), ".wild.example. ")
	})
	nsdOnly := c.dig("www.example") // fetched by another route: not from its cache
	if nsdOnly.String() != "NOERROR A 192.0.2.80" || unbound.asked("www.example") != 1 {
		t.Errorf("%v after %d questions to the new upstream, want 1", nsdOnly, unbound.asked("www.example"))
	}
	c.service([]string{unbound.address}, "allow_clients: []\n")
	until(t, time.Second, "nobody is allowed", func() bool { return c.dig("www.example").String() == "REFUSED ede=18" })
	c.service([]string{unbound.address}, "")
	until(t, time.Second, "loopback is allowed", func() bool { return c.dig("www.example").status == "NOERROR" })
}
