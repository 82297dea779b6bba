package transfer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

const (
	headerLen    = 12
	opcodeNotify = 4
	opcodeMask   = 0xF << 11
	opcodeShift  = 11
	rcodeMask    = 0xF
	flagQR       = 1 << 15
	flagAA       = 1 << 10
	flagTC       = 1 << 9
)

var errMalformed = errors.New("the message is malformed")

// message is a DNS message (RFC 1035, section 4.1) of which the header and the question were read, and the rest was walked over
// once: every record is whole. It views octets.
type message struct {
	octets  []byte
	id      uint16
	flags   uint16
	name    domain.Name // of the question, "" if there is none
	qtype   uint16
	qclass  uint16
	answers int // how many
	records int // where the answers begin
	tsig    int // where the TSIG record begins, 0 if there is none; it is the last record
}

// rawRecord is a record of a message by its place in it.
type rawRecord struct {
	rtype, class uint16
	ttl          uint32
	owner        int // offset
	data, end    int // offsets of the data and of what follows it
}

// parseMessage reads a message with at most one question. A TSIG record must be the last of the additional section, as
// RFC 8945, section 5.1, says.
func parseMessage(octets []byte) (message, error) {
	if len(octets) < headerLen {
		return message{}, errMalformed
	}
	count := func(i int) int { return int(binary.BigEndian.Uint16(octets[4+2*i:])) }
	m := message{octets: octets, id: binary.BigEndian.Uint16(octets), flags: binary.BigEndian.Uint16(octets[2:]), answers: count(1)}
	at, ok := m.readQuestion(count(0))
	if !ok {
		return message{}, errMalformed
	}
	m.records = at
	total := count(1) + count(2) + count(3)
	for i := range total {
		r, ok := m.record(at)
		if !ok {
			return message{}, errMalformed
		}
		if r.rtype == dns.TypeTSIG {
			if i != total-1 || count(3) == 0 {
				return message{}, errors.New("a TSIG record is not the last record of its message (RFC 8945, section 5.1)")
			}
			m.tsig = at
		}
		at = r.end
	}
	if at != len(octets) {
		return message{}, errMalformed
	}
	return m, nil
}

// readQuestion reads count questions, 0 or 1, and returns where the records begin.
func (m *message) readQuestion(count int) (at int, ok bool) {
	if count == 0 {
		return headerLen, true
	}
	var buf [domain.MaxWire]byte
	name, at, ok := readName(buf[:0], m.octets, headerLen)
	if !ok || count > 1 || at+4 > len(m.octets) {
		return 0, false
	}
	m.name = domain.Name(name)
	m.qtype, m.qclass = binary.BigEndian.Uint16(m.octets[at:]), binary.BigEndian.Uint16(m.octets[at+2:])
	return at + 4, true
}

// record reads the record at an offset. It does not look at what its names are.
func (m *message) record(at int) (rawRecord, bool) {
	data, ok := skipName(m.octets, at)
	if !ok || data+10 > len(m.octets) {
		return rawRecord{}, false
	}
	head := m.octets[data:]
	r := rawRecord{
		rtype: binary.BigEndian.Uint16(head),
		class: binary.BigEndian.Uint16(head[2:]),
		ttl:   binary.BigEndian.Uint32(head[4:]),
		owner: at,
		data:  data + 10,
		end:   data + 10 + int(binary.BigEndian.Uint16(head[8:])),
	}
	return r, r.end <= len(m.octets)
}

func (m *message) opcode() int { return int(m.flags&opcodeMask) >> opcodeShift }
func (m *message) rcode() int  { return int(m.flags & rcodeMask) }

// repliesTo says whether m is an answer to the query with that ID and question. The later messages of a transfer need not repeat
// the question (RFC 5936, section 2.2.2).
func (m *message) repliesTo(id uint16, name domain.Name, qtype uint16) bool {
	if m.id != id || m.flags&flagQR == 0 || m.opcode() != dns.OpcodeQuery {
		return false
	}
	return m.name == "" || m.name == name && m.qtype == qtype && m.qclass == dns.ClassINET
}

// rcodeText is a response code as people know it: "REFUSED".
func rcodeText(code int) string {
	if text, ok := dns.RcodeToString[code]; ok {
		return text
	}
	return fmt.Sprintf("response code %d", code)
}

// skipName returns the offset behind the name at an offset.
func skipName(octets []byte, at int) (int, bool) {
	for at < len(octets) {
		switch size := int(octets[at]); {
		case size == 0:
			return at + 1, true
		case size >= 0xC0:
			return at + 2, at+2 <= len(octets)
		case size > domain.MaxLabel:
			return 0, false
		default:
			at += 1 + size
		}
	}
	return 0, false
}

// readName appends the name at an offset to dst, in lower case and without compression, and returns the offset behind it. Pointers
// must point backwards (RFC 1035, section 4.1.4), so that there is an end to them.
func readName(dst, octets []byte, at int) (name []byte, next int, ok bool) {
	start, limit := len(dst), at
	for at < len(octets) {
		size := int(octets[at])
		if size >= 0xC0 {
			target, ok := pointer(octets, at, limit)
			if !ok {
				return nil, 0, false
			}
			if next == 0 {
				next = at + 2
			}
			at, limit = target, target
			continue
		}
		end := at + 1 + size
		if size > domain.MaxLabel || end > len(octets) || len(dst)-start+1+size > domain.MaxWire {
			return nil, 0, false
		}
		dst = appendLower(dst, octets[at:end])
		if at = end; size > 0 {
			continue
		}
		return dst, cmp.Or(next, end), true
	}
	return nil, 0, false
}

// pointer is where the compression pointer at an offset leads, which must be before limit.
func pointer(octets []byte, at, limit int) (target int, ok bool) {
	if at+2 > len(octets) {
		return 0, false
	}
	target = int(binary.BigEndian.Uint16(octets[at:]) & 0x3FFF)
	return target, target < limit
}

// appendLower appends a label with its length, which is no letter.
func appendLower(dst, label []byte) []byte {
	for _, c := range label {
		dst = append(dst, lower(c))
	}
	return dst
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
