package report

import (
	"cmp"
	"strings"
	"time"
)

func (a author) inForce() (n int) {
	for i := range a.Exceptions {
		if a.Exceptions[i].InForce {
			n++
		}
	}
	return n
}

// eventsText says how often what happened to exceptions.
func (a author) eventsText() string {
	n := map[EventKind]int{}
	for i := range a.Exceptions {
		for _, e := range a.Exceptions[i].Events {
			n[e.Kind]++
		}
	}
	kinds := []EventKind{Granted, Extended, Lapsed, Revoked}
	parts := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		parts = append(parts, a.l.say(eventPhrases[kind])+a.l.colon()+" "+a.l.number(uint64(n[kind])))
	}
	return strings.Join(parts, " · ")
}

func (a author) exceptions() []block {
	l := a.l
	if len(a.Exceptions) == 0 {
		return []block{{Text: l.say("No exception was in force in this period.")}}
	}
	t := &table{Columns: []column{
		{l.say("Exception"), false},
		{l.say("Agency"), false},
		{l.say("Reason and approval"), false},
		{l.say("Validity"), false},
		{l.say("Use"), false},
	}}
	for i := range a.Exceptions {
		x := &a.Exceptions[i]
		t.Rows = append(t.Rows, []cell{
			{Lines: present(strong(x.Name), line{Text: a.class(x.Class)}, weak(a.lifts(x)), weak(a.gone(x)))},
			{Lines: present(line{Text: cmp.Or(x.Agency, dash)}, weak(a.forWhom(x)))},
			{Lines: present(line{Text: x.Reason}, weak(a.approved(x.ApprovedBy)), weak(x.Ticket))},
			{Lines: a.validity(x)},
			{Lines: a.use(x)},
		})
	}
	return []block{
		{Facts: []fact{
			{l.say("In force in the period"), plain(l.number(uint64(a.inForce())))},
			{l.say("In the period"), plain(a.eventsText())},
		}},
		{Table: t, Note: l.say("The addresses of clients and the names that an exception lifts are left out on purpose. " +
			"Days of use are counted in UTC.")},
	}
}

// approved says who approved something, "" if nobody says so.
func (a author) approved(by string) string {
	if by == "" {
		return ""
	}
	return a.l.say("Approved by %[1]s", by)
}

// present are the lines with a text, or a dash without any.
func present(lines ...line) []line {
	var told []line
	for _, l := range lines {
		if l.Text != "" {
			told = append(told, l)
		}
	}
	if len(told) == 0 {
		return plain(dash)
	}
	return told
}

func (a author) class(class string) string {
	if p, known := classPhrases[class]; known {
		return a.l.say(p)
	}
	return class
}

// gone says that an exception is not in the files any more.
func (a author) gone(x *Exception) string {
	if x.Written {
		return ""
	}
	return a.l.say("no longer in the policy files")
}

// lifts says what an exception lifts.
func (a author) lifts(x *Exception) string {
	if !x.Written {
		return ""
	}
	parts := []string{a.l.say("every ban")}
	if len(x.Policies) > 0 {
		parts[0] = strings.Join(x.Policies, ", ")
	}
	if len(x.Lists) > 0 {
		parts = append(parts, a.l.say("lists: %[1]s", strings.Join(x.Lists, ", ")))
	}
	if x.Names > 0 {
		parts = append(parts, a.l.count(x.Names, "for %[1]s name", "for %[1]s names"))
	}
	return a.l.say("lifts: %[1]s", strings.Join(parts, " · "))
}

// forWhom says how many clients an exception is for.
func (a author) forWhom(x *Exception) string {
	l := a.l
	var parts []string
	if x.Addresses > 0 {
		parts = append(parts, l.count(x.Addresses, "for %[1]s address", "for %[1]s addresses"))
	}
	if x.Networks > 0 {
		parts = append(parts, l.count(x.Networks, "for %[1]s network", "for %[1]s networks"))
	}
	switch {
	case !x.Written:
		return ""
	case len(parts) == 0 && x.Descendants:
		return l.say("for the whole agency and those below it")
	case len(parts) == 0:
		return l.say("for the whole agency")
	}
	return strings.Join(parts, ", ")
}

func (a author) validity(x *Exception) []line {
	l := a.l
	lines := plain(l.span(x.From, x.Until))
	for _, e := range x.Events {
		text := l.say(eventPhrases[e.Kind]) + l.colon() + " "
		if e.Kind == Lapsed {
			text += l.last(e.On)
		} else {
			text += a.day(e.On)
		}
		if e.Kind == Extended && !e.Until.IsZero() {
			text += " (" + l.end(e.Until) + ")"
		}
		if e.ApprovedBy != "" && e.Kind != Granted {
			text += ", " + e.ApprovedBy
		}
		lines = append(lines, weak(text))
	}
	return lines
}

