package format

import (
	"bytes"
	"fmt"
	"strconv"
)

// End is what the end marker of a list says: a comment after the last entry, "# end of list: 1234 entries", in any case and in
// the way in which the format writes comments. It tells a file that was cut from one that shrank.
type End struct {
	Line  int // on which it stands, from 1
	Count int // how many entries it says that there are: [Reader.Lines]
}

// markEnd takes in the comment on line. It is an error if that is an end marker which does not say what was read.
func (r *Reader) markEnd(comment []byte, line int) error {
	count, ok := parseEnd(comment)
	if !ok {
		return nil
	}
	r.end, r.marked = End{Line: line, Count: count}, true
	if count != r.lines {
		return fmt.Errorf("read list: the end marker on line %d says %d entries, found %d: "+
			"the file was cut or changed while it was written", line, count, r.lines)
	}
	return nil
}

// parseEnd reads an end marker. Any other comment is none.
func parseEnd(comment []byte) (count int, ok bool) {
	const marker = "end of list:"
	text := bytes.TrimLeft(comment, "#!; \t")
	if len(text) < len(marker) || !bytes.EqualFold(text[:len(marker)], []byte(marker)) {
		return 0, false
	}
	number, rest := cutField(text[len(marker):])
	unit, rest := cutField(rest)
	if len(rest) > 0 || !bytes.EqualFold(unit, []byte("entries")) && !bytes.EqualFold(unit, []byte("entry")) {
		return 0, false
	}
	count, err := strconv.Atoi(string(number))
	return count, err == nil && count >= 0
}
