package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// Sizes in octets.
const (
	HeaderLen   = 12
	MaxName     = 255   // RFC 1035, section 2.3.4
	MaxMessage  = 65535 // RFC 1035, section 4.2.2: the length prefix of a stream
	MinUDP      = 512   // RFC 1035, section 4.2.1: what every client takes
	MaxUDP      = 1232  // what we send and ask for over UDP (DNS Flag Day 2020)
	maxLabel    = 63
	pointerBits = 0xC0
)

// Header flags, RFC 1035, section 4.1.1 and RFC 4035, section 3.
const (
	FlagQR = 1 << 15
	FlagAA = 1 << 10
	FlagTC = 1 << 9
	FlagRD = 1 << 8
	FlagRA = 1 << 7
	FlagAD = 1 << 5
	FlagCD = 1 << 4

	opcodeMask  = 0xF << 11
	opcodeShift = 11
	flagDO      = 1 << 15 // in the OPT TTL's low half, RFC 6891, section 6.1.4
)

// Problem is what is wrong with a message that claims to be a query.
type Problem uint8

// The problems that a query can have. All but Drop are answered.
const (
	None           Problem = iota
	Drop                   // no query at all: shorter than a header, or a response; answering it could go on for ever
	FormatError            // FORMERR: does not parse, or QDCOUNT is not 1 (RFC 9619)
	NotImplemented         // NOTIMP: an opcode other than QUERY
	BadVersion             // BADVERS: an EDNS version above 0 (RFC 6891, section 6.1.3)
)

// Query is one query as bytes. Its zero value is ready for [Query.Parse] and may be parsed into again and again: nothing is
// allocated. A Query is used by one goroutine at a time; whoever keeps it past the call that got it makes a [Query.Clone].
type Query struct {
	Msg     []byte // the message; owned by the listener, dead when its buffer is used again
	Problem Problem

	ID    uint16
	Flags uint16
	Name  []byte // canonical: wire form, uncompressed, lower case, with the root label; nil if the question did not parse
	Type  uint16
	Class uint16

	OPT      bool   // the query has an OPT record: so has the answer
	UDPSize  uint16 // what the client takes over UDP, as it said; 0 without OPT
	DO       bool
	signals  signals
	own      bool   // see JudgeAs
	claimAt  uint16 // where the data of an option [OptionClaim] begins in Msg, 0 without one
	claimEnd uint16 // and where it ends

	Client netip.AddrPort // who asks; an IPv4 address is never in its IPv6-mapped form
	Stream bool           // came over a stream: nothing is truncated
	Now    time.Time      // when the listener read it; one reading of the clock a batch
	Worker int            // index of the listener that reads it, 0 ≤ Worker < the number of listeners; picks a counter shard

	questionEnd int
	name        [MaxName]byte
	as          netip.Addr // see JudgeAs; not valid unless own
}

// Claim is the data of an option [OptionClaim], nil without one. It views q.Msg. Anybody may send one, so it says nothing by itself.
func (q *Query) Claim() []byte {
	if q.claimAt == 0 {
		return nil
	}
	return q.Msg[q.claimAt:q.claimEnd]
}

// JudgeAs says that this process asks itself, and that its question is to be judged as one of a. It holds until the next Parse.
func (q *Query) JudgeAs(a netip.Addr) { q.own, q.as = true, a }

// Own says whether this process asks itself: then it is no client's question, and not counted as one.
func (q *Query) Own() bool { return q.own }

// Asker is the address by which the question is judged: the client's, but for a question of our own.
func (q *Query) Asker() netip.Addr {
	if q.own {
		return q.as
	}
	return q.Client.Addr()
}

// Opcode is what the query wants done (RFC 1035, section 4.1.1): 0, a question, unless q.Problem is [NotImplemented].
func (q *Query) Opcode() int { return int(q.Flags & opcodeMask >> opcodeShift) }

// OpcodeNotify says that a zone has changed (RFC 1996, section 3.1).
const OpcodeNotify = 4

