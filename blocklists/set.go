package blocklists

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// MaxLists is how many lists one [Set] can hold.
const MaxLists = 1<<listBits - 1

// Set is the union of some lists, compiled for lookups. It is immutable and safe for concurrent use; the zero value
// matches nothing.
//
//	name ─▶ hash of each suffix ─▶ filter ─▶ slots ─┬▶ one list:   the arena of that list
//	                                 │ most end here └▶ many lists: chains ─▶ their arenas
//	                                 └▶ not listed
//
// The slots are one open-addressing table over the names of all lists. A name has one slot, however many lists hold it:
//
//	| tag 19 bits | many 1 bit | list 12 bits, offset of the record 32 bits |      many = 0
//	|             |            | index in chains                            |      many = 1
//
// An empty slot is 0. A slot whose tag fits is verified against the octets of the name. The filter (a Bloom filter within
// words of 64 bits) says of nearly every suffix that is not listed, at the price of one load, that the slots need not be
// looked at. Beside the lists, the table holds the suffixes shared by the customers of CDNs as a list of its own, the last,
// so that a name that ends in none of them pays nothing for rule 3. A million names of 22 characters take 41 octets each,
// arenas included.
type Set struct {
	key    hashKey
	filter []uint64
	slots  []uint64
	chains []chained

	arenas      [][]byte // by list; the last one belongs to the shared suffixes
	sharedList  int      // its index
	fewest      int      // labels of the shortest name in the table
	most        int      // labels of the longest
	lists       []*List
	names       int
	networks    networkTable
	networkSize int
}

const (
	offsetBits = 32
	listBits   = 12
	refBits    = listBits + offsetBits
	refMask    = 1<<refBits - 1
	manyBit    = 1 << refBits
	tagShift   = refBits + 1
	tagBits    = 64 - tagShift
	tagMask    = 1<<tagBits - 1
)

// chained is one list's record of a name that several lists hold. A chain is in the order of the lists.
type chained struct {
	offset uint32
	next   uint32 // index of the next one in Set.chains, plus 1; 0 ends the chain
	list   uint16
}

// Compile makes the union of lists, none of which may be nil. The index in lists is what [Match.List] says. The error is
// for more than [MaxLists] lists or more names than a table can hold. Compile keeps the lists' memory, not the slice.
func Compile(lists []*List) (*Set, error) {
	if len(lists) > MaxLists {
		return nil, fmt.Errorf("compile lists: found %d, at most %d can be in force at once", len(lists), MaxLists)
	}
	s := &Set{key: newHashKey(), sharedList: len(lists), fewest: maxLabels, lists: slices.Clone(lists)}
	total := suffixes().names
	for _, l := range lists {
		s.arenas = append(s.arenas, l.arena)
		s.names += l.names
		total += l.records
		s.networkSize += l.blockedNetworks
	}
	if total > math.MaxInt32 {
		return nil, fmt.Errorf("compile lists: found %d names, want at most %d", total, math.MaxInt32)
	}
	s.arenas = append(s.arenas, suffixes().arena)
	s.filter = make([]uint64, total/4+1)                 // 16 bits a name: 1 in 60 foreign names passes
	s.slots = make([]uint64, total+total/3+1)            // at most three quarters full, and never quite full
	for list, arena := range slices.Backward(s.arenas) { // each name goes in front of its chain
		s.addNames(list, arena)
	}
	s.networks = newNetworkTable(lists)
	return s, nil
}

// addNames puts every record of one list into the table.
func (s *Set) addNames(list int, arena []byte) {
	for off := firstRecord; off < len(arena); {
		h, labels := hashName(s.key, arena, off)
		name := recordName(arena, off)
		s.fewest, s.most = min(s.fewest, labels), max(s.most, labels)
		s.add(h, name[:len(name)-1], list, off)
		off += len(name) + trailerLen
	}
}

func (s *Set) add(h uint64, labels []byte, list, off int) {
	pos, tag := s.place(h)
	for ; s.slots[pos] != 0; pos = s.after(pos) {
		slot := s.slots[pos]
		if slot>>tagShift == tag && s.holds(slot, labels) {
			s.slots[pos] = tag<<tagShift | manyBit | s.chain(slot, list, off)
			return
		}
	}
	s.slots[pos] = tag<<tagShift | uint64(list)<<offsetBits | uint64(off)
	word, mask := s.filterBits(h)
	s.filter[word] |= mask
}

// chain puts a record in front of those that slot leads to, and returns the index of the new front.
func (s *Set) chain(slot uint64, list, off int) uint64 {
	next := uint32(slot)
	if slot&manyBit == 0 {
		only, record, _ := s.first(slot)
		s.chains = append(s.chains, chained{offset: uint32(record), list: uint16(only)})
		next = uint32(len(s.chains) - 1)
	}
	s.chains = append(s.chains, chained{offset: uint32(off), list: uint16(list), next: next + 1})
	return uint64(len(s.chains) - 1)
}

// place returns where the search for a hash begins, and the tag that its slot bears.
func (s *Set) place(h uint64) (pos int, tag uint64) {
	high, _ := bits.Mul64(h, uint64(len(s.slots)))
	return int(high), h & tagMask
}

// filterBits returns the word of the filter, and the bits in it, that are set if a name with this hash may be in the table.
func (s *Set) filterBits(h uint64) (word uint64, mask uint64) {
	word, _ = bits.Mul64(h, uint64(len(s.filter)))
	return word, 1<<(h>>20&63) | 1<<(h>>26&63)
}

func (s *Set) after(pos int) int {
	if pos++; pos < len(s.slots) {
		return pos
	}
	return 0
}

// first returns the list and offset of the first record that slot leads to, and the index plus 1 of the next one.
func (s *Set) first(slot uint64) (list, off int, next uint32) {
	if slot&manyBit != 0 {
		c := s.chains[uint32(slot)]
		return int(c.list), int(c.offset), c.next
	}
	return int(slot & refMask >> offsetBits), int(uint32(slot)), 0
}

// holds says whether slot is that of the name with these labels.
func (s *Set) holds(slot uint64, labels []byte) bool {
	list, off, _ := s.first(slot)
	return sameName(s.arenas[list], off, labels)
}

// Names returns the sum of the lists' names; a name on two lists counts twice.
func (s *Set) Names() int { return s.names }

// Networks returns the sum of the lists' networks.
func (s *Set) Networks() int { return s.networkSize }

// Lists returns the lists in the order given to [Compile]: the caller's own slice, of shared lists.
func (s *Set) Lists() []*List { return slices.Clone(s.lists) }
