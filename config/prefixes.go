package config

import (
	"net/netip"
	"slices"
)

// prefixSet answers questions about a number of networks together.
type prefixSet struct {
	has    map[netip.Prefix]bool
	sorted []netip.Prefix // one that holds others before them
}

func newPrefixSet(all []netip.Prefix) prefixSet {
	s := prefixSet{has: make(map[netip.Prefix]bool, len(all)), sorted: slices.SortedFunc(slices.Values(all), netip.Prefix.Compare)}
	for _, p := range all {
		s.has[p] = true
	}
	return s
}

// holds says whether p lies in one of the networks.
func (s prefixSet) holds(p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		if around, err := p.Addr().Prefix(bits); err == nil && s.has[around] {
			return true
		}
	}
	return false
}

// hold says whether each of all does.
func (s prefixSet) hold(all []netip.Prefix) bool {
	return !slices.ContainsFunc(all, func(p netip.Prefix) bool { return !s.holds(p) })
}

// overlaps says whether p lies in one of the networks, or one of them in p.
func (s prefixSet) overlaps(p netip.Prefix) bool {
	at, _ := slices.BinarySearchFunc(s.sorted, p, netip.Prefix.Compare)
	return s.holds(p) || at < len(s.sorted) && p.Contains(s.sorted[at].Addr())
}

// joined is the set with the networks that two halves of it make, and so on: what holds a network by several parts holds it.
func (s prefixSet) joined() prefixSet {
	const longest = 128
	var byBits [longest + 1][]netip.Prefix
	for p := range s.has {
		byBits[p.Bits()] = append(byBits[p.Bits()], p)
	}
	var all []netip.Prefix
	has := make(map[netip.Prefix]bool)
	for bits := longest; bits >= 0; bits-- {
		for _, p := range byBits[bits] {
			if has[p] {
				continue
			}
			has[p] = true
			all = append(all, p)
			if bits > 0 && has[sibling(p)] {
				byBits[bits-1] = append(byBits[bits-1], netip.PrefixFrom(p.Addr(), bits-1).Masked())
			}
		}
	}
	return newPrefixSet(all)
}

// sibling is the other half of the network that p is a half of.
func sibling(p netip.Prefix) netip.Prefix {
	octets := p.Addr().AsSlice()
	last := p.Bits() - 1
	octets[last/8] ^= 0x80 >> (last % 8)
	addr, _ := netip.AddrFromSlice(octets) // as many as there were
	return netip.PrefixFrom(addr, p.Bits())
}
