package config

import (
	"net/netip"
	"slices"
)

// networkIndex finds the agency of a network. A policy has some thousand networks and is checked seldom, so a map that is
// asked once for each length of the prefix (33 or 129 times) will do.
type networkIndex map[netip.Prefix]network

// network is one network of an agency, by its place among them.
type network struct {
	agency  *Agency
	element int
}

func (n network) pos() Pos { return n.agency.AtElement("networks", n.element) }

// around finds the longest network that p lies in, of at most so many bits.
func (x networkIndex) around(p netip.Prefix, bits int) (network, bool) {
	for ; bits >= 0; bits-- {
		shorter, err := p.Addr().Prefix(bits)
		if err != nil {
			continue // longer than an address has bits
		}
		if found, ok := x[shorter]; ok {
			return found, true
		}
	}
	return network{}, false
}

// assignNetworks gives every network to its agency, and finds those that are in two agencies.
func (c *checker) assignNetworks() {
	c.networks = make(networkIndex)
	for _, a := range c.set.Agencies {
		for i, p := range a.Networks {
			mine := network{a, i}
			first, taken := c.networks[p]
			if !taken {
				c.networks[p] = mine
				continue
			}
			c.fault(mine.pos(), []Pos{first.pos()}, "networks: %s is in two agencies, %q and, at %s, %q", p, a.Name,
				first.pos(), first.agency.Name)
		}
	}
}

// clients finds exceptions for clients that belong to somebody else: they would lift nothing. Where an agency is missing
// or lacks something because of a fault, nobody can say.
func (c *checker) clients() {
	if c.set.lost || slices.ContainsFunc(c.set.Agencies, func(a *Agency) bool { return a.faulty }) {
		return
	}
	for _, e := range c.set.Exceptions {
		agency, written := c.agencies[e.Agency]
		if !written && e.Agency != DefaultAgency {
			continue
		}
		for i, p := range e.Clients {
			owner, owned := c.networks.around(p, p.Bits())
			if c.covers(agency, owner, owned) {
				continue
			}
			whose := "no agency"
			if owned {
				whose = "the agency " + quote(owner.agency.Name)
			}
			c.missing(e.AtElement("clients", i), "clients: %s belongs to %s, not to %q or an agency below it", p, whose, e.Agency)
		}
	}
}

// covers says whether an exception for agency, nil if that is the default agency unwritten, can be for a client whose
// longest network is owner.
func (c *checker) covers(agency *Agency, owner network, owned bool) bool {
	if !owned {
		return agency == nil || agency.Name == DefaultAgency
	}
	return agency != nil && c.above(agency, owner.agency)
}

// above says whether one agency is another, or stands above it.
func (c *checker) above(upper, lower *Agency) bool {
	return slices.Contains(c.lineage(lower), upper)
}
