package policy

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector gives the dates of the policies and exceptions in force, for alerts ahead of them. It is safe for concurrent use.
type Collector struct {
	inForce func() (*Snapshot, Instant)
}

// NewCollector makes a Collector. inForce gives, from any goroutine, the snapshot, nil if there is none yet, and the moment of now.
func NewCollector(inForce func() (*Snapshot, Instant)) *Collector {
	return &Collector{inForce: inForce}
}

var (
	inForceDesc = prometheus.NewDesc("cordon_policy_in_force",
		"1 for a policy in force, 0 for one that is over or not yet in force.", []string{"policy"}, nil)
	policyUntilDesc = prometheus.NewDesc("cordon_policy_until_timestamp_seconds",
		"When a policy ends, or ended. One without an end is not there.", []string{"policy"}, nil)
	policyReviewDesc = prometheus.NewDesc("cordon_policy_review_timestamp_seconds",
		"When a policy is to be looked at again. One without such a date is not there.", []string{"policy"}, nil)
	exceptionUntilDesc = prometheus.NewDesc("cordon_exception_until_timestamp_seconds",
		"When an exception ends that is in force or to come.", []string{"exception", "agency"}, nil)
)

// Describe implements [prometheus.Collector].
func (*Collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- inForceDesc
	ch <- policyUntilDesc
	ch <- policyReviewDesc
	ch <- exceptionUntilDesc
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s, now := c.inForce()
	if s == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	date := func(d *prometheus.Desc, t time.Time, labels ...string) {
		if !t.IsZero() {
			gauge(d, float64(t.UnixMilli())/1000, labels...)
		}
	}
	for _, p := range s.policies {
		inForce := 0.0
		if phase, _ := p.Phase(now); phase == InForce {
			inForce = 1
		}
		gauge(inForceDesc, inForce, p.Name)
		date(policyUntilDesc, p.Until, p.Name)
		date(policyReviewDesc, p.Review, p.Name)
	}
	for _, e := range s.exceptions {
		if phase, _ := e.Phase(now); phase != Over {
			date(exceptionUntilDesc, e.Until, e.Name, e.Agency)
		}
	}
}
