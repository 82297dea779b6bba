package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFileSize is the largest file that is read, in octets.
const maxFileSize = 1 << 20

// maxSyntaxSearch is the largest file, in octets, in which the exact line of a syntax error is looked for.
const maxSyntaxSearch = 256 << 10

// maxSyntaxSteps is how many lines the search for that line goes back.
const maxSyntaxSteps = 32

// parseYAML is the root mapping of the one YAML document that text must be, with a place in every node. It is nil if there
// is none, and then there is a fault.
func parseYAML(file string, text []byte) (*yaml.Node, Faults) {
	fault := func(line, column int, format string, args ...any) (*yaml.Node, Faults) {
		return nil, Faults{{File: file, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}}
	}
	if len(text) > maxFileSize {
		return fault(0, 0, "the file is larger than %d MiB", maxFileSize>>20)
	}
	if line, column, found := badText(text); found != "" {
		return fault(line, column, "%s: want UTF-8 text", found)
	}
	lines := &lineReader{text: text}
	decoder := yaml.NewDecoder(lines)
	var doc, next yaml.Node
	err := decodeNode(decoder, &doc)
	switch {
	case errors.Is(err, io.EOF):
		return fault(1, 1, "the file is empty, or was cut off")
	case err != nil:
		line, column := syntaxPlace(text, lines.count, err)
		return fault(line, column, "not YAML: %s", cmp.Or(tabAdvice(text, line), syntaxMessage(err)))
	}
	if err = decodeNode(decoder, &next); !errors.Is(err, io.EOF) {
		return fault(max(next.Line, 1), max(next.Column, 1), "a second YAML document begins here or below: want one document a file")
	}
	return rootMapping(file, &doc)
}

// rootMapping is the mapping at the root of a document without anchors and aliases.
func rootMapping(file string, doc *yaml.Node) (*yaml.Node, Faults) {
	root := doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root = doc.Content[0]
	}
	faults := anchors(file, root, nil)
	if len(faults) > 0 {
		return nil, faults
	}
	if root.ShortTag() == "!!null" {
		return nil, Faults{{File: file, Line: 1, Column: 1, Message: "the file is empty, or was cut off"}}
	}
	if root.Kind != yaml.MappingNode {
		message := fmt.Sprintf("found %s, want keys with values, such as %q", describe(root), "key: value")
		return nil, Faults{{File: file, Line: root.Line, Column: root.Column, Message: message}}
	}
	return root, nil
}

// anchors finds anchors and aliases below n. They are refused: a few lines of them stand for a billion values, and what a
// line of policy says should stand on that line. yaml.v3 bounds the depth of n (10 000), so the recursion is bounded.
func anchors(file string, n *yaml.Node, found Faults) Faults {
	if len(found) > maxFaults {
		return found
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		found = append(found, Fault{
			File: file, Line: n.Line, Column: n.Column,
			Message: "anchors (&name) and aliases (*name) are not supported: write the value out",
		})
	}
	for _, child := range n.Content {
		found = anchors(file, child, found)
	}
	return found
}

// badText finds the first place where text is not UTF-8 text, and says what it is; "" if there is none.
func badText(text []byte) (line, column int, what string) {
	at := bytes.IndexByte(text, 0)
	if at < 0 && utf8.Valid(text) {
		return 0, 0, ""
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return 1, 1, "the file is UTF-16"
	}
	what = "a NUL octet (is this UTF-16 or a binary file?)"
	for i := 0; i < len(text) && (at < 0 || i < at); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			at, what = i, fmt.Sprintf("the octet 0x%02x is not UTF-8", text[i])
			break
		}
		i += size
	}
	before := splitLines(text[:at])
	return len(before), utf8.RuneCountInString(before[len(before)-1]) + 1, what
}

// decodeNode reads the next document. A panic of the parser is an error like any other: the file is somebody else's.
func decodeNode(decoder *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	return decoder.Decode(n)
}

// lineReader gives a parser one line at a time, and so knows about how far the parser has come.
type lineReader struct {
	text  []byte
	count int // lines given
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	end := bytes.IndexByte(r.text, '\n') + 1
	if end == 0 {
		end = len(r.text)
	}
	n := copy(p, r.text[:end])
	if n == end {
		r.count++
	}
	r.text = r.text[n:]
	return n, nil
}

// syntaxPlace is the place of the syntax error err in text, of which the parser had read so many lines. yaml.v3 gives no
// column, and as the line often that of an enclosing block. The line is the first one with which the text up to it has the
// same error, looked for backwards from where the parser stood.
func syntaxPlace(text []byte, read int, err error) (line, column int) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	line = min(max(read, 1), len(lines))
	for len(bytes.TrimSpace(lines[line-1])) == 0 && line > 1 {
		line--
	}
	for step := 0; len(text) <= maxSyntaxSearch && step < maxSyntaxSteps && line > 1; step++ {
		var n yaml.Node
		before := decodeNode(yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:line-1], nil))), &n)
		if before == nil || syntaxMessage(before) != syntaxMessage(err) {
			break
		}
		line--
	}
	content := bytes.TrimLeft(lines[line-1], " \t")
	return line, len(lines[line-1]) - len(content) + 1
}

// syntaxMessage is what yaml.v3 says is wrong, without the line.
func syntaxMessage(err error) string {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if line, rest, ok := strings.Cut(message, ": "); ok && strings.HasPrefix(line, "line ") {
		return rest
	}
	return message
}

// tabAdvice is what to do about a tab in the indentation of a line, which YAML forbids; "" if there is none.
func tabAdvice(text []byte, line int) string {
	for range line - 1 {
		_, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return ""
		}
		text = rest
	}
	indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
	if bytes.IndexByte(indent, '\t') < 0 {
		return ""
	}
	return "there is a tab in the indentation: want spaces"
}

// describe says what a node is, for a message, such as: the text "x", a list, keys with values.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return describeScalar(n)
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return "something else"
}

func describeScalar(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!null":
		return "no value"
	case "!!bool":
		return "the truth value " + brief(n.Value)
	case "!!int", "!!float":
		return "the number " + brief(n.Value)
	case "!!timestamp":
		return "the date " + brief(n.Value)
	case "!!str":
		return "the text " + quote(n.Value)
	}
	return "a value tagged " + quote(n.ShortTag())
}

// quote is text in quotes, cut to 80 characters.
func quote(text string) string {
	return fmt.Sprintf("%q", brief(text))
}

// brief is text cut to 80 characters.
func brief(text string) string {
	if runes := []rune(text[:min(len(text), 4*80)]); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return text
}

// explicitTag says whether a scalar has a tag of its own that gives it another meaning than its text has.
func explicitTag(n *yaml.Node) bool {
	plain := []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!null"}
	return !slices.Contains(plain, n.ShortTag())
}
