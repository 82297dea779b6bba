package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// delta is what an IXFR changes in the sorted records that there are (RFC 1995). Its differences are checked one by one: a record
// that is removed was there, one that is added was not.
type delta struct {
	base    *records
	changes map[string]change // by key
	held    int64             // octets of keys in changes
}

// change is what became of a record.
type change struct {
	present bool
	ttl     uint32
}

func newDelta(base *records) *delta {
	return &delta{base: base, changes: map[string]change{}}
}

func (d *delta) present(key []byte) bool {
	if c, changed := d.changes[string(key)]; changed {
		return c.present
	}
	return d.base.has(key)
}

func (d *delta) remove(r record) error {
	if !d.present(r.key) {
		return errors.New("the difference removes a record that is not there")
	}
	return d.put(r, change{})
}

func (d *delta) add(r record) error {
	if d.present(r.key) {
		return errors.New("the difference adds a record that is there")
	}
	return d.put(r, change{present: true, ttl: r.ttl})
}

func (d *delta) put(r record, c change) error {
	if _, known := d.changes[string(r.key)]; !known {
		if d.held += int64(len(r.key)); d.held > d.base.size {
			return fmt.Errorf("differences of more than %d octets", d.base.size)
		}
	}
	d.changes[string(r.key)] = c
	return nil
}

// apply returns the records with the changes, sorted. They share the store of those that there were, which stay as they are.
func (d *delta) apply() (*records, error) {
	merged := &records{limits: d.base.limits, chunks: slices.Clone(d.base.chunks), held: d.base.held}
	old := d.base.refs
	merged.refs = make([]ref, 0, len(old))
	for _, key := range slices.Sorted(maps.Keys(d.changes)) {
		for len(old) > 0 && bytes.Compare(merged.key(old[0]), []byte(key)) < 0 {
			merged.refs, old = append(merged.refs, old[0]), old[1:]
		}
		if len(old) > 0 && string(merged.key(old[0])) == key {
			old = old[1:]
		}
		c := d.changes[key]
		if !c.present {
			continue
		}
		if err := merged.add(record{key: []byte(key), ttl: c.ttl}); err != nil {
			return nil, err
		}
	}
	merged.refs = append(merged.refs, old...)
	if len(merged.refs) > merged.count {
		return nil, fmt.Errorf("more than %d records after the differences", merged.count)
	}
	return merged, nil
}
