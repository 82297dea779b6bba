package names

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cordon/resolver/wire"
)

// Config is what a Table is made of.
type Config struct {
	Records []Record
	Hosts   []*Hosts      // the first file that names an address counts for its name
	TTL     time.Duration // of names of Hosts, and of answers without a record
}

// Fault is what is wrong with one of Config.Records.
type Fault struct {
	Record  int // its index; -1: with all together
	Message string
}

// Bounds of what a name has.
const (
	maxSet     = 100      // records of one type
	maxSetSize = 32 << 10 // octets of their data
	maxSteps   = 8        // sets from a question to the end of its aliases
	maxText    = 1 << 30  // octets of all; a name or a set more fits into 32 bits
)

// New makes a Table of c, nil if it has nothing. The Table is nil as well if there are faults.
func New(c Config) (*Table, []Fault) {
	named := 0
	for _, h := range c.Hosts {
		named += h.Names()
	}
	if named > 2*MaxNames { // sorting them takes room, however many are the same
		return nil, []Fault{{Record: -1, Message: fmt.Sprintf("the hosts files have %d names, want %d at most", named, 2*MaxNames)}}
	}
	b := builder{ttl: uint32(c.TTL / time.Second)}
	for i := range c.Records {
		b.add(&c.Records[i], i)
	}
	reversed := map[netip.Addr]bool{}
	for _, h := range c.Hosts {
		h.records(b.ttl, reversed, func(r Record) { b.add(&r, fromHosts) })
	}
	if len(b.rows) == 0 {
		return nil, nil
	}
	b.sort()
	if b.fill() {
		b.index()
		b.follow()
	}
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	return &b.table, nil
}

// builder makes a Table.
type builder struct {
	ttl    uint32
	rows   []row
	alias  map[int]int // indexes in Config.Records, by the node of the alias
	files  map[string]uint16
	table  Table
	faults []Fault
}

// row is a record on its way. Its key sorts it: the labels of the name, the last one first.
type row struct {
	key    string
	record Record
	index  int // in Config.Records
}

// fromHosts is the index of what a hosts file says.
const fromHosts = -1

func (b *builder) add(r *Record, index int) {
	var buf [wire.MaxName]byte
	b.rows = append(b.rows, row{key: string(appendKey(buf[:0], []byte(r.Name))), record: *r, index: index})
}

// sort orders by name and type, records before hosts files, and otherwise leaves the order as it is.
func (b *builder) sort() {
	slices.SortStableFunc(b.rows, func(x, y row) int {
		if c := strings.Compare(x.key, y.key); c != 0 {
			return c
		}
		return int(x.record.Type) - int(y.record.Type)
	})
}

func (b *builder) fault(index int, format string, args ...any) {
	b.faults = append(b.faults, Fault{Record: index, Message: fmt.Sprintf(format, args...)})
}

// fill makes nodes, sets and text of the rows, and says whether there is room for all.
func (b *builder) fill() bool {
	t := &b.table
	t.ttl, t.seed, b.files, b.alias = b.ttl, maphash.MakeSeed(), map[string]uint16{}, map[int]int{}
	for rows := b.rows; len(rows) > 0; {
		end := slices.IndexFunc(rows, func(r row) bool { return r.key != rows[0].key })
		if end < 0 {
			end = len(rows)
		}
		t.nodes = append(t.nodes, node{name: uint32(len(t.text)), first: uint32(len(t.sets))})
		t.text = append(t.text, rows[0].record.Name...)
		b.name(rows[:end])
		rows = rows[end:]
		if len(t.text) > maxText || len(t.nodes) > 2*MaxNames {
			b.fault(-1, "there are more than %d names, or more than %d MiB of them", 2*MaxNames, maxText>>20)
			return false
		}
	}
	t.nodes = append(t.nodes, node{name: uint32(len(t.text)), first: uint32(len(t.sets))})
	t.text, t.sets, t.nodes = slices.Clip(t.text), slices.Clip(t.sets), slices.Clip(t.nodes)
	b.rows = nil
	return true
}

