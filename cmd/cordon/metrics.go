package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists"
)

// reloads is the outcome of reading the configuration, for /metrics. The server writes it, scrapes read it, at any time.
type reloads struct {
	mu      sync.Mutex
	good    int // readings by which everything was put in force as it is written
	bad     int // readings by which something was held
	last    time.Time
	service *hold  // of the service file; nil: it is not held
	path    string // of that file
	policy  map[string]hold
	lists   []*blocklists.List
	hash    string
}

func newReloads() *reloads { return &reloads{} }

// loaded records what l has in force.
func (r *reloads) loaded(l *loader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = l.holds
	r.lists = l.good.lists
	r.hash = l.good.snapshot.Hash()
	if len(l.holds) == 0 && r.service == nil {
		r.good++
		r.last = time.Now()
	} else {
		r.bad++
	}
}

// failed records a reading that put nothing in force.
func (r *reloads) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bad++
}

// holdService records that the service file at path is held for reason, and says whether that is news; releaseService that it
// no longer is, and says whether it was.
func (r *reloads) holdService(path, reason string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.service == nil {
		r.service = &hold{since: time.Now()}
	}
	news := r.service.reason != reason
	r.path, r.service.reason = path, reason
	return news
}

func (r *reloads) releaseService() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.service != nil
	r.service = nil
	return held
}

var (
	reloadsDesc = prometheus.NewDesc("cordon_reloads_total",
		"Readings of the configuration, by result: success, or held if the last good version of something stays in force.",
		[]string{"result"}, nil)
	reloadSuccessDesc = prometheus.NewDesc("cordon_reload_last_success_timestamp_seconds",
		"When everything was last put in force as it is written.", nil, nil)
	heldDesc = prometheus.NewDesc("cordon_held_since_timestamp_seconds",
		"Since when the last good version of a file or list is in force in place of what is written.", []string{"what"}, nil)
	policyInfoDesc = prometheus.NewDesc("cordon_policy_info",
		"The policy in force: servers with the same hash have the same.", []string{"hash"}, nil)
	listNamesDesc = prometheus.NewDesc("cordon_list_names",
		"Names of a list in force.", []string{"list"}, nil)
	listNetworksDesc = prometheus.NewDesc("cordon_list_networks",
		"Networks of a list in force.", []string{"list"}, nil)
	listSkippedDesc = prometheus.NewDesc("cordon_list_skipped_entries",
		"Entries of a list that can't be used.", []string{"list"}, nil)
	listLoadedDesc = prometheus.NewDesc("cordon_list_loaded_timestamp_seconds",
		"When the version of a list that is in force was loaded.", []string{"list"}, nil)
)

// Describe implements [prometheus.Collector].
func (r *reloads) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		reloadsDesc, reloadSuccessDesc, heldDesc, policyInfoDesc,
		listNamesDesc, listNetworksDesc, listSkippedDesc, listLoadedDesc,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (r *reloads) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ch <- prometheus.MustNewConstMetric(reloadsDesc, prometheus.CounterValue, float64(r.good), "success")
	ch <- prometheus.MustNewConstMetric(reloadsDesc, prometheus.CounterValue, float64(r.bad), "held")
	gauge(reloadSuccessDesc, seconds(r.last))
	gauge(policyInfoDesc, 1, r.hash)
	if r.service != nil {
		gauge(heldDesc, seconds(r.service.since), r.path)
	}
	for what, h := range r.policy {
		gauge(heldDesc, seconds(h.since), what)
	}
	for _, list := range r.lists {
		gauge(listNamesDesc, float64(list.Len()), list.Name())
		gauge(listNetworksDesc, float64(list.Networks()), list.Name())
		gauge(listSkippedDesc, float64(list.Skipped()), list.Name())
		gauge(listLoadedDesc, seconds(list.Loaded()), list.Name())
	}
}

// seconds is t as a metric: Unix time, 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func newBuildInfo() prometheus.Collector {
	b := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "cordon_build_info", Help: "Which build this is.",
		ConstLabels: prometheus.Labels{"version": b.version, "commit": b.commit, "go": b.goVersion},
	})
	info.Set(1)
	return info
}
