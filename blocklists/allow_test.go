package blocklists_test

import (
	"net/netip"
	"strings"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// rulesOf reads rules as "name", "*.name", "=name" or a network, behind "allow " or "cancel " for another action. Each one's line is
// its place.
func rulesOf(texts ...string) []format.Rule {
	var rules []format.Rule
	for i, text := range texts {
		r := format.Rule{Line: i + 1}
		if rest, ok := strings.CutPrefix(text, "allow "); ok {
			r.Action, text = format.Allow, rest
		} else if rest, ok := strings.CutPrefix(text, "cancel "); ok {
			r.Action, text = format.Cancel, rest
		}
		if prefix, err := netip.ParsePrefix(text); err == nil {
			r.Prefix = prefix
			rules = append(rules, r)
			continue
		}
		if rest, ok := strings.CutPrefix(text, "*."); ok {
			r.Match, text = format.Below, rest
		} else if rest, ok := strings.CutPrefix(text, "="); ok {
			r.Match, text = format.Exact, rest
		}
		r.Name = domain.MustParse(text)
		rules = append(rules, r)
	}
	return rules
}

// gather makes a list of rules as rulesOf reads them.
func gather(tb testing.TB, texts ...string) *blocklists.List {
	tb.Helper()
	l, err := blocklists.Gather(rulesOf(texts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestAllowRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules string // with commas between them
		name  string
		line  int // of the rule that blocks, 0 for none
	}{
		{"tiktok.com, allow www.tiktok.com", "tiktok.com", 1},
		{"tiktok.com, allow www.tiktok.com", "a.tiktok.com", 1},
		{"tiktok.com, allow www.tiktok.com", "www.tiktok.com", 0},
		{"tiktok.com, allow www.tiktok.com", "a.www.tiktok.com", 0},
		{"tiktok.com, allow www.tiktok.com, x.www.tiktok.com", "x.www.tiktok.com", 3},
		{"tiktok.com, allow www.tiktok.com, x.www.tiktok.com", "y.www.tiktok.com", 0},
		{"tiktok.com, allow =www.tiktok.com", "www.tiktok.com", 0},
		{"tiktok.com, allow =www.tiktok.com", "a.www.tiktok.com", 1},
		{"tiktok.com, allow *.www.tiktok.com", "www.tiktok.com", 1},
		{"tiktok.com, allow *.www.tiktok.com", "a.www.tiktok.com", 0},

		{"allow =tiktok.com, *.tiktok.com", "tiktok.com", 0}, // RPZ: x PASSTHRU, *.x CNAME .
		{"allow =tiktok.com, *.tiktok.com", "www.tiktok.com", 2},
		{"=tiktok.com, allow *.tiktok.com", "tiktok.com", 1},
		{"=tiktok.com, allow *.tiktok.com", "www.tiktok.com", 0},
		{"allow tiktok.com, tiktok.com, capcut.com", "tiktok.com", 0},
		{"tiktok.com, allow tiktok.com, capcut.com", "www.tiktok.com", 0},

		{"capcut.com, www.tiktok.com, cancel tiktok.com", "www.tiktok.com", 0},
		{"capcut.com, www.tiktok.com, allow tiktok.com", "www.tiktok.com", 2},
		{"capcut.com, www.tiktok.com, cancel =tiktok.com", "www.tiktok.com", 2},
		{"capcut.com, tiktok.com, cancel =tiktok.com", "tiktok.com", 0},
		{"capcut.com, tiktok.com, cancel =tiktok.com", "www.tiktok.com", 2},
		{"capcut.com, tiktok.com, cancel *.tiktok.com", "tiktok.com", 2},
		{"capcut.com, tiktok.com, cancel *.tiktok.com", "www.tiktok.com", 0},
		{"tiktok.com, cancel www.tiktok.com", "tiktok.com", 1},
		{"tiktok.com, cancel www.tiktok.com", "www.tiktok.com", 0},

		{"tiktok.com, allow www.tiktok.com", "www.tiktok.com.edgesuite.net", 0},
		{"tiktok.com, allow www.tiktok.com", "x.tiktok.com.edgesuite.net", 1},
		{"tiktok.com, allow tiktok.com.edgesuite.net", "www.tiktok.com.edgesuite.net", 0}, // rule 1 cancels rule 3
		{"tiktok.com, allow tiktok.com.edgesuite.net", "www.tiktok.com.edgekey.net", 1},
		{"tiktok.com, allow edgesuite.net", "www.tiktok.com.edgesuite.net", 0},
		{"tiktok.com, allow com", "www.tiktok.com", 1},
	}
	for _, tt := range tests {
		s := compile(t, gather(t, strings.Split(tt.rules, ", ")...))
		line := 0
		if got := s.Match(nil, []byte(domain.MustParse(tt.name))); len(got) > 0 {
			line = got[0].Line
		}
		if line != tt.line {
			t.Errorf("%s: %s is blocked by line %d, want %d", tt.rules, tt.name, line, tt.line)
		}
	}
}

func TestAllowRulesOfNetworks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules, addr string
		line        int
	}{
		{"192.0.2.0/24, allow 192.0.2.128/25", "192.0.2.1", 1},
		{"192.0.2.0/24, allow 192.0.2.128/25", "192.0.2.129", 0},
		{"192.0.2.0/24, allow 192.0.2.128/25, 192.0.2.129/32", "192.0.2.129", 3},
		{"192.0.2.0/24, allow 192.0.2.128/25, cancel 192.0.2.128/26", "192.0.2.200", 0},
		{"192.0.2.0/24, allow 192.0.2.0/24, 2001:db8::/32", "192.0.2.1", 0},
		{"192.0.2.129/32, allow 192.0.2.0/24", "192.0.2.129", 1},
		{"192.0.2.129/32, cancel 192.0.2.0/24, 2001:db8::/32", "192.0.2.129", 0},
		{"192.0.2.0/24, cancel 192.0.2.0/24, 2001:db8::/32", "192.0.2.129", 0},
		{"2001:db8::/32, allow 0.0.0.0/1", "2001:db8::1", 1},
	}
	for _, tt := range tests {
		s := compile(t, gather(t, strings.Split(tt.rules, ", ")...))
		line := 0
		if got := s.MatchAddr(nil, netip.MustParseAddr(tt.addr)); len(got) > 0 {
			line = got[0].Line
		}
		if line != tt.line {
			t.Errorf("%s: %s is blocked by line %d, want %d", tt.rules, tt.addr, line, tt.line)
		}
	}
}