// name takes the rows of one name. Of an alias, hosts files say nothing.
func (b *builder) name(rows []row) {
	alias := slices.IndexFunc(rows, func(r row) bool { return r.record.Type == wire.TypeCNAME })
	if alias >= 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.index == fromHosts })
		if len(rows) > 1 {
			b.fault(max(rows[0].index, rows[1].index), "%s has an alias (CNAME) and other records: an alias stands alone "+
				"(RFC 1034, section 3.6.2)", rows[0].record.Name)
			return
		}
		b.alias[len(b.table.nodes)-1] = rows[0].index
	}
	for len(rows) > 0 {
		end := slices.IndexFunc(rows, func(r row) bool { return r.record.Type != rows[0].record.Type })
		if end < 0 {
			end = len(rows)
		}
		b.set(rows[:end])
		rows = rows[end:]
	}
}

// set takes the rows of one name and type: those of hosts files only if there are no others. What stands there twice counts once.
func (b *builder) set(rows []row) {
	t := &b.table
	first := &rows[0].record
	s := set{records: uint32(len(t.text)), ttl: first.TTL, line: uint32(max(first.At.Line, 0)), rtype: first.Type}
	s.file = b.file(first.At.File)
	for i := range rows {
		r := &rows[i]
		if r.index == fromHosts && rows[0].index != fromHosts {
			break
		}
		if t.has(s, r.record.Data) {
			continue
		}
		if s.count == maxSet || len(t.text)-int(s.records)+len(r.record.Data) > maxSetSize {
			if r.index != fromHosts {
				b.fault(r.index, "%s has more than %d records of one type, or more than %d KiB of them", r.record.Name, maxSet,
					maxSetSize>>10)
			}
			break // of a hosts file, the first so many addresses are enough
		}
		s.count++
		s.ttl = min(s.ttl, r.record.TTL) // RFC 2181, section 5.2
		t.text = binary.BigEndian.AppendUint16(t.text, uint16(len(r.record.Data)))
		t.text = append(t.text, r.record.Data...)
	}
	t.sets = append(t.sets, s)
}

// has says whether s, the last set in t, has a record with this data.
func (t *Table) has(s set, data []byte) bool {
	records := t.text[s.records:]
	for range s.count {
		var known []byte
		if known, records = next(records); bytes.Equal(known, data) {
			return true
		}
	}
	return false
}

// file is the number of a file.
func (b *builder) file(path string) uint16 {
	n, known := b.files[path]
	if !known {
		n = uint16(len(b.table.files))
		b.files[path] = n
		b.table.files = append(b.table.files, path)
	}
	return n
}

// index makes the names findable.
func (b *builder) index() {
	t := &b.table
	size := 4
	for size < 2*t.Len() {
		size *= 2
	}
	t.slots = make([]uint32, size)
	for i := range t.Len() {
		name := t.name(i)
		at := maphash.Bytes(t.seed, name) & uint64(size-1)
		for t.slots[at] != 0 {
			at = (at + 1) & uint64(size-1)
		}
		t.slots[at] = uint32(i + 1)
		if bytes.HasPrefix(name, []byte(wildcard)) {
			t.addStar(i, above(name))
		}
	}
}

// addStar makes node i the wildcard in front of parent. What is below parent stands around it.
func (t *Table) addStar(i int, parent []byte) {
	if t.wildcards == nil {
		t.wildcards = map[string]star{}
	}
	below := func(i int) bool { return i >= 0 && i < t.Len() && wire.SuffixAt(t.name(i), parent) > 0 }
	t.wildcards[string(parent)] = star{node: i, alone: !below(i-1) && !below(i+1)}
	t.lengths[len(parent)/64] |= 1 << (len(parent) % 64)
}

// follow goes along every alias: none may lead round and round.
func (b *builder) follow() {
	t := &b.table
	for i, index := range b.alias {
		switch found := t.Look(t.name(i), 0); {
		case found.endless:
			b.fault(index, "the alias leads round and round, or over more than %d others", maxSteps-1)
		case found.Where == Away:
			t.away = true
		}
	}
	slices.SortFunc(b.faults, func(x, y Fault) int { return x.Record - y.Record })
}

// String is p as "file:line".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}
