package policy_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/resolver/policy"
)

// dice makes policies and queries.
type dice struct{ *rand.Rand }

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

func (d dice) some(from []string) []string {
	var s []string
	for _, x := range from {
		if d.IntN(3) == 0 {
			s = append(s, x)
		}
	}
	return s
}

var (
	someNames = []string{
		"tiktok.com", "www.tiktok.com", "a.www.tiktok.com", "m.tiktok.com", "xtiktok.com", "bytedance.com", "cdn.bytedance.com",
		"games.example", "www.games.example", "news.example", "www.tiktok.com.edgesuite.net", "m.tiktok.com.c.footprint.net",
		"cdn.bytedance.com.edgesuite.net", "news.example.edgesuite.net", "example.org",
	}
	someAddrs    = []string{"198.51.100.1", "198.51.100.200", "203.0.113.1"}
	someClients  = []string{"10.10.0.1", "10.10.7.1", "10.10.7.42", "10.10.7.65", "10.10.200.1", "192.0.2.1", "2001:db8:10::1", "2001:db8:10:7::1"}
	someNetworks = []string{
		"10.10.0.0/16", "10.10.7.0/24", "10.10.7.42/32", "10.10.7.64/26", "10.10.200.0/22", "192.0.2.0/24", "10.0.0.0/8",
		"2001:db8:10::/48", "2001:db8:10:7::/64", "0.0.0.0/0",
	}
	someLists    = []string{"l0", "l1", "l2", "l3"}
	somePolicies = []string{"p0", "p1", "p2", "p3"}
	someAgencies = []string{"a0", "a1", "a2", "a3", "default"}
)

// moment is the start of one of ten days, so that policies and queries meet at the same moments.
func (d dice) moment() time.Time { return at("2023-06-01").AddDate(0, 0, d.IntN(10)) }

func (d dice) span() (from, until time.Time) {
	from = d.moment()
	until = from.AddDate(0, 0, 1+d.IntN(6))
	if d.IntN(2) == 0 {
		from = time.Time{}
	}
	return from, until
}

func (d dice) policy(t testing.TB) oracle {
	o := oracle{conf: &policy.Config{ID: 1}, lists: map[string][]string{}}
	for i, name := range someLists {
		f, rules := format.Names, append(d.some(someNames[:9]), "only-on-"+name+".example")
		if i == 3 {
			f, rules = format.Networks, []string{"198.51.100.0/25", "203.0.113.0/24"}
		}
		o.lists[name] = rules
		o.conf.Lists = append(o.conf.Lists, load(t, blocklists.Source{Name: name, Format: f, Inline: rules}))
	}
	for _, name := range somePolicies {
		p := policy.Policy{Name: name, Lists: append(d.some(someLists), pick(d, someLists)), Recommendation: d.IntN(3) == 0}
		if d.IntN(2) == 0 {
			p.From, p.Until = d.span()
		}
		o.conf.Policies = append(o.conf.Policies, p)
	}
	d.addAgencies(o.conf)
	d.addExceptions(o.conf)
	d.addOwners(o)
	return o
}

// addOwners puts policies within an agency where every agency that names one is that or below it.
func (d dice) addOwners(o oracle) {
	for i := range o.conf.Policies {
		p := &o.conf.Policies[i]
		owner := pick(d, o.conf.Agencies).Name
		outside := func(a policy.Agency) bool {
			return slices.Contains(a.Policies, p.Name) &&
				!slices.ContainsFunc(o.line(a), func(up policy.Agency) bool { return up.Name == owner })
		}
		if d.IntN(2) == 0 && !slices.ContainsFunc(o.conf.Agencies, outside) {
			p.Within = owner
		}
	}
}

func (d dice) addAgencies(c *policy.Config) {
	free := slices.Clone(someNetworks)
	d.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	for i, name := range someAgencies {
		a := policy.Agency{Name: name, Policies: d.some(somePolicies), Mode: policy.AgencyMode(d.IntN(3))}
		if d.IntN(12) == 0 {
			a.Mode = policy.Off
		}
		if i > 0 && d.IntN(2) == 0 {
			a.Parent = someAgencies[d.IntN(i)]
		}
		if name != "default" {
			a.Networks, free = prefixes(free[:2]...), free[2:]
		} else if d.IntN(2) == 0 {
			continue
		}
		c.Agencies = append(c.Agencies, a)
	}
}

func (d dice) addExceptions(c *policy.Config) {
	for i := range d.IntN(6) {
		e := policy.Exception{Name: fmt.Sprintf("e%d", i), Agency: pick(d, someAgencies), Descendants: d.IntN(2) == 0}
		e.From, e.Until = d.span()
		if d.IntN(2) == 0 {
			e.Clients = prefixes(d.some(someNetworks)...)
		}
		if d.IntN(2) == 0 {
			e.Policies = d.some(somePolicies)
		}
		if d.IntN(3) == 0 {
			e.Lists = d.some(someLists)
		}
		if d.IntN(2) == 0 {
			e.Names = names(d.some(someNames)...)
		}
		c.Exceptions = append(c.Exceptions, e)
	}
}

