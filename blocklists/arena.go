package blocklists

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"

	"cordon/blocklists/domain"
)

// arena keeps the names of a list and what it says of them, record after record, in chunks of at most 1 MiB: a million names are
// a few dozen objects to the garbage collector, none of them with a pointer, and an arena grows without being copied. A record is
//
//	| wire name, with the root label | line 27 bits, holed 1 bit, below 2 bits, self 2 bits: 4 octets, little-endian |
//
// and lies in one chunk. It is known by its place, | number of the chunk | offset of the name, 20 bits |. Octet 0 of a chunk is not
// used: no record has place 0.
type arena [][]byte

const (
	chunkBits   = 20
	chunkSize   = 1 << chunkBits
	chunkMask   = chunkSize - 1
	smallChunk  = 4 << 10
	firstRecord = 1
	trailerLen  = 4
	maxRecord   = domain.MaxWire + trailerLen
	maxChunks   = 1 << (32 - chunkBits) // places of a list have 32 bits

	sayBits   = 2
	sayMask   = 1<<sayBits - 1
	holedBit  = 1 << (2 * sayBits)
	lineShift = 2*sayBits + 1
	maxLine   = 1<<(32-lineShift) - 1
)

// full says whether there is no room for a record of any size but in a new chunk.
func (a arena) full() bool {
	return len(a) == 0 || len(a[len(a)-1]) > chunkSize-maxRecord
}

// append returns a with one more record, and a chunk before it if need be, as the append of a slice does. The place is that of the
// record.
func (a arena) append(name domain.Name, said ruling) (longer arena, place uint32) {
	if a.full() {
		a = append(a, make([]byte, firstRecord, a.firstSize()))
	}
	last := len(a) - 1
	chunk := a[last]
	if cap(chunk)-len(chunk) < maxRecord {
		chunk = append(make([]byte, 0, min(2*cap(chunk), chunkSize)), chunk...)
	}
	place = uint32(last)<<chunkBits | uint32(len(chunk))
	chunk = append(chunk, name...)
	a[last] = binary.LittleEndian.AppendUint32(chunk, said.trailer())
	return a, place
}

// firstSize is the capacity of the next chunk: the first is small and grows, since most lists are small.
func (a arena) firstSize() int {
	if len(a) == 0 {
		return smallChunk
	}
	return chunkSize
}

// fit gives back the room that nothing was written to.
func (a arena) fit() {
	if last := len(a) - 1; last >= 0 {
		a[last] = bytes.Clone(a[last])
	}
}

// at returns the octets from place to the end of its chunk.
func (a arena) at(place uint32) []byte { return a[place>>chunkBits][place&chunkMask:] }

// records yields all records that there are by place and name, a view. What is added on the way is not yielded.
func (a arena) records() iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		for i, chunk := range slices.Clone(a) {
			for off := firstRecord; off < len(chunk); {
				name := wireName(chunk[off:])
				if !yield(uint32(i)<<chunkBits|uint32(off), name) {
					return
				}
				off += len(name) + trailerLen
			}
		}
	}
}

// ruling reads what is said of the record at place, whose name has that length.
func (a arena) ruling(place uint32, nameLen int) ruling { return readTrailer(a.at(place)[nameLen:]) }

// setRuling overwrites what is said of the record at place.
func (a arena) setRuling(place uint32, nameLen int, said ruling) {
	binary.LittleEndian.PutUint32(a.at(place)[nameLen:], said.trailer())
}

func (r ruling) trailer() uint32 {
	t := uint32(min(max(r.line, 0), maxLine))<<lineShift | uint32(r.below)<<sayBits | uint32(r.self)
	if r.holed {
		t |= holedBit
	}
	return t
}

// readTrailer reads the four octets after a record's name.
func readTrailer(octets []byte) ruling {
	t := binary.LittleEndian.Uint32(octets)
	return ruling{
		self: Say(t & sayMask), below: Say(t >> sayBits & sayMask), holed: t&holedBit != 0, line: int(t >> lineShift),
	}
}

// wireName returns the name that octets, a part of an arena, begin with.
func wireName(octets []byte) []byte {
	end := 0
	for octets[end] != 0 {
		end += 1 + int(octets[end])
	}
	return octets[:end+1]
}

// beginsWith says whether octets, a part of an arena, begin with the name whose labels, without the root, are the octets labels.
func beginsWith(octets, labels []byte) bool {
	return len(octets) > len(labels) && octets[len(labels)] == 0 && bytes.Equal(octets[:len(labels)], labels)
}
