package querylog

import "github.com/prometheus/client_golang/prometheus"

var (
	eventsDesc = prometheus.NewDesc("cordon_querylog_events_total",
		"Records that were written to the query log, by output.", []string{"output"}, nil)
	droppedDesc = prometheus.NewDesc("cordon_querylog_dropped_events_total",
		"Records that the query log lost because there was no room for them, by output.", []string{"output"}, nil)
	errorsDesc = prometheus.NewDesc("cordon_querylog_errors_total",
		"Attempts to write the query log that failed, by output.", []string{"output"}, nil)
	incidentDesc = prometheus.NewDesc("cordon_querylog_incident_until_timestamp_seconds",
		"When the incident ends during which queries are logged with the addresses of clients; 0: there is none.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (l *Log) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{eventsDesc, droppedDesc, errorsDesc, incidentDesc} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector]. An output is there from its first record on, also when it was switched off since.
func (l *Log) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.used {
		c := l.counts[name]
		ch <- prometheus.MustNewConstMetric(eventsDesc, prometheus.CounterValue, float64(c.written.Load()), name)
		ch <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(c.dropped.Load()), name)
		ch <- prometheus.MustNewConstMetric(errorsDesc, prometheus.CounterValue, float64(c.errors.Load()), name)
	}
	until := 0.0
	if l.incident != nil {
		until = float64(l.incident.Until.Unix())
	}
	ch <- prometheus.MustNewConstMetric(incidentDesc, prometheus.GaugeValue, until)
}
