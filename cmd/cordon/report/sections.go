package report

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// author puts a report into words.
type author struct {
	*Report

	l language
}

// newDocument is r in the language l.
func newDocument(r *Report, l language) *document {
	a := author{r, l}
	title := l.say("Report on the bans enforced through DNS")
	subtitle := l.say("%[1]s to %[2]s", l.date(r.period.From), l.date(r.period.Last()))
	if r.Agency != "" {
		subtitle = r.Agency + " · " + subtitle
	}
	d := &document{
		Language: l, Title: title, Subtitle: subtitle, Facts: a.about(),
		Contents: l.say("Contents"),
		Sections: []section{
			{"summary", l.say("Summary"), a.summary()},
			{"bans", l.say("Bans and recommendations in force"), a.bans()},
			{"coverage", l.say("Coverage"), a.coverage()},
			{"counts", l.say("Refusals"), a.numbers()},
			{"exceptions", l.say("Exceptions"), a.exceptions()},
			{"incidents", l.say("Incidents"), a.troubles()},
			{"addresses", l.say("Addresses of clients"), a.addressesLogged()},
			{"data", l.say("Completeness of the data"), a.data()},
		},
	}
	d.number()
	return d
}

// about says what the report is of.
func (a author) about() []fact {
	l := a.l
	scope := l.say("all agencies")
	if a.Agency != "" {
		scope = l.say("%[1]s and the agencies below it", a.Agency)
	}
	return facts(
		fact{l.say("Concerns"), plain(scope)},
		fact{l.say("Made on"), plain(l.moment(a.Made) + " (" + a.TimeZone + ")")},
		fact{l.say("Hash of the policy in force"), plain(a.Hash)},
	)
}

// summary has the figures that one looks for first.
func (a author) summary() []block {
	l := a.l
	bans, recommended := 0, 0
	for i := range a.Bans {
		switch {
		case a.Bans[i].NoAgency:
		case a.Bans[i].Strength == "ban":
			bans++
		default:
			recommended++
		}
	}
	return []block{{Facts: facts(
		fact{l.say("Bans in force"), plain(l.number(uint64(bans)))},
		fact{l.say("Recommendations"), plain(l.number(uint64(recommended)))},
		fact{l.say("Agencies"), []line{{Text: l.number(uint64(len(a.Agencies)))}, weak(a.modes())}},
		fact{l.say("Queries refused"), plain(a.tally(a.Total, refused))},
		fact{l.say("Queries observed"), plain(a.tally(a.Total, observed))},
		fact{l.say("Queries allowed by an exception"), plain(a.tally(a.Total, excepted))},
		fact{l.say("Exceptions in force"), []line{{Text: l.number(uint64(a.inForce()))}, weak(a.eventsText())}},
		fact{l.say("Incidents"), plain(a.incidentCount())},
		fact{l.say("Data"), append(plain(a.coveredText()), a.intactText())},
	)}}
}

func (a author) incidentCount() string {
	if a.Total == nil {
		return a.l.say("no data")
	}
	return a.l.number(uint64(len(a.Incidents.All) + a.LeftOut.Incidents))
}

// modes says how many agencies are in each mode.
func (a author) modes() string {
	n := map[string]int{}
	for i := range a.Agencies {
		n[a.Agencies[i].Mode]++
	}
	var parts []string
	for _, mode := range []string{"enforce", "observe", "off"} {
		if n[mode] > 0 {
			parts = append(parts, a.l.say(modePhrases[mode])+a.l.colon()+" "+a.l.number(uint64(n[mode])))
		}
	}
	return strings.Join(parts, " · ")
}

// The numbers of a Tally.
const (
	refused = iota
	observed
	excepted
)

// tally is one of the numbers of t, in words if there are no data.
func (a author) tally(t *Tally, which int) string {
	if t == nil {
		return a.l.say("no data")
	}
	return a.l.number([]uint64{t.Refused, t.Observed, t.Excepted}[which])
}

