package format

import (
	"bytes"
	"fmt"

	"cordon/blocklists/domain"
)

// zoneEntries cuts a zone file (RFC 1035, section 5.1) into entries: lines, and those that parentheses hold together, with the
// line ends in them.
//
// If parentheses do not close, or hold more than maxEntry octets, the line that opened them is the fault, and what followed it
// is read again line by line: one bad record does not take the next ones with it. A line read again opens nothing, so no octet
// is read more than twice.
type zoneEntries struct {
	lines lines
	held  []byte // what is together so far
	again []byte // the part of held that is still to be read again: a line end and a line, and so on
	line  int    // the number of the line last read again
	after error  // what the lines ended in while they were gathered: told when all is read again
}

const maxEntry = 64 << 10 // octets

func (z *zoneEntries) next() (entry []byte, line int, err error) {
	if len(z.again) > 0 {
		return z.nextAgain(), z.line, nil
	}
	if err = z.after; err != nil {
		z.after = nil
		return nil, z.lines.number, err
	}
	entry, line, err = z.lines.next()
	if err != nil || bytes.IndexByte(entry, '(') < 0 {
		return entry, line, err
	}
	depth := nesting(entry, 0)
	if depth == 0 {
		return entry, line, nil
	}
	return z.gather(entry, line, depth)
}

// gather reads on until the parentheses in the entry that begins with first are closed.
func (z *zoneEntries) gather(first []byte, line, depth int) ([]byte, int, error) {
	size := len(first)
	z.held = append(z.held[:0], first...)
	for depth > 0 && len(z.held) <= maxEntry && z.after == nil {
		var more []byte
		if more, _, z.after = z.lines.next(); z.after == nil {
			z.held = append(append(z.held, '\n'), more...)
			depth = nesting(more, depth)
		}
	}
	if depth == 0 && len(z.held) <= maxEntry {
		return z.held, line, nil
	}
	z.again, z.line = z.held[size:], line
	return nil, line, &LineError{
		Line: line, Text: excerpt(z.held[:size]),
		Reason: fmt.Sprintf(`the parenthesis is not closed within %d octets, want a ")" at the end of the record`, maxEntry),
	}
}

func (z *zoneEntries) nextAgain() (line []byte) {
	rest := z.again[1:]
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	line, z.again = rest[:end], rest[end:]
	z.line++
	return line
}

// nesting is how many parentheses are open behind line, if depth were in front of it.
func nesting(line []byte, depth int) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ';':
			return depth
		case c == '(':
			depth++
		case c == ')':
			depth = max(depth-1, 0)
		}
	}
	return depth
}

// cutToken splits off the next word of an entry: up to a blank, a parenthesis or a comment, or what quotes hold, with its
// escapes. token is empty at the end of the entry.
func cutToken(text []byte) (token, rest []byte) {
	text = skipBetween(text)
	if len(text) > 0 && text[0] == '"' {
		end := tokenEnd(text[1:], func(c byte) bool { return c == '"' })
		return text[1 : 1+end], text[min(2+end, len(text)):]
	}
	end := tokenEnd(text, between)
	return text[:end], text[end:]
}

// tokenEnd is where the first octet that stops and has no "\" in front stands in text.
func tokenEnd(text []byte, stops func(byte) bool) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case stops(c):
			return i
		}
	}
	return len(text)
}

// skipBetween is text without the blanks, parentheses and comments that it begins with.
func skipBetween(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ';':
			end := bytes.IndexByte(text[i:], '\n')
			if end < 0 {
				return nil
			}
			i += end
		case !between(c):
			return text[i:]
		}
	}
	return nil
}

// between reports whether c ends a word.
func between(c byte) bool { return blank(c) || c == '(' || c == ')' || c == ';' }

// recordType is the type of a record, as far as it matters here.
type recordType uint8

const (
	unknownType recordType = iota
	cnameType
	dataType // any other that may be an answer made up
	soaType
	zoneType  // NS and those of DNSSEC: they serve the zone itself
	dnameType // not allowed in a response policy zone
)

