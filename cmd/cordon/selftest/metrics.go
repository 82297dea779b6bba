package selftest

import (
	"github.com/prometheus/client_golang/prometheus"
)

var (
	okDesc = prometheus.NewDesc("cordon_selftest_ok",
		"1 if the server answers its own query for a client of the agency as it must: by a refusal, or by none.",
		[]string{"agency", "expect"}, nil)
	lastRunDesc = prometheus.NewDesc("cordon_selftest_last_run_timestamp_seconds",
		"When the last round of the self-test ended.", nil, nil)
	failuresDesc = prometheus.NewDesc("cordon_selftest_failures_total",
		"Names that were answered otherwise than they must be, or not at all, in a round of the self-test.", []string{"expect"}, nil)
	durationDesc = prometheus.NewDesc("cordon_selftest_duration_seconds",
		"How long the last round of the self-test took.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (t *Tester) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{okDesc, lastRunDesc, failuresDesc, durationDesc} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (t *Tester) Collect(ch chan<- prometheus.Metric) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.outcomes {
		value := 0.0
		if o.OK {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(okDesc, prometheus.GaugeValue, value, o.Agency, o.Expect)
	}
	for expect, n := range t.failures {
		ch <- prometheus.MustNewConstMetric(failuresDesc, prometheus.CounterValue, float64(n), expect)
	}
	if !t.last.IsZero() {
		ch <- prometheus.MustNewConstMetric(lastRunDesc, prometheus.GaugeValue, float64(t.last.UnixMilli())/1000)
		ch <- prometheus.MustNewConstMetric(durationDesc, prometheus.GaugeValue, t.took.Seconds())
	}
}
