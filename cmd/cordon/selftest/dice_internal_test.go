package selftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/resolver/policy"
)

// dice makes policies.
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
		"games.example", "www.tiktok.com.edgesuite.net", "m.tiktok.com.c.footprint.net", "cdn.bytedance.com.edgesuite.net", "example.org",
	}
	someNetworks = []string{
		"10.10.0.0/16", "10.10.7.0/24", "10.10.7.0/32", "10.10.7.42/32", "10.10.7.64/26", "10.10.200.0/22", "192.0.2.0/24", "10.0.0.0/8",
		"2001:db8:10::/48", "2001:db8:10:7::/64", "0.0.0.0/0", "::/0", "255.255.255.0/24", "255.255.255.255/32",
	}
	someLists    = []string{"l0", "l1", "l2"}
	somePolicies = []string{"p0", "p1", "p2", "p3"}
	someAgencies = []string{"a0", "a1", "a2", "a3", "default"}
)

func day(n int) time.Time { return time.Date(2023, 6, 1+n, 0, 0, 0, 0, time.UTC) }

func (d dice) span() (from, until time.Time) {
	n := d.IntN(10)
	from, until = day(n), day(n+1+d.IntN(6))
	if d.IntN(2) == 0 {
		from = time.Time{}
	}
	return from, until
}

func (d dice) list(t *testing.T, name string) *blocklists.List {
	rules := []string{"only-on-" + name + ".example"}
	if name == "l2" { // one that allows
		for _, rule := range d.some(someNames) {
			rules = append(rules, "server=/"+rule+pick(d, []string{"/", "/", "/#"}))
		}
		return load(t, blocklists.Source{Name: name, Format: format.Dnsmasq, Inline: append(rules[1:], "local=/"+rules[0]+"/")})
	}
	for _, rule := range d.some(someNames) {
		rules = append(rules, pick(d, []string{"", "", "*.", "="})+rule)
	}
	d.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	return load(t, blocklists.Source{Name: name, Format: format.Names, Inline: rules})
}

func (d dice) policy(name string) policy.Policy {
	p := policy.Policy{Name: name, Lists: append(d.some(someLists), pick(d, someLists)), Recommendation: d.IntN(3) == 0}
	if d.IntN(2) == 0 {
		p.From, p.Until = d.span()
	}
	return p
}

func (d dice) agency(i int, networks []string) policy.Agency {
	a := policy.Agency{Name: someAgencies[i], Policies: d.some(somePolicies), Mode: policy.AgencyMode(d.IntN(3)), Networks: prefixes(networks...)}
	if d.IntN(12) == 0 {
		a.Mode = policy.Off
	}
	if i > 0 && d.IntN(2) == 0 {
		a.Parent = someAgencies[d.IntN(i)]
	}
	return a
}

func (d dice) exception(i int) policy.Exception {
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
		for _, name := range d.some(someNames) {
			e.Names = append(e.Names, domain.MustParse(name))
		}
	}
	return e
}

