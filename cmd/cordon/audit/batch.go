package audit

import "time"

// batch is some lines that are written together, and the chain as they continue it.
type batch struct {
	text  []byte
	lines []batched
	head  Head // after the last of them; without any, the one that they are to continue
	last  time.Time

	next []byte // a line that is not among them yet
	of   *Entry // what it is written from
}

// batched is a line of a batch.
type batched struct {
	kind Kind
	head Head // after it
}

// encode makes e the next line, and gives it its place behind the others.
func (b *batch) encode(e *Entry) (err error) {
	e.Sequence, e.Previous = b.head.Sequence+1, b.head.Hash
	b.next, err = encode(e)
	b.of = e
	return err
}

// add adds the next line.
func (b *batch) add() {
	b.text = append(b.text, b.next...)
	b.head = Head{Sequence: b.head.Sequence + 1, Hash: hashOf(b.next[:len(b.next)-1])}
	b.lines = append(b.lines, batched{b.of.Kind, b.head})
	b.last = b.of.Time
}
