package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Format is the way in which a list is written.
type Format uint8

const (
	Auto     Format = iota // whichever [Detect] finds
	Names                  // a name a line
	Hosts                  // a hosts file: an address and names a line
	Networks               // a network or an address a line
)

// maxHead is how much of a list is looked at to find out what it is, in octets.
const maxHead = 4 << 10

// reader yields the rules and faults of one line, without its line end. It reports false when yield did: the consumer
// wants no more. line is dead when reader returns.
type reader func(number int, line []byte, yield func(Rule, error) bool) bool

// table has a row for each format, by its number.
func table() []struct {
	name string
	open func() reader // a reader may remember what it has read: one for each list
} {
	return []struct {
		name string
		open func() reader
	}{
		Auto:     {name: "auto"},
		Names:    {"names", func() reader { return readName }},
		Hosts:    {"hosts", func() reader { return new(hosts).read }},
		Networks: {"networks", func() reader { return readNetwork }},
	}
}

// String is the name of f in configuration and messages.
func (f Format) String() string {
	if rows := table(); int(f) < len(rows) {
		return rows[f].name
	}
	return fmt.Sprintf("format %d", uint8(f))
}

// ParseFormat finds a format by its name; "" is [Auto]. The error names the formats that there are.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return Auto, nil
	}
	var known []string
	for f, row := range table() {
		if row.name == name {
			return Format(f), nil
		}
		known = append(known, row.name)
	}
	return Auto, fmt.Errorf("list format %q is not known, want one of %s", name, strings.Join(known, ", "))
}

// Read yields the rules of the list in r, as they stand there: nothing is sorted, merged or left out. The sequence
// reads r and can be used once.
//
// An error of type [*LineError] stands for a line that is skipped, also one longer than 64 KiB; the sequence goes on.
// Any other error is the last thing the sequence yields: r failed, or the list is no text in any format ([Detect]
// says which; it is asked whatever f is, so that an error page served in place of a list is never read as one). Rules
// yielded before such an error are not the whole list: the caller must not use them. An empty list in a given format
// yields nothing, under [Auto] an error.
//
// A Rule and what it holds belong to the consumer. One line is held in memory at a time.
func Read(f Format, r io.Reader) iter.Seq2[Rule, error] {
	return func(yield func(Rule, error) bool) {
		in := bufio.NewReaderSize(r, maxLine)
		chosen, err := choose(f, in)
		if err != nil {
			yield(Rule{}, err)
			return
		}
		read := table()[chosen].open()
		lines := lines{in: in}
		for {
			line, err := lines.next()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				if _, skip := errors.AsType[*LineError](err); !yield(Rule{}, err) || !skip {
					return
				}
			case !read(lines.number, line, yield):
				return
			}
		}
	}
}

// choose finds the format to read in with, which is f unless f is Auto.
func choose(f Format, in *bufio.Reader) (Format, error) {
	head, err := in.Peek(maxHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("read list: %w", err)
	}
	if f == Auto {
		return Detect(head)
	}
	if int(f) >= len(table()) {
		return f, fmt.Errorf("read list: %s is not known", f)
	}
	return f, foreign(head)
}
