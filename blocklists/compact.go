package blocklists

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"slices"

	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// compactor gathers the rules of one list into an arena, each name once.
//
// Its table is a smaller kin of [Set]'s, gone when the list is made. A slot is | upper half of the hash, 32 bits | offset of
// the record, 32 bits |, and 0 if it is empty.
type compactor struct {
	key      hashKey
	slots    []uint64
	arena    []byte
	names    int
	networks map[netip.Prefix]int // → line
}

// network is one network of a list.
type network struct {
	prefix netip.Prefix
	line   int
}

// maxArena is what an offset of 32 bits can lead to; 2 GiB on systems whose int has no more.
const maxArena = min(math.MaxUint32, math.MaxInt) - domain.MaxWire - trailerLen

var errArenaFull = errors.New("the names take more than 4 GiB")

func newCompactor() *compactor {
	return &compactor{
		key: newHashKey(), slots: make([]uint64, 64), arena: make([]byte, firstRecord), networks: map[netip.Prefix]int{},
	}
}

// addName takes in a rule for a name that is neither "" nor the root. Of two rules for one name the wider stays.
func (c *compactor) addName(name domain.Name, match format.Match, line int) error {
	if len(c.arena) > maxArena {
		return errArenaFull
	}
	if c.names >= len(c.slots)/4*3 {
		c.grow()
	}
	off := len(c.arena)
	if cap(c.arena)-off < domain.MaxWire+trailerLen {
		c.arena = slices.Grow(c.arena, off+domain.MaxWire+trailerLen) // doubles it: append would copy it more often
	}
	c.arena = appendRecord(c.arena, string(name), match, line)
	h, _ := hashName(c.key, c.arena, off)
	pos := c.place(h)
	for ; c.slots[pos] != 0; pos = (pos + 1) & (len(c.slots) - 1) {
		slot := c.slots[pos]
		if slot>>32 == h>>32 && sameName(c.arena, int(uint32(slot)), []byte(name[:len(name)-1])) {
			c.arena = c.arena[:off]
			c.widen(int(uint32(slot))+len(name), match, line)
			return nil
		}
	}
	c.slots[pos] = h>>32<<32 | uint64(off)
	c.names++
	return nil
}

// widen lets the record whose trailer is at off match what a second rule for its name matches too. A name and what is below
// it make the subtree.
func (c *compactor) widen(off int, match format.Match, line int) {
	have, _ := readTrailer(c.arena, off)
	if have == match || have == format.Subtree {
		return
	}
	binary.LittleEndian.PutUint32(c.arena[off:], trailer(format.Subtree, line))
}

// addNetwork takes in a rule for a network. Of two rules for one network the first stays.
func (c *compactor) addNetwork(prefix netip.Prefix, line int) {
	prefix = prefix.Masked()
	if _, twice := c.networks[prefix]; !twice {
		c.networks[prefix] = line
	}
}

// grow doubles the table. The slots keep half of the hash, which is enough to place them anew.
func (c *compactor) grow() {
	old := c.slots
	c.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		pos := c.place(slot)
		for c.slots[pos] != 0 {
			pos = (pos + 1) & (len(c.slots) - 1)
		}
		c.slots[pos] = slot
	}
}

// place returns where the search for a hash begins. The table's size is a power of two, at most 2^32.
func (c *compactor) place(h uint64) int { return int(h >> 32 * uint64(len(c.slots)) >> 32) }

// sortedNetworks returns the networks in the order of their prefixes.
func (c *compactor) sortedNetworks() []network {
	all := make([]network, 0, len(c.networks))
	for prefix, line := range c.networks {
		all = append(all, network{prefix, line})
	}
	slices.SortFunc(all, func(a, b network) int { return a.prefix.Compare(b.prefix) })
	return all
}

// finish returns what the list keeps, in as much memory as it needs.
func (c *compactor) finish() (arena []byte, networks []network, hash [sha256.Size]byte) {
	arena, networks = bytes.Clone(c.arena), c.sortedNetworks()
	sum := sha256.New()
	_, _ = sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(arena))))
	_, _ = sum.Write(arena)
	for _, n := range networks {
		text := n.prefix.AppendTo(nil)
		_, _ = sum.Write(binary.BigEndian.AppendUint32(append(text, 0), uint32(n.line)))
	}
	return arena, networks, [sha256.Size]byte(sum.Sum(nil))
}
