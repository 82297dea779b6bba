package blocklists_test

import (
	"slices"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/format"
)

func TestWhatAListHolds(t *testing.T) {
	t.Parallel()
	var got []string
	for name := range blocklists.ListedNames(parse(t, format.Names, "b.example", "*.a.example", "=c.example", "a.example", "B.example")) {
		got = append(got, name.String())
	}
	slices.Sort(got)
	if want := []string{"a.example", "b.example", "c.example"}; !slices.Equal(got, want) {
		t.Errorf("got the names %q, want %q", got, want)
	}
	got = nil
	for network := range blocklists.ListedNetworks(parse(t, format.Networks, "198.51.100.0/24", "2001:db8::/32", "192.0.2.1", "192.0.2.1/32")) {
		got = append(got, network.String())
	}
	if want := []string{"192.0.2.1/32", "198.51.100.0/24", "2001:db8::/32"}; !slices.Equal(got, want) {
		t.Errorf("got the networks %q, want %q", got, want)
	}
	for range blocklists.ListedNames(parse(t, format.Names, "a.example", "b.example")) {
		break // and no more is yielded
	}
}
