package config

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// nodePtr is a node of the file that is edited.
type nodePtr = *yaml.Node

// editable is a policy file with its nodes, and the edits collected so far.
type editable struct {
	source
	File File

	path  string
	root  nodePtr
	file  policyFile // as the edits should leave it
	zone  *time.Location
	edits []edit
}

// edit is one change of the text: from an offset on, so many octets give way to others.
type edit struct {
	at, length int
	text       string
}

// style is how the elements of a list in a block are to be written.
type style int

const (
	inBlock    style = iota // each key on a line of its own
	asSiblings              // as the last element there is, and a new list with an object a line
)

// readEditable reads a policy file. Its error is why it can't be: what is wrong inside it is left to others.
func readEditable(f File) (*editable, error) {
	if f.Err != nil {
		return nil, Faults{{File: f.Path, Message: "the file can't be read: " + f.Err.Error()}}
	}
	root, faults := parseYAML(f.Path, f.Data)
	if root == nil {
		return nil, faults.excerpted(map[string][]byte{f.Path: f.Data})
	}
	t := &editable{source: newSource(f.Data), File: f, path: f.Path, root: root}
	d := decoder{file: f.Path, dir: filepath.Dir(f.Path)}
	if !d.current(root, reflect.TypeFor[policyFile]()) {
		return nil, d.faults.excerpted(map[string][]byte{f.Path: f.Data})
	}
	d.timezone(root)
	t.zone = d.zone
	d.object(root, reflect.ValueOf(&t.file).Elem(), "")
	return t, nil
}

// child is the key called name in a mapping, and its value; nil if there is none.
func child(m nodePtr, name string) (key, value nodePtr) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Kind == yaml.ScalarNode && m.Content[i].Value == name {
			return m.Content[i], m.Content[i+1]
		}
	}
	return nil, nil
}

// appendTo appends items to the list under a key of m. Where there is no such key, it comes after the value anchor, or at the end of the
// file if that is nil.
func (t *editable) appendTo(m nodePtr, name string, anchor nodePtr, how style, items ...item) {
	key, list := child(m, name)
	indent := m.Column - 1 + t.step()
	switch {
	case list == nil && anchor == nil && m.Style&yaml.FlowStyle == 0:
		t.insertLines(t.documentEnd(), m.Column-1, t.listItem(name, how, items).block)
	case list == nil:
		t.insertAfter(m, anchor, t.listItem(name, how, items))
	case list.Kind == yaml.ScalarNode && list.Value == "" && m.Style&yaml.FlowStyle == 0: // the key alone
		t.insertLines(t.lineEnd(t.end(key)), indent, dashed(items, how, 2))
	case list.Kind != yaml.SequenceNode:
		t.strange(list)
	case list.Style&yaml.FlowStyle == 0:
		t.appendBlock(list, how, items)
	case len(list.Content) > 0:
		t.appendFlow(list, items)
	case m.Style&yaml.FlowStyle == 0 && t.oneLine(list):
		t.replaceEmpty(list)
		t.insertLines(t.lineEnd(t.end(list)), indent, dashed(items, how, 2))
	default:
		t.insert(t.begins(list, "[")+1, flows(items))
	}
}

// listItem is a key with a list of items.
func (t *editable) listItem(name string, how style, items []item) item {
	block := dashed(items, how, 2)
	for i, line := range block {
		block[i] = strings.Repeat(" ", t.step()) + line
	}
	block = slices.Insert(block, 0, name+":")
	return item{block: block, flow: name + ": [" + flows(items) + "]"}
}

// step is by how much a list is indented more than its key in this file.
func (t *editable) step() int {
	for i := 0; i+1 < len(t.root.Content); i += 2 {
		key, val := t.root.Content[i], t.root.Content[i+1]
		if val.Kind == yaml.SequenceNode && val.Style&yaml.FlowStyle == 0 && val.Line > key.Line && val.Column >= key.Column {
			return min(val.Column-key.Column, 8)
		}
	}
	return 2
}

// documentEnd is where the document ends: at a line of three dots, else with the text.
func (t *editable) documentEnd() int {
	last := t.root.Content[len(t.root.Content)-1]
	for line := t.line(t.end(last)) + 1; line < len(t.starts); line++ {
		if strings.HasPrefix(string(t.text[t.starts[line]:]), "...") {
			return t.starts[line]
		}
	}
	return len(t.text)
}

// dashed are the lines of items in a list, of which each has its dash; gap is from a dash to what follows it.
func dashed(items []item, how style, gap int) []string {
	var lines []string
	for _, one := range items {
		block := one.block
		if how == asSiblings {
			block = []string{one.flow}
		}
		for i, line := range block {
			lead := strings.Repeat(" ", gap)
			if i == 0 {
				lead = "-" + lead[1:]
			}
			lines = append(lines, lead+line)
		}
	}
	return lines
}