// config is a whole policy.
func (d dice) config(t *testing.T) policy.Config {
	c := policy.Config{ID: 1, Allowed: prefixes(d.some(someNetworks)...)}
	for _, name := range someLists {
		c.Lists = append(c.Lists, d.list(t, name))
	}
	for _, name := range somePolicies {
		c.Policies = append(c.Policies, d.policy(name))
	}
	free := slices.Clone(someNetworks)
	d.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	for i := range len(someAgencies) - d.IntN(2) {
		c.Agencies = append(c.Agencies, d.agency(i, free[2*i:2*i+2]))
	}
	if p := pick(d, c.Policies); d.IntN(3) == 0 { // of an agency's own; nobody else may name it
		for i := range c.Agencies {
			c.Agencies[i].Policies = slices.DeleteFunc(c.Agencies[i].Policies, func(name string) bool { return name == p.Name })
		}
		c.Policies[slices.IndexFunc(c.Policies, func(q policy.Policy) bool { return q.Name == p.Name })].Within = "a1"
	}
	for i := range d.IntN(6) {
		c.Exceptions = append(c.Exceptions, d.exception(i))
	}
	return c
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func load(t testing.TB, src blocklists.Source) *blocklists.List {
	t.Helper()
	l, err := blocklists.Load(context.Background(), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func compile(t testing.TB, c policy.Config) *policy.Snapshot {
	t.Helper()
	s, err := policy.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(at time.Time) policy.Instant { return policy.Instant{Now: at} }

// What is worked out from the files is what the rule decides, at any time: a false alarm would take every server from its clients at once.
// And a name is found wherever one is refused, but in what is not plain.
func TestWhatMustBeRefusedIsRefused(t *testing.T) {
	found, missed, without := 0, 0, 0
	for seed := range uint64(500) {
		d := dice{rand.New(rand.NewPCG(seed, 7))}
		c := d.config(t)
		s, p := compile(t, c), newPlan(c)
		tested := map[string]bool{}
		for _, a := range p.agencies {
			tested[a.name] = true
			asker, allowed := s.Asker(a.client)
			if asker.Agency().Name != a.name || !allowed {
				t.Fatalf("seed %d: %s is a client of %s (allowed %t), want one of %s\n%+v", seed, a.client, asker.Agency().Name, allowed, a.name, c)
			}
			for at := day(0); at.Before(day(18)); at = at.Add(12 * time.Hour) {
				name, ok := a.mustRefuse(instant(at))
				switch {
				case ok:
					found++
					if v := s.Decide(asker, []byte(name), instant(at)); v.Action != policy.Refuse {
						t.Fatalf("seed %d: %s: %s of %s: %s, want refuse\n%+v", seed, at, name, a.name, v.Action, c)
					}
				case refusesAny(s, asker, at):
					missed++
				default:
					without++
				}
			}
		}
		for _, a := range s.Agencies() { // that a client can be in
			asker, allowed := s.Asker(sample(s, a))
			if allowed && asker.Agency() == a && !tested[a.Name] {
				t.Fatalf("seed %d: agency %s is not tested\n%+v", seed, a.Name, c)
			}
		}
	}
	t.Logf("%d refused, %d missed, %d that refuse nothing", found, missed, without)
	if found < 20000 || without < 20000 || missed > found/10 {
		t.Errorf("%d are found and %d are not, beside %d that refuse nothing", found, missed, without)
	}
}

// sample is an address of a's clients, if one is easily found.
func sample(s *policy.Snapshot, a *policy.Agency) netip.Addr {
	for _, p := range a.Networks {
		for at, n := p.Addr(), 0; n < 300 && p.Contains(at); at, n = at.Next(), n+1 {
			if asker, _ := s.Asker(at); asker.Agency() == a {
				return at
			}
		}
	}
	return netip.Addr{}
}

func refusesAny(s *policy.Snapshot, asker *policy.Asker, at time.Time) bool {
	for _, text := range append([]string{"only-on-l0.example", "only-on-l1.example", "only-on-l2.example"}, someNames...) {
		if v := s.Decide(asker, []byte(domain.MustParse(text)), instant(at)); v.Action == policy.Refuse {
			return true
		}
	}
	return false
}

// A plan is made on the way of a reload: eight times as many agencies, each of one client who has an exception, take some eight times as long.
func TestAPlanOfManyExceptionsIsMadeInNoTime(t *testing.T) {
	best := func(n int) time.Duration {
		var c policy.Config
		for i := range n {
			name, client := fmt.Sprint("a", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
			c.Agencies = append(c.Agencies, policy.Agency{Name: name, Networks: []netip.Prefix{client}})
			c.Exceptions = append(c.Exceptions, policy.Exception{Name: name, Agency: name, Clients: []netip.Prefix{client}})
		}
		least := time.Hour
		for range 3 {
			begun := time.Now()
			p := newPlan(c)
			least = min(least, time.Since(begun))
			if last := p.agencies[n-1]; len(p.agencies) != n || len(last.exceptions) != 1 || last.exceptions[0].Name != last.name {
				t.Fatalf("%d agencies, the last one with %v", len(p.agencies), last.exceptions)
			}
		}
		return least
	}
	const few = 1000
	if one, eight := best(few), best(8*few); eight > 32*one {
		t.Errorf("%s for %d, %s for %d", one, few, eight, 8*few)
	}
}
