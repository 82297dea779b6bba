package blocklists_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"weak"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// parse makes a list of lines.
func parse(tb testing.TB, f format.Format, lines ...string) *blocklists.List {
	tb.Helper()
	src := blocklists.Source{Name: "test", Format: f}
	l, err := blocklists.Parse(src, "test.txt", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func compile(tb testing.TB, lists ...*blocklists.List) *blocklists.Set {
	tb.Helper()
	s, err := blocklists.Compile(lists, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// show writes matches as "list:suffix@line", with "cdn" for rule 3, in the order of the lists.
func show(name domain.Name, matches []blocklists.Match) string {
	slices.SortFunc(matches, func(a, b blocklists.Match) int { return cmp.Compare(a.List, b.List) })
	var out []string
	for _, m := range matches {
		text := fmt.Sprintf("%d:%s@%d", m.List, name[m.Start:m.End]+domain.Root, m.Line)
		if m.CDN {
			text += " cdn"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestMatchOneRule(t *testing.T) {
	tests := []struct {
		rule, name string
		want       bool
	}{
		{"tiktok.com", "tiktok.com", true},
		{"tiktok.com", "www.tiktok.com", true},
		{"tiktok.com", "a.b.c.tiktok.com", true},
		{"tiktok.com", "nottiktok.com", false},
		{"tiktok.com", "not-tiktok.com", false},
		{"tiktok.com", "tiktok.com.example.org", false},
		{"tiktok.com", "com", false},
		{"tiktok.com", ".", false},
		{"tiktok.com", "tiktok.co", false},
		{"tiktok.com", `www\.tiktok.com`, false}, // one label with a dot in it
		{"www.tiktok.com", "tiktok.com", false},
		{"*.tiktok.com", "tiktok.com", false},
		{"*.tiktok.com", "www.tiktok.com", true},
		{"*.tiktok.com", "a.b.tiktok.com", true},
		{"=tiktok.com", "tiktok.com", true},
		{"=tiktok.com", "www.tiktok.com", false},

		{"tiktok.com", "tiktok.com.edgesuite.net", true},
		{"tiktok.com", "www.tiktok.com.edgesuite.net", true},
		{"tiktok.com", "nottiktok.com.edgesuite.net", false},
		{"tiktok.com", "www.tiktok.com.c.footprint.net", true},
		{"tiktok.com", "www.tiktok.com.x.footprint.net", false},
		{"tiktok.com", "www.tiktok.com.c.c.footprint.net", false},
		{"tiktok.com", "tiktok.com.cdn.cloudflare.net", true},
		{"tiktok.com", "tiktok.com.edgesuite.net.akamai.net", false}, // not split twice
		{"tiktok.com", "edgesuite.net", false},
		{"tiktok.com", "c.footprint.net", false},
		{"tiktok.com", "tiktok.edgesuite.net", false},
		{"*.tiktok.com", "tiktok.com.edgesuite.net", false},
		{"*.tiktok.com", "www.tiktok.com.edgesuite.net", true},
		{"=tiktok.com", "tiktok.com.edgesuite.net", true},
		{"=tiktok.com", "tiktok.com.c.footprint.net", true},
		{"=tiktok.com", "www.tiktok.com.edgesuite.net", false},
		{"muscdn.com.akamaized.net", "a.muscdn.com.akamaized.net", true},
		{"muscdn.com.akamaized.net", "b.akamaized.net", false},
	}
	for _, tt := range tests {
		s := compile(t, parse(t, format.Names, tt.rule))
		if got := s.Match(nil, []byte(domain.MustParse(tt.name))); (len(got) == 1) != tt.want || len(got) > 1 {
			t.Errorf("rule %s, name %s: matches %v, want a match: %t", tt.rule, tt.name, got, tt.want)
		}
	}
}

func TestMatchReports(t *testing.T) {
	s := compile(t,
		parse(t, format.Names, "tiktok.com", "# comment", "www.tiktok.com", "muscdn.com"),
		parse(t, format.Names, "tiktok.com", "*.www.tiktok.com", "muscdn.com.edgesuite.net"),
		parse(t, format.Names, "capcut.com"),
		parse(t, format.Hosts, "0.0.0.0 example.com", "0.0.0.0 tiktok.com"),
	)
	tests := []struct{ name, want string }{
		{"tiktok.com", "0:tiktok.com@1, 1:tiktok.com@1, 3:tiktok.com@2"},
		{"www.tiktok.com", "0:www.tiktok.com@3, 1:tiktok.com@1, 3:tiktok.com@2"},
		{"a.www.tiktok.com", "0:www.tiktok.com@3, 1:www.tiktok.com@2, 3:tiktok.com@2"},
		{"x.capcut.com", "2:capcut.com@1"},
		{"example.org", ""},
		{"a.muscdn.com.edgesuite.net", "0:muscdn.com@4 cdn, 1:muscdn.com.edgesuite.net@3"},
		{"a.www.tiktok.com.edgekey.net", "0:www.tiktok.com@3 cdn, 1:www.tiktok.com@2 cdn, 3:tiktok.com@2 cdn"},
		{"www.tiktok.com.c.footprint.net", "0:www.tiktok.com@3 cdn, 1:tiktok.com@1 cdn, 3:tiktok.com@2 cdn"},
	}
	for _, tt := range tests {
		name := domain.MustParse(tt.name)
		if got := show(name, s.Match(nil, []byte(name))); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMatchKeepsWhatStandsInDst(t *testing.T) {
	s := compile(t, parse(t, format.Names, "tiktok.com"))
	before := []blocklists.Match{{List: 0, Start: 99, Line: 99}}
	got := s.Match(before, []byte(domain.MustParse("www.tiktok.com")))
	if want := []blocklists.Match{before[0], {List: 0, Start: 4, End: 15, Line: 1}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTwoRulesForOneName(t *testing.T) {
	tests := []struct {
		lines       []string
		self, under int // line of the match of tiktok.com and www.tiktok.com, 0 for none
	}{
		{[]string{"tiktok.com", "tiktok.com"}, 1, 1},
		{[]string{"tiktok.com", "=tiktok.com"}, 1, 1},
		{[]string{"=tiktok.com", "tiktok.com"}, 2, 2},
		{[]string{"*.tiktok.com", "TikTok.com."}, 2, 2},
		{[]string{"=tiktok.com", "*.tiktok.com"}, 2, 2},
		{[]string{"*.tiktok.com", "=tiktok.com"}, 2, 2},
		{[]string{"*.tiktok.com", "*.tiktok.com"}, 0, 1},
	}
	for _, tt := range tests {
		l := parse(t, format.Names, tt.lines...)
		if l.Len() != 1 {
			t.Errorf("%v: %d names, want 1", tt.lines, l.Len())
		}
		s := compile(t, l)
		for name, want := range map[string]int{"tiktok.com": tt.self, "www.tiktok.com": tt.under} {
			line := 0
			if got := s.Match(nil, []byte(domain.MustParse(name))); len(got) > 0 {
				line = got[0].Line
			}
			if line != want {
				t.Errorf("%v: %s is matched by line %d, want %d", tt.lines, name, line, want)
			}
		}
	}
}

func TestMatchTakesAnyOctets(t *testing.T) {
	s := compile(t, parse(t, format.Names, "tiktok.com"))
	long := bytes.Repeat([]byte{1, 'a'}, 127)
	for _, name := range [][]byte{
		nil,
		{},
		{0},
		{0, 0},
		{1},
		{64, 0},
		{0xC0, 0},
		{255},
		{3, 'c', 'o', 'm'},
		{6, 't', 'i', 'k'},
		[]byte("\x06tiktok\x03com\x00\x00"), []byte("\x06tiktok\x03com"), []byte("\x06TIKTOK\x03com\x00"),
		long, append(slices.Clone(long), 1, 0), append(long, 2, 'a', 'b', 0), bytes.Repeat([]byte{1}, 4096),
	} {
		if got := s.Match(nil, name); len(got) != 0 {
			t.Errorf("%q: got %v, want nothing", name, got)
		}
	}
	deep := append(bytes.Repeat([]byte{1, 'a'}, 121), "\x06tiktok\x03com\x00"...)
	if got := s.Match(nil, deep[len(deep)-254:]); len(got) != 1 {
		t.Errorf("the deepest name below tiktok.com: got %v, want one match", got)
	}
}

func TestZeroSetMatchesNothing(t *testing.T) {
	for _, s := range []*blocklists.Set{new(blocklists.Set), compile(t)} {
		for _, name := range []string{".", "com", "www.tiktok.com", "a.edgesuite.net"} {
			if got := s.Match(nil, []byte(domain.MustParse(name))); len(got) != 0 {
				t.Errorf("%s: got %v, want nothing", name, got)
			}
		}
		if got := s.MatchAddr(nil, netip.MustParseAddr("192.0.2.1")); len(got) != 0 {
			t.Errorf("192.0.2.1: got %v, want nothing", got)
		}
	}
}

func TestManyListsWithTheSameNames(t *testing.T) {
	var lines []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("name%d.example.com", i))
	}
	lists := slices.Repeat([]*blocklists.List{parse(t, format.Names, lines...)}, 100)
	s := compile(t, lists...)
	got := s.Match(nil, []byte(domain.MustParse("www.name7.example.com")))
	for i, m := range got {
		if m != (blocklists.Match{List: i, Start: 4, End: 22, Line: 8}) {
			t.Fatalf("match %d is %v", i, m)
		}
	}
	if len(got) != 100 || s.Names() != 30000 {
		t.Errorf("%d matches of %d names, want 100 of 30000", len(got), s.Names())
	}
}

func TestCompileTooManyLists(t *testing.T) {
	l := parse(t, format.Names, "tiktok.com")
	s := compile(t, slices.Repeat([]*blocklists.List{l}, blocklists.MaxLists)...)
	if got := s.Match(nil, []byte(domain.MustParse("tiktok.com"))); len(got) != blocklists.MaxLists {
		t.Errorf("got %d matches, want %d", len(got), blocklists.MaxLists)
	}
	_, err := blocklists.Compile(slices.Repeat([]*blocklists.List{l}, blocklists.MaxLists+1), nil)
	if err == nil || !strings.Contains(err.Error(), "4096, at most 4095") {
		t.Errorf("one list too many: got %v", err)
	}
}

func TestCompileOfTheSameLists(t *testing.T) {
	t.Parallel()
	a, b := parse(t, format.Names, "tiktok.com"), parse(t, format.Names, "capcut.com")
	compileAfter := func(before *blocklists.Set, lists ...*blocklists.List) *blocklists.Set {
		s, err := blocklists.Compile(lists, before)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := compileAfter(nil, a, b)
	if compileAfter(first, a, b) != first {
		t.Error("the same lists make another set")
	}
	for what, lists := range map[string][]*blocklists.List{
		"another order": {b, a}, "one fewer": {a}, "one more": {a, b, a}, "one read again": {a, parse(t, format.Names, "capcut.com")},
	} {
		if compileAfter(first, lists...) == first {
			t.Errorf("%s: the same set", what)
		}
	}
}

// TestSetBeforeIsFreed: the new set shares lists with the one before, and nothing else.
func TestSetBeforeIsFreed(t *testing.T) {
	kept := parse(t, format.Names, "tiktok.com")
	before := compile(t, kept, parse(t, format.Names, "capcut.com"))
	old := weak.Make(before)
	after, err := blocklists.Compile([]*blocklists.List{kept}, before)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if old.Value() != nil {
		t.Error("the set before is still there")
	}
	runtime.KeepAlive(after)
}

func TestMatchAddr(t *testing.T) {
	s := compile(t,
		parse(t, format.Networks, "192.0.2.0/24", "192.0.2.128/25", "2001:db8::/32"),
		parse(t, format.Networks, "203.0.113.0/24", "192.0.2.0/24", "192.0.2.0/24"),
		parse(t, format.Names, "tiktok.com"),
		parse(t, format.Networks, "192.0.2.129"),
	)
	if s.Networks() != 6 {
		t.Errorf("%d networks, want 6", s.Networks())
	}
	tests := []struct{ addr, want string }{
		{"192.0.2.1", "0@1 1@2"},
		{"192.0.2.128", "0@2 1@2"},
		{"192.0.2.129", "0@2 1@2 3@1"},
		{"::ffff:192.0.2.1", "0@1 1@2"},
		{"203.0.113.9", "1@1"},
		{"198.51.100.1", ""},
		{"2001:db8:1::1", "0@3"},
		{"2001:db9::1", ""},
		{"fe80::1%eth0", ""},
	}
	for _, tt := range tests {
		var got []string
		matches := s.MatchAddr(nil, netip.MustParseAddr(tt.addr))
		slices.SortFunc(matches, func(a, b blocklists.Match) int { return cmp.Compare(a.List, b.List) })
		for _, m := range matches {
			got = append(got, fmt.Sprintf("%d@%d", m.List, m.Line))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.addr, got, tt.want)
		}
	}
	if got := s.MatchAddr(nil, netip.Addr{}); len(got) != 0 {
		t.Errorf("no address: got %v, want nothing", got)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	lists := []*blocklists.List{
		parse(t, format.Names, "tiktok.com", "www.tiktok.com", "*.capcut.com"), parse(t, format.Names, "tiktok.com"),
		parse(t, format.Networks, "192.0.2.0/24", "192.0.2.0/25"),
		gather(t, "tiktok.com", "allow www.tiktok.com", "192.0.2.0/24", "allow 192.0.2.1/32"),
	}
	s := compile(t, lists...)
	var names [][]byte
	for _, text := range []string{
		"a.www.tiktok.com", "www.example.org", "www.tiktok.com.c.footprint.net", "example.edgesuite.net",
	} {
		names = append(names, []byte(domain.MustParse(text)))
	}
	addr := netip.MustParseAddr("192.0.2.1")
	dst := make([]blocklists.Match, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		for _, name := range names {
			dst = s.Match(dst[:0], name)
		}
		dst = s.MatchAddr(dst[:0], addr)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestLookupsAtTheSameTime(t *testing.T) {
	s := compile(t, parse(t, format.Names, "tiktok.com", "capcut.com"), parse(t, format.Networks, "192.0.2.0/24"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if len(s.Match(nil, []byte(domain.MustParse("www.tiktok.com.edgesuite.net")))) != 1 ||
					len(s.MatchAddr(nil, netip.MustParseAddr("192.0.2.1"))) != 1 {
					t.Error("a lookup missed")
				}
			}
		})
	}
	wg.Wait()
}
