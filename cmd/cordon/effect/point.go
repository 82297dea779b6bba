package effect

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// class is points that policy can't tell apart: what the first of them gets, the others get too.
type class struct {
	probes  []probe // of the first point
	list    string  // whose rules the points are; "" for names of exceptions
	count   int
	first   []point
	differs bool // the lists that hold it, or the exceptions that cover it, are not the same in both policies
}

// point is a name or a network where a verdict may turn.
type point struct {
	text  string // "tiktok.com" or "198.51.100.0/24"
	order int    // in the order of the sources
}

// probe is one question about a point.
type probe struct {
	name  []byte // in wire form; nil for an address
	own   int    // the octet of name at which the point begins
	below bool   // name lies below the point
	addr  netip.Addr
}

// survey puts every point into its class.
type survey struct {
	old, next *side
	classes   []*class
	known     map[string]*class
	points    int
	key       []byte
	keep      func(name domain.Name) bool // nil: every name counts
	oneSet    bool                        // the lists of both are the same, and in the same order
	names     [2][]byte                   // the names of the probes under way
}

// side is one of the two policies, as a survey asks it.
type side struct {
	snapshot *policy.Snapshot
	lists    []uint64           // numbers of the lists that a policy has, by their place, from 1; 0 for others
	covers   map[string]int     // a number for the exceptions that have a name, by its wire form
	used     []*blocklists.List // the lists that a policy has
	matches  []blocklists.Match
}

func newSide(s *policy.Snapshot, r *regimes, numbers listNumbers) *side {
	d := &side{snapshot: s, covers: map[string]int{}}
	banned := map[string]bool{}
	for _, p := range s.Policies() {
		for _, name := range p.Lists {
			banned[name] = banned[name] || !r.over(p.Until)
		}
	}
	for _, l := range s.Set().Lists() {
		number := uint64(0)
		if banned[l.Name()] {
			number = 1 + numbers.of(l)
			d.used = append(d.used, l)
		}
		d.lists = append(d.lists, number)
	}
	by := map[domain.Name][]byte{}
	for _, e := range s.Exceptions() {
		for _, name := range e.Names {
			if !r.over(e.Until) {
				by[name] = appendNumber(by[name], r.exceptions[e])
			}
		}
	}
	for name, exceptions := range by {
		d.covers[string(name)] = r.numbers.of("names of " + string(exceptions))
	}
	return d
}

// list is the list of that name that a policy has, nil if there is none.
func (d *side) list(name string) *blocklists.List {
	for _, l := range d.used {
		if l.Name() == name {
			return l
		}
	}
	return nil
}

// find finds the lists that hold p.
func (d *side) find(p *probe) {
	d.matches = d.matches[:0]
	if p.name != nil {
		d.matches = d.snapshot.Set().Match(d.matches, p.name)
	} else {
		d.matches = d.snapshot.Set().MatchAddr(d.matches, p.addr)
	}
	slices.SortFunc(d.matches, func(a, b blocklists.Match) int { return cmp.Or(a.Start-b.Start, a.List-b.List) })
}

// sign appends to key all that the policy's verdicts on p depend on, after find. It says false if no list holds p.
func (d *side) sign(key []byte, p *probe) ([]byte, bool) {
	held := false
	for _, m := range d.matches {
		number := d.lists[m.List]
		if number == 0 {
			continue
		}
		held = true
		key = appendNumber(key, number<<2|flag(m.CDN)<<1|flag(m.Start == p.own))
		if m.CDN && len(d.covers) > 0 {
			key = d.cover(key, string(p.name[:m.End])+"\x00")
		}
	}
	key = append(key, 0)
	if held && p.name != nil && len(d.covers) > 0 {
		key = d.cover(key, string(p.name))
	}
	return append(key, 0), held
}

