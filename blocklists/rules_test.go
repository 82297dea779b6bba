package blocklists_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

func TestRulesOfAList(t *testing.T) {
	t.Parallel()
	l := gather(t, "a.b.tiktok.com", "tiktok.com", "allow www.x.tiktok.com", "=capcut.com", "allow *.capcut.com",
		"192.0.2.0/24", "2001:db8::/32", "198.51.0.0/16", "allow 192.0.2.1/32")
	var got []string
	for r := range l.NameRules() {
		got = append(got, fmt.Sprintf("%s %s %s %d", r.Name, r.Self, r.Below, r.Line))
	}
	want := []string{
		"a.b.tiktok.com blocks blocks 1", "tiktok.com blocks blocks 2", "www.x.tiktok.com allows allows 3",
		"capcut.com blocks allows 4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("names: got %q, want %q", got, want)
	}
	got = nil
	for r := range l.NetworkRules() {
		got = append(got, fmt.Sprintf("%s %s %d", r.Prefix, r.Say, r.Line))
	}
	want = []string{"192.0.2.0/24 blocks 6", "192.0.2.1/32 allows 9", "198.51.0.0/16 blocks 8", "2001:db8::/32 blocks 7"}
	if !slices.Equal(got, want) {
		t.Errorf("networks: got %q, want %q", got, want)
	}
	for range l.NameRules() {
		break // leaving early must not yield again
	}
	if w := l.WidestNames(1); len(w) != 1 || w[0].Name.String() != "tiktok.com" {
		t.Errorf("widest name: %v", w)
	}
	if w := l.WidestNames(9); len(w) != 2 || w[1].Name.String() != "a.b.tiktok.com" {
		t.Errorf("widest names: %v", w)
	}
	if w := l.WidestNetworks(2); len(w) != 2 || w[0].Prefix.Bits() != 16 || w[1].Prefix.Bits() != 24 {
		t.Errorf("widest networks: %v", w)
	}
	if w := l.WidestNetworks(0); len(w) != 0 {
		t.Errorf("none of the widest networks: %v", w)
	}
}

// TestHoldsAgreesWithMatch compares on names that are near what the list has, also in front of a shared suffix.
func TestHoldsAgreesWithMatch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var texts []string
		var names []domain.Name
		for range 12 {
			var labels []string
			for range 2 + r.IntN(3) {
				labels = append(labels, vocabulary[r.IntN(len(vocabulary))])
			}
			name := strings.Join(labels, ".")
			if _, no := blocklists.Protected(domain.MustParse(name)); !no {
				texts = append(texts, []string{"", "allow ", "*.", "="}[r.IntN(4)]+name)
			}
			names = append(names, domain.MustParse(name), domain.MustParse("a."+name), domain.MustParse(name+".edgesuite.net"),
				domain.MustParse("b."+name+".c.footprint.net"))
		}
		l := gather(t, append(texts, "unrelated.invalid")...)
		s := compile(t, l)
		for i, held := range l.Holds(names...) {
			if got := s.Match(nil, []byte(names[i])); held != (len(got) == 1) {
				t.Errorf("%q: %s is held: %t, matches %v", texts, names[i], held, got)
			}
		}
	}
}

func TestPlaceOfALine(t *testing.T) {
	t.Parallel()
	l := blocklists.WithFiles(mixed(t), blocklists.File{Path: "a.txt", First: 1}, blocklists.File{Path: "b.txt", First: 11},
		blocklists.File{Path: "c.txt", First: 12})
	for line, want := range map[int]string{1: "a.txt:1", 10: "a.txt:10", 11: "b.txt:1", 12: "c.txt:1", 20: "c.txt:9"} {
		path, in := l.Place(line)
		if got := fmt.Sprintf("%s:%d", path, in); got != want {
			t.Errorf("line %d is %s, want %s", line, got, want)
		}
	}
	again, err := decode(encode(t, l))
	if err != nil || !slices.Equal(again.Files(), l.Files()) {
		t.Errorf("the compiled form has the files %v: %v", again.Files(), err)
	}
	if path, in := parse(t, 0, "tiktok.com").Place(7); path != "test.txt" || in != 7 {
		t.Errorf("line 7 of one file is %s:%d", path, in)
	}
}
