package audit

import (
	"iter"
	"slices"
)

// ReadState returns what says the present state of things: the entries from the last one of the kind [Snapshot] on, without those that
// only count, the oldest first. There are none if there is no such entry. What is no entry is left out: the only error is that the
// directory can't be read, and wraps [io/fs.ErrNotExist] if it is not there. One entry at a time is in memory, however long the log is.
func ReadState(dir string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		all, err := files(dir)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for i, f := range slices.Backward(all) {
			if number := f.lastSnapshot(); number > 0 {
				readState(all[i:], number, yield)
				return
			}
		}
	}
}

// lastSnapshot is the number of the line in f that is the last of that kind; 0: none is.
func (f logFile) lastSnapshot() int {
	last := 0
	f.read(true, func(l line, err error) bool {
		if e, err := l.entry(err); err == nil && e.Kind == Snapshot {
			last = l.number
		}
		return true
	})
	return last
}

// readState yields the entries of all files, but of the first only those from the line with that number on.
func readState(all []logFile, number int, yield func(Entry, error) bool) {
	more := true
	for i, f := range all {
		f.read(true, func(l line, err error) bool {
			e, err := l.entry(err)
			if err == nil && e.Kind != Counted && (i > 0 || l.number >= number) {
				more = yield(e, nil)
			}
			return more
		})
		if !more {
			return
		}
	}
}
