package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/explain"
	"cordon/cmd/cordon/querylog"
	"cordon/cmd/cordon/selftest"
	"cordon/cmd/cordon/status"
	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/policy"
)

// This file says how the running server is, for whoever asks: from what the hot path counts without a lock, and what the reload path has
// left behind.

// status is how the server is now. It may be called at any time.
func (s *server) status() *status.Status {
	now := s.resolver.Instant(time.Now())
	running, ours := s.outcome.running(), thisBuild()
	snapshot := running.good.snapshot
	zone := zoneOf(snapshot)
	now.Now = now.Now.In(zone)
	v := &view{snapshot: snapshot, now: now, zone: zone}
	v.count(s.resolver.Counts())
	next := v.next()
	if next == nil {
		next = []status.Change{} // an empty list for programs
	}
	logged := s.queries.Standing()
	notReady := ""
	if err := s.ready(); err != nil {
		notReady = err.Error()
	}
	return &status.Status{
		At: now.Now.Truncate(time.Second), Host: hostName(), Started: s.started.In(zone).Truncate(time.Second),
		Uptime:   now.Now.Sub(s.started).Truncate(time.Second).Seconds(),
		Build:    status.Build{Version: ours.version, Commit: ours.commit, Go: ours.goVersion},
		NotReady: notReady,
		Snapshot: status.Snapshot{
			Hash: snapshot.Hash(), Since: running.since.In(zone).Truncate(time.Second), From: policyName(s.serving.Load()),
			Whole: v.local(running.whole), Names: snapshot.Set().Names(), Networks: snapshot.Set().Networks(),
		},
		Next: next, Held: running.held(zone), Restart: s.waiting(), Policies: v.policies(), Agencies: v.agencies(),
		Exceptions: v.exceptions(s.resolver.Uses()), Lists: v.lists(s.outcome.lists(now.Now)), Routes: s.upstream.routes(),
		Traffic: s.trafficNow(v.all), LocalNames: s.naming.Load().Len(), QueryLog: v.queryLog(&logged, s.serving.Load()),
		Limits: s.limitsHit(logged.Dropped), Tests: v.tests(s.selftest.Outcomes()),
	}
}

// waiting are the keys that only a restart puts in force.
func (s *server) waiting() []string {
	if keys := s.restart.Load(); keys != nil {
		return *keys
	}
	return []string{}
}

// hostName is the name of this machine, "" if it has none.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// running is what the reload path has left behind.
type running struct {
	good         *generation
	since, whole time.Time
	holds        map[string]hold
	service      string // the path of the service file, "" if it is not held
}

func (r *reloads) running() running {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := running{good: r.good, since: r.since, whole: r.last, holds: map[string]hold{}}
	maps.Copy(now.holds, r.holds)
	maps.Copy(now.holds, r.hosts)
	if r.service != nil {
		now.service, now.holds[r.path] = r.path, *r.service
	}
	return now
}

// held is what is held, by name. A reason about policy, a list or a hosts file may quote the address of somebody's machine, which nobody
// needs here.
func (r *running) held(zone *time.Location) []status.Held {
	all := make([]status.Held, 0, len(r.holds))
	for _, what := range slices.Sorted(maps.Keys(r.holds)) {
		h := r.holds[what]
		reason := h.reason
		if what != r.service {
			reason = audit.WithoutAddresses(reason)
		}
		all = append(all, status.Held{
			What: what, Owner: h.owner, Since: h.since.In(zone).Truncate(time.Second), Reason: reason, Absent: h.absent,
		})
	}
	return all
}

// view is a snapshot as it is at one moment.
type view struct {
	snapshot *policy.Snapshot
	now      policy.Instant
	zone     *time.Location // of the snapshot

	all      status.Verdicts
	byAgency map[string]*status.Verdicts
	byPolicy map[string]*status.Verdicts
}

// local is t in the zone of the snapshot; the zero time stays.
func (v *view) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(v.zone).Truncate(time.Second)
}

// count sums up what the resolver has counted.
func (v *view) count(counts []resolver.Count) {
	v.byAgency, v.byPolicy = map[string]*status.Verdicts{}, map[string]*status.Verdicts{}
	add := func(to map[string]*status.Verdicts, name string, n status.Verdicts) {
		if to[name] == nil {
			to[name] = new(status.Verdicts)
		}
		to[name].Add(n)
	}
	for _, c := range counts {
		var n status.Verdicts
		switch c.Action {
		case policy.Refuse:
			n.Refused = c.N
		case policy.Observe:
			n.Observed = c.N
		case policy.Except:
			n.Excepted = c.N
		case policy.Pass: // is not counted
		}
		v.all.Add(n)
		add(v.byAgency, c.Agency, n)
		add(v.byPolicy, c.Policy, n)
	}
}

