package answer

import (
	"net/netip"

	"cordon/resolver/wire"
)

// Local is the set of zones that are answered here and never forwarded, because nobody but this host could know, or because
// asking would tell the world what the question was. Immutable; safe for concurrent use.
type Local struct {
	tlds  map[string]bool  // the top-level labels that trees are below: one look at it ends the matter for most names
	trees map[string]*zone // by canonical wire name
	leafs map[string]*zone // zones without anything below

	forwarded map[string]bool        // zones that upstreams of their own are asked for
	above     map[string]bool        // names that have such a zone below them, and so exist
	owns      func(name []byte) bool // names of one's own, and those above them, exist too; nil for none
}

// zone is a name, with all below it, that is answered here.
type zone struct {
	name    []byte // canonical wire form
	exists  bool   // the name itself exists: NODATA for it, NXDOMAIN only below
	deep    bool   // names below exist too, with the same records
	owned   bool   // there are names of one's own in it
	ttl     uint32 // seconds
	records []record
}

type record struct {
	rtype uint16
	data  []byte
}

// LocalConfig says which zones are not answered here, and which canaries are.
type LocalConfig struct {
	// Forwarded are the zones with upstreams of their own, in canonical wire form: they and what is below them is left to
	// those, but for a smaller zone of ours in it; and what is above them is not denied (RFC 8020).
	Forwarded [][]byte
	// Zones are more zones, in canonical wire form: of what Owns does not have, there is nothing in them.
	Zones [][]byte
	// Owns says whether there are records of one's own for a canonical name or below it: those are answered elsewhere, see package names,
	// and the name is not denied. It may be called at any time. Nil: there are none.
	Owns func(name []byte) bool
	// TTL is how long it may be kept that there is nothing in Zones, and in other zones with names of one's own, in seconds.
	TTL uint32
	// Firefox answers use-application-dns.net so that Firefox keeps asking the resolver of its network.
	Firefox bool
	// ICloud answers mask.icloud.com and mask-h2.icloud.com so that Apple's Private Relay is not used in this network.
	ICloud bool
}

// NewLocal is the set of all zones of RFC 6761, 6762, 6303, 7686, 7793, 8375, 8880, 9462, 9476 and ICANN's internal, less
// those that c gives away.
func NewLocal(c LocalConfig) *Local {
	l := &Local{
		tlds: map[string]bool{}, trees: map[string]*zone{}, leafs: map[string]*zone{},
		forwarded: map[string]bool{}, above: map[string]bool{}, owns: c.Owns,
	}
	for _, zone := range c.Forwarded {
		l.forward(zone)
	}
	for _, text := range reverseZones() {
		l.addTree(zone{name: name(text), exists: true})
	}
	for _, z := range specialZones() { // after the reverse zones: some of them have records
		l.addTree(z)
	}
	for _, name := range c.Zones {
		if l.trees[string(name)] == nil {
			l.addTree(zone{name: name, exists: true})
		}
	}
	for _, z := range l.trees {
		if z.owned = c.Owns != nil && c.Owns(z.name); z.owned {
			z.ttl = c.TTL
		}
	}
	for _, name := range c.Zones {
		z := l.trees[string(name)]
		z.exists, z.ttl = true, c.TTL
	}
	if c.Firefox {
		l.addLeaf("use-application-dns.net")
	}
	if c.ICloud {
		l.addLeaf("mask.icloud.com")
		l.addLeaf("mask-h2.icloud.com")
	}
	return l
}

func (l *Local) forward(zone []byte) {
	l.forwarded[string(zone)] = true
	for zone[0] != 0 {
		zone = zone[1+zone[0]:]
		l.above[string(zone)] = true
	}
}

func (l *Local) addTree(z zone) {
	z.ttl = localTTL
	l.tlds[string(lastLabel(z.name))] = true
	l.trees[string(z.name)] = &z
}

func (l *Local) addLeaf(text string) {
	l.leafs[string(name(text))] = &zone{name: name(text), ttl: localTTL}
}

