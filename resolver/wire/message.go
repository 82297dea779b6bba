package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// Message is an upstream's answer as bytes. Whoever has one from [ReadMessage] may rely on it: every record lies within
// Msg, and every name in an owner or in the data of a type that holds names is sound. It is a small value and views Msg,
// which must not change.
type Message struct {
	Msg   []byte
	ID    uint16
	Flags uint16
	Rcode Rcode // with the high bits of the OPT record, if there is one
	Type  uint16
	Class uint16
	OPT   bool // there is an OPT record

	counts  Sections
	records int // offset of the first record
}

// Section is where in a message a record stands.
type Section uint8

// The sections behind the question.
const (
	Answer Section = iota
	Authority
	Additional
)

// Record is one record of a [Message]: offsets into Message.Msg.
type Record struct {
	Section Section
	Type    uint16
	Class   uint16
	TTL     uint32 // seconds, as sent: values above 2^31-1 mean 0 (RFC 2181, section 8)
	Owner   int    // where the owner's name begins
	Data    int    // where the data begins
	End     int    // where the data ends, and so the record
}

// MalformedError says where an upstream's message breaks which rule.
type MalformedError struct {
	Offset int // octets from the start of the message
	Reason string
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("read upstream message: at octet %d: %s", e.Offset, e.Reason)
}

// ReadMessage checks msg, which it keeps, in one pass of linear time: a response to a standard query, with exactly one
// question, with as many records as the header says and nothing behind them; each record within the message; names of 255
// octets at most whose compression pointers lead backward; data as long as RDLENGTH says, where we know the type: 4 octets
// of A, 16 of AAAA, names that end within the data, whole character-strings, bitmaps and SVCB parameters. An OPT record may
// be there once, in the additional section, owned by the root (RFC 6891, section 6.1.1).
// The error is a *[MalformedError]. ReadMessage does not compare anything with what was asked.
func ReadMessage(msg []byte) (Message, error) {
	m := Message{Msg: msg}
	if len(msg) < HeaderLen || len(msg) > MaxMessage {
		return Message{}, &MalformedError{len(msg), "a message has 12 to 65535 octets"}
	}
	m.ID = binary.BigEndian.Uint16(msg)
	m.Flags = binary.BigEndian.Uint16(msg[2:])
	m.Rcode = Rcode(m.Flags & rcodeMask)
	m.counts = Sections{
		Answer:     binary.BigEndian.Uint16(msg[6:]),
		Authority:  binary.BigEndian.Uint16(msg[8:]),
		Additional: binary.BigEndian.Uint16(msg[10:]),
	}
	if m.Flags&(FlagQR|opcodeMask) != FlagQR {
		return Message{}, &MalformedError{2, "not a response to a standard query"}
	}
	if binary.BigEndian.Uint16(msg[4:]) != 1 {
		return Message{}, &MalformedError{4, "not exactly one question"}
	}
	off, ok := checkName(msg, HeaderLen)
	if !ok || off+4 > len(msg) {
		return Message{}, &MalformedError{HeaderLen, "the question is not whole"}
	}
	m.Type = binary.BigEndian.Uint16(msg[off:])
	m.Class = binary.BigEndian.Uint16(msg[off+2:])
	m.records = off + 4
	if err := m.check(); err != nil {
		return Message{}, err
	}
	return m, nil
}

// check looks at every record. A count that lies cannot make it run on: a record has 11 octets at least.
func (m *Message) check() error {
	off := m.records
	for i := range m.total() {
		r, ok := m.record(off, i)
		if !ok {
			return &MalformedError{off, "the record is not whole"}
		}
		if _, ok := checkName(m.Msg, r.Owner); !ok {
			return &MalformedError{off, "the owner is no sound name"}
		}
		if r.Type == TypeOPT {
			ok = m.readOPT(r)
		} else {
			ok = layoutOf(r.Type).check(m.Msg, r.Data, r.End)
		}
		if !ok {
			return &MalformedError{r.Data, "the data does not fit its type"}
		}
		off = r.End
	}
	if off != len(m.Msg) {
		return &MalformedError{off, "octets behind the last record"}
	}
	return nil
}

func (m *Message) readOPT(r Record) bool {
	if m.OPT || r.Section != Additional || m.Msg[r.Owner] != 0 || !validOptions(m.Msg[r.Data:r.End]) {
		return false
	}
	m.OPT = true
	m.Rcode |= Rcode(r.TTL>>24) << 4
	return true
}

func (m *Message) total() int {
	return int(m.counts.Answer) + int(m.counts.Authority) + int(m.counts.Additional)
}

// record reads the record at off, which is number i of the message.
func (m *Message) record(off, i int) (Record, bool) {
	fixed, ok := skipName(m.Msg, off)
	if !ok || fixed+10 > len(m.Msg) {
		return Record{}, false
	}
	r := Record{
		Section: m.section(i),
		Type:    binary.BigEndian.Uint16(m.Msg[fixed:]),
		Class:   binary.BigEndian.Uint16(m.Msg[fixed+2:]),
		TTL:     binary.BigEndian.Uint32(m.Msg[fixed+4:]),
		Owner:   off,
		Data:    fixed + 10,
	}
	r.End = r.Data + int(binary.BigEndian.Uint16(m.Msg[fixed+8:]))
	return r, r.End <= len(m.Msg)
}

func (m *Message) section(i int) Section {
	switch {
	case i < int(m.counts.Answer):
		return Answer
	case i < int(m.counts.Answer)+int(m.counts.Authority):
		return Authority
	default:
		return Additional
	}
}

// Counts are the numbers of records, OPT included.
func (m *Message) Counts() Sections { return m.counts }

// Records yields every record in the order of the message, OPT included. It allocates nothing.
func (m *Message) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		off := m.records
		for i := range m.total() {
			r, ok := m.record(off, i)
			if !ok || !yield(r) {
				return
			}
			off = r.End
		}
	}
}

// RepeatsQuestion says that the name at off is the question's, by a compression pointer, as it is in nearly every answer.
func (m *Message) RepeatsQuestion(off int) bool {
	return off+2 <= len(m.Msg) && m.Msg[off] == pointerBits && m.Msg[off+1] == HeaderLen
}

// DataNames says where in the data of r names stand: n names, one behind the other from the offset at. compress says
// whether they may be sent compressed (RFC 3597, section 4). Types without names, and those that we do not know, have n 0.
func (m *Message) DataNames(r Record) (at, n int, compress bool) {
	l := layoutOf(r.Type)
	at, ok := l.namesAt(m.Msg, r.Data, r.End)
	if !ok || l.names == 0 {
		return r.Data, 0, false
	}
	return at, int(l.names), l.compress
}
