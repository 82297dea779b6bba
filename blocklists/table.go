package blocklists

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The compiled form of a set is what WriteTo writes and ReadSet reads: all that [Compile] works out beyond the lists, which have
// compiled forms of their own.
//
//	| magic | what it is bound to | key, fewest, number of chains | filter | chains | buckets | SHA-256 of all before |
//
// Filter and buckets are as large as the lists' number of records makes them. A change of any part, also of the hash, the filter's
// bits or a slot, changes the magic.
//
// What is read is checked twice, for two reasons. The SHA-256 finds what a disk or an interrupted write did: behind it, the table is
// the one that Compile made. The checks of every reference are for a file that somebody made, with the right sum: it is a wrong
// table maybe, but a lookup in it ends, and stays within the arenas. They look at numbers alone and not at the names behind them,
// which would wait for the memory of each.
const setMagic = "cordon set, compiled, 1\n"

// WriteTo writes the compiled form of the set, without its lists. It has the key of the set's hash, which must stay as private as the
// lists. It implements [io.WriterTo].
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	e := newEncoder(w, setMagic)
	bound := s.bound()
	e.write(bound[:])
	e.words([]uint64{s.key.start, s.key.factor})
	e.number(s.fewest)
	e.number(len(s.chains))
	e.words(s.filter)
	for _, c := range s.chains {
		e.words([]uint64{c.ref, uint64(c.next)})
	}
	for i := range s.buckets {
		e.words(s.buckets[i][:])
	}
	if err := e.end(); err != nil {
		return e.written, fmt.Errorf("write compiled set: %w", err)
	}
	return e.written, nil
}