func verdictsOf(all map[string]*status.Verdicts, name string) status.Verdicts {
	if n := all[name]; n != nil {
		return *n
	}
	return status.Verdicts{}
}

// next is everything that begins or ends at the first moment after now at which anything does.
func (v *view) next() []status.Change {
	const century = 100
	var all []status.Change
	for _, c := range v.snapshot.Changes(v.now.Now, v.now.Now.AddDate(century, 0, 0)) {
		if len(all) > 0 && !c.At.Equal(all[0].At) {
			break
		}
		what := "the exception "
		switch {
		case c.Exception != nil:
			what += c.Exception.Name
		case c.Policy.Recommendation:
			what = "the recommendation " + c.Policy.Name
		default:
			what = "the ban " + c.Policy.Name
		}
		if c.Starts {
			what += " begins"
		} else {
			what += " ends"
		}
		all = append(all, status.Change{At: c.At, What: what})
	}
	return all
}

// policies are all policies, in the order of the files.
func (v *view) policies() []status.Policy {
	all := make([]status.Policy, 0, len(v.snapshot.Policies()))
	for _, p := range v.snapshot.Policies() {
		phase, _ := p.Phase(v.now)
		title, language := wording.Title(p.Title, "en")
		all = append(all, status.Policy{
			Name: p.Name, Title: title, Language: language, Strength: p.Strength(), State: phase.String(), Authority: p.Authority,
			LegalReference: p.LegalReference, From: p.From, Until: p.Until, Review: p.Review, Lists: p.Lists, Source: p.Source,
			Verdicts: verdictsOf(v.byPolicy, p.Name),
		})
	}
	return all
}

// agencies are all agencies, each behind its parent, and else in the order of the files.
func (v *view) agencies() []status.Agency {
	below := map[string][]*policy.Agency{}
	for _, a := range v.snapshot.Agencies() {
		below[a.Parent] = append(below[a.Parent], a)
	}
	all := make([]status.Agency, 0, len(v.snapshot.Agencies()))
	policies := v.snapshot.PoliciesByAgency()
	var add func(parent string, depth int)
	add = func(parent string, depth int) {
		for _, a := range below[parent] {
			all = append(all, v.agency(a, depth, policies[a.Index]))
			add(a.Name, depth+1)
		}
	}
	add("", 0)
	return all
}

// fewNetworks and fewPolicies are how many of an agency are told: where they are more, people go by the files.
const fewNetworks, fewPolicies = 4, 8

func (v *view) agency(a *policy.Agency, depth int, policies []*policy.Policy) status.Agency {
	one := status.Agency{
		Name: a.Name, Parent: a.Parent, Depth: depth, Mode: a.Mode.String(), Source: a.Source, Policies: []string{},
		Verdicts: verdictsOf(v.byAgency, a.Name),
	}
	for _, network := range a.Networks[:min(len(a.Networks), fewNetworks)] {
		one.Networks = append(one.Networks, network.String())
	}
	one.MoreNets = len(a.Networks) - len(one.Networks)
	for _, p := range policies {
		switch phase, _ := p.Phase(v.now); {
		case phase != policy.InForce:
		case len(one.Policies) < fewPolicies:
			one.Policies = append(one.Policies, p.Name)
		default:
			one.MorePols++
		}
	}
	return one
}

// exceptions are those in force or to come, the next to end first.
func (v *view) exceptions(uses map[string]uint64) []status.Exception {
	all := []status.Exception{}
	for _, e := range v.snapshot.Exceptions() {
		phase, _ := e.Phase(v.now)
		if phase == policy.Over {
			continue
		}
		all = append(all, status.Exception{
			Name: e.Name, Agency: e.Agency, Descendants: e.Descendants, State: phase.String(), Clients: len(e.Clients), Class: e.Class,
			Reason: e.Reason, ApprovedBy: e.ApprovedBy, From: e.From, Until: e.Until, DaysLeft: daysLeft(e.Until, v.now.Now),
			Uses: uses[e.Name], Source: e.Source,
		})
	}
	slices.SortStableFunc(all, func(a, b status.Exception) int { return a.Until.Compare(b.Until) })
	return all
}

// lists are what people and programs are told of all lists here.
func (v *view) lists(found []listStatus) []status.List {
	all := make([]status.List, 0, len(found))
	for i := range found {
		l := &found[i]
		one := status.List{
			Name: l.Name, Origin: l.Source, State: l.State, Names: l.Names, Networks: l.Networks, Rejected: l.Rejected,
			Current: v.local(l.Current),
		}
		if f := l.Fetch; f != nil {
			one.Fetched, one.NextTry, one.Failures, one.Error = v.local(f.Last), v.local(f.Next), f.Failures, f.Error
		}
		all = append(all, one)
	}
	return all
}

