//go:build linux

package endtoend

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const listedByNSC = "NXDOMAIN ede=15 soa=tiktok.com."

func TestE2EDefaultServe(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	unbound := startUnbound(t, startNSD(t))
	c := newCordon(t, []string{unbound.address}, "")
	c.start()
	c.saysAll(c.log(),
		fmt.Sprintf("Cordon answers on 127.0.0.1:%[1]d and [::1]:%[1]d, UDP and TCP", c.port),
		"the one inside the program: 2 lists with ", "tiktok-ban, for 1 agency", unbound.address,
		"kept       nothing: ", "http://"+c.admin+"/metrics", fmt.Sprintf("dig @127.0.0.1 -p %d www.tiktok.com", c.port))
	for _, how := range []string{"", "+tcp", "@::1", "@::1 +tcp"} {
		c.wants(
			[2]string{"www.tiktok.com " + how, listedByNSC},
			[2]string{"WWW.TikTok.COM. HTTPS " + how, "NXDOMAIN ede=15 soa=TikTok.COM."},
			[2]string{"tiktok.com.example.net " + how, "NOERROR A 192.0.2.88"},
			[2]string{"plain.example " + how, "NOERROR A 192.0.2.81"},
			[2]string{"none.example " + how, "NXDOMAIN soa=example."},
			[2]string{"plain.example MX " + how, "NODATA soa=example."},
		)
	}
	r := c.dig("www.tiktok.com")
	if len(r.ede) != 1 || !strings.HasPrefix(r.ede[0], "15 (Blocked)") || !strings.Contains(r.ede[0], "tiktok-ban") {
		t.Errorf("EDE is %q, want 15 (Blocked) that names the policy", r.ede)
	}
	if r.flags != " qr rd ra" {
		t.Errorf("flags are%s, want qr rd ra", r.flags)
	}
	if r.ttl() > 30 {
		t.Errorf("a refusal may be kept for %d s, want at most 30", r.ttl())
	}
	if unbound.asked("www.tiktok.com") != 0 {
		t.Error("the upstream was asked for a listed name")
	}
}

// What was asked before comes from the cache: older, and without a query to the upstream.
func TestE2ECachedAnswersGrowOld(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "dig")
	unbound := startUnbound(t, startNSD(t))
	c := newCordon(t, []string{unbound.address}, "")
	c.start()
	first := c.dig("www.example")
	if first.ttl() != 300 {
		t.Fatalf("first answer: %v, TTL %d, want 300", first, first.ttl())
	}
	until(t, 5*time.Second, "the TTL goes down", func() bool { return c.dig("www.example", "+tcp").ttl() < 300 })
	if n := unbound.asked("www.example"); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
}

// Without any file, in an empty directory, the program serves with what is inside it and the resolvers of the machine.
func TestE2EServeWithoutAnyFile(t *testing.T) {
	endToEnd(t, "dig")
	c := newCordon(t, nil, "")
	resolv := writeFile(t, "# made by hand\nsearch example\nnameserver 127.0.0.53\n", c.dir, "resolv.conf")
	c.env = []string{"CORDON_RESOLV_CONF=" + resolv}
	c.args = []string{"--listen", fmt.Sprintf("127.0.0.1:%d", c.port), "--admin", c.admin}
	remove(t, c.path("cordon.yaml"))
	c.start()
	c.saysAll(c.log(), "upstreams  127.0.0.53:53\n")
	c.wants([2]string{"v16.tiktokcdn.com AAAA", "NXDOMAIN ede=15 soa=tiktokcdn.com."})

	writeFile(t, "nameserver 127.0.0.54\n", resolv)
	until(t, 2*time.Second, "the resolvers of the machine are followed", func() bool {
		_, text := c.get("/metrics")
		return strings.Contains(text, `"127.0.0.54:53"`) && !strings.Contains(text, `"127.0.0.53:53"`)
	})
}

