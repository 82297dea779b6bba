package wire

import (
	"bytes"
	"encoding/binary"
)

// maxHops bounds the compression pointers of one name. Every sensible pointer is followed by a label, and of those a name
// has 127 at most; without a bound, a message of pointers that lead to pointers costs the square of its length.
const maxHops = 127

// labels walks over the labels of a name that may be compressed (RFC 1035, section 4.1.4). Every name in an upstream's
// message is read by it, so its rules hold everywhere:
//
//   - a label has 63 octets at most, a name 255 (and so 127 labels), with its length octets and the root;
//   - a pointer leads to before the run of labels that it ends, never into the header, so that a walk comes to an end;
//   - a name has maxHops pointers at most.
type labels struct {
	msg  []byte
	off  int // where the next label begins
	run  int // where the run of labels began that holds off
	next int // the offset behind the name, 0 as long as no pointer was followed
	size int // octets of the labels so far
	hops int
}

func labelsAt(msg []byte, off int) labels { return labels{msg: msg, off: off, run: off} }

// read returns the next label with its length octet: the root is one octet long and is the last. It returns nil if a rule
// is broken.
func (l *labels) read() []byte {
	for l.off < len(l.msg) {
		n := int(l.msg[l.off])
		if n >= pointerBits {
			if !l.jump() {
				return nil
			}
			continue
		}
		end := l.off + 1 + n
		l.size += 1 + n
		if n > maxLabel || end > len(l.msg) || l.size > MaxName {
			return nil
		}
		label := l.msg[l.off:end]
		l.off = end
		return label
	}
	return nil
}

func (l *labels) jump() bool {
	if l.off+2 > len(l.msg) || l.hops == maxHops {
		return false
	}
	to := int(l.msg[l.off]&^pointerBits)<<8 | int(l.msg[l.off+1])
	if to >= l.run || to < HeaderLen {
		return false
	}
	if l.next == 0 {
		l.next = l.off + 2
	}
	l.hops++
	l.off, l.run = to, to
	return true
}

// behind is the offset behind the name, once its root was read.
func (l *labels) behind() int {
	if l.next != 0 {
		return l.next
	}
	return l.off
}

// checkName returns the offset behind the name at off, all of which is looked at. The question's name must have been
// checked before any other: most names are a pointer to it.
func checkName(msg []byte, off int) (next int, ok bool) {
	if off > HeaderLen && off+2 <= len(msg) && msg[off] == pointerBits && msg[off+1] == HeaderLen {
		return off + 2, true
	}
	l := labelsAt(msg, off)
	for {
		label := l.read()
		switch len(label) {
		case 0:
			return 0, false
		case 1:
			return l.behind(), true
		}
	}
}

// CopyName appends the name at msg[off], uncompressed and spelled as it is there, to dst, and returns the offset behind the
// name in msg. It reports false if there is no sound name; dst then comes back as it was. At most [MaxName] octets are
// appended. off must not be negative.
func CopyName(dst, msg []byte, off int) (name []byte, next int, ok bool) {
	name = dst
	l := labelsAt(msg, off)
	for {
		label := l.read()
		if label == nil {
			return dst, 0, false
		}
		name = append(name, label...)
		if len(label) == 1 {
			return name, l.behind(), true
		}
	}
}

// ExpandName is [CopyName] with the name in canonical form: lower case (RFC 4343, section 3).
func ExpandName(dst, msg []byte, off int) (name []byte, next int, ok bool) {
	name, next, ok = CopyName(dst, msg, off)
	Lower(name[len(dst):])
	return name, next, ok
}

// Lower makes the ASCII capitals of a wire name small, in place. Length octets are below 'A', so they stay as they are.
func Lower(name []byte) {
	for i, c := range name {
		name[i] = lower[c]
	}
}

// lowerInto copies name to dst, which is as long, in lower case, eight octets at a time. Length octets are below 'A', so they stay as
// they are.
func lowerInto(dst, name []byte) {
	dst = dst[:len(name)]
	i := 0
	for ; i+8 <= len(name); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], lowerWord(binary.LittleEndian.Uint64(name[i:])))
	}
	for ; i < len(name); i++ {
		dst[i] = lower[name[i]]
	}
}

// lowerWord is eight octets in lower case. An octet c of 0 to 127 gets its highest bit by adding 128-'A' if it is 'A' or above, and by
// adding 127-'Z' if it is above 'Z': a capital by the first only. The bit of a capital, shifted to 32, is what makes it small. No sum
// carries into the next octet.
func lowerWord(word uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	low := word &^ highs
	capitals := (low + (128-'A')*ones) &^ (low + (127-'Z')*ones) &^ word & highs
	return word | capitals>>2
}

// EqualName says whether the name at msg[off] is the canonical name given, whatever its case. A name that is not sound is
// equal to none.
func EqualName(msg []byte, off int, canonical []byte) bool {
	if !mayBeginWith(msg, off, canonical) {
		return false
	}
	l := labelsAt(msg, off)
	for {
		label := l.read()
		if label == nil || len(label) > len(canonical) || !EqualFold(label, canonical[:len(label)]) {
			return false
		}
		canonical = canonical[len(label):]
		if len(label) == 1 {
			return len(canonical) == 0
		}
	}
}

// mayBeginWith is false if the first label of the name at msg[off] has another length or another first octet than that of canonical: so
// most names are known to be others.
func mayBeginWith(msg []byte, off int, canonical []byte) bool {
	if off+1 < len(msg) && msg[off] >= pointerBits {
		off = int(msg[off]&^pointerBits)<<8 | int(msg[off+1])
	}
	if off+1 >= len(msg) || len(canonical) < 2 || msg[off] >= pointerBits {
		return true
	}
	return msg[off] == canonical[0] && lower[msg[off+1]] == canonical[1]
}

// EqualFold says whether the labels a, in any case, are the labels canonical, which are in lower case.
func EqualFold(a, canonical []byte) bool {
	if len(a) != len(canonical) {
		return false
	}
	for i, c := range a {
		if lower[c] != canonical[i] {
			return false
		}
	}
	return true
}

// NextName splits the first name off names, which holds whole uncompressed names one behind the other. It returns nil when
// there is none left. Both results view names.
func NextName(names []byte) (name, rest []byte) {
	for off := 0; off < len(names); off += 1 + int(names[off]) {
		if names[off] == 0 {
			return names[:off+1], names[off+1:]
		}
	}
	return nil, nil
}

// SuffixAt returns where in name the suffix begins, on a label border: 0 if they are equal, -1 if name is not within
// suffix. Both are whole uncompressed names of one case.
func SuffixAt(name, suffix []byte) int {
	for off := 0; off < len(name) && len(name)-off >= len(suffix); off += 1 + int(name[off]) {
		if len(name)-off == len(suffix) && bytes.Equal(name[off:], suffix) {
			return off
		}
	}
	return -1
}
