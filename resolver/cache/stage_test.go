package cache_test

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// step is something that is done for a query in this stage. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	c := newCache(tb, 16<<20)
	for i := range 10_000 {
		name := fmt.Sprintf("h%d.example.com.", i)
		c.Put(mustKeep(tb, keyOf(name, dns.TypeA), message(tb, name, dns.TypeA, reply{answer: []string{name + " 300 IN A 192.0.2.1"}}), start))
	}
	hit, miss := keyOf("h7.example.com.", dns.TypeA), keyOf(question, dns.TypeA)
	if _, state := c.Get(hit, start); state != cache.Fresh {
		tb.Fatalf("what was kept is in state %d", state)
	}
	all := []step{{"get-hit", func() { c.Get(hit, start) }}, {"get-miss", func() { c.Get(miss, start) }}}
	stub, stream := query(tb, question, dns.TypeA, withOPT(wire.MaxUDP)), query(tb, question, dns.TypeA, nil)
	stream.Stream = true
	dst := make([]byte, 0, wire.MaxMessage)
	for _, a := range []struct {
		name    string
		q       *wire.Query
		answer  []string
		options cache.Options
	}{
		{"append-address", stub, addresses(1), cache.Options{}},
		{"append-three-CNAME", stub, chainOfThree, cache.Options{}},
		{"append-three-CNAME-capped", stub, chainOfThree, cache.Options{TTLCap: 10}},
		{"append-three-CNAME-stale", stub, chainOfThree, cache.Options{Stale: true}},
		{"append-60-addresses", stub, addresses(60), cache.Options{}},
		{"append-100-addresses-to-stream", stream, addresses(100), cache.Options{}},
		{"append-too-long", stub, addresses(100), cache.Options{}},
	} {
		e := mustKeep(tb, miss, message(tb, question, dns.TypeA, reply{answer: a.answer}), start)
		a.options.Now, a.options.EDE = start, none
		all = append(all, step{a.name, func() { dst = e.Append(dst[:0], a.q, a.options) }})
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

func BenchmarkStageCache(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
