package domain

// AppendText appends the text of the name that wire begins with, and returns the extended buffer. A dot or a
// backslash within a label is written \. or \\, every other octet that is not a letter, a digit, '-', '_' or '*' is
// written \DDD, three decimal digits (RFC 1035, section 5.1). The root is ".". Letters keep their case.
//
// What follows the name in wire is not read. If wire ends before the name does, the text stops there: AppendText
// never panics and never reports, because wire is a name that somebody has checked. It allocates nothing when dst has
// room, which takes up to 4 octets for one of wire.
func AppendText(dst, wire []byte) []byte {
	if len(wire) > 0 && wire[0] == 0 {
		return append(dst, '.')
	}
	for first := true; len(wire) > 0 && wire[0] != 0; first = false {
		size := min(int(wire[0]), len(wire)-1)
		if !first {
			dst = append(dst, '.')
		}
		dst = appendLabel(dst, wire[1:1+size])
		wire = wire[1+size:]
	}
	return dst
}

func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		switch {
		case plain(c):
			dst = append(dst, c)
		case c == '.' || c == '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		}
	}
	return dst
}

// plain reports whether c stands for itself in the text of a name.
func plain(c byte) bool { return plainOctets[c] != 0 }

// plainOctets has the octets that stand for themselves, letters folded to lower case, and 0 for all others.
var plainOctets = [256]byte{
	'-': '-', '_': '_', '*': '*',
	'0': '0', '1': '1', '2': '2', '3': '3', '4': '4', '5': '5', '6': '6', '7': '7', '8': '8', '9': '9',
	'a': 'a', 'b': 'b', 'c': 'c', 'd': 'd', 'e': 'e', 'f': 'f', 'g': 'g', 'h': 'h', 'i': 'i', 'j': 'j', 'k': 'k', 'l': 'l', 'm': 'm',
	'n': 'n', 'o': 'o', 'p': 'p', 'q': 'q', 'r': 'r', 's': 's', 't': 't', 'u': 'u', 'v': 'v', 'w': 'w', 'x': 'x', 'y': 'y', 'z': 'z',
	'A': 'a', 'B': 'b', 'C': 'c', 'D': 'd', 'E': 'e', 'F': 'f', 'G': 'g', 'H': 'h', 'I': 'i', 'J': 'j', 'K': 'k', 'L': 'l', 'M': 'm',
	'N': 'n', 'O': 'o', 'P': 'p', 'Q': 'q', 'R': 'r', 'S': 's', 'T': 't', 'U': 'u', 'V': 'v', 'W': 'w', 'X': 'x', 'Y': 'y', 'Z': 'z',
}
