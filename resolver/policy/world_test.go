package policy_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/resolver/policy"
)

// world is the policy that most cases start from. The agency federal has one ban, nsc, of one list, tiktok. Nobody bans the list
// games. A case adds what it is about.
func world(t testing.TB) *policy.Config {
	return &policy.Config{
		ID: 1,
		Lists: []*blocklists.List{
			list(t, "tiktok", "tiktok.com", "www.tiktok.com", "tiktokcdn.com"),
			list(t, "bytedance", "bytedance.com", "tiktok.com", "*.capcut.com"),
			list(t, "games", "games.example"),
			networks(t, "tiktok-networks", "198.51.100.0/24", "2001:db8:bad::/48"),
		},
		Policies: []policy.Policy{
			{Name: "nsc", Lists: []string{"tiktok"}},
		},
		Agencies: []policy.Agency{
			{Name: "federal", Networks: prefixes("10.10.0.0/16", "2001:db8:10::/48"), Policies: []string{"nsc"}},
		},
	}
}

func list(t testing.TB, name string, lines ...string) *blocklists.List {
	t.Helper()
	return load(t, blocklists.Source{Name: name, Format: format.Names, Inline: lines})
}

func networks(t testing.TB, name string, lines ...string) *blocklists.List {
	t.Helper()
	return load(t, blocklists.Source{Name: name, Format: format.Networks, Inline: lines})
}

func load(t testing.TB, src blocklists.Source) *blocklists.List {
	t.Helper()
	l, err := blocklists.Load(context.Background(), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func compile(t testing.TB, c *policy.Config) *policy.Snapshot {
	t.Helper()
	s, err := policy.Compile(*c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func names(texts ...string) []domain.Name {
	var all []domain.Name
	for _, text := range texts {
		all = append(all, domain.MustParse(text))
	}
	return all
}

func wire(text string) []byte { return []byte(domain.MustParse(text)) }

// at reads "2006-01-02 15:04[:05]" as UTC, and RFC 3339.
func at(text string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05.999999999", time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	panic("no time: " + text)
}

// never is an end that no case reaches.
var never = at("2099-01-01")

// noon is the moment of the cases that are not about time.
var noon = policy.Instant{Now: at("2023-06-01 12:00"), HighWater: at("2023-06-01 12:00")}

// asker returns who asks from addr.
func asker(t testing.TB, s *policy.Snapshot, addr string) *policy.Asker {
	t.Helper()
	a, _ := s.Asker(netip.MustParseAddr(addr))
	if a == nil {
		t.Fatalf("nobody asks from %s", addr)
	}
	return a
}

// show writes a verdict in one line, for example "refuse nsc: tiktok:1 tiktok.com".
func show(v policy.Verdict) string {
	var b strings.Builder
	b.WriteString(v.Action.String())
	if v.Policy != nil {
		fmt.Fprintf(&b, " %s: %s:%d", v.Policy.Name, v.List, v.Line)
	} else if v.Listed {
		b.WriteString(" listed")
	}
	if rule := v.Rule(); rule != nil {
		b.WriteString(" " + string(domain.AppendText(nil, rule)))
	}
	if v.CDN {
		b.WriteString(" (CDN)")
	}
	if v.Exception != nil {
		b.WriteString(" by " + v.Exception.Name)
	}
	if v.InAnswer && v.Name != nil {
		b.WriteString(" in " + string(domain.AppendText(nil, v.Name)))
	}
	if v.InAnswer && v.Name == nil {
		b.WriteString(" in " + v.Addr.String())
	}
	if !v.Boundary.IsZero() {
		b.WriteString(" until " + v.Boundary.Format("2006-01-02 15:04"))
	}
	return b.String()
}

// checkExplanation holds an explanation against the verdict that the query got.
func checkExplanation(t testing.TB, x policy.Explanation, v policy.Verdict) {
	t.Helper()
	if got, want := show(x.Verdict), show(v); got != want {
		t.Errorf("explained as %q, decided %q", got, want)
	}
	if (len(x.Matches) > 0) != v.Listed {
		t.Errorf("%d matches explained, listed: %t", len(x.Matches), v.Listed)
	}
	decisive := 0
	for _, m := range x.Matches {
		for _, w := range m.Policies {
			checkWeighed(t, w)
			if !m.InAnswer {
				checkCover(t, x, w)
			}
			if !w.Decisive {
				continue
			}
			decisive++
			want := policy.Stands
			if v.Action == policy.Except {
				want = policy.Lifted
			}
			if w.Policy != v.Policy || w.Bearing != want || w.Exception != v.Exception || m.List.Name() != v.List ||
				m.Line != v.Line || !bytes.Equal(m.Rule, v.Rule()) || m.InAnswer != v.InAnswer {
				t.Errorf("decisive is %s of %s by list %s, the verdict is %q", w.Bearing, w.Policy.Name, m.List.Name(), show(v))
			}
		}
	}
	if (decisive > 0) != (v.Policy != nil) {
		t.Errorf("%d decisive policies explained for %q", decisive, show(v))
	}
}

// checkCover: what lifts a policy for the question covers the question, and that policy doesn't remain.
func checkCover(t testing.TB, x policy.Explanation, w policy.Weighed) {
	t.Helper()
	lifted := w.Bearing == policy.Lifted
	if lifted && !slices.Contains(x.Covering, w.Exception) {
		t.Errorf("%s lifts %s and doesn't cover the question", w.Exception.Name, w.Policy.Name)
	}
	if remains := slices.Contains(x.Remaining, w.Policy); remains && w.Bearing != policy.Stands {
		t.Errorf("%s: %s, and it remains", w.Policy.Name, w.Bearing)
	}
	for _, other := range w.Others {
		if slices.Contains(x.Asker.Exceptions(), other) || w.Bearing != policy.Stands {
			t.Errorf("%s is said to be for other clients", other.Name)
		}
	}
}

// checkWeighed: what lifts a policy is the first exception that covers the match and is in force.
func checkWeighed(t testing.TB, w policy.Weighed) {
	t.Helper()
	var lifts *policy.Exception
	for _, c := range w.Considered {
		if lifts == nil && c.Covers && c.Phase == policy.InForce {
			lifts = c.Exception
		}
	}
	if lifts != w.Exception || (lifts != nil) != (w.Bearing == policy.Lifted) {
		t.Errorf("%s %s by %v, of those considered %v lifts it", w.Policy.Name, w.Bearing, w.Exception, lifts)
	}
}