func (a author) bans() []block {
	l := a.l
	if len(a.Bans) == 0 {
		return []block{{Text: l.say("No ban was in force in this period.")}}
	}
	blocks := make([]block, 0, len(a.Bans))
	for i := range a.Bans {
		b := &a.Bans[i]
		to := ""
		if b.NoAgency {
			to = l.say("no agency: it refuses nothing")
		}
		blocks = append(blocks, block{Heading: cmp.Or(l.pick(b.Title), b.Name), Facts: facts(
			fact{l.say("Legal basis"), a.legalBasis(b)},
			fact{l.say("Authority"), plain(cmp.Or(b.Authority, l.say("not stated")))},
			fact{l.say("Decided on"), plain(a.day(b.Decided))},
			fact{l.say("In force"), plain(l.span(b.From, b.Until))},
			fact{l.say("Prolonged"), a.prolonged(b.Prolonged)},
			fact{l.say("To be reviewed"), plain(a.day(b.Review))},
			fact{l.say("Kind"), plain(l.say(strengthPhrases[b.Strength]))},
			fact{l.say("Identifier"), plain(b.Name)},
			fact{l.say("Applies to"), plain(to)},
			fact{l.say("Only for"), plain(b.Within)},
			fact{l.say("Lists"), plain(strings.Join(b.Lists, ", "))},
			fact{l.say("Contact"), plain(address(b.Contact))},
		)})
	}
	return blocks
}

// legalBasis is what b rests on. That the policy files name nothing is said.
func (a author) legalBasis(b *Ban) []line {
	if b.LegalReference == "" && b.Link == "" {
		return plain(a.l.say("not stated"))
	}
	return []line{{Text: b.LegalReference}, linked(b.Link)}
}

// address is a contact as people write it.
func address(contact string) string {
	return strings.TrimPrefix(strings.TrimPrefix(contact, "mailto:"), "tel:")
}

// day is the day of t, "" if it is zero.
func (a author) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return a.l.shortDate(t)
}

// linked is a link that can be followed, or the text alone if nobody should.
func linked(link string) line {
	u, err := url.Parse(link)
	web := err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
	if !web || strings.ContainsAny(u.String(), "<>\"'` |\\") {
		return line{Text: link}
	}
	return line{Text: link, Link: u.String()}
}

func (a author) prolonged(all []Prolonged) []line {
	lines := make([]line, 0, len(all))
	for _, p := range all {
		parts := []string{a.l.say("on %[1]s", a.day(p.On)) + ", " + a.l.end(p.Until), p.Reference, p.ApprovedBy}
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
		lines = append(lines, line{Text: strings.Join(parts, " · ")})
	}
	return lines
}

func (a author) coverage() []block {
	l := a.l
	agencies := &table{Caption: l.say("Agencies"), Columns: []column{
		{l.say("Agency"), false},
		{l.say("Mode"), false},
		{l.say("Bans"), false},
		{l.say("Only observed"), false},
		{l.say("Networks"), true},
	}}
	for i := range a.Agencies {
		g := &a.Agencies[i]
		row := cells(g.Name, l.say(modePhrases[g.Mode]), join(g.Bans), join(g.Observed), l.number(uint64(g.Networks)))
		row[0].Depth = g.Depth
		agencies.Rows = append(agencies.Rows, row)
	}
	return []block{
		{Text: l.say("An agency has the bans of those above it, and its own; one without any has all of them. " +
			"Enforced: the query is refused. Only observed: what a ban would refuse is answered and counted; so is what a " +
			"recommendation advises against. Switched off: nothing is refused and nothing is counted. " +
			"The agency default stands for the clients in no agency's network.")},
		{Table: agencies},
		{Table: a.listTable(), Note: l.say("Bans, agencies and lists are told as the policy files had them when the report was made; " +
			"during the period they may have been others.")},
	}
}

// join is names, or a dash without any.
func join(names []string) string { return cmp.Or(strings.Join(names, ", "), dash) }

func (a author) listTable() *table {
	l := a.l
	t := &table{Caption: l.say("Lists"), Columns: []column{
		{l.say("List"), false},
		{l.say("Source"), false},
		{l.say("Names"), true},
		{l.say("Networks"), true},
		{l.say("As of"), false},
		{l.say("State"), false},
		{l.say("Bans"), false},
	}}
	for i := range a.Lists {
		s := &a.Lists[i]
		row := cells(s.Name, cmp.Or(s.Source, l.say("names in the policy files")), l.number(uint64(max(0, s.Names))),
			l.number(uint64(max(0, s.Networks))), a.age(s), s.State, join(s.Policies))
		if known, ok := statePhrases[s.State]; ok {
			row[5].Lines = plain(l.say(known))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// age is how old a list is.
func (a author) age(s *List) string {
	switch {
	case strings.HasPrefix(s.Source, "builtin:"):
		return a.l.say("part of the program")
	case s.Current.IsZero():
		return dash
	}
	days := int(a.Made.Sub(s.Current) / (24 * time.Hour))
	if days <= 0 {
		return a.day(s.Current)
	}
	return a.day(s.Current) + " (" + a.l.count(days, "%[1]s day", "%[1]s days") + ")"
}
