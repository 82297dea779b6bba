package effect

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cordon/cmd/cordon/wording"
)

// What Sentences keeps to.
const (
	maxSentences = 40  // with the last, which says how many there are beside
	maxSentence  = 400 // octets
)

// Sentences tells the difference in sentences, each by itself: the effects first, by time, then moves and changes. There are at most 40,
// of at most 400 octets; the last says how many more there would be. It is one sentence if there is no difference.
func (d *Difference) Sentences() []string {
	var all []string
	for i := range d.Effects {
		e := &d.Effects[i]
		for j := range e.Outcomes {
			what, why := phrase(&e.Outcomes[j])
			all = append(all, e.Summary+": "+d.span(e)+": "+what+": "+listsText(e.Outcomes[j].Lists, false)+why)
		}
	}
	for i := range d.Gaps {
		all = append(all, d.Gaps[i].text())
	}
	for i := range d.Moves {
		all = append(all, d.Moves[i].text())
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		all = append(all, c.What+" "+c.Name+": "+strings.Join(c.Texts, "; "))
	}
	if len(all) == 0 {
		return []string{nothing}
	}
	if more := len(all) - maxSentences + 1; more > 1 {
		all = append(all[:maxSentences-1], fmt.Sprintf("and %d more differences", more))
	}
	for i := range all {
		all[i] = short(clean(all[i]))
	}
	return all
}

const nothing = "Nothing changes in effect"

// clean is text in one line, for a terminal: what a policy file says may hold anything.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// short is text, cut if it is too long.
func short(text string) string {
	if len(text) <= maxSentence {
		return text
	}
	end := maxSentence - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// Write writes the difference for people: what changed, then who is judged otherwise, span by span.
func (d *Difference) Write(w io.Writer) error {
	var b strings.Builder
	if d.Nothing() {
		b.WriteString(nothing + wording.Moment(" from ", d.At) + " on.\n")
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		line(&b, 0, c.What+" "+c.Name)
		for _, text := range c.Texts {
			line(&b, 1, text)
		}
	}
	for i := range d.Moves {
		line(&b, 0, d.Moves[i].text())
	}
	if len(d.Effects)+len(d.Gaps) == 0 && !d.Nothing() {
		b.WriteString("\nNo verdict changes.\n")
	}
	span := ""
	for i := range d.Effects {
		e := &d.Effects[i]
		if now := d.span(e); i == 0 || now != span {
			span = now
			b.WriteString("\n")
			line(&b, 0, capital(span))
		}
		line(&b, 1, e.Summary)
		for j := range e.Outcomes {
			writeOutcome(&b, &e.Outcomes[j])
		}
	}
	for i := range d.Gaps {
		b.WriteString("\n")
		line(&b, 0, d.Gaps[i].text())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeOutcome(b *strings.Builder, o *Outcome) {
	what, why := phrase(o)
	line(b, 2, what+why)
	for i := range o.Lists {
		line(b, 3, listsText(o.Lists[i:i+1], true))
	}
}

func line(b *strings.Builder, depth int, text string) {
	b.WriteString(strings.Repeat("  ", depth) + clean(text) + "\n")
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// phrases say one action in place of another, and how its reason stands to it.
var phrases = map[[2]string][2]string{
	{"pass", "refuse"}:    {"newly refused", " by "},
	{"pass", "observe"}:   {"newly observed", " by "},
	{"pass", "except"}:    {"newly excepted (passed before)", " from "},
	{"refuse", "pass"}:    {"newly allowed", ", no longer refused by "},
	{"refuse", "observe"}: {"only observed (refused before)", " by "},
	{"refuse", "except"}:  {"newly excepted", " from "},
	{"observe", "pass"}:   {"no longer observed", " by "},
	{"observe", "refuse"}: {"newly refused (only observed before)", " by "},
	{"observe", "except"}: {"newly excepted (observed before)", " from "},
	{"except", "pass"}:    {"passes without an exception", ", no longer banned by "},
	{"except", "refuse"}:  {"no longer excepted, but refused", " by "},
	{"except", "observe"}: {"no longer excepted, but observed", " by "},
}

// phrase is what happens, and by which decision and exception.
func phrase(o *Outcome) (what, why string) {
	p := phrases[[2]string{o.Before, o.After}]
	why = p[1] + wording.After(o.Policy, ", ", o.LegalReference)
	if o.Exception != "" {
		why += " (exception " + o.Exception + ")"
	}
	return p[0], why
}

// listsText is how much of some lists, with the first names or without.
func listsText(lists []Listed, first bool) string {
	all := make([]string, 0, len(lists))
	for i := range lists {
		l := &lists[i]
		var counts []string
		if l.Names > 0 {
			counts = append(counts, wording.Count(l.Names, "name"))
		}
		if l.Networks > 0 {
			counts = append(counts, wording.Count(l.Networks, "network"))
		}
		text := l.List + " (" + joined(counts) + ")"
		if first {
			first := sample{l.Names + l.Networks, l.First}
			text += ": " + first.text()
		}
		all = append(all, text)
	}
	return joined(all)
}

// text names the first of many.
func (s *sample) text() string {
	text := strings.Join(s.first, ", ")
	if s.count > len(s.first) {
		text += ", …"
	}
	return text
}

// some names the first of some.
func some(names []string) string {
	var s sample
	for _, name := range names {
		s.add(func() string { return name })
	}
	return s.text()
}

func (g *Gap) text() string {
	return g.Summary + wording.Moment(": not compared from ", g.From) + " on, too many exceptions begin and end"
}

func (m *Move) text() string {
	text := someText(m.Networks) + ": from the agency " + m.From + " to " + m.To
	if m.MayAsk != "" {
		text += "; these clients may " + m.MayAsk + " ask"
	}
	return text
}

// span is when an effect is there: "at once" is from the moment of the comparison on.
func (d *Difference) span(e *Effect) string {
	begin := "at once"
	if e.From.After(d.At) {
		begin = wording.Moment("from ", e.From)
	}
	switch {
	case !e.Until.IsZero() && e.From.After(d.At):
		return begin + " " + wording.End(e.Until)
	case !e.Until.IsZero():
		return begin + ", " + wording.End(e.Until)
	case e.From.After(d.At):
		return begin + " on"
	}
	return begin
}

// spanText is the time from one moment to just before another, either of which may be zero.
func (r *regimes) spanText(from, until time.Time) string {
	if until.IsZero() {
		return r.beginText(from) + " without an end"
	}
	return r.beginText(from) + " " + r.endText(until)
}

// beginText is a beginning, in the location of the comparison.
func (r *regimes) beginText(from time.Time) string {
	if from.IsZero() {
		return "from the beginning"
	}
	return wording.Moment("from ", from.In(r.at.Location()))
}

// endText is an end, in the location of the comparison.
func (r *regimes) endText(until time.Time) string {
	if until.IsZero() {
		return "without an end"
	}
	return wording.End(until.In(r.at.Location()))
}
