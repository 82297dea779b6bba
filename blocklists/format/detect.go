package format

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A list is looked at to find out what it is: its first 4 KiB, or 64 KiB if those hold only comments.
const shortHead, longHead = 4 << 10, maxLine

var errOnlyComments = errors.New("detect list format: found only comments")

// detect says in which format a list is written by its beginning: that of its first entry if only one format begins like that,
// else the one that most lines have. It never returns [Auto] without an error.
//
// The error says what head holds instead: nothing, only comments, or rules of a format that is not read here.
func detect(head []byte) (Format, error) {
	if len(trimLeft(head)) == 0 {
		return Auto, errors.New("detect list format: the list is empty")
	}
	certain, votes := survey(head)
	if certain != Auto {
		return certain, nil
	}
	most := kindNone
	for k, count := range votes {
		if count > votes[most] {
			most = kind(k)
		}
	}
	if most == kindNone {
		return Auto, fmt.Errorf("%w in the first %d octets, name the format", errOnlyComments, len(head))
	}
	if f := most.format(); f != Auto {
		return f, nil
	}
	return Auto, fmt.Errorf("detect list format: most lines look like %s, want one of the formats that are read here", most)
}

// survey counts the lines of each kind, comments apart. certain is the format of which a line leaves no doubt, Auto if none does.
func survey(head []byte) (certain Format, votes [kindMarkup + 1]int) {
	first := true
	for line := range bytes.Lines(whole(head)) {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		if adblockHeader(trimStart(line)) {
			return Adblock, votes
		}
		k := kindOf(line)
		if k == kindNone || k == kindComment {
			continue
		}
		if f := opening(line, k); first && f != Auto {
			return f, votes
		}
		first = false
		votes[k]++
	}
	return Auto, votes
}

// opening is the format of a list whose first entry is line, if only one format begins like that: the lines of a SOA record, for
// one, look like nothing, and there may be more of them than of all others.
func opening(line []byte, k kind) Format {
	switch {
	case k == kindUnbound && bytes.HasPrefix(trimStart(line), []byte("server:")):
		return Unbound
	case k == kindZone:
		return RPZ
	default:
		return Auto
	}
}

// whole is head without its last line if that may be cut short.
func whole(head []byte) []byte {
	if len(head) < shortHead {
		return head
	}
	if end := bytes.LastIndexByte(head, '\n'); end >= 0 {
		return head[:end+1]
	}
	return head
}

// foreign is an error that says what the text that begins with head is, if no list begins like this.
func foreign(head []byte) error {
	if found := document(trimLeft(head)); found != "" {
		return unwanted(found)
	}
	return nil
}

func unwanted(found string) error {
	return fmt.Errorf("read list: found %s, want a text with one rule a line, as it is or in gzip or zstd", found)
}

// signature knows binary data by its first octets.
func signature(head []byte) string {
	for _, known := range []struct{ magic, found string }{
		{"\xfd7zXZ\x00", "xz data"},
		{"BZh", "bzip2 data"},
		{"PK\x03\x04", "a zip file"},
		{"%PDF-", "a PDF document"},
		{"\x00\x00\xfe\xff", "text in UTF-32"},
		{"\xff\xfe\x00\x00", "text in UTF-32"},
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
	case lonelyReturns(text):
		return "line ends that are carriage returns alone"
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

// lonelyReturns reports whether the lines of text end in carriage returns without a line feed.
func lonelyReturns(text []byte) bool {
	end := bytes.IndexByte(bytes.TrimRight(text, "\r\n"), '\r')
	return end >= 0 && bytes.IndexByte(text, '\n') < 0
}
