package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Formats are the forms that a report can be written in.
func Formats() []string { return []string{"md", "html", "csv", "json"} }

// Languages are those that the forms for people are written in.
func Languages() []string { return []string{"fr", "nl", "de", "en"} }

// Write writes the report in one of [Formats]. lang is one of [Languages]; csv and json are the same in all of them.
func (r *Report) Write(w io.Writer, format, lang string) error {
	if !slices.Contains(Languages(), lang) {
		return fmt.Errorf("found the language %q, want one of %s", lang, strings.Join(Languages(), ", "))
	}
	out := bufio.NewWriter(w)
	if err := r.write(out, format, language(lang)); err != nil {
		return err
	}
	return out.Flush()
}

func (r *Report) write(w *bufio.Writer, format string, l language) error {
	switch format {
	case "json":
		return r.writeJSON(w)
	case "csv":
		return r.writeCSV(w, ',')
	case "md":
		return writeMarkdown(w, newDocument(r, l))
	case "html":
		return writeHTML(w, newDocument(r, l))
	default:
		return fmt.Errorf("found the format %q, want one of %s", format, strings.Join(Formats(), ", "))
	}
}

// WriteCSV writes the report as Write does in the format csv, with separator between the cells: a comma (RFC 4180), a semicolon or a tab.
func (r *Report) WriteCSV(w io.Writer, separator rune) error {
	out := bufio.NewWriter(w)
	if err := r.writeCSV(out, separator); err != nil {
		return err
	}
	return out.Flush()
}

func (r *Report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeCSV writes a line for each step and each agency, policy and list that has any count in the period. Where there are no data, the
// numbers are left out; a step without any of these has one line for itself.
func (r *Report) writeCSV(w io.Writer, separator rune) error {
	table := csv.NewWriter(w)
	table.Comma = separator
	header := []string{"from", "to", "covered_percent", "agency", "policy", "list", "service", "refused", "observed", "excepted"}
	if err := table.Write(header); err != nil {
		return err
	}
	lines, at := r.series(), r.bySeries()
	for i := range r.Steps {
		for _, line := range lines {
			if err := table.Write(r.csvLine(i, line, at)); err != nil {
				return err
			}
		}
	}
	table.Flush()
	return table.Error()
}

// series are what is counted, in order, without steps and numbers. There is at least one, which may have no name.
func (r *Report) series() []Cell {
	seen := map[Cell]bool{}
	var all []Cell
	for _, c := range r.Counts {
		c.Step, c.Tally = 0, Tally{}
		if !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return []Cell{{}}
	}
	slices.SortFunc(all, byNames)
	return all
}

// bySeries are the counts by where they belong.
func (r *Report) bySeries() map[Cell]Tally {
	at := make(map[Cell]Tally, len(r.Counts))
	for _, c := range r.Counts {
		tally := c.Tally
		c.Tally = Tally{}
		at[c] = tally
	}
	return at
}

func (r *Report) csvLine(step int, line Cell, at map[Cell]Tally) []string {
	s := &r.Steps[step]
	cells := []string{
		s.From, s.To, strconv.Itoa(s.percent()), harmless(line.Agency), harmless(line.Policy), harmless(line.List), harmless(line.Service),
	}
	if s.Tally == nil {
		return append(cells, "", "", "")
	}
	line.Step = step
	n := at[line]
	for _, number := range []uint64{n.Refused, n.Observed, n.Excepted} {
		cells = append(cells, strconv.FormatUint(number, 10))
	}
	return cells
}

// percent is how much of the step the logs cover, rounded down.
func (s *Step) percent() int {
	return percentOf(s.Covered, s.Seconds)
}

// harmless is text that no spreadsheet takes for a formula: one that begins like a formula has an apostrophe before it.
func harmless(text string) string {
	if strings.ContainsAny(firstRune(text), "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") {
		return "'" + text
	}
	return text
}

// firstRune is the first character of text that is not a space.
func firstRune(text string) string {
	for _, r := range strings.TrimLeft(text, " ") {
		return string(r)
	}
	return ""
}
