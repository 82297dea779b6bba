package audit

import "time"

// batch is some lines that are written together, and the chain as they continue it.
type batch struct {
	text  []byte
	heads []Head // after each line
	head  Head   // the last of them; before the first, the one that it continues
	last  time.Time

	next []byte // a line that is not among them yet
	time time.Time
}

// encode makes e, with its place behind the others, the next line.
func (b *batch) encode(e Entry) (err error) {
	e.Sequence, e.Previous = b.head.Sequence+1, b.head.Hash
	b.next, err = encode(&e)
	b.time = e.Time
	return err
}

// add adds the next line.
func (b *batch) add() {
	b.text = append(b.text, b.next...)
	b.head = Head{Sequence: b.head.Sequence + 1, Hash: hashOf(b.next[:len(b.next)-1])}
	b.heads = append(b.heads, b.head)
	b.last = b.time
}
