package manual_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/manual"
	"cordon/config"
)

var build = manual.Build{Version: "v1.2.3", Day: time.Date(2027, 1, 3, 23, 0, 0, 0, time.UTC)}

// tree is a command with one below it, one that no help names, and what its pages are to say.
func tree() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "cordon", Short: "Refuse names"}
	add := &cobra.Command{
		Use: "add NAME", Short: "Add a thing", Run: run,
		Long:    "Add `a\nthing` to the file,\nor say why not.\n\n  .first   a\\b\n    second  it's\n\n'Quoted' at once – \"so\".",
		Example: "  cordon add x \\\n    --class ~/y",
	}
	add.Flags().String("class", "plain", "the `CLASS` of it")
	add.Flags().BoolP("json", "j", false, "answer in JSON")
	add.Flags().String("secret", "", "a flag that is not shown")
	_ = add.Flags().MarkHidden("secret")
	root.AddCommand(add, &cobra.Command{Use: "lists", Short: "Say how lists are", Run: run}, &cobra.Command{Use: "man", Hidden: true, Run: run})
	return root
}

func TestCommands(t *testing.T) {
	pages := map[string]string{}
	for _, page := range manual.Commands(tree(), build, manual.Page{Name: "cordon.yaml", Section: 5}) {
		pages[page.Path()] = string(page.Text)
	}
	if len(pages) != 3 {
		t.Errorf("%d pages, want those of cordon and of two commands", len(pages))
	}
	if want := `.TH "CORDON\-ADD" 1 2027-01-03 "cordon v1.2.3" Cordon
.nh
.ad l
.SH NAME
cordon\-add \- Add a thing
.SH SYNOPSIS
\fBcordon add\fR \fINAME\fR [\fIoption\fR ...]
.SH DESCRIPTION
Add \fBa thing\fR to the file,
or say why not.
.PP
.EX
  .first   a\eb
    second  it\(aqs
.EE
.PP
\(aqQuoted\(aq at once \[u2013] \(dqso\(dq.
.SH OPTIONS
.TP
\fB\-\-class\fR \fICLASS\fR
The CLASS of it (default plain).
.TP
\fB\-h\fR, \fB\-\-help\fR
Help for add.
.TP
\fB\-j\fR, \fB\-\-json\fR
Answer in JSON.
.SH EXAMPLES
.EX
  cordon add x \e
    \-\-class \(ti/y
.EE
.SH EXIT STATUS
0, or 1 for anything that went wrong, which is said on standard error.
.SH SEE ALSO
\%\fBcordon\fR(1),
\%\fBcordon\-lists\fR(1)
`; pages["man1/cordon-add.1"] != want {
		t.Errorf("the page is\n%s\nwant\n%s", pages["man1/cordon-add.1"], want)
	}
	for _, part := range []string{
		"\\fBcordon\\fR \\fIcommand\\fR [\\fIoption\\fR ...]\n", ".SH COMMANDS\n.TP\n\\%\\fBcordon\\-add\\fR(1)\nAdd a thing.\n",
		".SH SEE ALSO\n\\%\\fBcordon.yaml\\fR(5)\n",
	} {
		if !strings.Contains(pages["man1/cordon.1"], part) {
			t.Errorf("the page of cordon lacks\n%s\nit is\n%s", part, pages["man1/cordon.1"])
		}
	}
}

// A line that begins with a dot would be a macro, wherever it comes from.
func TestNoLineOfTextIsAMacro(t *testing.T) {
	cmd := &cobra.Command{Use: "cordon", Short: "x", Long: ".so /etc/passwd\n'ft B\n`.br`\n\n\x1b[1m.", Run: func(*cobra.Command, []string) {}}
	text := string(manual.Commands(cmd, manual.Build{})[0].Text)
	if want := ".SH DESCRIPTION\n\\&.so /etc/passwd\n\\(aqft B\n\\fB.br\\fR\n.PP\n[1m.\n"; !strings.Contains(text, want) {
		t.Errorf("the page is\n%s\nwant in it\n%s", text, want)
	}
}

// Every key is there with what the decoder goes by.
func TestFile(t *testing.T) {
	for _, kind := range []config.FileKind{config.ServiceFile, config.PolicyFile} {
		about := manual.About{Name: "cordon.yaml", Short: "the server", Long: "It is YAML.", Example: "# a file\nlisten: {}"}
		text := string(manual.File(kind, about, build).Text)
		keys := 0
		for key := range config.Describe(kind) {
			keys++
			for _, part := range append([]string{key.Path, key.Form, key.Default, key.Flag, key.Variable, key.Min, key.Max}, key.OneOf...) {
				if !strings.Contains(text, strings.ReplaceAll(part, "-", `\-`)) {
					t.Errorf("the page does not have %q of %s", part, key.Path)
				}
			}
		}
		if keys < 30 {
			t.Errorf("%s has %d keys, want more", kind, keys)
		}
		if want := ".SH EXAMPLE\n.EX\n  # a file\n  listen: {}\n.EE\n"; !strings.Contains(text, want) {
			t.Errorf("the page has not the example %q:\n%s", want, text)
		}
	}
}
