// Package agency finds who asks: the address of a client leads to a small number, by the longest network that holds it.
//
//	10.10.0.0/16      → 1     federal
//	10.10.7.0/24      → 2     defence, a part of federal
//	10.10.7.42/32     → 3     one telephone of defence that has an exception
//	2001:db8:10::/48  → 1
//
//	10.10.7.42 → 3      10.10.7.1 → 2      10.10.8.1 → 1      192.0.2.1 → none
//
// The numbers belong to the caller: package policy makes one for each kind of asker, so that a single look-up tells agency,
// policies and exceptions together.
//
// Not its job: to know what an agency is, what it may ask, or what becomes of an address that is in no network.
package agency

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
)

// ID is the number that a network leads to. What it counts is the caller's affair.
type ID int32

// Entry is one network and where it leads.
type Entry struct {
	Prefix netip.Prefix // without host bits; an IPv6 prefix of mapped IPv4 addresses (::ffff:0:0/96 and longer) means the IPv4 one
	ID     ID
}

// Table is an immutable table of networks for longest-prefix matching. It is safe for concurrent use, and its zero value
// holds no network. It is made by [NewTable].
type Table struct {
	// Measured with 4, 1,000 and 100,000 networks: 7 to 11 ns a look-up; bart.Table takes 13 to 16 ns.
	networks bart.Fast[ID]
}

// NewTable makes a table of entries, in any order. The error names the first entry whose prefix is not valid, has host bits
// set, or stands twice.
func NewTable(entries []Entry) (*Table, error) {
	t := &Table{}
	for _, e := range entries {
		p, err := Canonical(e.Prefix)
		if err != nil {
			return nil, fmt.Errorf("adding a network: %w", err)
		}
		if _, twice := t.networks.Get(p); twice {
			return nil, fmt.Errorf("adding a network: %s stands twice, want each network once", p)
		}
		t.networks.Insert(p, e.ID)
	}
	return t, nil
}

// Lookup returns the ID of the longest network that holds a, and whether there is one. An IPv4-mapped IPv6 address is
// looked up as the IPv4 address, and a zone is disregarded. The zero Addr is in no network. It allocates nothing.
func (t *Table) Lookup(a netip.Addr) (ID, bool) {
	return t.networks.Lookup(a.Unmap())
}

// Len returns the number of networks.
func (t *Table) Len() int { return t.networks.Size() }

// Canonical returns p in the one form that tables compare: a prefix of IPv4-mapped IPv6 addresses becomes the IPv4 prefix.
// The error says that p is no prefix, or that it has host bits set and what the network would be.
func Canonical(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return p, fmt.Errorf("%s is not a network, want an address and a length such as 192.0.2.0/24", p)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%s has host bits set, want the network %s or the single address", p, p.Masked())
	}
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits), nil
	}
	return p, nil
}

// mappedBits is the length of ::ffff:0:0/96, the network of the IPv4-mapped addresses (RFC 4291, section 2.5.5.2).
const mappedBits = 96
