package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Reader reads one list. It is for one goroutine.
type Reader struct {
	from   io.Reader
	format Format
	limit  int64 // of the text, in octets: MaxText but in tests
	lines  int
	end    End
	marked bool
}

// NewReader returns a Reader of the list in r, which is text or text compressed with gzip or zstd, in UTF-8 or UTF-16.
// Nothing is read before the rules are asked for.
func NewReader(f Format, r io.Reader) *Reader { return &Reader{from: r, format: f, limit: MaxText} }

// Read yields the rules of the list in r. It is short for NewReader(f, r).Rules().
func Read(f Format, r io.Reader) iter.Seq2[Rule, error] { return NewReader(f, r).Rules() }

// Rules yields the rules of the list, as they stand there: nothing is sorted, merged or left out. The sequence can be used
// once.
//
// An error of type [*LineError] stands for an entry that is skipped; the sequence goes on. Any other error is the last thing
// that the sequence yields: reading failed, the data is damaged, cut short or more than [MaxText], the end marker is not where
// or what it should be, or it is no text in any format (that is looked at whatever the format is, so that an error page served
// in place of a list is never read as one). Rules yielded before such an error are not the whole list: the caller must not use
// them. An empty list in a given format yields nothing, under [Auto] an error.
//
// A Rule belongs to the consumer. Its Name shares memory of up to 64 KiB with the names read before and after it: who keeps a
// few of many for long copies them. Besides that and what decompression needs, two times 64 KiB of the list are held at most.
func (r *Reader) Rules() iter.Seq2[Rule, error] {
	return func(yield func(Rule, error) bool) {
		out := &output{yield: yield}
		if err := r.read(out); err != nil && !out.stopped {
			yield(Rule{}, err)
		}
	}
}

// Format is what the list was read as, when Rules has ended: never [Auto] unless Rules yielded an error that says why.
func (r *Reader) Format() Format { return r.format }

// Lines counts the entries that were read so far: lines that are neither blank nor comments, whatever became of them. In a
// zone file what belongs together by parentheses counts once; directives, SOA and NS count too.
func (r *Reader) Lines() int { return r.lines }

// End is the end marker, and whether the list had one, when Rules has ended.
func (r *Reader) End() (End, bool) { return r.end, r.marked }

// source cuts a text into entries. The error of next is io.EOF after the last, a *LineError for an entry that is too long, or
// why reading failed.
type source interface {
	next() (entry []byte, line int, err error)
}

func (r *Reader) read(out *output) error {
	text, err := decode(r.from, r.limit)
	if err != nil {
		return err
	}
	defer text.Close()
	in := bufio.NewReaderSize(text, maxLine)
	if r.format, err = choose(r.format, in); err != nil {
		return err
	}
	row := table()[r.format]
	var from source = &lines{in: in}
	if row.zone {
		from = &zoneEntries{lines: lines{in: in}}
	}
	for parse := row.open(); !out.stopped; {
		entry, line, err := from.next()
		if err != nil {
			if err = r.pass(err, out); err != nil {
				return ended(err)
			}
			continue
		}
		counts, err := r.counts(entry, line, row.comment)
		if err != nil {
			return err
		}
		if counts {
			out.line = line
			parse(entry, out)
		}
	}
	return nil
}

// pass passes over an entry that is too long. Any other error comes back.
func (r *Reader) pass(err error, out *output) error {
	fault, skipped := errors.AsType[*LineError](err)
	if !skipped {
		return err
	}
	r.lines++
	out.fault(fault)
	return nil
}

// ended is no error at the end of the list.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// counts says whether entry is one: neither blank nor a comment. It minds the end marker.
func (r *Reader) counts(entry []byte, line int, comment func([]byte) bool) (bool, error) {
	text := trimStart(entry)
	if len(text) == 0 {
		return false, nil
	}
	if comment(text) {
		return false, r.markEnd(text, line)
	}
	r.lines++
	if r.marked {
		return false, fmt.Errorf("read list: line %d: an entry stands behind the end marker on line %d: "+
			"the file was changed while it was written, or two lists were joined", line, r.end.Line)
	}
	return true, nil
}

// choose finds the format to read in with, which is f unless f is Auto.
func choose(f Format, in *bufio.Reader) (Format, error) {
	if int(f) >= len(table()) {
		return f, fmt.Errorf("read list: %s is not known", f)
	}
	head, err := peek(in, shortHead)
	if err != nil || f != Auto {
		return f, err
	}
	found, err := detect(head)
	if errors.Is(err, errOnlyComments) && len(head) == shortHead {
		if head, err = peek(in, longHead); err == nil {
			found, err = detect(head)
		}
	}
	return found, err
}

// peek is the next size octets of in, fewer only at the end of the list. It is an error if no list begins like that.
func peek(in *bufio.Reader, size int) ([]byte, error) {
	head, err := in.Peek(size)
	if fault := foreign(head); fault != nil {
		return nil, fault
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return head, nil
}
