package names

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"cordon/blocklists/domain"
	"cordon/resolver/wire"
)

// Bounds of hosts files.
const (
	MaxHostsSize = 64 << 20  // octets of one file
	MaxNames     = 1_000_000 // names and addresses of a [Table] that have records
	maxLine      = 64 << 10  // octets
	maxSkipped   = 100       // skipped entries that are told one by one
)

// Hosts is what a file in the form of hosts(5) says. Immutable.
type Hosts struct {
	Path    string
	Skipped []Skipped // the first that can't be used, by line
	Rejects int       // how many there are of those
	entries []entry
}

// entry is one line: an address with its names.
type entry struct {
	line  int
	addr  netip.Addr
	names []domain.Name
}

// Skipped is what of a file can't be used.
type Skipped struct {
	Line, Column int    // from 1; the column counts octets
	Text         string // cut to 80 octets
	Reason       string
}

// ParseHosts reads a file, of which path is the name and nothing else is done with it. Lines that can't be used are skipped, and so are, as
// they mean the machine that the file lies on, other names of loopback addresses; without a word those that every such file has: localhost,
// ip6-allnodes and the like. The error is that this is no hosts file, or none that is whole.
func ParseHosts(path string, text []byte) (*Hosts, error) {
	switch {
	case len(text) > MaxHostsSize:
		return nil, fmt.Errorf("it has more than %d MiB", MaxHostsSize>>20)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("it has a NUL octet: want a text file, with an address and its names on each line")
	}
	h := &Hosts{Path: path}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	line, used, named := 0, 0, 0
	for row := range bytes.Lines(text) {
		line++
		fields := h.fields(row)
		if len(fields) == 0 {
			continue
		}
		used++
		if named += h.add(line, fields); named > MaxNames {
			return nil, fmt.Errorf("it has more than %d names", MaxNames)
		}
	}
	if used > 0 && len(h.entries) == 0 && h.Rejects > 0 {
		return nil, fmt.Errorf("no line of it can be used; the first: line %d: %s", h.Skipped[0].Line, h.Skipped[0].Reason)
	}
	return h, nil
}

// Names counts the names of h, each as often as it stands there.
func (h *Hosts) Names() int {
	n := 0
	for i := range h.entries {
		n += len(h.entries[i].names)
	}
	return n
}

// word is a part of a line and the octet that it begins at, from 0.
type word struct {
	text []byte
	at   int
}

// fields are the words of row in front of a comment.
func (h *Hosts) fields(row []byte) []word {
	if comment := bytes.IndexByte(row, '#'); comment >= 0 {
		row = row[:comment]
	}
	var words []word
	for at := 0; at < len(row); {
		if isBlank(row[at]) {
			at++
			continue
		}
		end := at
		for end < len(row) && !isBlank(row[end]) {
			end++
		}
		words = append(words, word{row[at:end], at})
		at = end
	}
	return words
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// add takes a line and says how many names it has.
func (h *Hosts) add(line int, words []word) int {
	last := words[len(words)-1]
	if last.at+len(last.text) > maxLine {
		h.skip(line, words[0], fmt.Sprintf("the line is longer than %d octets", maxLine))
		return 0
	}
	addr, err := netip.ParseAddr(string(words[0].text))
	switch {
	case err != nil:
		h.skip(line, words[0], "not an address: want one and then its names, such as: 192.0.2.10 intranet.example")
		return 0
	case len(words) == 1:
		h.skip(line, words[0], "there is no name behind the address")
		return 0
	}
	addr = addr.WithZone("").Unmap()
	e := entry{line: line, addr: addr}
	for _, w := range words[1:] {
		name, err := domain.ParseBytes(w.text)
		wrong, bad := errors.AsType[*domain.ParseError](err)
		switch {
		case bad:
			h.skip(line, w, wrong.Reason)
		case isOwn(name):
		case addr.IsLoopback():
			h.skip(line, w, fmt.Sprintf("%s is every client's own machine: want the address at which others reach it", addr))
		case name == domain.Root || name[:2] == wildcard:
			h.skip(line, w, "want the name of a host")
		default:
			e.names = append(e.names, name)
		}
	}
	if len(e.names) > 0 {
		h.entries = append(h.entries, e)
	}
	return len(e.names)
}

func (h *Hosts) skip(line int, w word, reason string) {
	h.Rejects++
	if len(h.Skipped) < maxSkipped {
		h.Skipped = append(h.Skipped, Skipped{Line: line, Column: w.at + 1, Text: string(w.text[:min(len(w.text), 80)]), Reason: reason})
	}
}

// isOwn says whether name is one that a hosts file gives to its own machine and its networks (RFC 6761, section 6.3, and custom).
func isOwn(name domain.Name) bool {
	switch text := name.String(); text {
	case "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6", "localhost6.localdomain6",
		"local", "broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters",
		"ip6-allhosts":
		return true
	default:
		return false
	}
}

// records yields what h says as records: addresses of names, and the name of each address, which is the first that it has in the file.
func (h *Hosts) records(ttl uint32, named map[netip.Addr]bool, yield func(Record)) {
	for i := range h.entries {
		e := &h.entries[i]
		at := Place{File: h.Path, Line: e.line}
		rtype := uint16(wire.TypeA)
		if e.addr.Is6() {
			rtype = wire.TypeAAAA
		}
		for _, name := range e.names {
			yield(Record{Name: name, Type: rtype, TTL: ttl, Data: e.addr.AsSlice(), At: at})
		}
		if named[e.addr] || e.addr.IsUnspecified() {
			continue
		}
		named[e.addr] = true
		reverse := domain.Reverse(netip.PrefixFrom(e.addr, e.addr.BitLen()))[0]
		yield(Record{Name: reverse, Type: wire.TypePTR, TTL: ttl, Data: []byte(e.names[0]), At: at})
	}
}
