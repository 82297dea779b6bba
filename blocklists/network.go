package blocklists

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// network is what a list says of one network, without a pointer.
type network struct {
	addr [16]byte // an IPv4 address stands in the last four octets
	bits uint8
	is4  bool
	said ruling // self and line alone
}

func newNetwork(prefix netip.Prefix, said ruling) network {
	return network{addr: prefix.Addr().As16(), bits: uint8(prefix.Bits()), is4: prefix.Addr().Is4(), said: said}
}

func (n network) prefix() netip.Prefix {
	addr := netip.AddrFrom16(n.addr)
	if n.is4 {
		addr = addr.Unmap()
	}
	return netip.PrefixFrom(addr, int(n.bits))
}

// append appends n as 22 octets: the address, the bits of the prefix, 4 or 6, what is said as in an arena.
func (n network) append(dst []byte) []byte {
	family := byte(6)
	if n.is4 {
		family = 4
	}
	return binary.LittleEndian.AppendUint32(append(append(dst, n.addr[:]...), n.bits, family), n.said.trailer())
}

// readNetwork reads what append wrote. It reports false for what no network of a list can be.
func readNetwork(octets []byte) (network, bool) {
	n := network{addr: [16]byte(octets), bits: octets[16], is4: octets[17] == 4, said: readTrailer(octets[18:])}
	prefix := n.prefix()
	if !prefix.IsValid() || prefix != prefix.Masked() || prefix.Addr().Is4In6() || prefix.Addr().Is4() != n.is4 {
		return n, false
	}
	said := ruling{self: n.said.self, line: n.said.line}
	return n, (n.is4 || octets[17] == 6) && said == n.said && said.possible()
}

// networkTable finds the networks of all lists that hold an address.
//
//	address ─▶ longest prefix ─▶ node ─▶ node of the next shorter prefix ─▶ … ─▶ none
//	                              └ lists with this prefix
//
// A prefix has one node, however many lists hold it, so one lookup and a short walk find every list. It is immutable.
type networkTable struct {
	prefixes *bart.Table[int32] // → index in nodes; nil if there are no networks
	nodes    []networkNode
}

type networkNode struct {
	wider int32 // index of the node with the longest prefix that holds this one; -1 if there is none
	lists []saying
}

// saying is what one list says.
type saying struct {
	list int
	said ruling
}

func newNetworkTable(lists []*List) networkTable {
	var t networkTable
	for i, l := range lists {
		for _, n := range l.networks {
			node := t.node(n.prefix())
			node.lists = append(node.lists, saying{i, n.said})
		}
	}
	t.link()
	return t
}

// node returns the node of prefix, a new one if there is none yet. It is valid until the next call.
func (t *networkTable) node(prefix netip.Prefix) *networkNode {
	if t.prefixes == nil {
		t.prefixes = new(bart.Table[int32])
	}
	at, ok := t.prefixes.Get(prefix)
	if !ok {
		at = int32(len(t.nodes))
		t.nodes = append(t.nodes, networkNode{wider: -1})
		t.prefixes.Insert(prefix, at)
	}
	return &t.nodes[at]
}

// link sets every node's wider, when all nodes are there.
func (t *networkTable) link() {
	if t.prefixes == nil {
		return
	}
	for prefix, at := range t.prefixes.All() {
		if prefix.Bits() == 0 {
			continue
		}
		around := netip.PrefixFrom(prefix.Addr(), prefix.Bits()-1).Masked()
		if wider, ok := t.prefixes.LookupPrefix(around); ok {
			t.nodes[at].wider = wider
		}
	}
}

// MatchAddr appends the lists that block a by a network to dst and returns it: at most one match a list, by the longest
// prefix. They are in the order of the lists. a is unmapped here: ::ffff:192.0.2.1 is looked up as 192.0.2.1. A zone is ignored; the
// zero address is in no network. Nothing is allocated if dst has room.
func (s *Set) MatchAddr(dst []Match, a netip.Addr) []Match {
	t := &s.networks
	if t.prefixes == nil || !a.IsValid() {
		return dst
	}
	at, ok := t.prefixes.Lookup(a.Unmap().WithZone(""))
	if !ok {
		return dst
	}
	m := matcher{before: len(dst)}
	for ; at >= 0; at = t.nodes[at].wider {
		for _, l := range t.nodes[at].lists {
			if i, kept := m.find(dst, l.list); !kept {
				dst = slices.Insert(dst, i, Match{List: l.list, Line: l.said.line, allows: l.said.self == Allows})
				m.allows = m.allows || l.said.self == Allows
			}
		}
	}
	if m.allows {
		return dropAllows(dst, m.before)
	}
	return dst
}
