package effect

import (
	"maps"
	"net/netip"
	"slices"

	"cordon/resolver/policy"
)

// ground is clients that are in the same networks of both policies.
type ground struct {
	network        netip.Prefix // without the longer networks in it; not valid: what is in no network
	old, next      *policy.Asker
	oldMay, newMay bool // may ask at all
}

// moved says whether its clients belong to another agency in the new policy.
func (g *ground) moved() bool { return g.old.Agency().Name != g.next.Agency().Name }

// grounds divides all clients. The first ground is of those that are in no network; a network stands before those that it holds.
func grounds(old, next *policy.Snapshot) []ground {
	all := []ground{groundAt(old, next, netip.Prefix{}, netip.Addr{})}
	networks := written(old, next)
	for i, network := range networks {
		if client, found := free(network, networks[i+1:]); found {
			all = append(all, groundAt(old, next, network, client))
		}
	}
	return all
}

func groundAt(old, next *policy.Snapshot, network netip.Prefix, client netip.Addr) ground {
	g := ground{network: network}
	g.old, g.oldMay = old.Asker(client)
	g.next, g.newMay = next.Asker(client)
	return g
}

// written is every network that one of the policies tells clients by, sorted, each once.
func written(snapshots ...*policy.Snapshot) []netip.Prefix {
	found := map[netip.Prefix]struct{}{}
	for _, s := range snapshots {
		for _, a := range s.Agencies() {
			addNetworks(found, a.Networks)
		}
		for _, e := range s.Exceptions() {
			addNetworks(found, e.Clients)
		}
	}
	return slices.SortedFunc(maps.Keys(found), netip.Prefix.Compare)
}

func addNetworks(found map[netip.Prefix]struct{}, networks []netip.Prefix) {
	const mapped = 96 // the length of ::ffff:0:0/96 (RFC 4291, section 2.5.5.2)
	for _, p := range networks {
		if p.Addr().Is4In6() && p.Bits() >= mapped {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
		}
		found[p] = struct{}{}
	}
}

// free is the first address of network that is in none of the networks after it, which are sorted.
func free(network netip.Prefix, after []netip.Prefix) (client netip.Addr, found bool) {
	client = network.Addr()
	for _, inner := range after {
		if client.Less(inner.Addr()) || !network.Contains(inner.Addr()) {
			break // those that follow begin later still
		}
		if inner.Contains(client) {
			if client = last(inner).Next(); !client.IsValid() {
				return client, false
			}
		}
	}
	return client, network.Contains(client)
}

// last is the last address of a network.
func last(network netip.Prefix) netip.Addr {
	octets := network.Addr().AsSlice()
	for bit := network.Bits(); bit < len(octets)*8; bit++ {
		octets[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(octets)
	return addr
}

// moves are the grounds whose clients change agency, together where they go the same way.
func moves(all []ground) []Move {
	var found []Move
	var around []ground
	for _, g := range all[1:] {
		for len(around) > 0 && !around[len(around)-1].network.Overlaps(g.network) {
			around = around[:len(around)-1]
		}
		inner := len(around) > 0 && sameWay(&around[len(around)-1], &g)
		around = append(around, g)
		if g.moved() && !inner {
			found = addMove(found, &g)
		}
	}
	return found
}

func addMove(found []Move, g *ground) []Move {
	m := Move{Networks: []netip.Prefix{g.network}, From: g.old.Agency().Name, To: g.next.Agency().Name}
	switch {
	case g.newMay && !g.oldMay:
		m.MayAsk = "newly"
	case g.oldMay && !g.newMay:
		m.MayAsk = "no longer"
	}
	for i := range found {
		if found[i].From == m.From && found[i].To == m.To && found[i].MayAsk == m.MayAsk {
			found[i].Networks = append(found[i].Networks, g.network)
			return found
		}
	}
	return append(found, m)
}

// sameWay says whether the clients on two grounds come from one agency and go to one.
func sameWay(a, b *ground) bool {
	return a.old.Agency() == b.old.Agency() && a.next.Agency() == b.next.Agency() && a.oldMay == b.oldMay && a.newMay == b.newMay
}
