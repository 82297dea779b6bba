package status

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// pages are all forms of the two pages.
func pages(t *testing.T) map[string]*html.Node {
	t.Helper()
	empty := &Status{}
	calm := sample()
	calm.Held, calm.Tests, calm.Limits, calm.QueryLog = nil, calm.Tests[:1], nil, QueryLog{}
	made := map[string]*html.Node{}
	for name, s := range map[string]*Status{"all": sample(), "empty": empty, "calm": calm, "crowd": crowd(300)} {
		var text bytes.Buffer
		if err := writePage(&text, s, 60); err != nil {
			t.Fatal(err)
		}
		made[name] = parse(t, text.String())
	}
	type form struct {
		asked question
		found *Explanation
		wrong string
	}
	for name, f := range map[string]form{
		"form": {}, "explained": {question{hostile, "10.10.7.42"}, explained(), ""}, "wrong": {question{hostile, hostile}, nil, hostile},
	} {
		var text bytes.Buffer
		if err := writeExplanation(&text, "ns1.example", f.asked, f.found, f.wrong); err != nil {
			t.Fatal(err)
		}
		made[name] = parse(t, text.String())
	}
	return made
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// elements are those of doc called name, or all if that is "", in the order of the page.
func elements(doc *html.Node, name string) []*html.Node {
	var all []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (name == "" || n.Data == name) {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// What is written in a policy file, or typed, is text and nothing else, and turns no text around it.
func TestHostileWordsAreText(t *testing.T) {
	elementsOfOurs := strings.Fields("html head meta title style body a header main footer nav section h1 h2 p ul li dl dt dd div table caption thead " +
		"tbody tr th td small bdi code strong span time details summary form label input button")
	attributesOfOurs := strings.Fields("lang charset name content class href id tabindex aria-label aria-labelledby aria-describedby scope " +
		"data-label datetime action method for type required maxlength autocomplete autocapitalize spellcheck dir value role")
	for name, doc := range pages(t) {
		for _, n := range elements(doc, "") {
			if !slices.Contains(elementsOfOurs, n.Data) {
				t.Errorf("%s: there is an element <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				if !slices.Contains(attributesOfOurs, a.Key) {
					t.Errorf("%s: <%s> has %s=%q", name, n.Data, a.Key, a.Val)
				}
			}
		}
		for n := range doc.Descendants() {
			turns := n.Type == html.TextNode && strings.Contains(n.Data, "\u202e")
			if turns && n.Parent.Data != "bdi" && n.Parent.Parent.Data != "bdi" {
				t.Errorf("%s: a text that turns the direction stands in <%s>: %.60q", name, n.Parent.Data, n.Data)
			}
		}
		if name != "empty" && name != "calm" && name != "crowd" && name != "form" && !strings.Contains(textOf(doc), hostile[:30]) &&
			!strings.Contains(attribute(elements(doc, "input")[0], "value"), hostile) {
			t.Errorf("%s: the words are not there", name)
		}
	}
}

// A screen reader finds its way: see https://www.w3.org/TR/WCAG22/ for the numbers.
func TestPagesCanBeReadAloud(t *testing.T) {
	for name, doc := range pages(t) {
		wrong := func(format string, args ...any) { t.Errorf(name+": "+format, args...) }
		if attribute(elements(doc, "html")[0], "lang") != "en" { // 3.1.1
			wrong("no language")
		}
		if title := textOf(elements(doc, "title")[0]); !strings.Contains(title, " · Cordon") { // 2.4.2
			wrong("the title is %q", title)
		}
		for _, landmark := range []string{"header", "main", "nav", "h1"} { // 1.3.1
			if found := elements(doc, landmark); len(found) != 1 {
				wrong("%d of <%s>", len(found), landmark)
			}
		}
		checkIdentities(doc, wrong)
		checkHeadings(doc, wrong)
		checkTables(doc, wrong)
		checkForms(doc, wrong)
		first := elements(doc, "a")[0] // 2.4.1
		if attribute(first, "href") != "#main" || attribute(elements(doc, "main")[0], "id") != "main" {
			wrong("the first link does not skip to the content")
		}
		for _, n := range elements(doc, "") {
			if index := attribute(n, "tabindex"); index != "" && index != "-1" { // 2.4.3: the order is that of the page
				wrong("<%s> has the tabindex %s", n.Data, index)
			}
			if n.Data == "ul" && n.FirstChild == nil || n.Data == "a" && textOf(n) == "" {
				wrong("an empty <%s>", n.Data)
			}
		}
	}
}

// checkIdentities: each id is there once, and what refers to one finds it.
func checkIdentities(doc *html.Node, wrong func(string, ...any)) {
	count := map[string]int{}
	for _, n := range elements(doc, "") {
		if id := attribute(n, "id"); id != "" {
			count[id]++
		}
	}
	for id, n := range count {
		if n != 1 {
			wrong("%d elements have the id %s", n, id)
		}
	}
	for _, n := range elements(doc, "") {
		target, isAnchor := strings.CutPrefix(attribute(n, "href"), "#")
		refers := []string{attribute(n, "for"), attribute(n, "aria-labelledby"), attribute(n, "aria-describedby")}
		if isAnchor {
			refers = append(refers, target)
		}
		for _, id := range refers {
			if id != "" && count[id] == 0 {
				wrong("<%s> refers to %s, which is not there", n.Data, id)
			}
		}
	}
}

// checkHeadings: no level is left out, and each section is called by its heading.
func checkHeadings(doc *html.Node, wrong func(string, ...any)) {
	level := 0
	for _, n := range elements(doc, "") {
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if found := int(n.Data[1] - '0'); found > level+1 {
				wrong("<%s> after <h%d>", n.Data, level)
			} else {
				level = found
			}
			if textOf(n) == "" {
				wrong("an empty <%s>", n.Data)
			}
		}
	}
	for _, n := range elements(doc, "section") {
		if attribute(n, "aria-labelledby") == "" {
			wrong("a section has no name")
		}
	}
}

// checkTables: a caption, a scope for each heading, a heading for each row, and as many cells as headings.
func checkTables(doc *html.Node, wrong func(string, ...any)) {
	for _, table := range elements(doc, "table") {
		captions := elements(table, "caption")
		if len(captions) != 1 || textOf(captions[0]) == "" {
			wrong("a table has no caption")
			continue
		}
		caption, columns := textOf(captions[0]), len(elements(elements(table, "thead")[0], "th"))
		for _, n := range elements(table, "th") {
			if scope := attribute(n, "scope"); scope != "col" && scope != "row" {
				wrong("a heading of %q has the scope %q", caption, scope)
			}
		}
		for _, row := range elements(elements(table, "tbody")[0], "tr") {
			if headings, cells := len(elements(row, "th")), len(elements(row, "td")); headings != 1 || headings+cells != columns {
				wrong("a row of %q has %d headings and %d cells, want 1 and %d", caption, headings, cells, columns-1)
			}
			for _, cell := range elements(row, "td") {
				if attribute(cell, "data-label") == "" || textOf(cell) == "" && hasText(caption) {
					wrong("a cell of %q has no label, or nothing in it", caption)
				}
			}
		}
	}
}

// hasText says whether every cell of the table called so has something in it in the sample.
func hasText(caption string) bool { return !strings.Contains(caption, "over") }

// checkForms: each field has a label, and forms go here.
func checkForms(doc *html.Node, wrong func(string, ...any)) {
	labels := map[string]bool{}
	for _, n := range elements(doc, "label") {
		labels[attribute(n, "for")] = textOf(n) != ""
	}
	for _, n := range elements(doc, "input") {
		if !labels[attribute(n, "id")] {
			wrong("the field %s has no label", attribute(n, "name"))
		}
	}
	for _, n := range elements(doc, "form") {
		if attribute(n, "action") != "/explain" || attribute(n, "method") != "get" {
			wrong("a form goes by %s to %s", attribute(n, "method"), attribute(n, "action"))
		}
	}
}

// Who looks at the page can't miss that addresses are logged.
func TestThePageSaysThatAnIncidentRuns(t *testing.T) {
	well := sample()
	well.Held, well.Tests, well.Limits, well.Lists, well.Routes = nil, nil, nil, nil, nil
	var text bytes.Buffer
	if err := writePage(&text, well, 0); err != nil {
		t.Fatal(err)
	}
	doc := parse(t, text.String())
	if title := textOf(elements(doc, "title")[0]); !strings.HasPrefix(title, "Incident · ") {
		t.Errorf("the title is %q", title)
	}
	const want = "Incident until 2027-03-01 10:30 CET: the addresses of clients are logged, of all queries of the agency "
	if header := textOf(elements(doc, "header")[0]); !strings.Contains(header, want) {
		t.Errorf("the header is %q", header)
	}
	well.QueryLog = QueryLog{}
	text.Reset()
	if err := writePage(&text, well, 0); err != nil {
		t.Fatal(err)
	}
	if all := textOf(parse(t, text.String())); strings.Contains(all, "ncident") || !strings.Contains(all, "Off: no query is logged.") {
		t.Errorf("without an incident: %q", all)
	}
}

// Of too many, a page shows those that need somebody, and says where the others are.
func TestPagesAreBounded(t *testing.T) {
	s := crowd(10_000)
	s.Agencies[7].Mode = "observe"
	s.Tests[11].OK = false
	var text bytes.Buffer
	if err := writePage(&text, s, 0); err != nil {
		t.Fatal(err)
	}
	const most = 500_000
	if text.Len() > most {
		t.Errorf("it has %d octets, want at most %d", text.Len(), most)
	}
	doc := parse(t, text.String())
	for _, table := range elements(doc, "table") {
		if rows := len(elements(elements(table, "tbody")[0], "tr")); rows > mostRows {
			t.Errorf("%d rows in %s", rows, textOf(elements(table, "caption")[0]))
		}
	}
	all := textOf(doc)
	for _, want := range []string{
		"agency-7 ", "agency-11 ", "agency-9999 ", "exception-0 ", "And 9 900 more, which end later: cordon exception list",
		"And 9 900 more: cordon lists",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if strings.Contains(all, "agency-100 ") {
		t.Error("an agency is there that has refused less than others and lacks nothing")
	}
}

var variable = regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{3,6});`)

// Each colour of text can be read on each colour that it stands on (WCAG 2.2, 1.4.3), and the edge of a field be seen (1.4.11).
func TestColoursHaveContrast(t *testing.T) {
	light, dark, _ := strings.Cut(styleText, "@media (prefers-color-scheme: dark)")
	dark, _, _ = strings.Cut(dark, "* {")
	for name, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range variable.FindAllStringSubmatch(css, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range []struct {
			text, on string
			least    float64
		}{
			{"ink", "paper", 4.5},
			{"soft", "paper", 4.5},
			{"accent", "paper", 4.5},
			{"link", "paper", 4.5},
			{"wrong", "paper", 4.5},
			{"paper", "accent", 4.5},
			{"ink", "field", 4.5},
			{"edge", "paper", 3},
			{"edge", "field", 3},
		} {
			a, b := colours[pair.text], colours[pair.on]
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < pair.least {
				t.Errorf("%s: %s on %s has the contrast %.1f, want %.1f", name, pair.text, pair.on, ratio, pair.least)
			}
		}
	}
}

// luminance is that of a colour such as #1b365d or #fff: WCAG 2.2, "relative luminance".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := colour[1:]
	if len(digits) == 3 {
		digits = strings.Join([]string{digits[:1], digits[:1], digits[1:2], digits[1:2], digits[2:], digits[2:]}, "")
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(value) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestFactsAreNested(t *testing.T) {
	var told func(nodes []*node) string
	told = func(nodes []*node) string {
		var b strings.Builder
		for _, n := range nodes {
			fmt.Fprintf(&b, "%s(%s)", n.What, told(n.Below))
		}
		return b.String()
	}
	for _, test := range []struct {
		depths []int
		want   string
	}{
		{nil, ""},
		{[]int{0, 0}, "0()1()"},
		{[]int{0, 1, 1, 2, 0}, "0(1()2(3()))4()"},
		{[]int{0, 2, 2}, "0(1(2()))"}, // deeper than there is a cause for
		{[]int{1, -1}, "0()1()"},
	} {
		facts := make([]Fact, len(test.depths))
		for i, depth := range test.depths {
			facts[i] = Fact{Depth: depth, What: strconv.Itoa(i)}
		}
		if got := told(nest(facts)); got != test.want {
			t.Errorf("%v: %s, want %s", test.depths, got, test.want)
		}
	}
}

func TestPlacesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"plain":                               "plain",
		"[a.yaml:1]":                          "{a.yaml:1}",
		"the list a [a.yaml:1] has b [b:2:3]": "the list a {a.yaml:1} has b {b:2:3}",
		"a reason [that is none] [x:1":        "a reason [that is none] [x:1",
		"[2001:db8::1]:53":                    "[2001:db8::1]:53",
	} {
		var b strings.Builder
		for _, p := range pieces(text) {
			if p.Place {
				b.WriteString("{" + p.Text + "}")
			} else {
				b.WriteString(p.Text)
			}
		}
		if b.String() != want {
			t.Errorf("%q: %q, want %q", text, b.String(), want)
		}
	}
}
