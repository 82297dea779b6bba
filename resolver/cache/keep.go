package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"cordon/resolver/wire"
)

// Bounds of what is kept of one answer.
const (
	MaxTTL         = 86400 // seconds
	MaxNegativeTTL = 900   // seconds: of an answer that says that there is nothing (RFC 2308, section 5)
	incompleteTTL  = 30    // seconds
	maxSteps       = 12    // aliases from the question to the end of the chain
	maxSet         = 100   // records of an RRset, and signatures of one
	maxSection     = 256   // records of the answer or the authority section that are looked at
	maxAddrs       = 256   // addresses that an answer leads to
	// maxBody leaves room for header, question and OPT, so that a stream takes every answer.
	maxBody = wire.MaxMessage - wire.HeaderLen - wire.MaxName - 4 - 11
)

// What can be wrong with an answer whose bytes are sound. All of them come wrapped out of [Keep].
var (
	ErrQuestion      = errors.New("the question is not the one that was asked")
	ErrTruncated     = errors.New("the answer is truncated; it has to be asked for over a stream")
	ErrReferral      = errors.New("a referral, not an answer: the upstream does not recurse")
	ErrChain         = errors.New("the aliases form a loop, or are more than 12, or lead to a name above 255 octets")
	ErrTooLarge      = errors.New("more than 100 records in a set, 256 in a section, 256 addresses or 64 KiB in all")
	ErrContradiction = errors.New("the response code says that there is no such name, the records say that there is")
)

// RcodeError is a response code that is no answer: neither NOERROR nor NXDOMAIN.
type RcodeError struct{ Rcode wire.Rcode }

func (e *RcodeError) Error() string {
	return fmt.Sprintf("response code %d is no answer", e.Rcode)
}

// Keep makes an entry of an upstream's message, which came at now for k. Kept are
//
//  1. the chain of CNAME and DNAME records from k.Name on, in whatever order they stand, of 12 steps at most; with a DNAME
//     record the chain goes on also where its CNAME record is missing (RFC 6672, section 3.1);
//  2. the RRset of k.Type at the end of the chain;
//  3. if there is none, the SOA record, if its owner holds the name at the end of the chain;
//  4. with k.DO, the signatures of all these, and the NSEC and NSEC3 records of the authority section with theirs;
//
// all of k.Class, and nothing else: no delegation, no address beside the answer, no record that was not asked for.
//
// TTLs: one above 2^31-1 is 0, one above [MaxTTL] is that, an RRset has its lowest. The entry lives as long as the lowest
// of all. A negative answer lives, and its SOA record says, min(TTL of SOA, MINIMUM, [MaxNegativeTTL]); without SOA it
// does not live at all (RFC 2308, section 5). NOERROR with aliases that end without data and without SOA lives 30 s at most.
//
// trusted says that the upstream validates and that nobody stands between: only then its AD bit is remembered.
// The message is copied. Errors wrap a *[wire.MalformedError], a *[RcodeError] or one of the Err values of this package.
func Keep(k Key, msg []byte, now time.Time, trusted bool) (*Entry, error) {
	m, err := wire.ReadMessage(msg)
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	if err := suits(&m, k); err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	w := walks.Get().(*walk) //nolint:errcheck // the pool holds nothing else
	defer w.end()
	w.begin(k, m)
	if err := w.run(); err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	return w.entry(now, trusted), nil
}

// suits looks at everything before the records.
func suits(m *wire.Message, k Key) error {
	n := m.Counts()
	switch {
	case m.Type != k.Type || m.Class != k.Class || !wire.EqualName(m.Msg, wire.HeaderLen, k.Name):
		return ErrQuestion
	case m.Rcode != wire.Success && m.Rcode != wire.NXDomain:
		return &RcodeError{m.Rcode}
	case m.Flags&wire.FlagTC != 0:
		return ErrTruncated
	case n.Answer > maxSection || n.Authority > maxSection:
		return ErrTooLarge
	default:
		return nil
	}
}

// walk is the way along the chain.
type walk struct {
	k        Key
	m        wire.Message
	out      writer
	lifetime uint32
	counts   wire.Sections
	steps    int
	found    bool // the RRset at the end of the chain
	soa      wire.Record

	answers, authorities []wire.Record // of the two sections, in recordBuf if that has room
	recordBuf            [16]wire.Record

	dnames     [maxSteps + 1]int // owners of the DNAME records that are kept
	dnameCount int

	name      []byte // where the chain has come to; canonical, in nameBuf
	nameBuf   [wire.MaxName]byte
	ownerBuf  [wire.MaxName]byte
	targetBuf [wire.MaxName]byte
	leads     leads
}

// walks are used again: a walk is some KiB of buffers.
var walks = sync.Pool{New: func() any { return new(walk) }}

