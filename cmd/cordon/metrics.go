package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists/mirror"
)

// reloads is the outcome of reading the configuration, for /metrics. The server writes it, scrapes read it, at any time.
type reloads struct {
	mu      sync.Mutex
	whole   int // readings by which everything was put in force as it is written
	part    int // readings by which something was held
	last    time.Time
	unsaved int    // attempts to write to the state directory that failed
	service *hold  // of the service file; nil: it is not held
	path    string // of that file
	good    *generation
	since   time.Time // when good, or one of the same hash before it, was put in force
	holds   map[string]hold
	hosts   map[string]hold // of hosts files, by their paths
	fetched *mirror.Mirror  // nil: no list lies elsewhere
}

func newReloads() *reloads { return &reloads{} }

// loaded records what l has in force.
func (r *reloads) loaded(l *loader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.good == nil || r.good.snapshot.Hash() != l.good.snapshot.Hash() {
		r.since = time.Now()
	}
	r.good, r.holds = l.good, l.holds
	if len(l.holds) == 0 && len(r.hosts) == 0 && r.service == nil {
		r.whole++
		r.last = time.Now()
	} else {
		r.part++
	}
}

// failed records a reading that put nothing in force.
func (r *reloads) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.part++
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

// holdHosts records which hosts files are held, and why.
func (r *reloads) holdHosts(holds map[string]hold) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts = holds
}

func (r *reloads) releaseService() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.service != nil
	r.service = nil
	return held
}

// notSaved records that something could not be written to the state directory.
func (r *reloads) notSaved() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsaved++
}

var (
	reloadsDesc = prometheus.NewDesc("cordon_reloads_total",
		"Readings of the configuration, by result: success, or held if the last good version of something stays in force.",
		[]string{"result"}, nil)
	reloadSuccessDesc = prometheus.NewDesc("cordon_reload_last_success_timestamp_seconds",
		"When everything was last put in force as it is written.", nil, nil)
	unsavedDesc = prometheus.NewDesc("cordon_state_save_errors_total",
		"Attempts to write to the state directory that failed: what is in force, or the time.", nil, nil)
	heldDesc = prometheus.NewDesc("cordon_held_since_timestamp_seconds",
		"Since when the last good version of a file or list is in force in place of what is written.", []string{"what"}, nil)
	policyInfoDesc = prometheus.NewDesc("cordon_policy_info",
		"The policy in force: servers with the same hash have the same.", []string{"hash"}, nil)
	listNamesDesc = prometheus.NewDesc("cordon_list_names",
		"Names of a list in force.", []string{"list"}, nil)
	listNetworksDesc = prometheus.NewDesc("cordon_list_networks",
		"Networks of a list in force.", []string{"list"}, nil)
	listRejectedDesc = prometheus.NewDesc("cordon_list_rejected_entries",
		"Entries of a list that can't be used.", []string{"list"}, nil)
	listLoadedDesc = prometheus.NewDesc("cordon_list_loaded_timestamp_seconds",
		"When the version of a list that is in force was loaded.", []string{"list"}, nil)
	listSuccessDesc = prometheus.NewDesc("cordon_list_last_success_timestamp_seconds",
		"When a list's source was last known to have nothing newer: it answered, or its file was written.", []string{"list"}, nil)
	listStateDesc = prometheus.NewDesc("cordon_list_state",
		"1 for the state that a list is in: in force, held (the last good version is in force), stale (older than max_age), absent.",
		[]string{"list", "state"}, nil)
	listOutcomeDesc = prometheus.NewDesc("cordon_list_last_outcome",
		"1 for what the last attempt to fetch a list came to: changed, unchanged, failed.", []string{"list", "outcome"}, nil)
	listInfoDesc = prometheus.NewDesc("cordon_list_info",
		"The rules of a list that are in force: servers with the same hash have the same.", []string{"list", "hash"}, nil)
)

// Describe implements [prometheus.Collector].
func (r *reloads) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		reloadsDesc, reloadSuccessDesc, unsavedDesc, heldDesc, policyInfoDesc,
		listNamesDesc, listNetworksDesc, listRejectedDesc, listLoadedDesc, listSuccessDesc, listStateDesc, listOutcomeDesc, listInfoDesc,
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
	ch <- prometheus.MustNewConstMetric(reloadsDesc, prometheus.CounterValue, float64(r.whole), "success")
	ch <- prometheus.MustNewConstMetric(reloadsDesc, prometheus.CounterValue, float64(r.part), "held")
	ch <- prometheus.MustNewConstMetric(unsavedDesc, prometheus.CounterValue, float64(r.unsaved))
	gauge(reloadSuccessDesc, seconds(r.last))
	gauge(policyInfoDesc, 1, r.good.snapshot.Hash())
	if r.service != nil {
		gauge(heldDesc, seconds(r.service.since), r.path)
	}
	for what, h := range r.hosts {
		gauge(heldDesc, seconds(h.since), what)
	}
	for what, h := range r.holds {
		gauge(heldDesc, seconds(h.since), what)
	}
	for _, list := range statuses(r.good, r.holds, r.fetched, time.Now()) {
		list.collect(gauge)
	}
}

// lists are the statuses of the lists in force.
func (r *reloads) lists(now time.Time) []listStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return statuses(r.good, r.holds, r.fetched, now)
}

// list is the status of one of them, with its rejected lines.
func (r *reloads) list(name string, now time.Time) (*listStatus, error) {
	s, err := find(r.lists(now), name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if list := r.good.list(name); list != nil {
		s.RejectedLines = rejected(list)
	}
	return s, nil
}

// collect gives what is known of the list as metrics.
func (s *listStatus) collect(gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	gauge(listNamesDesc, float64(s.Names), s.Name)
	gauge(listNetworksDesc, float64(s.Networks), s.Name)
	gauge(listRejectedDesc, float64(s.Rejected), s.Name)
	gauge(listLoadedDesc, seconds(s.Loaded), s.Name)
	gauge(listInfoDesc, 1, s.Name, s.Hash)
	for _, state := range listStates() {
		gauge(listStateDesc, truth(s.State == state), s.Name, state)
	}
	if !s.Current.IsZero() {
		gauge(listSuccessDesc, seconds(s.Current), s.Name)
	}
	if s.Fetch == nil {
		return
	}
	for _, outcome := range []string{"changed", "unchanged", "failed"} {
		gauge(listOutcomeDesc, truth(s.Fetch.Outcome == outcome), s.Name, outcome)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
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

func newDroppedLines(l *logLimit) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "cordon_log_dropped_lines_total", Help: "Log lines that were over log.max_per_second.",
	}, func() float64 { return float64(l.dropped.Load()) })
}
