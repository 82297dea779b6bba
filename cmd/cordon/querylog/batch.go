package querylog

import "io"

// maxPending is how many octets of records wait for one output. While that one writes, as many again are in its hands.
const maxPending = 4 << 20

// batch is encoded records, one after the other.
type batch struct {
	octets []byte
	ends   []int // where each of them ends
}

func (b *batch) len() int { return len(b.ends) }

// add appends a record, as encode appends it, and says false, and appends nothing, if there is no room.
func (b *batch) add(encode func(dst []byte) []byte) bool {
	before := len(b.octets)
	b.octets = encode(b.octets)
	if len(b.octets) > maxPending {
		b.octets = b.octets[:before]
		return false
	}
	b.ends = append(b.ends, len(b.octets))
	return true
}

// whole is how many of the records are within the first n octets.
func (b *batch) whole(n int) int {
	records := 0
	for records < len(b.ends) && b.ends[records] <= n {
		records++
	}
	return records
}

// drop forgets the first n records.
func (b *batch) drop(n int) {
	switch n {
	case 0:
		return
	case b.len(): // its room is used again
		b.octets, b.ends = b.octets[:0], b.ends[:0]
		return
	}
	from := b.ends[n-1]
	b.octets = b.octets[from:]
	b.ends = b.ends[n:]
	for i := range b.ends {
		b.ends[i] -= from
	}
}

// each calls do for every record until one has an error, and says how many had none.
func (b *batch) each(do func(record []byte) error) (int, error) {
	start := 0
	for i, end := range b.ends {
		if err := do(b.octets[start:end]); err != nil {
			return i, err
		}
		start = end
	}
	return len(b.ends), nil
}

// piece is how much is written to a stream at once, in octets: a reader that takes so much in the time that a write has is not too slow.
const piece = 64 << 10

// stream writes the octets of b to w, and says how many records were written whole.
func (b *batch) stream(w io.Writer) (int, error) {
	written := 0
	for written < len(b.octets) {
		n, err := w.Write(b.octets[written:min(len(b.octets), written+piece)])
		written += n
		if err != nil {
			return b.whole(written), err
		}
	}
	return b.len(), nil
}
