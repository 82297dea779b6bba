package resolver_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/names"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// step is a query that is parsed and answered by the first door. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	return stepsOf(tb, manyAnswers(tb))
}

func stepsOf(tb testing.TB, x *bench) []step {
	tb.Helper()
	const option = 65001
	x.StructureErrors(resolver.StructuredErrors{Option: option, Operator: "Federal ICT service"})
	buffer := make([]byte, 0, wire.MaxMessage)
	var all []step
	for _, c := range []struct {
		name, client, want string
		q                  *wire.Query
	}{
		{"refused", "203.0.113.1", "NXDOMAIN ede=15", x.query("www.c.example")},
		{"refused-title", "203.0.113.1", "NXDOMAIN ede=15", x.query("www.a.example")},
		{"refused-structured", "203.0.113.1", "NXDOMAIN ede=15", x.query("www.a.example", option)},
		{"refused-with-exceptions", "192.0.2.1", "NOERROR ede=15", x.query("www.a.example")},
		{"refused-for-the-answer", "203.0.113.1", "NOERROR ede=15", x.query("cloak.example")},
		{"excepted", "192.0.2.1", "NOERROR 198.51.100.7", x.query("b.example")},
		{"observed", "198.51.100.1", "NOERROR 198.51.100.7", x.query("a.example")},
		{"hit", "203.0.113.1", "NOERROR 198.51.100.7", x.query("www.example")},
		{"hit-three-CNAME", "203.0.113.1", "NOERROR 198.51.100.7", x.query("chain.example")},
		{"local", "203.0.113.1", "NXDOMAIN", x.query("printer.home.arpa")},
		{"own", "203.0.113.1", "NOERROR 198.51.100.9", x.query("host.own.example")},
		{"own-alias", "203.0.113.1", "NOERROR 198.51.100.9", x.query("alias.own.example")},
		{"prohibited", "100.64.0.1", "REFUSED ede=18", x.query("www.example")},
	} {
		c.q.Client = netip.AddrPortFrom(netip.MustParseAddr(c.client), 5353)
		do := func() (answer []byte) {
			c.q.Parse(c.q.Msg)
			answer, ok := x.Answer(buffer, c.q)
			if !ok {
				tb.Fatalf("%s: no answer by the first door", c.name)
			}
			return answer
		}
		if got := text(tb, do()); !strings.HasPrefix(got, c.want) {
			tb.Fatalf("%s: got %q, want %q", c.name, got, c.want)
		}
		all = append(all, step{c.name, func() { do() }})
	}
	return all
}

// manyAnswers is a resolver with a third ministry, in 203.0.113.0/24, that has no exceptions, and with answers of all kinds in its cache.
func manyAnswers(tb testing.TB) *bench {
	tb.Helper()
	x := newBench(tb, resolver.Limits{})
	own := ownNames(tb, "host.own.example A 198.51.100.9", "alias.own.example CNAME host.own.example", "away.own.example CNAME www.example")
	if err := x.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: x.fake}, Names: own}); err != nil {
		tb.Fatal(err)
	}
	c := twoMinistries(2)
	c.Agencies = append(c.Agencies, policy.Agency{Name: "plain", Networks: networks("203.0.113.0/24")})
	x.Publish(compile(tb, c, "a", "b", "c"))
	for name, answer := range map[string][]string{
		"www.example.": {"www.example. 300 IN A 198.51.100.7"},
		"chain.example.": {
			"chain.example. 300 IN CNAME a.cdn.example.", "a.cdn.example. 300 IN CNAME b.cdn.example.",
			"b.cdn.example. 300 IN CNAME c.cdn.example.", "c.cdn.example. 300 IN A 198.51.100.7",
		},
		"cloak.example.": {"cloak.example. 300 IN CNAME a.example.", "a.example. 300 IN A 198.51.100.7"},
		"a.example.":     {"a.example. 300 IN A 198.51.100.7"},
		"b.example.":     {"b.example. 300 IN A 198.51.100.7"},
	} {
		x.set(0, records(answer...))
		x.askFrom("198.51.100.1", name) // who observes is refused nothing
	}
	return x
}

// ownNames are records of one's own.
func ownNames(tb testing.TB, records ...string) *names.Table {
	tb.Helper()
	c := names.Config{TTL: time.Minute}
	for _, text := range records {
		r, err := names.ParseRecord(text, c.TTL)
		if err != nil {
			tb.Fatal(err)
		}
		c.Records = append(c.Records, r)
	}
	own, faults := names.New(c)
	if len(faults) > 0 {
		tb.Fatal(faults)
	}
	return own
}

func TestStageAllocatesNothing(t *testing.T) {
	for _, s := range steps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkStageResolver(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
