package cache

import "github.com/prometheus/client_golang/prometheus"

// Collector reads the figures of a cache when it is scraped.
type Collector struct {
	cache                               *Cache
	entries, bytes, maxBytes, evictions *prometheus.Desc
}

// NewCollector makes a collector for c.
func NewCollector(c *Cache) *Collector {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &Collector{
		cache:     c,
		entries:   desc("cordon_cache_entries", "Answers and failures in the cache, expired ones included."),
		bytes:     desc("cordon_cache_bytes", "Memory of the cache in octets: its table and its entries."),
		maxBytes:  desc("cordon_cache_max_bytes", "Bound of the memory of the cache in octets."),
		evictions: desc("cordon_cache_evictions_total", "Usable entries that had to go to make room."),
	}
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.entries
	ch <- c.bytes
	ch <- c.maxBytes
	ch <- c.evictions
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := c.cache.Stats()
	ch <- prometheus.MustNewConstMetric(c.entries, prometheus.GaugeValue, float64(s.Entries))
	ch <- prometheus.MustNewConstMetric(c.bytes, prometheus.GaugeValue, float64(s.Bytes))
	ch <- prometheus.MustNewConstMetric(c.maxBytes, prometheus.GaugeValue, float64(s.MaxBytes))
	ch <- prometheus.MustNewConstMetric(c.evictions, prometheus.CounterValue, float64(s.Evictions))
}
