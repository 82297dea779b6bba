package effect_test

import (
	"fmt"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/format"
	"cordon/cmd/cordon/effect"
	"cordon/resolver/policy"
)

// large is a policy for many agencies by a list of a million names, of which the first differ by version.
func large(b *testing.B, version string, change func(*policy.Config)) *policy.Snapshot {
	lines := make([]string, 1_000_000)
	for i := range lines {
		lines[i] = fmt.Sprintf("a-name-of-some-length-%d.example", i)
		if i < 1500 {
			lines[i] = version + lines[i]
		}
	}
	c := policy.Config{
		ID:       1,
		Lists:    []*blocklists.List{load(b, blocklists.Source{Name: "large", Format: format.Names, Inline: lines})},
		Policies: []policy.Policy{{Name: "ban", Lists: []string{"large"}, From: day(2), Until: day(9)}},
		Agencies: []policy.Agency{{Name: "top", Networks: prefixes("10.0.0.0/8"), Policies: []string{"ban"}}},
	}
	for i := range 500 {
		agency, network := fmt.Sprintf("agency-%d", i), fmt.Sprintf("10.%d.%d.", i/200, i%200)
		c.Agencies = append(c.Agencies, policy.Agency{Name: agency, Parent: "top", Networks: prefixes(network + "0/24")})
		c.Exceptions = append(c.Exceptions, policy.Exception{
			Name: "exception-" + agency, Agency: agency, Clients: prefixes(network + "7/32"), Until: day(3 + i%5),
		})
	}
	change(&c)
	return compile(b, c)
}

func BenchmarkCompareAMillionNames(b *testing.B) {
	unchanged := func(*policy.Config) {}
	old := large(b, "old-", unchanged)
	for _, test := range []struct {
		name string
		next *policy.Snapshot
	}{
		{"the same", old},
		{"1500 other names", large(b, "new-", unchanged)},
		{"a prolongation", large(b, "old-", func(c *policy.Config) { c.Policies[0].Until = day(20) })},
		{"both", large(b, "new-", func(c *policy.Config) { c.Policies[0].Until = day(20) })},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				effect.Compare(old, test.next, day(0))
			}
		})
	}
}
