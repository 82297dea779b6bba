package resolver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/answer"
	"cordon/resolver/names"
	"cordon/resolver/policy"
)

// Ids of routes are never used again, so that a network of thousands of zones must not take as many at each change.
func TestZonesWithTheSameUpstreamsAreOneRoute(t *testing.T) {
	x := newBench(t, resolver.Limits{})
	var zones []domain.Name
	for i := range 4096 {
		zones = append(zones, domain.MustParse(fmt.Sprintf("z%d.example", i)))
	}
	for i := range 100 {
		err := x.Configure(resolver.Routing{
			Default: resolver.Route{Zone: domain.Root, Upstreams: x.fake},
			Zones:   []resolver.Route{{Zone: zones[0], Also: zones[1:], Upstreams: x.fake, Identity: fmt.Sprint(i)}},
		})
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
}

// What was fetched for an alias is not served any more once its end is in a zone that is answered here, nor the other way round.
func TestAnAliasFollowsTheZonesOfItsEnd(t *testing.T) {
	x := newBench(t, resolver.Limits{})
	x.set(0, records("end.corp.example. 3600 IN A 198.51.100.7"))
	record, err := names.ParseRecord("intranet.example CNAME end.corp.example", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	table, _ := names.New(names.Config{Records: []names.Record{record}, TTL: time.Hour})
	zone := [][]byte{[]byte(domain.MustParse("corp.example"))}
	for i, zones := range [][][]byte{nil, zone, nil} {
		err := x.Configure(resolver.Routing{
			Default: resolver.Route{Zone: domain.Root, Upstreams: x.fake}, Names: table, Local: answer.LocalConfig{Zones: zones, TTL: 3600},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := x.ask("intranet.example."); strings.Contains(got, "198.51.100.7") != (zones == nil) {
			t.Errorf("%d: with the zones %q the answer is %s", i, zones, got)
		}
	}
}

// A verdict that lets a name of one's own pass is counted like any other.
func TestVerdictsOnNamesOfOnesOwnAreCounted(t *testing.T) {
	x := newBench(t, resolver.Limits{})
	err := x.Configure(resolver.Routing{
		Default: resolver.Route{Zone: domain.Root, Upstreams: x.fake}, Names: ownNames(t, "host.a.example A 198.51.100.9"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := twoMinistries(1)
	c.Agencies[0].Mode = policy.ObserveOnly
	x.Publish(compile(t, c, "a", "b", "c"))
	got, _ := x.ask("host.a.example.")
	counts := x.Counts()
	if !strings.Contains(got, "198.51.100.9") || len(counts) != 1 || counts[0].Action != policy.Observe || counts[0].N != 1 {
		t.Errorf("found %s, counted %+v", got, counts)
	}
}
