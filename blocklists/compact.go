package blocklists

import (
	"errors"
	"math"
	"net/netip"
	"slices"

	"cordon/blocklists/domain"
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
	networks map[netip.Prefix]ruling // self and line alone
	allowing bool                    // some name is allowed
	canceled int                     // rules that a cancel has dropped
}

// maxArena is what an offset of 32 bits can lead to; 2 GiB on systems whose int has no more.
const maxArena = min(math.MaxUint32, math.MaxInt) - domain.MaxWire - trailerLen

var errArenaFull = errors.New("the names take more than 4 GiB")

func newCompactor() *compactor {
	return &compactor{
		key: newHashKey(), slots: make([]uint64, 64), arena: make([]byte, firstRecord), networks: map[netip.Prefix]ruling{},
	}
}

// addName takes in what a rule says of a name that is neither "" nor the root.
func (c *compactor) addName(name domain.Name, said ruling) error {
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
	c.allowing = c.allowing || said.allows()
	c.arena = appendRecord(c.arena, string(name), said)
	h, _ := hashName(c.key, c.arena, off)
	pos, have := c.find(h, c.arena[off:off+len(name)-1])
	if have > 0 {
		c.arena = c.arena[:off]
		c.merge(have+len(name), said)
		return nil
	}
	c.slots[pos] = h>>32<<32 | uint64(off)
	c.names++
	return nil
}

// find returns the offset of the record with these labels, 0 if there is none, and the slot where it is or would be.
func (c *compactor) find(h uint64, labels []byte) (pos, off int) {
	pos = c.place(h)
	for ; c.slots[pos] != 0; pos = (pos + 1) & (len(c.slots) - 1) {
		slot := c.slots[pos]
		if slot>>32 == h>>32 && sameName(c.arena, int(uint32(slot)), labels) {
			return pos, int(uint32(slot))
		}
	}
	return pos, 0
}

// merge lets the record whose trailer is at off say what another rule for its name says too.
func (c *compactor) merge(off int, said ruling) {
	have := readTrailer(c.arena, off)
	both := have.with(said)
	if both.cancelsAny() && (have.blocks() && !both.blocks() || said.blocks() && both == have) {
		c.canceled++
	}
	writeTrailer(c.arena, off, both)
}

// addNetwork takes in what a rule says of a network.
func (c *compactor) addNetwork(prefix netip.Prefix, said ruling) {
	prefix = prefix.Masked()
	c.allowing = c.allowing || said.allows()
	have, twice := c.networks[prefix]
	if !twice {
		c.networks[prefix] = said
		return
	}
	both := have.with(said)
	if both.cancelsAny() && have.blocks() != said.blocks() {
		c.canceled++
	}
	c.networks[prefix] = both
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

// finish moves what was gathered into l, in as much memory as it needs.
func (c *compactor) finish(l *List) error {
	if err := c.settle(); err != nil {
		return err
	}
	l.arena = make([]byte, firstRecord, len(c.arena))
	for off := range records(&c.arena) {
		end := off + len(recordName(c.arena, off))
		if said := readTrailer(c.arena, end); !said.empty() {
			l.count(said, &l.names)
			l.records++
			l.arena = append(l.arena, c.arena[off:end+trailerLen]...)
		}
	}
	l.networks = c.sortedNetworks()
	for _, n := range l.networks {
		l.count(n.said, &l.blockedNetworks)
	}
	l.canceled = c.canceled
	l.hash = l.sum()
	return nil
}

// sortedNetworks returns the networks in the order of their prefixes.
func (c *compactor) sortedNetworks() []network {
	all := make([]network, 0, len(c.networks))
	for prefix, said := range c.networks {
		all = append(all, network{prefix, said})
	}
	slices.SortFunc(all, func(a, b network) int { return a.prefix.Compare(b.prefix) })
	return all
}
