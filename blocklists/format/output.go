package format

import (
	"bytes"
	"errors"
	"strings"

	"cordon/blocklists/domain"
)

// output takes what the parsers find to the consumer.
type output struct {
	yield   func(Rule, error) bool
	stopped bool // the consumer wants no more: what comes is dropped
	line    int  // of the entry that is read
	names   chunks
	wire    [domain.MaxWire + 1]byte // the name that is read
}

func (o *output) rule(rule Rule) {
	if !o.stopped {
		rule.Line = o.line
		o.stopped = !o.yield(rule, nil)
	}
}

// reject says that text, an entry or a part of it, is no rule and why.
func (o *output) reject(text []byte, reason string) {
	o.fault(&LineError{Line: o.line, Text: excerpt(text), Reason: reason})
}

func (o *output) fault(fault *LineError) {
	if !o.stopped {
		o.stopped = !o.yield(Rule{}, fault)
	}
}

// nameRule puts a rule for the name in field, or why it is none.
func (o *output) nameRule(action Action, match Match, field []byte) {
	name, reason := o.name(field)
	if reason != "" {
		o.reject(field, reason)
		return
	}
	o.rule(Rule{Action: action, Name: name, Match: match})
}

// name reads a name as lists have them: without a "*", without escapes, and never one that is really an address. A fault
// comes back as its reason.
func (o *output) name(text []byte) (name domain.Name, reason string) {
	wire, reason := plainName(o.wire[:0], text)
	if reason != "" {
		return "", reason
	}
	return o.names.keep(wire), ""
}

// plainName is the wire form of the name in text, in buf.
func plainName(buf, text []byte) (wire []byte, reason string) {
	if bytes.IndexByte(text, '*') >= 0 {
		return nil, `a "*" may only stand for the first label, want *.example.com`
	}
	if bytes.IndexByte(text, '\\') >= 0 {
		return nil, `found a "\", want letters, digits, "-" and "_" with dots between them`
	}
	wire, err := domain.ParseTo(buf, text)
	if err != nil {
		return nil, reasonOf(err)
	}
	return wire, listable(wire)
}

func reasonOf(err error) string {
	if fault, ok := errors.AsType[*domain.ParseError](err); ok {
		reason, _, _ := strings.Cut(fault.Reason, " (write ") // escapes are no part of a list
		return reason
	}
	return err.Error()
}

// listable is why a list cannot hold the name wire, "" if it can.
func listable(wire []byte) (reason string) {
	switch {
	case len(wire) == 1:
		return "the root is every name there is: a list cannot hold it"
	case numeric(wire):
		return "the last label is a number: an address belongs in a list of networks"
	default:
		return ""
	}
}

// numeric reports whether the last label of the name wire, not the root, has only digits, which no top-level domain has: the
// text was an IPv4 address.
func numeric(wire []byte) bool {
	if last := wire[len(wire)-2]; last < '0' || last > '9' {
		return false
	}
	label := wire
	for next := wire; len(next) > 1; next = next[1+next[0]:] {
		label = next
	}
	for _, c := range label[1 : len(label)-1] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// chunks keeps names in few allocations: a name is a part of a long string.
type chunks struct {
	chunk strings.Builder
	size  int // of the last chunk
}

const minChunk, maxChunk = 1 << 10, 64 << 10 // octets: a list of three names does not take 64 KiB

func (c *chunks) keep(wire []byte) domain.Name {
	if c.chunk.Cap()-c.chunk.Len() < len(wire) {
		c.size = min(max(2*c.size, minChunk), maxChunk)
		c.chunk.Reset()
		c.chunk.Grow(c.size)
	}
	start := c.chunk.Len()
	c.chunk.Write(wire)
	return domain.Name(c.chunk.String()[start:])
}
