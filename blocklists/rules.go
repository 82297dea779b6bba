package blocklists

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"cordon/blocklists/domain"
)

// NameRule is all that a list says about one name, merged from the rules for it.
type NameRule struct {
	Name  domain.Name
	Self  Say // of the name itself
	Below Say // of the names below it
	Line  int // of the rule that blocks, else of the one that allows; see [List.Place]
}

// NetworkRule is what a list says about one network.
type NetworkRule struct {
	Prefix netip.Prefix
	Say    Say
	Line   int
}

// NameRules yields what the list says about each name, in the order of its source. Each one is a copy.
func (l *List) NameRules() iter.Seq[NameRule] {
	return func(yield func(NameRule) bool) {
		for place, name := range l.arena.records() {
			said := l.arena.ruling(place, len(name))
			if !said.blocks() && !said.allows() {
				continue // it is there for the sake of a name below it
			}
			if !yield(NameRule{domain.Name(name), said.self, said.below, said.line}) {
				return
			}
		}
	}
}

// NetworkRules yields what the list says about each network, in the order of the prefixes.
func (l *List) NetworkRules() iter.Seq[NetworkRule] {
	return func(yield func(NetworkRule) bool) {
		for _, n := range l.networks {
			if !yield(NetworkRule{n.prefix(), n.said.self, n.said.line}) {
				return
			}
		}
	}
}

// WidestNames returns up to n of the rules that block what is below a name, those with the fewest labels, the first in the source first.
func (l *List) WidestNames(n int) []NameRule {
	w := widest[NameRule]{limit: n, size: func(r NameRule) int { return r.Name.Labels() }}
	for r := range l.NameRules() {
		if r.Below == Blocks {
			w.take(r)
		}
	}
	return w.kept
}

// WidestNetworks returns up to n of the rules that block a network, those with the shortest prefixes.
func (l *List) WidestNetworks(n int) []NetworkRule {
	w := widest[NetworkRule]{limit: n, size: func(r NetworkRule) int { return r.Prefix.Bits() }}
	for r := range l.NetworkRules() {
		if r.Say == Blocks {
			w.take(r)
		}
	}
	return w.kept
}

// widest keeps the rules with the smallest sizes, in their order.
type widest[R any] struct {
	limit int
	size  func(R) int
	kept  []R
}

func (w *widest[R]) take(r R) {
	size := w.size(r)
	if len(w.kept) >= w.limit && (w.limit <= 0 || size >= w.size(w.kept[len(w.kept)-1])) {
		return
	}
	at, _ := slices.BinarySearchFunc(w.kept, size+1, func(have R, size int) int { return cmp.Compare(w.size(have), size) })
	w.kept = slices.Insert(w.kept, at, r)
	w.kept = w.kept[:min(len(w.kept), w.limit)]
}

// Holds says of each name whether the list blocks it, as [Set.Match] of a set of this list alone would. It reads the list once, so it is
// for a few names of a list that is in no set yet. None of names may be "".
func (l *List) Holds(names ...domain.Name) []bool {
	held := make([]bool, len(names))
	parts := map[string]struct{}{}
	for _, name := range names {
		addParts(parts, []byte(name))
	}
	about := List{}
	for place, name := range l.arena.records() {
		if _, ok := parts[string(name[:len(name)-1])]; ok {
			about.arena, _ = about.arena.append(domain.Name(name), l.arena.ruling(place, len(name)))
			about.records++
		}
	}
	set, err := Compile([]*List{&about}, nil)
	if err != nil {
		return held // a single list that is not larger than l
	}
	for i, name := range names {
		held[i] = len(set.Match(nil, []byte(name))) > 0
	}
	return held
}

// addParts adds every run of labels of a name: rule 3 looks up what stands before a suffix.
func addParts(parts map[string]struct{}, name []byte) {
	var starts [maxLabels]uint8
	n := splitName(&starts, name)
	for i := range n {
		for k := i + 1; k < n; k++ {
			parts[string(name[starts[i]:starts[k]])] = struct{}{}
		}
		parts[string(name[starts[i]:len(name)-1])] = struct{}{}
	}
}
