package format

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"cordon/blocklists/domain"
)

// hosts reads a hosts file (hosts(5)).
type hosts struct {
	address []byte // that last stood in front of names: nearly every line of a list has the same
}

// read reads a line: an address, which is checked and otherwise of no interest, and the names after it. "0.0.0.0
// 0.0.0.0" is a line that lists have, and stands for nothing.
func (h *hosts) read(number int, line []byte, yield func(Rule, error) bool) bool {
	if comment := bytes.IndexByte(line, '#'); comment >= 0 {
		line = line[:comment]
	}
	field, names := cutField(line)
	if len(field) == 0 {
		return true
	}
	if !h.isAddress(field) {
		reason := reasonFor(line, Hosts, "no address in front, want one and then names: 0.0.0.0 www.example.com")
		return yield(Rule{}, &LineError{Line: number, Text: excerpt(line), Reason: reason})
	}
	if len(names) == 0 {
		reason := "no name after the address, want 0.0.0.0 www.example.com (addresses alone are format networks)"
		return yield(Rule{}, &LineError{Line: number, Text: excerpt(line), Reason: reason})
	}
	for len(names) > 0 {
		field, names = cutField(names)
		if !yieldHost(number, field, yield) {
			return false
		}
	}
	return true
}

func (h *hosts) isAddress(field []byte) bool {
	if bytes.Equal(field, h.address) {
		return true
	}
	if _, err := netip.ParseAddr(string(field)); err != nil {
		return false
	}
	h.address = append(h.address[:0], field...)
	return true
}

func yieldHost(number int, field []byte, yield func(Rule, error) bool) bool {
	name, reason := parseName(field)
	switch {
	case string(field) == "0.0.0.0", reason == "" && own(name):
		return true
	case reason != "":
		return yield(Rule{}, &LineError{Line: number, Text: excerpt(field), Reason: reason})
	default:
		return yield(Rule{Name: name, Line: number}, nil)
	}
}

// own reports whether name is one that a hosts file gives to the machine it lies on and to its networks, so that it
// is not meant to be listed: localhost in its forms, local, broadcasthost, ip6-….
func own(name domain.Name) bool {
	first, rest := name[1:1+name[0]], name[1+name[0]:]
	if rest == domain.Root && strings.HasPrefix(string(first), "ip6-") {
		return true
	}
	switch first {
	case "local", "broadcasthost":
		return rest == domain.Root
	case "localhost", "localhost4", "localhost6":
		return rest == domain.Root || slices.Contains([]string{"localdomain", "localdomain4", "localdomain6"}, rest.String())
	default:
		return false
	}
}
