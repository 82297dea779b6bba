package format

import (
	"bytes"
	"net/netip"
)

// hosts reads a hosts file (hosts(5)).
type hosts struct {
	address []byte // that last stood in front of names: nearly every line of a list has the same
}

// read reads a line: an address, which is checked and otherwise of no interest, and the names after it.
func (h *hosts) read(line []byte, out *output) {
	if comment := bytes.IndexByte(line, '#'); comment >= 0 {
		line = line[:comment]
	}
	names, ok := h.cutAddress(line)
	switch {
	case !ok:
		out.reject(line, reasonFor(line, Hosts, "no address in front, want one and then names: 0.0.0.0 www.example.com"))
	case len(names) == 0:
		out.reject(line, "no name after the address, want 0.0.0.0 www.example.com (addresses alone are format networks)")
	default:
		putHosts(names, Subtree, out)
	}
}

// cutAddress splits off the address in front of the names on line, false if there is none.
func (h *hosts) cutAddress(line []byte) (names []byte, ok bool) {
	if rest, same := bytes.CutPrefix(line, h.address); same && len(h.address) > 0 && len(rest) > 0 && blank(rest[0]) {
		return trimStart(rest), true
	}
	field, names := cutField(line)
	if _, err := netip.ParseAddr(string(field)); err != nil && !isShortZero(field, names) {
		return nil, false
	}
	h.address = append(h.address[:0], field...)
	return names, true
}

// isShortZero says whether field, with names behind it, is the 0 that lists write for 0.0.0.0.
func isShortZero(field, names []byte) bool {
	return string(field) == "0" && len(names) > 0 && names[0] != '#'
}

// putHosts puts a rule for each of names. "0.0.0.0 0.0.0.0" is a line that lists have, and stands for nothing.
func putHosts(names []byte, match Match, out *output) {
	for len(names) > 0 {
		var field []byte
		field, names = cutField(names)
		wire, reason := plainName(out.wire[:0], field)
		switch {
		case string(field) == "0.0.0.0", reason == "" && own(wire):
		case reason != "":
			out.reject(field, reason)
		default:
			out.rule(Rule{Name: out.names.keep(wire), Match: match})
		}
	}
}

// own reports whether the name wire is one that a hosts file gives to the machine it lies on and to its networks, so that it
// is not meant to be listed: localhost in its forms, local, broadcasthost, ip6-….
func own(wire []byte) bool {
	first, rest := wire[1:1+wire[0]], wire[1+wire[0]:]
	alone := len(rest) == 1
	switch string(first) {
	case "local", "broadcasthost":
		return alone
	case "localhost", "localhost4", "localhost6":
		return alone || localDomain(rest)
	default:
		return alone && bytes.HasPrefix(first, []byte("ip6-"))
	}
}

func localDomain(wire []byte) bool {
	switch string(wire) {
	case "\x0blocaldomain\x00", "\x0clocaldomain4\x00", "\x0clocaldomain6\x00":
		return true
	default:
		return false
	}
}
