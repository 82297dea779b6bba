package cache

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"cordon/resolver/wire"
)

// Entry is what is kept of one upstream's answer, or the memory of a failure to get one. It is made by [Keep] or
// [NewFailure], does not change and is safe for concurrent use.
type Entry struct {
	fields   uint64
	block    []byte        // name | records | TTL offsets | names that it leads to | IPv4 addresses | IPv6 addresses
	failed   *wire.EDE     // set if there is no answer
	stored   time.Duration // since epoch
	lifetime uint32        // seconds
	records  uint32        // where in block the records end
	ttls     uint32        // where in block the TTL offsets end
	names    uint32        // where in block the names end
	ipv4     uint32        // where in block the IPv4 addresses end
	counts   wire.Sections
	rcode    wire.Rcode
	nameLen  uint8

	authentic  bool
	incomplete bool

	clean    atomic.Uint64 // the snapshot under which nothing in it matches
	deferred atomic.Int64  // nanoseconds after stored until which an upstream need not be asked again, or somebody does
}

// epoch is what moments are counted from: a [time.Time] is three words, of which the garbage collector follows one.
var epoch = time.Now() //nolint:gochecknoglobals // never changes

// Times of RFC 8767, section 5 and RFC 9520, section 3.2.
const (
	StaleTTL   = 30 // seconds: TTL of every record of a stale answer
	minFailure = time.Second
	maxFailure = 5 * time.Second
)

// NewFailure is the memory that k could not be answered at now (RFC 9520): for lifetime, which is brought into 1 s … 5 s,
// [Entry.Append] answers SERVFAIL with ede. [Cache.Put] says what becomes of it when there is something better. k is copied.
func NewFailure(k Key, ede wire.EDE, lifetime time.Duration, now time.Time) *Entry {
	lifetime = min(max(lifetime, minFailure), maxFailure)
	e := newEntry(len(k.Name))
	e.fields, e.nameLen = k.fields(), uint8(len(k.Name))
	e.stored, e.lifetime = now.Sub(epoch), uint32((lifetime+time.Second-1)/time.Second)
	e.failed, e.rcode = &ede, wire.ServFail
	e.block = append(e.block, k.Name...)
	end := uint32(len(k.Name))
	e.records, e.ttls, e.names, e.ipv4 = end, end, end, end
	return e
}

// Options are what differs from one answer out of an entry to the next.
type Options struct {
	Now    time.Time
	TTLCap uint32   // seconds; no TTL is above it; 0 for no cap
	Stale  bool     // the entry has expired: every TTL is [StaleTTL], AD is not set (RFC 8767, section 5)
	EDE    wire.EDE // the extended error to send; with wire.EDENone a failure sends its own
}

// Append appends the whole answer to q to dst: TTLs are aged, AD is set if the entry has it and the client of q set AD or
// DO (RFC 6840, section 5.8), an answer that is too long for the client has TC and no records. q must have the key's name,
// type and class; an answer to a name of another length would be garbage, so that gets SERVFAIL. No allocation happens if
// dst has room for [wire.Query.Limit] octets.
func (e *Entry) Append(dst []byte, q *wire.Query, o Options) []byte {
	start := len(dst)
	ede := o.EDE
	if e.failed != nil && ede.Code == wire.EDENone {
		ede = *e.failed
	}
	question := q.RawQuestion()
	if len(question) != int(e.nameLen)+4 {
		dst = wire.Begin(dst, q, wire.ServFail, 0)
		return wire.Finish(dst, start, q, wire.ServFail, wire.Sections{}, &ede)
	}
	var flags uint16
	if e.authentic && !o.Stale && (q.AD() || q.DO) {
		flags = wire.FlagAD
	}
	records := e.block[e.nameLen:e.records]
	if wire.HeaderLen+len(question)+len(records) > q.Limit() {
		dst = wire.Begin(dst, q, e.rcode, flags|wire.FlagTC)
		return wire.Finish(dst, start, q, e.rcode, wire.Sections{}, &ede)
	}
	dst = wire.Begin(dst, q, e.rcode, flags)
	at := len(dst)
	dst = append(dst, records...)
	e.write(dst[at:], o)
	return wire.Finish(dst, start, q, e.rcode, e.counts, &ede)
}

// write writes the TTLs of records, a copy of the entry's, as o wants them.
func (e *Entry) write(records []byte, o Options) {
	age := e.Age(o.Now)
	for offsets := e.block[e.records:e.ttls]; len(offsets) >= 2; offsets = offsets[2:] {
		field := records[binary.BigEndian.Uint16(offsets):]
		ttl := binary.BigEndian.Uint32(field)
		switch {
		case o.Stale:
			ttl = StaleTTL
		case ttl > age:
			ttl -= age
		default:
			ttl = 0
		}
		if o.TTLCap != 0 {
			ttl = min(ttl, o.TTLCap)
		}
		binary.BigEndian.PutUint32(field, ttl)
	}
}

// Key is the key that e was made for. Its name views the entry.
func (e *Entry) Key() Key {
	return Key{
		Name:  e.name(),
		Type:  uint16(e.fields),
		Class: uint16(e.fields >> 16),
		Route: uint16(e.fields >> 32),
		DO:    e.fields>>48&1 != 0,
		CD:    e.fields>>49&1 != 0,
	}
}