// Parse reads msg into q and returns q.Problem. It sets everything but Client, Stream, Now and Worker. Everything up to
// the problem is filled in: a FORMERR for a query whose question was readable repeats that question.
func (q *Query) Parse(msg []byte) Problem {
	q.Msg, q.ID, q.Flags, q.Name, q.Type, q.Class = msg, 0, 0, nil, 0, 0
	q.OPT, q.UDPSize, q.DO, q.signals.n, q.questionEnd = false, 0, false, 0, 0
	q.own, q.claimAt, q.claimEnd = false, 0, 0
	q.Problem = q.parse(msg)
	return q.Problem
}

func (q *Query) parse(msg []byte) Problem {
	if len(msg) < HeaderLen {
		return Drop
	}
	q.ID = binary.BigEndian.Uint16(msg)
	q.Flags = binary.BigEndian.Uint16(msg[2:])
	if q.Flags&FlagQR != 0 {
		return Drop
	}
	if q.Flags&opcodeMask != 0 {
		q.parseUnasked(msg)
		return NotImplemented
	}
	if binary.BigEndian.Uint16(msg[4:]) != 1 {
		q.parseUnasked(msg)
		return FormatError
	}
	if !q.parseQuestion(msg) {
		return FormatError
	}
	return q.parseRecords(msg, q.questionEnd)
}

// parseUnasked looks for the OPT record of a message that does not ask one question, so that its error has one too (RFC 6891, section
// 6.1.1). Messages of other opcodes may have another form: what does not parse is left alone.
func (q *Query) parseUnasked(msg []byte) {
	off := HeaderLen
	for range binary.BigEndian.Uint16(msg[4:]) {
		var ok bool
		if off, ok = skipName(msg, off); !ok || off+4 > len(msg) {
			return
		}
		off += 4
	}
	q.parseRecords(msg, off)
}

// parseQuestion reads the one question. A compression pointer in it could only point into the header, so it is an error.
func (q *Query) parseQuestion(msg []byte) bool {
	end := plainNameEnd(msg, HeaderLen)
	if end == 0 || end+4 > len(msg) {
		return false
	}
	q.Name = q.name[:end-HeaderLen]
	lowerInto(q.Name, msg[HeaderLen:end])
	q.Type = binary.BigEndian.Uint16(msg[end:])
	q.Class = binary.BigEndian.Uint16(msg[end+2:])
	q.questionEnd = end + 4
	return true
}

// plainNameEnd returns the offset behind the name at off, 0 if that is not sound or has a compression pointer.
func plainNameEnd(msg []byte, off int) int {
	most := min(len(msg), off+MaxName)
	for off < most {
		label := int(msg[off])
		off += 1 + label
		if label == 0 {
			return off
		}
		if label > maxLabel {
			return 0
		}
	}
	return 0
}

// parseRecords walks what follows the question, from off on, and reads the OPT record. The message must end where the last record ends.
func (q *Query) parseRecords(msg []byte, off int) Problem {
	before := int(binary.BigEndian.Uint16(msg[6:])) + int(binary.BigEndian.Uint16(msg[8:]))
	additional := int(binary.BigEndian.Uint16(msg[10:]))
	version := byte(0)
	for i := range before + additional {
		owner := off
		var ok bool
		if off, ok = skipName(msg, off); !ok || off+10 > len(msg) {
			return FormatError
		}
		fixed := msg[off : off+10]
		end := off + 10 + int(binary.BigEndian.Uint16(fixed[8:]))
		if end > len(msg) {
			return FormatError
		}
		if binary.BigEndian.Uint16(fixed) == TypeOPT {
			if i < before || msg[owner] != 0 || !q.readOPT(fixed, msg[off+10:end]) {
				return FormatError
			}
			version = fixed[5]
		}
		off = end
	}
	if off != len(msg) {
		return FormatError
	}
	if version != 0 {
		return BadVersion
	}
	return None
}

// readOPT reads the OPT record, of which there is at most one, in the additional section, owned by the root (RFC 6891,
// section 6.1.1). The options of a version above 0 may have another form: that version is what the answer is about.
func (q *Query) readOPT(fixed, options []byte) bool {
	if q.OPT {
		return false
	}
	q.OPT = true
	q.UDPSize = binary.BigEndian.Uint16(fixed[2:])
	q.DO = binary.BigEndian.Uint16(fixed[6:])&flagDO != 0
	return fixed[5] != 0 || q.readOptions(options)
}

