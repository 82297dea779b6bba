package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"cordon/resolver/policy"
)

// TestAnswer is the specification of rule 4: one row a rule or a pair of them. The question is on no list unless the row says so.
func TestAnswer(t *testing.T) {
	byAddress := with(ban("net", "tiktok-networks"), has("nsc", "net"))
	both := with(ban("bd", "bytedance"), has("nsc", "bd"))
	for _, c := range []struct {
		row      string
		change   change
		question string
		names    string // separated by blanks
		addrs    string // separated by blanks
		want     string
	}{
		{"nothing in it", nil, "news.example", "", "", "pass"},
		{"nothing listed in it", nil, "news.example", "news.example cdn.example", "192.0.2.1 2001:db8::1", "pass"},
		{"a listed target", nil, "news.example", "cdn.example tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in tiktokcdn.com"},
		{"a listed name in the middle of the chain", nil, "news.example", "a.tiktokcdn.com cdn.example", "192.0.2.1", "refuse nsc: tiktok:3 tiktokcdn.com in a.tiktokcdn.com"},
		{"the first of two in the chain", nil, "news.example", "a.tiktokcdn.com b.tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in a.tiktokcdn.com"},
		{"the first policy, not the first in the chain", both, "news.example", "bytedance.com tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in tiktokcdn.com"},
		{"a carried name", nil, "news.example", "www.tiktok.com.edgesuite.net", "", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) in www.tiktok.com.edgesuite.net"},
		{"on a list of no policy", nil, "news.example", "games.example", "", "pass listed"},
		{"an address", byAddress, "news.example", "", "192.0.2.1 198.51.100.7", "refuse net: tiktok-networks:1 in 198.51.100.7"},
		{"an IPv6 address", byAddress, "news.example", "", "2001:db8:bad::7", "refuse net: tiktok-networks:2 in 2001:db8:bad::7"},
		{"an IPv4-mapped address", byAddress, "news.example", "", "::ffff:198.51.100.7", "refuse net: tiktok-networks:1 in ::ffff:198.51.100.7"},
		{"an address of a list of no policy", nil, "news.example", "", "198.51.100.7", "pass listed"},
		{"a name before an address", with(ban("both", "tiktok-networks", "bytedance"), has("both")), "news.example", "bytedance.com", "198.51.100.7", "refuse both: bytedance:1 bytedance.com in bytedance.com"},
		{"the question again", nil, "games.example", "games.example", "", "pass listed"},

		{"a recommendation", with(advice("tip", "games"), has("tip")), "news.example", "games.example", "", "observe tip: games:1 games.example in games.example"},
		{"a recommendation before a ban", with(advice("tip", "games"), first, has("tip", "nsc")), "news.example", "games.example tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"an agency that observes", mode(policy.ObserveOnly), "news.example", "tiktok.com", "", "observe nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"an agency that is off", mode(policy.Off), "news.example", "tiktok.com", "", "pass listed"},
		{"a policy to come", func(c *policy.Config) { c.Policies[0].From = at("2023-07-01") }, "news.example", "tiktok.com", "", "pass listed until 2023-07-01 00:00"},
		{"a policy to end", func(c *policy.Config) { c.Policies[0].Until = at("2023-07-01") }, "news.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com until 2023-07-01 00:00"},

		{"the question refused stays refused", both, "bytedance.com", "tiktok.com", "", "refuse bd: bytedance:1 bytedance.com"},
		{"the question observed, nothing in it", with(advice("tip", "games"), has("tip")), "games.example", "cdn.example", "", "observe tip: games:1 games.example"},
		{"the question observed, a ban in it", with(advice("tip", "games"), has("tip", "nsc")), "games.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"the question observed, the same in it", with(advice("tip", "games"), has("tip")), "games.example", "a.games.example", "", "observe tip: games:1 games.example"},
		{"the question observed by its agency, another policy in it", with(mode(policy.ObserveOnly), both), "www.tiktok.com", "bytedance.com", "", "observe nsc: tiktok:2 www.tiktok.com"},

		{"the question excepted covers the policy", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "www.tiktok.com", "a.tiktokcdn.com", "", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"the question excepted covers other lists of the policy", with(ban("all", "bytedance", "tiktok"), has("all"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}})), "tiktokcdn.com", "bytedance.com", "", "except all: tiktok:3 tiktokcdn.com by x"},
		{"the question excepted, another policy in it", with(both, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}, Names: names("tiktokcdn.com")})), "tiktokcdn.com", "bytedance.com", "", "refuse bd: bytedance:1 bytedance.com in bytedance.com"},
		{"the question excepted for two policies", with(both, exceptions(policy.Exception{Name: "x", Names: names("tiktokcdn.com")})), "tiktokcdn.com", "bytedance.com", "", "except nsc: tiktok:3 tiktokcdn.com by x"},
		{"the question excepted covers addresses", with(byAddress, exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")})), "www.tiktok.com", "", "198.51.100.7", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"the question excepted, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "www.tiktok.com.edgesuite.net", "tiktokcdn.com", "", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"an unlisted question excepted by name", exceptions(policy.Exception{Name: "x", Names: names("news.example")}), "www.news.example", "tiktokcdn.com", "", "except nsc: tiktok:3 tiktokcdn.com by x in tiktokcdn.com"},
		{"an unlisted question excepted by name, for a list it isn't on", exceptions(policy.Exception{Name: "x", Names: names("news.example"), Lists: []string{"tiktok"}}), "news.example", "tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in tiktokcdn.com"},
		{"another question than the excepted", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "news.example", "tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in tiktokcdn.com"},
		{"a name of the answer excepted by name", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "news.example", "www.tiktok.com", "", "except nsc: tiktok:2 www.tiktok.com by x in www.tiktok.com"},
		{"a name of the answer excepted, the next isn't", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "news.example", "www.tiktok.com a.tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in a.tiktokcdn.com"},
		{"a name of the answer excepted by list", exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}}), "news.example", "tiktokcdn.com", "", "except nsc: tiktok:3 tiktokcdn.com by x in tiktokcdn.com"},
		{"an address excepted by list", with(byAddress, exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok-networks"}})), "news.example", "", "198.51.100.7", "except net: tiktok-networks:1 by x in 198.51.100.7"},
		{"an address isn't excepted by a name", with(byAddress, exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")})), "news.example", "", "198.51.100.7", "refuse net: tiktok-networks:1 in 198.51.100.7"},
		{"everything excepted", with(both, exceptions(policy.Exception{Name: "x"})), "news.example", "bytedance.com tiktok.com", "", "except nsc: tiktok:1 tiktok.com by x in tiktok.com"},
		{"the question excepted from one policy, a recommendation in it", with(advice("tip", "games"), has("nsc", "tip"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "tiktok.com", "games.example", "", "except nsc: tiktok:1 tiktok.com by x"},
		{"the question excepted from a recommendation, a ban in it", with(advice("tip", "games"), has("nsc", "tip"), exceptions(policy.Exception{Name: "x", Policies: []string{"tip"}})), "games.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"the question excepted from one policy by one exception, its answer from another by another", with(both, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}, Names: names("tiktokcdn.com")}, policy.Exception{Name: "y", Policies: []string{"bd"}, Names: names("bytedance.com")})), "tiktokcdn.com", "bytedance.com", "", "except nsc: tiktok:3 tiktokcdn.com by x"},
		{"the question excepted from two policies by two exceptions", with(both, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}, Names: names("tiktokcdn.com")}, policy.Exception{Name: "y", Policies: []string{"bd"}, Names: names("tiktokcdn.com")})), "tiktokcdn.com", "bytedance.com", "", "except nsc: tiktok:3 tiktokcdn.com by x"},
		{"the question excepted, a policy in it that is to come", with(both, func(c *policy.Config) { c.Policies[1].From = at("2023-07-01") }, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "tiktokcdn.com", "bytedance.com", "", "except nsc: tiktok:3 tiktokcdn.com by x until 2023-07-01 00:00"},
		{"the question excepted, a policy in it that is over", with(both, func(c *policy.Config) { c.Policies[1].Until = at("2023-05-01") }, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "tiktokcdn.com", "bytedance.com", "", "except nsc: tiktok:3 tiktokcdn.com by x"},
		{"the question excepted, another policy in the middle of the chain", with(both, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "tiktokcdn.com", "a.tiktok.com bytedance.com cdn.example", "192.0.2.1", "refuse bd: bytedance:2 tiktok.com in a.tiktok.com"},
		{"the question excepted, another policy on an address", with(byAddress, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "www.tiktok.com", "tiktokcdn.com", "198.51.100.7", "refuse net: tiktok-networks:1 in 198.51.100.7"},
		{"the question excepted by list covers an address of another list", with(ban("all", "tiktok", "tiktok-networks"), has("all"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}})), "www.tiktok.com", "", "198.51.100.7", "except all: tiktok:2 www.tiktok.com by x"},
		{"the question excepted, in an agency that observes, another policy in it", with(mode(policy.ObserveOnly), both, exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "tiktokcdn.com", "bytedance.com", "", "observe bd: bytedance:1 bytedance.com in bytedance.com"},
		{"the question excepted, a carried name in it", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "www.tiktok.com", "www.tiktok.com.edgesuite.net", "", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"an unlisted question excepted by name for another policy", with(both, exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}, Names: names("news.example")})), "news.example", "tiktokcdn.com", "", "refuse nsc: tiktok:3 tiktokcdn.com in tiktokcdn.com"},
		{"an unlisted question excepted as a whole", exceptions(policy.Exception{Name: "x"}), "news.example", "tiktokcdn.com", "", "except nsc: tiktok:3 tiktokcdn.com by x in tiktokcdn.com"},
		{"a policy within a stranger", with(within("own", "court", "games"), agencies(policy.Agency{Name: "court"}), has()), "news.example", "games.example", "", "pass listed"},
		{"an exception of the question that was revoked", exceptions(policy.Exception{Name: "x", Names: names("news.example"), Until: at("2023-05-01"), Revoked: at("2023-05-01")}), "news.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"an exception of another client", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.2/32")}), "news.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"an exception of the question that is over", exceptions(policy.Exception{Name: "x", Names: names("news.example"), Until: at("2023-05-01")}), "news.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com"},
		{"an exception of the question that ends", exceptions(policy.Exception{Name: "x", Names: names("news.example"), Until: at("2023-07-01")}), "news.example", "tiktok.com", "", "except nsc: tiktok:1 tiktok.com by x in tiktok.com until 2023-07-01 00:00"},
		{"an exception of the question that is to come", exceptions(policy.Exception{Name: "x", Names: names("news.example"), From: at("2023-07-01")}), "news.example", "tiktok.com", "", "refuse nsc: tiktok:1 tiktok.com in tiktok.com until 2023-07-01 00:00"},
	} {
		t.Run("4 answers: "+c.row, func(t *testing.T) {
			conf := world(t)
			if c.change != nil {
				c.change(conf)
			}
			s := compile(t, conf)
			a := asker(t, s, "10.10.7.1")
			chain, addrs := leadsTo(c.names, c.addrs)
			question := s.Decide(a, wire(c.question), noon)
			v := s.DecideAnswer(a, question, chain, addrs, noon)
			if got := strings.TrimSuffix(show(v), " until 2099-01-01 00:00"); got != c.want {
				t.Errorf("%s leads to %s %s:\n got %s\nwant %s", c.question, c.names, c.addrs, got, c.want)
			}
			if v.Agency != a.Agency() || v.HasExceptions != (v.Listed && len(a.Exceptions()) > 0 && !strings.Contains(c.row, "exception of the question that is over") && !strings.Contains(c.row, "revoked")) {
				t.Errorf("agency %v, has exceptions %t", v.Agency, v.HasExceptions)
			}
			if !question.Listed && s.Bears(chain, addrs) != v.Listed {
				t.Errorf("Bears: %t, listed: %t", s.Bears(chain, addrs), v.Listed)
			}
			if question.Action != policy.Refuse {
				checkExplanation(t, s.ExplainAnswer(a, question, chain, addrs, noon), v)
			}
		})
	}
}

func leadsTo(names, addrs string) (chain [][]byte, to []netip.Addr) {
	for name := range strings.FieldsSeq(names) {
		chain = append(chain, wire(name))
	}
	for addr := range strings.FieldsSeq(addrs) {
		to = append(to, netip.MustParseAddr(addr))
	}
	return chain, to
}