// tests are what came of the questions that the server asks itself.
func (v *view) tests(outcomes []selftest.Outcome) []status.Test {
	all := make([]status.Test, 0, len(outcomes))
	for i := range outcomes {
		o := &outcomes[i]
		all = append(all, status.Test{
			Agency: o.Agency, Expect: o.Expect, Name: o.Name, OK: o.OK, Reason: o.Reason, At: v.local(o.At), Since: v.local(o.Since),
		})
	}
	return all
}

// routes are the servers that are asked, of the default route first. It may be called at any time.
func (u *upstreams) routes() []status.Route {
	all := []status.Route{}
	groups := u.now.Load()
	if groups == nil {
		return all
	}
	for _, label := range slices.SortedFunc(maps.Keys(*groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // the root is the shortest
	}) {
		group := (*groups)[label]
		route := status.Route{Zone: label, Failing: group.Failing()}
		for _, server := range group.States() {
			route.Servers = append(route.Servers, status.Server{
				Address: server.Addr.String(), Failing: server.Failing, Failures: server.Failures, Response: server.Response.Seconds(),
			})
		}
		all = append(all, route)
	}
	return all
}

// trafficNow is what was asked and how it was answered. verdicts are those that were counted.
func (s *server) trafficNow(verdicts status.Verdicts) status.Traffic {
	t := s.resolver.Totals()
	return status.Traffic{
		Queries: s.listener.Queries(), Verdicts: verdicts, CacheHit: t.Hit, CacheStale: t.Stale, CacheMiss: t.Miss,
		Waiting: t.Waiting, Places: t.Places,
	}
}

// queryLog is what is noted of queries, by service.
func (v *view) queryLog(logged *querylog.Standing, service *config.Service) status.QueryLog {
	l := status.QueryLog{Outputs: []status.LogOutput{}}
	for _, o := range logged.Outputs {
		if !o.Incident() {
			l.Outputs = append(l.Outputs, status.LogOutput{Name: o.Name, Written: o.Written, Dropped: o.Dropped, Errors: o.Errors})
			continue
		}
		i := logged.Incident
		l.Incident = &status.Incident{
			Begun: v.local(i.Begun), Until: v.local(i.Until), Scope: audit.WithoutAddresses(i.Scope()),
			Written: o.Written, Dropped: o.Dropped, Errors: o.Errors,
		}
	}
	if len(l.Outputs) > 0 {
		l.What, l.Clients = service.QueryLog.What, service.QueryLog.Clients
	}
	return l
}

// limitsHit are all limits, with how often each was hit. unlogged is how many records the query log lost.
func (s *server) limitsHit(unlogged uint64) []status.Limit {
	t := s.listener.Totals()
	return []status.Limit{
		{What: "queries of one client in a second, over UDP", Key: "limits.queries_per_second", Hits: t.LimitedUDP},
		{What: "queries of one client in a second, over TCP", Key: "limits.queries_per_second", Hits: t.LimitedTCP},
		{
			What: "queries that wait for upstreams", Key: "limits.waiting_total, limits.waiting_per_client",
			Hits: s.resolver.Totals().Crowded,
		},
		{What: "TCP connections of one client", Key: "limits.tcp_connections_per_client", Hits: t.RejectedConnections},
		{What: "TCP connections: the longest idle was closed", Key: "limits.tcp_connections", Hits: t.EvictedConnections},
		{What: "lines of the log in a second", Key: "log.max_per_second", Hits: s.limit.dropped.Load()},
		{What: "records that the query log lost", Key: "query_log", Hits: unlogged},
		{What: "queries lost by a fault in Cordon", Hits: t.Panics, Fault: true},
	}
}

// explain says what client gets for name by the policy in force, as they were typed. It reads no file, and may be called at any time.
func (s *server) explain(name, client string) (*status.Explanation, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return nil, fmt.Errorf("%s is an address: want a name, such as www.tiktok.com", a)
	}
	asked, err := askedName(name)
	if err != nil {
		return nil, fmt.Errorf("the name: %w", err)
	}
	from, err := netip.ParseAddr(client)
	if err != nil {
		return nil, fmt.Errorf("%q is no IP address: want one such as 192.0.2.7 or 2001:db8::7", client)
	}
	const rtype = "A"
	now, good := s.resolver.Instant(time.Now()), s.outcome.running().good
	now.Now = now.Now.In(zoneOf(good.snapshot))
	local := lookup(s.serving.Load(), s.naming.Load(), asked, rtype)
	e := good.explain(explain.Question{Name: asked, Type: rtype, Client: from, At: now}, &local)
	return &status.Explanation{
		Name: e.Name, Client: e.Client, At: e.At, Facts: e.Summary(), Because: e.Argument(), Programs: e,
	}, nil
}

// policyName says where the policy of s is written.
func policyName(s *config.Service) string {
	if s.PolicyDir == "" {
		return "the one inside the program"
	}
	return s.PolicyDir
}
