package transfer

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

// TSIG is done here on octets, because miekg/dns checks one message at a time, every record of which it makes an object of, and
// takes no answer that has unsigned messages between the signed ones, as NSD sends it (RFC 8945, section 5.3.1). The tests have it
// as their oracle.

const (
	fudge       = 300 // seconds that clocks may differ (RFC 8945, section 10)
	maxUnsigned = 99  // messages of an answer between two signed ones (RFC 8945, section 5.3.1)
)

// tsig is a TSIG record (RFC 8945, section 4.2).
type tsig struct {
	name, algorithm domain.Name
	signed          uint64 // seconds since 1970
	fudge           uint16
	mac             []byte
	id              uint16 // that the message had
	code            uint16 // of an error, 0 for none
	other           []byte
}

// readTSIG reads the TSIG record of m.
func readTSIG(m *message) (tsig, error) {
	malformed := errors.New("the TSIG record is malformed")
	r, ok := m.record(m.tsig)
	var name, algorithm [domain.MaxWire]byte
	owner, _, okName := readName(name[:0], m.octets, r.owner)
	alg, at, okAlgorithm := readName(algorithm[:0], m.octets[:r.end], r.data)
	if !ok || !okName || !okAlgorithm || r.class != dns.ClassANY || r.ttl != 0 || at+10 > r.end {
		return tsig{}, malformed
	}
	data := m.octets[at:r.end]
	t := tsig{
		name: domain.Name(owner), algorithm: domain.Name(alg),
		signed: uint64(binary.BigEndian.Uint16(data))<<32 | uint64(binary.BigEndian.Uint32(data[2:])),
		fudge:  binary.BigEndian.Uint16(data[6:]),
	}
	size := int(binary.BigEndian.Uint16(data[8:]))
	if len(data) < 10+size+6 {
		return tsig{}, malformed
	}
	t.mac, data = data[10:10+size], data[10+size:]
	t.id, t.code = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	t.other = data[6:]
	if int(binary.BigEndian.Uint16(data[4:])) != len(t.other) {
		return tsig{}, malformed
	}
	return t, nil
}

// appendTo appends the record to a message, whose count of records it raises.
func (t *tsig) appendTo(msg []byte) []byte {
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)
	msg = append(msg, t.name...)
	msg = binary.BigEndian.AppendUint16(msg, dns.TypeTSIG)
	msg = binary.BigEndian.AppendUint16(msg, dns.ClassANY)
	msg = binary.BigEndian.AppendUint32(msg, 0)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(t.algorithm)+16+len(t.mac)+len(t.other)))
	msg = append(msg, t.algorithm...)
	msg = t.appendTimers(msg)
	msg = appendCounted(msg, t.mac)
	msg = binary.BigEndian.AppendUint16(msg, t.id)
	msg = binary.BigEndian.AppendUint16(msg, t.code)
	return appendCounted(msg, t.other)
}

// appendTimers appends the TSIG timers (RFC 8945, section 5.3.1).
func (t *tsig) appendTimers(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(t.signed>>32))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t.signed))
	return binary.BigEndian.AppendUint16(dst, t.fudge)
}

// appendVariables appends the TSIG variables (RFC 8945, section 4.3.3).
func (t *tsig) appendVariables(dst []byte) []byte {
	dst = append(dst, t.name...)
	dst = binary.BigEndian.AppendUint16(dst, dns.ClassANY)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = append(dst, t.algorithm...)
	dst = t.appendTimers(dst)
	dst = binary.BigEndian.AppendUint16(dst, t.code)
	return appendCounted(dst, t.other)
}

func appendCounted(dst, octets []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(octets))), octets...)
}

// digest begins a digest: behind the MAC of the message before, if there is one.
func (k *secretKey) digest(before []byte) hash.Hash {
	h := hmac.New(k.newHash, k.secret)
	if before != nil {
		h.Write(appendCounted(nil, before))
	}
	return h
}

// sign appends a TSIG record to msg and returns its MAC. before is the MAC of the query if msg is its answer, else nil. t has the
// fields of the record that are not the key's.
func (k *secretKey) sign(msg, before []byte, t tsig) (signed, mac []byte) {
	t.name, t.algorithm, t.fudge = k.name, k.algorithm, fudge
	t.id = binary.BigEndian.Uint16(msg)
	h := k.digest(before)
	h.Write(msg)
	h.Write(t.appendVariables(nil))
	t.mac = h.Sum(nil)
	return t.appendTo(msg), t.mac
}

