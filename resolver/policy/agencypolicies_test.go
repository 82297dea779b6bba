package policy_test

import (
	"net/netip"
	"slices"
	"testing"

	"cordon/resolver/policy"
)

// The policies of an agency are those that its clients are judged by; one that no client can belong to has none.
func TestPoliciesOfAnAgencyAreThoseOfItsClients(t *testing.T) {
	c := world(t)
	c.Policies = append(c.Policies, policy.Policy{Name: "games", Lists: []string{"games"}})
	c.Agencies = append(c.Agencies,
		policy.Agency{Name: "roof", Policies: []string{"nsc"}},
		policy.Agency{Name: "house", Parent: "roof", Networks: prefixes("10.1.0.0/16"), Policies: []string{"games"}},
		policy.Agency{Name: "room", Parent: "roof", Networks: prefixes("10.1.2.0/24")})
	s := compile(t, c)
	for name, address := range map[string]string{"roof": "", "house": "10.1.0.1", "room": "10.1.2.3", policy.DefaultAgency: "192.0.2.1"} {
		i := slices.IndexFunc(s.Agencies(), func(a *policy.Agency) bool { return a.Name == name })
		var want []*policy.Policy
		if address != "" {
			asker, _ := s.Asker(netip.MustParseAddr(address))
			want = asker.Policies()
		}
		if got := s.PoliciesOf(s.Agencies()[i]); !slices.Equal(got, want) || address != "" && len(got) == 0 {
			t.Errorf("%s has %d policies, want the %d of the clients at %q", name, len(got), len(want), address)
		}
		if got := s.PoliciesByAgency()[i]; !slices.Equal(got, want) {
			t.Errorf("among those of all, %s has %d policies, want %d", name, len(got), len(want))
		}
	}
}