func (e *Entry) name() []byte { return e.block[:e.nameLen:e.nameLen] }

// Rcode is wire.Success, wire.NXDomain or, for a failure, wire.ServFail.
func (e *Entry) Rcode() wire.Rcode { return e.rcode }

// Failed says whether e is the memory of a failure.
func (e *Entry) Failed() bool { return e.failed != nil }

// Incomplete says that the answer neither has the asked type nor proves that there is none: its aliases end nowhere, or it
// is empty without an SOA record. It may be sent, but is not worth much.
func (e *Entry) Incomplete() bool { return e.incomplete }

// Names are the names that the answer leads to: owners and targets of its CNAME and DNAME records and the names that these
// come to, TargetNames of SVCB and HTTPS records, but not the question's and not the root. They are canonical wire names,
// one behind the other: [wire.NextName] splits them. The result views the entry.
func (e *Entry) Names() []byte { return e.block[e.ttls:e.names] }

// Addrs appends the addresses that the answer leads to: of A and AAAA records, and of the address hints of SVCB and HTTPS. An
// IPv4 address is never in its IPv6-mapped form. The IPv4 addresses come first.
func (e *Entry) Addrs(dst []netip.Addr) []netip.Addr {
	for octets := e.block[e.names:e.ipv4]; len(octets) >= 4; octets = octets[4:] {
		dst = append(dst, netip.AddrFrom4([4]byte(octets)))
	}
	for octets := e.block[e.ipv4:]; len(octets) >= 16; octets = octets[16:] {
		dst = append(dst, netip.AddrFrom16([16]byte(octets)))
	}
	return dst
}

// Clean says whether nothing in e matches any list of the snapshot with this id (from 1). It is always so for an entry that
// leads nowhere.
func (e *Entry) Clean(snapshot uint64) bool {
	return e.clean.Load() == snapshot || int(e.ttls) == len(e.block)
}

// MarkClean remembers that nothing in e matches any list of the snapshot with this id. Only one id is remembered.
func (e *Entry) MarkClean(snapshot uint64) { e.clean.Store(snapshot) }

// Lifetime is how long the entry is fresh, counted from when it was made. 0 means that it may be used for the question that
// brought it and for no other.
func (e *Entry) Lifetime() time.Duration { return time.Duration(e.lifetime) * time.Second }

// Remaining is how long from now the entry is fresh; 0 or less if it has expired.
func (e *Entry) Remaining(now time.Time) time.Duration { return e.Lifetime() - e.age(now) }

// age is for how long e has been kept; below 0 if the clock was set back.
func (e *Entry) age(now time.Time) time.Duration { return now.Sub(epoch) - e.stored }

// Age is for how many whole seconds the entry has been kept, at least 0.
func (e *Entry) Age(now time.Time) uint32 {
	return uint32(min(max(e.age(now)/time.Second, 0), 1<<31))
}

// An entry is due in the last 1/dueShare of a lifetime of minDue at least: below, its renewal would be asked for about as often as it is.
const (
	dueShare = 10
	minDue   = 10 // seconds
)

// due says whether e should be renewed at this age, if it is asked for often.
func (e *Entry) due(age time.Duration) bool {
	return (e.Lifetime()-age)*dueShare <= e.Lifetime() && e.lifetime >= minDue && e.failed == nil && !e.incomplete &&
		int64(age) >= e.deferred.Load()
}

// Claim says whether the caller is to renew e, which is [Due] at now: of all who find it so, one. Another attempt is due when half of the
// time that is left is over, and no sooner than in a second, in case that this one comes to nothing.
func (e *Entry) Claim(now time.Time) bool {
	age, put := e.age(now), e.deferred.Load()
	left := e.Lifetime() - age
	return int64(age) >= put && left > 0 && e.deferred.CompareAndSwap(put, int64(age+min(max(left/2, time.Second), left)))
}

// Deferred says that an attempt to renew the entry failed so lately that no upstream should be asked at now: the failure
// was put into the cache and is still in force.
func (e *Entry) Deferred(now time.Time) bool {
	return int64(e.age(now)) < e.deferred.Load()
}

// putOff makes e remember the failure f instead of giving up its place to it. What was put off for longer stays so.
func (e *Entry) putOff(f *Entry) {
	until := int64(f.stored - e.stored + f.Lifetime())
	for {
		if put := e.deferred.Load(); put >= until || e.deferred.CompareAndSwap(put, until) {
			return
		}
	}
}

// state is what e is good for at now, counted from epoch, where an expired answer may be used for as long as stale.
func (e *Entry) state(now, stale time.Duration) State {
	left := e.Lifetime() - (now - e.stored)
	switch {
	case left > 0:
		return Fresh
	case left+stale > 0 && e.failed == nil && !e.incomplete:
		return Stale
	default:
		return Miss
	}
}

// entrySize is what the allocator takes for an Entry itself: a size that it hands out.
const entrySize = int(unsafe.Sizeof(Entry{}))

// size is what e takes of the heap, in octets: the capacity of its block is what the allocator gave, in a piece of its own or beside e.
func (e *Entry) size() int64 {
	n := entrySize + cap(e.block)
	if e.failed != nil {
		n += int(unsafe.Sizeof(wire.EDE{}))
	}
	return int64(n)
}
