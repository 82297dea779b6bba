package export

import (
	"net/netip"
	"slices"
)

// region is the addresses of one family from first to last, about all of which the same is said.
type region[T comparable] struct {
	first, last netip.Addr
	says        T
}

// regionsOf cuts the addresses of networks into the largest regions about whose addresses of says the same, in their order, and
// leaves out those of which it says nothing, the zero value. What it says may change only where one of networks begins or ends.
func regionsOf[T comparable](networks []netip.Prefix, of func(netip.Addr) T) []region[T] {
	var nothing T
	var regions []region[T]
	borders := bordersOf(networks)
	for i, first := range borders {
		last := lastOf(netip.PrefixFrom(first, 0))
		if i+1 < len(borders) && borders[i+1].BitLen() == first.BitLen() {
			last = borders[i+1].Prev()
		}
		says := of(first)
		if says == nothing {
			continue
		}
		if n := len(regions); n > 0 && regions[n-1].says == says && regions[n-1].last.Next() == first {
			regions[n-1].last = last
			continue
		}
		regions = append(regions, region[T]{first, last, says})
	}
	return regions
}

// bordersOf are the first addresses of networks and the addresses right behind them, in their order, each once.
func bordersOf(networks []netip.Prefix) []netip.Addr {
	borders := make([]netip.Addr, 0, 2*len(networks))
	for _, n := range networks {
		borders = append(borders, n.Masked().Addr())
		if behind := lastOf(n).Next(); behind.IsValid() {
			borders = append(borders, behind)
		}
	}
	slices.SortFunc(borders, netip.Addr.Compare)
	return slices.Compact(borders)
}

// lastOf is the last address of p.
func lastOf(p netip.Prefix) netip.Addr {
	octets := p.Addr().AsSlice()
	for i := range octets {
		if free := 8*(i+1) - p.Bits(); free > 0 {
			octets[i] |= byte(1<<min(free, 8) - 1)
		}
	}
	last, _ := netip.AddrFromSlice(octets)
	return last
}

// prefixes are the fewest networks that have exactly the addresses of r, in their order.
func (r region[T]) prefixes() []netip.Prefix {
	var all []netip.Prefix
	for at := r.first; at.IsValid() && !r.last.Less(at); {
		p := netip.PrefixFrom(at, at.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(at, p.Bits()-1)
			if wider.Masked().Addr() != at || r.last.Less(lastOf(wider)) {
				break
			}
			p = wider
		}
		all = append(all, p)
		at = lastOf(p).Next()
	}
	return all
}
