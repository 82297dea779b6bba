package names

import (
	"encoding/binary"
	"errors"

	"cordon/resolver/wire"
)

// End is the name that the aliases of f lead to, whether or not the table has it. f was found Away. It views the table.
func (f *Found) End() []byte {
	return f.table.target(int(f.sets[f.steps-1]))
}

var errTooLong = errors.New("with the aliases in front of it, the answer is longer than a message can be")

// Join is the answer to a question for the canonical name, for which f was found Away: the aliases, and then what msg says of their end.
// msg answers that question for the end, see [wire.ReadMessage]. No flag of it is kept, AD above all: nobody has signed the aliases. Nor
// are the additional records.
func (f *Found) Join(name, msg []byte) ([]byte, error) {
	m, err := wire.ReadMessage(msg)
	if err != nil {
		return nil, err
	}
	out := make([]byte, wire.HeaderLen, wire.HeaderLen+2*len(name)+2*len(msg))
	binary.BigEndian.PutUint16(out[2:], wire.FlagQR|wire.FlagRA|uint16(m.Rcode&0xF))
	binary.BigEndian.PutUint16(out[4:], 1)
	out = append(out, name...)
	out = binary.BigEndian.AppendUint16(out, m.Type)
	out = binary.BigEndian.AppendUint16(out, m.Class)
	owner := name
	for _, number := range f.sets[:f.steps] {
		s := f.table.sets[number]
		target := f.table.target(int(number))
		out = wire.AppendRR(out, owner, wire.TypeCNAME, wire.ClassINET, s.ttl, target)
		owner = target
	}
	counts := m.Counts()
	for r := range m.Records() {
		if r.Section == wire.Additional {
			break
		}
		if out = appendWhole(out, &m, r); len(out) > wire.MaxMessage {
			return nil, errTooLong
		}
	}
	binary.BigEndian.PutUint16(out[6:], counts.Answer+uint16(f.steps))
	binary.BigEndian.PutUint16(out[8:], counts.Authority)
	return out, nil
}

// appendWhole appends r of m without compression.
func appendWhole(out []byte, m *wire.Message, r wire.Record) []byte {
	out, _, _ = wire.CopyName(out, m.Msg, r.Owner) // sound, as all names in m
	out = binary.BigEndian.AppendUint16(out, r.Type)
	out = binary.BigEndian.AppendUint16(out, r.Class)
	out = binary.BigEndian.AppendUint32(out, r.TTL)
	begin := len(out) + 2
	out = append(out, 0, 0)
	at, n, _ := m.DataNames(r)
	out = append(out, m.Msg[r.Data:at]...)
	for range n {
		out, at, _ = wire.CopyName(out, m.Msg, at)
	}
	out = append(out, m.Msg[at:r.End]...)
	binary.BigEndian.PutUint16(out[begin-2:], uint16(len(out)-begin))
	return out
}

// Targets are the names that the aliases of f lead to, one after the other; the last is the end. f was found Away.
func (f *Found) Targets() [][]byte {
	targets := make([][]byte, 0, f.steps)
	for _, s := range f.sets[:f.steps] {
		targets = append(targets, f.table.target(int(s)))
	}
	return targets
}

// Aways are the names of the aliases that lead out of the table, wildcards among them, in the order of the table.
func (t *Table) Aways() [][]byte {
	var all [][]byte
	for i := range t.Len() {
		if t.set(i, wire.TypeCNAME) < 0 {
			continue
		}
		name := t.name(i)
		if found := t.Look(name, 0); found.Where == Away {
			all = append(all, name)
		}
	}
	return all
}
