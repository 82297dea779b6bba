package resolver_test

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"cordon/resolver"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// witness remembers what it was told.
type witness struct {
	mu   sync.Mutex
	told []string
}

func (w *witness) Observe(a resolver.Answered) {
	w.mu.Lock()
	defer w.mu.Unlock()
	agency := "nobody"
	if a.Verdict.Agency != nil {
		agency = a.Verdict.Agency.Name
	}
	w.told = append(w.told, fmt.Sprintf("%s %s %s %x", a.Verdict.Action, agency, name(a.Query), a.Message[3]&0xF))
}

func name(q *wire.Query) string { return string(q.Name[1 : 1+q.Name[0]]) }

func (w *witness) wants(t *testing.T, what string, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.told, want) {
		t.Errorf("%s: told\n%q, want\n%q", what, w.told, want)
	}
	w.told = nil
}

var everything = []policy.Action{policy.Pass, policy.Refuse, policy.Observe, policy.Except}

func TestWhoWatchesIsToldOfWhatItWants(t *testing.T) {
	x := manyAnswers(t)
	ask := func() {
		for _, one := range []struct{ client, name string }{
			{"203.0.113.1", "www.c.example"},
			{"203.0.113.1", "cloak.example"},
			{"192.0.2.1", "b.example"},
			{"198.51.100.1", "a.example"},
			{"203.0.113.1", "www.example"},
			{"203.0.113.1", "printer.home.arpa"},
			{"100.64.0.1", "www.example"},
		} {
			q := x.query(one.name)
			q.Client = netip.AddrPortFrom(netip.MustParseAddr(one.client), 5353)
			if _, ok := x.Answer(nil, q); !ok {
				t.Fatalf("%s: no answer by the first door", one.name)
			}
		}
	}
	w := new(witness)
	refused := []string{"refuse plain www 3", "refuse plain cloak 0"}
	x.Observe(w, policy.Refuse)
	ask()
	w.wants(t, "refusals", refused...)
	x.Observe(w, everything...)
	ask()
	w.wants(t, "all", "refuse plain www 3", "refuse plain cloak 0", "except ministry b 0", "observe watching a 0", "pass plain www 0",
		"pass plain printer 3", "pass nobody www 5")
	q := x.query("www.example")
	q.Parse(append(slices.Clone(q.Msg), 0))
	x.Answer(nil, q)
	w.wants(t, "what is no question")
	for _, name := range []string{"www.c.example", "a.example", "www.example", "printer.home.arpa"} {
		q := x.query(name)
		q.JudgeAs(netip.MustParseAddr("203.0.113.1"))
		x.Answer(nil, q)
	}
	w.wants(t, "what this process asks itself")
	x.Observe(w)
	ask()
	w.wants(t, "none")
}

// Those who waited are told of too, by what is in force when they are answered.
func TestWhoWatchesIsToldOfThoseWhoWaited(t *testing.T) {
	x := manyAnswers(t)
	w := new(witness)
	x.Observe(w, everything...)
	x.set(0, records("new.example. 300 IN A 198.51.100.7"))
	x.askFrom("203.0.113.1", "new.example.")
	w.wants(t, "by the second door", "pass plain new 0")
	x.set(0, records("other.example. 300 IN CNAME a.example.", "a.example. 300 IN A 198.51.100.7"))
	x.askFrom("203.0.113.1", "other.example.")
	w.wants(t, "refused for its answer", "refuse plain other 0")
}

// glance is an observer that costs as little as can be.
type glance struct{ n int }

func (g *glance) Observe(a resolver.Answered) { g.n += len(a.Message) + len(a.Verdict.Name) }

func watchedSteps(tb testing.TB) []step {
	tb.Helper()
	x := manyAnswers(tb)
	x.Observe(new(glance), everything...)
	return stepsOf(tb, x)
}

func TestWatchingAllocatesNothing(t *testing.T) {
	for _, s := range watchedSteps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkWatched(b *testing.B) {
	for _, s := range watchedSteps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}
