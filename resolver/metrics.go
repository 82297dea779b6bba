package resolver

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

var (
	responsesDesc = prometheus.NewDesc("cordon_dns_responses_total",
		"Answers, by response code.", []string{"rcode"}, nil)
	verdictsDesc = prometheus.NewDesc("cordon_policy_verdicts_total",
		"Queries that a policy bears on, by what became of them: refuse, observe (would refuse), except.",
		[]string{"policy", "agency", "verdict"}, nil)
	listVerdictsDesc = prometheus.NewDesc("cordon_list_verdicts_total",
		"Queries that a rule of a list bears on, by what became of them: refuse, observe (would refuse), except.",
		[]string{"list", "verdict"}, nil)
	serviceVerdictsDesc = prometheus.NewDesc("cordon_service_verdicts_total",
		"Queries that a policy bears on, by the service that the rule of a built-in list is about (other for all other lists), and by "+
			"what became of them: refuse, observe (would refuse), except.",
		[]string{"service", "agency", "verdict"}, nil)
	usesDesc = prometheus.NewDesc("cordon_exception_uses_total",
		"Queries that an exception let pass, by the exception and the agency that it is for.",
		[]string{"exception", "agency"}, nil)
	lookupsDesc = prometheus.NewDesc("cordon_cache_requests_total",
		"Look-ups in the cache, by what was found: hit, stale or miss.", []string{"result"}, nil)
	prefetchesDesc = prometheus.NewDesc("cordon_cache_prefetches_total",
		"Questions asked anew shortly before an answer that is much asked for would expire, by how they ended: renewed or failed.",
		[]string{"result"}, nil)
	flightsDesc = prometheus.NewDesc("cordon_upstream_flights",
		"Questions under way to upstreams; those of several clients for the same thing count once.", nil, nil)
	ownDesc = prometheus.NewDesc("cordon_local_answers_total",
		"Answers from names of one's own, without those to aliases that lead elsewhere.", nil, nil)
	ownNamesDesc = prometheus.NewDesc("cordon_local_names",
		"Names of one's own that have records, names of addresses included.", nil, nil)
	waitingDesc = prometheus.NewDesc("cordon_dns_waiting",
		"Queries that wait for upstreams.", nil, nil)
	crowdedDesc = prometheus.NewDesc("cordon_dns_waiting_exceeded_total",
		"Queries that found no place to wait for upstreams, and got what is stale or SERVFAIL.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (r *Resolver) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		responsesDesc, verdictsDesc, listVerdictsDesc, serviceVerdictsDesc, usesDesc, lookupsDesc, prefetchesDesc, flightsDesc, waitingDesc,
		crowdedDesc, ownDesc, ownNamesDesc,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (r *Resolver) Collect(ch chan<- prometheus.Metric) {
	r.counts.collect(ch)
	r.collectVerdicts(ch)
	r.collectServices(ch)
	r.counts.collectUses(ch)
	ch <- prometheus.MustNewConstMetric(ownDesc, prometheus.CounterValue, r.counts.sum(func(s *shard) uint64 { return s.own.Load() }))
	ch <- prometheus.MustNewConstMetric(ownNamesDesc, prometheus.GaugeValue, float64(r.ownNames()))
	open, waiting, crowded := r.flights.load()
	ch <- prometheus.MustNewConstMetric(crowdedDesc, prometheus.CounterValue, float64(crowded))
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
	c.collectLookups(ch)
}

func (c *counts) collectLookups(ch chan<- prometheus.Metric) {
	for name, states := range map[string][]cache.State{"hit": {cache.Fresh, cache.Due}, "stale": {cache.Stale}, "miss": {cache.Miss}} {
		var n float64
		for _, found := range states {
			n += c.sum(func(s *shard) uint64 { return s.lookups[found].Load() })
		}
		ch <- prometheus.MustNewConstMetric(lookupsDesc, prometheus.CounterValue, n, name)
	}
	ch <- prometheus.MustNewConstMetric(prefetchesDesc, prometheus.CounterValue, float64(c.prefetched.Load()), "renewed")
	ch <- prometheus.MustNewConstMetric(prefetchesDesc, prometheus.CounterValue, float64(c.unrenewed.Load()), "failed")
}

// maxZeros is how many pairs of an agency and a policy are shown before anything was counted for them. Where there are more, a pair
// appears with its first verdict.
const maxZeros = 4096

type (
	verdictKey struct {
		policy, agency string
		action         policy.Action
	}
	listKey struct {
		list   string
		action policy.Action
	}
)

// collectVerdicts sums up the verdicts over lists, and over agencies and policies.
func (r *Resolver) collectVerdicts(ch chan<- prometheus.Metric) {
	verdicts, lists := r.zeros()
	for _, c := range r.Counts() {
		verdicts[verdictKey{c.Policy, c.Agency, c.Action}] += c.N
		lists[listKey{c.List, c.Action}] += c.N
	}
	for key, n := range verdicts {
		ch <- prometheus.MustNewConstMetric(verdictsDesc, prometheus.CounterValue, float64(n), key.policy, key.agency, key.action.String())
	}
	for key, n := range lists {
		ch <- prometheus.MustNewConstMetric(listVerdictsDesc, prometheus.CounterValue, float64(n), key.list, key.action.String())
	}
}

// zeros are the sums that the snapshot in force can have.
func (r *Resolver) zeros() (map[verdictKey]uint64, map[listKey]uint64) {
	verdicts, lists := map[verdictKey]uint64{}, map[listKey]uint64{}
	s := r.Snapshot()
	if s == nil {
		return verdicts, lists
	}
	agencies := s.Agencies()
	if len(agencies)*len(s.Policies()) > maxZeros {
		agencies = nil
	}
	for _, p := range s.Policies() {
		for action := policy.Refuse; action <= policy.Except; action++ {
			for _, list := range p.Lists {
				lists[listKey{list, action}] = 0
			}
			for _, a := range agencies {
				verdicts[verdictKey{p.Name, a.Name, action}] = 0
			}
		}
	}
	return verdicts, lists
}

type serviceKey struct {
	service policy.Service
	agency  string
	action  policy.Action
}

// collectServices sums up the verdicts over policies and lists. The refusals of a service are shown before there are any, where that is
// not too much; all else appears with its first verdict.
func (r *Resolver) collectServices(ch chan<- prometheus.Metric) {
	services := r.serviceZeros()
	r.counts.addServices(services)
	for key, n := range services {
		ch <- prometheus.MustNewConstMetric(serviceVerdictsDesc, prometheus.CounterValue, float64(n),
			key.service.String(), key.agency, key.action.String())
	}
}

// serviceZeros are the sums of refusals that the snapshot in force can have.
func (r *Resolver) serviceZeros() map[serviceKey]uint64 {
	zeros := map[serviceKey]uint64{}
	s := r.Snapshot()
	if s == nil || len(s.Agencies())*policy.Services > maxZeros {
		return zeros
	}
	for _, list := range s.Lists() {
		for _, service := range list.Services() {
			for _, a := range s.Agencies() {
				zeros[serviceKey{service, a.Name, policy.Refuse}] = 0
			}
		}
	}
	return zeros
}

// addServices adds what was counted, where it is more than nothing.
func (c *counts) addServices(sums map[serviceKey]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, found := range c.cells {
		for service := range found {
			for action := policy.Refuse; action <= policy.Except; action++ {
				if n := found[service].action(action).Load(); n > 0 {
					sums[serviceKey{policy.Service(service), key.agency, action}] += n
				}
			}
		}
	}
}

func (c *counts) collectUses(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, used := range c.uses {
		ch <- prometheus.MustNewConstMetric(usesDesc, prometheus.CounterValue, float64(used.n.Load()), key.exception, key.agency)
	}
}

func (r *Resolver) ownNames() int {
	if s := r.state.Load(); s != nil {
		return s.names.Len()
	}
	return 0
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
