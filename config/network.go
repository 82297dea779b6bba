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
	c.networks, c.granted = make(networkIndex), make(networkIndex)
	for _, a := range c.set.Agencies {
		for i, p := range a.Networks {
			mine := network{a, i}
			if _, said := c.granted[p]; !said && c.owner(mine.pos()) == "" {
				c.granted[p] = mine
			}
			first, taken := c.networks[p]
			if !taken {
				c.networks[p] = mine
				continue
			}
			if c.order(first.pos()) > c.order(mine.pos()) { // an owner has added it to an agency of a main file
				c.networks[p] = mine
				first, mine = mine, first
			}
			c.fault(mine.pos(), []Pos{first.pos()}, "networks: %s is in two agencies, %q and, at %s, %q", p, mine.agency.Name,
				first.pos(), first.agency.Name)
		}
	}
}

// clients finds exceptions for clients that belong to somebody else: they would lift nothing. Where an agency is missing
// or lacks something because of a fault, nobody can say.
func (c *checker) clients() {
	if c.set.lost || c.agencyFaulty() {
		return
	}
	for _, e := range c.set.Exceptions {
		if agency, written := c.agencies[e.Agency]; written || e.Agency == DefaultAgency {
			c.clientsOf(e, agency)
		}
	}
}

func (c *checker) agencyFaulty() bool {
	return slices.ContainsFunc(c.set.Agencies, func(a *Agency) bool { return a.faulty })
}

// clientsOf is clients for one exception, whose agency is nil if that is the default agency unwritten.
func (c *checker) clientsOf(e *Exception, agency *Agency) {
	for i, p := range e.Clients {
		at := e.AtElement("clients", i)
		owner, owned := c.networks.around(p, p.Bits())
		switch {
		case c.covers(agency, owner, owned):
		case !owned:
			c.missing(at, "clients: %s belongs to no agency, not to %q or an agency below it", p, e.Agency)
		case c.order(owner.pos()) > c.order(at):
			c.fault(owner.pos(), []Pos{at}, "networks: the client %s of the exception %q (%s) would belong to the agency %q, not to %q "+
				"or an agency below it", p, e.Name, at, owner.agency.Name, e.Agency)
		default:
			c.missing(at, "clients: %s belongs to the agency %q, not to %q or an agency below it", p, owner.agency.Name, e.Agency)
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
