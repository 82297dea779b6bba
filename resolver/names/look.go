package names

import (
	"encoding/binary"
	"net/netip"

	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

// Where says where the answer to a question is.
type Where uint8

// The places of an answer.
const (
	Nowhere Where = iota // the name is not in the table
	Here                 // all of it is in the table
	Away                 // the name is an alias whose end is not in the table
)

// Found is what a table has for a question. It views the table. Its zero value is nothing.
type Found struct {
	Where Where

	table    *Table
	sets     [maxSteps]uint32 // the aliases, and then the set that was asked for, if there is one
	steps    int
	negative bool // there is none of that type
	endless  bool
}

// Look is what t has for the canonical name and the type, which is one of data. It allocates nothing.
func (t *Table) Look(name []byte, rtype uint16) (f Found) {
	if t == nil {
		return f
	}
	i := t.node(name)
	if i < 0 {
		return f
	}
	f.table = t
	for f.steps < maxSteps {
		if s := t.set(i, rtype); s >= 0 {
			f.step(s)
			f.Where = Here
			return f
		}
		alias := t.set(i, wire.TypeCNAME)
		if alias < 0 {
			f.Where, f.negative = Here, true
			return f
		}
		f.step(alias)
		if i = t.node(t.target(alias)); i < 0 {
			f.Where = Away
			return f
		}
	}
	f.endless = true
	return f
}

func (f *Found) step(s int) {
	f.sets[f.steps] = uint32(s)
	f.steps++
}

// target is the name that the alias s leads to.
func (t *Table) target(s int) []byte {
	data, _ := next(t.text[t.sets[s].records:])
	return data
}

// Leads appends to names and addrs what the answer leads to, as package cache does it for answers of upstreams.
func (f *Found) Leads(names [][]byte, addrs []netip.Addr) ([][]byte, []netip.Addr) {
	for _, number := range f.sets[:f.steps] {
		s := f.table.sets[number]
		var data []byte
		for records, n := f.table.text[s.records:], s.count; n > 0; n-- {
			data, records = next(records)
			switch s.rtype {
			case wire.TypeA, wire.TypeAAAA:
				addrs = appendAddrs(addrs, data, len(data))
			case wire.TypeCNAME:
				names = append(names, data)
			case wire.TypeSVCB, wire.TypeHTTPS:
				names, addrs = appendService(names, addrs, data)
			}
		}
	}
	return names, addrs
}

// appendService appends what the data of an SVCB or HTTPS record leads to: its target, but for the root, and the hints.
func appendService(names [][]byte, addrs []netip.Addr, data []byte) ([][]byte, []netip.Addr) {
	if len(data) < 3 {
		return names, addrs
	}
	target, params := wire.NextName(data[2:])
	if len(target) > 1 {
		names = append(names, target)
	}
	ipv4, ipv6 := wire.Hints(params)
	return names, appendAddrs(appendAddrs(addrs, ipv4, 4), ipv6, 16)
}

// appendAddrs appends the addresses of size octets that stand in data one behind the other.
func appendAddrs(addrs []netip.Addr, data []byte, size int) []netip.Addr {
	for ; size > 0 && len(data) >= size; data = data[size:] {
		if addr, ok := netip.AddrFromSlice(data[:size]); ok {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// Append appends the answer to q, for which f was found Here. No TTL in it is above most, unless that is 0. It allocates nothing if dst has
// room.
func (f *Found) Append(dst []byte, q *wire.Query, most uint32) []byte {
	w := writer{start: len(dst), most: most}
	w.dst = wire.Begin(dst, q, wire.Success, 0)
	w.owner[0], w.owner[1] = 0xC0, wire.HeaderLen
	w.ownerLen = 2
	for _, number := range f.sets[:f.steps] {
		w.set(f.table, f.table.sets[number])
	}
	counts := wire.Sections{Answer: w.records}
	if f.negative {
		w.dst = append(w.dst, w.owner[:w.ownerLen]...)
		w.dst = answer.AppendSOA(w.dst, wire.ClassINET, w.ttl(f.table.ttl))
		counts.Authority = 1
	}
	return wire.Finish(w.dst, w.start, q, wire.Success, counts, &none)
}

var none = wire.EDE{Code: wire.EDENone}

// writer writes the records of an answer.
type writer struct {
	dst      []byte
	start    int // of the message
	most     uint32
	records  uint16
	owner    [wire.MaxName]byte // of the next set: a name, or a pointer to one
	ownerLen int
}

func (w *writer) ttl(ttl uint32) uint32 {
	if w.most == 0 {
		return ttl
	}
	return min(ttl, w.most)
}

// set writes s. What an alias leads to is the owner of what comes next.
func (w *writer) set(t *Table, s set) {
	records := t.text[s.records:]
	for range s.count {
		var data []byte
		data, records = next(records)
		w.dst = wire.AppendRR(w.dst, w.owner[:w.ownerLen], s.rtype, wire.ClassINET, w.ttl(s.ttl), data)
		w.records++
		if s.rtype != wire.TypeCNAME {
			continue
		}
		if at := len(w.dst) - len(data) - w.start; at < 0x4000 {
			binary.BigEndian.PutUint16(w.owner[:], 0xC000|uint16(at))
			w.ownerLen = 2
		} else {
			w.ownerLen = copy(w.owner[:], data)
		}
	}
}
