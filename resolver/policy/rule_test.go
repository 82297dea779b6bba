package policy_test

import (
	"strings"
	"testing"

	"cordon/resolver/policy"
)

// change is what a case adds to the world.
type change func(*policy.Config)

func with(changes ...change) change {
	return func(c *policy.Config) {
		for _, ch := range changes {
			ch(c)
		}
	}
}

func ban(name string, lists ...string) change {
	return func(c *policy.Config) { c.Policies = append(c.Policies, policy.Policy{Name: name, Lists: lists}) }
}

func advice(name string, lists ...string) change {
	return func(c *policy.Config) {
		c.Policies = append(c.Policies, policy.Policy{Name: name, Lists: lists, Recommendation: true})
	}
}

// first puts the policy that was added last before the others.
func first(c *policy.Config) {
	last := len(c.Policies) - 1
	c.Policies = append([]policy.Policy{c.Policies[last]}, c.Policies[:last]...)
}

func agencies(a ...policy.Agency) change {
	return func(c *policy.Config) { c.Agencies = append(c.Agencies, a...) }
}

func exceptions(e ...policy.Exception) change {
	return func(c *policy.Config) {
		for _, e := range e {
			if e.Agency == "" {
				e.Agency = "federal"
			}
			if e.Until.IsZero() {
				e.Until = never
			}
			c.Exceptions = append(c.Exceptions, e)
		}
	}
}

func federal(set func(*policy.Agency)) change {
	return func(c *policy.Config) { set(&c.Agencies[0]) }
}

func has(policies ...string) change {
	return federal(func(a *policy.Agency) { a.Policies = policies })
}

func mode(m policy.AgencyMode) change {
	return federal(func(a *policy.Agency) { a.Mode = m })
}

