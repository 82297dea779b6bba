// Package answer makes the answers that no upstream gave: refusals, failures, and the names that are answered here.
//
//	verdict: refuse ──▶ Refusal ─┐      NXDOMAIN │ NODATA │ null address │ REFUSED, and EDE with the Reason
//	no upstream answer ▶ Failure ─┼──▶ bytes
//	outside the ACL ──▶ Prohibited┤      REFUSED, EDE 18
//	RFC 6761 and friends ▶ Local ─┘      NXDOMAIN │ NODATA │ a few fixed records
//
// All of them append to a buffer of the caller, allocate nothing, and may be called from any number of goroutines at once. An
// answer is never authoritative (AA=0), always offers recursion (RA=1), and its AD bit is clear: nothing here was validated.
//
// What a refused client is told in words is a [Reason], as plain text or, for who asks for that, as [Structured]. These texts are made
// once, before anybody is refused.
//
// Not its job: to decide which answer it should be.
package answer

import (
	"encoding/binary"

	"cordon/resolver/wire"
)

// Mode is how a refusal looks to the client.
type Mode uint8

// The modes of a refusal.
const (
	NXDomain Mode = iota // the name does not exist; every client stops there
	NoData               // the name exists, the type does not; says nothing of the names below
	Refused              // RCODE 5: clients go on to their next server
	NullIP               // 0.0.0.0 and ::, NODATA for every other type
)

// Refusal says how to refuse.
type Refusal struct {
	Mode  Mode
	Owner int       // for NXDomain: the offset in the question's name of the suffix that is denied, 0 for the whole name
	TTL   uint32    // seconds, ≥ 1; TTL and MINIMUM of the SOA (RFC 2308, section 5), TTL of a null address
	EDE   *wire.EDE // not nil
}

// AppendRefusal appends the refusal of q to dst. A refusal is small: it never sets TC.
func AppendRefusal(dst []byte, q *wire.Query, r Refusal) []byte {
	switch r.Mode {
	case Refused:
		return appendBare(dst, q, wire.Refused, r.EDE)
	case NullIP:
		if data := nullAddress(q.Type); data != nil {
			return appendRecord(dst, q, q.Type, r.TTL, data, r.EDE)
		}
		return appendNegative(dst, q, wire.Success, 0, r.TTL, r.EDE)
	case NoData:
		return appendNegative(dst, q, wire.Success, 0, r.TTL, r.EDE)
	default:
		return appendNegative(dst, q, wire.NXDomain, r.Owner, r.TTL, r.EDE)
	}
}

// AppendFailure appends SERVFAIL with ede to dst.
func AppendFailure(dst []byte, q *wire.Query, ede wire.EDE) []byte {
	return appendBare(dst, q, wire.ServFail, &ede)
}

// AppendProhibited appends the answer to a client that may not ask at all: REFUSED with EDE 18 (RFC 8914, section 4.19).
func AppendProhibited(dst []byte, q *wire.Query) []byte {
	return appendBare(dst, q, wire.Refused, &wire.EDE{Code: wire.EDEProhibited})
}

// AppendPassed appends the answer to a query of our own that policy lets pass and that an upstream would be asked for: no record, EDE 0.
func AppendPassed(dst []byte, q *wire.Query) []byte {
	return appendBare(dst, q, wire.Success, &wire.EDE{Code: wire.EDEOther, Text: "passed"})
}

// AppendProblem appends the error that q.Problem calls for. q.Problem is neither None nor Drop.
func AppendProblem(dst []byte, q *wire.Query) []byte {
	switch q.Problem {
	case wire.NotImplemented:
		return appendBare(dst, q, wire.NotImp, &none)
	case wire.BadVersion:
		return appendBare(dst, q, wire.BadVers, &none)
	default:
		return appendBare(dst, q, wire.FormErr, &none)
	}
}

