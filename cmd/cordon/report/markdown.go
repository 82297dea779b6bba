package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// writeMarkdown writes d in CommonMark with the tables of GitHub. Charts are left out: their numbers stand in tables.
func writeMarkdown(out io.Writer, d *document) error {
	w := markdown{new(strings.Builder), d.Language.colon()}
	fmt.Fprintf(w, "# %s\n\n**%s**\n", escaped(d.Title), escaped(d.Subtitle))
	w.facts(d.Facts)
	for i := range d.Sections {
		s := &d.Sections[i]
		fmt.Fprintf(w, "\n## %s\n", escaped(s.Title))
		for j := range s.Blocks {
			w.block(&s.Blocks[j])
		}
	}
	_, err := io.WriteString(out, w.String())
	return err
}

// markdown writes a document.
type markdown struct {
	*strings.Builder

	colon string // after a term
}

func (w markdown) block(b *block) {
	if b.Heading != "" {
		fmt.Fprintf(w, "\n### %s\n", escaped(b.Heading))
	}
	if b.Text != "" {
		fmt.Fprintf(w, "\n%s\n", escaped(b.Text))
	}
	w.facts(b.Facts)
	w.table(b.Table)
	if b.Note != "" && !b.small() {
		fmt.Fprintf(w, "\n*%s*\n", escaped(b.Note))
	}
}

func (w markdown) facts(all []fact) {
	if len(all) > 0 {
		w.WriteString("\n")
	}
	for _, f := range all {
		fmt.Fprintf(w, "- **%s%s** %s\n", escaped(f.Term), w.colon, written(f.Lines, " · "))
	}
}

func (w markdown) table(t *table) {
	if t == nil {
		return
	}
	if t.Caption != "" {
		fmt.Fprintf(w, "\n**%s**\n", escaped(t.Caption))
	}
	w.WriteString("\n|")
	for _, c := range t.Columns {
		w.WriteString(" " + escaped(c.Title) + " |")
	}
	w.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Number {
			w.WriteString("--:|")
		} else {
			w.WriteString("---|")
		}
	}
	w.WriteString("\n")
	for _, row := range t.Rows {
		w.WriteString("|")
		for _, c := range row {
			w.WriteString(" " + strings.Repeat(dash+" ", min(c.Depth, mostDepth)) + written(c.Lines, "<br>") + " |")
		}
		w.WriteString("\n")
	}
}

// mostDepth is how far a cell is indented at most.
const mostDepth = 8

func written(lines []line, between string) string {
	parts := make([]string, 0, len(lines))
	for _, l := range lines {
		text := escaped(l.Text)
		switch {
		case l.Link != "":
			text = "<" + l.Link + ">"
		case l.Strong && text != "":
			text = "**" + text + "**"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, between)
}

// markup is what could be more than text, wherever it stands in a line: marks, HTML, entities, and what GitHub makes links of.
var markup = regexp.MustCompile("[\\\\`*_\\[\\]<>|~&!@$#]|://|\\b[wW]{3}\\.")

// escaped is text as text: one line that is no markup. It does not begin a line by itself, where more would be.
func escaped(text string) string {
	text = markup.ReplaceAllStringFunc(tidy(text), func(m string) string {
		if len(m) == 4 { // www.
			return m[:3] + "\\."
		}
		return "\\" + m
	})
	return strings.TrimSpace(text)
}

// tidy is text on one line, without characters that control how others are shown.
func tidy(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029:
			return ' '
		case r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff:
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, "\ufffd"))
}