func TestAllowRulesLiftNothingOfOtherLists(t *testing.T) {
	t.Parallel()
	s := compile(t,
		gather(t, "tiktok.com", "allow www.tiktok.com", "192.0.2.0/24", "allow 192.0.2.1/32"),
		gather(t, "tiktok.com", "192.0.2.0/24"),
		gather(t, "capcut.com", "cancel tiktok.com"),
	)
	name := domain.MustParse("www.tiktok.com")
	if got := show(name, s.Match(nil, []byte(name))); got != "1:tiktok.com@1" {
		t.Errorf("%s: got %s, want the second list alone", name, got)
	}
	if got := s.MatchAddr(nil, netip.MustParseAddr("192.0.2.1")); len(got) != 1 || got[0].List != 1 {
		t.Errorf("192.0.2.1: got %v, want the second list alone", got)
	}
}

// TestNamesBelowThatPass: who says that a blocked name does not exist says so of those below it too (RFC 8020).
func TestNamesBelowThatPass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules, name string
		exact       bool
	}{
		{"tiktok.com", "tiktok.com", false},
		{"=tiktok.com", "tiktok.com", true},
		{"=tiktok.com, *.tiktok.com", "tiktok.com", false},
		{"tiktok.com, allow a.b.tiktok.com", "tiktok.com", true},
		{"tiktok.com, allow a.b.tiktok.com", "b.tiktok.com", true},
		{"tiktok.com, allow a.b.tiktok.com", "c.tiktok.com", false},
		{"tiktok.com, allow *.b.tiktok.com", "b.tiktok.com", true},
		{"tiktok.com, allow b.tiktok.com, c.b.tiktok.com", "c.b.tiktok.com", false},
		{"tiktok.com, cancel a.b.tiktok.com", "b.tiktok.com", true},
	}
	for _, tt := range tests {
		s := compile(t, gather(t, strings.Split(tt.rules, ", ")...))
		got := s.Match(nil, []byte(domain.MustParse(tt.name)))
		if len(got) != 1 || got[0].Exact != tt.exact {
			t.Errorf("%s: %s gets %+v, want one match, exact: %t", tt.rules, tt.name, got, tt.exact)
		}
	}
}

func TestCountsOfAllowRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules                              string
		names, networks, allowed, canceled int
		skipped                            int
	}{
		{"tiktok.com, allow www.tiktok.com", 1, 0, 1, 0, 0},
		{"allow =tiktok.com, *.tiktok.com", 1, 0, 1, 0, 0},
		{"capcut.com, www.tiktok.com, a.tiktok.com, tiktok.com, cancel tiktok.com", 1, 0, 1, 3, 0},
		{"capcut.com, cancel tiktok.com, tiktok.com, www.tiktok.com", 1, 0, 1, 2, 0},
		{"tiktok.com, cancel com, cancel co.uk, allow net", 1, 0, 1, 0, 2},
		{"tiktok.com, 192.0.2.0/24, 203.0.113.0/24, cancel 192.0.2.0/24, cancel 203.0.113.0/24", 1, 0, 2, 2, 0},
		{"192.0.2.0/24, allow 128.0.0.0/1, cancel 128.0.0.0/1", 0, 1, 1, 0, 1},
	}
	for _, tt := range tests {
		l := gather(t, strings.Split(tt.rules, ", ")...)
		got := [...]int{l.Len(), l.Networks(), l.Allowed(), l.Canceled(), l.Rejected()}
		if want := [...]int{tt.names, tt.networks, tt.allowed, tt.canceled, tt.skipped}; got != want {
			t.Errorf("%s: names, networks, allowed, canceled, skipped: %v, want %v", tt.rules, got, want)
		}
	}
}

func TestListsThatBlockNothing(t *testing.T) {
	t.Parallel()
	_, err := blocklists.Gather(rulesOf("allow tiktok.com")...)
	wantError(t, "only an allow rule", err, "all of its rules allow")
	_, err = blocklists.Gather(rulesOf("www.tiktok.com", "cancel tiktok.com")...)
	wantError(t, "all is cancelled", err, "all of its rules allow")
}
