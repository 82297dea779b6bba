package config

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// source is a text with the places that YAML nodes have in it. yaml.v3 says where a node begins; where it ends is found here.
type source struct {
	text   []byte
	starts []int // offset of each line, cut where YAML does (see splitLines)
	odd    *nodePlace
}

// nodePlace is where something stands in a form that is not understood.
type nodePlace struct{ line, column int }

const (
	byteOrderMark = "\ufeff"
	blanks        = " \t"
	breaks        = "\r\n\u0085\u2028\u2029"
)

func newSource(text []byte) source {
	s := source{text: text, starts: []int{0}}
	for at := 0; at < len(text); {
		if size := s.lineBreak(at); size > 0 {
			at += size
			s.starts = append(s.starts, at)
			continue
		}
		at++
	}
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		s.starts[0] = len(byteOrderMark) // columns don't count it
	}
	return s
}

// lineBreak is the length of the line break at an offset, 0 if there is none.
func (s *source) lineBreak(at int) int {
	rest := s.text[at:]
	if bytes.HasPrefix(rest, []byte("\r\n")) {
		return 2
	}
	if r, size := utf8.DecodeRune(rest); size > 0 && strings.ContainsRune(breaks, r) {
		return size
	}
	return 0
}

// newline is the line break that the text has first, "\n" if it has none.
func (s *source) newline() string {
	if len(s.starts) == 1 {
		return "\n"
	}
	end := s.starts[1]
	for _, known := range []string{"\r\n", "\n", "\r"} {
		if bytes.HasSuffix(s.text[:end], []byte(known)) {
			return known
		}
	}
	return "\n"
}

// strange notes that the text at n is not as it was thought to be. The edit is then refused.
func (s *source) strange(n *yaml.Node) int {
	if s.odd == nil {
		s.odd = &nodePlace{n.Line, n.Column}
	}
	return 0
}

// start is the offset at which n begins.
func (s *source) start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(s.starts) || n.Column < 1 {
		return s.strange(n)
	}
	at := s.starts[n.Line-1]
	for range n.Column - 1 {
		if at >= len(s.text) {
			return s.strange(n)
		}
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
}

// begins is start for a node whose text begins with mark.
func (s *source) begins(n *yaml.Node, mark string) int {
	at := s.start(n)
	if !bytes.HasPrefix(s.text[at:], []byte(mark)) {
		return s.strange(n)
	}
	return at
}

// end is the offset behind n.
func (s *source) end(n *yaml.Node) int {
	switch {
	case n.Kind == yaml.ScalarNode:
		return s.scalarEnd(n)
	case n.Style&yaml.FlowStyle != 0:
		return s.flowEnd(n)
	case len(n.Content) == 0:
		return s.strange(n)
	}
	return s.end(n.Content[len(n.Content)-1])
}

// flowEnd is the offset behind the bracket that closes n.
func (s *source) flowEnd(n *yaml.Node) int {
	opening, closing := "[", byte(']')
	if n.Kind == yaml.MappingNode {
		opening, closing = "{", '}'
	}
	at := s.begins(n, opening) + 1
	if len(n.Content) > 0 {
		at = s.end(n.Content[len(n.Content)-1])
	}
	at = s.skip(at, blanks+breaks+",", true)
	if at >= len(s.text) || s.text[at] != closing {
		return s.strange(n)
	}
	return at + 1
}

// skip is the offset behind the runes of set that begin at an offset, and behind comments among them if they count.
func (s *source) skip(at int, set string, comments bool) int {
	for at < len(s.text) {
		r, size := utf8.DecodeRune(s.text[at:])
		switch {
		case strings.ContainsRune(set, r):
			at += size
		case r == '#' && comments:
			at = s.contentEnd(at)
		default:
			return at
		}
	}
	return at
}

func (s *source) scalarEnd(n *yaml.Node) int {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return s.quoteEnd(n, '"', '\\')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return s.quoteEnd(n, '\'', '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.blockScalarEnd(n)
	}
	return s.wordsEnd(n, s.start(n))
}

// quoteEnd is the offset behind the quote that closes n. An escape and what follows it close nothing.
func (s *source) quoteEnd(n *yaml.Node, quote, escape byte) int {
	for at := s.begins(n, string(quote)) + 1; at < len(s.text); at++ {
		switch {
		case s.text[at] == escape && at+1 < len(s.text) && (escape != quote || s.text[at+1] == quote):
			at++
		case s.text[at] == quote:
			return at + 1
		}
	}
	return s.strange(n)
}

// blockScalarEnd is the offset behind the last character of a scalar that begins with | or >, and behind the empty lines that belong to
// it.
func (s *source) blockScalarEnd(n *yaml.Node) int {
	at := s.start(n)
	header := s.contentEnd(at)
	mark := string(s.text[at:header])
	if !strings.HasPrefix(mark, "|") && !strings.HasPrefix(mark, ">") {
		return s.strange(n)
	}
	end := s.wordsEnd(n, header)
	indicators, _, _ := strings.Cut(mark, "#")
	if !strings.Contains(indicators, "+") {
		return end
	}
	for next := s.lineEnd(end); next < len(s.text); next = s.lineEnd(next) {
		if s.skip(next, blanks, false) != s.contentEnd(next) {
			break
		}
		end = next
	}
	return end
}

// wordsEnd is the offset behind the last character of n that is not white space: all of them stand in the text in their order, from an
// offset on.
func (s *source) wordsEnd(n *yaml.Node, at int) int {
	end := at
	for _, want := range n.Value {
		if strings.ContainsRune(blanks+breaks, want) {
			continue
		}
		at = s.skip(at, blanks+breaks, false)
		r, size := utf8.DecodeRune(s.text[at:])
		if r != want || size == 0 {
			return s.strange(n)
		}
		at += size
		end = at
	}
	return end
}

// line is the number, from 0, of the line that an offset is in.
func (s *source) line(at int) int {
	i, found := slices.BinarySearch(s.starts, at)
	if !found {
		i--
	}
	return max(i, 0)
}

// lineEnd is the offset of the line after the one that an offset is in, or the end of the text.
func (s *source) lineEnd(at int) int {
	if next := s.line(at) + 1; next < len(s.starts) {
		return s.starts[next]
	}
	return len(s.text)
}

// contentEnd is the offset of the break that ends the line that an offset is in.
func (s *source) contentEnd(at int) int {
	for at < len(s.text) && s.lineBreak(at) == 0 {
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
}

// isBlank says whether a line has nothing but blanks.
func (s *source) isBlank(line int) bool {
	at := s.starts[line]
	return s.skip(at, blanks, false) == s.contentEnd(at)
}

// comment says whether a line is a comment that begins beyond a column (from 1).
func (s *source) comment(line, column int) bool {
	first := s.skip(s.starts[line], blanks, false)
	return first < len(s.text) && s.text[first] == '#' && first-s.starts[line] >= column
}