func (w *walk) begin(k Key, m wire.Message) {
	w.k, w.m, w.lifetime = k, m, MaxTTL
	w.counts, w.steps, w.found, w.soa, w.dnameCount = wire.Sections{}, 0, false, wire.Record{}, 0
	w.name = append(w.nameBuf[:0], k.Name...)
	w.out.begin(k.Name)
	w.leads.begin(k.Name)
	w.list()
}

// list takes the records of the two sections out of the message, which are gone through many times.
func (w *walk) list() {
	all := w.recordBuf[:0]
	for r := range w.m.Records() {
		if r.Section == wire.Additional {
			break
		}
		all = append(all, r)
	}
	n := w.m.Counts().Answer
	w.answers, w.authorities = all[:n:n], all[n:]
}

// end lets go of what belongs to others, and of what grew.
func (w *walk) end() {
	w.k, w.m, w.answers, w.authorities = Key{}, wire.Message{}, nil, nil
	w.out.begin(rootName)
	w.leads.begin(rootName)
	walks.Put(w)
}

var rootName = []byte{0}

func (w *walk) run() error {
	if err := w.follow(); err != nil {
		return err
	}
	if w.found && w.m.Rcode == wire.NXDomain {
		return ErrContradiction
	}
	w.counts.Answer = uint16(len(w.out.ttls))
	if err := w.authority(); err != nil {
		return err
	}
	w.counts.Authority = uint16(len(w.out.ttls)) - w.counts.Answer
	return w.judge()
}

// judge sets the lifetime of an answer without data and without SOA, which proves nothing.
func (w *walk) judge() error {
	switch {
	case w.found || w.soa.End != 0:
	case w.m.Rcode == wire.NXDomain:
		w.lifetime = 0
	case w.steps > 0:
		w.lifetime = min(w.lifetime, incompleteTTL)
	case w.delegates():
		return ErrReferral
	default:
		w.lifetime = 0
	}
	return nil
}

// delegates says whether there is an NS record in the authority section.
func (w *walk) delegates() bool {
	return slices.ContainsFunc(w.authorities, func(r wire.Record) bool { return r.Type == wire.TypeNS })
}

func (w *walk) entry(now time.Time, trusted bool) *Entry {
	l := &w.leads
	records := len(w.k.Name) + len(w.out.body)
	ttls := records + 2*len(w.out.ttls)
	names := ttls + len(l.names)
	ipv4 := names + len(l.ipv4)
	e := newEntry(ipv4 + len(l.ipv6))
	e.fields, e.nameLen = w.k.fields(), uint8(len(w.k.Name))
	e.stored, e.lifetime = now.Sub(epoch), w.lifetime
	e.counts, e.rcode = w.counts, w.m.Rcode
	e.authentic = trusted && w.m.Flags&wire.FlagAD != 0
	e.incomplete = w.m.Rcode == wire.Success && !w.found && w.soa.End == 0
	e.records, e.ttls, e.names, e.ipv4 = uint32(records), uint32(ttls), uint32(names), uint32(ipv4)
	e.block = append(append(e.block, w.k.Name...), w.out.body...)
	for _, off := range w.out.ttls {
		e.block = binary.BigEndian.AppendUint16(e.block, off)
	}
	e.block = append(append(append(e.block, l.names...), l.ipv4...), l.ipv6...)
	return e
}

// leads gathers what an answer leads to.
type leads struct {
	question []byte
	names    []byte
	ipv4     []byte // addresses of 4 octets
	ipv6     []byte // addresses of 16 octets
	nameBuf  [512]byte
	ipv4Buf  [64]byte
	ipv6Buf  [128]byte
}

func (l *leads) begin(question []byte) {
	l.question, l.names, l.ipv4, l.ipv6 = question, l.nameBuf[:0], l.ipv4Buf[:0], l.ipv6Buf[:0]
}

// addrs is how many addresses there are.
func (l *leads) addrs() int { return len(l.ipv4)/4 + len(l.ipv6)/16 }

// name adds a canonical name, unless it is there, or the question's, or the root.
func (l *leads) name(name []byte) {
	if len(name) == 1 || slices.Equal(name, l.question) {
		return
	}
	for known, rest := wire.NextName(l.names); known != nil; known, rest = wire.NextName(rest) {
		if slices.Equal(known, name) {
			return
		}
	}
	l.names = append(l.names, name...)
}

// addresses adds the addresses of size octets each, 4 or 16, that data holds. One in IPv6-mapped form is the IPv4 address.
func (l *leads) addresses(data []byte, size int) {
	for ; len(data) >= size && l.addrs() <= maxAddrs; data = data[size:] {
		switch {
		case size == 4:
			l.ipv4 = append(l.ipv4, data[:4]...)
		case bytes.HasPrefix(data, ipv4Mapped):
			l.ipv4 = append(l.ipv4, data[12:16]...)
		default:
			l.ipv6 = append(l.ipv6, data[:16]...)
		}
	}
}

// ipv4Mapped is what an IPv4 address in IPv6 form begins with (RFC 4291, section 2.5.5.2).
var ipv4Mapped = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}
