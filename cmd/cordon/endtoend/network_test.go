//go:build linux

package endtoend

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lossyNetwork is a line to a machine with an nsd, which can be cut.
//
//	cordon, dig ── near 192.0.2.1, 2001:db8::1 ══ far 192.0.2.53, 2001:db8::53 ── nsd
type lossyNetwork struct {
	t       *testing.T
	far     *host
	servers map[string]string // upstream addresses by family
}

func newLossyNetwork(t *testing.T) *lossyNetwork {
	t.Helper()
	far, port := startHost(t), freePort(t)
	n := &lossyNetwork{t: t, far: far, servers: map[string]string{
		"ipv4": fmt.Sprintf("192.0.2.53:%d", port), "ipv6": fmt.Sprintf("[2001:db8::53]:%d", port),
	}}
	command(t, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", strconv.Itoa(far.cmd.Process.Pid))
	command(t, "ip", "address", "add", "192.0.2.1/24", "dev", "near")
	command(t, "ip", "address", "add", "2001:db8::1/64", "dev", "near", "nodad")
	command(t, "ip", "link", "set", "near", "up")
	far.command("ip", "address", "add", "192.0.2.53/24", "dev", "far")
	n.plug()
	nsd := start(t, "nsd", exec.Command("nsenter",
		far.within("/usr/sbin/nsd", "-d", "-c", configureNSD(t, testZones(t), port, "192.0.2.53", "2001:db8::53"))...))
	for _, address := range n.servers {
		until(t, 10*time.Second, "nsd answers at "+address, (&dnsServer{child: nsd, address: address}).answers)
	}
	return n
}

// plug connects the line, and unplug pulls its plug at the far end: what is sent is lost, and nobody is told.
func (n *lossyNetwork) plug() {
	n.t.Helper()
	n.far.command("ip", "link", "set", "far", "up")
	n.far.command("ip", "address", "replace", "2001:db8::53/64", "dev", "far", "nodad") // it went with the link
}

func (n *lossyNetwork) unplug() { n.far.command("ip", "link", "set", "far", "down") }

// block makes the system say at once that there is no way, unblock ends that.
func (n *lossyNetwork) block() {
	n.t.Helper()
	command(n.t, "ip", "route", "add", "unreachable", "192.0.2.53/32")
	command(n.t, "ip", "-6", "route", "add", "unreachable", "2001:db8::53/128")
}

func (n *lossyNetwork) unblock() {
	n.t.Helper()
	command(n.t, "ip", "route", "del", "unreachable", "192.0.2.53/32")
	command(n.t, "ip", "-6", "route", "del", "unreachable", "2001:db8::53/128")
}

// The network to the upstream goes and comes back, over IPv4 and IPv6: meanwhile refusals are given as ever, what is known is given
// stale, what is not known fails in time, and all is well again within two seconds.
func TestE2ENetworkLost(t *testing.T) {
	endToEnd(t, "nsd", "dig", "ip", "nsenter")
	if !apart(t) {
		return
	}
	n := newLossyNetwork(t)
	servers := map[string]*cordon{}
	for family, upstream := range n.servers {
		servers[family] = newCordon(t, []string{upstream}, "")
		servers[family].start()
	}
	// each runs f for both families at the same time.
	each := func(t *testing.T, what string, f func(t *testing.T, c *cordon)) {
		t.Run(what, func(t *testing.T) {
			for family, c := range servers {
				t.Run(family, func(t *testing.T) {
					t.Parallel()
					c.t, c.child.t = t, t
					f(t, c)
				})
			}
		})
	}
	for i, loss := range []struct {
		name      string
		cut, mend func()
	}{
		{"silently", n.unplug, n.plug},
		{"and the system says so", n.block, n.unblock},
	} {
		unknown := fmt.Sprintf("n%d.wild.example", i)
		t.Run(loss.name, func(t *testing.T) {
			each(t, "before", func(t *testing.T, c *cordon) {
				until(t, 5*time.Second, "fresh data", func() bool { return c.dig("brief.example").String() == "NOERROR A 192.0.2.82" })
			})
			loss.cut()
			each(t, "lost", func(t *testing.T, c *cordon) { c.withoutUpstream(t, unknown) })
			loss.mend()
			back := time.Now()
			each(t, "back", func(t *testing.T, c *cordon) {
				until(t, 5*time.Second, "the upstream is back", func() bool {
					return strings.HasPrefix(c.dig(unknown).String(), "NOERROR A 192.0.2.85")
				})
				took := time.Since(back)
				t.Logf("recovered after %v", took.Round(time.Millisecond))
				if took > 2*time.Second {
					t.Errorf("recovered after %v, want at most 2 s", took)
				}
			})
		})
	}
}

// withoutUpstream checks what c answers: brief.example was asked for before, unknown never.
func (c *cordon) withoutUpstream(t *testing.T, unknown string) {
	failed := make(chan reply, 1)
	go func() { failed <- c.dig(unknown) }()
	var stale reply
	until(t, 10*time.Second, "a stale answer", func() bool {
		stale = c.dig("brief.example")
		return len(stale.ede) > 0
	})
	if stale.String() != "NOERROR ede=3 A 192.0.2.82" || stale.took > 2300*time.Millisecond {
		t.Errorf("what was known: %v after %v; want it stale within 2.3 s", stale, stale.took)
	}
	c.wants([2]string{"www.tiktok.com", listedByNSC})
	if r := <-failed; r.status != "SERVFAIL" || r.took > 5300*time.Millisecond {
		t.Errorf("what was not known: %v after %v; want SERVFAIL within 5 s", r, r.took)
	}
}
