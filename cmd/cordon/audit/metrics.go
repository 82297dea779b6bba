package audit

import "github.com/prometheus/client_golang/prometheus"

var (
	headDesc = prometheus.NewDesc("cordon_audit_head_info",
		"The hash of the last entry of the audit log that is written, with its sequence number as the value.", []string{"hash"}, nil)
	entriesDesc = prometheus.NewDesc("cordon_audit_entries_total",
		"Entries that were written to the audit log.", nil, nil)
	failedDesc = prometheus.NewDesc("cordon_audit_write_errors_total",
		"Attempts to write to the audit log that failed.", nil, nil)
	lostDesc = prometheus.NewDesc("cordon_audit_lost_entries_total",
		"Entries that are missing in the audit log, because there was no room for them while it could not be written.", nil, nil)
	lastDesc = prometheus.NewDesc("cordon_audit_last_write_timestamp_seconds",
		"The time of the last entry of the audit log that was written.", nil, nil)
	freeDesc = prometheus.NewDesc("cordon_audit_disk_free_bytes",
		"Octets that are free in the file system of the audit log. Not there if that is not known.", nil, nil)
	sizeDesc = prometheus.NewDesc("cordon_audit_disk_size_bytes",
		"Octets that the file system of the audit log has room for. Not there if that is not known.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (l *Log) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{headDesc, entriesDesc, failedDesc, lostDesc, lastDesc, freeDesc, sizeDesc} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (l *Log) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	c := l.counts
	l.mu.Unlock()
	for desc, n := range map[*prometheus.Desc]uint64{entriesDesc: c.written, failedDesc: c.failed, lostDesc: c.lost} {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	if c.head.Sequence > 0 {
		ch <- prometheus.MustNewConstMetric(headDesc, prometheus.GaugeValue, float64(c.head.Sequence), c.head.Hash)
	}
	if !c.last.IsZero() {
		ch <- prometheus.MustNewConstMetric(lastDesc, prometheus.GaugeValue, float64(c.last.UnixMilli())/1000)
	}
	if free, size, known := space(l.config.Dir); known {
		ch <- prometheus.MustNewConstMetric(freeDesc, prometheus.GaugeValue, free)
		ch <- prometheus.MustNewConstMetric(sizeDesc, prometheus.GaugeValue, size)
	}
}
