package policy_test

import (
	"fmt"
	"net/netip"
	"testing"

	"cordon/blocklists"
	"cordon/resolver/policy"
)

// office is a policy of the size of a real one: a large list, several agencies, some exceptions.
func office(t testing.TB) (*policy.Snapshot, *policy.Asker) {
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
	s := compile(t, conf)
	return s, asker(t, s, "10.10.7.42")
}

func TestDecidingAllocatesNothing(t *testing.T) {
	s, a := office(t)
	client := netip.MustParseAddr("::ffff:10.10.7.42")
	addrs := []netip.Addr{client, netip.MustParseAddr("2001:db8::1")}
	for _, c := range []struct{ name, target string }{
		{"www.example.org", "cdn.example.org"},
		{"www.tiktok.com", "cdn.example.org"},
		{"m.tiktok.com", "tiktokcdn.com"},
		{"m.tiktok.com.edgesuite.net", "tiktokcdn.com"},
		{"www.example.org", "www.tiktok.com"},
		{"n7.example.com", "www.tiktok.com"},
	} {
		name, targets := wire(c.name), [][]byte{wire(c.target)}
		allocs := testing.AllocsPerRun(100, func() {
			s.Asker(client)
			v := s.Decide(a, name, noon)
			if s.Bears(targets, addrs) {
				s.DecideAnswer(a, v, targets, addrs, noon)
			}
		})
		if allocs != 0 {
			t.Errorf("%s leading to %s: %v allocations, want 0", c.name, c.target, allocs)
		}
	}
	var clock policy.Clock
	if n := testing.AllocsPerRun(100, func() { clock.At(noon.Now) }); n != 0 {
		t.Errorf("Clock.At: %v allocations, want 0", n)
	}
}

func BenchmarkAsker(b *testing.B) {
	s, _ := office(b)
	for _, addr := range []string{"10.10.7.42", "192.0.2.1", "2001:db8:10::1"} {
		client := netip.MustParseAddr(addr)
		b.Run(addr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Asker(client)
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	s, a := office(b)
	for _, text := range []string{"www.example.org", "www.tiktok.com", "m.tiktok.com", "m.tiktok.com.edgesuite.net"} {
		name := wire(text)
		b.Run(s.Decide(a, name, noon).Action.String()+"/"+text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(a, name, noon)
			}
		})
	}
	b.Run("match-only/www.example.org", func(b *testing.B) {
		name := wire("www.example.org")
		for b.Loop() {
			var buf [8]blocklists.Match
			s.Set().Match(buf[:0], name)
		}
	})
}

func BenchmarkDecideAnswer(b *testing.B) {
	s, a := office(b)
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	for _, text := range []string{"cdn.example.org", "tiktokcdn.com"} {
		targets := [][]byte{wire(text)}
		question := s.Decide(a, wire("www.example.org"), noon)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.DecideAnswer(a, question, targets, addrs, noon)
			}
		})
	}
}

func BenchmarkClock(b *testing.B) {
	var clock policy.Clock
	for b.Loop() {
		clock.At(noon.Now)
	}
}
