//go:build linux

package endtoend

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Every way in which an answer leads to something listed, and the same shapes when they don't.
var leadsToListed = []string{
	"cloaked.example", "cloaked.example AAAA", "cdn.example", "v16.tree.example", "x.mask.example",
	"address.example", "among.example", "six.example AAAA", "svcb.example SVCB", "https.example HTTPS", "alias.example HTTPS",
	"hint.example HTTPS", "hint6.example HTTPS",
}

func TestE2EAnswersThatLeadToListedNames(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	nsd := startNSD(t)
	for name, upstream := range map[string]*dnsServer{"nsd": nsd, "unbound": startUnbound(t, nsd)} {
		t.Run(name, func(t *testing.T) {
			c := newCordon(t, []string{upstream.address}, "")
			c.start()
			for range 2 { // from the upstream, and from the cache
				for _, q := range leadsToListed {
					for _, how := range []string{"", " +tcp", " +dnssec +cd"} {
						c.wants([2]string{q + how, "NODATA ede=15 soa=" + strings.Fields(q)[0] + "."})
					}
				}
			}
		})
	}
}

func TestE2EAnswersThatPass(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	nsd := startNSD(t)
	for name, upstream := range map[string]*dnsServer{"nsd": nsd, "unbound": startUnbound(t, nsd)} {
		t.Run(name, func(t *testing.T) {
			c := newCordon(t, []string{upstream.address}, "")
			c.start()
			for range 2 {
				c.wants(
					[2]string{"www.example", "NOERROR A 192.0.2.80"},
					[2]string{"www.example AAAA", "NOERROR AAAA 2001:db8::80"},
					[2]string{"www.tiktok.com.example", "NOERROR A 192.0.2.86"},
					[2]string{"harmless.example", "NOERROR CNAME b.alias.example. CNAME tiktok.com.example.net. A 192.0.2.88"},
					[2]string{"rose.garden.example", "NOERROR DNAME flowers.example. CNAME rose.flowers.example. A 192.0.2.87"},
					[2]string{"anything.wild.example", "NOERROR A 192.0.2.85"},
					[2]string{"wild.example", "NODATA soa=example."},
					[2]string{"none.example", "NXDOMAIN soa=example."},
					[2]string{"www.example MX", "NODATA soa=example."},
					[2]string{
						"service.example HTTPS",
						`NOERROR HTTPS 1 www.example. alpn="h2,h3" ipv4hint=192.0.2.80 ipv6hint=2001:db8::80`,
					},
				)
			}
		})
	}
}

// What does not fit a datagram is cut, and whole over TCP.
func TestE2ELargeAnswers(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	nsd := startNSD(t)
	for name, upstream := range map[string]*dnsServer{"nsd": nsd, "unbound": startUnbound(t, nsd)} {
		t.Run(name, func(t *testing.T) {
			c := newCordon(t, []string{upstream.address}, "")
			c.start()
			for _, q := range []struct {
				name    string
				records int
			}{{"large.example", 16}, {"huge.example", 60}} {
				if r := c.dig(q.name, "TXT", "+ignore"); !strings.Contains(r.flags, " tc") {
					t.Errorf("%s over UDP: flags are%s, want tc", q.name, r.flags)
				}
				r := c.dig(q.name, "TXT")
				if !strings.Contains(r.text, "retrying in TCP mode") || len(r.answer) != q.records {
					t.Errorf("%s: %d records, want %d after a cut answer", q.name, len(r.answer), q.records)
				}
				if r := c.dig(q.name, "TXT", "+noedns", "+ignore"); !strings.Contains(r.flags, " tc") {
					t.Errorf("%s over UDP without EDNS: flags are%s, want tc", q.name, r.flags)
				}
			}
		})
	}
}

// kdig reads what dig may be lenient about, and pads and pipelines by its own code.
func TestE2EAnotherClient(t *testing.T) {
	endToEnd(t, "nsd", "kdig")
	c := newCordon(t, []string{startNSD(t).address}, "")
	c.start()
	for _, one := range [][3]string{
		{"service.example HTTPS", "NOERROR", "alpn=h2,h3 ipv4hint=192.0.2.80"},
		{"https.example HTTPS +edns", "NOERROR", "EDE: 15 (Blocked)"},
		{"www.tiktok.com A +edns", "NXDOMAIN", "EDE: 15 (Blocked)"},
		{"www.example A +dnssec", "NOERROR", "192.0.2.80"},
		{"www.example A +tcp +keepopen www.example AAAA +tcp +keepopen", "NOERROR", "2001:db8::80"},
		{"www.example A +noedns", "NOERROR", "192.0.2.80"},
		{"www.example A +nocookie +padding", "NOERROR", "192.0.2.80"},
	} {
		args := append([]string{"@127.0.0.1", "-p", strconv.Itoa(c.port), "+timeout=5", "+retry=0"}, strings.Fields(one[0])...)
		out, err := exec.Command("kdig", args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "status: "+one[1]) || !strings.Contains(string(out), one[2]) {
			t.Errorf("kdig %s: want %s and %q, got %v:\n%s", one[0], one[1], one[2], err, out)
		}
		if strings.Contains(string(out), "WARNING") {
			t.Errorf("kdig %s warns:\n%s", one[0], out)
		}
	}
}
