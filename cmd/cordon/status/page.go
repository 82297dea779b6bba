package status

import (
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"html/template"
	"io"
	"strconv"
	"sync"
	"time"

	"cordon/cmd/cordon/wording"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// page is the templates of the two pages. html/template escapes what it is given by where it stands.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"count": wording.Count, "minute": wording.Minute, "lastday": lastDay, "number": grouped, "long": inWords,
		"day":     func(t time.Time) string { return wording.Moment("", t) },
		"machine": func(t time.Time) string { return t.Format(time.RFC3339) },
		"indent":  func(depth int) int { return min(depth, maxDepth) },
	}).Parse(pageText))
})

// contentPolicy is the Content-Security-Policy of both pages: the one style, by its hash, and forms that come back here.
var contentPolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(styleText))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
})

// mostRows is how many rows of one table a page shows.
const mostRows = 100

// sheet is what both pages have, beside the name of the machine.
type sheet struct {
	Title string
	Style template.CSS
	Form  question
}

func newSheet(title string) sheet {
	return sheet{Title: title, Style: template.CSS(styleText)} //nolint:gosec // it is a constant
}

// rows are those that a table shows of all.
type rows[T any] struct {
	Shown []T
	All   int
}

// More is how many are not shown.
func (r rows[T]) More() int { return r.All - len(r.Shown) }

// rowsOf are the first of those of all that are wanted; nil wants all.
func rowsOf[T any](all []T, wanted func(*T) bool) rows[T] {
	var r rows[T]
	for i := range all {
		if wanted != nil && !wanted(&all[i]) {
			continue
		}
		if r.All++; r.All <= mostRows {
			r.Shown = append(r.Shown, all[i])
		}
	}
	return r
}

// statusPage is what the template of the status page gets.
type statusPage struct {
	sheet
	*Status

	Wrong      []string
	InForce    int // policies
	Now, Over  rows[Policy]
	Held       rows[Held]
	Agencies   rows[Agency]
	Exceptions rows[Exception]
	Lists      rows[List]
	Hit        rows[Limit]
	Failed     rows[Test]
	Refresh    int // seconds after which the browser asks again; 0: it does not
}

// writePage writes s as a page.
func writePage(w io.Writer, s *Status, refresh int) error {
	p := statusPage{
		sheet: newSheet("Well"), Status: s, Refresh: refresh, Wrong: s.Wrong(), InForce: s.PoliciesInForce(),
		Now:        rowsOf(s.Policies, func(p *Policy) bool { return p.State != over }),
		Over:       rowsOf(s.Policies, func(p *Policy) bool { return p.State == over }),
		Held:       rowsOf(s.Held, nil),
		Agencies:   rows[Agency]{Shown: s.agenciesFirst(mostRows), All: len(s.Agencies)},
		Exceptions: rowsOf(s.Exceptions, nil),
		Lists:      rows[List]{Shown: s.listsFirst(mostRows), All: len(s.Lists)},
		Hit:        rowsOf(s.Limits, func(l *Limit) bool { return l.Hits > 0 }),
		Failed:     rowsOf(s.Tests, func(t *Test) bool { return !t.OK }),
	}
	switch {
	case len(p.Wrong) > 0:
		p.Title = p.Wrong[0]
	case s.QueryLog.Incident != nil:
		p.Title = "Incident"
	}
	return page().ExecuteTemplate(w, "status", p)
}

// Ago is how long before the page was made t was.
func (p statusPage) Ago(t time.Time) string { return inWords(p.At.Sub(t)) }

// Cache is how many look-ups found an answer, "" if there was none.
func (p statusPage) Cache() string { return p.Traffic.hitShare() }

// Change is what begins or ends first by itself, and when.
func (p statusPage) Change() string { return p.nextText() }

// Warning says what the incident means.
func (statusPage) Warning(i *Incident) string { return i.warning() }

// AfterRestart is what only a restart puts in force, "" for nothing.
func (p statusPage) AfterRestart() string { return p.restartText() }

// For is what the servers of r are asked for.
func (statusPage) For(r Route) string { return r.zoneText() }

// Tested is when a self-test was last made.
func (p statusPage) Tested() time.Time {
	var last time.Time
	for i := range p.Tests {
		if p.Tests[i].At.After(last) {
			last = p.Tests[i].At
		}
	}
	return last
}

// question is what is in the fields of the form.
type question struct{ Name, Client string }

// explanationPage is what the template of the other page gets.
type explanationPage struct {
	sheet

	Host           string       // of the machine, "" if it has no name
	Wrong          string       // with the question; "" for nothing
	Found          *Explanation // nil if nothing was asked, or something is wrong
	Facts, Because []*node
}

// writeExplanation writes what was found, or what is wrong, as a page, with the form as it was filled in.
func writeExplanation(w io.Writer, host string, asked question, found *Explanation, wrong string) error {
	p := explanationPage{sheet: newSheet("Explained"), Host: host, Wrong: wrong, Found: found}
	p.Form = asked
	if found != nil {
		p.Facts, p.Because = nest(found.Facts), nest(found.Because)
	}
	return page().ExecuteTemplate(w, "explanation", p)
}

// inWords is a duration in its largest unit.
func inWords(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return wording.Count(max(int(d.Seconds()), 0), "second")
	case d < 2*time.Hour:
		return wording.Count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return wording.Count(int(d.Hours()), "hour")
	default:
		return wording.Count(int(d.Hours()/24), "day")
	}
}

// grouped is n, an integer, in groups of three digits, divided by narrow spaces that do not break (ISO 80000-1, section 7.3.1).
func grouped(n any) string {
	var digits string
	switch n := n.(type) {
	case int:
		digits = strconv.Itoa(n)
	case uint64:
		digits = strconv.FormatUint(n, 10)
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
