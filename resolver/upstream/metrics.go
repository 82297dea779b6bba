package upstream

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/wire"
)

// meters is what a group counts. Every metric has the label route, the group's name; those of one server have the label
// upstream, its address as the operator configured it. A server that leaves the group takes its series along. Label values
// are few: none of them is chosen by a client, and those that a server chooses are from a fixed set.
type meters struct {
	requests, responses, failures, wrongIDs *prometheus.CounterVec

	failing *prometheus.GaugeVec
	rtt     *prometheus.HistogramVec
	busy    prometheus.Counter
}

// serverMeters is what is counted of one server. Every series exists from the start, with the value 0.
type serverMeters struct {
	requests  [transports]prometheus.Counter
	responses [wire.Refused + 1]prometheus.Counter
	other     prometheus.Counter // responses with any other code
	failures  [kinds]prometheus.Counter
	wrongIDs  prometheus.Counter
	failing   prometheus.Gauge
	rtt       prometheus.Observer
}

func newMeters(route string) meters {
	labels := prometheus.Labels{"route": route}
	return meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_upstream_requests_total", ConstLabels: labels,
			Help: "Queries sent.",
		}, []string{"upstream", "transport"}),
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_upstream_responses_total", ConstLabels: labels,
			Help: "Responses that matched a query, by response code.",
		}, []string{"upstream", "rcode"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_upstream_failures_total", ConstLabels: labels,
			Help: "Times that a server gave no answer, by kind of failure.",
		}, []string{"upstream", "kind"}),
		wrongIDs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_upstream_wrong_id_datagrams_total", ConstLabels: labels,
			Help: "Datagrams with an ID that no query had: somebody may be guessing.",
		}, []string{"upstream"}),
		failing: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "cordon_upstream_failing", ConstLabels: labels,
			Help: "1 if the server failed several times in a row and is asked last.",
		}, []string{"upstream"}),
		rtt: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cordon_upstream_response_duration_seconds", ConstLabels: labels,
			Help:                            "Time from a query over UDP to the answer that matched it.",
			Buckets:                         prometheus.ExponentialBuckets(0.00025, 2, 16),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"upstream"}),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cordon_upstream_busy_total", ConstLabels: labels,
			Help: "Questions not asked because too many were in flight.",
		}),
	}
}

func (m *meters) server(addr netip.AddrPort) *serverMeters {
	upstream := addr.String()
	s := &serverMeters{
		other:    m.responses.WithLabelValues(upstream, "other"),
		wrongIDs: m.wrongIDs.WithLabelValues(upstream),
		failing:  m.failing.WithLabelValues(upstream),
		rtt:      m.rtt.WithLabelValues(upstream),
	}
	for t := range transports {
		s.requests[t] = m.requests.WithLabelValues(upstream, t.String())
	}
	for r := wire.Success; r <= wire.Refused; r++ {
		s.responses[r] = m.responses.WithLabelValues(upstream, rcodeName(r))
	}
	for k := Unreachable; k <= Local; k++ {
		s.failures[k] = m.failures.WithLabelValues(upstream, k.String())
	}
	return s
}

// forget drops the series of a server. What its last flights still count is seen by nobody.
func (m *meters) forget(addr netip.AddrPort) {
	which := prometheus.Labels{"upstream": addr.String()}
	for _, v := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.requests, m.responses, m.failures, m.wrongIDs, m.failing, m.rtt} {
		v.DeletePartialMatch(which)
	}
}

func (m *serverMeters) sent(t transport)           { m.requests[t].Inc() }
func (m *serverMeters) observe(took time.Duration) { m.rtt.Observe(took.Seconds()) }
func (m *serverMeters) failed(k Kind)              { m.failures[k].Inc() }
func (m *serverMeters) guessed()                   { m.wrongIDs.Inc() }

func (m *serverMeters) health(failing bool) {
	if failing {
		m.failing.Set(1)
		return
	}
	m.failing.Set(0)
}

func (m *serverMeters) answered(r wire.Rcode) {
	if int(r) < len(m.responses) {
		m.responses[r].Inc()
		return
	}
	m.other.Inc()
}

// Collector is what there is to know of g. Groups whose Config.Route differs can be registered side by side.
func (g *Group) Collector() prometheus.Collector {
	m := &g.meters
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cordon_upstream_in_flight_questions", ConstLabels: prometheus.Labels{"route": g.route},
		Help: "Questions that upstreams are being asked.",
	}, func() float64 { return float64(g.inFlight.Load()) })
	return collectors{m.requests, m.responses, m.failures, m.wrongIDs, m.failing, m.rtt, m.busy, inFlight}
}

type collectors []prometheus.Collector

// Describe is prometheus.Collector's.
func (cs collectors) Describe(out chan<- *prometheus.Desc) {
	for _, c := range cs {
		c.Describe(out)
	}
}

// Collect is prometheus.Collector's.
func (cs collectors) Collect(out chan<- prometheus.Metric) {
	for _, c := range cs {
		c.Collect(out)
	}
}
