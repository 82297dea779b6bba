package blocklists

import (
	"encoding/binary"

	"cordon/blocklists/domain"
)

// This file checks a part of an arena that was read back: it has the right sum, and yet somebody may have made it.

// checkChunk counts the records of a chunk. It returns where it stopped being one, -1 if it is a whole one.
func (l *List) checkChunk(chunk []byte) (fault int) {
	off := firstRecord
	for off < len(chunk) {
		size := checkName(chunk[off:])
		if size == 0 || off+size+trailerLen > len(chunk) {
			return off
		}
		said := readTrailer(chunk[off+size:])
		if !said.possible() {
			return off
		}
		l.records++
		l.countOne(said, &l.names)
		off += size + trailerLen
	}
	if off != len(chunk) {
		return len(chunk)
	}
	return -1
}

// checkName returns the length of the name that octets begin with, 0 if they begin with none in canonical form but the root.
func checkName(octets []byte) int {
	end := 0
	for end < min(len(octets), domain.MaxWire) && octets[end] != 0 {
		if octets[end] > domain.MaxLabel {
			return 0
		}
		end += 1 + int(octets[end])
	}
	if end == 0 || end >= min(len(octets), domain.MaxWire) || hasUpper(octets[:end]) {
		return 0
	}
	return end + 1
}

// hasUpper says whether a letter in upper case is among octets, eight at a time; the last eight are looked at as a whole, whatever of them
// was before. The length octets of labels are below 'A'.
func hasUpper(octets []byte) bool {
	if len(octets) < wordLen {
		for _, c := range octets {
			if 'A' <= c && c <= 'Z' {
				return true
			}
		}
		return false
	}
	found := uppers(octets[len(octets)-wordLen:])
	for ; len(octets) > wordLen; octets = octets[wordLen:] {
		found |= uppers(octets)
	}
	return found != 0
}

// uppers has a bit for each letter in upper case among the first eight octets.
func uppers(octets []byte) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	word := binary.LittleEndian.Uint64(octets)
	low := word &^ tops
	return (low + (0x80-'A')*ones) &^ (low + (0x80-'Z'-1)*ones) &^ word & tops
}
