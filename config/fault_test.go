package config_test

import (
	"strings"
	"testing"

	"cordon/config"
)

func policyFaults(text string) config.Faults {
	_, faults := config.LoadPolicy([]config.File{config.NewFile("p.yaml", []byte(text))}, options())
	return faults
}

func TestRenderPutsTheCaretUnderThePlace(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{
			"plain", "lists:\n  - {name: a, sourec: x}\n",
			"p.yaml:2:15: unknown key \"sourec\": did you mean \"source\"?\n" +
				"      - {name: a, sourec: x}\n" +
				"                  ^\n",
		},
		{
			"a tab counts as one character and is shown as four", "lists: [\t{name: a, sourec: x}]\n",
			"p.yaml:1:20: unknown key \"sourec\": did you mean \"source\"?\n" +
				"    lists: [    {name: a, sourec: x}]\n" +
				"                          ^\n",
		},
		{
			"a letter beyond ASCII is one character", "lists: [{name: \"é\", sourec: x}]\n",
			"p.yaml:1:21: unknown key \"sourec\": did you mean \"source\"?\n" +
				"    lists: [{name: \"é\", sourec: x}]\n" +
				"                        ^\n",
		},
		{
			"what could command a terminal is escaped", "lists: [{name: \"\u202e\", \"\u2066x\": x}]\n",
			"p.yaml:1:21: unknown key \"\\u2066x\": known here are name, source, names, format, refresh, timeout, max_size, token_file, ca_file, primaries, tsig_file, signed_by, min_entries, max_shrink, max_growth, max_rejected, must_contain, must_not_contain, end_marker and max_age\n" +
				"    lists: [{name: \"\\u202e\", \"\\u2066x\": x}]\n" +
				"                             ^\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := policyFaults(test.text).Render(); !strings.Contains(got, test.want) {
				t.Errorf("have\n%s\nwant in it\n%s", got, test.want)
			}
		})
	}
}

func TestTheExcerptOfALongLineIsThePartAroundThePlace(t *testing.T) {
	text := "lists: [{name: a, names: [" + strings.Repeat("tiktok.com, ", 1000) + "]}, {sourec: x}]\n"
	for _, f := range policyFaults(text).Errors() {
		lines := strings.Split(f.Render(), "\n")
		if len(f.Excerpt) > 200 {
			t.Fatalf("the excerpt has %d octets", len(f.Excerpt))
		}
		if strings.Contains(f.Message, "sourec") && !strings.HasPrefix(lines[1][strings.Index(lines[2], "^"):], "sourec") {
			t.Errorf("the caret is not under the place:\n%s", f.Render())
		}
	}
}

func TestManyFaultsOfOneFileAreBounded(t *testing.T) {
	faults := policyFaults("lists:\n" + strings.Repeat("  - {x: 1}\n", 5_000))
	if len(faults) > 150 {
		t.Errorf("%d faults are reported, want about a hundred", len(faults))
	}
	last := faults[len(faults)-1]
	if !strings.Contains(last.Message, "more faults") || last.Warning {
		t.Errorf("the last fault is %q, want how many were left out", last)
	}
}

func TestOneLineFormCannotBreakTheLine(t *testing.T) {
	f := config.Fault{File: "a\nb.yaml", Line: 3, Column: 1, Message: "found \x1b[31m\xff\r\n", Warning: true}
	if got, want := f.String(), `a\x0ab.yaml:3:1: warning: found \x1b[31m\xff\x0d\x0a`; got != want {
		t.Errorf("have %q, want %q", got, want)
	}
}

func TestFaultsAreAnErrorOnlyIfOneIsNotAWarning(t *testing.T) {
	warnings := config.Faults{{File: "a", Message: "m", Warning: true}}
	if warnings.Err() != nil || warnings.Bad() {
		t.Error("warnings are an error")
	}
	both := append(warnings, config.Fault{File: "b", Line: 1, Column: 2, Message: "n"}, config.Fault{File: "c", Message: "o"})
	if got, want := both.Err().Error(), "b:1:2: n (and 1 more)"; got != want {
		t.Errorf("have %q, want %q", got, want)
	}
}
