package status

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"cordon/cmd/cordon/wording"
)

// mostLines is how many lines of one table are written.
const mostLines = 20

// Write writes s for people, in tables of plain text.
func Write(w io.Writer, s *Status) error {
	t := &text{}
	t.summary(s)
	t.held(s)
	t.tests(s)
	t.policies(s)
	t.agencies(s)
	t.exceptions(s)
	t.lists(s)
	t.upstreams(s)
	t.limits(s)
	_, err := io.WriteString(w, t.String())
	return err
}

// text is the tables as they grow.
type text struct{ strings.Builder }

func (t *text) fact(what, told string) {
	if told != "" {
		fmt.Fprintf(t, "%-10s %s\n", what, tidy(told))
	}
}

func (t *text) summary(s *Status) {
	t.fact("cordon", wording.After(s.Build.Version, " on ", s.Host)+", up "+wording.Roughly(s.At.Sub(s.Started))+
		", since "+wording.Minute(s.Started))
	t.fact("state", cmp.Or(strings.Join(s.Wrong(), ", "), "well: nothing is held, nothing fails"))
	if i := s.QueryLog.Incident; i != nil {
		t.fact("INCIDENT", "until "+wording.Minute(i.Until)+": "+i.warning())
	}
	t.fact("in force", "since "+wording.Minute(s.Snapshot.Since)+", hash "+s.Snapshot.Hash)
	t.fact("policy", fmt.Sprintf("%s: %d of %s in force, %s, %s with %s and %s", s.Snapshot.From, s.PoliciesInForce(),
		wording.Count(len(s.Policies), "policy"), wording.Count(len(s.Agencies), "agency"), wording.Count(len(s.Lists), "list"),
		wording.Count(s.Snapshot.Names, "name"), wording.Count(s.Snapshot.Networks, "network")))
	t.fact("next", s.nextText())
	t.fact("restart", s.restartText())
	t.fact("queries", fmt.Sprintf("%d: %d refused, %d observed, %d excepted", s.Traffic.Queries, s.Traffic.Refused, s.Traffic.Observed,
		s.Traffic.Excepted))
	t.fact("cache", s.Traffic.cacheText())
	t.fact("waiting", fmt.Sprintf("%d of %d places", s.Traffic.Waiting, s.Traffic.Places))
	if s.LocalNames > 0 {
		t.fact("local", wording.Count(s.LocalNames, "name")+" of one's own")
	}
	t.fact("query log", s.QueryLog.text())
}

// warning says what the incident means.
func (i *Incident) warning() string { return "the addresses of clients are logged, of " + i.Scope }

// text says which queries are logged, and where.
func (l *QueryLog) text() string {
	if len(l.Outputs) == 0 {
		return "off"
	}
	all := make([]string, len(l.Outputs))
	for i := range l.Outputs {
		o := &l.Outputs[i]
		all[i] = fmt.Sprintf("%s (%d written, %d dropped, %d failed)", o.Name, o.Written, o.Dropped, o.Errors)
	}
	return l.Rule() + ": " + strings.Join(all, ", ")
}

// Rule says which queries are logged, and how their clients are called.
func (l *QueryLog) Rule() string {
	return strings.Join(l.What, ", ") + ", " + cmp.Or(map[string]string{
		"pseudonym": "clients by a pseudonym of the day", "truncated": "clients by their network", "none": "without clients",
	}[l.Clients], "clients: "+l.Clients)
}

// nextText is what happens first by itself, and when.
func (s *Status) nextText() string {
	if len(s.Next) == 0 {
		return "nothing begins or ends by itself"
	}
	const few = 3
	var what []string
	for _, c := range some(s.Next, few) {
		what = append(what, c.What)
	}
	told := strings.Join(what, ", ")
	if more := len(s.Next) - few; more > 0 {
		told += fmt.Sprintf(" and %d more", more)
	}
	return wording.Minute(s.Next[0].At) + ": " + told
}

// restartText is what only a restart puts in force, "" for nothing.
func (s *Status) restartText() string {
	if len(s.Restart) == 0 {
		return ""
	}
	return "needed: what the service file says of " + strings.Join(s.Restart, ", ") + " counts from then on"
}