// flows are items between brackets.
func flows(items []item) string {
	texts := make([]string, 0, len(items))
	for _, one := range items {
		texts = append(texts, one.flow)
	}
	return strings.Join(texts, ", ")
}

// appendBlock writes items below the last element of a list, as far to the right as that.
func (t *editable) appendBlock(list nodePtr, how style, items []item) {
	t.begins(list, "-")
	last := list.Content[len(list.Content)-1]
	gap := 2
	if last.Kind == yaml.MappingNode && last.Style&yaml.FlowStyle == 0 {
		how = inBlock
		if last.Column-list.Column >= 2 && last.Column-list.Column <= 8 {
			gap = last.Column - list.Column
		}
	}
	at := t.lineEnd(t.end(last))
	for at < len(t.text) && t.comment(t.line(at), list.Column) {
		at = t.lineEnd(at)
	}
	lines := dashed(items, how, gap)
	if t.apart(list) {
		lines = slices.Insert(lines, 0, "")
	}
	t.insertLines(at, list.Column-1, lines)
}

// apart says whether an empty line stands before the last element of a list.
func (t *editable) apart(list nodePtr) bool {
	if len(list.Content) < 2 {
		return false
	}
	before, last := list.Content[len(list.Content)-2], list.Content[len(list.Content)-1]
	for line := t.line(t.end(before)) + 1; line < last.Line-1; line++ {
		if t.isBlank(line) {
			return true
		}
	}
	return false
}

// appendFlow writes items behind the last element of a list between brackets: on lines of their own, if that one is.
func (t *editable) appendFlow(list nodePtr, items []item) {
	last := list.Content[len(list.Content)-1]
	begin, end := t.start(last), t.end(last)
	comma := t.skip(end, blanks+breaks, true)
	trailing := comma < len(t.text) && t.text[comma] == ','
	behind := end
	if trailing {
		behind = comma + 1
	}
	lineStart := t.starts[t.line(begin)]
	ownLine := t.skip(lineStart, blanks, false) == begin && t.skip(behind, blanks, true) == t.contentEnd(behind)
	if !ownLine || t.lineEnd(behind) == len(t.text) {
		t.insert(end, ", "+flows(items))
		return
	}
	lines := make([]string, 0, len(items))
	for i, one := range items {
		line := one.flow
		if trailing || i < len(items)-1 {
			line += ","
		}
		lines = append(lines, line)
	}
	if !trailing {
		t.insert(end, ",")
	}
	t.insertLines(t.lineEnd(behind), begin-lineStart, lines)
}

// insertAfter writes keys behind a value of the mapping m; nil is its last.
func (t *editable) insertAfter(m, anchor nodePtr, keys ...item) {
	if anchor == nil && len(m.Content) == 0 {
		t.insert(t.begins(m, "{")+1, flows(keys))
		return
	}
	if anchor == nil {
		anchor = m.Content[len(m.Content)-1]
	}
	end := t.end(anchor)
	if m.Style&yaml.FlowStyle != 0 {
		t.insert(end, ", "+flows(keys))
		return
	}
	var lines []string
	for _, one := range keys {
		lines = append(lines, one.block...)
	}
	t.insertLines(t.lineEnd(end), m.Column-1, lines)
}

// oneLine says whether nothing but blanks stands between the brackets of an empty list.
func (t *editable) oneLine(list nodePtr) bool {
	begin := t.begins(list, "[")
	return t.skip(begin+1, blanks, false) == t.end(list)-1
}

// replaceEmpty takes the brackets of an empty list away, with the blanks before them.
func (t *editable) replaceEmpty(list nodePtr) {
	begin, end := t.begins(list, "["), t.end(list)
	for begin > 0 && strings.ContainsRune(blanks, rune(t.text[begin-1])) {
		begin--
	}
	t.edits = append(t.edits, edit{begin, end - begin, ""})
}

// replaceScalar writes another text in place of a scalar, in the same quotes.
func (t *editable) replaceScalar(n nodePtr, text string) {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		text = `"` + text + `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		text = "'" + text + "'"
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		t.strange(n)
	}
	begin := t.start(n)
	t.edits = append(t.edits, edit{begin, t.end(n) - begin, text})
}

func (t *editable) insert(at int, text string) { t.edits = append(t.edits, edit{at, 0, text}) }

// insertLines writes lines, so far to the right, at the beginning of a line or at the end of the text. If that has no line break at its
// end, it has none afterwards.
func (t *editable) insertLines(at, indent int, lines []string) {
	newline := t.newline()
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteString(newline)
		}
		if line != "" {
			b.WriteString(strings.Repeat(" ", indent) + line)
		}
	}
	text := b.String() + newline
	if at == len(t.text) && t.starts[len(t.starts)-1] != at {
		text = newline + b.String()
	}
	t.insert(at, text)
}
