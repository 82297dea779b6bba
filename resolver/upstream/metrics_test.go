package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/upstream"
)

// gather is the metrics that are not 0, one a line; histograms by their count.
func gather(t *testing.T, groups ...*upstream.Group) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	for _, g := range groups {
		if err := registry.Register(g.Collector()); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if value == 0 {
				continue
			}
			b.WriteString(strings.TrimPrefix(f.GetName(), "cordon_upstream_"))
			for _, l := range m.GetLabel() {
				b.WriteString(" " + l.GetValue())
			}
			fmt.Fprintf(&b, " %v\n", value)
		}
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	bubble(t, func(t *testing.T, n *fakeNet) {
		first := n.add(1, byTransport(forged, good))
		a := n.group(upstream.Config{Route: "a"}, first)
		for range 2 {
			mustAnswer(t, a)
		}
		second := n.add(1, silent)
		b := n.group(upstream.Config{Route: "b", MaxInFlight: 1}, second)
		_, _ = ask(b, question())
		n.set(second[0], rcode(dns.RcodeRefused))
		_, _ = ask(b, question())
		n.set(second[0], rcode(dns.RcodeNotZone))
		_, _ = ask(b, question())
		want := `failing b 192.0.2.2:53 1
failures_total timeout b 192.0.2.2:53 3
failures_total refused b 192.0.2.2:53 2
requests_total a tcp 192.0.2.1:53 2
requests_total a udp 192.0.2.1:53 2
requests_total b udp 192.0.2.2:53 5
response_duration_seconds b 192.0.2.2:53 2
responses_total NOERROR a 192.0.2.1:53 2
responses_total REFUSED b 192.0.2.2:53 1
responses_total other b 192.0.2.2:53 1
wrong_id_datagrams_total a 192.0.2.1:53 2
`
		got := gather(t, a, b)
		for line := range strings.Lines(want) {
			if !strings.Contains(got, line) {
				t.Errorf("no %s", line)
			}
		}
		if strings.Count(got, "\n") != strings.Count(want, "\n") {
			t.Errorf("got\n%s", got)
		}
		if err := b.SetServers(first); err != nil {
			t.Fatal(err)
		}
		if got := gather(t, b); strings.Contains(got, "192.0.2.2") {
			t.Errorf("a server that left is still there:\n%s", got)
		}
	})
}