// cacheText is how the cache does.
func (t *Traffic) cacheText() string {
	hits := t.hitShare()
	if hits == "" {
		return "nothing was looked up yet"
	}
	return hits + " of look-ups found an answer"
}

// hitShare is how many of the look-ups in the cache found an answer; "" if there was none.
func (t *Traffic) hitShare() string {
	all := t.CacheHit + t.CacheStale + t.CacheMiss
	if all == 0 {
		return ""
	}
	return share(t.CacheHit+t.CacheStale, all)
}

// share is part of all in percent. A part that is not all is never said to be, nor one that is something to be nothing.
func share(part, all uint64) string {
	percent := 100 * float64(part) / float64(all)
	switch {
	case part > 0 && percent < 0.1:
		return "less than 0.1 %"
	case part < all && percent > 99.9:
		return "more than 99.9 %"
	default:
		return strconv.FormatFloat(percent, 'f', 1, 64) + " %"
	}
}

// table writes lines below a heading, of which the cells of each are divided by tabs, and how many more there are of all, and where.
func (t *text) table(heading string, lines []string, all int, where string) {
	if len(lines) == 0 {
		return
	}
	t.WriteString("\n")
	columns := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, heading)
	for _, line := range lines {
		fmt.Fprintln(columns, line)
	}
	_ = columns.Flush() // a Builder takes everything
	if more := all - len(lines); more > 0 {
		fmt.Fprintf(t, "and %d more: %s\n", more, where)
	}
}

// line is the cells of a line of a table, of which none is empty or breaks it.
func line(cells ...any) string {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = cmp.Or(tidy(fmt.Sprint(cell)), "-")
	}
	return strings.Join(texts, "\t")
}

// tidy is text without what a terminal obeys, or what turns the direction of what stands beside it.
func tidy(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

func (t *text) held(s *Status) {
	for i := range some(s.Held, mostLines) {
		h := &s.Held[i]
		fmt.Fprintf(t, "\nheld: %s, for %s, %s\n  %s\n", tidy(h.What), wording.Roughly(s.At.Sub(h.Since)), h.Effect(), tidy(h.Reason))
	}
	if more := len(s.Held) - mostLines; more > 0 {
		fmt.Fprintf(t, "\nand %d more are held: cordon status --json\n", more)
	}
}

// Effect is what is in force in place of what is written.
func (h *Held) Effect() string {
	if h.Absent {
		return "nothing of it is in force"
	}
	return "its last good version is in force"
}

func (t *text) tests(s *Status) {
	var lines []string
	for i := range s.Tests {
		if test := &s.Tests[i]; !test.OK && len(lines) < mostLines {
			lines = append(lines, line(test.Agency, test.Expect, test.Name, wording.Roughly(s.At.Sub(test.Since)), test.Reason))
		}
	}
	t.table("SELF-TEST FAILS\tEXPECTED\tNAME\tFOR\tFOUND", lines, s.failedTests(), "cordon status --json")
}

func (s *Status) failedTests() int {
	n := 0
	for i := range s.Tests {
		n += number(!s.Tests[i].OK)
	}
	return n
}

func (t *text) policies(s *Status) {
	var lines []string
	for i := range s.Policies {
		if p := &s.Policies[i]; p.State != over && len(lines) < mostLines {
			lines = append(lines, line(p.Name, p.Strength, p.State, wording.Day("", p.From), lastDay(p.Until), wording.Day("", p.Review),
				p.Refused, p.Source))
		}
	}
	t.table("POLICY\tSTRENGTH\tSTATE\tFROM\tUNTIL\tREVIEW\tREFUSED\tWRITTEN IN", lines, len(s.Policies)-s.policiesOver(),
		"cordon status --json")
}

// over is the state of a policy that has ended.
const over = "over"

func (s *Status) policiesOver() int {
	n := 0
	for i := range s.Policies {
		n += number(s.Policies[i].State == over)
	}
	return n
}

// lastDay is the last day before until, or its minute if that is not the end of a day; "" for the zero time.
func lastDay(until time.Time) string {
	switch {
	case until.IsZero():
		return ""
	case wording.IsMidnight(until):
		return until.AddDate(0, 0, -1).Format(time.DateOnly)
	default:
		return wording.Minute(until)
	}
}

func (t *text) agencies(s *Status) {
	lines := make([]string, 0, mostLines)
	for _, a := range s.agenciesFirst(mostLines) {
		lines = append(lines, line(strings.Repeat("  ", min(a.Depth, maxDepth))+a.Name, a.Mode, a.networksText(),
			listed(a.Policies, a.MorePols), a.Refused, a.Observed, a.Excepted))
	}
	t.table("AGENCY\tMODE\tNETWORKS\tPOLICIES IN FORCE\tREFUSED\tOBSERVED\tEXCEPTED", lines, len(s.Agencies), "cordon status --json")
}

// networksText is how many networks a has. The agency of the clients that are in none of them all has those.
func (a *Agency) networksText() string {
	if n := len(a.Networks) + a.MoreNets; n > 0 || a.Name != defaultAgency {
		return wording.Count(n, "network")
	}
	return "all others"
}

// defaultAgency is the agency of the clients that are in no agency's network.
const defaultAgency = "default"

// maxDepth is how far an agency is moved to the right at most.
const maxDepth = 8

// listed are the first few of all, of which there are more beside them.
func listed(all []string, more int) string {
	const few = 1
	if more += len(all) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:min(few, len(all))], ", "), more)
	}
	return strings.Join(all, ", ")
}

