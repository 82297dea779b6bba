package format

import (
	"bytes"
	"fmt"
	"strings"
)

// Format is the way in which a list is written.
type Format uint8

const (
	Auto     Format = iota // whichever the list itself shows
	Names                  // a name a line
	Hosts                  // a hosts file: an address and names a line
	Networks               // a network or an address a line
	Adblock                // rules of ad blockers, as far as they are about names: ||x^
	Dnsmasq                // options of dnsmasq: address=/x/
	Unbound                // statements of unbound: local-zone: x always_nxdomain
	RPZ                    // a response policy zone, as a zone file
)

// parser finds the rules of one entry and puts them, and its faults, into out. entry is not blank and no comment. It is a line
// without its line end; in a zone file what belongs together by parentheses, several lines. It is dead when parser returns.
type parser func(entry []byte, out *output)

// row says how a format is read.
type row struct {
	name    string
	comment func(text []byte) bool // whether a line is a comment that begins, after blanks, with text; text is not empty
	open    func() parser          // a parser may remember what it has read: one for each list
	zone    bool                   // whether entries may go over several lines, as in a zone file
}

// table has a row for each format, by its number.
func table() []row {
	return []row{
		Auto:     {name: "auto"},
		Names:    {name: "names", comment: hashComment, open: func() parser { return readName }},
		Hosts:    {name: "hosts", comment: hashComment, open: func() parser { return new(hosts).read }},
		Networks: {name: "networks", comment: hashComment, open: func() parser { return readNetwork }},
		Adblock:  {name: "adblock", comment: adblockComment, open: func() parser { return readAdblock }},
		Dnsmasq:  {name: "dnsmasq", comment: hashComment, open: func() parser { return readDnsmasq }},
		Unbound:  {name: "unbound", comment: hashComment, open: func() parser { return new(unbound).read }},
		RPZ:      {name: "rpz", comment: zoneComment, open: func() parser { return newRPZ().read }, zone: true},
	}
}

func hashComment(text []byte) bool { return text[0] == '#' }

func zoneComment(text []byte) bool { return text[0] == ';' }

// adblockComment takes the header "[Adblock Plus 2.0]" for a comment too.
func adblockComment(text []byte) bool {
	return text[0] == '!' || text[0] == '#' || adblockHeader(text)
}

func adblockHeader(text []byte) bool {
	const header = "[Adblock"
	return len(text) > len(header) && bytes.EqualFold(text[:len(header)], []byte(header))
}

// String is the name of f in configuration and messages.
func (f Format) String() string {
	if rows := table(); int(f) < len(rows) {
		return rows[f].name
	}
	return fmt.Sprintf("format %d", uint8(f))
}

// ParseFormat finds a format by its name; "" is [Auto]. The error names the formats that there are.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return Auto, nil
	}
	var known []string
	for f, row := range table() {
		if row.name == name {
			return Format(f), nil
		}
		known = append(known, row.name)
	}
	return Auto, fmt.Errorf("list format %q is not known, want one of %s", name, strings.Join(known, ", "))
}
