package cache

import (
	"bytes"
	"encoding/binary"

	"cordon/resolver/wire"
)

// Bounds of the compression, which is linear in the records times maxTargets.
const (
	maxTargets  = 16
	arenaSize   = 1024
	maxPointer  = 1<<14 - 1
	pointerFlag = 0xC000
)

// writer writes records as they will stand behind a question. Owners, and names in the data of the types of RFC 1035, are
// compressed; the others are written out (RFC 3597, section 4). A name keeps the case that the upstream gave it, except
// where it repeats labels of the question, which the client has spelled.
type writer struct {
	body     []byte
	ttls     []uint16 // offsets in body
	base     int      // offset of body in the answer
	question labeled
	current  labeled
	targets  [maxTargets]target
	count    int
	arena    [arenaSize]byte
	used     int
	spelled  [wire.MaxName]byte
	bodyBuf  [1024]byte
	ttlBuf   [64]uint16
}

func (w *writer) begin(question []byte) {
	w.body, w.ttls = w.bodyBuf[:0], w.ttlBuf[:0]
	w.base = wire.HeaderLen + len(question) + 4
	w.question.set(question)
	w.count, w.used = 0, 0
}

// target is a name that a pointer can lead into.
type target struct {
	labeled
	at    int // its offset in the answer
	plain int // how many octets of it stand there, before a pointer
}

// labeled is a wire name with the offsets of its labels, without the root.
type labeled struct {
	name   []byte
	starts [wire.MaxName / 2]uint8
	n      int
}

func (l *labeled) set(name []byte) {
	l.name, l.n = name, 0
	for off := 0; name[off] != 0; off += 1 + int(name[off]) {
		l.starts[l.n] = uint8(off)
		l.n++
	}
}

// shared returns where in a and in b the longest run of last labels begins that they share: at the root if there is none.
// With fold the case of a does not matter, and b is in lower case.
func shared(a, b *labeled, fold bool) (inA, inB int) {
	inA, inB = len(a.name)-1, len(b.name)-1
	for i, j := a.n-1, b.n-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
		x, y := a.name[a.starts[i]:inA], b.name[b.starts[j]:inB]
		if !bytes.Equal(x, y) && !(fold && wire.EqualFold(x, y)) {
			break
		}
		inA, inB = int(a.starts[i]), int(b.starts[j])
	}
	return inA, inB
}

// compressed writes name, the longest known end of it as a pointer.
func (w *writer) compressed(name []byte) {
	w.current.set(name)
	plain, pointer := len(name)-1, 0
	if in, to := shared(&w.current, &w.question, true); in < plain {
		plain, pointer = in, wire.HeaderLen+to
	}
	for i := range w.targets[:w.count] {
		t := &w.targets[i]
		if in, to := shared(&w.current, &t.labeled, false); in < plain && to < t.plain {
			plain, pointer = in, t.at+to
		}
	}
	w.remember(name, plain)
	w.body = append(w.body, name[:plain]...)
	if pointer == 0 {
		w.body = append(w.body, 0)
		return
	}
	w.body = binary.BigEndian.AppendUint16(w.body, pointerFlag|uint16(pointer))
}

// remember makes name, of which plain octets are about to be written, a target, if there is room for one more.
func (w *writer) remember(name []byte, plain int) {
	at := w.base + len(w.body)
	if plain == 0 || w.count == maxTargets || w.used+len(name) > arenaSize || at+plain > maxPointer {
		return
	}
	kept := w.arena[w.used : w.used+copy(w.arena[w.used:], name)]
	w.used += len(name)
	t := &w.targets[w.count]
	w.count++
	t.set(kept)
	t.at, t.plain = at, plain
}

// nameAt copies the name at m.Msg[off], which is sound.
func (w *writer) nameAt(m *wire.Message, off int) (name []byte, next int) {
	name, next, _ = wire.CopyName(w.spelled[:0], m.Msg, off)
	return name, next
}

// record writes r, whose TTL is ttl for now.
func (w *writer) record(m *wire.Message, r wire.Record, ttl uint32) {
	next := w.owner(m, r)
	w.body = append(w.body, m.Msg[next:next+4]...)
	w.ttls = append(w.ttls, uint16(len(w.body)))
	w.body = binary.BigEndian.AppendUint32(w.body, ttl)
	length := len(w.body)
	w.body = append(w.body, 0, 0)
	w.data(m, r)
	binary.BigEndian.PutUint16(w.body[length:], uint16(len(w.body)-length-2))
}

// owner writes the owner of r and returns the offset behind it. Most repeat the question, and nothing is to be found out.
func (w *writer) owner(m *wire.Message, r wire.Record) (next int) {
	if m.RepeatsQuestion(r.Owner) {
		w.body = binary.BigEndian.AppendUint16(w.body, pointerFlag|wire.HeaderLen)
		return r.Owner + 2
	}
	owner, next := w.nameAt(m, r.Owner)
	w.compressed(owner)
	return next
}

func (w *writer) data(m *wire.Message, r wire.Record) {
	off, names, compress := m.DataNames(r)
	w.body = append(w.body, m.Msg[r.Data:off]...)
	for range names {
		var name []byte
		name, off = w.nameAt(m, off)
		if compress {
			w.compressed(name)
		} else {
			w.body = append(w.body, name...)
		}
	}
	w.body = append(w.body, m.Msg[off:r.End]...)
}

// settle gives the records from number first on the TTL that they share: the lowest of theirs (RFC 2181, section 5.2), and
// no more than limit. It returns it.
func (w *writer) settle(first int, limit uint32) uint32 {
	for _, off := range w.ttls[first:] {
		limit = min(limit, binary.BigEndian.Uint32(w.body[off:]))
	}
	for _, off := range w.ttls[first:] {
		binary.BigEndian.PutUint32(w.body[off:], limit)
	}
	return limit
}
