package report

import "fmt"

// document is the report in words, before it has a form: what Markdown and HTML have in common.
type document struct {
	Language language
	Title    string
	Subtitle string
	Facts    []fact
	Sections []section
	Contents string // the word
}

// section is a part with a heading of its own.
type section struct {
	ID     string
	Title  string
	Blocks []block
}

// block is a piece of a section. It has one of these, and perhaps a heading.
type block struct {
	Heading string
	Text    string
	Note    string
	Facts   []fact
	Table   *table
	Charts  []*chart
}

// small says whether the block has small charts, so that its note is of use only beside them.
func (b *block) small() bool { return len(b.Charts) > 0 && b.Charts[0].Small }

// fact is a term with what is told of it, of which there is at least one line.
type fact struct {
	Term  string
	Lines []line
}

// table has as many cells in each row as columns.
type table struct {
	Caption string
	Columns []column
	Rows    [][]cell
}

type column struct {
	Title  string
	Number bool
}

// cell is what stands in a table. Depth is how far it is indented, to show what is below what.
type cell struct {
	Lines []line
	Depth int
}

// line is a line of text. The link is http or https, or "".
type line struct {
	Text, Link   string
	Strong, Weak bool
}

func plain(text string) []line { return []line{{Text: text}} }

func weak(text string) line { return line{Text: text, Weak: true} }

func strong(text string) line { return line{Text: text, Strong: true} }

// cells are plain cells.
func cells(texts ...string) []cell {
	all := make([]cell, len(texts))
	for i, text := range texts {
		all[i] = cell{Lines: plain(text)}
	}
	return all
}

// facts are those that have something to tell.
func facts(all ...fact) []fact {
	var told []fact
	for _, f := range all {
		lines := f.Lines[:0:0]
		for _, l := range f.Lines {
			if l.Text != "" {
				lines = append(lines, l)
			}
		}
		if len(lines) > 0 {
			told = append(told, fact{f.Term, lines})
		}
	}
	return told
}

// number gives each chart an identifier of its own.
func (d *document) number() {
	n := 0
	for i := range d.Sections {
		for _, b := range d.Sections[i].Blocks {
			for _, c := range b.Charts {
				n++
				c.ID = fmt.Sprintf("chart%d", n)
			}
		}
	}
}
