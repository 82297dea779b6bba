package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFaults is how many faults of one file are reported; what is beyond is counted in one last fault.
const maxFaults = 100

// maxExcerpt is how many characters of a source line are kept around the place of a fault.
const maxExcerpt = 120

// Pos is a place in a file. Its zero value is no place. A value that came from the environment or from a flag has the name
// of that variable ("CORDON_LISTEN_DNS") or flag ("--listen") as its File, and no line.
type Pos struct {
	File   string
	Line   int // from 1; 0: the file as a whole
	Column int // from 1, in characters; 0: the line as a whole
}

// String is file:line, the form in which logs, metrics and explain name a rule's source.
func (p Pos) String() string {
	if p.Line == 0 {
		return printable(p.File)
	}
	return fmt.Sprintf("%s:%d", printable(p.File), p.Line)
}

// Fault is one thing that is wrong with the files, or, as a warning, one that is probably not what was meant.
type Fault struct {
	File    string // as in [Pos]
	Line    int    // from 1; 0: the file as a whole
	Column  int    // from 1, in characters
	Message string // what was found and what would be right, on one line
	Excerpt string // the source line, or the part of it around the place; "" if there is none

	// Warning: the files can be used all the same.
	Warning bool
	// Elsewhere: a warning about the machine that the files are looked at on, which may well be another than the server, and not about
	// what is written in them.
	Elsewhere bool
	// Spanning: it comes from several files together, so that the file named here is not by itself at fault. A reload holds
	// back one file for a fault of that file, and all changed files for a spanning one.
	Spanning bool
	// Files are the paths of all files that a spanning fault may come from, File among them, each once; nil if it is of one file.
	Files []string

	cut int // characters left out at the beginning of Excerpt
}

// Pos is the place of the fault.
func (f Fault) Pos() Pos { return Pos{File: f.File, Line: f.Line, Column: f.Column} }

// String is the one-line form, for logs: file:line:column: message. Nothing in it can break the line.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(printable(f.File))
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, max(f.Column, 1))
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(printable(f.Message))
	return b.String()
}

// Error is [Fault.String]: a fault can be returned as an error.
func (f Fault) Error() string { return f.String() }

// Render is the form for people: the one line, below it the source line and a caret under the place. It ends in a newline.
// Tabs become spaces and what can't be printed is escaped, so the caret stands right and a file can't command the terminal.
func (f Fault) Render() string {
	line := f.String() + "\n"
	if f.Excerpt == "" {
		return line
	}
	runes := []rune(f.Excerpt)
	caret := min(max(f.Column-1-f.cut, 0), len(runes))
	before := visible(string(runes[:caret]))
	return line + "    " + before + visible(string(runes[caret:])) + "\n" +
		"    " + strings.Repeat(" ", utf8.RuneCountInString(before)) + "^\n"
}

// visible is text with tabs as four spaces and what can't be printed escaped.
func visible(text string) string {
	return printable(strings.ReplaceAll(text, "\t", "    "))
}

// printable is text with everything that can't be printed on one line escaped as in a Go string.
func printable(text string) string {
	if strings.IndexFunc(text, unprintable) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && text[i] != 0xEF: // an octet that is not UTF-8, not U+FFFD as such
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !unicode.IsPrint(r) && r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// Faults are the faults of a load, in the order of file, line and column.
type Faults []Fault

// Bad says whether there is a fault that is not a warning: the files can't be used.
func (fs Faults) Bad() bool {
	return slices.ContainsFunc(fs, func(f Fault) bool { return !f.Warning })
}

// Errors are the faults that are not warnings.
func (fs Faults) Errors() Faults { return fs.filter(func(f Fault) bool { return !f.Warning }) }

// Warnings are the faults that are only warnings.
func (fs Faults) Warnings() Faults { return fs.filter(func(f Fault) bool { return f.Warning }) }

// Split tells what has to be held back apart: files are the faults that one file has by itself, by its path; spanning are
// those that come from several files together. Warnings hold nothing back and are in neither.
func (fs Faults) Split() (files map[string]Faults, spanning Faults) {
	files = make(map[string]Faults)
	for _, f := range fs {
		switch {
		case f.Warning:
		case f.Spanning:
			spanning = append(spanning, f)
		default:
			files[f.File] = append(files[f.File], f)
		}
	}
	return files, spanning
}

// Error is the first fault that is not a warning, and how many more there are; it makes Faults an error. See [Faults.Err].
func (fs Faults) Error() string {
	errs := fs.Errors()
	switch len(errs) {
	case 0:
		return "no fault"
	case 1:
		return errs[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", errs[0], len(errs)-1)
}

// Err is fs as an error, or nil if there is nothing but warnings in it.
func (fs Faults) Err() error {
	if !fs.Bad() {
		return nil
	}
	return fs
}

// Render is every fault in the form of [Fault.Render].
func (fs Faults) Render() string {
	var b strings.Builder
	for _, f := range fs {
		b.WriteString(f.Render())
	}
	return b.String()
}

func (fs Faults) filter(keep func(Fault) bool) Faults {
	var kept Faults
	for _, f := range fs {
		if keep(f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// sorted orders faults by file, line and column, keeping equal places in the order they were found, and drops what is
// said twice.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(fs, func(a, b Fault) bool {
		return a.Pos() == b.Pos() && a.Message == b.Message && a.Warning == b.Warning
	})
}

// bounded keeps the first maxFaults of each file's faults, which are sorted, and says in one more how many were left out.
func (fs Faults) bounded() Faults {
	var kept Faults
	for len(fs) > 0 {
		file := fs[0].File
		end := slices.IndexFunc(fs, func(f Fault) bool { return f.File != file })
		if end < 0 {
			end = len(fs)
		}
		kept = append(kept, fs[:min(end, maxFaults)]...)
		if more := fs[min(end, maxFaults):end]; len(more) > 0 {
			last := more[0]
			last.Message = fmt.Sprintf("and %d more faults in this file from here on", len(more))
			last.Warning = !more.Bad()
			kept = append(kept, last)
		}
		fs = fs[end:]
	}
	return kept
}

// excerpted puts the source lines into faults. Files that have no text here (flags, the environment) get none.
func (fs Faults) excerpted(texts map[string][]byte) Faults {
	lines := make(map[string][]string)
	for i := range fs {
		f := &fs[i]
		text, ok := texts[f.File]
		if !ok || f.Line == 0 {
			continue
		}
		if lines[f.File] == nil {
			lines[f.File] = splitLines(text)
		}
		if f.Line <= len(lines[f.File]) {
			f.Excerpt, f.cut = excerpt(lines[f.File][f.Line-1], f.Column)
		}
	}
	return fs
}

// excerpt is the part of line around column, and how many characters it leaves out on the left.
func excerpt(line string, column int) (part string, cut int) {
	count := utf8.RuneCountInString(line)
	if count <= maxExcerpt {
		return line, 0
	}
	cut = min(max(column-1-maxExcerpt/2, 0), count-maxExcerpt)
	for range cut { // a line may be as long as the file
		_, size := utf8.DecodeRuneInString(line)
		line = line[size:]
	}
	return string([]rune(line[:min(len(line), maxExcerpt*utf8.UTFMax)])[:maxExcerpt]), cut
}

// splitLines cuts text where YAML does: at LF, CR LF, CR, NEL, LS and PS.
func splitLines(text []byte) []string {
	plain := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	return strings.Split(plain.Replace(string(text)), "\n")
}
