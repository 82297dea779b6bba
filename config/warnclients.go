package config

import (
	"net/netip"
	"slices"
)

// noteForwarders collects the forwarders of all agencies.
func (c *checker) noteForwarders() {
	var all []netip.Prefix
	for _, a := range c.set.Agencies {
		all = append(all, a.Forwarders...)
	}
	c.forward = newPrefixSet(all)
}

// warnClients finds clients of an exception for which it would work otherwise than is probably meant.
func (c *checker) warnClients(e *Exception) {
	for i, p := range e.Clients {
		at := e.AtElement("clients", i)
		switch {
		case c.forward.overlaps(p):
			c.warning(at, "clients: in %s is a forwarder, which is one address for many clients: the exception is for all of them", p)
		case temporary(p):
			c.warning(at, "clients: %s looks like a temporary address, and a device has another within a day (RFC 8981): want a fixed "+
				"address, one that DHCPv6 gives, or the network %s", p.Addr(), netip.PrefixFrom(p.Addr(), interfaceBits).Masked())
		}
	}
	if missing := c.otherFamily(e); missing != "" {
		c.warning(e.At("clients"), "clients: none of them is %s, and the agency has networks of both families: a device that asks by the "+
			"other is refused", missing)
	}
}

// interfaceBits is where the interface identifier of an address begins (RFC 4291, section 2.5.1).
const interfaceBits = 64

// temporary says whether p is one IPv6 address whose interface identifier looks like drawn by lot, as those of RFC 8981 are: it is not
// made of a hardware address (ff:fe in its middle), and of its four groups at most one is below 0x1000, as most are that people write.
func temporary(p netip.Prefix) bool {
	if !p.IsSingleIP() || !p.Addr().Is6() {
		return false
	}
	octets := p.Addr().As16()
	id := octets[interfaceBits/8:]
	if id[3] == 0xff && id[4] == 0xfe {
		return false
	}
	small := 0
	groups := make(map[[2]byte]bool)
	for i := 0; i < len(id); i += 2 {
		groups[[2]byte(id[i:])] = true
		if id[i] < 0x10 {
			small++
		}
	}
	return small <= 1 && len(groups) > 2 // the same few groups again and again are a pattern
}

// otherFamily is the family that the clients of an exception lack and their agencies have; "" for none.
func (c *checker) otherFamily(e *Exception) string {
	have := families(e.Clients)
	if have.four == have.six { // both, or no clients
		return ""
	}
	var theirs []netip.Prefix
	for _, p := range e.Clients {
		if n, ok := c.networks.around(p, p.Bits()); ok {
			theirs = append(theirs, n.agency.Networks...)
			break // of an exception for some agencies, those of the first will do
		}
	}
	if want := families(theirs); !want.four || !want.six {
		return ""
	}
	if have.four {
		return "IPv6"
	}
	return "IPv4"
}

type family struct{ four, six bool }

func families(all []netip.Prefix) family {
	return family{
		four: slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Addr().Is4() }),
		six:  slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Addr().Is6() }),
	}
}
