package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/config"
	"cordon/resolver/policy"
)

const hostile = "<script>alert(1)</script>\"'|`x`**b**[l](javascript:a)<!-- &lt;\r\n# h\n\u202eevil\x00 https://evil.example www.evil.example"

// hostileReport has such a text wherever somebody can write one.
func hostileReport(t *testing.T) *Report {
	t.Helper()
	p, err := NewPeriod("2026-03-01", "2026-03-03", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	bad := &policy.Policy{
		Name: hostile, Title: map[string]string{"en": hostile}, Authority: hostile, LegalReference: hostile, Link: "javascript:alert(1)",
		Contact: hostile, Lists: []string{hostile}, Within: hostile,
		Prolonged: []policy.Prolonged{{On: p.From, Until: p.End, Reference: hostile, ApprovedBy: hostile}},
	}
	facts := Facts{
		Made: p.End, Zone: time.UTC, Hash: hostile, Policies: []*policy.Policy{bad},
		Agencies: []AgencyFacts{{Agency: &policy.Agency{Name: hostile}, Policies: []*policy.Policy{bad}}},
		Lists:    []List{{Name: hostile, Source: "https://lists.example/\"><script>", State: hostile}},
		Exceptions: []*config.Exception{{
			Name: hostile, Agency: hostile, Reason: hostile, ApprovedBy: hostile, Ticket: hostile, Class: hostile, Until: p.End.AddDate(1, 0, 0),
			Policies: []string{hostile}, Lists: []string{hostile},
		}},
	}
	log := func(yield func(audit.Entry, error) bool) {
		_ = yield(audit.Entry{Sequence: 1, Kind: audit.Held, Time: p.From, What: "list " + hostile, Reason: hostile}, nil) &&
			yield(audit.Entry{Sequence: 2, Kind: audit.ExceptionAdded, Time: p.From, Exception: "x" + hostile, Reason: hostile, Class: hostile}, nil) &&
			yield(audit.Entry{
				Sequence: 3, Kind: audit.Counted, Since: p.From, Time: p.From.Add(time.Hour),
				Counts: []audit.Count{{Agency: "=" + hostile, Policy: "+" + hostile, List: "@" + hostile, Refused: 1}},
			}, nil)
	}
	return New(facts, p, Log{Name: hostile, Entries: log, Checked: Check{Broken: hostile, Head: hostile}})
}

func TestNoFormTakesATextForMarkup(t *testing.T) {
	r := hostileReport(t)
	for _, format := range []string{"md", "html"} {
		var b bytes.Buffer
		if err := r.Write(&b, format, "en"); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if format == "md" {
			text = strings.ReplaceAll(text, `\<`, "")
		}
		for _, forbidden := range []string{"<script", "\u202e", "\x00", "[l](", " www.evil", "javascript:alert(1)\"", "\n# h"} {
			if format == "html" && (forbidden == "[l](" || forbidden == " www.evil") {
				continue // plain text there
			}
			if strings.Contains(text, forbidden) {
				t.Errorf("the form %s has %q", format, forbidden)
			}
		}
		if n := strings.Count(text, "href=\"http") + strings.Count(text, "<http") + strings.Count(text, "src="); n > 0 {
			t.Errorf("the form %s has %d links to elsewhere", format, n)
		}
	}
}

// In a table of Markdown each row has as many cells as columns, whatever stands in them.
func TestMarkdownTablesKeepTheirColumns(t *testing.T) {
	var b bytes.Buffer
	if err := hostileReport(t).Write(&b, "md", "fr"); err != nil {
		t.Fatal(err)
	}
	columns := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("%d bars, want %d: %s", n, columns, line)
		}
		columns = n
	}
}

func TestMarkdownIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"nsc-2023-03-10, 3.5":   "nsc-2023-03-10, 3.5",
		"a|b":                   `a\|b`,
		"<b> & `c`":             "\\<b\\> \\& \\`c\\`",
		"https://a.example":     `https\://a.example`,
		"see www.a.example":     `see www\.a.example`,
		"a\nb\r\n# c":           `a b  \# c`,
		"*x* _y_ ~z~ [t](u) !i": `\*x\* \_y\_ \~z\~ \[t\](u) \!i`,
		`\`:                     `\\`,
	} {
		if got := escaped(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOnlyTheWebIsLinked(t *testing.T) {
	for link, want := range map[string]bool{
		"https://www.ejustice.just.fgov.be/x?a=b&c=d": true,
		"http://law.example/":                         true,
		"javascript:alert(1)":                         false,
		"data:text/html,x":                            false,
		"//law.example/x":                             false,
		"https://user:secret@law.example/":            false,
		"https://law.example/<x>":                     true, // escaped by the URL itself
		"https://law.example/?q=<x>":                  false,
		"mailto:a@law.example":                        false,
		"":                                            false,
	} {
		if got := linked(link).Link != ""; got != want {
			t.Errorf("%q: %t, want %t", link, got, want)
		}
	}
}

func TestNoCellOfTheTableIsAFormula(t *testing.T) {
	var b bytes.Buffer
	if err := hostileReport(t).Write(&b, "csv", "en"); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, c := range row {
			if strings.ContainsAny(c[:min(1, len(c))], "=+-@\t\r") {
				t.Errorf("a cell begins with %q", c[:1])
			}
		}
	}
	space := " "
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "'\t=1", space + "=1": "' =1", "\uff1d1": "'\uff1d1", "a=1": "a=1", "": "", "\n=1": "'\n=1",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No form has an address of a client, or a name that an exception lifts.
func TestNoAddressAndNoLiftedName(t *testing.T) {
	for text, want := range map[string]string{
		"the phone 10.10.7.42.":           "the phone [address].",
		"10.10.7.42:53 and [2001:db8::7]": "[address]:53 and [[address]]",
		"2001:db8::/32, 10.0.0.0/8":       "[address], [address]",
		"policy/a.yaml:14:5: at 10:30":    "policy/a.yaml:14:5: at 10:30",
		"from 10.10.7.42:ab to ::1: no":   "from [address]:ab to [address] no",
		"version 1.26.0 of 2026-01-02":    "version 1.26.0 of 2026-01-02",
	} {
		if got := withoutAddresses(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestVeryLongTextsAreCut(t *testing.T) {
	p, err := NewPeriod("2026-03-01", "2026-03-01", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("\u00e9", 1<<20)
	r := New(Facts{Made: p.End, Zone: time.UTC}, p, Log{Entries: func(yield func(audit.Entry, error) bool) {
		_ = yield(audit.Entry{Sequence: 1, Kind: audit.Held, Time: p.From, What: long, Reason: long}, nil) &&
			yield(audit.Entry{Sequence: 2, Kind: audit.ExceptionAdded, Time: p.From, Exception: long, Reason: long, ApprovedBy: long}, nil) &&
			yield(audit.Entry{
				Sequence: 3, Kind: audit.Counted, Since: p.From, Time: p.From.Add(time.Hour),
				Counts: []audit.Count{{Agency: long, Policy: long, List: long, Refused: 1}},
			}, nil)
	}})
	text, err := json.Marshal(r)
	if err != nil || len(text) > 20000 {
		t.Errorf("%d octets, %v", len(text), err)
	}
}
