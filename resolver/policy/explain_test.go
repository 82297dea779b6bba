package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// draw writes an explanation as a tree, one line a fact.
func draw(x policy.Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", x.Asker.Agency().Name, show(x.Verdict))
	for _, m := range x.Matches {
		what := m.Addr.String()
		if m.Name != nil {
			what = string(domain.AppendText(nil, m.Name))
		}
		fmt.Fprintf(&b, "%s is on %s:%d, in answer %t, CDN %t\n", what, m.List.Name(), m.Line, m.InAnswer, m.CDN)
		for _, w := range m.Policies {
			fmt.Fprintf(&b, "  %s: %s", w.Policy.Name, w.Bearing)
			if w.Exception != nil {
				fmt.Fprintf(&b, " by %s", w.Exception.Name)
			}
			if w.Decisive {
				b.WriteString(" *")
			}
			b.WriteString("\n")
			for _, c := range w.Considered {
				fmt.Fprintf(&b, "    %s: covers %t, %s\n", c.Exception.Name, c.Covers, c.Phase)
			}
		}
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	conf := world(t)
	with(
		ban("over", "tiktok"), ban("to-come", "tiktok"), ban("foreign", "tiktok"), ban("net", "tiktok-networks"),
		func(c *policy.Config) { c.Policies[1].Until, c.Policies[2].From = at("2023-05-01"), at("2023-07-01") },
		has("nsc", "over", "to-come", "net"),
		exceptions(
			policy.Exception{Name: "old", Until: at("2023-05-01")},
			policy.Exception{Name: "new", From: at("2023-07-01"), Until: at("2023-08-01")},
			policy.Exception{Name: "named", Names: names("m.tiktok.com"), Until: at("2023-09-01")},
			policy.Exception{Name: "nets", Policies: []string{"net"}, Until: at("2023-09-01")},
		),
	)(conf)
	s := compile(t, conf)
	a := asker(t, s, "10.10.7.1")
	refused := s.Explain(a, wire("a.www.tiktok.com.edgesuite.net"), noon)
	if got, want := draw(refused), `federal: refuse nsc: tiktok:2 www.tiktok.com.edgesuite.net (CDN) until 2023-07-01 00:00
a.www.tiktok.com.edgesuite.net is on tiktok:2, in answer false, CDN true
  nsc: stands *
    old: covers true, over
    new: covers true, not yet in force
    named: covers false, in force
  over: over
  to-come: not yet in force
  foreign: of another agency
a.www.tiktok.com.edgesuite.net is on bytedance:2, in answer false, CDN true
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	chain, addrs := leadsTo("games.example", "198.51.100.7")
	question := s.Decide(a, wire("m.tiktok.com"), noon)
	answer := s.ExplainAnswer(a, question, chain, addrs, noon)
	if got, want := draw(answer), `federal: except nsc: tiktok:1 tiktok.com by named until 2023-07-01 00:00
m.tiktok.com is on tiktok:1, in answer false, CDN false
  nsc: lifted by named *
    old: covers true, over
    new: covers true, not yet in force
    named: covers true, in force
  over: over
  to-come: not yet in force
  foreign: of another agency
m.tiktok.com is on bytedance:2, in answer false, CDN false
games.example is on games:1, in answer true, CDN false
198.51.100.7 is on tiktok-networks:1, in answer true, CDN false
  net: lifted by named
    old: covers true, over
    new: covers true, not yet in force
    named: covers true, in force
    nets: covers true, in force
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