// TestRule is the specification of Decide: one row a rule or a pair of them. Boundaries of exceptions without an end of their own
// are left out of what is wanted.
func TestRule(t *testing.T) {
	const client = "10.10.7.1"
	defence := agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24")})
	for _, c := range []struct {
		row    string
		change change
		client string // empty: 10.10.7.1
		name   string
		want   string
	}{
		{"names: on no list", nil, "", "example.org", "pass"},
		{"names: on a list", nil, "", "tiktokcdn.com", "refuse nsc: tiktok:3 tiktokcdn.com"},
		{"names: below one on a list", nil, "", "a.b.tiktokcdn.com", "refuse nsc: tiktok:3 tiktokcdn.com"},
		{"names: the longest suffix of a list", nil, "", "m.www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"names: not inside of a label", nil, "", "nottiktokcdn.com", "pass"},
		{"names: not as a prefix", nil, "", "tiktokcdn.com.example.org", "pass"},
		{"names: a parent of one on a list", nil, "", "com", "pass"},
		{"names: the root", nil, "", ".", "pass"},
		{"names: on a list of no policy", nil, "", "www.games.example", "pass listed"},
		{"names: on a list of another agency's policy", ban("other", "games"), "", "games.example", "pass listed"},
		{"names: only below", with(ban("bd", "bytedance"), has("bd")), "", "capcut.com", "pass"},
		{"names: only below, below", with(ban("bd", "bytedance"), has("bd")), "", "www.capcut.com", "refuse bd: bytedance:3 capcut.com"},

		{"CDN: a listed name carried", nil, "", "www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},
		{"CDN: an unlisted name carried", nil, "", "www.example.org.edgesuite.net", "pass"},
		{"CDN: the suffix alone", nil, "", "edgesuite.net", "pass"},

		{"policies: a second one bans too", with(ban("bd", "bytedance"), has("bd", "nsc")), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"policies: the first of the files is the reason", with(ban("bd", "bytedance"), first, has("nsc", "bd")), "", "www.tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"policies: one of two lists", with(ban("both", "games", "bytedance"), has("both")), "", "bytedance.com", "refuse both: bytedance:1 bytedance.com"},
		{"policies: the longest suffix of two lists", with(ban("both", "bytedance", "tiktok"), has("both")), "", "www.tiktok.com", "refuse both: tiktok:2 www.tiktok.com"},
		{"policies: the first list of two alike", with(ban("both", "bytedance", "tiktok"), has("both")), "", "tiktok.com", "refuse both: tiktok:1 tiktok.com"},

		{"strength: a recommendation", with(advice("tip", "games"), has("tip")), "", "games.example", "observe tip: games:1 games.example"},
		{"strength: a ban beats a recommendation", with(advice("tip", "tiktok"), first, has("tip", "nsc")), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"strength: the first of two recommendations", with(advice("tip", "tiktok"), advice("hint", "tiktok"), has("hint", "tip")), "", "tiktok.com", "observe tip: tiktok:1 tiktok.com"},
		{"strength: recommendations only are policies, too", with(advice("tip", "games"), has("tip")), "", "tiktok.com", "pass listed"},

		{"agencies: without policies, every ban", with(ban("other", "games"), has()), "", "games.example", "refuse other: games:1 games.example"},
		{"agencies: without policies, no recommendation", with(advice("tip", "games"), has()), "", "games.example", "pass listed"},
		{"agencies: in none, every ban", ban("other", "games"), "192.0.2.1", "games.example", "refuse other: games:1 games.example"},
		{"agencies: in none, no recommendation", advice("tip", "games"), "192.0.2.1", "games.example", "pass listed"},
		{"agencies: in none, default written with policies", with(ban("other", "games"), agencies(policy.Agency{Name: "default", Policies: []string{"nsc"}})), "192.0.2.1", "games.example", "pass listed"},
		{"agencies: in none, default written without policies", with(ban("other", "games"), agencies(policy.Agency{Name: "default"})), "192.0.2.1", "games.example", "refuse other: games:1 games.example"},
		{"agencies: in none, default written with a parent", with(ban("other", "games"), agencies(policy.Agency{Name: "default", Parent: "federal"})), "192.0.2.1", "games.example", "pass listed"},
		{"agencies: a child has its parent's policies", defence, "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"agencies: a child has its own besides", with(ban("own", "games"), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "games.example", "refuse own: games:1 games.example"},
		{"agencies: a parent hasn't its child's", with(ban("own", "games"), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "10.10.8.1", "games.example", "pass listed"},
		{"agencies: a grandparent's policies", with(defence, agencies(policy.Agency{Name: "navy", Parent: "defence", Networks: prefixes("192.0.2.0/24")})), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"agencies: a line without policies", with(has(), defence, ban("other", "games")), "", "games.example", "refuse other: games:1 games.example"},
		{"agencies: the longest network, of a stranger", with(ban("own", "games"), agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "tiktok.com", "pass listed"},
		{"agencies: IPv6", nil, "2001:db8:10::1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"agencies: IPv4-mapped", with(ban("own", "games"), has("own")), "::ffff:10.10.7.1", "tiktok.com", "pass listed"},

		{"modes: observe", mode(policy.ObserveOnly), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"modes: observe is inherited", with(mode(policy.ObserveOnly), defence), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"modes: a child enforces", with(mode(policy.ObserveOnly), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Mode: policy.Enforce})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"modes: a child observes, its parent doesn't", agencies(policy.Agency{Name: "byod", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Mode: policy.ObserveOnly}), "10.10.8.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"modes: observe, and a ban before a recommendation", with(mode(policy.ObserveOnly), advice("tip", "tiktok"), first, has("tip", "nsc")), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"modes: off", mode(policy.Off), "", "tiktok.com", "pass listed"},
		{"modes: off is inherited", with(mode(policy.Off), defence), "", "tiktok.com", "pass listed"},
		{"modes: off, excepted", with(mode(policy.Off), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "pass listed"},

		{"exceptions: for the agency", exceptions(policy.Exception{Name: "x"}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"exceptions: on no list", exceptions(policy.Exception{Name: "x"}), "", "example.org", "pass"},
		{"exceptions: on a list of no policy", exceptions(policy.Exception{Name: "x"}), "", "games.example", "pass listed"},
		{"exceptions: of another agency", with(agencies(policy.Agency{Name: "court", Networks: prefixes("192.0.2.0/24")}), exceptions(policy.Exception{Name: "x", Agency: "court"})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"exceptions: not for a child", with(defence, exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"exceptions: for the descendants", with(defence, exceptions(policy.Exception{Name: "x", Descendants: true})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"exceptions: for the descendants and the agency", with(defence, exceptions(policy.Exception{Name: "x", Descendants: true})), "10.10.8.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"exceptions: not for the parent", with(defence, exceptions(policy.Exception{Name: "x", Agency: "defence", Descendants: true})), "10.10.8.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"exceptions: of default", exceptions(policy.Exception{Name: "x", Agency: "default"}), "192.0.2.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"exceptions: of default, for a client", exceptions(policy.Exception{Name: "x", Agency: "default", Clients: prefixes("192.0.2.1/32")}), "192.0.2.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},

		{"clients: the one", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: the one, IPv4-mapped", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "::ffff:10.10.7.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: another", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "10.10.7.2", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"clients: of two networks", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.9.0/24", "10.10.7.0/24")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: of a network within those of another exception", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.0/24")}, policy.Exception{Name: "y", Clients: prefixes("10.10.7.1/32"), Lists: []string{"games"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: an agency within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20")})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"clients: beside the agency within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20")})), "10.10.8.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: a descendant within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20"), Descendants: true})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"clients: a stranger within them", with(agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24")}), exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20"), Descendants: true})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"clients: outside of the agency", exceptions(policy.Exception{Name: "x", Clients: prefixes("192.0.2.0/24")}), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},

		{"lifts: the policy that it names", exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lifts: not another policy", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"lifts: another still stands", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"lifts: every policy", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lifts: two exceptions, a policy each", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}}, policy.Exception{Name: "y", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by y"},
		{"lifts: the first of two exceptions", exceptions(policy.Exception{Name: "x"}, policy.Exception{Name: "y", Clients: prefixes("10.10.7.1/32")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lifts: a recommendation", with(advice("tip", "games"), has("tip"), exceptions(policy.Exception{Name: "x"})), "", "games.example", "except tip: games:1 games.example by x"},
		{"lifts: a ban, not the recommendation beside it", with(advice("tip", "tiktok"), first, has("tip", "nsc"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lifts: a recommendation, not the ban beside it", with(advice("tip", "tiktok"), first, has("tip", "nsc"), exceptions(policy.Exception{Name: "x", Policies: []string{"tip"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"lifts: one recommendation of two", with(advice("tip", "tiktok"), advice("hint", "tiktok"), has("tip", "hint"), exceptions(policy.Exception{Name: "x", Policies: []string{"tip"}})), "", "tiktok.com", "observe hint: tiktok:1 tiktok.com"},
		{"lifts: what is only observed", with(mode(policy.ObserveOnly), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lifts: one ban, the other is observed", with(mode(policy.ObserveOnly), ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "observe bd: bytedance:2 tiktok.com"},

		{"lists: of the matching rule", exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"lists: not of the matching rule", exceptions(policy.Exception{Name: "x", Lists: []string{"bytedance"}}), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"lists: one of the two that the policy has", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}})), "", "www.tiktok.com", "refuse both: bytedance:2 tiktok.com"},
		{"lists: both that the policy has", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok", "bytedance"}})), "", "www.tiktok.com", "except both: tiktok:2 www.tiktok.com by x"},

		{"excepted names: itself", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"excepted names: below", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "a.b.www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"excepted names: a parent", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"excepted names: a sibling", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "m.tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"excepted names: not inside of a label", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "awww.tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"excepted names: one longer than what is asked", exceptions(policy.Exception{Name: "x", Names: names("some.very.long.name.of.www.tiktok.com")}), "", "www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"excepted names: above the rule", exceptions(policy.Exception{Name: "x", Names: names("tiktok.com")}), "", "www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"excepted names: the second", exceptions(policy.Exception{Name: "x", Names: names("tiktokcdn.com", "m.tiktok.com")}), "", "m.tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"excepted names: and the list", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com"), Lists: []string{"tiktok"}})), "", "www.tiktok.com", "refuse both: bytedance:2 tiktok.com"},
		{"excepted names: carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"excepted names: below, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("m.tiktok.com")}), "", "a.m.tiktok.com.edgesuite.net", "except nsc: tiktok:1 tiktok.com.edgesuite.net (CDN) by x"},
		{"excepted names: above, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"excepted names: a sibling, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("m.tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},
		{"excepted names: carried, with an operator's label", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com.c.footprint.net", "except nsc: tiktok:2 www.tiktok.com.c.footprint.net (CDN) by x"},
		{"excepted names: the carrying name", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com.edgesuite.net")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"excepted names: the carrying name doesn't except the carried", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com.edgesuite.net")}), "", "www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"excepted names: a client's own label in front", exceptions(policy.Exception{Name: "x", Names: names("example.org")}), "", "example.org.www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},
	} {
		t.Run(c.row, func(t *testing.T) {
			conf := world(t)
			if c.change != nil {
				c.change(conf)
			}
			if c.client == "" {
				c.client = client
			}
			s := compile(t, conf)
			a := asker(t, s, c.client)
			v := s.Decide(a, wire(c.name), noon)
			if got := strings.TrimSuffix(show(v), " until 2099-01-01 00:00"); got != c.want {
				t.Errorf("%s asks %s:\n got %s\nwant %s", c.client, c.name, got, c.want)
			}
			checkExplanation(t, s.Explain(a, wire(c.name), noon), v)
		})
	}
}

// TestTime is the specification of from and until. The world's ban is in force from 2023-03-10 to 2023-09-10.
func TestTime(t *testing.T) {
	span := func(c *policy.Config) {
		c.Policies[0].From, c.Policies[0].Until = at("2023-03-10"), at("2023-09-10")
	}
	phone := with(span, exceptions(policy.Exception{Name: "x", From: at("2023-04-01"), Until: at("2023-05-01")}))
	second := with(span, ban("bd", "bytedance"), has("nsc", "bd"))
	for _, c := range []struct {
		row       string
		change    change
		now, high string // high empty: the same
		want      string
	}{
		{"a policy, the minute before", span, "2023-03-09 23:59", "", "pass listed until 2023-03-10 00:00"},
		{"a policy, the last moment before", span, "2023-03-09 23:59:59.999", "", "pass listed until 2023-03-10 00:00"},
		{"a policy, its first moment", span, "2023-03-10 00:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy, its last moment", span, "2023-09-09 23:59:59.999", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy, over", span, "2023-09-10 00:00", "", "pass listed"},
		{"a policy, stepped back before its start", span, "2001-01-01 00:00", "2023-03-10 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy, stepped back to before its end", span, "2023-09-09 23:59", "2023-12-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy, stepped back but never begun", span, "2001-01-01 00:00", "2023-03-09 23:59", "pass listed until 2023-03-10 00:00"},
		{"a policy, high water never noted", span, "2023-06-01 00:00", "0001-01-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy over, another stands", second, "2023-09-10 00:00", "", "refuse bd: bytedance:2 tiktok.com"},
		{"a policy to come, another stands", second, "2023-03-09 00:00", "", "refuse bd: bytedance:2 tiktok.com until 2023-03-10 00:00"},

		{"an exception, the minute before", phone, "2023-03-31 23:59", "", "refuse nsc: tiktok:1 tiktok.com until 2023-04-01 00:00"},
		{"an exception, its first moment", phone, "2023-04-01 00:00", "", "except nsc: tiktok:1 tiktok.com by x until 2023-05-01 00:00"},
		{"an exception, its last moment", phone, "2023-04-30 23:59:59.999", "", "except nsc: tiktok:1 tiktok.com by x until 2023-05-01 00:00"},
		{"an exception, over", phone, "2023-05-01 00:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"an exception, stepped back after its end", phone, "2023-04-15 00:00", "2023-05-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"an exception, stepped back within", phone, "2023-04-15 00:00", "2023-04-30 23:59", "except nsc: tiktok:1 tiktok.com by x until 2023-05-01 00:00"},
		{"an exception, stepped back before its start", phone, "2023-03-31 00:00", "2023-04-15 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-04-01 00:00"},
		{"an exception, high water never noted", phone, "2023-05-01 00:00", "0001-01-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"an exception before its policy", phone, "2023-03-01 00:00", "", "pass listed until 2023-03-10 00:00"},
		{"an exception after one that is over", with(phone, exceptions(policy.Exception{Name: "y"})), "2023-05-01 00:00", "", "except nsc: tiktok:1 tiktok.com by y until 2023-09-10 00:00"},
		{"an exception before one to come", with(span, exceptions(policy.Exception{Name: "y", From: at("2023-07-01")}, policy.Exception{Name: "z", Until: at("2023-08-01")})), "2023-06-01 00:00", "", "except nsc: tiktok:1 tiktok.com by z until 2023-07-01 00:00"},
		{"an exception that doesn't cover it", with(span, exceptions(policy.Exception{Name: "y", From: at("2023-07-01"), Names: names("m.tiktok.com")})), "2023-06-01 00:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
	} {
		t.Run(c.row, func(t *testing.T) {
			conf := world(t)
			c.change(conf)
			if c.high == "" {
				c.high = c.now
			}
			now := policy.Instant{Now: at(c.now), HighWater: at(c.high)}
			s := compile(t, conf)
			a := asker(t, s, "10.10.7.1")
			v := s.Decide(a, wire("tiktok.com"), now)
			if got := show(v); got != c.want {
				t.Errorf("at %s, high water %s:\n got %s\nwant %s", c.now, c.high, got, c.want)
			}
			checkExplanation(t, s.Explain(a, wire("tiktok.com"), now), v)
		})
	}
}

func TestHasExceptions(t *testing.T) {
	conf := world(t)
	with(
		agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24")}),
		exceptions(
			policy.Exception{Name: "x", Clients: prefixes("10.10.8.1/32"), Until: at("2023-05-01"), Lists: []string{"games"}},
			policy.Exception{Name: "z", Clients: prefixes("10.10.8.2/32"), Until: at("2023-05-01")},
			policy.Exception{Name: "y", Clients: prefixes("10.10.8.2/32"), From: at("2023-07-01"), Until: at("2023-08-01")},
			policy.Exception{Name: "w", Clients: prefixes("10.10.8.2/32"), Until: at("2023-04-01")},
		))(conf)
	s := compile(t, conf)
	for _, c := range []struct {
		client, now string
		want        bool
	}{
		{"10.10.8.1", "2023-04-01", true},
		{"10.10.8.1", "2023-05-01", false},
		{"10.10.8.2", "2023-06-01", true},
		{"10.10.8.2", "2023-07-15", true},
		{"10.10.8.3", "2023-04-01", false},
		{"10.10.7.1", "2023-04-01", false},
	} {
		for _, name := range []string{"tiktok.com", "example.org"} {
			v := s.Decide(asker(t, s, c.client), wire(name), policy.Instant{Now: at(c.now)})
			if v.HasExceptions != (c.want && v.Listed) {
				t.Errorf("%s asks %s on %s: has exceptions %t, want %t", c.client, name, c.now, v.HasExceptions, c.want)
			}
		}
	}
}
