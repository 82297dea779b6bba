package domain_test

import (
	"net/netip"
	"slices"
	"testing"

	"cordon/blocklists/domain"
)

func TestReverseZonesOfANetwork(t *testing.T) {
	for network, want := range map[string][]string{
		"10.0.0.0/8":         {"10.in-addr.arpa"},
		"192.168.7.0/24":     {"7.168.192.in-addr.arpa"},
		"172.16.0.0/14":      {"16.172.in-addr.arpa", "17.172.in-addr.arpa", "18.172.in-addr.arpa", "19.172.in-addr.arpa"},
		"192.0.2.254/31":     {"254.2.0.192.in-addr.arpa", "255.2.0.192.in-addr.arpa"},
		"192.0.2.7/32":       {"7.2.0.192.in-addr.arpa"},
		"0.0.0.0/0":          {"in-addr.arpa"},
		"2001:db8::/32":      {"8.b.d.0.1.0.0.2.ip6.arpa"},
		"2001:db8:4000::/35": {"4.8.b.d.0.1.0.0.2.ip6.arpa", "5.8.b.d.0.1.0.0.2.ip6.arpa"},
		"::/0":               {"ip6.arpa"},
		"2001:db8::1/128":    {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
	} {
		var got []string
		for _, zone := range domain.Reverse(netip.MustParsePrefix(network)) {
			if domain.MustParse(zone.String()) != zone {
				t.Errorf("%s: %s is not canonical: %x", network, zone, zone)
			}
			got = append(got, zone.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", network, got, want)
		}
	}
	if got := len(domain.Reverse(netip.MustParsePrefix("128.0.0.0/1"))); got != 128 {
		t.Errorf("half of IPv4 has %d zones, want 128", got)
	}
	if got := domain.Reverse(netip.Prefix{}); got != nil {
		t.Errorf("no network has the zones %v", got)
	}
}
