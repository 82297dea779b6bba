package format

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Detect says in which format a list is written by its beginning: the format that most lines of the first 4 KiB have.
// It looks at no more than that. It never returns [Auto] without an error.
//
// The error says what head holds instead: nothing, only comments, markup (an error page), JSON, compressed or other
// binary data, UTF-16, or rules of a format that is not read here.
func Detect(head []byte) (Format, error) {
	head = head[:min(len(head), maxHead)]
	if err := foreign(head); err != nil {
		return Auto, err
	}
	if len(trimLeft(head)) == 0 {
		return Auto, errors.New("detect list format: the list is empty")
	}
	var votes [kindMarkup + 1]int
	for line := range bytes.Lines(whole(head)) {
		votes[kindOf(bytes.TrimPrefix(line, []byte(byteOrderMark)))]++
	}
	votes[kindNone], votes[kindComment] = 0, 0
	most := kindNone
	for k, count := range votes {
		if count > votes[most] {
			most = kind(k)
		}
	}
	if most == kindNone {
		return Auto, fmt.Errorf("detect list format: found only comments in the first %d octets, name the format", len(head))
	}
	if f := most.format(); f != Auto {
		return f, nil
	}
	return Auto, fmt.Errorf("detect list format: most lines look like %s, want %s, %s or %s", most, Names, Hosts, Networks)
}

// whole is head without its last line if that may be cut short.
func whole(head []byte) []byte {
	if len(head) < maxHead {
		return head
	}
	if end := bytes.LastIndexByte(head, '\n'); end >= 0 {
		return head[:end+1]
	}
	return head
}

// foreign is an error that says what head holds if no list begins like this.
func foreign(head []byte) error {
	found := signature(head)
	if found == "" {
		found = document(trimLeft(head))
	}
	if found == "" && bytes.IndexByte(head, 0) >= 0 {
		found = "binary data (a NUL octet)"
	}
	if found == "" {
		return nil
	}
	return fmt.Errorf("read list: found %s, want a text with one rule a line", found)
}

// signature knows binary data by its first octets.
func signature(head []byte) string {
	for _, known := range []struct{ magic, found string }{
		{"\x1f\x8b", "gzip data"},
		{"\x28\xb5\x2f\xfd", "zstd data"},
		{"\xfd7zXZ\x00", "xz data"},
		{"BZh", "bzip2 data"},
		{"PK\x03\x04", "a zip file"},
		{"%PDF-", "a PDF document"},
		{"\x00\x00\xfe\xff", "text in UTF-32"},
		{"\xff\xfe\x00\x00", "text in UTF-32"},
		{"\xff\xfe", "text in UTF-16"},
		{"\xfe\xff", "text in UTF-16"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.found
		}
	}
	return ""
}

// document knows text that is no list by the first thing in it.
func document(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	begins := strings.ToLower(string(text[:min(len(text), 16)]))
	switch {
	case strings.HasPrefix(begins, "<!doctype html"), strings.HasPrefix(begins, "<html"):
		return "an HTML page"
	case strings.HasPrefix(begins, "<"):
		return "HTML or XML"
	case text[0] == '{':
		return "JSON"
	case text[0] == '[':
		if next := trimLeft(text[1:]); len(next) == 0 || bytes.IndexByte([]byte(`"{[]`), next[0]) >= 0 {
			return "JSON"
		}
	}
	return ""
}

// trimLeft is text without a byte order mark and blanks in front.
func trimLeft(text []byte) []byte {
	return trimStart(bytes.TrimPrefix(text, []byte(byteOrderMark)))
}