// bound is the SHA-256 of what the table's references lead into: the lists in their order, each with its hash and the lengths of its
// chunks, and the shared suffixes of this program.
func (s *Set) bound() [sha256.Size]byte {
	sum := sha256.New()
	number := func(n int) { _, _ = sum.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	layout := func(a arena) {
		number(len(a))
		for _, chunk := range a {
			number(len(chunk))
		}
	}
	number(len(s.lists))
	for _, l := range s.lists {
		_, _ = sum.Write(l.hash[:])
		layout(l.arena)
	}
	layout(suffixes().arena)
	for _, chunk := range suffixes().arena {
		_, _ = sum.Write(chunk)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

var errOtherLists = errors.New("it is of other lists, or of another program")

// ReadSet reads the compiled form of the set of these very lists, none of which may be nil, in their order: it is as if
// [Compile] had made it of them. It keeps the lists' memory, not the slice. A form of other lists or another order, of a program
// with other shared suffixes, of another version, or one that is cut short, altered or followed by more is an error: the caller
// compiles then.
func ReadSet(r io.Reader, lists []*List) (*Set, error) {
	s, err := newSet(lists)
	if err != nil {
		return nil, err
	}
	if err := newDecoder(r).set(s); err != nil {
		return nil, fmt.Errorf("read compiled set: %w", err)
	}
	return s, nil
}

// set reads the table of s.
func (d *decoder) set(s *Set) error {
	if err := d.magic(setMagic); err != nil {
		return err
	}
	for _, step := range []func(*Set) error{d.bound, d.tableHead, d.filter, d.chains, d.buckets} {
		if err := step(s); err != nil {
			return err
		}
	}
	if err := d.end(); err != nil {
		return err
	}
	return s.findsAny()
}

func (d *decoder) bound(s *Set) error {
	if err := d.read(d.small[:sha256.Size]); err != nil {
		return err
	}
	if [sha256.Size]byte(d.small[:sha256.Size]) != s.bound() {
		return errOtherLists
	}
	return nil
}

func (d *decoder) tableHead(s *Set) error {
	var key [2]uint64
	if err := d.words(key[:]); err != nil {
		return err
	}
	if s.key = (hashKey{start: key[0], factor: key[1]}); s.key.factor%2 == 0 {
		return fmt.Errorf("%w: its key is none", errDamaged)
	}
	var err error
	if s.fewest, err = d.number(maxLabels); err != nil {
		return err
	}
	chains, err := d.number(s.records) // a record is in one chain at most
	if err != nil {
		return err
	}
	s.chains = make([]chained, chains)
	return nil
}

func (d *decoder) filter(s *Set) error { return d.words(s.filter) }

// chains wants the next one of a chain to stand before it in the slice, as Compile places it: so there is no circle.
func (d *decoder) chains(s *Set) error {
	for i := range s.chains {
		var words [2]uint64
		if err := d.words(words[:]); err != nil {
			return err
		}
		ref, next := words[0], words[1]
		if !s.hasRecord(ref) || next > uint64(i) {
			return fmt.Errorf("%w: found the reference %#x and a next one at %d in chain %d", errDamaged, ref, next, i)
		}
		s.chains[i] = chained{ref: ref, next: uint32(next)}
	}
	return nil
}

// buckets wants every record to be led to once, alone or in a chain. So there are no more slots in use than there are records, which
// are fewer than there are slots: a search ends at an empty one.
func (d *decoder) buckets(s *Set) error {
	const size = len(bucket{}) * wordLen
	alone, many := 0, 0
	for rest := s.buckets; len(rest) > 0; {
		octets, err := d.part(len(rest) * size)
		if err != nil {
			return err
		}
		for ; len(octets) > 0; octets, rest = octets[size:], rest[1:] {
			readWords(rest[0][:], octets)
			one, chained, ok := s.checkBucket(&rest[0])
			if !ok {
				return fmt.Errorf("%w: found the slots %x, which lead nowhere", errDamaged, rest[0])
			}
			alone, many = alone+one, many+chained
		}
	}
	if alone+len(s.chains) != s.records || many > len(s.chains) {
		return fmt.Errorf("%w: it leads to %d names and %d chains of %d, want all %d", errDamaged, alone, many, len(s.chains), s.records)
	}
	return nil
}

// checkBucket counts the slots that lead to one record and those that lead to a chain. It reports false for one that leads nowhere, or
// stands behind an empty one.
func (s *Set) checkBucket(b *bucket) (alone, many int, ok bool) {
	used := 0
	for i, slot := range b {
		switch {
		case slot == 0:
			continue
		case used != i:
			return 0, 0, false
		case slot&manyBit == 0 && s.hasRecord(slot&refMask):
			alone++
		case slot&manyBit != 0 && slot&refMask < uint64(len(s.chains)):
			many++
		default:
			return 0, 0, false
		}
		used++
	}
	return alone, many, true
}

// hasRecord says whether ref is within the chunks. Whether a record begins there is not looked at.
func (s *Set) hasRecord(ref uint64) bool {
	at, off := ref>>chunkBits, ref&chunkMask
	return at < uint64(len(s.chunks)) && off >= firstRecord && off < uint64(len(s.chunks[at].octets))
}

// findsAny looks up one name of every chunk. It is against ourselves: a table that another version of the program made, with another
// hash but the same magic, would find nothing, and let pass what is blocked.
func (s *Set) findsAny() error {
	for _, c := range s.chunks {
		if len(c.octets) > firstRecord && !s.finds(wireName(c.octets[firstRecord:])) {
			return fmt.Errorf("%w: it does not find %x", errDamaged, wireName(c.octets[firstRecord:]))
		}
	}
	return nil
}

// finds says whether a lookup of name gets as far as to a slot of its own.
func (s *Set) finds(name []byte) bool {
	labels := 0
	for start, h := range suffixHashes(s.key, name) {
		labels++
		want := belowBits(h)
		switch {
		case start == 0:
			want = listedBits(h)
			return labels >= s.fewest && *s.filterWord(h)&want == want && s.find(h, name[:len(name)-1]) != 0
		case labels >= endsAt && *s.filterWord(h)&want != want:
			return false
		}
	}
	return false
}
