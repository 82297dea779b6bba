package resolver

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// counts are what the hot path counts: one shard a listener, read by the collector at scrape. No address and no name gets here.
type counts struct {
	shards []shard

	mu       sync.Mutex
	verdicts map[verdictKey]*padded // as long as the process lives, so that a counter survives a reload
}

// shard is the counters of one listener, on cache lines of their own.
type shard struct {
	rcodes  [32]atomic.Uint64 // by RCODE, of which we send those below 32
	lookups [3]atomic.Uint64  // by cache.State
	_       [64]byte
}

type padded struct {
	n atomic.Uint64
	_ [56]byte
}

type verdictKey struct {
	policy, agency string
	action         policy.Action
}

// tally is the verdict counters of one snapshot: [agency][policy][action].
type tally [][][]*padded

func (c *counts) init(workers int) {
	c.shards = make([]shard, workers)
	c.verdicts = map[verdictKey]*padded{}
}

// answered counts the answer to q.
func (c *counts) answered(q *wire.Query, answer []byte) {
	s := &c.shards[q.Worker]
	rcode := answer[3] & 0xF
	if q.Problem == wire.BadVersion {
		rcode = byte(wire.BadVers)
	}
	s.rcodes[rcode].Add(1)
}

func (c *counts) looked(q *wire.Query, found cache.State) {
	c.shards[q.Worker].lookups[found].Add(1)
}

// verdict counts v, if it is more than "pass".
func (c *counts) verdict(s *state, v *policy.Verdict) {
	if v.Action != policy.Pass {
		s.tally[v.Agency.Index][v.Policy.Index][v.Action].n.Add(1)
	}
}

// actions is how many actions a verdict can have.
const actions = int(policy.Except) + 1

// tally is the counters for the verdicts of s, the ones that there are and new ones.
func (c *counts) tally(s *policy.Snapshot) tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(tally, len(s.Agencies()))
	for i, agency := range s.Agencies() {
		all[i] = make([][]*padded, len(s.Policies()))
		for j, p := range s.Policies() {
			all[i][j] = make([]*padded, actions)
			for action := range actions {
				all[i][j][action] = c.counter(verdictKey{p.Name, agency.Name, policy.Action(action)})
			}
		}
	}
	return all
}

// counter is the one counter for key. The caller holds c.mu.
func (c *counts) counter(key verdictKey) *padded {
	n := c.verdicts[key]
	if n == nil {
		n = new(padded)
		c.verdicts[key] = n
	}
	return n
}

// Count is how many queries a verdict other than "pass" was given, since the process began.
type Count struct {
	Agency, Policy, List string
	Action               policy.Action
	N                    uint64
}

// Counts returns every verdict that was given at least once, in no order. It may be called at any time.
func (r *Resolver) Counts() []Count {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	var all []Count
	for key, n := range r.counts.verdicts {
		if given := n.n.Load(); given > 0 {
			all = append(all, Count{Agency: key.agency, Policy: key.policy, Action: key.action, N: given})
		}
	}
	return all
}

var (
	responsesDesc = prometheus.NewDesc("cordon_dns_responses_total",
		"Answers, by response code.", []string{"rcode"}, nil)
	verdictsDesc = prometheus.NewDesc("cordon_policy_verdicts_total",
		"Queries that a policy bears on, by what became of them: refuse, observe (would refuse), except.",
		[]string{"policy", "agency", "verdict"}, nil)
	lookupsDesc = prometheus.NewDesc("cordon_cache_requests_total",
		"Look-ups in the cache, by what was found: hit, stale or miss.", []string{"result"}, nil)
	flightsDesc = prometheus.NewDesc("cordon_upstream_flights",
		"Questions under way to upstreams; those of several clients for the same thing count once.", nil, nil)
	waitingDesc = prometheus.NewDesc("cordon_dns_waiting",
		"Queries that wait for upstreams.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (r *Resolver) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{responsesDesc, verdictsDesc, lookupsDesc, flightsDesc, waitingDesc} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (r *Resolver) Collect(ch chan<- prometheus.Metric) {
	r.counts.collect(ch)
	open, waiting := r.flights.load()
	ch <- prometheus.MustNewConstMetric(flightsDesc, prometheus.GaugeValue, float64(open))
	ch <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(waiting))
}

func (c *counts) collect(ch chan<- prometheus.Metric) {
	for rcode := range c.shards[0].rcodes {
		n := c.sum(func(s *shard) uint64 { return s.rcodes[rcode].Load() })
		if name, known := rcodeNames[wire.Rcode(rcode)]; known || n > 0 {
			if !known {
				name = strconv.Itoa(rcode)
			}
			ch <- prometheus.MustNewConstMetric(responsesDesc, prometheus.CounterValue, n, name)
		}
	}
	for found, name := range map[cache.State]string{cache.Fresh: "hit", cache.Stale: "stale", cache.Miss: "miss"} {
		n := c.sum(func(s *shard) uint64 { return s.lookups[found].Load() })
		ch <- prometheus.MustNewConstMetric(lookupsDesc, prometheus.CounterValue, n, name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, n := range c.verdicts {
		if key.action != policy.Pass {
			ch <- prometheus.MustNewConstMetric(verdictsDesc, prometheus.CounterValue, float64(n.n.Load()),
				key.policy, key.agency, key.action.String())
		}
	}
}

func (c *counts) sum(of func(*shard) uint64) float64 {
	var n uint64
	for i := range c.shards {
		n += of(&c.shards[i])
	}
	return float64(n)
}

// rcodeNames are the response codes that are shown even before one was sent.
var rcodeNames = map[wire.Rcode]string{
	wire.Success: "NOERROR", wire.FormErr: "FORMERR", wire.ServFail: "SERVFAIL", wire.NXDomain: "NXDOMAIN",
	wire.NotImp: "NOTIMP", wire.Refused: "REFUSED", wire.BadVers: "BADVERS",
}
