package resolver_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/policy"
)

// compile is a snapshot of c with lists that hold the name of the list and ".example" each.
func compile(t testing.TB, c policy.Config, lists ...string) *policy.Snapshot {
	t.Helper()
	for _, name := range lists {
		list, err := blocklists.Load(context.Background(), blocklists.Source{Name: name, Inline: []string{name + ".example"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Lists = append(c.Lists, list)
	}
	s, err := policy.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func networks(text string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(text)} }

// twoMinistries is a policy on lists a, b and c for two agencies, one of which observes, with an exception for b.
func twoMinistries(id uint64) policy.Config {
	b, _ := domain.Parse("b.example")
	return policy.Config{
		ID: id,
		Policies: []policy.Policy{
			{Name: "ban", Lists: []string{"a", "b"}, Title: map[string]string{"en": "It is banned"}},
			{Name: "other", Lists: []string{"c"}},
		},
		Agencies: []policy.Agency{
			{Name: "ministry", Networks: networks("192.0.2.0/24")},
			{Name: "watching", Networks: networks("198.51.100.0/24"), Mode: policy.ObserveOnly},
		},
		Exceptions: []policy.Exception{
			{Name: "press", Agency: "ministry", Names: []domain.Name{b}, Until: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)},
			{Name: "idle", Agency: "watching", Names: []domain.Name{b}, Until: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	}
}

// askFrom asks for name by both doors, as client.
func (b *bench) askFrom(client, name string) {
	b.t.Helper()
	q := b.query(name)
	q.Client = netip.AddrPortFrom(netip.MustParseAddr(client), 5353)
	if _, ok := b.Answer(nil, q); !ok {
		replied := make(chan struct{})
		b.Start(q, func([]byte) { close(replied) })
		<-replied
	}
}

// counted are the counts in words, sorted.
func counted(r *resolver.Resolver) []string {
	var all []string
	for _, c := range r.Counts() {
		all = append(all, fmt.Sprintf("%s %s %s %v %d", c.Agency, c.Policy, c.List, c.Action, c.N))
	}
	slices.Sort(all)
	return all
}

func wantCounted(t *testing.T, r *resolver.Resolver, want ...string) {
	t.Helper()
	if got := counted(r); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestVerdictsAreCountedByAgencyPolicyListAndAction(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	b.Publish(compile(t, twoMinistries(2), "a", "b", "c"))
	wantCounted(t, b.Resolver)
	for range 3 {
		b.askFrom("192.0.2.1", "c.example")
	}
	b.askFrom("192.0.2.1", "www.a.example")
	b.askFrom("192.0.2.1", "b.example")
	b.askFrom("192.0.2.2", "www.b.example")
	b.askFrom("198.51.100.1", "a.example")
	b.askFrom("198.51.100.1", "other.example")
	want := []string{
		"ministry ban a refuse 1", "ministry ban b except 2", "ministry other c refuse 3", "watching ban a observe 1",
	}
	wantCounted(t, b.Resolver, want...)
	if uses := b.Uses(); len(uses) != 1 || uses["press"] != 2 {
		t.Errorf("uses %v, want press alone, twice", uses)
	}

	// Another order of everything, and more of it, is other indexes for the same things.
	next := twoMinistries(3)
	slices.Reverse(next.Policies)
	slices.Reverse(next.Agencies)
	slices.Reverse(next.Exceptions)
	b.Publish(compile(t, next, "c", "b", "a"))
	wantCounted(t, b.Resolver, want...)
	b.askFrom("192.0.2.1", "b.example")
	b.askFrom("192.0.2.1", "a.example")
	b.askFrom("192.0.2.1", "c.example")
	wantCounted(t, b.Resolver, "ministry ban a refuse 2", "ministry ban b except 3", "ministry other c refuse 4", "watching ban a observe 1")
	if uses := b.Uses(); uses["press"] != 3 {
		t.Errorf("uses %v, want press three times", uses)
	}
}

func TestWhatIsGoneIsForgottenOnceItIsMuch(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	publish := func(id uint64, agencies int) {
		c := policy.Config{ID: id, Policies: []policy.Policy{{Name: "ban", Lists: []string{"a"}}}}
		for i := range agencies {
			network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
			c.Agencies = append(c.Agencies, policy.Agency{Name: fmt.Sprintf("%d-%d", id, i), Networks: []netip.Prefix{network}})
			c.Exceptions = append(c.Exceptions, policy.Exception{
				Name: fmt.Sprintf("%d-%d", id, i), Agency: fmt.Sprintf("%d-%d", id, i), Clients: []netip.Prefix{network},
				Names: []domain.Name{domain.Name("\x06unused\x00")}, Until: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
			})
		}
		b.Publish(compile(t, c, "a"))
		for i := range agencies {
			b.askFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}).String(), "a.example")
		}
	}
	const many = 1500
	for id := range uint64(3) {
		publish(id+2, many)
	}
	if got := len(b.Counts()); got != 3*many {
		t.Errorf("%d counters, want %d: few are gone", got, 3*many)
	}
	for id := range uint64(10) {
		publish(id+5, many)
		if got := len(b.Counts()); got > many+4096 {
			t.Fatalf("%d counters after %d reloads", got, id+4)
		}
	}
	series := 0
	for name := range gathered(t, b.Resolver) {
		if strings.HasPrefix(name, "cordon_exception_uses_total") {
			series++
		}
	}
	if series > many+4096 {
		t.Errorf("%d exceptions have a counter", series)
	}
}

// gathered are the values of counters and gauges, by name and labels in the order of the alphabet.
func gathered(t testing.TB, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var series strings.Builder
			series.WriteString(f.GetName())
			for _, l := range m.GetLabel() {
				series.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			all[series.String()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

func TestMetricsSumUpVerdicts(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	b.Publish(compile(t, twoMinistries(2), "a", "b", "c"))
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		b.askFrom("192.0.2.1", name)
		b.askFrom("198.51.100.1", name)
	}
	got := gathered(t, b.Resolver)
	for series, want := range map[string]float64{
		"cordon_policy_verdicts_total agency=ministry policy=ban verdict=refuse":   1,
		"cordon_policy_verdicts_total agency=ministry policy=ban verdict=except":   1,
		"cordon_policy_verdicts_total agency=watching policy=ban verdict=observe":  1,
		"cordon_policy_verdicts_total agency=watching policy=ban verdict=except":   1,
		"cordon_policy_verdicts_total agency=watching policy=ban verdict=refuse":   0,
		"cordon_policy_verdicts_total agency=default policy=other verdict=refuse":  0,
		"cordon_policy_verdicts_total agency=ministry policy=other verdict=refuse": 1,
		"cordon_list_verdicts_total list=a verdict=refuse":                         1,
		"cordon_list_verdicts_total list=a verdict=observe":                        1,
		"cordon_list_verdicts_total list=b verdict=except":                         2,
		"cordon_list_verdicts_total list=b verdict=refuse":                         0,
		"cordon_list_verdicts_total list=c verdict=observe":                        1,
		"cordon_exception_uses_total agency=ministry exception=press":              1,
		"cordon_exception_uses_total agency=watching exception=idle":               1,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v (there: %t), want %v", series, value, ok, want)
		}
	}
}

// services is a policy whose list "a" is from source, for the agencies of twoMinistries and more.
func services(t *testing.T, id uint64, source blocklists.Source, more ...policy.Agency) *policy.Snapshot {
	t.Helper()
	c := twoMinistries(id)
	c.Agencies = append(c.Agencies, more...)
	source.Name = "a"
	list, err := blocklists.Load(context.Background(), source, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Lists = append(c.Lists, list)
	return compile(t, c, "b", "c")
}

// A list that has become another under its name counts on, and the services of the one are not mixed up with those of the other.
func TestVerdictsAreCountedByService(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	b.Publish(services(t, 2, blocklists.Source{Inline: []string{"www.tiktok.com"}}))
	b.askFrom("192.0.2.1", "www.tiktok.com")
	b.Publish(services(t, 3, blocklists.Source{Source: "builtin:bytedance"}))
	before := gathered(t, b.Resolver)
	for name, times := range map[string]int{"www.tiktok.com": 3, "www.capcut.com": 2, "www.capcut.com.edgesuite.net": 1, "c.example": 4} {
		for range times {
			b.askFrom("192.0.2.1", name)
		}
	}
	b.askFrom("198.51.100.1", "www.capcut.com")
	got := gathered(t, b.Resolver)
	for series, want := range map[string][2]float64{
		"cordon_service_verdicts_total agency=ministry service=tiktok verdict=refuse":  {0, 3},
		"cordon_service_verdicts_total agency=ministry service=capcut verdict=refuse":  {0, 3},
		"cordon_service_verdicts_total agency=ministry service=lemon8 verdict=refuse":  {0, 0},
		"cordon_service_verdicts_total agency=ministry service=other verdict=refuse":   {1, 5},
		"cordon_service_verdicts_total agency=watching service=capcut verdict=observe": {-1, 1},
		"cordon_service_verdicts_total agency=watching service=capcut verdict=except":  {-1, -1},
		"cordon_service_verdicts_total agency=ministry service=lark verdict=refuse":    {-1, -1},
		"cordon_list_verdicts_total list=a verdict=refuse":                             {1, 7},
	} {
		for i, now := range []map[string]float64{before, got} {
			value, there := now[series]
			if !there {
				value = -1 // it is not there
			}
			if value != want[i] {
				t.Errorf("%s is %v, want %v", series, value, want[i])
			}
		}
	}
	wantCounted(t, b.Resolver, "ministry ban a refuse 7", "ministry other c refuse 4", "watching ban a observe 1")
	b.Publish(services(t, 4, blocklists.Source{Inline: []string{"www.tiktok.com"}}))
	b.askFrom("192.0.2.1", "www.tiktok.com")
	if got := gathered(t, b.Resolver)["cordon_service_verdicts_total agency=ministry service=other verdict=refuse"]; got != 6 {
		t.Errorf("%v refusals by lists of no service, want 6: the counter goes on", got)
	}
}

func TestWhatThisProcessAsksItselfIsNotCounted(t *testing.T) {
	x := manyAnswers(t)
	before := gathered(t, x.Resolver)
	for _, name := range []string{"www.c.example", "a.example", "www.example", "printer.home.arpa", "new.example"} {
		q := x.query(name)
		q.JudgeAs(netip.MustParseAddr("203.0.113.1"))
		if _, ok := x.Answer(nil, q); !ok {
			x.Start(q, func([]byte) {})
		}
	}
	for series, n := range gathered(t, x.Resolver) {
		if n != before[series] {
			t.Errorf("%s was %v and is %v", series, before[series], n)
		}
	}
}

// Where there are many agencies, a series that was never counted is one too many.
func TestServicesOfManyAgenciesAreShownOnceCounted(t *testing.T) {
	more := make([]policy.Agency, 200)
	for i := range more {
		more[i] = policy.Agency{Name: fmt.Sprint("agency", i), Networks: networks(fmt.Sprintf("10.0.%d.0/24", i))}
	}
	b := newBench(t, resolver.Limits{})
	b.Publish(services(t, 2, blocklists.Source{Source: "builtin:bytedance"}, more...))
	for want := range 2 {
		got := 0
		for name := range gathered(t, b.Resolver) {
			if strings.HasPrefix(name, "cordon_service_verdicts_total") {
				got++
			}
		}
		if got != want {
			t.Errorf("%d series, want %d", got, want)
		}
		b.askFrom("192.0.2.1", "www.tiktok.com")
	}
}

func TestNoVerdictIsLostWhileCountersAreOpened(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	b.Publish(compile(t, twoMinistries(2), "a", "b", "c"))
	const askers, rounds = 8, 200
	var all sync.WaitGroup
	for i := range askers {
		all.Go(func() {
			for range rounds {
				b.askFrom("192.0.2.1", []string{"a.example", "c.example"}[i%2])
			}
		})
	}
	for id := range uint64(50) {
		b.Publish(compile(t, twoMinistries(id+3), "a", "b", "c"))
	}
	all.Wait()
	wantCounted(t, b.Resolver, "ministry ban a refuse 800", "ministry other c refuse 800")
}
