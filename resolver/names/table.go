package names

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sort"

	"cordon/blocklists/domain"
	"cordon/resolver/wire"
)

// Table has the names of one's own with their records. It is immutable and safe for concurrent use; a nil Table is empty.
type Table struct {
	seed  maphash.Seed
	slots []uint32 // by the hash of a name: the number of a node, from 1; 0 for none. At least half are
	nodes []node   // in the order of [appendKey]; one more stands behind the last, where that ends
	sets  []set
	text  []byte // the names, and the records of sets: of each the length of the data in two octets, and the data
	ttl   uint32 // of answers without a record

	wildcards map[string]star // by the name in front of which the * stands; nil for none
	lengths   [4]uint64       // bits of the lengths of those names
	away      bool            // an alias leads out of the table
	files     []string
}

// star is a wildcard.
type star struct {
	node  int
	alone bool // there is no other name below the one in front of which it stands
}

// node is a name: where it stands in text, and its first set.
type node struct{ name, first uint32 }

// set is the records of one type of a name.
type set struct {
	records uint32 // where they stand in text
	ttl     uint32
	line    uint32
	file    uint16
	rtype   uint16
	count   uint16
}

const wildcard = "\x01*"

// Len counts the names that have records, names of addresses included.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.nodes) - 1
}

// LeadsAway says whether the table has aliases that lead out of it.
func (t *Table) LeadsAway() bool { return t != nil && t.away }

// node is the number of the node for a canonical name, or of the wildcard that stands for it; -1 if there is none.
func (t *Table) node(name []byte) int {
	if i := t.find(name); i >= 0 || t.wildcards == nil {
		return i
	}
	return t.expand(name)
}

// find is the number of the node for name, -1 if there is none.
func (t *Table) find(name []byte) int {
	mask := uint64(len(t.slots) - 1)
	for at := maphash.Bytes(t.seed, name) & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			return -1
		}
		if bytes.HasPrefix(t.text[t.nodes[slot-1].name:], name) { // both end in the root label: they are equal
			return int(slot - 1)
		}
	}
}

// expand is the wildcard that stands for name, which is not there: the one right below the longest name above it that exists, be it
// only because there is a name below (RFC 4592, section 3.3.1).
func (t *Table) expand(name []byte) int {
	child := name
	for parent := above(name); parent != nil; child, parent = parent, above(parent) {
		if !t.mayFollowStar(parent) {
			continue
		}
		if star, ok := t.wildcards[string(parent)]; ok {
			if string(child[:len(wildcard)]) == wildcard || !star.alone && t.Exists(child) {
				return -1 // the star itself is a name as well
			}
			return star.node
		}
	}
	return -1
}

// mayFollowStar is false for most names that have no wildcard in front of them.
func (t *Table) mayFollowStar(name []byte) bool {
	return t.lengths[len(name)/64]>>(len(name)%64)&1 != 0
}

// above is name without its first label, nil for the root.
func above(name []byte) []byte {
	if name[0] == 0 {
		return nil
	}
	return name[1+name[0]:]
}

// Exists says whether the canonical name has records, or a name below it does.
func (t *Table) Exists(name []byte) bool {
	if t == nil {
		return false
	}
	var wanted, buf [wire.MaxName]byte
	key := appendKey(wanted[:0], name)
	i := sort.Search(t.Len(), func(i int) bool { return bytes.Compare(appendKey(buf[:0], t.name(i)), key) >= 0 })
	return i < t.Len() && bytes.HasPrefix(appendKey(buf[:0], t.name(i)), key)
}

// name is that of node i.
func (t *Table) name(i int) []byte {
	name, _ := wire.NextName(t.text[t.nodes[i].name:])
	return name
}

// appendKey appends the labels of name to dst, the last one first: what is below a name begins with its key.
func appendKey(dst, name []byte) []byte {
	var starts [wire.MaxName / 2]uint8
	n := 0
	for off := 0; name[off] != 0; off += 1 + int(name[off]) {
		starts[n] = uint8(off)
		n++
	}
	for n--; n >= 0; n-- {
		off := int(starts[n])
		dst = append(dst, name[off:off+1+int(name[off])]...)
	}
	return dst
}

// set is the number of the set of rtype of node i, -1 if there is none.
func (t *Table) set(i int, rtype uint16) int {
	for s := int(t.nodes[i].first); s < int(t.nodes[i+1].first); s++ {
		if t.sets[s].rtype == rtype {
			return s
		}
	}
	return -1
}

// next splits the data of the first record off records.
func next(records []byte) (data, rest []byte) {
	end := 2 + int(binary.BigEndian.Uint16(records))
	return records[2:end], records[end:]
}

// Origin says where the records of name are written, or those of the alias or wildcard that it is: of the type, if it has that. It is
// false if name is not there.
func (t *Table) Origin(name domain.Name, rtype uint16) (Place, bool) {
	if t == nil {
		return Place{}, false
	}
	i := t.node([]byte(name))
	if i < 0 {
		return Place{}, false
	}
	s := t.set(i, rtype)
	if s < 0 {
		s = int(t.nodes[i].first)
	}
	return Place{File: t.files[t.sets[s].file], Line: int(t.sets[s].line)}, true
}
