package blocklists

import (
	"bytes"
	"encoding/binary"

	"cordon/blocklists/format"
)

// A list keeps its names in one arena, record after record, so that a million of them are one object to the garbage
// collector. A record is
//
//	| wire name, with the root label | line << 2 | match, 4 octets, little-endian |
//
// and is known by the offset of its name. Octet 0 of an arena is unused: no record has offset 0.
const (
	firstRecord = 1
	trailerLen  = 4
	matchBits   = 2
	maxLine     = 1<<(32-matchBits) - 1
)

func appendRecord(arena []byte, name string, match format.Match, line int) []byte {
	arena = append(arena, name...)
	return binary.LittleEndian.AppendUint32(arena, trailer(match, line))
}

func trailer(match format.Match, line int) uint32 {
	return uint32(min(max(line, 0), maxLine))<<matchBits | uint32(match)
}

// readTrailer reads the four octets after a record's name.
func readTrailer(arena []byte, off int) (match format.Match, line int) {
	t := binary.LittleEndian.Uint32(arena[off:])
	return format.Match(t & (1<<matchBits - 1)), int(t >> matchBits)
}

// recordName returns the wire name of the record at off, a view of the arena.
func recordName(arena []byte, off int) []byte {
	end := off
	for arena[end] != 0 {
		end += 1 + int(arena[end])
	}
	return arena[off : end+1]
}

// sameName says whether the record at off is the name whose labels, without the root, are the octets labels.
func sameName(arena []byte, off int, labels []byte) bool {
	rest := arena[off:]
	return len(rest) > len(labels) && rest[len(labels)] == 0 && bytes.Equal(rest[:len(labels)], labels)
}

// hashName returns the hash and the number of labels of the record's name at off.
func hashName(k hashKey, arena []byte, off int) (h uint64, labels int) {
	var starts [maxLabels]uint8
	for at := off; arena[at] != 0; at += 1 + int(arena[at]) {
		starts[labels] = uint8(at - off)
		labels++
	}
	h = k.start
	for i := labels - 1; i >= 0; i-- {
		h = k.label(h, arena, off+int(starts[i]))
	}
	return h, labels
}
