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

// TestWhatCoversTheQuestion: with an exception from one policy, the others are what still refuses.
func TestWhatCoversTheQuestion(t *testing.T) {
	conf := world(t)
	with(
		ban("bd", "bytedance"), advice("tip", "games"), ban("over", "games"),
		func(c *policy.Config) { c.Policies[3].Until = at("2023-05-01") },
		has("nsc", "bd", "tip", "over"),
		exceptions(
			policy.Exception{Name: "phone", Policies: []string{"nsc"}, Names: names("news.example"), Clients: prefixes("10.10.7.1/32")},
			policy.Exception{Name: "old", Names: names("news.example"), Until: at("2023-05-01")},
			policy.Exception{Name: "listed", Lists: []string{"bytedance"}},
			policy.Exception{Name: "others", Policies: []string{"nsc"}, Clients: prefixes("10.10.7.2/32")},
			policy.Exception{Name: "gone", Clients: prefixes("10.10.7.2/32"), Until: at("2023-05-01")},
			policy.Exception{Name: "court", Agency: "default", Policies: []string{"nsc"}},
		),
	)(conf)
	s := compile(t, conf)
	for _, c := range []struct{ client, question, covering, remaining, others string }{
		{"10.10.7.1", "news.example", "phone", "bd", ""},
		{"10.10.7.1", "bytedance.com", "listed", "", ""},
		{"10.10.7.1", "example.org", "", "nsc bd", ""},
		{"10.10.7.1", "tiktokcdn.com", "", "nsc bd", "others"},
		{"10.10.7.3", "tiktokcdn.com", "", "nsc bd", "phone others"},
	} {
		x := s.Explain(asker(t, s, c.client), wire(c.question), noon)
		var covering, remaining, others []string
		for _, e := range x.Covering {
			covering = append(covering, e.Name)
		}
		for _, p := range x.Remaining {
			remaining = append(remaining, p.Name)
		}
		for _, m := range x.Matches {
			for _, w := range m.Policies {
				for _, e := range w.Others {
					others = append(others, e.Name)
				}
			}
		}
		if got := strings.Join(covering, " "); got != c.covering {
			t.Errorf("%s asks %s: covered by %q, want %q", c.client, c.question, got, c.covering)
		}
		if got := strings.Join(remaining, " "); got != c.remaining {
			t.Errorf("%s asks %s: %q remain, want %q", c.client, c.question, got, c.remaining)
		}
		if got := strings.Join(others, " "); got != c.others {
			t.Errorf("%s asks %s: for other clients are %q, want %q", c.client, c.question, got, c.others)
		}
	}
}

// TestAskersOf: first whoever no exception names, also where there is no such client.
func TestAskersOf(t *testing.T) {
	conf := world(t)
	with(
		agencies(policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/30")}, policy.Agency{Name: "paper"}),
		exceptions(
			policy.Exception{Name: "all", Agency: "defence", Descendants: true},
			policy.Exception{Name: "phone", Agency: "defence", Clients: prefixes("10.10.7.0/31", "10.10.7.2/31")},
			policy.Exception{Name: "paper", Agency: "paper"},
			policy.Exception{Name: "guest", Agency: "default", Clients: prefixes("192.0.2.1/32")},
		),
	)(conf)
	s := compile(t, conf)
	var got []string
	for _, a := range s.Agencies() {
		for _, asker := range s.AskersOf(a) {
			got = append(got, describe(asker))
		}
	}
	want := "federal enforce: nsc |; defence enforce: nsc | all; defence enforce: nsc | all phone; paper enforce: nsc | paper; " +
		"default enforce: nsc |; default enforce: nsc | guest"
	if all := strings.Join(got, "; "); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
	if idle := s.Idle(); len(idle) != 1 || idle[0].Name != "paper" {
		t.Errorf("%d exceptions are idle, want paper", len(idle))
	}
}
