package blocklists

import (
	"bytes"
	"encoding/binary"
	"iter"

	"cordon/blocklists/format"
)

// Say is what one list says of a name or of a network.
type Say uint8

// What a list can say. A greater one wins where two rules speak of the same.
const (
	Nothing Say = iota
	Blocks
	Allows // not what shorter names or wider networks of this list would block

	cancels // only while a list is made: Allows, and nothing below blocks
)

// String is the word for s in messages.
func (s Say) String() string {
	switch s {
	case Nothing:
		return "nothing"
	case Blocks:
		return "blocks"
	default:
		return "allows"
	}
}

// say is what a rule with this action says.
func say(a format.Action) Say {
	switch a {
	case format.Block:
		return Blocks
	case format.Allow:
		return Allows
	default:
		return cancels
	}
}

// ruling is all that a list says about one name.
type ruling struct {
	self  Say  // of the name itself
	below Say  // of every name below it
	holed bool // the name may be blocked, but some name below it is allowed: who denies the name must not deny those
	line  int  // of the rule that blocks, else of the one that allows
}

// newRuling makes the ruling of one rule.
func newRuling(r format.Rule) ruling {
	said := ruling{line: r.Line}
	if r.Match != format.Below {
		said.self = say(r.Action)
	}
	if r.Match != format.Exact {
		said.below = say(r.Action)
	}
	return said
}

func (r ruling) cancelsAny() bool { return r.self == cancels || r.below == cancels }

// settled is r when all that it cancels is gone.
func (r ruling) settled() ruling {
	r.self, r.below = min(r.self, Allows), min(r.below, Allows)
	return r
}

// withoutBlocks is r when something cancels it.
func (r ruling) withoutBlocks() ruling {
	if r.self == Blocks {
		r.self = Nothing
	}
	if r.below == Blocks {
		r.below = Nothing
	}
	return r
}

func (r ruling) empty() bool { return r.self == Nothing && r.below == Nothing && !r.holed }

func (r ruling) blocks() bool { return r.self == Blocks || r.below == Blocks }

func (r ruling) allows() bool { return r.self >= Allows || r.below >= Allows }

// with is r and what a later rule for the same name says. The line is that of the last rule that added something, as long as
// it is one that blocks.
func (r ruling) with(later ruling) ruling {
	both := ruling{
		self: max(r.self, later.self), below: max(r.below, later.below), holed: r.holed || later.holed, line: r.line,
	}
	added := both.self != r.self || both.below != r.below
	if added && (later.blocks() || !both.blocks()) {
		both.line = later.line
	}
	return both
}

// A list keeps its names in one arena, record after record, so that a million of them are one object to the garbage
// collector. A record is
//
//	| wire name, with the root label | line 27 bits, holed 1 bit, below 2 bits, self 2 bits: 4 octets, little-endian |
//
// and is known by the offset of its name. Octet 0 of an arena is unused: no record has offset 0.
const (
	firstRecord = 1
	trailerLen  = 4
	sayBits     = 2
	sayMask     = 1<<sayBits - 1
	holedBit    = 1 << (2 * sayBits)
	lineShift   = 2*sayBits + 1
	maxLine     = 1<<(32-lineShift) - 1
)

func appendRecord(arena []byte, name string, said ruling) []byte {
	arena = append(arena, name...)
	return binary.LittleEndian.AppendUint32(arena, said.trailer())
}

func (r ruling) trailer() uint32 {
	t := uint32(min(max(r.line, 0), maxLine))<<lineShift | uint32(r.below)<<sayBits | uint32(r.self)
	if r.holed {
		t |= holedBit
	}
	return t
}

// readTrailer reads the four octets after a record's name.
func readTrailer(arena []byte, off int) ruling {
	t := binary.LittleEndian.Uint32(arena[off:])
	return ruling{
		self: Say(t & sayMask), below: Say(t >> sayBits & sayMask), holed: t&holedBit != 0, line: int(t >> lineShift),
	}
}

// writeTrailer overwrites the four octets after a record's name.
func writeTrailer(arena []byte, off int, said ruling) {
	binary.LittleEndian.PutUint32(arena[off:], said.trailer())
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

// records yields the offsets of all records of an arena, those too that are added on the way.
func records(arena *[]byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		for off := firstRecord; off < len(*arena); {
			next := off + len(recordName(*arena, off)) + trailerLen
			if !yield(off) {
				return
			}
			off = next
		}
	}
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
