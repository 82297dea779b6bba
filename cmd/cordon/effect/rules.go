package effect

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/cmd/cordon/wording"
)

// rulesDiff is what two versions of a list say differently.
type rulesDiff struct {
	added, gone sample
	names       map[uint64]bool       // hashes of the names that they speak of differently: true if the new one speaks of it
	networks    map[netip.Prefix]bool // networks likewise
}

func (d *rulesDiff) same() bool { return d.added.count+d.gone.count == 0 }

// hashes tells names and rules apart by 64 bits: of a million names that takes 8 MB for each version.
type hashes struct {
	seed   maphash.Seed
	shared map[uint64]struct{} // the suffixes shared by the customers of CDNs
}

func newHashes() hashes {
	h := hashes{maphash.MakeSeed(), map[uint64]struct{}{}}
	for _, suffix := range builtin.SharedSuffixes() {
		h.shared[h.name(suffix.Name)] = struct{}{}
	}
	return h
}

// mayTurn says whether name is at or below a name of which some versions differ, or may be such a name that a CDN carries.
func (h hashes) mayTurn(name domain.Name, some []*rulesDiff) bool {
	for up := range name.Ancestry() {
		hash := h.name(up)
		if _, ok := h.shared[hash]; ok {
			return true
		}
		for _, d := range some {
			if _, ok := d.names[hash]; ok {
				return true
			}
		}
	}
	return false
}

// onlyOld says whether of the two versions only the old one speaks of the name with that hash.
func (d *rulesDiff) onlyOld(name uint64) bool {
	inNew, differs := d.names[name]
	return differs && !inNew
}

func (d *rulesDiff) onlyOldNetwork(p netip.Prefix) bool {
	inNew, differs := d.networks[p]
	return differs && !inNew
}

// sample is a number of things and the first of them.
type sample struct {
	count int
	first []string
}

// manyFirst is how many things are named of many.
const manyFirst = 3

func (s *sample) add(text func() string) {
	s.count++
	if len(s.first) < manyFirst {
		s.first = append(s.first, text())
	}
}

func (h hashes) name(name domain.Name) uint64 { return maphash.String(h.seed, string(name)) }

func (h hashes) rule(r *blocklists.NameRule) uint64 {
	var b [domain.MaxWire + 2]byte
	return maphash.Bytes(h.seed, append(append(b[:0], r.Name...), byte(r.Self), byte(r.Below)))
}

// compare finds what two versions of a list say differently. It sorts the hashes of both: what stands in one only differs.
func (h hashes) compare(old, next *blocklists.List) *rulesDiff {
	d := &rulesDiff{names: map[uint64]bool{}, networks: map[netip.Prefix]bool{}}
	if old.Hash() == next.Hash() {
		return d
	}
	differs := onlyInOne(h.rules(old), h.rules(next))
	for r := range next.NameRules() {
		if _, ok := differs[h.rule(&r)]; ok {
			d.added.add(func() string { return ruleText(&r) })
			d.names[h.name(r.Name)] = true
		}
	}
	for r := range old.NameRules() {
		if _, ok := differs[h.rule(&r)]; ok {
			d.gone.add(func() string { return ruleText(&r) })
			if name := h.name(r.Name); !d.names[name] {
				d.names[name] = false
			}
		}
	}
	d.compareNetworks(old, next)
	return d
}

// compareNetworks is compare for the rules for networks: there are never many.
func (d *rulesDiff) compareNetworks(old, next *blocklists.List) {
	was, is := networkRules(old), networkRules(next)
	for r := range next.NetworkRules() {
		if was[r.Prefix] != r.Say {
			d.added.add(r.Prefix.String)
			d.networks[r.Prefix] = true
		}
	}
	for r := range old.NetworkRules() {
		if is[r.Prefix] != r.Say {
			d.gone.add(r.Prefix.String)
			if !d.networks[r.Prefix] {
				d.networks[r.Prefix] = false
			}
		}
	}
}

func networkRules(l *blocklists.List) map[netip.Prefix]blocklists.Say {
	all := make(map[netip.Prefix]blocklists.Say, l.Networks())
	for r := range l.NetworkRules() {
		all[r.Prefix] = r.Say
	}
	return all
}

// rules are the hashes of a list's rules for names, sorted.
func (h hashes) rules(l *blocklists.List) []uint64 {
	all := make([]uint64, 0, l.Len()+l.Allowed())
	for r := range l.NameRules() {
		all = append(all, h.rule(&r))
	}
	slices.Sort(all)
	return all
}

// onlyInOne is what stands in one of two sorted slices only.
func onlyInOne(a, b []uint64) map[uint64]struct{} {
	found := map[uint64]struct{}{}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			found[a[0]], a = struct{}{}, a[1:]
		default:
			found[b[0]], b = struct{}{}, b[1:]
		}
	}
	for _, rest := range [][]uint64{a, b} {
		for _, hash := range rest {
			found[hash] = struct{}{}
		}
	}
	return found
}

// ruleText is a rule for a name as it is written in plain lists.
func ruleText(r *blocklists.NameRule) string {
	said := max(r.Self, r.Below)
	text := r.Name.String()
	switch {
	case r.Self != said:
		text = "*." + text
	case r.Below != said:
		text = "=" + text
	}
	if said == blocklists.Allows {
		return "allow " + text
	}
	return text
}

// listNumbers numbers lists by their names, for both policies together.
type listNumbers map[string]uint64

func (n listNumbers) of(l *blocklists.List) uint64 {
	number, known := n[l.Name()]
	if !known {
		number = uint64(len(n))
		n[l.Name()] = number
	}
	return number
}

func appendNumber[T int | uint64](key []byte, n T) []byte {
	return binary.AppendUvarint(key, uint64(n))
}

// text tells how many rules differ, for people: "1500 entries new: a.example, …".
func (d *rulesDiff) text() []string {
	var texts []string
	for _, part := range []struct {
		sample
		what string
	}{{d.added, "new"}, {d.gone, "gone"}} {
		if part.count > 0 {
			texts = append(texts, fmt.Sprintf("%s %s: %s", wording.Count(part.count, "entry"), part.what, part.text()))
		}
	}
	return texts
}
