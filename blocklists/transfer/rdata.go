package transfer

import (
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

// layout says where the names are in the data of a type, all of which stand one behind the other:
//
//	| fixed octets | character-strings | names | rest |
type layout struct {
	fixed, strings, names int
	rest                  int // octets; anything if negative
}

// canonicalLayout is the layout of the types whose names are written without compression and in lower case in canonical form
// (RFC 4034, section 6.2; RFC 6840, section 5.1): those that may be compressed in a message (RFC 3597, section 4), and RRSIG. The
// data of all other types are octets.
func canonicalLayout(rtype uint16) (layout, bool) {
	switch rtype {
	case dns.TypeNS, dns.TypeCNAME, dns.TypePTR, dns.TypeDNAME, dns.TypeMD, dns.TypeMF, dns.TypeMB, dns.TypeMG, dns.TypeMR:
		return layout{names: 1}, true
	case dns.TypeSOA:
		return layout{names: 2, rest: soaNumbers}, true
	case dns.TypeMINFO, dns.TypeRP:
		return layout{names: 2}, true
	case dns.TypeMX, dns.TypeAFSDB, dns.TypeRT, dns.TypeKX:
		return layout{fixed: 2, names: 1}, true
	case dns.TypePX:
		return layout{fixed: 2, names: 2}, true
	case dns.TypeSRV:
		return layout{fixed: 6, names: 1}, true
	case dns.TypeNAPTR:
		return layout{fixed: 4, strings: 3, names: 1}, true
	case dns.TypeSIG, dns.TypeRRSIG:
		return layout{fixed: 18, names: 1, rest: -1}, true
	case dns.TypeNXT:
		return layout{names: 1, rest: -1}, true
	default:
		return layout{}, false
	}
}

// appendData appends the canonical form of the data octets[at:end] of a record, in which names may be compressed. It reports false
// for data that are not of the type's form.
func appendData(dst []byte, rtype uint16, octets []byte, at, end int) ([]byte, bool) {
	form, ok := canonicalLayout(rtype)
	if !ok {
		return append(dst, octets[at:end]...), wellFormed(rtype, octets[at:end])
	}
	names := at + form.fixed
	for range form.strings {
		if names >= end {
			return nil, false
		}
		names += 1 + int(octets[names])
	}
	if names > end {
		return nil, false
	}
	dst = append(dst, octets[at:names]...)
	for range form.names {
		if dst, names, ok = readName(dst, octets[:end], names); !ok {
			return nil, false
		}
	}
	dst = append(dst, octets[names:end]...)
	return dst, form.rest < 0 || end-names == form.rest
}

// wellFormed says whether data can be data of a type without names of the canonical layouts. Of unknown types anything can.
func wellFormed(rtype uint16, data []byte) bool {
	switch rtype {
	case dns.TypeA:
		return len(data) == 4
	case dns.TypeAAAA:
		return len(data) == 16
	}
	if _, known := dns.TypeToRR[rtype]; !known {
		return true
	}
	if len(data) == 0 {
		return rtype == dns.TypeNULL || rtype == dns.TypeAPL
	}
	_, err := unpackData(rtype, data)
	return err == nil
}

// unpackData is a record of the root with the data.
func unpackData(rtype uint16, data []byte) (dns.RR, error) {
	head := dns.RR_Header{Name: ".", Rrtype: rtype, Class: dns.ClassINET, Rdlength: uint16(len(data))}
	rr, _, err := dns.UnpackRRWithHeader(head, data, 0)
	return rr, err
}

// soaNumbers is the length of the five numbers behind the names of a SOA record (RFC 1035, section 3.3.13).
const soaNumbers = 20

// soa is what a SOA record says of its zone.
type soa struct {
	serial                 uint32
	refresh, retry, expire uint32 // seconds
	ttl                    uint32
	key                    string // see record
}

func newSOA(r record) soa {
	numbers := r.key[len(r.key)-soaNumbers:]
	number := func(i int) uint32 { return binary.BigEndian.Uint32(numbers[4*i:]) }
	return soa{serial: number(0), refresh: number(1), retry: number(2), expire: number(3), ttl: r.ttl, key: string(r.key)}
}

// record is a record of a zone in canonical form. It may view a buffer that is used again.
type record struct {
	// key is all of the record but its TTL, so that records of the zone sort by their keys as RFC 4034, section 6, and RFC 8976,
	// section 3.3.1, say: the labels of the owner below the apex from the last to the first, each with a 0 behind it, one more 0,
	// the type in two octets, and the data. In a label, octets 0 and 1 are 1 1 and 1 2.
	key   []byte
	ttl   uint32 // seconds
	rtype uint16
	apex  bool // the owner is the apex
}

// readRecord reads the canonical form of r, which must belong to the zone. Its key is in buf.
func readRecord(buf []byte, zone domain.Name, m *message, r rawRecord) (record, error) {
	var name [domain.MaxWire]byte
	owner, _, ok := readName(name[:0], m.octets, r.owner)
	if !ok {
		return record{}, errMalformed
	}
	if err := belongs(zone, owner, r); err != nil {
		return record{}, err
	}
	key := appendOwner(buf[:0], owner[:len(owner)-len(zone)])
	key = binary.BigEndian.AppendUint16(key, r.rtype)
	key, ok = appendData(key, r.rtype, m.octets, r.data, r.end)
	if !ok {
		return record{}, fmt.Errorf("the data of the %s record of %s are malformed", typeText(r.rtype), domain.Name(owner))
	}
	return record{key: key, ttl: r.ttl, rtype: r.rtype, apex: len(owner) == len(zone)}, nil
}

// belongs says what keeps a record out of the zone.
func belongs(zone domain.Name, owner []byte, r rawRecord) error {
	switch {
	case !within(owner, zone):
		return fmt.Errorf("a record of %s is not in the zone", domain.Name(owner))
	case r.class != dns.ClassINET:
		return fmt.Errorf("the %s record of %s is of class %d, want IN", typeText(r.rtype), domain.Name(owner), r.class)
	case r.rtype == 0 || r.rtype == dns.TypeOPT || r.rtype == dns.TypeReserved || 128 <= r.rtype && r.rtype <= 255: // RFC 6895, section 3.1
		return fmt.Errorf("a record of %s is of type %s, which no zone can have", domain.Name(owner), typeText(r.rtype))
	case r.rtype == dns.TypeSOA && len(owner) != len(zone):
		return fmt.Errorf("a SOA record of %s, which is not the apex of the zone", domain.Name(owner))
	default:
		return nil
	}
}

// within says whether owner is zone or below it. It is [domain.Name.Within] without a copy.
func within(owner []byte, zone domain.Name) bool {
	at := 0
	for at < len(owner)-len(zone) {
		at += 1 + int(owner[at])
	}
	return at == len(owner)-len(zone) && string(owner[at:]) == string(zone)
}

// appendOwner appends the part of a key for the labels in wire, which are those below the apex, without a root label.
func appendOwner(key, wire []byte) []byte {
	var starts [domain.MaxWire / 2]int
	count := 0
	for at := 0; at < len(wire); at += 1 + int(wire[at]) {
		starts[count] = at
		count++
	}
	for count--; count >= 0; count-- {
		at := starts[count]
		for _, c := range wire[at+1 : at+1+int(wire[at])] {
			if c <= 1 {
				key = append(key, 1)
				c++
			}
			key = append(key, c)
		}
		key = append(key, 0)
	}
	return append(key, 0)
}

// splitKey is what appendOwner and the rest of readRecord joined. owner is in wire form, appended to buf.
func splitKey(buf, key []byte, zone domain.Name) (owner []byte, rtype uint16, data []byte) {
	end := 0
	for end < len(key) && key[end] != 0 {
		for key[end] != 0 {
			end++
		}
		end++
	}
	owner = appendLabels(buf, key[:end])
	rest := key[end+1:]
	return append(owner, zone...), binary.BigEndian.Uint16(rest), rest[2:]
}

// appendLabels appends the labels of a key's owner in wire form, the last of the key first.
func appendLabels(wire, labels []byte) []byte {
	for end := len(labels); end > 0; {
		start := end - 1
		for start > 0 && labels[start-1] != 0 {
			start--
		}
		size := len(wire)
		wire = append(wire, 0)
		for i := start; i < end-1; i++ {
			c := labels[i]
			if c == 1 {
				i++
				c = labels[i] - 1
			}
			wire = append(wire, c)
		}
		wire[size] = byte(len(wire) - size - 1)
		end = start
	}
	return wire
}

// typeText is a type as people know it: "CNAME", or "TYPE65400".
func typeText(rtype uint16) string { return dns.Type(rtype).String() }
