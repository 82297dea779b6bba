package blocklists_test

import (
	"fmt"
	"net/netip"
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
	action     format.Action
	mark, name string // mark is "", "*." or "="
}

func (r oracleRule) text() string {
	if r.action == format.Block {
		return r.mark + r.name
	}
	return r.action.String() + " " + r.mark + r.name
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
		best, allows, ok := oracleBest(rules, list, text, false)
		for _, form := range carried(text) {
			if m, allowed, yes := oracleBest(rules, list, form, true); yes && (!ok || best.CDN && m.Start < best.Start) {
				best, allows, ok = m, allowed, true
			}
		}
		if ok && !allows {
			found = append(found, best)
		}
	}
	return found
}

// oracleBest finds the rule with the longest name that covers text; of two for one name, one that allows.
func oracleBest(rules []oracleRule, list int, text string, cdn bool) (best blocklists.Match, allows, ok bool) {
	for _, r := range rules {
		if r.list != list || !r.covers(text) || r.action == format.Block && oracleCanceled(rules, r, text == r.name) {
			continue
		}
		m := blocklists.Match{List: list, Start: len(text) - len(r.name), End: len(text) + 1, Line: r.line, CDN: cdn}
		if !ok || m.Start < best.Start || m.Start == best.Start && r.action != format.Block {
			best, allows, ok = m, r.action != format.Block, true
		}
	}
	return best, allows, ok
}

// oracleCanceled says whether a rule cancels what r says of its own name, or what it says of the names below that.
func oracleCanceled(rules []oracleRule, r oracleRule, self bool) bool {
	return slices.ContainsFunc(rules, func(c oracleRule) bool {
		if c.list != r.list || c.action != format.Cancel {
			return false
		}
		return self && c.covers(r.name) || !self && c.mark != "=" && (c.name == r.name || c.covers(r.name))
	})
}

// oracleHoles says whether the list allows a name below text, or does not block all of them, though m blocks text.
func oracleHoles(rules []oracleRule, m blocklists.Match, text string) bool {
	only := m.Start == 0
	for _, r := range rules {
		if r.list != m.List {
			continue
		}
		own := r.name == text && r.mark != "="
		if r.action != format.Block && (own || strings.HasSuffix(r.name, "."+text)) {
			return true
		}
		if own && !oracleCanceled(rules, r, false) {
			only = false
		}
	}
	return only
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
	f.Add([]byte{0x00, 0x03, 0x86, 0x00, 0x43, 0x86, 0x00, 0x23, 0x86}, []byte{0x00, 0x03, 0x06, 0x0A, 0x87})
	f.Add([]byte{0x00, 0x06, 0x86, 0x00, 0x03, 0x86, 0x00, 0x10, 0x03, 0x86}, []byte{0x03, 0x06, 0x0D, 0x0F, 0x87})
	f.Add([]byte{0x00, 0x03, 0x86, 0x10, 0x00, 0x03, 0x86, 0x04, 0x01, 0x00, 0x03, 0x86}, []byte{0x01, 0x00, 0x03, 0x86})
	f.Add([]byte{0x00, 0x00, 0x03, 0x86, 0x30, 0x03, 0x86, 0x08, 0x03, 0x86}, []byte{0x00, 0x03, 0x06, 0x0A, 0x87})
	f.Fuzz(func(t *testing.T, rulesData, nameData []byte) {
		const lists = 3
		rules := readRules(rulesData, lists)
		labels, _ := words(nameData)
		if len(labels) == 0 {
			return
		}
		text := strings.Join(labels, ".")
		files := make([][]string, lists)
		all := make([]*blocklists.List, lists)
		for i := range files {
			for _, r := range rules {
				if r.list == i {
					files[i] = append(files[i], r.text())
				}
			}
			all[i] = gather(t, append(files[i], "unrelated.invalid")...)
		}
		name := domain.MustParse(text)
		matches := compile(t, all...).Match(nil, []byte(name))
		got, want := show(name, matches), show(name, oracle(rules, lists, text))
		if got != want {
			t.Errorf("%s on %q: got %s, want %s", text, files, got, want)
		}
		for _, m := range matches {
			if !m.CDN && m.Exact != oracleHoles(rules, m, text) {
				t.Errorf("%s on %q: %+v, want Exact: %t", text, files, m, !m.Exact)
			}
		}
	})
}

// readRules makes rules out of fuzz input: an octet for list, mark and action, and a name. Of one list, at most one rule for a name has
// one action: which line is reported of two has a test of its own.
func readRules(data []byte, lists int) []oracleRule {
	var rules []oracleRule
	counts := make([]int, lists)
	seen := map[oracleRule]bool{}
	for len(data) > 1 && len(rules) < 40 {
		r := oracleRule{
			list: int(data[0]&3) % lists, action: format.Action(data[0]>>2&3) % 3, mark: []string{"", "*.", "=", ""}[data[0]>>4&3],
		}
		var labels []string
		labels, data = words(data[1:])
		r.name = strings.Join(labels, ".")
		once := oracleRule{list: r.list, action: r.action, name: r.name}
		if _, no := blocklists.Protected(domain.MustParse(r.name)); no || seen[once] {
			continue // rules that are skipped or merged have tests of their own
		}
		seen[once] = true
		counts[r.list]++
		r.line = counts[r.list]
		rules = append(rules, r)
	}
	return rules
}

func FuzzMatchAddrAgainstOracle(f *testing.F) {
	f.Add([]byte{0, 24, 0, 4, 25, 0, 0, 32, 1}, byte(1))
	f.Add([]byte{8, 26, 0, 0, 28, 0, 4, 25, 0}, byte(1))
	f.Fuzz(func(t *testing.T, data []byte, last byte) {
		const lists = 2
		type rule struct {
			action format.Action
			prefix netip.Prefix
			line   int
		}
		rules := make([][]rule, lists)
		seen := map[string]bool{}
		for ; len(data) >= 3; data = data[3:] {
			list, action := int(data[0]&3)%lists, format.Action(data[0]>>2&3)%3
			prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, data[2]}), 16+int(data[1])%17).Masked()
			if key := fmt.Sprint(list, action, prefix); !seen[key] {
				seen[key] = true
				rules[list] = append(rules[list], rule{action, prefix, len(rules[list]) + 1})
			}
		}
		addr := netip.AddrFrom4([4]byte{192, 0, 2, last})
		var all []*blocklists.List
		var want []blocklists.Match
		for i, of := range rules {
			texts := []string{}
			best := rule{}
			for _, r := range of {
				if r.action == format.Block {
					texts = append(texts, r.prefix.String())
				} else {
					texts = append(texts, r.action.String()+" "+r.prefix.String())
				}
				dead := r.action == format.Block && slices.ContainsFunc(of, func(c rule) bool {
					return c.action == format.Cancel && c.prefix.Bits() <= r.prefix.Bits() && c.prefix.Contains(r.prefix.Addr())
				})
				if dead || !r.prefix.Contains(addr) {
					continue
				}
				if !best.prefix.IsValid() || r.prefix.Bits() > best.prefix.Bits() ||
					r.prefix.Bits() == best.prefix.Bits() && r.action != format.Block {
					best = r
				}
			}
			all = append(all, gather(t, append(texts, "unrelated.invalid")...))
			if best.prefix.IsValid() && best.action == format.Block {
				want = append(want, blocklists.Match{List: i, Line: best.line})
			}
		}
		if got := compile(t, all...).MatchAddr(nil, addr); !slices.Equal(got, want) {
			t.Errorf("%s on %v: got %v, want %v", addr, rules, got, want)
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
