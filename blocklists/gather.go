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
	// MaxFaults is how many skipped lines a list remembers.
	MaxFaults = 1000

	toleratedBad   = 5  // bad lines that are never too many
	toleratedShare = 10 // a tenth of the lines may be bad
	quotedFaults   = 3  // skipped lines quoted in an error
	widestIPv4     = 8  // shortest prefixes that a list may hold
	widestIPv6     = 16
)

// gather makes the list out of rules, if they pass the guards.
func (src Source) gather(rules iter.Seq2[format.Rule, error], path string) (*List, error) {
	g := gathering{names: newCompactor()}
	for rule, err := range rules {
		if fatal := g.take(rule, err); fatal != nil {
			return nil, fatal
		}
	}
	l := &List{
		name: src.Name, source: src.Source, path: path, loaded: time.Now(),
		skipped: g.bad + g.protected, faults: g.faults,
	}
	if err := g.names.finish(l); err != nil {
		return nil, err
	}
	if err := g.guard(l, src.MinEntries); err != nil {
		return nil, err
	}
	return l, nil
}

// gathering is a list on its way.
type gathering struct {
	names     *compactor
	taken     int // rules in force, with those that stand twice
	bad       int // lines that could not be read
	protected int // rules for what may not be listed
	faults    []format.LineError
}

// take takes one step of a format's reader in. Its error ends the reading.
func (g *gathering) take(rule format.Rule, err error) error {
	if fault, ok := errors.AsType[*format.LineError](err); ok {
		g.bad++
		g.fault(*fault)
		return nil
	}
	if err != nil {
		return err
	}
	if rule.Prefix.IsValid() {
		g.takeNetwork(rule)
		return nil
	}
	return g.takeName(rule)
}

func (g *gathering) takeName(rule format.Rule) error {
	if why, ok := tooWide(rule); ok {
		g.protect(rule.Line, rule.Name.String(), why)
		return nil
	}
	g.taken++
	return g.names.addName(rule.Name, newRuling(rule))
}

// tooWide says why a rule for a name may not be in force. One that allows a name lifts nothing of the names below it, so any
// name may have one; one that cancels would lift all of them.
func tooWide(rule format.Rule) (why string, yes bool) {
	if len(rule.Name) > len(domain.Root) && (rule.Match == format.Exact || rule.Action == format.Allow) {
		return "", false
	}
	return Protected(rule.Name)
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
	g.taken++
	g.names.addNetwork(rule.Prefix, ruling{self: say(rule.Action), line: rule.Line})
}

func (g *gathering) protect(line int, text, why string) {
	g.protected++
	g.fault(format.LineError{Line: line, Text: text[:min(len(text), 80)], Reason: why})
}

func (g *gathering) fault(f format.LineError) {
	if len(g.faults) < MaxFaults {
		g.faults = append(g.faults, f)
	}
}

// guard returns an error for a list that is more likely broken than meant.
func (g *gathering) guard(l *List, minEntries int) error {
	entries := l.entries()
	switch {
	case g.bad > toleratedBad && g.bad*toleratedShare > g.bad+g.taken+g.protected:
		return fmt.Errorf("%d of %d entries can't be read, want at most a tenth: %s",
			g.bad, g.bad+g.taken+g.protected, quote(g.faults))
	case entries == 0 && len(g.faults) > 0:
		return fmt.Errorf("nothing in it can be used, want at least one name or network: %s", quote(g.faults))
	case entries == 0 && l.allowed > 0:
		return errors.New("all of its rules allow: want at least one name or network to block")
	case entries == 0:
		return errors.New("it is empty: want at least one name or network")
	case entries < minEntries:
		return fmt.Errorf("it has %d entries, want at least %d (min_entries)", entries, minEntries)
	}
	return nil
}

// quote writes the first faults as one line.
func quote(faults []format.LineError) string {
	var b strings.Builder
	for i, f := range faults[:min(len(faults), quotedFaults)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.Error())
	}
	return b.String()
}
