package resolver_test

import (
	"fmt"
	"testing"

	"cordon/blocklists/domain"
	"cordon/resolver"
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
