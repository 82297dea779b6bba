package policy_test

import (
	"fmt"
	"net/netip"
	"testing"

	"cordon/resolver/policy"
)

// office is a policy of the size of a real one: a large list, several agencies, some exceptions.
func office(t testing.TB) *policy.Snapshot {
	conf := world(t)
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.example.com", i)
	}
	conf.Lists = append(conf.Lists, list(t, "many", many...))
	conf.Policies[0].From, conf.Policies[0].Until = at("2023-03-10"), at("2030-01-01")
	with(ban("bd", "bytedance", "many"), has("nsc", "bd"))(conf)
	for i := range 200 {
		conf.Agencies = append(conf.Agencies, policy.Agency{
			Name: fmt.Sprintf("site-%d", i), Parent: "federal",
			Networks: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 10, byte(i), 0}), 24)},
		})
		exceptions(policy.Exception{
			Name: fmt.Sprintf("phone-%d", i), Agency: fmt.Sprintf("site-%d", i), Names: names("m.tiktok.com", "bytedance.com"),
			Clients: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 10, byte(i), 42}), 32)},
		})(conf)
	}
	conf.Agencies = append(conf.Agencies,
		policy.Agency{Name: "watching", Networks: prefixes("10.11.0.0/16"), Policies: []string{"nsc"}, Mode: policy.ObserveOnly})
	return compile(t, conf)
}

// step is something that is done for a query in this stage. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	s, clock := office(tb), new(policy.Clock)
	all := []step{{"clock", func() { clock.At(noon.Now) }}}
	for _, text := range []string{"10.10.7.42", "::ffff:10.10.7.42", "192.0.2.1", "2001:db8:10::1"} {
		client := netip.MustParseAddr(text)
		all = append(all, step{"asker/" + text, func() { s.Asker(client) }})
	}
	plain, excepted, watching := asker(tb, s, "10.10.8.1"), asker(tb, s, "10.10.7.42"), asker(tb, s, "10.11.0.1")
	for _, c := range []struct {
		want policy.Action
		a    *policy.Asker
		name string
	}{
		{policy.Pass, plain, "www.example.org"},
		{policy.Refuse, plain, "www.tiktok.com"},
		{policy.Refuse, plain, "n7.example.com"},
		{policy.Refuse, excepted, "www.tiktok.com"},
		{policy.Except, excepted, "m.tiktok.com"},
		{policy.Except, excepted, "m.tiktok.com.edgesuite.net"},
		{policy.Observe, watching, "www.tiktok.com"},
	} {
		name := wire(c.name)
		if got := s.Decide(c.a, name, noon).Action; got != c.want {
			tb.Fatalf("%s for %s: %s, want %s", c.name, c.a.Agency().Name, got, c.want)
		}
		all = append(all, step{fmt.Sprintf("decide/%s/%s/%s", c.want, c.name, c.a.Agency().Name), func() { s.Decide(c.a, name, noon) }})
	}
	return append(all, answerSteps(s, plain)...)
}

// answerSteps judge what the answer to a foreign name leads to.
func answerSteps(s *policy.Snapshot, a *policy.Asker) []step {
	question := s.Decide(a, wire("www.example.org"), noon)
	clean, listed := [][]byte{wire("cdn.example.org")}, [][]byte{wire("cdn.example.org"), wire("www.tiktok.com")}
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	return []step{
		{"bears/foreign", func() { s.Bears(clean, addrs) }},
		{"decide-answer/foreign", func() { s.DecideAnswer(a, question, clean, addrs, noon) }},
		{"decide-answer/listed", func() { s.DecideAnswer(a, question, listed, addrs, noon) }},
	}
}

func TestStageAllocatesNothing(t *testing.T) {
	for _, s := range steps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkStagePolicy(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
