//go:build linux

package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// watched is a policy of which the dashboards can show everything. What ends does so in days.
func watched(feed string) string {
	in := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	return fmt.Sprintf(`
timezone: UTC
lists:
  - {name: bytedance, source: "builtin:bytedance"}
  - {name: networks, source: "builtin:bytedance-networks"}
  - {name: feed, source: %q}
  - {name: extra, source: "file:lists/extra.txt"}
policies:
  - {name: ban, lists: [bytedance, networks, extra], until: %s, review: %s}
  - {name: advice, lists: [feed], strength: recommendation}
agencies:
  - {name: default, policies: [ban, advice]}
  - {name: federal, networks: [127.0.1.0/24], policies: [ban]}
  - {name: observed, networks: [127.0.2.0/24], policies: [ban], mode: observe}
exceptions:
  - {name: press, agency: federal, clients: [127.0.1.42], reason: "The press office answers there", approved_by: "Head of security", until: %s}
`, feed, in(20), in(3), in(2))
}

// newWatched is a program with that policy, whose metrics are for who has the token.
func newWatched(t *testing.T, upstream, feed, token string) *cordon {
	t.Helper()
	service := fmt.Sprintf(`policy_dir: policy
state_dir: state
admin: {token_file: %q}
forward: [{zone: dead.example, upstreams: [{address: "127.0.0.1:%d"}]}]
query_log: {file: {path: queries.jsonl}}
`, token, freePort(t))
	c := newCordon(t, []string{upstream}, service)
	c.write(watched(feed), "policy/all.yaml")
	writeFile(t, extra, c.dir, "policy/lists/extra.txt")
	return c
}

// traffic asks for something of everything, and for names that nobody has asked for yet.
func (c *cordon) traffic(round int) {
	c.t.Helper()
	for _, q := range []struct{ network, client, name string }{
		{"udp", "127.0.0.1", "www.tiktok.com"},
		{"udp", "127.0.1.1", "www.capcut.com"},
		{"udp", "127.0.1.42", "www.tiktok.com"},
		{"udp", "127.0.2.1", "www.tiktok.com"},
		{"udp", "127.0.0.1", "cdn.example"},
		{"tcp", "127.0.0.1", "www.example"},
		{"udp", "127.0.0.1", "www.example"},
		{"udp", "127.0.0.1", fmt.Sprintf("r%d.wild.example", round)},
		{"udp", "127.0.0.1", fmt.Sprintf("r%d.dead.example", round)},
	} {
		client := dns.Client{Net: q.network, Timeout: 5 * time.Second, Dialer: &net.Dialer{LocalAddr: localAddr(q.network, q.client)}}
		m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), dns.TypeA)
		if _, _, err := client.Exchange(m, fmt.Sprintf("127.0.0.1:%d", c.port)); err != nil {
			c.t.Fatalf("%s of %s over %s: %v", q.name, q.client, q.network, err)
		}
	}
}

func localAddr(network, host string) net.Addr {
	if network == "tcp" {
		return &net.TCPAddr{IP: net.ParseIP(host)}
	}
	return &net.UDPAddr{IP: net.ParseIP(host)}
}

// promServer is Debian's Prometheus, as it runs.
type promServer struct {
	*child
	address string
}

// startPrometheus starts one with that configuration.
func startPrometheus(t *testing.T, config string, flags ...string) *promServer {
	t.Helper()
	path, err := findTool("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &promServer{address: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	args := append([]string{
		"--config.file=" + writeFile(t, config, dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + p.address,
	}, flags...)
	p.child = start(t, "prometheus", exec.Command(path, args...))
	return p
}

// configuration is docker/prometheus/prometheus.yml for these servers, and in a hurry.
func configuration(t *testing.T, token string, servers ...*cordon) string {
	t.Helper()
	rules, err := filepath.Abs(watching + "prometheus")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, c := range servers {
		targets = append(targets, strconv.Quote(c.admin))
	}
	text := watchingFile(t, "prometheus/prometheus.yml")
	for old, now := range map[string]string{
		"15s":                      "200ms",
		"- rules/*.yml":            "- " + rules + "/rules/*.yml",
		"# - coredns.yml":          "- " + rules + "/coredns.yml",
		`["cordon:9353"]`:          "[" + strings.Join(targets, ", ") + "]",
		"/run/secrets/admin-token": token,
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("prometheus.yml does not say %s", old)
		}
		text = strings.ReplaceAll(text, old, now)
	}
	return text
}

