package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/policy"
)

// scrape returns the metrics of s at now as lines "name value label…", sorted, without "cordon_".
func scrape(t *testing.T, s *policy.Snapshot, now policy.Instant) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(policy.NewCollector(func() (*policy.Snapshot, policy.Instant) { return s, now }))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			words := []string{strings.TrimPrefix(f.GetName(), "cordon_"), fmt.Sprintf("%.0f", m.GetGauge().GetValue())}
			for _, l := range m.GetLabel() {
				words = append(words, l.GetValue())
			}
			lines = append(lines, strings.Join(words, " "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestDatesAreMetrics(t *testing.T) {
	conf := world(t)
	with(
		ban("over", "tiktok"), ban("to-come", "tiktok"),
		func(c *policy.Config) {
			c.Policies[0].Review = at("2023-09-01")
			c.Policies[1].Until = at("2023-05-01")
			c.Policies[2].From, c.Policies[2].Until = at("2023-07-01"), at("2023-08-01")
		},
		exceptions(
			policy.Exception{Name: "old", Until: at("2023-05-01")},
			policy.Exception{Name: "phone", Until: at("2023-06-02")},
			policy.Exception{Name: "new", From: at("2023-07-01"), Until: at("2023-07-02")},
		),
	)(conf)
	s := compile(t, conf)
	want := `exception_until_timestamp_seconds 1685664000 federal phone
exception_until_timestamp_seconds 1688256000 federal new
policy_in_force 0 over
policy_in_force 0 to-come
policy_in_force 1 nsc
policy_review_timestamp_seconds 1693526400 nsc
policy_until_timestamp_seconds 1682899200 over
policy_until_timestamp_seconds 1690848000 to-come`
	if got := scrape(t, s, noon); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := scrape(t, s, policy.Instant{Now: noon.Now, HighWater: at("2023-07-03")}); strings.Contains(got, "phone") || !strings.Contains(got, "in_force 1 to-come") {
		t.Errorf("after a step back of the clock:\n%s", got)
	}
	if got := scrape(t, nil, noon); got != "" {
		t.Errorf("without a snapshot:\n%s", got)
	}
}
