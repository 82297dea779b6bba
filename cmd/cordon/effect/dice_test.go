package effect_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	"cordon/cmd/cordon/effect"
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
		"cdn.bytedance.com.edgesuite.net", "news.example.edgesuite.net", "example.org", "x.y.www.games.example",
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
	if name == "l3" {
		return load(t, blocklists.Source{Name: name, Format: format.Networks, Inline: append(d.some([]string{"198.51.100.0/25", "203.0.113.0/24"}), "198.51.100.192/26")})
	}
	rules := []string{"only-on-" + name + ".example"}
	if name == "l2" { // one that allows
		for _, rule := range d.some(someNames[:12]) {
			rules = append(rules, "server=/"+rule+pick(d, []string{"/", "/", "/#"}))
		}
		return load(t, blocklists.Source{Name: name, Format: format.Dnsmasq, Inline: append(rules[1:], "local=/"+rules[0]+"/")})
	}
	for _, rule := range d.some(someNames[:12]) {
		rules = append(rules, pick(d, []string{"", "", "*.", "="})+rule)
	}
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

func (d dice) networks() [][]string {
	free := slices.Clone(someNetworks)
	d.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	return [][]string{free[0:2], free[2:4], free[4:6], free[6:8], nil}
}

// config is a whole policy.
func (d dice) config(t *testing.T) policy.Config {
	c := policy.Config{ID: 1}
	for _, name := range someLists {
		c.Lists = append(c.Lists, d.list(t, name))
	}
	for _, name := range somePolicies {
		c.Policies = append(c.Policies, d.policy(name))
	}
	for i, networks := range d.networks() {
		c.Agencies = append(c.Agencies, d.agency(i, networks))
	}
	for i := range d.IntN(6) {
		c.Exceptions = append(c.Exceptions, d.exception(i))
	}
	return c
}

// edit is c with one or two things changed.
func (d dice) edit(t *testing.T, c policy.Config) policy.Config {
	c.ID = 2
	c.Lists, c.Policies, c.Agencies, c.Exceptions = slices.Clone(c.Lists), slices.Clone(c.Policies), slices.Clone(c.Agencies), slices.Clone(c.Exceptions)
	for range 1 + d.IntN(2) {
		switch d.IntN(8) {
		case 0, 6, 7:
			i := d.IntN(len(c.Lists))
			c.Lists[i] = d.list(t, c.Lists[i].Name())
		case 1:
			i := d.IntN(len(c.Policies))
			c.Policies[i] = d.policy(c.Policies[i].Name)
		case 2:
			i := d.IntN(len(c.Policies))
			if _, c.Policies[i].Until = d.span(); !c.Policies[i].From.Before(c.Policies[i].Until) {
				c.Policies[i].From = time.Time{}
			}
		case 3:
			i := d.IntN(len(c.Agencies))
			a := d.agency(i, nil)
			a.Networks = c.Agencies[i].Networks
			c.Agencies[i] = a
		case 4:
			for i, networks := range d.networks() {
				c.Agencies[i].Networks = prefixes(networks...)
			}
		default:
			i := d.IntN(len(c.Exceptions) + 1)
			c.Exceptions = append(c.Exceptions[:i], d.exception(i))
		}
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

// decide is the verdict on a name, or on an answer with an address.
func decide(s *policy.Snapshot, client, what string, at time.Time) policy.Verdict {
	a, _ := s.Asker(netip.MustParseAddr(client))
	now := policy.Instant{Now: at}
	if addr, err := netip.ParseAddr(what); err == nil {
		return s.DecideAnswer(a, s.Decide(a, []byte(domain.MustParse("question.invalid")), now), nil, []netip.Addr{addr}, now)
	}
	return s.Decide(a, []byte(domain.MustParse(what)), now)
}

// isOf says whether a client of an agency is among who.
func isOf(who []effect.Who, agency, client string) bool {
	addr := netip.MustParseAddr(client)
	longest := func(networks []netip.Prefix) int {
		bits := -1
		for _, p := range networks {
			if p.IsValid() && p.Contains(addr) {
				bits = max(bits, p.Bits())
			}
		}
		return bits
	}
	for _, w := range who {
		if w.Agency == agency {
			in := longest(w.Clients)
			return (in >= 0 || len(w.Clients) == 0) && in >= longest(w.But)
		}
	}
	return false
}

func during(e *effect.Effect, at time.Time) bool {
	return !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until))
}

// checkOne holds a difference against verdicts, both ways.
func checkOne(t *testing.T, seed uint64) {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	one := d.config(t)
	other := d.edit(t, one)
	if d.IntN(4) == 0 {
		other = d.config(t)
	}
	old, next := compile(t, one), compile(t, other)
	at := day(d.IntN(6)).Add(time.Hour)
	diff := effect.Compare(old, next, at)
	checkAlike(t, seed, diff, effect.Compare(old, next, at))

	turns := 0
	for range 150 {
		client, what := pick(d, someClients), pick(d, append(someNames, someAddrs...))
		then := at.Add(time.Duration(d.IntN(15*24)) * time.Hour)
		was, is := decide(old, client, what, then), decide(next, client, what, then)
		agency := is.Agency.Name
		if was.Action == is.Action {
			continue
		}
		turns++
		list := is.List
		if is.Policy == nil {
			list = was.List
		}
		if !covered(diff.Effects, agency, client, then, was.Action.String(), is.Action.String(), list) {
			t.Fatalf("seed %d: %s asks for %s at %s: %s was, %s is by list %s, and the difference is\n%s",
				seed, client, what, then, was.Action, is.Action, list, shown(diff))
		}
	}
	if turns > 0 && diff.Nothing() {
		t.Fatalf("seed %d: nothing changes, but %d verdicts do", seed, turns)
	}
	for i := range diff.Effects {
		checkTrue(t, seed, old, next, &diff.Effects[i], diff)
	}
}