// AppendMeta appends the answer to what is not a look-up in the Internet's tree, and says whether q is such a thing. The
// types are those of RFC 6895, section 3.1.
func AppendMeta(dst []byte, q *wire.Query) ([]byte, bool) {
	switch {
	case q.Class != wire.ClassINET:
		return appendBare(dst, q, wire.Refused, &wire.EDE{Code: wire.EDENotSupported, Text: "class IN only"}), true
	case q.Type == wire.TypeANY:
		return appendRecord(dst, q, wire.TypeHINFO, anyTTL, anyHINFO, &none), true
	case q.Type == wire.TypeAXFR || q.Type == wire.TypeIXFR:
		return appendBare(dst, q, wire.Refused, &wire.EDE{Code: wire.EDENotSupported, Text: "no zone transfer"}), true
	case q.Type == wire.TypeMAILA || q.Type == wire.TypeMAILB:
		return appendBare(dst, q, wire.NotImp, &none), true
	case q.Type == 0 || q.Type == wire.TypeOPT || q.Type >= wire.TypeTKEY && q.Type <= wire.TypeTSIG:
		return appendBare(dst, q, wire.FormErr, &none), true
	case !q.RD():
		return appendBare(dst, q, wire.Refused, &wire.EDE{Code: wire.EDENotAuthoritative}), true
	}
	return dst, false
}

// anyHINFO answers ANY (RFC 8482, section 4.2) for anyTTL seconds.
var anyHINFO = []byte("\x07RFC8482\x00")

const anyTTL = 3600

var none = wire.EDE{Code: wire.EDENone}

func nullAddress(rtype uint16) []byte {
	var zero [16]byte
	switch rtype {
	case wire.TypeA:
		return zero[:4]
	case wire.TypeAAAA:
		return zero[:]
	}
	return nil
}

func appendBare(dst []byte, q *wire.Query, rcode wire.Rcode, ede *wire.EDE) []byte {
	start := len(dst)
	dst = wire.Begin(dst, q, rcode, 0)
	return wire.Finish(dst, start, q, rcode, wire.Sections{}, ede)
}

func appendRecord(dst []byte, q *wire.Query, rtype uint16, ttl uint32, data []byte, ede *wire.EDE) []byte {
	start := len(dst)
	dst = wire.Begin(dst, q, wire.Success, 0)
	dst = wire.AppendRR(dst, questionName[:], rtype, q.Class, ttl, data)
	return wire.Finish(dst, start, q, wire.Success, wire.Sections{Answer: 1}, ede)
}

// questionName is a compression pointer to the question's name.
var questionName = [2]byte{0xC0, wire.HeaderLen}

// appendNegative appends an answer without records but the SOA, owned by the question's name from offset owner on.
func appendNegative(dst []byte, q *wire.Query, rcode wire.Rcode, owner int, ttl uint32, ede *wire.EDE) []byte {
	start := len(dst)
	dst = wire.Begin(dst, q, rcode, 0)
	dst = binary.BigEndian.AppendUint16(dst, 0xC000|uint16(wire.HeaderLen+owner))
	dst = AppendSOA(dst, q.Class, ttl)
	return wire.Finish(dst, start, q, rcode, wire.Sections{Authority: 1}, ede)
}

// AppendSOA appends an SOA record without its owner. Nobody transfers this zone, so only TTL and MINIMUM say anything: a
// negative answer may be kept for the lower of the two (RFC 2308, section 5).
func AppendSOA(dst []byte, class uint16, ttl uint32) []byte {
	dst = binary.BigEndian.AppendUint16(dst, wire.TypeSOA)
	dst = binary.BigEndian.AppendUint16(dst, class)
	dst = binary.BigEndian.AppendUint32(dst, ttl)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(soaNames)+5*4))
	dst = append(dst, soaNames...)
	for _, n := range [...]uint32{1, 3600, 1200, 604800, ttl} { // serial, refresh, retry, expire, minimum
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return dst
}

// soaNames are the primary server and the mailbox of a zone that is made up (RFC 6303, section 3).
const soaNames = "\x09localhost\x00" + "\x06nobody\x07invalid\x00"
