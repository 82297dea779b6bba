package blocklists

import (
	"fmt"
	"slices"
	"strings"

	"cordon/blocklists/domain"
	"cordon/blocklists/signature"
)

const (
	toleratedBad    = 5    // bad lines that are never too many
	toleratedLoss   = 10   // entries whose loss is never too much, if it is not more than half
	toleratedGrowth = 1000 // entries whose gain is never too much
)

// GuardError says that a list could be read, but is more likely broken than meant. Somebody who has looked at it can have it
// believed all the same: see [Source].
type GuardError struct {
	Content Content // of the list that is not believed
	Entries int     // that it would have in force
	reason  string  // all that the guards found
}

func (e *GuardError) Error() string { return e.reason }

// Check returns a *GuardError for a list that is more likely broken than meant. before is the version that is in force, nil for none.
func (g Guards) Check(l, before *List) error {
	var reasons []string
	for _, check := range []func(l, before *List) string{
		g.rejected, g.entries, g.marker, g.shrink, g.growth, g.contents, g.age,
	} {
		if reason := check(l, before); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return &GuardError{Content: l.content, Entries: l.entries(), reason: strings.Join(reasons, "; ")}
}

// marker finds a list without an end marker, if it must have one or had one.
func (g Guards) marker(l, before *List) string {
	switch {
	case l.marked:
		return ""
	case g.EndMarker:
		return fmt.Sprintf("it has no end marker: it was cut, or its publisher does not write one: want a last line %q (end_marker)",
			endMarker(l.lines))
	case l.comparable(before) && before.marked:
		return "it had an end marker, and has none any more, which looks like a cut file"
	}
	return ""
}

// boundGrowth ends the gathering of a list as soon as it has grown too much: who sends it may want our memory.
func (g Guards) boundGrowth(on *gathering, content Content, before *List, source string) {
	if g.MaxGrowth == 0 || before == nil || before.entries() == 0 || before.source != source {
		return
	}
	had := before.entries()
	limit := min(had+max(toleratedGrowth, g.MaxGrowth*had/100)+len(before.networks)+before.allowed, MaxEntries)
	if limit == MaxEntries {
		return
	}
	on.limit = 2*limit + batch // with rules that allow, and some room
	on.tooMany = func() error {
		return &GuardError{Content: content, Entries: on.limit, reason: fmt.Sprintf(
			"it grew from %d to more than %d entries, want a gain of at most %d%% (max_growth)", had, on.limit, g.MaxGrowth)}
	}
}

func (g Guards) rejected(l, _ *List) string {
	bad, all := l.bad, l.lines
	if bad <= toleratedBad || 100*bad <= g.MaxRejected*all {
		return ""
	}
	return fmt.Sprintf("%d of %d entries can't be read, want at most %d%% (max_rejected): %s", bad, all, g.MaxRejected, l.quoteFaults())
}

func (g Guards) entries(l, _ *List) string {
	switch entries := l.entries(); {
	case entries == 0 && len(l.faults) > 0:
		return "nothing in it can be used, want at least one name or network: " + l.quoteFaults()
	case entries == 0 && l.allowed > 0:
		return "all of its rules allow: want at least one name or network to block"
	case entries == 0:
		return "it is empty: want at least one name or network"
	case entries < g.MinEntries:
		return fmt.Sprintf("it has %d entries, want at least %d (min_entries)", entries, g.MinEntries)
	}
	return ""
}

// shrink finds a list that lost too much. One with an end marker is whole, so what it lost was taken out.
func (g Guards) shrink(l, before *List) string {
	if !l.comparable(before) || l.marked {
		return ""
	}
	had, has := before.entries(), l.entries()
	if lost := had - has; lost <= min(toleratedLoss, had/2) || 100*lost <= g.MaxShrink*had {
		return ""
	}
	return fmt.Sprintf("it shrank from %d to %d entries, which looks like a cut file: want a loss of at most %d%% (max_shrink), "+
		"or the line %q at its end", had, has, g.MaxShrink, endMarker(l.lines))
}

func (g Guards) growth(l, before *List) string {
	if !l.comparable(before) || g.MaxGrowth == 0 {
		return ""
	}
	had, has := before.entries(), l.entries()
	if gained := has - had; gained <= toleratedGrowth || gained <= g.MaxGrowth*had/100 {
		return ""
	}
	return fmt.Sprintf("it grew from %d to %d entries, want a gain of at most %d%% (max_growth)", had, has, g.MaxGrowth)
}

func (g Guards) contents(l, _ *List) string {
	if len(g.MustContain)+len(g.MustNotContain) == 0 {
		return ""
	}
	names := slices.Concat(g.MustContain, g.MustNotContain)
	var missing, found []domain.Name
	for i, held := range l.Holds(names...) {
		switch must := i < len(g.MustContain); {
		case must && !held:
			missing = append(missing, names[i])
		case !must && held:
			found = append(found, names[i])
		}
	}
	switch {
	case len(missing) > 0:
		return "it does not hold " + join(missing) + " (must_contain)"
	case len(found) > 0:
		return "it holds " + join(found) + " (must_not_contain)"
	}
	return ""
}

// age finds a signed list that is older than the one in force: somebody may be giving us one from last year.
func (g Guards) age(l, before *List) string {
	if g.Key == nil || before == nil || before.source != l.source {
		return ""
	}
	if err := signature.Newer(signature.Signature{Time: before.signed}, signature.Signature{Time: l.signed}); err != nil {
		return err.Error()
	}
	return ""
}

// comparable says whether before is another version of the same list.
func (l *List) comparable(before *List) bool {
	return before != nil && before.entries() > 0 && before.source == l.source && before.content != l.content
}

func join(names []domain.Name) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = n.String()
	}
	return strings.Join(texts, ", ")
}