func covered(effects []effect.Effect, agency, client string, at time.Time, before, after, list string) bool {
	return slices.ContainsFunc(effects, func(e effect.Effect) bool {
		return during(&e, at) && isOf(e.Who, agency, client) && slices.ContainsFunc(e.Outcomes, func(o effect.Outcome) bool {
			return o.Before == before && o.After == after && slices.ContainsFunc(o.Lists, func(l effect.Listed) bool { return l.List == list })
		})
	})
}

// checkTrue: of what an effect says, the first names do so, for every client that it is about, from its first moment to its last.
func checkTrue(t *testing.T, seed uint64, old, next *policy.Snapshot, e *effect.Effect, d effect.Difference) {
	moments := []time.Time{e.From, e.From.AddDate(0, 1, 0)}
	if !e.Until.IsZero() {
		moments[1] = e.Until.Add(-time.Millisecond)
	}
	for _, client := range someClients {
		if a, _ := next.Asker(netip.MustParseAddr(client)); !isOf(e.Who, a.Agency().Name, client) {
			continue
		}
		for _, o := range e.Outcomes {
			for _, l := range o.Lists {
				if l.Names+l.Networks < len(l.First) || len(l.First) == 0 {
					t.Fatalf("seed %d: %d names and %d networks, the first are %q", seed, l.Names, l.Networks, l.First)
				}
				for _, moment := range moments {
					was, is := decide(old, client, probe(l.First[0]), moment), decide(next, client, probe(l.First[0]), moment)
					if was.Action.String() != o.Before || is.Action.String() != o.After {
						t.Fatalf("seed %d: %s asks for %s at %s: %s was, %s is; the difference says otherwise:\n%s",
							seed, client, l.First[0], moment, was.Action, is.Action, shown(d))
					}
				}
			}
		}
	}
}

// probe is a name or an address in what is shown: that of a network which no smaller one takes.
func probe(text string) string {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr().String()
	}
	return strings.Replace(text, "*", "nothing-else", 1)
}

func shown(d effect.Difference) string {
	var b bytes.Buffer
	_ = d.Write(&b)
	return b.String()
}

func checkAlike(t *testing.T, seed uint64, a, b effect.Difference) {
	one, err := json.Marshal(a)
	other, _ := json.Marshal(b)
	if err != nil || !bytes.Equal(one, other) || !slices.Equal(a.Sentences(), b.Sentences()) || shown(a) != shown(b) {
		t.Fatalf("seed %d: two comparisons differ: %v\n%s\n%s", seed, err, one, other)
	}
	for _, s := range a.Sentences() {
		if len(s) > 400 || strings.Contains(s, "\n") || len(a.Sentences()) > 40 {
			t.Fatalf("seed %d: too much: %q", seed, s)
		}
	}
}

func TestTheDifferenceIsThatOfTheVerdicts(t *testing.T) {
	for seed := range uint64(300) {
		checkOne(t, seed)
	}
}

func FuzzTheDifferenceIsThatOfTheVerdicts(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkOne)
}

// A name that a CDN carries turns with the name that it carries, though it lies below another.
func TestACarriedNameTurnsWithTheOneThatItCarries(t *testing.T) {
	with := func(names ...string) *policy.Snapshot {
		list := func(name string, names ...string) *blocklists.List {
			return load(t, blocklists.Source{Name: name, Format: format.Names, Inline: names})
		}
		return compile(t, policy.Config{
			ID:    1,
			Lists: []*blocklists.List{list("changes", names...), list("stays", "www.tiktok.com.edgesuite.net")},
			Policies: []policy.Policy{
				{Name: "ban", Lists: []string{"changes"}}, {Name: "advice", Lists: []string{"stays"}, Recommendation: true},
			},
			Agencies: []policy.Agency{{Name: "ministry", Networks: prefixes("10.10.0.0/16"), Policies: []string{"ban", "advice"}}},
		})
	}
	old, next := with("www.tiktok.com", "capcut.com"), with("capcut.com")
	if d := effect.Compare(old, next, day(0)); !covered(d.Effects, "ministry", "10.10.0.1", day(0), "refuse", "observe", "stays") {
		t.Errorf("the difference is\n%s", shown(d))
	}
}

func TestTheSamePolicyHasNoDifference(t *testing.T) {
	for seed := range uint64(100) {
		d := dice{rand.New(rand.NewPCG(seed, 0))}
		c := d.config(t)
		old := compile(t, c)
		c.Lists = nil
		again := dice{rand.New(rand.NewPCG(seed, 0))}
		c = again.config(t) // the lists are read anew
		if diff := effect.Compare(old, compile(t, c), day(0)); !diff.Nothing() || !slices.Equal(diff.Sentences(), []string{"Nothing changes in effect"}) {
			t.Fatalf("seed %d: the same policy has the difference\n%s", seed, shown(diff))
		}
	}
}
