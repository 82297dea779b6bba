package transfer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

const (
	chunkBits = 20
	chunkLen  = 1 << chunkBits // octets; far more than a record can have
	headLen   = 8              // of a stored record: the length of its key and its TTL
)

// limits bound a zone.
type limits struct {
	count int   // of the records of a zone, or of what is received of it
	size  int64 // octets: of the text, and of the records in memory
}

// ref is where a record is stored: the number of its chunk and the offset there.
type ref uint64

// records are the records of a zone but its SOA record. They are octets in a few large chunks, with nothing for the garbage
// collector to follow: a million take some 60 MiB.
type records struct {
	limits
	chunks [][]byte
	held   int64 // octets in chunks
	refs   []ref
}

// add stores r. The error says which limit there is.
func (rs *records) add(r record) error {
	if len(rs.refs) >= rs.count {
		return fmt.Errorf("more than %d records: raise max_records if the zone is meant to be as large", rs.count)
	}
	at, err := rs.store(r)
	rs.refs = append(rs.refs, at)
	return err
}

func (rs *records) store(r record) (ref, error) {
	need := headLen + len(r.key)
	if rs.held += int64(need); rs.held > rs.size {
		return 0, fmt.Errorf("more than %d octets: raise max_size if the zone is meant to be as large", rs.size)
	}
	if last := len(rs.chunks) - 1; last < 0 || len(rs.chunks[last])+need > chunkLen {
		rs.chunks = append(rs.chunks, make([]byte, 0, chunkLen))
	}
	last := len(rs.chunks) - 1
	chunk := rs.chunks[last]
	at := ref(last)<<chunkBits | ref(len(chunk))
	chunk = binary.BigEndian.AppendUint32(chunk, uint32(len(r.key)))
	chunk = binary.BigEndian.AppendUint32(chunk, r.ttl)
	rs.chunks[last] = append(chunk, r.key...)
	return at, nil
}

// at returns the stored record; the key views the store.
func (rs *records) at(r ref) (key []byte, ttl uint32) {
	stored := rs.chunks[r>>chunkBits][r&(chunkLen-1):]
	size := binary.BigEndian.Uint32(stored)
	return stored[headLen : headLen+size], binary.BigEndian.Uint32(stored[4:])
}

func (rs *records) key(r ref) []byte {
	key, _ := rs.at(r)
	return key
}

// sort brings the records into canonical order. Of records that differ in their TTL at most, it leaves one.
func (rs *records) sort() {
	inOrder := func(a, b ref) int { return bytes.Compare(rs.key(a), rs.key(b)) }
	if !slices.IsSortedFunc(rs.refs, inOrder) {
		slices.SortStableFunc(rs.refs, inOrder)
	}
	rs.refs = slices.CompactFunc(rs.refs, func(a, b ref) bool { return bytes.Equal(rs.key(a), rs.key(b)) })
}

// has says whether a record with that key is among the sorted records.
func (rs *records) has(key []byte) bool {
	_, found := slices.BinarySearchFunc(rs.refs, key, func(r ref, key []byte) int { return bytes.Compare(rs.key(r), key) })
	return found
}

// contents is a whole zone: its records are sorted.
type contents struct {
	*records
	soa soa
}

// all yields all records in canonical order, the SOA record among them. The keys are read only.
func (c contents) all() iter.Seq2[[]byte, uint32] {
	return func(yield func([]byte, uint32) bool) {
		apex := []byte(c.soa.key)
		before, _ := slices.BinarySearchFunc(c.refs, apex, func(r ref, key []byte) int { return bytes.Compare(c.key(r), key) })
		for _, r := range c.refs[:before] {
			if !yield(c.at(r)) {
				return
			}
		}
		if !yield(apex, c.soa.ttl) {
			return
		}
		for _, r := range c.refs[before:] {
			if !yield(c.at(r)) {
				return
			}
		}
	}
}
