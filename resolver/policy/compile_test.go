package policy_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// describe writes an asker as "agency mode: policies | exceptions".
func describe(a *policy.Asker) string {
	var b strings.Builder
	b.WriteString(a.Agency().Name + " " + a.Agency().Mode.String() + ":")
	for _, p := range a.Policies() {
		b.WriteString(" " + p.Name)
	}
	b.WriteString(" |")
	for _, e := range a.Exceptions() {
		b.WriteString(" " + e.Name)
	}
	return b.String()
}

func TestAsker(t *testing.T) {
	conf := world(t)
	with(
		ban("bd", "bytedance"),
		advice("tip", "games"),
		agencies(
			policy.Agency{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24", "2001:db8:10:7::/64"), Policies: []string{"tip"}},
			policy.Agency{Name: "press", Parent: "defence", Networks: prefixes("10.10.7.64/26"), Mode: policy.ObserveOnly},
			policy.Agency{Name: "court", Networks: prefixes("10.10.200.0/24", "192.0.2.0/25"), Mode: policy.Off},
			policy.Agency{Name: "clerks", Parent: "court"},
		),
		exceptions(
			policy.Exception{Name: "phone", Agency: "defence", Clients: prefixes("10.10.7.40/30", "10.10.7.42/32", "10.10.7.65/32")},
			policy.Exception{Name: "wide", Clients: prefixes("10.10.0.0/16"), Descendants: true},
			policy.Exception{Name: "all-press", Agency: "press"},
			policy.Exception{Name: "idle", Clients: prefixes("10.10.200.0/28")},
			policy.Exception{Name: "elsewhere", Agency: "default", Clients: prefixes("198.51.100.0/28")},
			policy.Exception{Name: "paper", Agency: "clerks"},
		),
	)(conf)
	conf.Allowed = prefixes("198.51.100.0/24", "10.0.0.0/8")
	s := compile(t, conf)
	for _, c := range []struct {
		client  string
		want    string
		allowed bool
	}{
		{"10.10.8.1", "federal enforce: nsc | wide", true},
		{"2001:db8:10::1", "federal enforce: nsc |", true},
		{"10.10.7.1", "defence enforce: nsc tip | wide", true},
		{"2001:db8:10:7::1", "defence enforce: nsc tip |", true},
		{"2001:db8:10:7::1%eth0", "defence enforce: nsc tip |", true},
		{"10.10.7.42", "defence enforce: nsc tip | phone wide", true},
		{"::ffff:10.10.7.42", "defence enforce: nsc tip | phone wide", true},
		{"10.10.7.64", "press observe: nsc tip | wide all-press", true},
		{"10.10.7.65", "press observe: nsc tip | wide all-press", true},
		{"10.10.200.1", "court off: nsc bd |", true},
		{"10.10.200.99", "court off: nsc bd |", true},
		{"192.0.2.127", "court off: nsc bd |", true},
		{"192.0.2.128", "default enforce: nsc bd |", false},
		{"10.11.0.1", "default enforce: nsc bd |", true},
		{"198.51.100.1", "default enforce: nsc bd | elsewhere", true},
		{"198.51.100.99", "default enforce: nsc bd |", true},
		{"2001:db8:11::1", "default enforce: nsc bd |", false},
	} {
		a, allowed := s.Asker(netip.MustParseAddr(c.client))
		if got := describe(a); got != c.want || allowed != c.allowed {
			t.Errorf("%s:\n got %s, allowed %t\nwant %s, allowed %t", c.client, got, allowed, c.want, c.allowed)
		}
	}
	if a, allowed := s.Asker(netip.Addr{}); allowed || a.Agency().Name != policy.DefaultAgency {
		t.Errorf("the zero address asks for %s, allowed %t; want default, not allowed", a.Agency().Name, allowed)
	}
	one, _ := s.Asker(netip.MustParseAddr("10.10.200.99"))
	if two, _ := s.Asker(netip.MustParseAddr("192.0.2.1")); one != two {
		t.Error("two networks of one agency lead to two askers, want one")
	}
	var idle []string
	for _, e := range s.Idle() {
		idle = append(idle, e.Name)
	}
	if got := strings.Join(idle, " "); got != "idle paper" {
		t.Errorf("idle exceptions %q, want idle and paper", got)
	}
}

func TestExceptionClientsMayNotAsk(t *testing.T) {
	conf := world(t)
	exceptions(policy.Exception{Name: "x", Agency: "default", Clients: prefixes("192.0.2.1/32")})(conf)
	if _, allowed := compile(t, conf).Asker(netip.MustParseAddr("192.0.2.1")); allowed {
		t.Error("a client that only an exception names is allowed, want only those of agencies and allowed networks")
	}
}

// TestManyPolicies: one policy after another, past the first word of a selection.
func TestManyPolicies(t *testing.T) {
	conf := world(t)
	has()(conf)
	for i := range 130 {
		ban(fmt.Sprintf("p%d", i), "games")(conf)
	}
	exceptions(policy.Exception{Name: "x", Policies: []string{"p0", "p1", "p65"}})(conf)
	s := compile(t, conf)
	a := asker(t, s, "10.10.7.1")
	var lifted []string
	for _, w := range s.Explain(a, wire("games.example"), noon).Matches[0].Policies {
		if w.Bearing == policy.Lifted {
			lifted = append(lifted, w.Policy.Name)
		}
	}
	if got := strings.Join(lifted, " "); got != "p0 p1 p65" {
		t.Errorf("lifted %s, want p0 p1 p65", got)
	}
	if v := s.Decide(a, wire("games.example"), noon); v.Policy.Name != "p2" {
		t.Errorf("%s, want p2 as the reason", show(v))
	}
}

func TestIndexes(t *testing.T) {
	conf := world(t)
	with(ban("bd", "bytedance"), exceptions(policy.Exception{Name: "x"}, policy.Exception{Name: "y"}),
		agencies(policy.Agency{Name: "court"}))(conf)
	conf.Hash, conf.ID = "abc", 7
	s := compile(t, conf)
	if s.ID() != 7 || s.Hash() != "abc" || s.Set().Names() != 7 {
		t.Errorf("snapshot %d, %s with %d names", s.ID(), s.Hash(), s.Set().Names())
	}
	var got []string
	for i, p := range s.Policies() {
		if p.Index != i {
			t.Errorf("policy %s has index %d, want %d", p.Name, p.Index, i)
		}
		got = append(got, p.Name)
	}
	for i, a := range s.Agencies() {
		if a.Index != i {
			t.Errorf("agency %s has index %d, want %d", a.Name, a.Index, i)
		}
		got = append(got, a.Name)
	}
	for i, e := range s.Exceptions() {
		if e.Index != i {
			t.Errorf("exception %s has index %d, want %d", e.Name, e.Index, i)
		}
		got = append(got, e.Name)
	}
	if all := strings.Join(got, " "); all != "nsc bd federal court default x y" {
		t.Errorf("got %s", all)
	}
}

func TestDefaultEDE(t *testing.T) {
	for _, c := range []struct {
		answer policy.Mode
		ede    uint16
		want   uint16
	}{
		{policy.NXDomain, 0, 15},
		{policy.NoData, 0, 15},
		{policy.Refused, 0, 15},
		{policy.NullIP, 0, 4},
		{policy.NXDomain, 16, 16},
		{policy.NullIP, 15, 15},
	} {
		conf := world(t)
		conf.Policies[0].Answer, conf.Policies[0].EDE = c.answer, c.ede
		if got := compile(t, conf).Policies()[0].EDE; got != c.want {
			t.Errorf("%s with EDE %d: %d, want %d", c.answer, c.ede, got, c.want)
		}
	}
}

func TestWhatAnAgencyInherits(t *testing.T) {
	conf := world(t)
	with(
		federal(func(a *policy.Agency) { a.Language, a.Contact = "fr", "mailto:dns@ict.example" }),
		agencies(
			policy.Agency{Name: "defence", Parent: "federal", Language: "nl"},
			policy.Agency{Name: "navy", Parent: "defence", Contact: "tel:+3225550100"},
			policy.Agency{Name: "port", Parent: "navy"},
			policy.Agency{Name: "court", Language: "de"},
		),
	)(conf)
	want := map[string]string{
		"federal": "fr mailto:dns@ict.example",
		"defence": "nl mailto:dns@ict.example",
		"navy":    "nl tel:+3225550100",
		"port":    "nl tel:+3225550100",
		"court":   "de ",
		"default": " ",
	}
	for _, a := range compile(t, conf).Agencies() {
		if got := a.Language + " " + a.Contact; got != want[a.Name] {
			t.Errorf("%s has %q, want %q", a.Name, got, want[a.Name])
		}
	}
}

func TestCompileLeavesItsConfigAlone(t *testing.T) {
	conf := world(t)
	conf.Agencies = append(conf.Agencies, policy.Agency{Name: "court"})
	conf.Policies = append(conf.Policies, policy.Policy{Name: "b", Lists: []string{"games"}})
	compile(t, conf)
	if conf.Agencies[1].Mode != policy.Inherit || conf.Policies[1].Index != 0 || conf.Policies[1].EDE != 0 {
		t.Errorf("changed to %+v and %+v", conf.Agencies[1], conf.Policies[1])
	}
}

func TestCompileFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		change change
		want   string
	}{
		{"no ID", func(c *policy.Config) { c.ID = 0 }, "snapshot ID 0"},
		{"a list twice", func(c *policy.Config) { c.Lists = append(c.Lists, c.Lists[0]) }, `list "tiktok" twice`},
		{"a policy twice", ban("nsc", "games"), `policy "nsc" twice`},
		{"a policy without a name", ban("", "games"), `policy number 2 without a name`},
		{"a policy without lists", ban("x"), `policy "x": found no lists`},
		{"a policy of an unknown list", ban("x", "nolist"), `policy "x": found list "nolist", which there is not`},
		{"a policy that ends before it starts", func(c *policy.Config) {
			c.Policies[0].From, c.Policies[0].Until = at("2023-03-10"), at("2023-03-10")
		}, `policy "nsc": found the end 2023-03-10T00:00:00Z not after the start`},
		{"an unknown answer", func(c *policy.Config) { c.Policies[0].Answer = 9 }, "answer mode 9"},
		{"an agency twice", agencies(policy.Agency{Name: "federal"}), `agency "federal" twice`},
		{"an unknown parent", agencies(policy.Agency{Name: "a", Parent: "b"}), `parent of agency "a": found agency "b", which there is not`},
		{"its own parent", agencies(policy.Agency{Name: "a", Parent: "a"}), `agency "a": its parents lead in a circle`},
		{"a circle of parents", agencies(policy.Agency{Name: "a", Parent: "b"}, policy.Agency{Name: "b", Parent: "c"}, policy.Agency{Name: "c", Parent: "b"}), "in a circle"},
		{"an unknown policy", agencies(policy.Agency{Name: "a", Policies: []string{"p"}}), `agency "a": found policy "p", which there is not`},
		{"a policy within an agency that there is not", func(c *policy.Config) { c.Policies[0].Within = "a" }, `policy "nsc" is within an agency: found agency "a", which there is not`},
		{"a policy within another agency", with(agencies(policy.Agency{Name: "a"}), func(c *policy.Config) { c.Policies[0].Within = "a" }), `agency "federal": found policy "nsc", which is within "a"`},
		{"a policy within an agency below", with(agencies(policy.Agency{Name: "a", Parent: "federal"}), func(c *policy.Config) { c.Policies[0].Within = "a" }), `agency "federal": found policy "nsc", which is within "a"`},
		{"a policy of default within another agency", with(agencies(policy.Agency{Name: "default", Policies: []string{"nsc"}}), func(c *policy.Config) { c.Policies[0].Within = "federal" }), `agency "default": found policy "nsc", which is within "federal"`},
		{"an unknown mode", agencies(policy.Agency{Name: "a", Mode: 9}), `agency "a": found mode 9`},
		{"a network of two agencies", agencies(policy.Agency{Name: "a", Networks: prefixes("10.10.0.0/16")}), `agency "a": found network 10.10.0.0/16, which agency "federal" has`},
		{"a network of two agencies, once mapped", agencies(policy.Agency{Name: "a", Networks: prefixes("::ffff:10.10.0.0/112")}), `which agency "federal" has`},
		{"host bits in an agency", agencies(policy.Agency{Name: "a", Networks: prefixes("192.0.2.1/24")}), `agency "a": 192.0.2.1/24 has host bits set`},
		{"host bits in allowed", func(c *policy.Config) { c.Allowed = prefixes("192.0.2.1/24") }, "allowed clients: 192.0.2.1/24 has host bits set"},
		{"an exception twice", exceptions(policy.Exception{Name: "x"}, policy.Exception{Name: "x"}), `exception "x" twice`},
		{"an exception of no agency", exceptions(policy.Exception{Name: "x", Agency: "a"}), `exception "x": found agency "a", which there is not`},
		{"an exception of no policy", exceptions(policy.Exception{Name: "x", Policies: []string{"p"}}), `exception "x": found policy "p"`},
		{"an exception of no list", exceptions(policy.Exception{Name: "x", Lists: []string{"l"}}), `exception "x": found list "l"`},
		{"an exception without end", func(c *policy.Config) {
			c.Exceptions = []policy.Exception{{Name: "x", Agency: "federal"}}
		}, `exception "x": found no end`},
		{"an exception that ends before it starts", exceptions(policy.Exception{Name: "x", From: at("2023-05-01"), Until: at("2023-04-01")}), "not after the start"},
		{"an exception of the root", exceptions(policy.Exception{Name: "x", Names: []domain.Name{domain.Root}}), "want a name below the root"},
		{"an exception of no name", exceptions(policy.Exception{Name: "x", Names: []domain.Name{""}}), "want a name below the root"},
		{"host bits in an exception", exceptions(policy.Exception{Name: "x", Clients: prefixes("10.10.7.1/24")}), `exception "x": 10.10.7.1/24 has host bits set`},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := world(t)
			c.change(conf)
			s, err := policy.Compile(*conf)
			if err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestAnEmptyPolicyBansNothing(t *testing.T) {
	s := compile(t, &policy.Config{ID: 1})
	a, allowed := s.Asker(netip.MustParseAddr("192.0.2.1"))
	if v := s.Decide(a, wire("tiktok.com"), noon); v.Action != policy.Pass || v.Listed || allowed {
		t.Errorf("%s, allowed %t; want pass, not allowed", show(v), allowed)
	}
}

func TestChanges(t *testing.T) {
	conf := world(t)
	conf.Policies[0].From, conf.Policies[0].Until = at("2023-03-10"), at("2023-09-10")
	exceptions(
		policy.Exception{Name: "x", From: at("2023-04-01"), Until: at("2023-05-01")},
		policy.Exception{Name: "y", Until: at("2023-09-10")},
	)(conf)
	s := compile(t, conf)
	show := func(changes []policy.Change) string {
		var all []string
		for _, c := range changes {
			text := c.At.Format(time.DateOnly)
			if c.Policy != nil {
				text += " " + c.Policy.Name
			} else {
				text += " " + c.Exception.Name
			}
			if c.Starts {
				text += " starts"
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	nextChange := func(now time.Time) time.Time {
		if coming := s.Changes(now, now.AddDate(100, 0, 0)); len(coming) > 0 {
			return coming[0].At
		}
		return time.Time{}
	}
	for _, c := range []struct{ now, next, changes string }{
		{"2023-01-01", "2023-03-10", "2023-03-10 nsc starts"},
		{"2023-03-10", "2023-04-01", "2023-04-01 x starts"},
		{"2023-04-30 23:59", "2023-05-01", "2023-05-01 x"},
		{"2023-05-01", "2023-09-10", "2023-09-10 nsc, 2023-09-10 y"},
	} {
		next := nextChange(at(c.now))
		if !next.Equal(at(c.next)) {
			t.Errorf("after %s: %s, want %s", c.now, next, c.next)
		}
		if got := show(s.Changes(at(c.now), next)); got != c.changes {
			t.Errorf("after %s: %s; want %s", c.now, got, c.changes)
		}
	}
	if next := nextChange(at("2023-09-10")); !next.IsZero() {
		t.Errorf("after the last: %s, want none", next)
	}
	if got := show(s.Changes(at("2023-03-10"), at("2023-05-01"))); got != "2023-04-01 x starts, 2023-05-01 x" {
		t.Errorf("in spring: %s", got)
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		policy.NullIP.String():          "null-ip",
		policy.Mode(4).String():         "?",
		policy.Off.String():             "off",
		policy.Except.String():          "except",
		policy.OfAnotherAgency.String(): "of another agency",
		policy.Over.String():            "over",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
