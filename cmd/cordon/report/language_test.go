package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// spoken are the phrases that the package says: the literals given to say and count, and the words for what has a name.
func spoken(t *testing.T) map[phrase]bool {
	t.Helper()
	said := map[phrase]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok {
				switch s.Sel.Name {
				case "say":
					note(said, call.Args[0])
				case "count":
					note(said, call.Args[1:]...)
				}
			}
			return true
		})
	}
	for _, p := range slices.Concat(
		slices.Collect(maps.Values(modePhrases)), slices.Collect(maps.Values(strengthPhrases)), slices.Collect(maps.Values(statePhrases)),
		slices.Collect(maps.Values(unitPhrases)), slices.Collect(maps.Values(unitChartPhrases)), slices.Collect(maps.Values(eventPhrases)),
		slices.Collect(maps.Values(classPhrases)), slices.Collect(maps.Values(incidentPhrases)),
	) {
		said[p] = true
	}
	return said
}

// note notes the literals among args, with those that are put together from several.
func note(said map[phrase]bool, args ...ast.Expr) {
	for _, arg := range args {
		if text, ok := literal(arg); ok {
			said[phrase(text)] = true
		}
	}
}

func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok1 := literal(e.X)
		right, ok2 := literal(e.Y)
		return left + right, ok1 && ok2
	default:
		return "", false
	}
}

func TestEveryPhraseIsTranslated(t *testing.T) {
	said := spoken(t)
	if len(said) < 100 {
		t.Fatalf("found %d phrases: the test does not see them any more", len(said))
	}
	for p := range said {
		if _, known := translations()[p]; !known {
			t.Errorf("not translated: %q", p)
		}
	}
	verbs := regexp.MustCompile(`%\[\d\]s|%`)
	for p, text := range translations() {
		if !said[p] {
			t.Errorf("translated, and never said: %q", p)
		}
		want := verbs.FindAllString(string(p), -1)
		slices.Sort(want)
		for _, lang := range []language{"fr", "nl", "de"} {
			other := text[lang]
			got := verbs.FindAllString(other, -1)
			slices.Sort(got)
			if strings.TrimSpace(other) == "" || !slices.Equal(got, want) {
				t.Errorf("%s of %q is %q: want the same verbs, and a text", lang, p, other)
			}
		}
	}
}

// Every kind that the program has, has a word.
func TestEveryKindHasAWord(t *testing.T) {
	for class := range strings.FieldsSeq("dedicated-device law-enforcement national-security security-research oversight communications emergency") {
		if classPhrases[class] == "" {
			t.Errorf("no word for the class %s", class)
		}
	}
	for _, kind := range []IncidentKind{FileHeld, ListHeld, NoUpstream, NotRunning, Crashed, LogGap} {
		if incidentPhrases[kind] == "" {
			t.Errorf("no word for the incident %s", kind)
		}
	}
	for _, l := range Languages() {
		for month := range 12 {
			if months[language(l)][month] == "" || shortMonths[language(l)][month] == "" {
				t.Errorf("%s lacks the month %d", l, month+1)
			}
		}
	}
}

func TestNumbersAndDates(t *testing.T) {
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for l, want := range map[language][]string{
		"fr": {"0", "999", "1\u202f234", "1\u202f234\u202f567", "1er\u00a0mars\u00a02026", "jusqu’au 28\u00a0févr.\u00a02026 inclus", "0 jour", "40\u00a0%"},
		"nl": {"0", "999", "1.234", "1.234.567", "1\u00a0maart\u00a02026", "tot en met 28\u00a0feb.\u00a02026", "0 dagen", "40\u00a0%"},
		"de": {"0", "999", "1.234", "1.234.567", "1.\u00a0März\u00a02026", "bis einschließlich 28.\u00a0Feb.\u00a02026", "0 Tage", "40\u00a0%"},
		"en": {"0", "999", "1,234", "1,234,567", "1\u00a0March\u00a02026", "to the end of 28\u00a0Feb\u00a02026", "0 days", "40%"},
	} {
		if got, want := l.share(1, 1000), "< "+l.percent(1); got != want || l.share(0, 9) != l.percent(0) || l.share(999, 1000) != l.percent(99) {
			t.Errorf("%s: a thousandth is %q, want %q", l, got, want)
		}
		got := []string{
			l.number(0), l.number(999), l.number(1234), l.number(1234567), l.date(first), l.span(time.Time{}, first),
			l.count(0, "%[1]s day", "%[1]s days"), l.percent(40),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}

func TestNoFrenchLineBeginsWithAMark(t *testing.T) {
	for p, text := range translations() {
		if strings.Contains(text["fr"], " :") || strings.Contains(text["fr"], " ;") {
			t.Errorf("%q is %q in French: want no space at which a line breaks before a mark", p, text["fr"])
		}
	}
	if got := language("fr").say("lists: %[1]s", "x"); got != "listes\u00a0: x" {
		t.Errorf("%q", got)
	}
}

// The last day is said to be included; a moment isn't.
func TestEndsAreNotAmbiguous(t *testing.T) {
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for l, want := range map[language][2]string{
		"fr": {"du 28\u00a0févr.\u00a02026 jusqu’au 28\u00a0févr.\u00a02026 inclus", "jusqu’au 1er\u00a0mars\u00a02026, 12:30"},
		"nl": {"van 28\u00a0feb.\u00a02026 tot en met 28\u00a0feb.\u00a02026", "tot 1\u00a0mrt.\u00a02026, 12:30"},
		"de": {"vom 28.\u00a0Feb.\u00a02026 bis einschließlich 28.\u00a0Feb.\u00a02026", "bis 1.\u00a0März\u00a02026, 12:30"},
		"en": {"from 28\u00a0Feb\u00a02026 to the end of 28\u00a0Feb\u00a02026", "until 1\u00a0Mar\u00a02026, 12:30"},
	} {
		got := [2]string{l.span(midnight.AddDate(0, 0, -1), midnight), l.end(midnight.Add(12*time.Hour + 30*time.Minute))}
		if got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}

func TestTitleFallsBack(t *testing.T) {
	for _, test := range []struct {
		titles map[string]string
		want   string
	}{
		{map[string]string{"nl": "a", "en": "b"}, "a"},
		{map[string]string{"nl-BE": "a", "en": "b"}, "a"},
		{map[string]string{"nl-BE": "a", "nl": "b"}, "b"},
		{map[string]string{"fr": "a", "en": "b"}, "b"},
		{map[string]string{"fr": "a", "de": "b"}, "b"},
		{map[string]string{"nl": "", "fr": "a"}, "a"},
		{nil, ""},
	} {
		if got := language("nl").pick(test.titles); got != test.want {
			t.Errorf("of %v: %q, want %q", test.titles, got, test.want)
		}
	}
}
