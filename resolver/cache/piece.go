package cache

// newEntry is an Entry with room for n octets in its block. Where these are few, as they nearly always are, both are one piece of memory,
// of a size that the allocator has: that is half the work for it, and for the garbage collector when there are millions.
func newEntry(n int) *Entry {
	switch {
	case n <= 48:
		p := new(struct {
			Entry
			room [48]byte
		})
		return p.with(p.room[:0])
	case n <= 80:
		p := new(struct {
			Entry
			room [80]byte
		})
		return p.with(p.room[:0])
	case n <= 112:
		p := new(struct {
			Entry
			room [112]byte
		})
		return p.with(p.room[:0])
	case n <= 160:
		p := new(struct {
			Entry
			room [160]byte
		})
		return p.with(p.room[:0])
	case n <= 224:
		p := new(struct {
			Entry
			room [224]byte
		})
		return p.with(p.room[:0])
	case n <= 320:
		p := new(struct {
			Entry
			room [320]byte
		})
		return p.with(p.room[:0])
	default:
		return new(Entry).with(append([]byte(nil), make([]byte, n)...)[:0]) // append gives all that the allocator does
	}
}

func (e *Entry) with(room []byte) *Entry {
	e.block = room
	return e
}
