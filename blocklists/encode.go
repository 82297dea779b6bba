package blocklists

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"time"

	"cordon/blocklists/format"
)

// The compiled form of a list is what WriteTo writes and ReadList reads:
//
//	| magic | hash, content, loaded, signed, counts, marked, format, path | files | faults |
//	| networks | chunks of the arena | SHA-256 of all before |
//
// Numbers are little-endian; a text has its length before it, 16 bits; what repeats has its number before it, 32 bits. A change of any
// part, also of what an arena or a network looks like, changes the magic: an older form is read from its source again.
const compiledMagic = "cordon list, compiled, 1\n"

const (
	networkLen  = 22
	maxNumber   = math.MaxInt32
	maxNetworks = 1 << 26
	maxFiles    = 1 << 16
	maxPath     = 4 << 10
	maxText     = 1 << 10 // of a fault, of its reason

	wordLen  = 8
	partSize = 64 << 10 // what is read or written at once
)

// WriteTo writes the compiled form of the list: all that it is but its name and source. It implements [io.WriterTo].
func (l *List) WriteTo(w io.Writer) (int64, error) {
	e := newEncoder(w, compiledMagic)
	e.head(l)
	e.number(len(l.networks))
	for _, n := range l.networks {
		e.write(n.append(e.small[:0]))
	}
	e.number(len(l.arena))
	for _, chunk := range l.arena {
		e.number(len(chunk))
		e.write(chunk)
	}
	if err := e.end(); err != nil {
		return e.written, fmt.Errorf("write compiled list %s: %w", l.name, err)
	}
	return e.written, nil
}

// encoder writes and sums. After an error it does nothing more.
type encoder struct {
	to      *bufio.Writer
	sum     hash.Hash
	small   [64]byte
	written int64
	err     error
}

// newEncoder begins a form with its magic.
func newEncoder(w io.Writer, magic string) *encoder {
	e := &encoder{to: bufio.NewWriterSize(w, partSize), sum: sha256.New()}
	e.write([]byte(magic))
	return e
}

// end writes the sum, and what is still in the buffer.
func (e *encoder) end() error {
	e.write(e.sum.Sum(nil))
	if e.err == nil {
		e.err = e.to.Flush()
	}
	return e.err
}

func (e *encoder) head(l *List) {
	e.write(l.hash[:])
	e.write(l.content[:])
	for _, t := range []time.Time{l.loaded, l.signed} {
		e.time(t)
	}
	for _, n := range []int{l.canceled, l.lines, l.bad, l.protected} {
		e.number(n)
	}
	marked := 0
	if l.marked {
		marked = 1
	}
	e.number(marked)
	e.number(int(l.format))
	e.text(l.path, maxPath)
	e.number(len(l.files))
	for _, f := range l.files {
		e.text(f.Path, maxPath)
		e.number(f.First)
	}
	e.number(len(l.faults))
	for _, f := range l.faults {
		e.number(f.Line)
		e.text(f.Text, maxText)
		e.text(f.Reason, maxText)
	}
}

func (e *encoder) write(octets []byte) {
	if e.err != nil {
		return
	}
	_, _ = e.sum.Write(octets)
	n, err := e.to.Write(octets)
	e.written += int64(n)
	e.err = err
}

func (e *encoder) number(n int) {
	e.write(binary.LittleEndian.AppendUint32(e.small[:0], uint32(min(max(n, 0), maxNumber))))
}

// words writes 64 bits each.
func (e *encoder) words(words []uint64) {
	for some := range slices.Chunk(words, len(e.small)/wordLen) {
		octets := e.small[:0]
		for _, word := range some {
			octets = binary.LittleEndian.AppendUint64(octets, word)
		}
		e.write(octets)
	}
}

// time writes nanoseconds since 1970, 0 for the zero time.
func (e *encoder) time(t time.Time) {
	var n int64
	if !t.IsZero() {
		n = t.UnixNano()
	}
	e.write(binary.LittleEndian.AppendUint64(e.small[:0], uint64(n)))
}

func (e *encoder) text(s string, limit int) {
	s = s[:min(len(s), limit)]
	e.write(binary.LittleEndian.AppendUint16(e.small[:0], uint16(len(s))))
	e.write([]byte(s))
}

var (
	errOtherForm = errors.New("it is not the compiled form of this version")
	errDamaged   = errors.New("it is damaged")
)

// ReadList reads the compiled form of a list, and gives the list its name and source: see [List]. It believes nothing: a form that
// is cut short, altered, followed by more or of another version is an error, never a list that is less than it was.
func ReadList(r io.Reader, name, source string) (*List, error) {
	l := &List{name: name, source: source}
	if err := newDecoder(r).list(l); err != nil {
		return nil, fmt.Errorf("read compiled list %s: %w", name, err)
	}
	return l, nil
}

// decoder reads and sums.
type decoder struct {
	from  io.Reader
	sum   hash.Hash
	small [64]byte
	large []byte // of partSize; nil until it is needed
}

func newDecoder(r io.Reader) *decoder {
	return &decoder{from: bufio.NewReaderSize(r, partSize), sum: sha256.New()}
}

func (d *decoder) list(l *List) error {
	if err := d.magic(compiledMagic); err != nil {
		return err
	}
	for _, step := range []func(*List) error{d.head, d.files, d.faults, d.networks, d.arena} {
		if err := step(l); err != nil {
			return err
		}
	}
	return d.end()
}

func (d *decoder) read(octets []byte) error {
	if _, err := io.ReadFull(d.from, octets); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w: it is cut short", errDamaged)
		}
		return err
	}
	_, _ = d.sum.Write(octets)
	return nil
}

