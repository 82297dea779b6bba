package listen

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/histogram"
	"cordon/resolver/wire"
)

// counters are those of one listener. They fill cache lines of their own, so that listeners do not slow each other down.
type counters struct {
	queries4, queries6 atomic.Uint64 // by the client's address family
	dropped            atomic.Uint64
	limited            atomic.Uint64
	failed             atomic.Uint64
	panics             atomic.Uint64
	_                  [128 - 6*8]byte

	atOnce, waited histogram.Histogram // from the reading of a query to its answer, by door
}

func (c *counters) count(client netip.Addr) {
	if client.Is4() {
		c.queries4.Add(1)
		return
	}
	c.queries6.Add(1)
}

// asked is when q was asked, as the time of its answer counts; zero for a query of our own, of which it does not.
func asked(q *wire.Query) time.Time {
	if q.Own() {
		return time.Time{}
	}
	return q.Now
}

// wait counts an answer by how long its client waited from asked on; see there.
func (c *counters) wait(asked, now time.Time) {
	if !asked.IsZero() {
		c.waited.Add(now.Sub(asked), 1)
	}
}

type collector struct {
	server                                   *Server
	begun                                    time.Time
	queries, dropped, limited, took          *prometheus.Desc
	failed, panics                           *prometheus.Desc
	connections, accepted, rejected, evicted *prometheus.Desc
}

// Collector returns the metrics of s, read when they are scraped. They have no labels that a client chooses.
func (s *Server) Collector() prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		server: s,
		begun:  time.Now(),
		queries: desc("cordon_dns_requests_total",
			"Queries read, malformed ones too, by transport (udp, tcp) and address family (ipv4, ipv6).", "transport", "family"),
		dropped: desc("cordon_dns_packets_dropped_total",
			"Messages that were no queries (too short, or responses) and got no answer.", "transport"),
		limited: desc("cordon_dns_rate_limited_total",
			"Queries above what one client may ask in a second: over UDP dropped or sent to TCP, over TCP made to wait.", "transport"),
		took: desc("cordon_dns_request_duration_seconds",
			"Time from the reading of a query to its answer, by whether it waited for an upstream (no, yes). What is read at once is "+
				"answered at once, and has one time.", "transport", "waited"),
		failed: desc("cordon_dns_socket_errors_total",
			"Calls to read, accept or send that failed.", "transport"),
		panics: desc("cordon_dns_panics_total",
			"Queries whose handling panicked. Each is a fault in the program.", "transport"),
		connections: desc("cordon_tcp_connections", "TCP connections open."),
		accepted:    desc("cordon_tcp_connections_accepted_total", "TCP connections taken in."),
		rejected: desc("cordon_tcp_connections_rejected_total",
			"TCP connections closed at once because their client had as many as it may have."),
		evicted: desc("cordon_tcp_connections_evicted_total",
			"TCP connections closed because all places were taken and they had been idle the longest."),
	}
}

func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descs)
}

func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	counter := func(desc *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
	}
	durations := func(transport, waited string, hs []*histogram.Histogram) {
		metric, err := histogram.Metric(c.took, c.begun, hs, transport, waited)
		if err != nil {
			metric = prometheus.NewInvalidMetric(c.took, err)
		}
		metrics <- metric
	}
	s := c.server
	for _, sum := range s.sums() {
		durations(sum.transport, "no", sum.atOnce)
		durations(sum.transport, "yes", sum.waited)
		counter(c.queries, sum.queries4, sum.transport, "ipv4")
		counter(c.queries, sum.queries6, sum.transport, "ipv6")
		counter(c.dropped, sum.dropped, sum.transport)
		counter(c.limited, sum.limited, sum.transport)
		counter(c.failed, sum.failed, sum.transport)
		counter(c.panics, sum.panics, sum.transport)
	}
	metrics <- prometheus.MustNewConstMetric(c.connections, prometheus.GaugeValue, float64(s.table.open()))
	counter(c.accepted, s.table.accepted.Load())
	counter(c.rejected, s.table.rejected.Load())
	counter(c.evicted, s.table.evicted.Load())
}

// sum is what the listeners of one transport have counted.
type sum struct {
	transport                                            string
	queries4, queries6, dropped, limited, failed, panics uint64
	atOnce, waited                                       []*histogram.Histogram
}

func (s *sum) add(c *counters) {
	s.queries4 += c.queries4.Load()
	s.queries6 += c.queries6.Load()
	s.dropped += c.dropped.Load()
	s.limited += c.limited.Load()
	s.failed += c.failed.Load()
	s.panics += c.panics.Load()
	s.atOnce, s.waited = append(s.atOnce, &c.atOnce), append(s.waited, &c.waited)
}

func (s *Server) sums() [2]sum {
	udp, tcp := sum{transport: "udp"}, sum{transport: "tcp"}
	for _, w := range s.workers {
		udp.add(w.counters)
	}
	for _, a := range s.acceptors {
		tcp.add(a.counters)
	}
	return [2]sum{udp, tcp}
}

// Totals are what all listeners have counted since the process began.
type Totals struct {
	Queries              uint64 // that were read, malformed ones too
	LimitedUDP           uint64 // above what one client may ask in a second: dropped, or sent to TCP
	LimitedTCP           uint64 // the same: made to wait
	RejectedConnections  uint64 // closed at once, because their client had as many as it may have
	EvictedConnections   uint64 // closed because all places were taken and they had been idle the longest
	SocketErrors, Panics uint64
}

// Totals may be called at any time.
func (s *Server) Totals() Totals {
	t := Totals{RejectedConnections: s.table.rejected.Load(), EvictedConnections: s.table.evicted.Load()}
	sums := s.sums()
	for i := range sums {
		t.Queries += sums[i].queries4 + sums[i].queries6
		t.SocketErrors += sums[i].failed
		t.Panics += sums[i].panics
	}
	t.LimitedUDP, t.LimitedTCP = sums[0].limited, sums[1].limited
	return t
}