// localTTL is what a local answer may be kept for, in seconds: most of these zones don't change.
const localTTL = 3600

// Append appends the answer to q if its name is answered here, and says whether it is. It allocates nothing.
func (l *Local) Append(dst []byte, q *wire.Query) ([]byte, bool) {
	if z := l.find(q.Name); z != nil {
		above := l.above[string(q.Name)] || z.owned && l.owns(q.Name)
		return z.append(dst, q, above), true
	}
	return dst, false
}

// find is the zone that holds name, the smallest of several, or nil if there is none or a forwarded one is smaller.
func (l *Local) find(name []byte) *zone {
	if z := l.leafs[string(name)]; z != nil {
		return z
	}
	if !l.tlds[string(lastLabel(name))] {
		return nil
	}
	for off := 0; name[off] != 0; off += 1 + int(name[off]) {
		if z := l.trees[string(name[off:])]; z != nil {
			if l.forwards(name, off) {
				return nil
			}
			return z
		}
	}
	return nil
}

// forwards says whether a zone with upstreams of its own holds name that is no larger than its suffix at offset end.
func (l *Local) forwards(name []byte, end int) bool {
	for off := 0; off <= end && len(l.forwarded) > 0; off += 1 + int(name[off]) {
		if l.forwarded[string(name[off:])] {
			return true
		}
	}
	return false
}

// append appends the answer to q, a name of z. above: something exists below that name, elsewhere.
func (z *zone) append(dst []byte, q *wire.Query, above bool) []byte {
	apex := len(q.Name) - len(z.name)
	if exists := apex == 0 && z.exists || apex > 0 && z.deep || above; !exists {
		return appendNegative(dst, q, wire.NXDomain, apex, z.ttl, &none)
	}
	start, n := len(dst), uint16(0)
	dst = wire.Begin(dst, q, wire.Success, 0)
	for _, r := range z.records {
		if r.rtype == q.Type {
			dst = wire.AppendRR(dst, questionName[:], r.rtype, wire.ClassINET, z.ttl, r.data)
			n++
		}
	}
	if n == 0 {
		return appendNegative(dst[:start], q, wire.Success, apex, z.ttl, &none)
	}
	return wire.Finish(dst, start, q, wire.Success, wire.Sections{Answer: n}, &none)
}

// lastLabel is the top-level label of a wire name without its length, empty for the root.
func lastLabel(name []byte) []byte {
	off, last := 0, 0
	for off < len(name) && name[off] != 0 {
		last = off + 1
		off += 1 + int(name[off])
	}
	return name[last:max(last, off)]
}

func specialZones() []zone {
	address := func(rtype uint16, text string) record {
		return record{rtype, netip.MustParseAddr(text).AsSlice()}
	}
	return []zone{
		{name: name("localhost"), exists: true, deep: true, records: []record{ // RFC 6761, section 6.3
			address(wire.TypeA, "127.0.0.1"), address(wire.TypeAAAA, "::1"),
		}},
		{name: name("invalid")},                                 // RFC 6761, section 6.4
		{name: name("test")},                                    // RFC 6761, section 6.2
		{name: name("onion")},                                   // RFC 7686
		{name: name("local")},                                   // RFC 6762: multicast DNS
		{name: name("alt")},                                     // RFC 9476
		{name: name("internal")},                                // ICANN resolution 2024.07.29.06
		{name: name("home.arpa"), exists: true},                 // RFC 8375
		{name: name("resolver.arpa"), exists: true, deep: true}, // RFC 9462, section 6.1
		{name: name("ipv4only.arpa"), exists: true, records: []record{ // RFC 8880, section 7.1
			address(wire.TypeA, "192.0.0.170"), address(wire.TypeA, "192.0.0.171"),
		}},
		{name: name("1.0.0.127.in-addr.arpa"), exists: true, records: []record{{wire.TypePTR, name("localhost")}}},
		{name: name("1." + zeros(31) + "ip6.arpa"), exists: true, records: []record{{wire.TypePTR, name("localhost")}}},
	}
}