func (a author) use(x *Exception) []line {
	l := a.l
	if x.UsedDays == 0 {
		if a.Total == nil {
			return plain(l.say("no data"))
		}
		return plain(l.say("not used"))
	}
	lines := plain(l.count(x.UsedDays, "%[1]s day", "%[1]s days"))
	first, last := parseDay(x.FirstUse), parseDay(x.LastUse)
	if x.FirstUse == x.LastUse {
		return append(lines, weak(l.shortDate(first)))
	}
	return append(lines, weak(l.shortDate(first)+" "+dash+" "+l.shortDate(last)))
}

func (a author) troubles() []block {
	l, n := a.l, &a.Incidents
	blocks := []block{{Facts: []fact{
		{l.say("Policy changes that took effect"), plain(l.number(uint64(n.Changes)))},
		{l.say("Changes rejected"), plain(l.number(uint64(n.Rejected)))},
		{l.say("Lists held"), plain(l.number(uint64(n.Held)))},
		{l.say("Starts and stops"), plain(l.number(uint64(n.Starts)) + " / " + l.number(uint64(n.Stops)))},
		{l.say("Time that a server was not running"), plain(a.time(n.Down))},
		{l.say("Time without upstream"), plain(a.time(n.Lost))},
		{l.say("Entries missing from the logs"), plain(l.number(uint64(max(0, n.Missing))))},
	}}}
	if len(a.Logs) == 0 || a.Total == nil {
		return []block{{Text: l.say("No data: no log covers this period.")}}
	}
	if len(n.All) == 0 {
		return append(blocks, block{Text: l.say("The logs have no incident in this period.")})
	}
	t := &table{Columns: []column{{l.say("Incident"), false}, {l.say("What"), false}, {l.say("Time"), false}, {l.say("Duration"), true}}}
	for i := range n.All {
		t.Rows = append(t.Rows, a.incidentRow(&n.All[i]))
	}
	last := block{Table: t, Note: l.say("Held or rejected: the last good version stayed in force, so the bans in it went on. " +
		"Incidents concern a server as a whole, not one agency. Messages of the server are quoted as it wrote them.")}
	if a.LeftOut.Incidents > 0 {
		last.Note = joinSentences(l.count(a.LeftOut.Incidents, "%[1]s more is left out.", "%[1]s more are left out."), last.Note)
	}
	return append(blocks, last)
}

// time is a duration; none is said as such.
func (a author) time(seconds int64) string {
	if seconds == 0 {
		return a.l.say("none")
	}
	return a.l.duration(seconds)
}

func (a author) incidentRow(one *Incident) []cell {
	l := a.l
	what := []line{{Text: one.What}, weak(one.Reason)}
	switch {
	case one.Kind == NoUpstream && (one.What == "." || one.What == ""):
		what[0].Text = l.say("all names without a route of their own")
	case one.Kind == LogGap:
		what[0].Text = l.count(int(min(one.Times, 1<<32)), "%[1]s entry missing", "%[1]s entries missing")
	}
	if len(a.Logs) > 1 {
		what = append(what, weak(one.Log))
	}
	return []cell{
		{Lines: plain(l.say(incidentPhrases[one.Kind]))},
		{Lines: present(what...)},
		{Lines: plain(a.when(one.From, one.Until))},
		{Lines: plain(a.time(one.Seconds))},
	}
}

// addressesLogged says when addresses of clients were logged, and who approved it.
func (a author) addressesLogged() []block {
	l := a.l
	switch {
	case len(a.Logs) == 0 || a.Total == nil && len(a.Addresses) == 0:
		return []block{{Text: l.say("No data: no log covers this period.")}}
	case len(a.Addresses) == 0:
		return []block{{Text: l.say("According to the logs, no address of a client was logged in this period.")}}
	}
	t := &table{Columns: []column{
		{l.say("What was logged"), false}, {l.say("Reason and approval"), false}, {l.say("Time"), false}, {l.say("Duration"), true},
	}}
	for i := range a.Addresses {
		one := &a.Addresses[i]
		what := []line{{Text: one.What}}
		if len(a.Logs) > 1 {
			what = append(what, weak(one.Log))
		}
		t.Rows = append(t.Rows, []cell{
			{Lines: present(what...)},
			{Lines: present(line{Text: one.Reason}, weak(a.approved(one.ApprovedBy)), weak(one.Ticket))},
			{Lines: plain(a.when(one.From, one.Until))},
			{Lines: plain(a.time(one.Seconds))},
		})
	}
	last := block{Table: t, Note: l.say("For a limited time, queries were logged with the addresses of clients. What was logged " +
		"and why is quoted as it was written.")}
	if a.LeftOut.Addresses > 0 {
		last.Note = joinSentences(l.count(a.LeftOut.Addresses, "%[1]s more is left out.", "%[1]s more are left out."), last.Note)
	}
	return []block{last}
}

// when is the time between two moments; of a zero until only since when.
func (a author) when(from, until time.Time) string {
	when := a.l.moment(from)
	switch {
	case until.IsZero():
		return a.l.say("since %[1]s", when)
	case !until.Equal(from):
		when += " " + dash + " " + a.l.moment(until)
	}
	return when
}