// cover appends which exceptions have name, or a parent of it, among their names: a number for each of those.
func (d *side) cover(key []byte, name string) []byte {
	for len(name) > 1 {
		if number, covered := d.covers[name]; covered {
			key = appendNumber(key, 1+number)
		}
		name = name[1+int(name[0]):]
	}
	return append(key, 0)
}

func flag(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

// lists surveys the rules of all lists. Of one that is in both policies, what the old one alone speaks of is enough.
func (v *survey) lists(diffs map[string]*rulesDiff, h hashes) {
	for _, l := range v.next.used {
		v.list(l, nil, h)
	}
	for _, l := range v.old.used {
		d := diffs[l.Name()]
		if d == nil || !d.same() {
			v.list(l, d, h)
		}
	}
}

// list surveys the rules of l, or, if d is not nil, those about what only the old list of the two speaks of.
func (v *survey) list(l *blocklists.List, d *rulesDiff, h hashes) {
	for r := range l.NameRules() {
		if d == nil || d.onlyOld(h.name(r.Name)) {
			v.name(l.Name(), r.Name)
		}
	}
	for r := range l.NetworkRules() {
		if d == nil || d.onlyOldNetwork(r.Prefix) {
			v.take(l.Name(), []probe{{addr: r.Prefix.Addr()}, {addr: last(r.Prefix)}}, r.Prefix.String)
		}
	}
}

// exceptions surveys the names of the exceptions.
func (v *survey) exceptions() {
	seen := map[domain.Name]bool{}
	for _, d := range []*side{v.next, v.old} {
		for _, e := range d.snapshot.Exceptions() {
			for _, name := range e.Names {
				if !seen[name] {
					v.name("", name)
				}
				seen[name] = true
			}
		}
	}
}

// someLabel is the first label of the name that is asked in place of all those below a point which are no points themselves. No host
// can have a name with a label that begins so (RFC 1123, section 2.1).
const someLabel = "\x0c_cordon-any_"

// name surveys a name and what lies below it.
func (v *survey) name(list string, name domain.Name) {
	if v.keep != nil && !v.keep(name) {
		return
	}
	v.names[0] = append(v.names[0][:0], name...)
	probes := [2]probe{{name: v.names[0]}}
	if len(someLabel)+len(name) > domain.MaxWire {
		v.take(list, probes[:1], name.String)
		return
	}
	v.names[1] = append(append(v.names[1][:0], someLabel...), name...)
	probes[1] = probe{name: v.names[1], own: len(someLabel), below: true}
	v.take(list, probes[:], name.String)
}

// take puts a point into its class, if a list holds it.
func (v *survey) take(list string, probes []probe, text func() string) {
	v.points++
	key := append(append(v.key[:0], list...), 0)
	held, differs := false, false
	for i := range probes {
		start := len(key)
		var inOld, inNew bool
		v.find(&probes[i])
		key, inOld = v.old.sign(key, &probes[i])
		middle := len(key)
		key, inNew = v.next.sign(key, &probes[i])
		held = held || inOld || inNew
		differs = differs || !bytes.Equal(key[start:middle], key[middle:])
	}
	if v.key = key; !held {
		return
	}
	c := v.known[string(key)]
	if c == nil {
		c = &class{probes: cloneProbes(probes), list: list, differs: differs}
		v.known[string(key)] = c
		v.classes = append(v.classes, c)
	}
	c.count++
	if len(c.first) < manyFirst {
		c.first = append(c.first, point{text(), v.points})
	}
}

// find finds the lists of both policies that hold p.
func (v *survey) find(p *probe) {
	v.old.find(p)
	if v.oneSet {
		v.next.matches = append(v.next.matches[:0], v.old.matches...)
		return
	}
	v.next.find(p)
}

// cloneProbes are probes with names of their own.
func cloneProbes(probes []probe) []probe {
	all := slices.Clone(probes)
	for i := range all {
		all[i].name = bytes.Clone(all[i].name)
	}
	return all
}
