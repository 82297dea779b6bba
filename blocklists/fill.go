package blocklists

import "slices"

// filling puts names into the table of a set. It sorts many of them by the place where they belong before it does, so that what it
// writes to is in the CPU's cache.
//
//	arenas ─▶ hashes of the names ─▶ waiting ─▶ sorted by the upper bits of the hash ─▶ buckets
//	                 └ and of those above them ─▶ filter, which is small enough for the cache as it is
type filling struct {
	set     *Set
	waiting []waiting
	sorted  []waiting
	recent  [8]uint64 // hashes of names above the last ones: lists often stand in an order
	touched uint64    // keeps the compiler from leaving out what is read ahead
}

// waiting is a name that is to be put into the table.
type waiting struct {
	hash uint64
	ref  uint64 // of its record
}

const (
	maxWaiting = 1 << 17 // 2 MiB
	partBits   = 8       // of the hash
)

func newFilling(s *Set) *filling {
	size := min(s.records, maxWaiting) + 1
	return &filling{set: s, waiting: make([]waiting, 0, size), sorted: make([]waiting, size)}
}

// fill puts in all names of the set's chunks. The last ones come first, so that each one can go in front of its chain.
func (f *filling) fill() {
	for i := range slices.Backward(f.set.chunks) {
		f.addChunk(uint64(i) << chunkBits)
	}
	f.flush()
}

// addChunk puts in the names of the chunk whose first octet has the reference base.
func (f *filling) addChunk(base uint64) {
	octets := f.set.chunks[base>>chunkBits].octets
	for off := firstRecord; off < len(octets); {
		if len(f.waiting) == cap(f.waiting) {
			f.flush()
		}
		size := f.addName(octets[off:], base|uint64(off))
		off += size + trailerLen
	}
}

// addName lets the name that octets begin with wait, and tells the filter of it and of the names above it. It returns the length of
// the name.
func (f *filling) addName(octets []byte, ref uint64) (size int) {
	var starts [maxLabels]uint8
	labels := 0
	for ; octets[size] != 0; size += 1 + int(octets[size]) {
		starts[labels] = uint8(size)
		labels++
	}
	f.set.fewest = min(f.set.fewest, labels)
	h := f.set.key.start
	for i := labels - 1; i > 0; i-- {
		h = f.set.key.label(h, octets, int(starts[i]))
		if depth := labels - i; depth >= endsAt && f.recent[depth%len(f.recent)] != h {
			f.recent[depth%len(f.recent)] = h
			*f.set.filterWord(h) |= belowBits(h)
		}
	}
	h = f.set.key.label(h, octets, 0)
	*f.set.filterWord(h) |= listedBits(h)
	f.waiting = append(f.waiting, waiting{h, ref})
	return size + 1
}

// flush sorts what waits, names of one hash staying in order, and puts it in.
func (f *filling) flush() {
	var ends [1 << partBits]int // of the parts, in sorted
	for i := range f.waiting {
		ends[f.waiting[i].hash>>(64-partBits)]++
	}
	sum := 0
	for part := range ends {
		sum, ends[part] = sum+ends[part], sum
	}
	for _, w := range f.waiting {
		end := &ends[w.hash>>(64-partBits)]
		f.sorted[*end] = w
		*end++
	}
	f.waiting = f.waiting[:0]
	begin := 0
	for part := range ends {
		f.putAll(f.sorted[begin:ends[part]])
		begin = ends[part]
	}
}

// putAll puts in a part of what was sorted. It reads what it is going to write to at first: then the CPU waits for all of that at once.
func (f *filling) putAll(part []waiting) {
	for i := range part {
		f.touched ^= f.set.buckets[f.set.home(part[i].hash)][0]
	}
	for _, w := range part {
		f.putRecord(w)
	}
}

// putRecord gives a record its slot, or a place in front of the chain of its name's slot.
func (f *filling) putRecord(w waiting) {
	s := f.set
	at, tag := s.home(w.hash), tagOf(w.hash)
	for {
		b := &s.buckets[at]
		for i, slot := range b {
			if slot == 0 {
				b[i] = tag<<tagShift | w.ref
				return
			}
			if slot>>tagShift == tag && s.isOf(slot, s.labels(w.ref)) {
				b[i] = tag<<tagShift | manyBit | f.chain(slot, w.ref)
				return
			}
		}
		at = s.after(at)
	}
}

// labels returns the name of a record without the root label.
func (s *Set) labels(ref uint64) []byte {
	_, octets := s.record(ref)
	name := wireName(octets)
	return name[:len(name)-1]
}

// chain puts a record in front of those that slot leads to, and returns the index of the new front.
func (f *filling) chain(slot, ref uint64) uint64 {
	s := f.set
	next := uint32(slot & refMask)
	if slot&manyBit == 0 {
		s.chains = append(s.chains, chained{ref: slot & refMask})
		next = uint32(len(s.chains) - 1)
	}
	s.chains = append(s.chains, chained{ref: ref, next: next + 1})
	return uint64(len(s.chains) - 1)
}
