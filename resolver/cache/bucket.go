package cache

import (
	"math/bits"
	"sync/atomic"
)

// slots is how many entries a bucket has: with their marks they fill one cache line of 64 octets.
const slots = 7

// bucket holds entries whose keys hash alike. Its marks are one word: octet i < 7 is the tag of slot i, 0 for an empty slot;
// bit i of octet 7 says that slot i was used since the hand last came by.
// Readers look at the marks and then at the slots whose tag fits; the entry's own key decides. Writers hold a lock.
type bucket struct {
	marks atomic.Uint64
	slots [slots]atomic.Pointer[Entry]
}

const (
	tagBits  = 0x00FF_FFFF_FFFF_FFFF
	eachTag  = 0x0001_0101_0101_0101
	highBits = 0x0080_8080_8080_8080
	useShift = 56
)

// index is the bucket of a hash: by its high bits, as the tag is its low octet.
func (c *Cache) index(hash uint64) uint64 {
	index, _ := bits.Mul64(hash, uint64(len(c.buckets)))
	return index
}

// tag is the low octet of a hash, but never 0.
func tag(hash uint64) uint64 { return max(hash&0xFF, 1) }

// find returns the entry for a key, with its slot; nil if there is none.
func (b *bucket) find(hash uint64, name []byte, fields uint64) (int, *Entry) {
	// An octet of x is 0 where the tag fits. Subtracting 1 from each octet borrows from those, which sets their high bits;
	// an octet above one that fits may be hit by mistake, and then the key does not fit.
	x := (b.marks.Load() ^ tag(hash)*eachTag) & tagBits
	for hits := (x - eachTag) &^ x & highBits; hits != 0; hits &= hits - 1 {
		i := bits.TrailingZeros64(hits) / 8
		if e := b.slots[i].Load(); e != nil && e.is(name, fields) {
			return i, e
		}
	}
	return 0, nil
}

func (b *bucket) used(i int) bool { return b.marks.Load()>>(useShift+i)&1 != 0 }

// use writes only if the bit is not set, so that readers of one entry do not fight for its line.
func (b *bucket) use(i int) {
	if !b.used(i) {
		b.marks.Or(1 << (useShift + i))
	}
}

func (b *bucket) forgetUse() { b.marks.And(tagBits) }

// set fills slot i, which is empty.
func (b *bucket) set(i int, hash uint64, e *Entry) {
	b.slots[i].Store(e)
	b.marks.Or(tag(hash) << (8 * i))
}

func (b *bucket) clear(i int) {
	b.marks.And(^(uint64(0xFF)<<(8*i) | 1<<(useShift+i)))
	b.slots[i].Store(nil)
}
