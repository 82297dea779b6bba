package report

import "cmp"

// mostCharts is how many agencies, and how many services, have a chart of their own. The tables have them all.
const mostCharts = 8

func (a author) numbers() []block {
	l := a.l
	blocks := []block{
		{Text: l.say("Refused: in place of the answer the server sent a refusal, because of a ban. Observed: the query was answered " +
			"and only counted, because the ban is only observed in that agency or because it is a recommendation. " +
			"Exception: it was answered, because an exception lifts the ban.")},
		{Text: l.say("The server counts queries, not persons, visits or devices, and a query is not the act of a person: " +
			"apps and web pages send it by themselves, sometimes hundreds an hour, and a device that got an answer does not " +
			"ask again for a while. Counts of an hour are of the day on which it begins.")},
		{Charts: []*chart{a.wholeChart()}},
	}
	if note := a.incompleteNote(); note != "" {
		blocks[len(blocks)-1].Note = note
	}
	blocks = append(blocks, block{Table: a.overTime()})
	blocks = append(blocks, a.ranked(l.say("By agency"), "", l.say("Agency"), a.ByAgency)...)
	what := l.say("The service is that of the list by which a query was judged, or else the list itself.")
	return append(blocks, a.ranked(l.say("By service"), what, l.say("Service"), a.ByService)...)
}

// incompleteNote explains the marks on steps.
func (a author) incompleteNote() string {
	none, part := false, false
	for i := range a.Steps {
		none = none || a.Steps[i].Tally == nil
		part = part || a.Steps[i].incomplete()
	}
	var note string
	if part {
		note = a.l.say("* Incomplete: the logs cover only a part of that time.")
	}
	if none {
		note = joinSentences(note, a.l.say("No data: no log covers that time; this does not mean that nothing was refused."))
	}
	return note
}

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

// incomplete: there are data, but not of all of the step. A few minutes around a restart are no matter.
func (s *Step) incomplete() bool { return s.Tally != nil && s.Covered*1000 < s.Seconds*999 }

// stepName is the name of a step where there is room.
func (a author) stepName(i int) string {
	s := &a.Steps[i]
	switch a.Unit {
	case Month:
		return a.l.monthAndYear(s.start)
	case Week:
		if s.From != s.To {
			return a.l.dayAndMonth(s.start) + " " + dash + " " + a.l.shortDate(s.last)
		}
	case Day:
	}
	return a.l.shortDate(s.start)
}

func (a author) overTime() *table {
	l := a.l
	t := &table{Caption: l.say(unitPhrases[a.Unit]), Columns: []column{
		{l.say("Time"), false},
		{l.say("Refused"), true},
		{l.say("Observed"), true},
		{l.say("Exception"), true},
		{l.say("Covered by the logs"), true},
	}}
	for i := range a.Steps {
		s := &a.Steps[i]
		t.Rows = append(t.Rows, a.tallyRow(a.stepName(i)+mark(s), s.Tally, l.share(s.Covered, s.Seconds)))
	}
	t.Rows = append(t.Rows, a.totalRow(t))
	return t
}

func mark(s *Step) string {
	if s.incomplete() {
		return " *"
	}
	return ""
}

func (a author) tallyRow(name string, t *Tally, more ...string) []cell {
	if t == nil {
		none := a.l.say("no data")
		return cells(append([]string{name, none, none, none}, more...)...)
	}
	return cells(append([]string{name, a.tally(t, refused), a.tally(t, observed), a.tally(t, excepted)}, more...)...)
}

// totalRow is the last row of a table.
func (a author) totalRow(t *table) []cell {
	row := a.tallyRow(a.l.say("Total"), a.Total)
	if len(t.Columns) > len(row) {
		row = append(row, cell{Lines: plain(a.coveredShare())})
	}
	for i := range row {
		row[i].Lines[0].Strong = true
	}
	return row
}

// ranked is a table of rows, and charts of the first of them. text, which may be empty, explains what they are.
func (a author) ranked(title, text, what string, rows []Row) []block {
	if len(rows) == 0 {
		return nil
	}
	l := a.l
	t := &table{Columns: []column{
		{what, false}, {l.say("Refused"), true}, {l.say("Observed"), true}, {l.say("Exception"), true},
	}}
	charts := block{}
	for i := range rows {
		r := &rows[i]
		t.Rows = append(t.Rows, a.tallyRow(cmp.Or(r.Name, dash), r.Total))
		if len(charts.Charts) < mostCharts && r.Total != nil && r.Total.all() > 0 {
			charts.Charts = append(charts.Charts, a.rowChart(r))
		}
	}
	t.Rows = append(t.Rows, a.totalRow(t))
	blocks := []block{{Heading: title, Text: text, Table: t}}
	if len(charts.Charts) > 0 {
		charts.Note = l.say("Each chart has its own scale.")
		blocks = append(blocks, charts)
	}
	return blocks
}
