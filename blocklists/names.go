package blocklists

import (
	"iter"
	"net/netip"

	"cordon/blocklists/domain"
)

// ListedNames yields every name that a rule of l is about, once, whatever the rule does: with [Set.Match], enough to tell what
// becomes of any name by rules 1 and 2 of the package comment. The order is not defined. l must not be nil.
func ListedNames(l *List) iter.Seq[domain.Name] {
	return func(yield func(domain.Name) bool) {
		for off := firstRecord; off < len(l.arena); {
			name := recordName(l.arena, off)
			off += len(name) + trailerLen
			if !yield(domain.Name(name)) {
				return
			}
		}
	}
}

// ListedNetworks yields every network that a rule of l is about, once, whatever the rule does, in the order of their addresses.
// l must not be nil.
func ListedNetworks(l *List) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, n := range l.networks {
			if !yield(n.prefix) {
				return
			}
		}
	}
}
