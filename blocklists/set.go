package blocklists

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// MaxLists is how many lists one [Set] can hold.
const MaxLists = 4095

// Set is the union of some lists, compiled for lookups. It is immutable and safe for concurrent use; the zero value
// matches nothing.
//
//	name ─▶ hash of each suffix, ─▶ filter ─┬▶ bucket ─▶ slot ─┬▶ one list:   the record in that list's arena
//	        the shortest first              │                  └▶ many lists: chains ─▶ their records
//	                                        └▶ nothing at or below this suffix is listed: the end of most lookups
//
// The filter (a Bloom filter within words of 64 bits) says of a name whether it may be listed, and whether a name below it may be:
// that ends the lookup of a foreign name at its second label, at the price of one load from memory that is small enough for the
// CPU's cache. A bucket is a line of that cache, eight slots. A name belongs in the bucket that its hash leads to, or in the next one
// with room. It has one slot, however many lists hold it:
//
//	| tag 19 bits | many 1 bit | number of the chunk 24 bits, offset of the record 20 bits |      many = 0
//	|             |            | index in chains                                           |      many = 1
//
// An empty slot is 0. A slot whose tag fits is verified against the octets of the name. Beside the lists, the table holds the
// suffixes shared by the customers of CDNs as a list of its own, the last, so that a name that ends in none of them pays nothing
// for rule 3. A million names of 22 characters take 42 octets each, arenas included.
type Set struct {
	key     hashKey
	filter  []uint64
	buckets []bucket
	chains  []chained
	chunks  []chunk
	fewest  int // labels of the shortest name in the table
	records int // in the chunks

	sharedList  int // the number of the list of shared suffixes
	lists       []*List
	names       int
	networks    networkTable
	networkSize int
}

// bucket is a few slots; the empty ones stand at the end.
type bucket [8]uint64

// chunk is a chunk of an arena, and the list whose it is.
type chunk struct {
	octets []byte
	list   int
}

// chained is one list's record of a name that several lists hold. A chain is in the order of the lists.
type chained struct {
	ref  uint64
	next uint32 // index of the next one in Set.chains, plus 1; 0 ends the chain
}

const (
	refBits  = 24 + chunkBits
	refMask  = 1<<refBits - 1
	manyBit  = 1 << refBits
	tagShift = refBits + 1
	tagMask  = 1<<(64-tagShift) - 1

	fill        = 6 // names in a bucket, of eight that have room
	filterShare = 3 // octets of the filter for a name: 1 in 40 that are not listed passes
)

// Compile makes the union of lists, none of which may be nil. The index in lists is what [Match.List] says. The error is
// for more than [MaxLists] lists or more names than a table can hold. Compile keeps the lists' memory, not the slice.
//
// before is a set that may be of these lists: the one in force, or one that [ReadSet] read back; nil if there is none. If it is of
// the very same lists, it is what Compile returns; the new set keeps nothing else of it.
func Compile(lists []*List, before *Set) (*Set, error) {
	if before != nil && slices.Equal(before.lists, lists) {
		return before, nil
	}
	s, err := newSet(lists)
	if err != nil {
		return nil, err
	}
	s.key, s.fewest = newHashKey(), maxLabels
	newFilling(s).fill()
	return s, nil
}

// newSet makes the set of lists but for what its table has to say of them: the table is as large as it is going to be, and empty.
func newSet(lists []*List) (*Set, error) {
	if len(lists) > MaxLists {
		return nil, fmt.Errorf("compile lists: found %d, at most %d can be in force at once", len(lists), MaxLists)
	}
	s := &Set{sharedList: len(lists), lists: slices.Clone(lists), records: suffixes().names}
	for i, l := range lists {
		s.addChunks(i, l.arena)
		s.records += l.records
		s.names += l.names
		s.networkSize += l.blockedNetworks
	}
	if s.records > math.MaxInt32 {
		return nil, fmt.Errorf("compile lists: found %d names, want at most %d", s.records, math.MaxInt32)
	}
	s.addChunks(s.sharedList, suffixes().arena)
	if len(s.chunks) > refMask>>chunkBits {
		return nil, fmt.Errorf("compile lists: found %d MiB of names, want at most %d", len(s.chunks), refMask>>chunkBits)
	}
	s.filter = make([]uint64, s.records*filterShare/8+1)
	s.buckets = make([]bucket, s.records/fill+2)
	s.networks = newNetworkTable(lists)
	return s, nil
}

func (s *Set) addChunks(list int, a arena) {
	for _, octets := range a {
		s.chunks = append(s.chunks, chunk{octets, list})
	}
}

// home returns the bucket where a hash belongs.
func (s *Set) home(h uint64) int {
	high, _ := bits.Mul64(h, uint64(len(s.buckets)))
	return int(high)
}

// tagOf returns the tag of the slot of a hash.
func tagOf(h uint64) uint64 { return h & tagMask }

// filterWord returns the word of the filter that a hash leads to.
func (s *Set) filterWord(h uint64) *uint64 {
	high, _ := bits.Mul64(h, uint64(len(s.filter)))
	return &s.filter[high]
}

// The bits of that word that are set if a name with this hash may be listed, and if one below it may be.
func listedBits(h uint64) uint64 { return 1<<(h>>20&63) | 1<<(h>>26&63) }
func belowBits(h uint64) uint64  { return 1<<(h>>32&63) | 1<<(h>>38&63) }

func (s *Set) after(at int) int {
	if at++; at < len(s.buckets) {
		return at
	}
	return 0
}

// find returns the slot of the name with these labels and this hash, 0 if there is none.
func (s *Set) find(h uint64, labels []byte) (slot uint64) {
	at, tag := s.home(h), tagOf(h)
	for {
		b := &s.buckets[at]
		for _, slot := range b {
			if slot == 0 {
				return 0
			}
			if slot>>tagShift == tag && s.isOf(slot, labels) {
				return slot
			}
		}
		at = s.after(at)
	}
}

// first returns the first record that slot leads to, and the index plus 1 of the next one.
func (s *Set) first(slot uint64) (ref uint64, next uint32) {
	if slot&manyBit != 0 {
		c := s.chains[slot&refMask]
		return c.ref, c.next
	}
	return slot & refMask, 0
}

// isOf says whether slot is that of the name with these labels.
func (s *Set) isOf(slot uint64, labels []byte) bool {
	ref, _ := s.first(slot)
	_, octets := s.record(ref)
	return beginsWith(octets, labels)
}

// record returns the list of a record, and the octets that begin with it.
func (s *Set) record(ref uint64) (list int, octets []byte) {
	c := &s.chunks[ref>>chunkBits]
	return c.list, c.octets[ref&chunkMask:]
}

// Names returns the sum of the lists' names; a name on two lists counts twice.
func (s *Set) Names() int { return s.names }

// Networks returns the sum of the lists' networks.
func (s *Set) Networks() int { return s.networkSize }

// Lists returns the lists in the order given to [Compile]: the caller's own slice, of shared lists.
func (s *Set) Lists() []*List { return slices.Clone(s.lists) }
