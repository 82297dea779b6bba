package blocklists

import (
	"crypto/rand"
	"encoding/binary"
	"iter"
	"math/bits"
)

// maxLabels is the most labels that a name of 255 octets can have, without the root: 127 of two octets each.
const maxLabels = 127

// hashKey is the secret of one table of names, drawn when the table is built. The hash of a name is
//
//	h = start
//	for each label, from the one next to the root to the leftmost:
//	    for each group of eight octets of (length octet + label), padded with zeros:
//	        h = high half ^ low half of (h ^ group) * factor
//
// so the hashes of all suffixes of a name come out on the way to its own, at one multiplication for a label of up to seven
// octets. The length octet stands first, so two different names are never the same sequence of groups.
//
// The hash is not cryptographic. It need not be: start and factor are random in each table, so who writes a list or
// sends a query can't compute which names meet in one slot, and an answer's time shows nothing of a single slot. Every hit is
// verified against the listed name, so a collision costs time and never a wrong verdict.
//
// The key leaves the program in one place: [Set.WriteTo] writes it with its table, which is of no use without it. That file must
// be as private as the lists: who can read it could make names that meet in one slot of that table, and with them a lookup
// that takes longer. A table that is compiled anew has another key.
type hashKey struct {
	start  uint64
	factor uint64 // odd
}

func newHashKey() hashKey {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hashKey{
		start:  binary.LittleEndian.Uint64(b[:]),
		factor: binary.LittleEndian.Uint64(b[8:]) | 1,
	}
}

// label continues h by the label whose length octet is buf[start]. The label must lie within buf, and at least one more
// octet after it.
func (k hashKey) label(h uint64, buf []byte, start int) uint64 {
	end := start + 1 + int(buf[start])
	for ; end-start > 8; start += 8 {
		h = k.mix(h, binary.LittleEndian.Uint64(buf[start:]))
	}
	return k.mix(h, group(buf, start, end))
}

func (k hashKey) mix(h, group uint64) uint64 {
	high, low := bits.Mul64(h^group, k.factor)
	return high ^ low
}

// group returns the 1 to 8 octets buf[start:end] as a little-endian number. It reads eight octets at once wherever buf has
// eight, and cuts the foreign ones off.
func group(buf []byte, start, end int) uint64 {
	foreign := uint(8-(end-start)) * 8
	if start+8 <= len(buf) {
		return binary.LittleEndian.Uint64(buf[start:]) << foreign >> foreign
	}
	if last := len(buf) - 8; last >= 0 {
		return binary.LittleEndian.Uint64(buf[last:]) >> (uint(start-last) * 8) << foreign >> foreign
	}
	var short [8]byte
	copy(short[:], buf[start:end])
	return binary.LittleEndian.Uint64(short[:])
}

// splitName writes the offset of every label of a wire name to starts, the root left out, and returns their number. It
// returns 0 for the root and for what is not one whole uncompressed name of at most 255 octets.
func splitName(starts *[maxLabels]uint8, name []byte) int {
	if len(name) > 255 {
		return 0
	}
	n := 0
	for off := 0; off < len(name); n++ {
		length := int(name[off])
		if length == 0 {
			if off+1 != len(name) {
				return 0
			}
			return n
		}
		if length > 63 || n == maxLabels {
			return 0
		}
		starts[n] = uint8(off)
		off += 1 + length
	}
	return 0
}

// hashName returns the hash of the name that octets, a part of an arena, begin with.
func hashName(k hashKey, octets []byte) uint64 {
	var starts [maxLabels]uint8
	labels := 0
	for at := 0; octets[at] != 0; at += 1 + int(octets[at]) {
		starts[labels] = uint8(at)
		labels++
	}
	h := k.start
	for i := labels - 1; i >= 0; i-- {
		h = k.label(h, octets, int(starts[i]))
	}
	return h
}

// suffixHashes yields where each suffix of a wire name begins, and its hash, from the shortest to the name itself.
func suffixHashes(k hashKey, name []byte) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		var starts [maxLabels]uint8
		h := k.start
		for i := splitName(&starts, name) - 1; i >= 0; i-- {
			h = k.label(h, name, int(starts[i]))
			if !yield(int(starts[i]), h) {
				return
			}
		}
	}
}