// readOptions says whether an OPT record's data is a sequence of whole options, and notes those without data, and a claim.
func (q *Query) readOptions(data []byte) bool {
	for len(data) > 0 {
		n := optionLen(data)
		if n == 0 {
			return false
		}
		code := binary.BigEndian.Uint16(data)
		if n == optionHeaderLen {
			q.signals.add(code)
		} else if code == OptionClaim {
			q.claimAt = uint16(cap(q.Msg) - cap(data) + optionHeaderLen) // data is a part of q.Msg
			q.claimEnd = q.claimAt + uint16(n-optionHeaderLen)
		}
		data = data[n:]
	}
	return true
}

// validOptions says whether an OPT record's data is a sequence of whole options.
func validOptions(data []byte) bool {
	for len(data) > 0 {
		n := optionLen(data)
		if n == 0 {
			return false
		}
		data = data[n:]
	}
	return true
}

// OptionClaim is the EDNS option by which a query of this process' own says whose it is to be judged as, of those for local use (RFC 6891,
// section 9). From anybody else it is as any unknown option.
const OptionClaim = 65253

// optionHeaderLen is the length of an option without data: code and length.
const optionHeaderLen = 4

// optionLen is the length of the option that data begins with, 0 if it is not whole.
func optionLen(data []byte) int {
	if len(data) < optionHeaderLen {
		return 0
	}
	n := optionHeaderLen + int(binary.BigEndian.Uint16(data[2:]))
	if n > len(data) {
		return 0
	}
	return n
}

// signals are the codes of EDNS options without data, by which a client says what it understands: the first of them, and no more,
// so that a query with thousands costs what one with none does.
type signals struct {
	codes [8]uint16
	n     uint8
}

func (s *signals) add(code uint16) {
	if int(s.n) < len(s.codes) {
		s.codes[s.n] = code
		s.n++
	}
}

// Signals says whether the query has the EDNS option code without data, among the first 8 that have none. A clone knows it too.
func (q *Query) Signals(code uint16) bool {
	return slices.Contains(q.signals.codes[:q.signals.n], code)
}

// skipName returns the offset behind the name at off. A pointer ends a name; where it points to is of no interest here.
func skipName(msg []byte, off int) (int, bool) {
	for n := 0; off < len(msg); {
		label := int(msg[off])
		switch {
		case label == 0:
			return off + 1, true
		case label >= pointerBits:
			return off + 2, off+2 <= len(msg)
		case label > maxLabel:
			return 0, false
		}
		off += 1 + label
		if n += 1 + label; n >= MaxName {
			return 0, false
		}
	}
	return 0, false
}

// RD, AD and CD are the header bits of the same names.
func (q *Query) RD() bool { return q.Flags&FlagRD != 0 }

// AD says that the client understands the AD bit of an answer (RFC 6840, section 5.7).
func (q *Query) AD() bool { return q.Flags&FlagAD != 0 }

// CD says that the client wants data that was not validated (RFC 4035, section 3.2.2).
func (q *Query) CD() bool { return q.Flags&FlagCD != 0 }

// RawQuestion is the question as the client spelled it, or nil if it did not parse. It views q.Msg.
func (q *Query) RawQuestion() []byte {
	if q.questionEnd == 0 {
		return nil
	}
	return q.Msg[HeaderLen:q.questionEnd]
}

// Clone is a copy of q that shares nothing with it.
func (q *Query) Clone() *Query {
	c := new(Query)
	q.CloneTo(c)
	return c
}

// CloneTo makes c, which is not q, what [Query.Clone] returns. What room c.Msg has is used again: it must be c's own.
func (q *Query) CloneTo(c *Query) {
	msg := c.Msg[:0]
	msg = append(msg, q.Msg[:max(q.questionEnd, min(len(q.Msg), HeaderLen))]...)
	*c = *q
	c.Msg, c.claimAt, c.claimEnd = msg, 0, 0
	if q.Name != nil {
		c.Name = c.name[:len(q.Name)]
	}
}

// Limit is the largest answer that the client of q takes, in octets.
func (q *Query) Limit() int {
	switch {
	case q.Stream:
		return MaxMessage
	case !q.OPT:
		return MinUDP
	default:
		return min(MaxUDP, max(MinUDP, int(q.UDPSize)))
	}
}

// lower maps ASCII capitals to small letters and every other octet to itself (RFC 4343, section 3).
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = byte(c) + 'a' - 'A'
	}
	return t
}()