func (t *text) exceptions(s *Status) {
	lines := make([]string, 0, mostLines)
	for i := range some(s.Exceptions, mostLines) {
		e := &s.Exceptions[i]
		lines = append(lines, line(e.Name, e.Agency, e.State, lastDay(e.Until), e.DaysLeft, e.Uses, e.Source))
	}
	t.table("EXCEPTION\tAGENCY\tSTATE\tUNTIL\tDAYS LEFT\tUSES\tWRITTEN IN", lines, len(s.Exceptions), "cordon exception list")
}

func (t *text) lists(s *Status) {
	lines := make([]string, 0, mostLines)
	for i := range some(s.Lists, mostLines) {
		l := &s.Lists[i]
		lines = append(lines, line(l.Name, l.State, l.Names, l.Networks, l.age(s.At), l.Origin))
	}
	t.table("LIST\tSTATE\tNAMES\tNETWORKS\tAGE\tSOURCE", lines, len(s.Lists), "cordon lists")
}

// age is how long ago its source was known to have nothing newer, "" where that means nothing.
func (l *List) age(now time.Time) string {
	if l.Current.IsZero() {
		return ""
	}
	return wording.Roughly(now.Sub(l.Current))
}

func (t *text) upstreams(s *Status) {
	var lines []string
	all := 0
	for i := range s.Routes {
		r := &s.Routes[i]
		all += len(r.Servers)
		for j := range r.Servers {
			if u := &r.Servers[j]; len(lines) < mostLines {
				lines = append(lines, line(u.Address, r.zoneText(), u.State(), u.ResponseText(), u.Failures))
			}
		}
	}
	t.table("UPSTREAM\tFOR\tSTATE\tRESPONSE\tFAILURES IN A ROW", lines, all, "cordon status --json")
}

// zoneText is what the servers of r are asked for.
func (r *Route) zoneText() string {
	if r.Zone == "." {
		return "all names"
	}
	return r.Zone
}

// State is how a server is, in a word or two.
func (u *Server) State() string {
	switch {
	case u.Failing:
		return "failing"
	case u.Response == 0:
		return "not heard yet"
	default:
		return "answers"
	}
}

// ResponseText is how long it takes to answer, "" if that is not known.
func (u *Server) ResponseText() string {
	if u.Response == 0 {
		return ""
	}
	milliseconds := u.Response * 1000
	digits := 0
	if milliseconds < 10 {
		digits = 1
	}
	return strconv.FormatFloat(math.Max(milliseconds, 0.1), 'f', digits, 64) + " ms"
}

func (t *text) limits(s *Status) {
	lines := make([]string, 0, len(s.Limits))
	for i := range s.Limits {
		l := &s.Limits[i]
		if l.Hits > 0 {
			lines = append(lines, line(l.What, l.Hits, l.Key))
		}
	}
	if len(lines) == 0 {
		t.WriteString("\nno limit was hit\n")
	}
	t.table("LIMIT HIT\tTIMES\tSETTING", lines, len(lines), "")
}