// query is one query with what its answer leads to.
type query struct {
	client   netip.Addr
	question string
	names    []string
	addrs    []string
}

func (d dice) query() query {
	q := query{client: netip.MustParseAddr(pick(d, someClients)), question: pick(d, someNames)}
	for range d.IntN(3) {
		q.names = append(q.names, pick(d, someNames))
	}
	if d.IntN(3) == 0 {
		q.addrs = []string{pick(d, someAddrs)}
	}
	return q
}

// decide asks the snapshot as the resolver does.
func (q query) decide(t testing.TB, s *policy.Snapshot, now policy.Instant) policy.Verdict {
	a, _ := s.Asker(q.client)
	chain, addrs := leadsTo(strings.Join(q.names, " "), strings.Join(q.addrs, " "))
	question := s.Decide(a, wire(q.question), now)
	checkExplanation(t, s.Explain(a, wire(q.question), now), question)
	if question.Action == policy.Refuse {
		return question
	}
	v := question
	if s.Bears(chain, addrs) {
		v = s.DecideAnswer(a, question, chain, addrs, now)
	}
	checkExplanation(t, s.ExplainAnswer(a, question, chain, addrs, now), v)
	return v
}

func rulingOf(v policy.Verdict) ruling {
	r := ruling{action: v.Action, listed: v.Listed}
	if v.Policy != nil {
		r.policy = v.Policy.Name
	}
	if v.Exception != nil {
		r.exception = v.Exception.Name
	}
	return r
}

// checkOne makes a policy and some queries from seed, and holds the verdicts against the oracle; then it goes on in time: up to its
// Boundary, a verdict doesn't change.
func checkOne(t *testing.T, seed uint64) {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	o := d.policy(t)
	s := compile(t, o.conf)
	for range 10 {
		q := d.query()
		now := policy.Instant{Now: d.moment()}
		now.HighWater = now.Now
		if d.IntN(3) == 0 {
			now.HighWater = now.Now.AddDate(0, 0, d.IntN(5))
		}
		v := q.decide(t, s, now)
		got, want := rulingOf(v), o.decide(q.client, q.question, append(q.names, q.addrs...), now)
		if got != want {
			t.Fatalf("seed %d, %+v at %s, high water %s:\n got %s\nwant %s", seed, q, now.Now, now.HighWater, got, want)
		}
		if v.List != "" && !o.holds(v.List, judged(v)) {
			t.Fatalf("seed %d, %+v: %s names list %s, which doesn't hold it", seed, q, got, v.List)
		}
		later := now.Now.AddDate(0, 0, d.IntN(12)).Add(-time.Second)
		if !v.Boundary.IsZero() && !later.Before(v.Boundary) {
			later = v.Boundary.Add(-time.Millisecond)
		}
		if later.Before(now.Now) {
			continue
		}
		then := policy.Instant{Now: later, HighWater: later}
		if later.Before(now.HighWater) {
			then.HighWater = now.HighWater
		}
		if still := rulingOf(q.decide(t, s, then)); still != got {
			t.Fatalf("seed %d, %+v: at %s, high water %s\n%s\nbut before its boundary %s, at %s\n%s",
				seed, q, now.Now, now.HighWater, got, v.Boundary, later, still)
		}
	}
}

// judged is the name or address that the reason of v is about.
func judged(v policy.Verdict) string {
	if v.Name == nil {
		return v.Addr.String()
	}
	return string(domain.AppendText(nil, v.Name))
}

func TestAgainstOracle(t *testing.T) {
	for seed := range uint64(400) {
		checkOne(t, seed)
	}
}

func FuzzAgainstOracle(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkOne)
}

// FuzzHostileNames: whatever octets come as a name, deciding doesn't panic and explains the same.
func FuzzHostileNames(f *testing.F) {
	conf := world(f)
	with(exceptions(policy.Exception{Name: "x", Names: names("m.tiktok.com")}, policy.Exception{Name: "y", Lists: []string{"bytedance"}}))(conf)
	s := compile(f, conf)
	a := asker(f, s, "10.10.7.1")
	for _, name := range someNames {
		f.Add(wire(name))
	}
	f.Add([]byte{})
	f.Add([]byte{63, 'a'})
	f.Add([]byte("\x06tiktok\x03com"))
	f.Fuzz(func(t *testing.T, name []byte) {
		v := s.Decide(a, name, noon)
		if _, ok := domain.FromWire(name); !ok && v.Listed {
			t.Errorf("%q is no name and listed", name)
		}
		checkExplanation(t, s.Explain(a, name, noon), v)
		checkExplanation(t, s.ExplainAnswer(a, v, [][]byte{name, nil}, []netip.Addr{{}}, noon), s.DecideAnswer(a, v, [][]byte{name, nil}, []netip.Addr{{}}, noon))
	})
}