// verifier checks the messages of one answer, or the one message of a query.
type verifier struct {
	key      *secretKey
	pending  hash.Hash // of what was not yet signed
	first    bool
	unsigned int // messages since the last signed one
}

// newVerifier is a verifier of the answer to the query that had the MAC query, or of a query if that is nil.
func newVerifier(key *secretKey, query []byte) *verifier {
	return &verifier{key: key, pending: key.digest(query), first: true}
}

// check takes the next message (RFC 8945, sections 5.2 and 5.3). The error is a [*tsigError] if the message is signed, but wrongly.
func (v *verifier) check(m *message, now time.Time) error {
	if m.tsig == 0 {
		v.unsigned++
		if v.first || v.unsigned > maxUnsigned {
			return fmt.Errorf("the answer is not signed (%s), want TSIG with the key %s", rcodeText(m.rcode()), v.key.name)
		}
		v.pending.Write(m.octets)
		return nil
	}
	t, err := readTSIG(m)
	if err != nil {
		return err
	}
	if t.name != v.key.name || t.algorithm != v.key.algorithm {
		return &tsigError{code: dns.RcodeBadKey, text: fmt.Sprintf("signed with the key %s and %s, want %s and %s",
			t.name, t.algorithm, v.key.name, v.key.algorithm)}
	}
	v.pending.Write(m.unsignedPart(t.id))
	if v.first {
		v.pending.Write(t.appendVariables(nil))
	} else {
		v.pending.Write(t.appendTimers(nil))
	}
	if mac := v.pending.Sum(nil); !hmac.Equal(mac, t.mac) {
		return &tsigError{code: dns.RcodeBadSig, text: fmt.Sprintf("the signature with the key %s is wrong: the secrets differ, "+
			"or somebody changed the message", v.key.name)}
	}
	v.pending, v.first, v.unsigned = v.key.digest(t.mac), false, 0
	if off := now.Unix() - int64(t.signed); off > int64(t.fudge) || -off > int64(t.fudge) {
		return &tsigError{code: dns.RcodeBadTime, text: fmt.Sprintf("signed %d s before our time, at most %d s may differ: set the clocks",
			off, t.fudge), mac: t.mac, signed: t.signed}
	}
	return nil
}

// end says whether the last message was signed.
func (v *verifier) end() error {
	if v.unsigned > 0 {
		return errors.New("the last message of the answer is not signed (RFC 8945, section 5.3.1)")
	}
	return nil
}

// unsignedPart is what of m was signed: without the TSIG record and with the ID that it had then. It is written over m, whose
// header is not needed any more.
func (m *message) unsignedPart(id uint16) []byte {
	part := m.octets[:m.tsig]
	binary.BigEndian.PutUint16(part, id)
	binary.BigEndian.PutUint16(part[10:], binary.BigEndian.Uint16(part[10:])-1)
	return part
}

// tsigError is why a signature is not good.
type tsigError struct {
	code   uint16 // BADKEY, BADSIG or BADTIME
	text   string
	mac    []byte // BADTIME: the MAC, which is right
	signed uint64 // BADTIME: when it was made
}

func (e *tsigError) Error() string { return "TSIG: " + e.text }

// complaint is what the primary says of our signature (RFC 8945, section 5.2), nil if it says nothing. Its answer is not
// signed, or not yet checked: it is good for an error only.
func complaint(m *message, key *secretKey) error {
	if m.tsig == 0 {
		return nil
	}
	t, err := readTSIG(m)
	if err != nil || t.code == 0 {
		return err
	}
	switch t.code {
	case dns.RcodeBadKey:
		return fmt.Errorf("the primary does not know the key %s with %s (BADKEY)", key.name, key.algorithm)
	case dns.RcodeBadSig:
		return fmt.Errorf("the primary has another secret for the key %s (BADSIG)", key.name)
	case dns.RcodeBadTime:
		return errors.New("the primary's clock differs from ours by more than 5 minutes (BADTIME): set the clocks")
	default:
		return fmt.Errorf("the primary refuses our signature: TSIG error %d", t.code)
	}
}
