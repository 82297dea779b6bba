//go:build linux

package endtoend

import (
	"strings"
	"testing"
	"time"
)

// A server whose upstreams are dead is ready: each agency is refused what it must, and nothing of the test is seen as traffic.
func TestE2ESelfTest(t *testing.T) {
	endToEnd(t, "dig")
	c := newCordon(t, []string{"127.0.0.1:9"}, "policy_dir: policy\n")
	c.write(federal(), "policy/federal.yaml")
	c.start()
	if status, text := c.run("healthcheck"); status != 0 {
		t.Errorf("healthcheck: exit status %d: %s", status, text)
	}
	for line, want := range map[string]string{
		`cordon_selftest_ok{agency="default",expect="refuse"}`:  "1",
		`cordon_selftest_ok{agency="default",expect="pass"}`:    "1",
		`cordon_selftest_ok{agency="federal",expect="refuse"}`:  "1",
		`cordon_selftest_ok{agency="federal",expect="pass"}`:    "1",
		`cordon_selftest_ok{agency="defence",expect="refuse"}`:  "", // an exception lifts all for all of it
		`cordon_selftest_ok{agency="defence",expect="pass"}`:    "1",
		`cordon_selftest_ok{agency="observed",expect="refuse"}`: "",
		`cordon_selftest_ok{agency="observed",expect="pass"}`:   "1",
		`cordon_selftest_failures_total{expect="refuse"}`:       "0",
		`cordon_selftest_failures_total{expect="pass"}`:         "0",

		`cordon_policy_verdicts_total{agency="federal",policy="ban",verdict="refuse"}`:   "0",
		`cordon_policy_verdicts_total{agency="default",policy="ban",verdict="refuse"}`:   "0",
		`cordon_policy_verdicts_total{agency="defence",policy="ban",verdict="except"}`:   "0",
		`cordon_policy_verdicts_total{agency="observed",policy="ban",verdict="observe"}`: "0",
		`cordon_list_verdicts_total{list="tiktok",verdict="refuse"}`:                     "0",
		`cordon_dns_requests_total{family="ipv4",transport="udp"}`:                       "0",
		`cordon_dns_requests_total{family="ipv6",transport="tcp"}`:                       "0",
		`cordon_dns_responses_total{rcode="NXDOMAIN"}`:                                   "0",
		`cordon_dns_responses_total{rcode="NOERROR"}`:                                    "0",
		`cordon_cache_requests_total{result="miss"}`:                                     "0",
		`cordon_upstream_requests_total{route="",transport="udp",upstream="127.0.0.1:9"`: "0",
	} {
		if got := c.metric(line); got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}

	const observed = "7f00024d" // 127.0.2.77
	c.wants(
		[2]string{"www.tiktok.com -b 127.0.2.77", "SERVFAIL ede=22"},
		[2]string{"www.tiktok.com -b 127.0.3.77 +ednsopt=65253:" + strings.Repeat("00", 16) + observed, listedByNSC},
		[2]string{"www.tiktok.com -b 127.0.3.77 +tcp +ednsopt=65253:" + observed, listedByNSC},
	)

	c.write(strings.Replace(federal(), "agencies:\n", "agencies:\n  - {name: new, networks: [127.0.4.0/24], policies: [ban]}\n", 1), "policy/federal.yaml")
	until(t, 5*time.Second, "a new agency is tested", func() bool {
		return c.metric(`cordon_selftest_ok{agency="new",expect="refuse"}`) == "1"
	})
	c.write(strings.Replace(federal(), "mode: observe", "mode: enforce", 1), "policy/federal.yaml")
	until(t, 5*time.Second, "an agency that observes no longer is tested", func() bool {
		return c.metric(`cordon_selftest_ok{agency="observed",expect="refuse"}`) == "1" &&
			c.metric(`cordon_selftest_ok{agency="new",expect="pass"}`) == ""
	})
	if strings.Contains(c.log(), "self-test") {
		t.Errorf("the log speaks of the self-test:\n%s", c.log())
	}
}