// cutType reads what stands between the owner of a record and its data: a TTL and a class in either order, both optional, and
// the type.
func cutType(text []byte) (kind recordType, data []byte) {
	var class, ttl bool
	for {
		var token []byte
		token, text = cutToken(text)
		switch {
		case len(token) == 0:
			return unknownType, nil
		case !class && isClass(token):
			class = true
		case !ttl && isTTL(token):
			ttl = true
		default:
			return typeOf(token), text
		}
	}
}

func isClass(token []byte) bool {
	return len(token) == 2 && (token[0]|0x20 == 'i' && token[1]|0x20 == 'n')
}

// isTTL reports whether token is a TTL: seconds, or with units as 1h30m.
func isTTL(token []byte) bool {
	if token[0] < '0' || token[0] > '9' {
		return false
	}
	for _, c := range token {
		if (c < '0' || c > '9') && bytes.IndexByte([]byte("wdhmsWDHMS"), c) < 0 {
			return false
		}
	}
	return true
}

func typeOf(token []byte) recordType {
	var upper [12]byte
	if len(token) > len(upper) {
		return unknownType
	}
	for i, c := range token {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	switch string(upper[:len(token)]) {
	case "CNAME":
		return cnameType
	case "A", "AAAA", "TXT", "MX", "SRV", "PTR", "HTTPS", "SVCB", "CAA", "NAPTR", "HINFO", "SPF", "TLSA", "SSHFP", "LOC", "URI", "RP":
		return dataType
	case "SOA":
		return soaType
	case "NS", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "DS", "CDS", "CDNSKEY", "ZONEMD":
		return zoneType
	case "DNAME":
		return dnameType
	default:
		return numberedType(upper[:len(token)])
	}
}

// numberedType knows a type by its number (RFC 3597, section 5): TYPE65534 is the one that BIND keeps notes on signing in.
func numberedType(upper []byte) recordType {
	digits, ok := bytes.CutPrefix(upper, []byte("TYPE"))
	if !ok || len(digits) == 0 || len(digits) > 5 || len(bytes.Trim(digits, "0123456789")) > 0 {
		return unknownType
	}
	if string(digits) == "65534" {
		return zoneType
	}
	return dataType
}

// zoneNames completes the names of a zone file.
type zoneNames struct {
	origin   []byte // in wire form: what names without a final dot lie below
	absolute bool   // whether origin is the whole of a name; else it lies below the name of the zone, which is not known
	apex     []byte // the name of the zone, nil if it is not known
}

// complete appends the whole name that text stands for to buf, in wire form, and whether it is whole, or lies below the name
// of the zone, which is not known.
func (z *zoneNames) complete(buf, text []byte) (wire []byte, absolute bool, reason string) {
	if string(text) == "@" {
		return append(buf, z.origin...), z.absolute, ""
	}
	wire, err := domain.ParseTo(buf, text)
	if err != nil {
		return nil, false, reasonOf(err)
	}
	if isAbsolute(text) {
		return wire, true, ""
	}
	wire = append(wire[:len(wire)-1], z.origin...)
	if len(wire) > domain.MaxWire {
		return nil, false, fmt.Sprintf("%d octets long with the origin, at most %d are allowed (RFC 1035, section 2.3.4)",
			len(wire), domain.MaxWire)
	}
	return wire, z.absolute, ""
}

// isAbsolute reports whether the name text ends in a dot that is no part of a label.
func isAbsolute(text []byte) bool {
	if len(text) == 0 || text[len(text)-1] != '.' {
		return false
	}
	escapes := 0
	for i := len(text) - 2; i >= 0 && text[i] == '\\'; i-- {
		escapes++
	}
	return escapes%2 == 0
}

// cutAncestor is the labels of the name wire in front of ancestor, without a root label, false if it does not lie within it.
func cutAncestor(wire []byte, ancestor string) (labels []byte, ok bool) {
	rest := wire
	for len(rest) > len(ancestor) && rest[0] != 0 {
		rest = rest[1+rest[0]:]
	}
	return wire[:len(wire)-len(rest)], string(rest) == ancestor
}
