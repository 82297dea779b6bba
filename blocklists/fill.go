package blocklists

// filling puts names into the table of a set. It works in batches, so that the processor waits for the memory of all buckets of a
// batch at once.
type filling struct {
	set     *Set
	waiting []waiting
	recent  [8]uint64 // hashes of names above the last ones: lists often stand in an order
	touched uint64    // keeps the compiler from leaving out what is read ahead
}

// waiting is a name that is to be put into the table.
type waiting struct {
	hash uint64
	ref  uint64 // of its record; 0 for a name that has listed ones below it
	size uint32 // of its labels, in octets
}

func newFilling(s *Set) *filling {
	return &filling{set: s, waiting: make([]waiting, 0, batch+maxLabels)}
}

// fill puts in all names of the set's chunks. The last ones come first, so that each one can go in front of its chain.
func (f *filling) fill() {
	for i := len(f.set.chunks) - 1; i >= 0; i-- {
		f.addChunk(uint64(i) << chunkBits)
	}
	f.flush()
}

// addChunk puts in the names of the chunk whose first octet has the reference base.
func (f *filling) addChunk(base uint64) {
	octets := f.set.chunks[base>>chunkBits].octets
	for off := firstRecord; off < len(octets); {
		size := f.addName(octets[off:], base|uint64(off))
		off += size + 1 + trailerLen
		if len(f.waiting) >= batch {
			f.flush()
		}
	}
}

// addName lets the name that octets begin with wait, and the names above it. It returns the size of its labels.
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
			f.waiting = append(f.waiting, waiting{hash: h})
		}
	}
	h = f.set.key.label(h, octets, 0)
	f.waiting = append(f.waiting, waiting{hash: h, ref: ref, size: uint32(size)})
	return size
}

func (f *filling) flush() {
	s := f.set
	for _, w := range f.waiting {
		f.touched ^= *s.filterWord(w.hash)
		if w.ref != 0 {
			at, _ := s.home(w.hash)
			f.touched ^= s.buckets[at][0]
		}
	}
	for _, w := range f.waiting {
		if w.ref == 0 {
			*s.filterWord(w.hash) |= belowBits(w.hash)
			continue
		}
		*s.filterWord(w.hash) |= listedBits(w.hash)
		f.put(w)
	}
	f.waiting = f.waiting[:0]
}

// put gives a record its slot, or a place in front of the chain of its name's slot.
func (f *filling) put(w waiting) {
	s := f.set
	at, tag := s.home(w.hash)
	for {
		b := &s.buckets[at]
		for i := range b {
			if b[i] == 0 {
				b[i] = tag<<tagShift | w.ref
				return
			}
			if b[i]>>tagShift != tag {
				continue
			}
			if _, octets := s.record(w.ref); s.isOf(b[i], octets[:w.size]) {
				b[i] = tag<<tagShift | manyBit | f.chain(b[i], w.ref)
				return
			}
		}
		at = s.after(at)
	}
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
