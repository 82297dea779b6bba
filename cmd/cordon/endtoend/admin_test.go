//go:build linux

package endtoend

import (
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestE2EHealthAndMetrics(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newCordon(t, []string{startNSD(t).address}, "policy_dir: policy\n")
	c.write(federal(), "policy/federal.yaml")
	c.start()
	for _, question := range []string{
		"www.tiktok.com", "cloaked.example", "secret.wild.example", "none.example", "www.example +tcp",
	} {
		c.dig(append(strings.Fields(question), "-b", "127.0.3.77")...)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 200, "/none": 404, "/debug/pprof/": 404} {
		if status, text := c.get(path); status != want {
			t.Errorf("GET %s: %d, want %d: %.100s", path, status, want, text)
		}
	}
	t.Run("only GET", c.onlyGet)
	_, metrics := c.get("/metrics")
	for _, secret := range []string{"127.0.3.77", "tiktok.com", "cloaked", "secret", "none.example"} {
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics have %q in them", secret)
		}
	}
	for line, atLeast := range map[string]string{
		`cordon_dns_requests_total{family="ipv4",transport="udp"}`:                     "4",
		`cordon_dns_requests_total{family="ipv4",transport="tcp"}`:                     "1",
		`cordon_dns_responses_total{rcode="NXDOMAIN"}`:                                 "2",
		`cordon_dns_responses_total{rcode="NOERROR"}`:                                  "3",
		`cordon_policy_verdicts_total{agency="default",policy="ban",verdict="refuse"}`: "2",
		`cordon_cache_requests_total{result="miss"}`:                                   "4",
		`cordon_reloads_total{result="success"}`:                                       "1",
		`cordon_list_networks{list="networks"}`:                                        "162",
		`cordon_build_info{`:                                                           "1",
	} {
		if got := c.metric(line); got != atLeast {
			t.Errorf("%s is %q, want %s", line, got, atLeast)
		}
	}
	t.Run("format", func(t *testing.T) { wellFormed(t, metrics) })
	t.Run("healthcheck", c.healthchecks)
}

func (c *cordon) onlyGet(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.admin+"/metrics", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s, want 405", method, response.Status)
		}
	}
}

var metricLine = regexp.MustCompile(
	`^(# (HELP|TYPE) [a-z_]+ .+|[a-z][a-z0-9_]*(\{([a-z_]+="[^"]*",?)+\})? [-+0-9.eNaInf]+)$`)

// wellFormed checks the text format, by Prometheus' own tool if it is here.
func wellFormed(t *testing.T, metrics string) {
	for line := range strings.Lines(metrics) {
		if line = strings.TrimSuffix(line, "\n"); !metricLine.MatchString(line) {
			t.Errorf("not a metric: %s", line)
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		return
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(metrics)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v:\n%s", err, out)
	}
}

func (c *cordon) healthchecks(t *testing.T) {
	c.t, c.child.t = t, t
	if status, text := c.run("healthcheck"); status != 0 || text != "" {
		t.Errorf("exit status %d, want 0: %s", status, text)
	}
	c.signal(syscall.SIGTERM)
	c.wait(4 * time.Second)
	if status, text := c.run("healthcheck"); status != 1 || !strings.Contains(text, c.admin) {
		t.Errorf("of a server that does not run: exit status %d, want 1: %s", status, text)
	}
}
