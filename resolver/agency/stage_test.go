package agency_test

import (
	"fmt"
	"net/netip"
	"testing"
)

// step is something that is done for a query in this stage. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	var all []step
	for _, n := range []int{4, 1_000, 100_000} {
		entries, addrs := campus(n)
		tab, i := table(tb, entries...), 0
		all = append(all, step{fmt.Sprintf("look-up-in-%d", n), func() {
			i++
			if _, ok := tab.Lookup(addrs[i%len(addrs)]); !ok {
				tb.Fatal("not found")
			}
		}})
	}
	tab := table(tb, networks(1, 100, netip.MustParseAddr("10.0.0.1"))...)
	for _, text := range []string{"10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1%eth0"} {
		client := netip.MustParseAddr(text)
		all = append(all, step{"look-up/" + text, func() { tab.Lookup(client) }})
	}
	return all
}

func TestStageAllocatesNothing(t *testing.T) {
	for _, s := range steps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkStageAgency(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
