package blocklists

import (
	"cmp"
	"fmt"
	"slices"
)

// File is one of the files that a list was read from.
type File struct {
	Path  string
	First int // the number of its first line: the lines of all files of a list are numbered through, from 1
}

// Place returns the file that a line of the list stands in, and its number there, from 1. Without files of its own, that is Path
// and the line as it is.
func (l *List) Place(line int) (path string, inFile int) {
	at, exact := slices.BinarySearchFunc(l.files, line, func(f File, line int) int { return cmp.Compare(f.First, line) })
	if !exact {
		at--
	}
	if at < 0 {
		return l.path, line
	}
	return l.files[at].Path, line - l.files[at].First + 1
}

// PlaceText is where a line of the list is written: its file, or the source of a list without one, and its number there.
func (l *List) PlaceText(line int) string {
	path, line := l.Place(line)
	return fmt.Sprintf("%s:%d", cmp.Or(path, l.Source()), line)
}

// Files returns the files that the list was read from, in the caller's own slice: nil for a list of one source, which Path names.
func (l *List) Files() []File { return slices.Clone(l.files) }