func TestE2EInitCheckServe(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	nsd := startNSD(t)
	c := newCordon(t, []string{nsd.address}, "policy_dir: mine/policy\n")
	for _, args := range [][]string{{"init", "mine"}, {"check"}, {"explain", "www.tiktok.com"}} {
		if status, text := c.run(args...); status != 0 {
			t.Errorf("cordon %v: exit status %d:\n%s", args, status, text)
		}
	}
	c.start()
	c.wants([2]string{"www.tiktok.com", listedByNSC}, [2]string{"www.example", "NOERROR A 192.0.2.80"})
}

// federal is a policy for agencies with loopback networks.
func federal() string {
	const text = `
timezone: UTC
lists:
  - {name: tiktok, source: "builtin:bytedance"}
  - {name: networks, source: "builtin:bytedance-networks"}
policies:
  - {name: ban, lists: [tiktok, networks]}
agencies:
  - {name: default, policies: [ban]}
  - {name: federal, networks: [127.0.1.0/24], policies: [ban]}
  - {name: defence, parent: federal, networks: [127.0.1.128/25]}
  - {name: observed, networks: [127.0.2.0/24], policies: [ban], mode: observe}
exceptions:
  - name: press
    agency: federal
    clients: [127.0.1.42]
    names: [www.tiktok.com, v16.tiktokcdn.com]
    reason: "The press office answers there"
    approved_by: "Head of security"
    until: IN_A_MONTH
  - name: research
    agency: defence
    reason: "All of it is studied here"
    approved_by: "Head of security"
    until: IN_A_MONTH
`
	return strings.ReplaceAll(text, "IN_A_MONTH", time.Now().AddDate(0, 1, 0).Format(time.DateOnly))
}

func TestE2EExceptions(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newCordon(t, []string{startNSD(t).address}, "policy_dir: policy\n")
	c.write(federal(), "policy/federal.yaml")
	c.start()
	const resolved = "NOERROR A 198.51.100.17"
	c.wants(
		[2]string{"-b 127.0.0.9 www.tiktok.com", listedByNSC},
		[2]string{"-b 127.0.1.5 www.tiktok.com", listedByNSC},
		[2]string{"-b 127.0.1.42 www.tiktok.com", resolved},
		[2]string{"-b 127.0.1.42 m.tiktok.com", "NODATA ede=15 soa=m.tiktok.com."}, // NXDOMAIN would kill what is excepted
		[2]string{"-b 127.0.1.42 www.tiktok.com +tcp", resolved},
		[2]string{"-b 127.0.1.42 cloaked.example", "NOERROR CNAME a.alias.example. CNAME edge.cdn.example.net. " +
			"CNAME v16.tiktokcdn.com. A 198.51.100.16"},
		[2]string{"-b 127.0.1.5 cloaked.example", "NODATA ede=15 soa=cloaked.example."}, // from the cache, by another asker
		[2]string{"-b 127.0.1.200 www.tiktok.com", resolved},
		[2]string{"-b 127.0.2.7 www.tiktok.com", resolved},
		[2]string{"-b 127.0.1.5 www.tiktok.com", listedByNSC},
	)
	if ttl := c.dig("-b", "127.0.1.42", "www.tiktok.com").ttl(); ttl > 30 {
		t.Errorf("an excepted answer may be kept for %d s, want at most 30", ttl)
	}
	for _, line := range []string{
		`cordon_policy_verdicts_total{agency="observed",policy="ban",verdict="observe"}`,
		`cordon_policy_verdicts_total{agency="defence",policy="ban",verdict="except"}`,
		`cordon_policy_verdicts_total{agency="federal",policy="ban",verdict="refuse"}`,
	} {
		if n := c.metric(line); n == "" || n == "0" {
			t.Errorf("%s is %q", line, n)
		}
	}
	_, text, _ := strings.Cut(c.log(), "  try ")
	_, text, _ = strings.Cut(text, "\n")
	for _, secret := range []string{"127.0.1.42", "tiktok.com", "cloaked"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q in it", secret)
		}
	}
}
