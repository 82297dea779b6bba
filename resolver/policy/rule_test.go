package policy_test

import (
	"context"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for machines without zone files

	"cordon/blocklists"
	"cordon/blocklists/format"
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

// within adds the ban name of list, within an agency. Those that have policies below or at federal get it.
func within(name, agency, list string) change {
	return func(c *policy.Config) {
		c.Policies = append(c.Policies, policy.Policy{Name: name, Lists: []string{list}, Within: agency})
		if own := &c.Agencies[0]; own.Name == agency && len(own.Policies) > 0 {
			own.Policies = append(own.Policies, name)
		}
	}
}

// more adds a list of names, adblock one of an ad blocker's rules.
func more(name string, lines ...string) change { return addList(format.Names, name, lines) }

func adblock(name string, lines ...string) change { return addList(format.Adblock, name, lines) }

func addList(f format.Format, name string, lines []string) change {
	return func(c *policy.Config) {
		l, err := blocklists.Load(context.Background(), blocklists.Source{Name: name, Format: f, Inline: lines}, nil)
		if err != nil {
			panic(err)
		}
		c.Lists = append(c.Lists, l)
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

// TestRule is the specification of Decide: one row a sentence of the rule, or a pair of them, named after its number and what it is
// about. TestEveryPairOfKinds has all kinds against each other, TestTime the dates of rule 2, TestAnswer rule 4, TestAgainstOracle
// whatever the dice throw. Boundaries of exceptions without an end of their own are left out of what is wanted.
//
//	1 agencies, within                              whose policies a client has
//	2 names                                         what a rule of a list matches
//	2 policies, exceptions, clients, lifts, lists,  what stands, and what lifts it
//	  excepted names
//	3 CDN, excepted CDN names                       what is judged as a listed name
//	5 reason, strength, modes                       what comes of it, and which policy is named
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
		{"1 agencies: without policies, every ban", with(ban("other", "games"), has()), "", "games.example", "refuse other: games:1 games.example"},
		{"1 agencies: without policies, no recommendation", with(advice("tip", "games"), has()), "", "games.example", "pass listed"},
		{"1 agencies: in none, every ban", ban("other", "games"), "192.0.2.1", "games.example", "refuse other: games:1 games.example"},
		{"1 agencies: in none, no recommendation", advice("tip", "games"), "192.0.2.1", "games.example", "pass listed"},
		{"1 agencies: in none, default written with policies", with(ban("other", "games"), agencies(policy.Agency{Name: "default", Policies: []string{"nsc"}})), "192.0.2.1", "games.example", "pass listed"},
		{"1 agencies: in none, default written without policies", with(ban("other", "games"), agencies(policy.Agency{Name: "default"})), "192.0.2.1", "games.example", "refuse other: games:1 games.example"},
		{"1 agencies: in none, default written with a parent", with(ban("other", "games"), agencies(policy.Agency{Name: "default", Parent: "federal"})), "192.0.2.1", "games.example", "pass listed"},
		{"1 agencies: a child has its parent's policies", defence, "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 agencies: a child has its own besides", with(ban("own", "games"), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "games.example", "refuse own: games:1 games.example"},
		{"1 agencies: a parent hasn't its child's", with(ban("own", "games"), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "10.10.8.1", "games.example", "pass listed"},
		{"1 agencies: a grandparent's policies", with(defence, agencies(policy.Agency{Name: "navy", Parent: "defence", Networks: prefixes("192.0.2.0/24")})), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 agencies: a line without policies", with(has(), defence, ban("other", "games")), "", "games.example", "refuse other: games:1 games.example"},
		{"1 agencies: the longest network, of a stranger", with(ban("own", "games"), agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "tiktok.com", "pass listed"},
		{"1 agencies: IPv6", nil, "2001:db8:10::1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 agencies: IPv4-mapped", with(ban("own", "games"), has("own")), "::ffff:10.10.7.1", "tiktok.com", "pass listed"},
		{"1 agencies: the longest network of three, one in the other", with(ban("own", "games"), agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}}, policy.Agency{Name: "press", Parent: "federal", Networks: prefixes("10.10.7.0/30")})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 agencies: one of two networks of one agency, one in the other", federal(func(a *policy.Agency) { a.Networks = prefixes("10.10.0.0/16", "10.10.7.0/24") }), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 agencies: below one without policies, all who have some", with(ban("own", "games"), has(), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "tiktok.com", "pass listed"},

		{"1 within: the agency that it is within", within("own", "federal", "games"), "", "games.example", "refuse own: games:1 games.example"},
		{"1 within: an agency below that", with(within("own", "federal", "games"), defence), "", "games.example", "refuse own: games:1 games.example"},
		{"1 within: one above that, without policies, doesn't have it", with(has(), defence, within("own", "defence", "games")), "10.10.8.1", "games.example", "pass listed"},
		{"1 within: that, without policies, has every ban and it", with(has(), defence, within("own", "defence", "games")), "", "games.example", "refuse own: games:1 games.example"},
		{"1 within: a stranger without policies has every other ban", with(agencies(policy.Agency{Name: "court", Networks: prefixes("192.0.2.0/24")}), within("own", "federal", "games")), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"1 within: a stranger without policies doesn't have it", with(agencies(policy.Agency{Name: "court", Networks: prefixes("192.0.2.0/24")}), within("own", "federal", "games")), "192.0.2.1", "games.example", "pass listed"},
		{"1 within: a client in no agency doesn't have it", within("own", "federal", "games"), "192.0.2.1", "games.example", "pass listed"},
		{"1 within: default can have one of its own", with(func(c *policy.Config) {
			c.Policies = append(c.Policies, policy.Policy{Name: "own", Lists: []string{"games"}, Within: "default"})
		}), "192.0.2.1", "games.example", "refuse own: games:1 games.example"},
		{"1 within: a recommendation, for an agency without policies", with(has(), func(c *policy.Config) {
			c.Policies = append(c.Policies, policy.Policy{Name: "own", Lists: []string{"games"}, Within: "federal", Recommendation: true})
		}), "", "games.example", "pass listed"},
		{"1 within: lifted by an exception from every policy", with(within("own", "federal", "games"), exceptions(policy.Exception{Name: "x"})), "", "games.example", "except own: games:1 games.example by x"},
		{"1 within: an exception of a stranger from it lifts nothing", with(agencies(policy.Agency{Name: "court", Networks: prefixes("192.0.2.0/24")}), within("own", "federal", "games"), exceptions(policy.Exception{Name: "x", Agency: "court", Policies: []string{"own"}})), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},

		{"2 names: on no list", nil, "", "example.org", "pass"},
		{"2 names: on a list", nil, "", "tiktokcdn.com", "refuse nsc: tiktok:3 tiktokcdn.com"},
		{"2 names: below one on a list", nil, "", "a.b.tiktokcdn.com", "refuse nsc: tiktok:3 tiktokcdn.com"},
		{"2 names: the longest suffix of a list", nil, "", "m.www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"2 names: not inside of a label", nil, "", "nottiktokcdn.com", "pass"},
		{"2 names: not as a prefix", nil, "", "tiktokcdn.com.example.org", "pass"},
		{"2 names: a parent of one on a list", nil, "", "com", "pass"},
		{"2 names: the root", nil, "", ".", "pass"},
		{"2 names: on a list of no policy", nil, "", "www.games.example", "pass listed"},
		{"2 names: on a list of another agency's policy", ban("other", "games"), "", "games.example", "pass listed"},
		{"2 names: only below", with(ban("bd", "bytedance"), has("bd")), "", "capcut.com", "pass"},
		{"2 names: only below, below", with(ban("bd", "bytedance"), has("bd")), "", "www.capcut.com", "refuse bd: bytedance:3 capcut.com"},
		{"2 names: of an exact rule", with(more("exact", "=exact.example"), ban("e", "exact"), has("e")), "", "exact.example", "refuse e: exact:1 exact.example"},
		{"2 names: below an exact rule", with(more("exact", "=exact.example"), ban("e", "exact"), has("e")), "", "www.exact.example", "pass"},
		{"2 names: below an exact rule within a whole one", with(more("exact", "exact.example", "=www.exact.example"), ban("e", "exact"), has("e")), "", "a.www.exact.example", "refuse e: exact:1 exact.example"},
		{"2 names: an exact rule within a whole one is the longer suffix", with(more("exact", "exact.example", "=www.exact.example"), ban("e", "exact"), has("e")), "", "www.exact.example", "refuse e: exact:2 www.exact.example"},
		{"2 names: one that the list itself allows", with(adblock("adult", "||adult.example^", "@@||www.adult.example^"), ban("e", "adult"), has("e")), "", "www.adult.example", "pass"},
		{"2 names: beside one that the list itself allows", with(adblock("adult", "||adult.example^", "@@||www.adult.example^"), ban("e", "adult"), has("e")), "", "m.adult.example", "refuse e: adult:1 adult.example"},
		{"2 names: one that a list allows, and another list has", with(adblock("adult", "||tiktok.com^", "@@||www.tiktok.com^"), ban("e", "adult", "bytedance"), has("e")), "", "www.tiktok.com", "refuse e: bytedance:2 tiktok.com"},

		{"2 policies: a second one bans too", with(ban("bd", "bytedance"), has("bd", "nsc")), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},

		{"2 exceptions: for the agency", exceptions(policy.Exception{Name: "x"}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 exceptions: on no list", exceptions(policy.Exception{Name: "x"}), "", "example.org", "pass"},
		{"2 exceptions: on a list of no policy", exceptions(policy.Exception{Name: "x"}), "", "games.example", "pass listed"},
		{"2 exceptions: of another agency", with(agencies(policy.Agency{Name: "court", Networks: prefixes("192.0.2.0/24")}), exceptions(policy.Exception{Name: "x", Agency: "court"})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 exceptions: not for a child", with(defence, exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 exceptions: for the descendants", with(defence, exceptions(policy.Exception{Name: "x", Descendants: true})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 exceptions: for the descendants and the agency", with(defence, exceptions(policy.Exception{Name: "x", Descendants: true})), "10.10.8.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 exceptions: not for the parent", with(defence, exceptions(policy.Exception{Name: "x", Agency: "defence", Descendants: true})), "10.10.8.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 exceptions: of default", exceptions(policy.Exception{Name: "x", Agency: "default"}), "192.0.2.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 exceptions: of default, for a client", exceptions(policy.Exception{Name: "x", Agency: "default", Clients: prefixes("192.0.2.1/32")}), "192.0.2.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},

		{"2 clients: the one", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: the one, IPv4-mapped", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "::ffff:10.10.7.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: another", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "10.10.7.2", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: of two networks", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.9.0/24", "10.10.7.0/24")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: of a network within those of another exception", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.0/24")}, policy.Exception{Name: "y", Clients: prefixes("10.10.7.1/32"), Lists: []string{"games"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: an agency within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20")})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: beside the agency within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20")})), "10.10.8.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: a descendant within them", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20"), Descendants: true})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: a stranger within them", with(agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24")}), exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20"), Descendants: true})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: outside of the agency", exceptions(policy.Exception{Name: "x", Clients: prefixes("192.0.2.0/24")}), "192.0.2.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: wider than the agency, within it", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.0.0.0/8")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: wider than the agency, outside of it", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.0.0.0/8")}), "10.11.0.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: exactly the network of the agency", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/16")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: exactly the network of an agency below", with(defence, exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.0/24")})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 clients: of an agency below, for the agency with descendants", with(defence, exceptions(policy.Exception{Name: "x", Descendants: true, Clients: prefixes("10.10.7.1/32")})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: the agency around the stranger within them", with(agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24")}), exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.0.0/20")})), "10.10.8.1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: of the stranger, for the stranger", with(agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24")}), exceptions(policy.Exception{Name: "x", Agency: "court", Clients: prefixes("10.10.7.1/32")})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: of the agency, within the stranger within it", with(agencies(policy.Agency{Name: "court", Networks: prefixes("10.10.7.0/24")}, policy.Agency{Name: "press", Parent: "federal", Networks: prefixes("10.10.7.0/30")}), exceptions(policy.Exception{Name: "x", Descendants: true, Clients: prefixes("10.10.7.0/24")})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: IPv6", exceptions(policy.Exception{Name: "x", Clients: prefixes("2001:db8:10:7::/64")}), "2001:db8:10:7::1", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 clients: of one family only, the other is refused", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/32")}), "2001:db8:10::1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},

		{"2 lifts: the policy that it names", exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: not another policy", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 lifts: another still stands", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"2 lifts: every policy", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: two exceptions, a policy each", with(ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}}, policy.Exception{Name: "y", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by y"},
		{"2 lifts: the first of two exceptions", exceptions(policy.Exception{Name: "x"}, policy.Exception{Name: "y", Clients: prefixes("10.10.7.1/32")}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: a recommendation", with(advice("tip", "games"), has("tip"), exceptions(policy.Exception{Name: "x"})), "", "games.example", "except tip: games:1 games.example by x"},
		{"2 lifts: a ban, not the recommendation beside it", with(advice("tip", "tiktok"), first, has("tip", "nsc"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: a recommendation, not the ban beside it", with(advice("tip", "tiktok"), first, has("tip", "nsc"), exceptions(policy.Exception{Name: "x", Policies: []string{"tip"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 lifts: one recommendation of two", with(advice("tip", "tiktok"), advice("hint", "tiktok"), has("tip", "hint"), exceptions(policy.Exception{Name: "x", Policies: []string{"tip"}})), "", "tiktok.com", "observe hint: tiktok:1 tiktok.com"},
		{"2 lifts: what is only observed", with(mode(policy.ObserveOnly), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: one ban, the other is observed", with(mode(policy.ObserveOnly), ban("bd", "bytedance"), has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "observe bd: bytedance:2 tiktok.com"},
		{"2 lifts: two bans of three", with(ban("bd", "bytedance"), ban("again", "tiktok"), has("nsc", "bd", "again"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc", "again"}})), "", "tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"2 lifts: three bans by two exceptions", with(ban("bd", "bytedance"), ban("again", "tiktok"), has("nsc", "bd", "again"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc", "again"}}, policy.Exception{Name: "y", Policies: []string{"bd"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: a policy that the agency has not", with(ban("own", "games"), exceptions(policy.Exception{Name: "x", Policies: []string{"own"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 lifts: a policy of the parent, for an agency below", with(defence, exceptions(policy.Exception{Name: "x", Agency: "defence", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lifts: every ban that an agency without policies has", with(has(), ban("other", "games"), exceptions(policy.Exception{Name: "x"})), "", "games.example", "except other: games:1 games.example by x"},
		{"2 lifts: the first of two alike that is in force", exceptions(policy.Exception{Name: "x", Until: at("2023-05-01")}, policy.Exception{Name: "y"}, policy.Exception{Name: "z"}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by y"},
		{"2 lifts: nothing, when it was revoked", exceptions(policy.Exception{Name: "x", Until: at("2023-05-01"), Revoked: at("2023-05-01"), RevokedBy: "head"}), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 lifts: until it is revoked, on a date to come", exceptions(policy.Exception{Name: "x", Until: at("2023-07-01"), Revoked: at("2023-07-01"), RevokedBy: "head"}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x until 2023-07-01 00:00"},

		{"2 lists: of the matching rule", exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}}), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 lists: not of the matching rule", exceptions(policy.Exception{Name: "x", Lists: []string{"bytedance"}}), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 lists: one of the two that the policy has", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}})), "", "www.tiktok.com", "refuse both: bytedance:2 tiktok.com"},
		{"2 lists: both that the policy has", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok", "bytedance"}})), "", "www.tiktok.com", "except both: tiktok:2 www.tiktok.com by x"},

		{"2 excepted names: itself", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"2 excepted names: below", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "a.b.www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"2 excepted names: a parent", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 excepted names: a sibling", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "m.tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 excepted names: not inside of a label", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "awww.tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"2 excepted names: one longer than what is asked", exceptions(policy.Exception{Name: "x", Names: names("some.very.long.name.of.www.tiktok.com")}), "", "www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"2 excepted names: above the rule", exceptions(policy.Exception{Name: "x", Names: names("tiktok.com")}), "", "www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"2 excepted names: the second", exceptions(policy.Exception{Name: "x", Names: names("tiktokcdn.com", "m.tiktok.com")}), "", "m.tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 excepted names: and the list", with(ban("both", "tiktok", "bytedance"), has("both"), exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com"), Lists: []string{"tiktok"}})), "", "www.tiktok.com", "refuse both: bytedance:2 tiktok.com"},
		{"2 excepted names: below the rule", exceptions(policy.Exception{Name: "x", Names: names("a.b.tiktokcdn.com")}), "", "a.b.tiktokcdn.com", "except nsc: tiktok:3 tiktokcdn.com by x"},
		{"2 excepted names: between the rule and one below it", exceptions(policy.Exception{Name: "x", Names: names("a.b.tiktokcdn.com")}), "", "b.tiktokcdn.com", "refuse nsc: tiktok:3 tiktokcdn.com"},
		{"2 excepted names: one within another", exceptions(policy.Exception{Name: "x", Names: names("tiktok.com", "www.tiktok.com")}), "", "m.tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"2 excepted names: of a rule for below, itself", with(ban("bd", "bytedance"), has("bd"), exceptions(policy.Exception{Name: "x", Names: names("capcut.com")})), "", "www.capcut.com", "except bd: bytedance:3 capcut.com by x"},
		{"2 excepted names: of an exact rule, itself", with(more("exact", "=exact.example"), ban("e", "exact"), has("e"), exceptions(policy.Exception{Name: "x", Names: names("exact.example")})), "", "exact.example", "except e: exact:1 exact.example by x"},
		{"2 excepted names: a top-level domain", exceptions(policy.Exception{Name: "x", Names: names("com")}), "", "www.tiktok.com", "except nsc: tiktok:2 www.tiktok.com by x"},
		{"2 excepted names: on no list", exceptions(policy.Exception{Name: "x", Names: names("example.org")}), "", "example.org", "pass"},

		{"3 CDN: a listed name carried", nil, "", "www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},
		{"3 CDN: an unlisted name carried", nil, "", "www.example.org.edgesuite.net", "pass"},
		{"3 CDN: the suffix alone", nil, "", "edgesuite.net", "pass"},
		{"3 CDN: a listed name carried, with an operator's label", nil, "", "www.tiktok.com.c.footprint.net", "refuse nsc: tiktok:2 www.tiktok.com.c.footprint.net (CDN)"},
		{"3 CDN: a name of a rule for below, carried", with(ban("bd", "bytedance"), has("bd")), "", "capcut.com.edgesuite.net", "pass"},
		{"3 CDN: a name below a rule for below, carried", with(ban("bd", "bytedance"), has("bd")), "", "www.capcut.com.edgesuite.net", "refuse bd: bytedance:3 capcut.com.edgesuite.net (CDN)"},
		{"3 CDN: carried, for an agency without the policy", with(ban("other", "games"), has("other")), "", "www.tiktok.com.edgesuite.net", "pass listed"},
		{"3 CDN: carried, excepted for the agency", exceptions(policy.Exception{Name: "x"}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"3 CDN: carried, excepted by list", exceptions(policy.Exception{Name: "x", Lists: []string{"tiktok"}}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},

		{"3 excepted CDN names: carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"3 excepted CDN names: below, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("m.tiktok.com")}), "", "a.m.tiktok.com.edgesuite.net", "except nsc: tiktok:1 tiktok.com.edgesuite.net (CDN) by x"},
		{"3 excepted CDN names: above, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"3 excepted CDN names: a sibling, carried by a CDN", exceptions(policy.Exception{Name: "x", Names: names("m.tiktok.com")}), "", "www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},
		{"3 excepted CDN names: carried, with an operator's label", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com")}), "", "www.tiktok.com.c.footprint.net", "except nsc: tiktok:2 www.tiktok.com.c.footprint.net (CDN) by x"},
		{"3 excepted CDN names: the carrying name", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com.edgesuite.net")}), "", "www.tiktok.com.edgesuite.net", "except nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) by x"},
		{"3 excepted CDN names: the carrying name doesn't except the carried", exceptions(policy.Exception{Name: "x", Names: names("www.tiktok.com.edgesuite.net")}), "", "www.tiktok.com", "refuse nsc: tiktok:2 www.tiktok.com"},
		{"3 excepted CDN names: a client's own label in front", exceptions(policy.Exception{Name: "x", Names: names("example.org")}), "", "example.org.www.tiktok.com.edgesuite.net", "refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN)"},

		{"5 reason: the first of the files is the reason", with(ban("bd", "bytedance"), first, has("nsc", "bd")), "", "www.tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"5 reason: one of two lists", with(ban("both", "games", "bytedance"), has("both")), "", "bytedance.com", "refuse both: bytedance:1 bytedance.com"},
		{"5 reason: the longest suffix of two lists", with(ban("both", "bytedance", "tiktok"), has("both")), "", "www.tiktok.com", "refuse both: tiktok:2 www.tiktok.com"},
		{"5 reason: the first list of two alike", with(ban("both", "bytedance", "tiktok"), has("both")), "", "tiktok.com", "refuse both: tiktok:1 tiktok.com"},
		{"5 reason: the first policy, not the first list", with(ban("bd", "bytedance"), first, has("nsc", "bd")), "", "tiktok.com", "refuse bd: bytedance:2 tiktok.com"},
		{"5 reason: the first policy of two that have one list", with(ban("again", "tiktok"), first, has("nsc", "again")), "", "tiktok.com", "refuse again: tiktok:1 tiktok.com"},
		{"5 reason: the first policy of the files, not the nearest of the line", with(ban("own", "tiktok"), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Policies: []string{"own"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"5 reason: the first of two that are lifted", with(ban("bd", "bytedance"), first, has("nsc", "bd"), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "except bd: bytedance:2 tiktok.com by x"},
		{"5 reason: one that is not lifted, whatever its place", with(ban("bd", "bytedance"), first, has("nsc", "bd"), exceptions(policy.Exception{Name: "x", Policies: []string{"bd"}})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},

		{"5 strength: a recommendation", with(advice("tip", "games"), has("tip")), "", "games.example", "observe tip: games:1 games.example"},
		{"5 strength: a ban beats a recommendation", with(advice("tip", "tiktok"), first, has("tip", "nsc")), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"5 strength: the first of two recommendations", with(advice("tip", "tiktok"), advice("hint", "tiktok"), has("hint", "tip")), "", "tiktok.com", "observe tip: tiktok:1 tiktok.com"},
		{"5 strength: recommendations only are policies, too", with(advice("tip", "games"), has("tip")), "", "tiktok.com", "pass listed"},

		{"5 modes: observe", mode(policy.ObserveOnly), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"5 modes: observe is inherited", with(mode(policy.ObserveOnly), defence), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"5 modes: a child enforces", with(mode(policy.ObserveOnly), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Mode: policy.Enforce})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"5 modes: a child observes, its parent doesn't", agencies(policy.Agency{Name: "byod", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Mode: policy.ObserveOnly}), "10.10.8.1", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"5 modes: observe, and a ban before a recommendation", with(mode(policy.ObserveOnly), advice("tip", "tiktok"), first, has("tip", "nsc")), "", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"5 modes: off", mode(policy.Off), "", "tiktok.com", "pass listed"},
		{"5 modes: off is inherited", with(mode(policy.Off), defence), "", "tiktok.com", "pass listed"},
		{"5 modes: off, excepted", with(mode(policy.Off), exceptions(policy.Exception{Name: "x"})), "", "tiktok.com", "pass listed"},
		{"5 modes: default observes", agencies(policy.Agency{Name: "default", Mode: policy.ObserveOnly}), "192.0.2.1", "tiktok.com", "observe nsc: tiktok:1 tiktok.com"},
		{"5 modes: a child of one that is off enforces", with(mode(policy.Off), agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24"), Mode: policy.Enforce})), "", "tiktok.com", "refuse nsc: tiktok:1 tiktok.com"},
		{"5 modes: observe, a recommendation", with(mode(policy.ObserveOnly), advice("tip", "games"), has("tip")), "", "games.example", "observe tip: games:1 games.example"},
		{"5 modes: observe, a ban lifted beside a recommendation", with(mode(policy.ObserveOnly), advice("tip", "tiktok"), has("tip", "nsc"), exceptions(policy.Exception{Name: "x", Policies: []string{"nsc"}})), "", "tiktok.com", "except nsc: tiktok:1 tiktok.com by x"},
		{"5 modes: off, a recommendation", with(mode(policy.Off), advice("tip", "games"), has("tip")), "", "games.example", "pass listed"},
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

// TestTime is the specification of from and until, of clocks that are stepped, and of the days on which Brussels changes its clocks.
// The world's ban is in force from 2023-03-10 to 2023-09-10. Moments are in UTC unless they have an offset.
func TestTime(t *testing.T) {
	span := func(c *policy.Config) {
		c.Policies[0].From, c.Policies[0].Until = at("2023-03-10"), at("2023-09-10")
	}
	phone := with(span, exceptions(policy.Exception{Name: "x", From: at("2023-04-01"), Until: at("2023-05-01")}))
	second := with(span, ban("bd", "bytedance"), has("nsc", "bd"))
	revoked := with(span, exceptions(policy.Exception{Name: "x", From: at("2023-04-01"), Until: at("2023-04-15 09:30"), Revoked: at("2023-04-15 09:30")}))
	advised := func(c *policy.Config) { span(c); c.Policies[0].Recommendation = true }
	day := func(from, until string) change {
		return func(c *policy.Config) {
			c.Policies[0].From, c.Policies[0].Until = brussels(t, from), brussels(t, until)
		}
	}
	spring, autumn := day("2023-03-26", "2023-03-27"), day("2023-10-29", "2023-10-30")
	phoneOf := func(from, until string) change {
		return exceptions(policy.Exception{Name: "x", From: brussels(t, from), Until: brussels(t, until)})
	}
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
		{"a policy, the last nanosecond before", span, "2023-03-09 23:59:59.999999999", "", "pass listed until 2023-03-10 00:00"},
		{"a policy, the first nanosecond", span, "2023-03-10 00:00:00.000000001", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a policy, the last nanosecond", span, "2023-09-09 23:59:59.999999999", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a recommendation, the minute before", advised, "2023-03-09 23:59", "", "pass listed until 2023-03-10 00:00"},
		{"a recommendation, its first moment", advised, "2023-03-10 00:00", "", "observe nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a recommendation, over", advised, "2023-09-10 00:00", "", "pass listed"},
		{"an exception, the last nanosecond before", phone, "2023-03-31 23:59:59.999999999", "", "refuse nsc: tiktok:1 tiktok.com until 2023-04-01 00:00"},
		{"an exception, its last nanosecond", phone, "2023-04-30 23:59:59.999999999", "", "except nsc: tiktok:1 tiktok.com by x until 2023-05-01 00:00"},
		{"an exception, revoked, the moment before", revoked, "2023-04-15 09:29:59.999", "", "except nsc: tiktok:1 tiktok.com by x until 2023-04-15 09:30"},
		{"an exception, revoked, that moment", revoked, "2023-04-15 09:30", "", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"an exception, revoked, the clock stepped back before that", revoked, "2023-04-10 00:00", "2023-04-15 09:30", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"an exception that ends with its policy", with(span, exceptions(policy.Exception{Name: "x", Until: at("2023-09-10")})), "2023-09-10 00:00", "", "pass listed"},
		{"an exception that outlives its policy", with(span, exceptions(policy.Exception{Name: "x"})), "2023-10-01 00:00", "", "pass listed"},
		{"two exceptions, the end of one is the start of the other", with(span, exceptions(policy.Exception{Name: "x", Until: at("2023-06-01")}, policy.Exception{Name: "y", From: at("2023-06-01")})), "2023-06-01 00:00", "", "except nsc: tiktok:1 tiktok.com by y until 2023-09-10 00:00"},
		{"two policies, the end of one is the start of the other", with(second, func(c *policy.Config) { c.Policies[1].From = at("2023-09-10") }), "2023-09-10 00:00", "", "refuse bd: bytedance:2 tiktok.com"},

		{"a clock stepped forward over the start of a policy", span, "2023-03-10 00:00", "2023-03-09 23:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a clock stepped forward over the end of a policy", span, "2023-12-01 00:00", "2023-03-09 23:00", "pass listed"},
		{"a clock stepped forward over an exception", phone, "2023-06-01 00:00", "2023-03-31 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a clock stepped forward, and back into an exception that began meanwhile", phone, "2023-04-02 00:00", "2023-04-20 00:00", "except nsc: tiktok:1 tiktok.com by x until 2023-05-01 00:00"},
		{"a clock stepped forward over an exception, and back", phone, "2023-04-02 00:00", "2030-01-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},
		{"a clock stepped forward over everything, and back before it", phone, "2001-01-01 00:00", "2030-01-01 00:00", "refuse nsc: tiktok:1 tiktok.com until 2023-09-10 00:00"},

		{"23 hours: the moment before", spring, "2023-03-25T23:59:59+01:00", "", "pass listed until 2023-03-26 00:00"},
		{"23 hours: midnight CET", spring, "2023-03-26T00:00:00+01:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-03-27 00:00"},
		{"23 hours: the last moment of winter time", spring, "2023-03-26T01:59:59+01:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-03-27 00:00"},
		{"23 hours: the first moment of summer time", spring, "2023-03-26T03:00:00+02:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-03-27 00:00"},
		{"23 hours: the last moment, CEST", spring, "2023-03-26T23:59:59+02:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-03-27 00:00"},
		{"23 hours: 23 hours later it is over", spring, "2023-03-26T23:00:00+01:00", "", "pass listed"},
		{"25 hours: the moment before", autumn, "2023-10-28T23:59:59+02:00", "", "pass listed until 2023-10-29 00:00"},
		{"25 hours: midnight CEST", autumn, "2023-10-29T00:00:00+02:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-10-30 00:00"},
		{"25 hours: 02:30 for the first time", autumn, "2023-10-29T02:30:00+02:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-10-30 00:00"},
		{"25 hours: 02:30 for the second time", autumn, "2023-10-29T02:30:00+01:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-10-30 00:00"},
		{"25 hours: 24 hours later it is in force", autumn, "2023-10-30T00:00:00+02:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-10-30 00:00"},
		{"25 hours: the last moment, CET", autumn, "2023-10-29T23:59:59+01:00", "", "refuse nsc: tiktok:1 tiktok.com until 2023-10-30 00:00"},
		{"25 hours: midnight CET", autumn, "2023-10-30T00:00:00+01:00", "", "pass listed"},
		{"an exception to the end of the day of 25 hours, its last moment", phoneOf("2023-10-01", "2023-10-30"), "2023-10-29T23:59:59+01:00", "", "except nsc: tiktok:1 tiktok.com by x until 2023-10-30 00:00"},
		{"an exception to the end of the day of 25 hours, over", phoneOf("2023-10-01", "2023-10-30"), "2023-10-30T00:00:00+01:00", "", "refuse nsc: tiktok:1 tiktok.com"},
		{"an exception from the day of 23 hours, its first moment", phoneOf("2023-03-26", "2023-04-01"), "2023-03-26T00:00:00+01:00", "", "except nsc: tiktok:1 tiktok.com by x until 2023-04-01 00:00"},
	} {
		t.Run("2 time: "+c.row, func(t *testing.T) {
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

// brussels is the beginning of a day in Brussels.
func brussels(t *testing.T, day string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		t.Fatal(err)
	}
	return moment
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