// number reads a number of at most limit.
func (d *decoder) number(limit int) (int, error) {
	if err := d.read(d.small[:4]); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(d.small[:])
	if uint64(n) > uint64(limit) {
		return 0, fmt.Errorf("%w: found the number %d, want at most %d", errDamaged, n, limit)
	}
	return int(n), nil
}

func (d *decoder) text(limit int) (string, error) {
	if err := d.read(d.small[:2]); err != nil {
		return "", err
	}
	n := int(binary.LittleEndian.Uint16(d.small[:]))
	if n > limit {
		return "", fmt.Errorf("%w: found a text of %d octets, want at most %d", errDamaged, n, limit)
	}
	octets := make([]byte, n)
	err := d.read(octets)
	return string(octets), err
}

// part reads the next octets of the size that are still to come: so many that they fit into the decoder's own memory, which the next
// call overwrites. size is a multiple of what must not be torn, which in turn divides partSize.
func (d *decoder) part(size int) ([]byte, error) {
	if d.large == nil {
		d.large = make([]byte, partSize)
	}
	octets := d.large[:min(size, partSize)]
	return octets, d.read(octets)
}

// words reads as many numbers of 64 bits as words has room for.
func (d *decoder) words(words []uint64) error {
	for len(words) > 0 {
		octets, err := d.part(len(words) * wordLen)
		if err != nil {
			return err
		}
		n := len(octets) / wordLen
		readWords(words[:n], octets)
		words = words[n:]
	}
	return nil
}

// readWords takes the numbers that octets begin with, as many as words has room for.
func readWords(words []uint64, octets []byte) {
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(octets[i*wordLen:])
	}
}

func (d *decoder) magic(want string) error {
	octets := make([]byte, len(want))
	if err := d.read(octets); err != nil {
		return err
	}
	if string(octets) != want {
		return errOtherForm
	}
	return nil
}

func (d *decoder) head(l *List) error {
	if err := d.read(l.hash[:]); err != nil {
		return err
	}
	if err := d.read(l.content[:]); err != nil {
		return err
	}
	for _, t := range []*time.Time{&l.loaded, &l.signed} {
		if err := d.time(t); err != nil {
			return err
		}
	}
	for _, n := range []*int{&l.canceled, &l.lines, &l.bad, &l.protected} {
		var err error
		if *n, err = d.number(maxNumber); err != nil {
			return err
		}
	}
	marked, err := d.number(1)
	if err != nil {
		return err
	}
	read, err := d.number(math.MaxUint8)
	if err != nil {
		return err
	}
	l.marked, l.format = marked == 1, format.Format(read)
	l.path, err = d.text(maxPath)
	return err
}

func (d *decoder) time(t *time.Time) error {
	if err := d.read(d.small[:8]); err != nil {
		return err
	}
	if n := int64(binary.LittleEndian.Uint64(d.small[:])); n != 0 {
		*t = time.Unix(0, n)
	}
	return nil
}

func (d *decoder) files(l *List) error {
	n, err := d.number(maxFiles)
	if err != nil {
		return err
	}
	for range n {
		var f File
		if f.Path, err = d.text(maxPath); err != nil {
			return err
		}
		if f.First, err = d.number(maxNumber); err != nil {
			return err
		}
		if len(l.files) > 0 && f.First < l.files[len(l.files)-1].First {
			return fmt.Errorf("%w: its files are not in order", errDamaged)
		}
		l.files = append(l.files, f)
	}
	return nil
}

func (d *decoder) faults(l *List) error {
	n, err := d.number(MaxFaults)
	if err != nil {
		return err
	}
	for range n {
		var f format.LineError
		if f.Line, err = d.number(maxNumber); err != nil {
			return err
		}
		if f.Text, err = d.text(maxText); err != nil {
			return err
		}
		if f.Reason, err = d.text(maxText); err != nil {
			return err
		}
		l.faults = append(l.faults, f)
	}
	return nil
}

func (d *decoder) networks(l *List) error {
	n, err := d.number(maxNetworks)
	if err != nil {
		return err
	}
	for range n {
		if err := d.read(d.small[:networkLen]); err != nil {
			return err
		}
		read, ok := readNetwork(d.small[:networkLen])
		if !ok {
			return fmt.Errorf("%w: found the network % x", errDamaged, d.small[:networkLen])
		}
		l.networks = append(l.networks, read)
		l.countOne(read.said, &l.blockedNetworks)
	}
	return nil
}

// arena reads one chunk after the other, so that a number in the file asks for no more memory than one of them.
func (d *decoder) arena(l *List) error {
	n, err := d.number(maxChunks)
	if err != nil {
		return err
	}
	for i := range n {
		size, err := d.number(chunkSize)
		if err != nil {
			return err
		}
		chunk := make([]byte, size)
		if err := d.read(chunk); err != nil {
			return err
		}
		if off := l.checkChunk(chunk); off >= 0 {
			return fmt.Errorf("%w: found no record at octet %d of part %d", errDamaged, off, i+1)
		}
		l.arena = append(l.arena, chunk)
	}
	return nil
}

// end compares the sum, and wants nothing behind it.
func (d *decoder) end() error {
	want := [sha256.Size]byte(d.sum.Sum(nil))
	if err := d.read(d.small[:sha256.Size]); err != nil {
		return err
	}
	if [sha256.Size]byte(d.small[:sha256.Size]) != want {
		return fmt.Errorf("%w: its SHA-256 is another", errDamaged)
	}
	if _, err := io.ReadFull(d.from, d.small[:1]); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more follows at its end", errDamaged)
	}
	return nil
}
