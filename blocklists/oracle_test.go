package blocklists_test

import (
	"slices"
	"strings"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// vocabulary makes names that are often related to each other and to the shared suffixes.
var vocabulary = []string{
	"a", "b", "aa", "tiktok", "nottiktok", "longer-than-eight", "com", "net",
	"org", "example", "edgesuite", "cdn", "cloudflare", "c", "w", "footprint",
}

// words reads labels out of fuzz input: the low half of each octet is a label, its top bit ends the name.
func words(data []byte) (name []string, rest []byte) {
	for i, c := range data {
		name = append(name, vocabulary[c&15])
		if c&0x80 != 0 || i == 6 {
			return name, data[i+1:]
		}
	}
	return name, nil
}

// oracleRule is a rule as text, in the list with that index.
type oracleRule struct {
	list, line int
	mark, name string // mark is "", "*." or "="
}

// covers is rule 1 of the package comment, for one rule and the name text.
func (r oracleRule) covers(text string) bool {
	self, below := text == r.name, strings.HasSuffix(text, "."+r.name)
	switch r.mark {
	case "=":
		return self
	case "*.":
		return below
	default:
		return self || below
	}
}

// oracle looks text up by trying every rule on every form of it.
func oracle(rules []oracleRule, lists int, text string) []blocklists.Match {
	var found []blocklists.Match
	for list := range lists {
		best, ok := oracleBest(rules, list, text, false)
		for _, form := range carried(text) {
			if m, yes := oracleBest(rules, list, form, true); yes && (!ok || best.CDN && m.Start < best.Start) {
				best, ok = m, true
			}
		}
		if ok {
			found = append(found, best)
		}
	}
	return found
}

func oracleBest(rules []oracleRule, list int, text string, cdn bool) (best blocklists.Match, ok bool) {
	for _, r := range rules {
		if r.list != list || !r.covers(text) {
			continue
		}
		m := blocklists.Match{List: list, Start: len(text) - len(r.name), End: len(text) + 1, Line: r.line, CDN: cdn}
		if !ok || m.Start < best.Start {
			best, ok = m, true
		}
	}
	return best, ok
}

// carried returns the names that text stands for by rule 3.
func carried(text string) []string {
	name := ""
	for _, s := range builtin.SharedSuffixes() {
		if rest, ok := strings.CutSuffix(text, "."+s.Name.String()); ok && (name == "" || len(rest) < len(name)) {
			name = rest
		}
	}
	if name == "" {
		return nil
	}
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && slices.Contains(builtin.OperatorLabels(), name[dot+1:]) {
		return []string{name, name[:dot]}
	}
	return []string{name}
}

func FuzzMatchAgainstOracle(f *testing.F) {
	f.Add([]byte{0x03, 0x86, 0x43, 0x86, 0x23, 0x86}, []byte{0x00, 0x03, 0x06, 0x0A, 0x87})
	f.Add([]byte{0x06, 0x86, 0x03, 0x86, 0x10, 0x03, 0x86}, []byte{0x03, 0x06, 0x0D, 0x0F, 0x87})
	f.Fuzz(func(t *testing.T, rulesData, nameData []byte) {
		const lists = 3
		files := [lists][]string{}
		var rules []oracleRule
		seen := map[string]bool{}
		for len(rulesData) > 0 && len(rules) < 40 {
			list, mark := int(rulesData[0]>>4&3)%lists, []string{"", "*.", "=", ""}[rulesData[0]>>5&3]
			var labels []string
			labels, rulesData = words(rulesData)
			name := strings.Join(labels, ".")
			if _, no := blocklists.Protected(domain.MustParse(name)); no || seen[string(rune(list))+name] {
				continue // rules that are skipped or merged have tests of their own
			}
			seen[string(rune(list))+name] = true
			files[list] = append(files[list], mark+name)
			rules = append(rules, oracleRule{list, len(files[list]), mark, name})
		}
		var all []*blocklists.List
		for i := range files {
			if len(files[i]) == 0 {
				files[i] = []string{"unrelated.example.org"}
			}
			all = append(all, parse(t, format.Names, files[i]...))
		}
		labels, _ := words(nameData)
		if len(labels) == 0 {
			return
		}
		text := strings.Join(labels, ".")
		if strings.HasSuffix("."+text, ".unrelated.example.org") {
			return
		}
		name := domain.MustParse(text)
		got, want := show(name, compile(t, all...).Match(nil, []byte(name))), show(name, oracle(rules, lists, text))
		if got != want {
			t.Errorf("%s on %v: got %s, want %s", text, files, got, want)
		}
	})
}

func FuzzMatchAnyOctets(f *testing.F) {
	f.Add([]byte("\x03www\x06tiktok\x03com\x00"))
	f.Add([]byte("\x03www\x06tiktok\x03com\x01c\x09footprint\x03net\x00"))
	f.Add([]byte{1, 'a', 63})
	s := compile(f, parse(f, format.Names, "tiktok.com", "*.tiktok.com", "example.org", "a.b.c.example.net"))
	f.Fuzz(func(t *testing.T, name []byte) {
		matches := s.Match(nil, name)
		if _, ok := domain.FromWire(name); len(matches) > 0 && !ok {
			t.Errorf("%q is no name and matches %v", name, matches)
		}
		if len(matches) > 1 || len(matches) == 1 && (matches[0].Start < 0 || matches[0].Start >= len(name)) {
			t.Errorf("%q: %v", name, matches)
		}
	})
}
