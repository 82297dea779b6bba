package transfer

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

const (
	maxNotify        = 1232 // octets: a NOTIFY has a question, perhaps a SOA record, and TSIG
	maxNotifyRecords = 8
)

// Notifies answers the messages by which primaries say that a zone changed (RFC 1996). It knows no sockets. The zero value answers
// nobody. It is safe for concurrent use.
type Notifies struct {
	table atomic.Pointer[notifyTable]
}

// notifyTable is which zones an address may speak of. It is immutable.
type notifyTable map[netip.Addr][]*Zone

// Set replaces the zones. A zone may be there more than once, with other primaries.
func (n *Notifies) Set(zones []*Zone) {
	table := notifyTable{}
	for _, z := range zones {
		for _, p := range z.c.Primaries {
			table.allow(p.Addr(), z)
		}
		for _, addr := range z.c.NotifyFrom {
			table.allow(addr, z)
		}
	}
	n.table.Store(&table)
}

func (t notifyTable) allow(addr netip.Addr, z *Zone) {
	addr = plainAddr(addr)
	if !slices.Contains(t[addr], z) {
		t[addr] = append(t[addr], z)
	}
}

// plainAddr is addr as it is compared: a socket may write an IPv4 address as IPv6, and a scope with one that is link-local.
func plainAddr(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Handle takes a message of opcode NOTIFY that came from an address, by UDP or TCP. ok is whether answer is to be sent; if not,
// the message is none of a declared primary's about its zone, and the caller answers as it does to an opcode that it does not
// know. zone is the name of the zone to ask for, as [domain.Name.String] has it, "" for none.
//
// A message of a stranger costs a look into a table. query is overwritten.
func (n *Notifies) Handle(from netip.Addr, query []byte) (answer []byte, zone string, ok bool) {
	table := n.table.Load()
	if table == nil {
		return nil, "", false
	}
	zones := (*table)[plainAddr(from)]
	if len(zones) == 0 {
		return nil, "", false
	}
	m, ok := readNotify(query)
	if !ok {
		return nil, "", false
	}
	for _, z := range zones {
		if z.c.Zone == m.name {
			return z.notified(&m)
		}
	}
	return nil, "", false
}

// readNotify reads a NOTIFY about a zone (RFC 1996, section 3.7). What it says of the new SOA record is not looked at: the primary
// is asked for it.
func readNotify(query []byte) (message, bool) {
	if len(query) < headerLen || len(query) > maxNotify {
		return message{}, false
	}
	records := 0
	for at := 6; at < headerLen; at += 2 {
		records += int(binary.BigEndian.Uint16(query[at:]))
	}
	if records > maxNotifyRecords {
		return message{}, false
	}
	m, err := parseMessage(query)
	if err != nil || m.flags&(flagQR|flagTC) != 0 || m.opcode() != dns.OpcodeNotify || m.rcode() != dns.RcodeSuccess {
		return message{}, false
	}
	return m, m.name != "" && m.qtype == dns.TypeSOA && m.qclass == dns.ClassINET
}

// notified answers a NOTIFY of a primary (RFC 1996, section 3.12; RFC 8945, section 5.2).
func (z *Zone) notified(m *message) (answer []byte, zone string, ok bool) {
	switch {
	case m.tsig == 0 && z.c.RequireTSIG:
		return m.reply(z.c.Zone, dns.RcodeRefused), "", true
	case m.tsig == 0:
		return m.reply(z.c.Zone, dns.RcodeSuccess), z.text, true
	case z.c.TSIG == nil:
		return z.refuse(m, &tsigError{code: dns.RcodeBadKey}, nil)
	}
	key, err := z.c.TSIG.load()
	if err != nil {
		z.c.Log.Error("a NOTIFY cannot be checked", "zone", z.text, "error", err)
		return m.reply(z.c.Zone, dns.RcodeServerFailure), "", true
	}
	claimed, err := readTSIG(m)
	if err != nil {
		return m.reply(z.c.Zone, dns.RcodeFormatError), "", true
	}
	now := time.Now()
	if err := newVerifier(key, nil).check(m, now); err != nil {
		var fault *tsigError
		if !errors.As(err, &fault) {
			return m.reply(z.c.Zone, dns.RcodeFormatError), "", true
		}
		z.c.Log.Warn("a NOTIFY is not signed as it should be", "zone", z.text, "error", err)
		return z.refuse(m, fault, key)
	}
	answer, _ = key.sign(m.reply(z.c.Zone, dns.RcodeSuccess), claimed.mac, tsig{signed: uint64(now.Unix())})
	return answer, z.text, true
}

// refuse answers a message whose signature is not good. The answer is signed only if the time alone was wrong: it has our time
// (RFC 8945, section 5.2.3).
func (z *Zone) refuse(m *message, fault *tsigError, key *secretKey) (answer []byte, zone string, ok bool) {
	answer = m.reply(z.c.Zone, dns.RcodeNotAuth)
	if fault.code == dns.RcodeBadTime {
		now := uint64(time.Now().Unix())
		other := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, uint16(now>>32)), uint32(now))
		answer, _ = key.sign(answer, fault.mac, tsig{signed: fault.signed, code: fault.code, other: other})
		return answer, "", true
	}
	claimed, err := readTSIG(m)
	if err != nil {
		return m.reply(z.c.Zone, dns.RcodeFormatError), "", true
	}
	t := tsig{name: claimed.name, algorithm: claimed.algorithm, signed: claimed.signed, fudge: fudge, id: m.id, code: fault.code}
	return t.appendTo(answer), "", true
}

// reply is the answer to m without records.
func (m *message) reply(zone domain.Name, rcode int) []byte {
	answer := make([]byte, headerLen, 512)
	binary.BigEndian.PutUint16(answer, m.id)
	binary.BigEndian.PutUint16(answer[2:], flagQR|flagAA|m.flags&opcodeMask|uint16(rcode))
	answer[5] = 1
	answer = append(answer, zone...)
	answer = binary.BigEndian.AppendUint16(answer, m.qtype)
	return binary.BigEndian.AppendUint16(answer, m.qclass)
}