// query is the samples that an expression has now, NaN left out, with their labels. It is nil while Prometheus does not answer.
func (p *promServer) query(expr string) (samples []map[string]string, err error) {
	var answer struct {
		Error string
		Data  struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	response, err := http.PostForm("http://"+p.address+"/api/v1/query", url.Values{"query": {expr}})
	if err != nil {
		return nil, nil // it starts, or is about to say why not
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusServiceUnavailable {
		return nil, nil // the same
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Error != "" {
		return nil, fmt.Errorf("%s: %w %.300s", expr, err, text)
	}
	for _, result := range answer.Data.Result {
		text, _ := result.Value[1].(string)
		if value, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(value) {
			result.Metric["value"] = text
			samples = append(samples, result.Metric)
		}
	}
	return samples, nil
}

// filledIn is expr with the variables of a dashboard as Grafana would put them in.
func filledIn(expr string) string {
	return strings.NewReplacer("$instance", ".*", "$agency", ".*", "$__rate_interval", "2s", "$__range", "1m").Replace(expr)
}

// watching is where the files are with which Prometheus and Grafana watch Cordon.
const watching = "../../../docker/"

func watchingFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(watching + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// panelQueries are the queries of all panels, by where they stand.
func panelQueries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob(watching + "grafana/dashboards/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d dashboards, want 3: %v", len(files), err)
	}
	for _, file := range files {
		var d struct {
			Title  string
			Panels []struct {
				Title   string
				Targets []struct{ RefID, Expr string }
			}
		}
		if err := json.Unmarshal([]byte(watchingFile(t, strings.TrimPrefix(file, watching))), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				all[fmt.Sprintf("%s: %s (%s)", d.Title, p.Title, target.RefID)] = filledIn(target.Expr)
			}
		}
	}
	return all
}

// Every panel shows something of two servers that are not quite alike, and are asked for something of everything.
func TestE2EPrometheus(t *testing.T) {
	endToEnd(t, "nsd", "prometheus")
	token := writeFile(t, strings.Repeat("5ca1ab1e", 8), t.TempDir(), "token")
	upstream, f := startNSD(t), newFeed(t, "other.example\nwww.example\n"+fourteen())
	servers := []*cordon{newWatched(t, upstream.address, f.URL, token), newWatched(t, upstream.address, f.URL, token)}
	servers[1].write("policies: [{name: only-here, lists: [extra]}]\n", "policy/more.yaml")
	for _, c := range servers {
		c.start()
	}
	servers[0].write("", "policy/lists/extra.txt") // held

	config := configuration(t, token, servers...)
	p := startPrometheus(t, config)
	lacking := panelQueries(t)
	for _, expr := range append([]string{
		"coredns_dns_requests_total", "coredns_cache_hits_total", "coredns_proxy_request_duration_seconds_bucket", "count(count by (hash) (cordon_policy_info)) == 2",
	}, alerting("CordonExceptionEnds", "CordonPolicyEnds", "CordonReviewDue", "CordonHeld", "CordonHashDiffers", "CordonUpstreamFailing")...) {
		lacking[expr] = expr
	}
	round, returned, begun := 0, map[string]int{}, time.Now()
	took := until(t, 30*time.Second, "every query has samples", func() bool {
		for _, c := range servers {
			c.traffic(round)
		}
		round++
		p.ask(t, lacking, returned)
		return len(lacking) == 0 || !p.running() || time.Since(begun) > 25*time.Second // what lacks is told below
	})
	for _, what := range slices.Sorted(maps.Keys(lacking)) {
		t.Errorf("no data: %s: %s", what, lacking[what])
	}
	for _, what := range slices.Sorted(maps.Keys(returned)) {
		t.Logf("%4d samples: %s", returned[what], what)
	}
	t.Logf("%d queries had samples after %v and %d rounds", len(returned), took.Round(time.Millisecond), round)
	p.rulesAreWell(t)
	t.Run("native histograms", func(t *testing.T) { nativeHistograms(t, config, servers, round) })
}

// alerting asks for alerts that fire, or will.
func alerting(names ...string) (exprs []string) {
	for _, name := range names {
		exprs = append(exprs, fmt.Sprintf("ALERTS{alertname=%q}", name))
	}
	return exprs
}

// ask asks for all that lacks, and moves what has samples to returned.
func (p *promServer) ask(t *testing.T, lacking map[string]string, returned map[string]int) {
	for what, expr := range lacking {
		samples, err := p.query(expr)
		if err != nil {
			t.Fatal(err)
		}
		if len(samples) > 0 {
			returned[what] = len(samples)
			delete(lacking, what)
		}
	}
}

// rulesAreWell holds that no rule failed when it was evaluated.
func (p *promServer) rulesAreWell(t *testing.T) {
	t.Helper()
	response, err := http.Get("http://" + p.address + "/api/v1/rules")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, group := range answer.Data.Groups {
		for _, rule := range group.Rules {
			rules++
			if rule.Health != "ok" {
				t.Errorf("rule %s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
		}
	}
	if least := strings.Count(watchingFile(t, "prometheus/rules/alerts.yml"), "- alert: "); rules <= least {
		t.Errorf("%d rules, want the %d alerts and some more", rules, least)
	}
}

// nativeHistograms asks a Prometheus that takes those in place of the classic ones. round is the next one of traffic.
func nativeHistograms(t *testing.T, config string, servers []*cordon, round int) {
	p := startPrometheus(t, config, "--enable-feature=native-histograms")
	until(t, 15*time.Second, "native histograms have quantiles", func() bool {
		for _, c := range servers {
			c.traffic(round)
		}
		round++
		for _, metric := range []string{"cordon_dns_request_duration_seconds", "cordon_upstream_response_duration_seconds"} {
			samples, err := p.query("histogram_quantile(0.9, rate(" + metric + "[2s]))")
			if err != nil {
				t.Fatal(err)
			}
			if len(samples) == 0 {
				return false
			}
		}
		return true
	})
}
