package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line with its line end, in octets. It is the size of the one buffer that a list is read through.
const maxLine = 64 << 10

const byteOrderMark = "\xef\xbb\xbf" // of UTF-8

// lines cuts a list into lines.
type lines struct {
	in     *bufio.Reader // with a buffer of maxLine
	number int           // of the last line, from 1
}

// next is the next line without its line end and, on the first, without a byte order mark. The slice is dead at the
// next call. The error is io.EOF after the last line, a *LineError for a line that is too long, or why reading
// failed.
func (l *lines) next() (line []byte, number int, err error) {
	line, err = l.in.ReadSlice('\n')
	if len(line) == 0 && errors.Is(err, io.EOF) {
		return nil, l.number, io.EOF
	}
	l.number++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.number, l.tooLong(line)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, l.number, fmt.Errorf("read list: line %d: %w", l.number, err)
	}
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), l.number, nil
}

// tooLong passes over the rest of the line that begins with start.
func (l *lines) tooLong(start []byte) error {
	fault := &LineError{
		Line: l.number, Text: excerpt(start),
		Reason: fmt.Sprintf("the line is longer than %d octets, want one rule a line", maxLine),
	}
	for {
		switch _, err := l.in.ReadSlice('\n'); {
		case err == nil, errors.Is(err, io.EOF):
			return fault
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read list: line %d: %w", l.number, err)
		}
	}
}

// cutField splits off the first word of line. Both are empty when the line is blank; rest begins with a word or is
// empty.
func cutField(line []byte) (field, rest []byte) {
	line = trimStart(line)
	for i, c := range line {
		if blank(c) {
			return line[:i], trimStart(line[i:])
		}
	}
	return line, nil
}

func trimStart(line []byte) []byte {
	for i, c := range line {
		if !blank(c) {
			return line[i:]
		}
	}
	return nil
}

func blank(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}

// trim is line without blanks around it.
func trim(line []byte) []byte {
	line = trimStart(line)
	for len(line) > 0 && blank(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}
