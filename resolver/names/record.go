package names

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/resolver/wire"
)

// Record is one record of a name.
type Record struct {
	Name domain.Name
	Type uint16
	TTL  uint32 // seconds
	Data []byte // wire form, not compressed
	At   Place
}

// Place is where something is written.
type Place struct {
	File string
	Line int // from 1
}

// maxTTL is the longest TTL that a record may have, in seconds: a week.
const maxTTL = 7 * 24 * 3600

// ParseRecord reads one record as it stands in a zone file (RFC 1035, section 5.1), but with a whole name, whether or not it ends in a dot.
// TTL and class may be left out: ttl and IN. The error says what is wrong with text, without text.
func ParseRecord(text string, ttl time.Duration) (Record, error) {
	rr, err := parseOne(text, ttl)
	if err != nil {
		return Record{}, err
	}
	h := rr.Header()
	switch {
	case h.Name == "":
		return Record{}, errNone
	case h.Class != dns.ClassINET:
		return Record{}, fmt.Errorf("found the class %s, want IN", dns.ClassToString[h.Class])
	case slices.Contains(foreign, h.Rrtype):
		return Record{}, fmt.Errorf("%s is of no use here: want records of plain data, such as A, AAAA, CNAME, TXT, MX, SRV or PTR",
			dns.TypeToString[h.Rrtype])
	case h.Ttl > maxTTL:
		return Record{}, fmt.Errorf("a TTL of %d seconds is too long: want %d (a week) at most", h.Ttl, maxTTL)
	}
	buf := make([]byte, wire.MaxMessage)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return Record{}, errors.New(plain(err))
	}
	owner, _ := wire.NextName(buf[:end])
	name, ok := domain.FromWire(owner)
	if !ok {
		return Record{}, fmt.Errorf("%q is not a domain name", h.Name)
	}
	if name == wildcard+domain.Root {
		return Record{}, errors.New("* alone stands for every name there is: want one such as *.apps.example")
	}
	data := slices.Clone(buf[len(owner)+fixedLen : end])
	if len(data) == 0 {
		return Record{}, errors.New("there is nothing behind the type")
	}
	if !fits(buf[:end], owner, h.Rrtype) {
		return Record{}, fmt.Errorf("the data is not that of the type %s", dns.TypeToString[h.Rrtype])
	}
	lowerTarget(h.Rrtype, data)
	return Record{Name: name, Type: h.Rrtype, TTL: h.Ttl, Data: data}, nil
}

// fits says whether record, of that owner and type, has data of its type: in the form of RFC 3597 anything can be written.
func fits(record, owner []byte, rtype uint16) bool {
	msg := make([]byte, wire.HeaderLen, wire.HeaderLen+len(owner)+4+len(record))
	binary.BigEndian.PutUint16(msg[2:], wire.FlagQR)
	binary.BigEndian.PutUint16(msg[4:], 1)
	binary.BigEndian.PutUint16(msg[6:], 1)
	msg = append(msg, owner...)
	msg = binary.BigEndian.AppendUint16(msg, rtype)
	msg = binary.BigEndian.AppendUint16(msg, wire.ClassINET)
	_, err := wire.ReadMessage(append(msg, record...))
	return err == nil
}

// lowerTarget makes a name that an answer leads to canonical: policy judges it, and aliases are followed.
func lowerTarget(rtype uint16, data []byte) {
	switch rtype {
	case wire.TypeCNAME:
		wire.Lower(data)
	case wire.TypeSVCB, wire.TypeHTTPS:
		target, _ := wire.NextName(data[2:])
		wire.Lower(target)
	}
}

// fixedLen is the length of what stands between a record's owner and its data: type, class, TTL, length.
const fixedLen = 10

// foreign are types that an answer from here can't have: those that are no data, that are followed by rule, and that signatures need.
var foreign = []uint16{
	dns.TypeNone, dns.TypeOPT, dns.TypeTSIG, dns.TypeTKEY, dns.TypeANY, dns.TypeAXFR, dns.TypeIXFR, dns.TypeMAILA, dns.TypeMAILB,
	dns.TypeSOA, dns.TypeDNAME,
	dns.TypeRRSIG, dns.TypeSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeDS, dns.TypeDNSKEY,
}

var errNone = errors.New("there is no record, want one such as: intranet.example 3600 A 192.0.2.10")

func parseOne(text string, ttl time.Duration) (dns.RR, error) {
	text = strings.TrimSpace(text)
	owner, _, _ := strings.Cut(text, " ")
	switch {
	case strings.ContainsAny(text, "\r\n"):
		return nil, errors.New("want one record, on one line")
	case strings.HasPrefix(text, "$"):
		return nil, errors.New("directives such as $ORIGIN are not known here: want whole names")
	case strings.IndexFunc(owner, func(r rune) bool { return r >= 0x80 }) >= 0:
		return nil, fmt.Errorf("%q has letters beyond ASCII: want the name in punycode, xn--…", owner)
	}
	parser := dns.NewZoneParser(strings.NewReader(text+"\n"), ".", "")
	parser.SetDefaultTTL(uint32(ttl / time.Second))
	rr, ok := parser.Next()
	switch {
	case parser.Err() != nil:
		return nil, errors.New(plain(parser.Err()))
	case !ok:
		return nil, errNone
	}
	return rr, nil
}

// plain is an error of the parser without its own name and, as there is one line only, the line.
func plain(err error) string {
	text := strings.ReplaceAll(err.Error(), "dns: ", "")
	return strings.Replace(text, "at line: 1:", "at octet ", 1)
}
