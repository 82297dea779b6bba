package blocklists

import (
	"errors"
	"net/netip"
	"slices"

	"cordon/blocklists/domain"
)

// compactor gathers the rules of one list into an arena, each name once.
//
// Its table is gone when the list is made. A slot is | upper half of the hash, 32 bits | place of the record, 32 bits |, and 0 if it
// is empty. Names are looked for in batches, so that the processor waits for the memory of all slots of a batch at once.
type compactor struct {
	key      hashKey
	slots    []uint64
	arena    arena
	pending  []pendingName           // the last records of the arena: they may be names that it has already
	touched  uint64                  // keeps the compiler from leaving out what is read ahead
	names    int                     // without pending
	networks map[netip.Prefix]ruling // self and line alone
	allowing bool                    // some name is allowed
	canceled int                     // rules that a cancel has dropped
}

// pendingName is a record whose name may have another.
type pendingName struct {
	hash  uint64
	place uint32
}

// batch is how many names are looked for at once.
const batch = 256

var errArenaFull = errors.New("the names take more than 4 GiB")

// newCompactor makes one with room for so many names; it grows if there are more.
func newCompactor(expected int) *compactor {
	size := 64
	for size/4*3 < expected {
		size *= 2
	}
	return &compactor{
		key: newHashKey(), slots: make([]uint64, size), pending: make([]pendingName, 0, batch), networks: map[netip.Prefix]ruling{},
	}
}

// addName takes in what a rule says of a name that is neither "" nor the root.
func (c *compactor) addName(name domain.Name, said ruling) error {
	if len(c.pending) == batch || c.arena.full() {
		c.flush()
		if c.arena.full() && len(c.arena) == maxChunks {
			return errArenaFull
		}
	}
	c.allowing = c.allowing || said.allows()
	var place uint32
	c.arena, place = c.arena.append(name, said)
	c.pending = append(c.pending, pendingName{place: place})
	return nil
}

// flush merges the pending records into those before them.
func (c *compactor) flush() {
	if len(c.pending) == 0 {
		return
	}
	for c.names+len(c.pending) > len(c.slots)/4*3 {
		c.grow()
	}
	for i, p := range c.pending {
		c.pending[i].hash = hashName(c.key, c.arena.at(p.place))
	}
	c.touched = touch(c.slots, c.pending)
	end := c.pending[0].place // where the next record that stays begins
	for _, p := range c.pending {
		end = c.takeIn(p, end)
	}
	last := &c.arena[len(c.arena)-1]
	*last = (*last)[:end&chunkMask]
	c.pending = c.pending[:0]
}

// touch reads the slots of all pending names, one right after the other.
func touch(slots []uint64, pending []pendingName) (sum uint64) {
	for i := range pending {
		sum ^= slots[pending[i].hash>>32*uint64(len(slots))>>32]
	}
	return sum
}

// takeIn moves a pending record to the place end if its name is new, else merges it into the one that there is. It returns where
// the next one goes.
func (c *compactor) takeIn(p pendingName, end uint32) (next uint32) {
	name := wireName(c.arena.at(p.place))
	pos, have := c.find(p.hash, name[:len(name)-1])
	if have > 0 {
		c.merge(have, len(name), c.arena.ruling(p.place, len(name)))
		return end
	}
	if size := len(name) + trailerLen; end != p.place {
		copy(c.arena.at(end), c.arena.at(p.place)[:size])
	}
	c.slots[pos] = p.hash>>32<<32 | uint64(end)
	c.names++
	return end + uint32(len(name)+trailerLen)
}

// find returns the place of the record with these labels, 0 if there is none, and the slot where it is or would be. A pending record is
// not found.
func (c *compactor) find(h uint64, labels []byte) (pos int, place uint32) {
	for pos = c.slotOf(h); c.slots[pos] != 0; pos = (pos + 1) & (len(c.slots) - 1) {
		if slot := c.slots[pos]; slot>>32 == h>>32 && beginsWith(c.arena.at(uint32(slot)), labels) {
			return pos, uint32(slot)
		}
	}
	return pos, 0
}

// merge lets the record at place say what another rule for its name says too.
func (c *compactor) merge(place uint32, nameLen int, said ruling) {
	have := c.arena.ruling(place, nameLen)
	both := have.with(said)
	if both.cancelsAny() && (have.blocks() && !both.blocks() || said.blocks() && both == have) {
		c.canceled++
	}
	c.arena.setRuling(place, nameLen, both)
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

// grow doubles the table. The slots keep half of the hash, which is enough to place them anew; they stay in order, so old and
// new table are walked from end to end.
func (c *compactor) grow() {
	old := c.slots
	c.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		pos := c.slotOf(slot)
		for c.slots[pos] != 0 {
			pos = (pos + 1) & (len(c.slots) - 1)
		}
		c.slots[pos] = slot
	}
}

// slotOf returns where the search for a hash begins. The table's size is a power of two, at most 2^32.
func (c *compactor) slotOf(h uint64) int { return int(h >> 32 * uint64(len(c.slots)) >> 32) }

// finish moves what was gathered into l, in as much memory as it needs. The compactor is used up.
func (c *compactor) finish(l *List) error {
	c.flush()
	if err := c.settle(); err != nil {
		return err
	}
	c.slots = nil
	if c.canceled > 0 {
		c.arena = c.arena.withoutEmpty()
	}
	c.arena.fit()
	l.arena, l.networks, l.canceled = c.arena, c.sortedNetworks(), c.canceled
	l.count()
	l.hash = l.sum()
	return nil
}

// withoutEmpty returns the arena without the records that say nothing any more. a gives its chunks up on the way.
func (a arena) withoutEmpty() arena {
	var kept arena
	for i := range a {
		one := arena{a[i]}
		for place, name := range one.records() {
			if said := one.ruling(place, len(name)); !said.empty() {
				kept, _ = kept.append(domain.Name(name), said)
			}
		}
		a[i] = nil
	}
	return kept
}

// sortedNetworks returns the networks in the order of their prefixes.
func (c *compactor) sortedNetworks() []network {
	prefixes := make([]netip.Prefix, 0, len(c.networks))
	for prefix := range c.networks {
		prefixes = append(prefixes, prefix)
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	all := make([]network, len(prefixes))
	for i, prefix := range prefixes {
		all[i] = newNetwork(prefix, c.networks[prefix])
	}
	return all
}
