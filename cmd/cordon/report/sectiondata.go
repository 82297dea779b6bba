package report

import (
	"time"
)

// data says what the numbers rest on.
func (a author) data() []block {
	l := a.l
	var blocks []block
	if len(a.Logs) == 0 {
		blocks = append(blocks, block{Text: l.say("No audit log was read, so there are no counts and no incidents.")})
	}
	for i := range a.Logs {
		blocks = append(blocks, a.log(&a.Logs[i]))
	}
	if a.LeftOut != (LeftOut{}) {
		blocks = append(blocks, block{Text: l.say("Not everything could be taken in: %[1]s counts, %[2]s entries about exceptions, "+
			"%[3]s incidents and %[4]s entries without a usable time are left out.", l.number(uint64(a.LeftOut.Counts)),
			l.number(uint64(a.LeftOut.Exceptions)), l.number(uint64(a.LeftOut.Incidents)), l.number(uint64(a.LeftOut.Unusable)))})
	}
	return append(blocks,
		block{Text: l.say("This report has no address of a client and no name that was asked for; " +
			"the server keeps neither in its audit log.")},
	)
}

func (a author) log(g *LogReport) block {
	l := a.l
	verified := []line{{Text: l.say("intact: no line was altered, removed or inserted before the last, " +
		"whose hash is to be compared with one that was kept elsewhere"), Strong: true}}
	if !g.Intact {
		verified = []line{{Text: l.say("NOT intact"), Strong: true}, {Text: g.Broken}}
	}
	heading := l.say("Audit log %[1]s", g.Name)
	entries := l.say("none")
	if !g.First.IsZero() {
		entries = l.moment(g.First) + " " + dash + " " + l.moment(g.Last)
	}
	covered := l.say("%[1]s of the period, up to when the report was made", l.share(g.Covered, g.Seconds))
	told := []fact{
		{l.say("Entries"), []line{{Text: entries}, weak(l.number(g.Entries))}},
		{l.say("Has counts for"), plain(covered)},
		{l.say("Verified"), verified},
	}
	if g.Head != "" {
		told = append(told, fact{l.say("Hash of the last line"), plain(g.Head)})
	}
	if g.Unreadable > 0 {
		unreadable := []line{{Text: l.number(uint64(g.Unreadable))}, weak(g.FirstUnreadable)}
		told = append(told, fact{l.say("Lines that can't be read"), unreadable})
	}
	return block{Heading: heading, Facts: told}
}

// coveredShare is how much of the period the logs cover on average.
func (a author) coveredShare() string {
	var covered, whole int64
	for i := range a.Steps {
		covered, whole = covered+a.Steps[i].Covered, whole+a.Steps[i].Seconds
	}
	return a.l.share(covered, whole)
}

// percentOf is a share, rounded down, so that 100 is all of it.
func percentOf(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, 100*part/whole))
}

func (a author) coveredText() string {
	if len(a.Logs) == 0 {
		return a.l.say("no data")
	}
	return a.l.say("the logs cover %[1]s of the period", a.coveredShare())
}

// intactText says whether all logs are intact.
func (a author) intactText() line {
	if len(a.Logs) == 0 {
		return line{}
	}
	for i := range a.Logs {
		if !a.Logs[i].Intact {
			return line{Text: a.l.say("NOT intact"), Strong: true}
		}
	}
	return weak(a.l.say("verified: intact"))
}

// parseDay is a day of [Exception.FirstUse].
func parseDay(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	return t
}
