package format

import (
	"bytes"
	"errors"

	"cordon/blocklists/domain"
)

// readName reads a line of a names list: "tiktok.com", "*.tiktok.com" or "=tiktok.com", perhaps with a comment.
func readName(number int, line []byte, yield func(Rule, error) bool) bool {
	field, rest := cutField(line)
	if len(field) == 0 || field[0] == '#' {
		return true
	}
	rule := Rule{Line: number}
	reason := "more than one word on the line: want a single name, a comment begins with #"
	if len(rest) == 0 || rest[0] == '#' {
		var text []byte
		text, rule.Match = cutMark(field)
		rule.Name, reason = parseName(text)
	}
	if reason == "" {
		return yield(rule, nil)
	}
	return yield(Rule{}, &LineError{Line: number, Text: excerpt(line), Reason: reasonFor(line, Names, reason)})
}

// cutMark takes off what says how a name is to be matched.
func cutMark(field []byte) (name []byte, match Match) {
	switch {
	case field[0] == '=':
		return field[1:], Exact
	case len(field) > 2 && field[0] == '*' && field[1] == '.':
		return field[2:], Below
	default:
		return field, Subtree
	}
}

// parseName reads a name as lists have them: without a "*", without escapes, and never one that is really an address.
// A fault comes back as its reason.
func parseName(text []byte) (name domain.Name, reason string) {
	if bytes.IndexByte(text, '*') >= 0 {
		return "", `a "*" may only stand for the first label, want *.example.com`
	}
	if bytes.IndexByte(text, '\\') >= 0 {
		return "", `found a "\", want letters, digits, "-" and "_" with dots between them`
	}
	name, err := domain.ParseBytes(text)
	switch fault, ok := errors.AsType[*domain.ParseError](err); {
	case ok:
		return "", fault.Reason
	case err != nil:
		return "", err.Error()
	case name == domain.Root:
		return "", "the root is every name there is: a list cannot hold it"
	case numeric(name):
		return "", "the last label is a number: an address belongs in a list of networks"
	}
	return name, ""
}

// numeric reports whether the last label of name has only digits, which no top-level domain has: the text was an IPv4
// address.
func numeric(name domain.Name) bool {
	if last := name[len(name)-2]; last < '0' || last > '9' {
		return false
	}
	for up, ok := name.Parent(); ok && up != domain.Root; up, ok = name.Parent() {
		name = up
	}
	for _, c := range []byte(name[1 : len(name)-1]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
