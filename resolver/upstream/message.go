package upstream

import (
	"crypto/rand"
	"encoding/binary"

	"cordon/resolver/wire"
)

// ednsLen is the length of the OPT record that goes with a query: root, type, UDP size, flags, no options.
const ednsLen = 11

// maxQuery is the length of the longest query: header, question, OPT.
const maxQuery = wire.HeaderLen + wire.MaxName + 4 + ednsLen

const (
	opcodeMask = 0xF << 11
	flagDO     = 1 << 15 // RFC 6891, section 6.1.4
	maxLabel   = 63
)

// newID is an unpredictable message ID for a query over TCP. buf has room for two octets.
func newID(buf []byte) uint16 {
	_, _ = rand.Read(buf[:2]) // never fails: it ends the process instead
	return binary.BigEndian.Uint16(buf)
}

// appendTo appends the query for q. ad asks for the server's AD bit (RFC 6840, section 5.7).
func (q *question) appendTo(dst []byte, id uint16, ad, edns bool) []byte {
	flags := uint16(wire.FlagRD)
	if ad {
		flags |= wire.FlagAD
	}
	if q.cd {
		flags |= wire.FlagCD
	}
	additional := byte(0)
	if edns {
		additional = 1
	}
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, flags)
	dst = append(dst, 0, 1, 0, 0, 0, 0, 0, additional)
	dst = append(dst, q.name()...)
	dst = binary.BigEndian.AppendUint16(dst, q.rtype)
	dst = binary.BigEndian.AppendUint16(dst, q.class)
	if !edns {
		return dst
	}
	var ednsFlags uint16
	if q.do {
		ednsFlags = flagDO
	}
	dst = append(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, wire.TypeOPT)
	dst = binary.BigEndian.AppendUint16(dst, wire.MaxUDP)
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, ednsFlags)
	return append(dst, 0, 0)
}

// matches compares the header and question of msg with the query for q under id. The name may differ in case; it may not
// be compressed, since there is nothing before it to point to.
func (q *question) matches(msg []byte, id uint16) bool {
	if len(msg) < wire.HeaderLen || binary.BigEndian.Uint16(msg) != id {
		return false
	}
	flags := binary.BigEndian.Uint16(msg[2:])
	if flags&wire.FlagQR == 0 || flags&opcodeMask != 0 {
		return false
	}
	if bareError(msg) {
		return true
	}
	end := wire.HeaderLen + q.length
	return binary.BigEndian.Uint16(msg[4:]) == 1 && len(msg) >= end+4 &&
		binary.BigEndian.Uint16(msg[end:]) == q.rtype && binary.BigEndian.Uint16(msg[end+2:]) == q.class &&
		wire.EqualFold(msg[wire.HeaderLen:end], q.name())
}

// bareError says whether msg is a header that says FORMERR or NOTIMP and nothing else: so answer servers that don't know EDNS
// and don't read on (RFC 6891, section 7). It has no data, so somebody who forged it gains a retry without EDNS.
func bareError(msg []byte) bool {
	rcode := wire.Rcode(msg[3] & 0xF)
	return len(msg) == wire.HeaderLen && binary.BigEndian.Uint64(msg[4:]) == 0 && (rcode == wire.FormErr || rcode == wire.NotImp)
}

// validName says whether name is one whole name in canonical wire form.
func validName(name []byte) bool {
	if len(name) > wire.MaxName {
		return false
	}
	for off := 0; off < len(name); {
		length := int(name[off])
		if length == 0 {
			return off == len(name)-1
		}
		if length > maxLabel || off+1+length > len(name) {
			return false
		}
		for _, c := range name[off+1 : off+1+length] {
			if 'A' <= c && c <= 'Z' {
				return false
			}
		}
		off += 1 + length
	}
	return false
}
