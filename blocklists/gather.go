package blocklists

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

const (
	// MaxEntries is how many names a list can have.
	MaxEntries = 20_000_000
	// MaxFaults is how many rejected lines a list remembers.
	MaxFaults = 1000

	quotedFaults = 3 // rejected lines quoted in an error
	widestIPv4   = 8 // shortest prefixes that a list may hold
	widestIPv6   = 16
)

// gathering is a list on its way from rules. Its lines are numbered through all of its files.
type gathering struct {
	names     *compactor
	limit     int           // names that it may have
	tooMany   func() error  // what is wrong if it has more
	own       []domain.Name // the organisation's own zones
	files     []File
	before    int // lines of the files before this one
	last      int // the last line that was heard of, of this file
	lines     int // entries that the publishers wrote
	marked    int // files with an end marker
	format    format.Format
	bad       int // lines that could not be read
	protected int // rules for what may not be listed
	faults    []format.LineError
}

// newGathering begins a list that may have as many names as before, which may be nil.
func newGathering(src *Source, before *List) *gathering {
	expected := 0
	if before != nil {
		expected = before.records
	}
	return &gathering{names: newCompactor(expected), own: src.OwnZones, limit: MaxEntries, tooMany: func() error {
		return fmt.Errorf("it has more than %d names, which is more than can be read", MaxEntries)
	}}
}

// open begins the file at path.
func (g *gathering) open(path string) {
	g.files = append(g.files, File{Path: path, First: g.before + 1})
}

// end takes in what a file's reader knows when all was read.
func (g *gathering) end(rules *format.Reader) {
	g.lines += rules.Lines()
	if _, marked := rules.End(); marked {
		g.marked++
	}
	g.format = rules.Format()
}

// endMarker is the end marker of a file with so many entries, where comments begin with #.
func endMarker(entries int) string { return fmt.Sprintf("# end of list: %d entries", entries) }

// list makes the list of what was gathered.
func (g *gathering) list(src *Source) (*List, error) {
	l := &List{
		name: src.Name, source: src.Source, loaded: time.Now(),
		lines: g.lines, bad: g.bad, protected: g.protected, faults: g.faults,
		format: g.format, marked: g.marked > 0 && g.marked == len(g.files),
	}
	switch len(g.files) {
	case 0:
	case 1:
		l.path = g.files[0].Path
	default:
		l.path, l.files = g.files[0].Path, g.files
	}
	return l, g.names.finish(l)
}

// takeAll takes in the rules of one file. Its error is that the rules could not be read to their end.
func (g *gathering) takeAll(rules iter.Seq2[format.Rule, error]) error {
	for rule, err := range rules {
		if fatal := g.take(rule, err); fatal != nil {
			return fatal
		}
	}
	g.before += g.last
	g.last = 0
	return nil
}

// take takes one step of a format's reader in. Its error ends the reading.
func (g *gathering) take(rule format.Rule, err error) error {
	if fault, ok := errors.AsType[*format.LineError](err); ok {
		g.bad++
		g.last = fault.Line
		g.fault(*fault)
		return nil
	}
	if err != nil {
		return err
	}
	g.last = rule.Line
	if rule.Prefix.IsValid() {
		g.takeNetwork(rule)
		return nil
	}
	return g.takeName(rule)
}

func (g *gathering) takeName(rule format.Rule) error {
	if why, ok := g.tooWide(rule); ok {
		g.protect(rule.Line, rule.Name.String(), why)
		return nil
	}
	if g.names.names > g.limit {
		return g.tooMany()
	}
	rule.Line += g.before
	return g.names.addName(rule.Name, newRuling(rule))
}

// tooWide says why a rule for a name may not be in force. One that allows a name lifts nothing of the names below it, so any
// name may have one; one that cancels would lift all of them.
func (g *gathering) tooWide(rule format.Rule) (why string, yes bool) {
	if rule.Action == format.Allow && len(rule.Name) > len(domain.Root) {
		return "", false
	}
	if zone, ok := g.ours(rule); ok {
		return zone.String() + " is one of our own zones (own_zones, forward): no list may hold it, or what is in it", true
	}
	if rule.Match == format.Exact && len(rule.Name) > len(domain.Root) {
		return "", false
	}
	return Protected(rule.Name)
}

// ours is one of the organisation's own zones that a rule blocks something of.
func (g *gathering) ours(rule format.Rule) (zone domain.Name, yes bool) {
	if rule.Action != format.Block {
		return "", false
	}
	for _, zone := range g.own {
		if rule.Name.Within(zone) || rule.Match != format.Exact && zone.Within(rule.Name) {
			return zone, true
		}
	}
	return "", false
}

func (g *gathering) takeNetwork(rule format.Rule) {
	widest := widestIPv6
	if rule.Prefix.Addr().Is4() {
		widest = widestIPv4
	}
	if rule.Action != format.Allow && rule.Prefix.Bits() < widest {
		g.protect(rule.Line, rule.Prefix.String(), fmt.Sprintf("the network is too wide for a list: want /%d or longer", widest))
		return
	}
	g.names.addNetwork(rule.Prefix, ruling{self: say(rule.Action), line: g.before + rule.Line})
}

func (g *gathering) protect(line int, text, why string) {
	g.protected++
	g.fault(format.LineError{Line: line, Text: text[:min(len(text), 80)], Reason: why})
}

// fault remembers a rejected line, by its number among those of all files.
func (g *gathering) fault(f format.LineError) {
	if len(g.faults) < MaxFaults {
		f.Line += g.before
		g.faults = append(g.faults, f)
	}
}

// quoteFaults writes the first rejected lines as one.
func (l *List) quoteFaults() string {
	var b strings.Builder
	for i, f := range l.faults[:min(len(l.faults), quotedFaults)] {
		if i > 0 {
			b.WriteString("; ")
		}
		path, line := l.Place(f.Line)
		if f.Line = line; path != l.path {
			b.WriteString(path + ": ")
		}
		b.WriteString(f.Error())
	}
	return b.String()
}
