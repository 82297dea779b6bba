package selftest

import (
	"net/netip"
	"slices"

	networktable "cordon/resolver/agency"
	"cordon/resolver/policy"
)

// land is all networks that are written, to find an address in one and in none of those within it.
type land struct {
	allowed  []netip.Prefix
	agencies networks                             // of all agencies
	named    networks                             // of all agencies, and the clients that exceptions name
	clients  map[netip.Prefix][]*policy.Exception // by the networks that they name
}

// networks are sorted: one that holds others stands before them, and they right behind it.
type networks []netip.Prefix

func newLand(agencies []policy.Agency, exceptions []*policy.Exception, allowed []netip.Prefix) land {
	l := land{clients: map[netip.Prefix][]*policy.Exception{}}
	for i := range agencies {
		for _, p := range agencies[i].Networks {
			l.agencies = append(l.agencies, canonical(p))
		}
	}
	for _, e := range exceptions {
		for _, p := range e.Clients {
			l.clients[canonical(p)] = append(l.clients[canonical(p)], e)
		}
	}
	l.named = slices.Clone(l.agencies)
	for p := range l.clients {
		l.named = append(l.named, p)
	}
	for _, p := range allowed {
		l.allowed = append(l.allowed, canonical(p))
	}
	slices.SortFunc(l.agencies, netip.Prefix.Compare)
	slices.SortFunc(l.named, netip.Prefix.Compare)
	return l
}

// canonical is p as tables compare it. What is no network stays as it is.
func canonical(p netip.Prefix) netip.Prefix {
	if c, err := networktable.Canonical(p); err == nil {
		return c
	}
	return p
}

// find is the first address of a client of a; with unnamed, of one that no exception names. "default" has the allowed networks too.
func (l *land) find(a *policy.Agency, unnamed bool) (netip.Addr, bool) {
	holes := l.agencies
	if unnamed {
		holes = l.named
	}
	for _, p := range a.Networks {
		p = canonical(p)
		if unnamed && l.isNamed(p) {
			continue
		}
		if at, ok := holes.free(p); ok {
			return at, true
		}
	}
	if a.Name != policy.DefaultAgency {
		return netip.Addr{}, false
	}
	for _, p := range l.allowed {
		if unnamed && l.isNamed(p) || l.agencies.hold(p) {
			continue
		}
		if at, ok := holes.free(p); ok {
			return at, true
		}
	}
	return netip.Addr{}, false
}

// isNamed says whether all of p is among the clients of an exception.
func (l *land) isNamed(p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		around, _ := p.Addr().Prefix(bits) // an address has as many bits
		if l.clients[around] != nil {
			return true
		}
	}
	return false
}

// naming are the exceptions that name at among their clients.
func (l *land) naming(at netip.Addr) (all []*policy.Exception) {
	for bits := at.BitLen(); bits >= 0; bits-- {
		around, _ := at.Prefix(bits) // an address has as many bits
		all = append(all, l.clients[around]...)
	}
	return all
}

// hold says whether one of n holds all of p.
func (n networks) hold(p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		around, _ := p.Addr().Prefix(bits) // an address has as many bits
		if _, found := slices.BinarySearchFunc(n, around, netip.Prefix.Compare); found {
			return true
		}
	}
	return false
}

// free is the first address of p that none of n within p has; p itself may be among n.
func (n networks) free(p netip.Prefix) (netip.Addr, bool) {
	i, _ := slices.BinarySearchFunc(n, p, netip.Prefix.Compare)
	for i < len(n) && n[i] == p {
		i++
	}
	at := p.Addr()
	for ; i < len(n) && n[i].Addr().Compare(at) <= 0 && p.Contains(n[i].Addr()); i++ {
		if n[i].Contains(at) {
			at = behind(n[i])
		}
		if !p.Contains(at) {
			return netip.Addr{}, false
		}
	}
	return at, true
}

// behind is the first address behind p, not valid if p ends with the last there is.
func behind(p netip.Prefix) netip.Addr {
	octets := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(octets)*8; bit++ {
		octets[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(octets)
	return last.Next()
}
