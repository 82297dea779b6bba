package manual

import (
	"fmt"
	"regexp"
	"strings"
)

// page is a page as it is written: lines for man(7).
type page struct{ text strings.Builder }

// heading begins a section.
func (p *page) heading(title string) { p.line(".SH " + title) }

// line writes a line that is a macro or in roff already.
func (p *page) line(roff string) { p.text.WriteString(roff + "\n") }

// item is a term, which is in roff already, with what is said of it set in below it.
func (p *page) item(term, said string) {
	p.line(".TP")
	p.line(term)
	p.set(said, ".IP")
}

// prose writes text as it stands in a help or a comment: paragraphs are filled, and lines that begin with white space stay as they are.
// What is in back quotes is in bold.
func (p *page) prose(text string) { p.set(text, ".PP") }

// set is prose whose paragraphs, but for the first, begin with the macro between.
func (p *page) set(text, between string) {
	for i, block := range blocks(text) {
		if i > 0 {
			p.line(between)
		}
		if block.verbatim {
			p.verbatim(block.lines)
			continue
		}
		p.line(inline(block.lines))
	}
}

// verbatim writes lines as they are, set in by two columns.
func (p *page) verbatim(lines []string) {
	p.line(".EX")
	for _, line := range lines {
		p.line("  " + characters(line))
	}
	p.line(".EE")
}

// block is a paragraph, or lines that stay as they are.
type block struct {
	verbatim bool
	lines    []string
}

// blocks divides text: at empty lines, and where lines begin to be set in or cease to be.
func blocks(text string) (all []block) {
	open := false // the last one goes on
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\n")
		verbatim := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch {
		case line == "":
			open = false
			continue
		case !open || all[len(all)-1].verbatim != verbatim:
			all = append(all, block{verbatim: verbatim})
		}
		last := &all[len(all)-1]
		last.lines = append(last.lines, line)
		open = true
	}
	for i := range all {
		if all[i].verbatim {
			all[i].lines = setOut(all[i].lines)
		}
	}
	return all
}

// setOut is lines without the white space that all of them begin with.
func setOut(lines []string) []string {
	margin := leading(lines[0])
	for _, line := range lines {
		for !strings.HasPrefix(line, margin) {
			margin = margin[:len(margin)-1]
		}
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line[len(margin):]
	}
	return out
}

func leading(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " \t"))] }

var quoted = regexp.MustCompile("`([^`]+)`")

// inline is a paragraph in roff, with what is in back quotes in bold.
func inline(lines []string) string {
	text := quoted.ReplaceAllStringFunc(strings.Join(lines, "\n"), func(one string) string {
		return strings.ReplaceAll(one, "\n", " ") // else it would be in two lines, and in none
	})
	out := strings.Split(text, "\n")
	for i, line := range out {
		out[i] = guarded(emphasised(line))
	}
	return strings.Join(out, "\n")
}

func emphasised(line string) string {
	var roff strings.Builder
	from := 0
	for _, m := range quoted.FindAllStringSubmatchIndex(line, -1) {
		roff.WriteString(characters(line[from:m[0]]) + bold(line[m[2]:m[3]]))
		from = m[1]
	}
	return roff.String() + characters(line[from:])
}

// guarded keeps a line from being taken for a macro.
func guarded(roff string) string {
	if strings.HasPrefix(roff, ".") || strings.HasPrefix(roff, "'") {
		return `\&` + roff
	}
	return roff
}

// argument is text as one argument of a macro.
func argument(text string) string { return `"` + characters(text) + `"` }

func bold(text string) string { return `\fB` + characters(text) + `\fR` }

func italic(text string) string { return `\fI` + characters(text) + `\fR` }

// characters writes what roff would take for something else, and all that is not ASCII, in the names that it has for them.
func characters(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\t':
			out.WriteString("        ") // within verbatim lines only
		case escapes[r] != "":
			out.WriteString(escapes[r])
		case r < ' ' || r == 0x7f:
			// no page has it, and no terminal should
		case r > 0x7f:
			fmt.Fprintf(&out, `\[u%04X]`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// escapes are the characters that are typed in a shell or a file as they look, which roff would turn into those of a book.
var escapes = map[rune]string{'\\': `\e`, '-': `\-`, '\'': `\(aq`, '`': `\(ga`, '^': `\(ha`, '~': `\(ti`, '"': `\(dq`}
