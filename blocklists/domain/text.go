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
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '*'
}
