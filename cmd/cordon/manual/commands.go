package manual

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Build is what a page says of the program: its version, and the day that it is of. A zero Day leaves the day out.
type Build struct {
	Version string
	Day     time.Time
}

// Page is a page of the manual.
type Page struct {
	Name    string // such as cordon-exception-add
	Section int    // 1 for commands, 5 for files
	Text    []byte // for man(7)
}

// Path is where the page is, in a directory of pages.
func (p Page) Path() string { return fmt.Sprintf("man%d/%s.%d", p.Section, p.Name, p.Section) }

// Commands are the pages of root and of all commands below it that its help names. The page of root names files, which are pages too.
func Commands(root *cobra.Command, build Build, files ...Page) []Page {
	root.InitDefaultHelpFlag()
	below := named(root)
	pages := append(make([]Page, 0, 1+len(below)), commandPage(root, build, files))
	for _, cmd := range below {
		pages = append(pages, Commands(cmd, build)...)
	}
	return pages
}

// named are the commands right below cmd that its help names and that do something of their own.
func named(cmd *cobra.Command) (below []*cobra.Command) {
	for _, one := range cmd.Commands() {
		if one.IsAvailableCommand() && one.Name() != "help" {
			below = append(below, one)
		}
	}
	return below
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func commandPage(cmd *cobra.Command, build Build, files []Page) Page {
	p := newPage(pageName(cmd), 1, cmd.Short, build)
	p.heading("SYNOPSIS")
	p.synopsis(cmd)
	p.heading("DESCRIPTION")
	p.prose(cmp.Or(cmd.Long, cmd.Short+"."))
	if below := named(cmd); len(below) > 0 {
		p.heading("COMMANDS")
		for _, one := range below {
			p.item(reference(Page{Name: pageName(one), Section: 1}), one.Short+".")
		}
	}
	p.options(cmd)
	if cmd.Example != "" {
		p.heading("EXAMPLES")
		p.verbatim(setOut(strings.Split(strings.TrimRight(cmd.Example, "\n"), "\n")))
	}
	p.heading("EXIT STATUS")
	p.prose("0, or 1 for anything that went wrong, which is said on standard error.")
	p.heading("SEE ALSO")
	p.seeAlso(append(beside(cmd), files...))
	return Page{Name: pageName(cmd), Section: 1, Text: []byte(p.text.String())}
}

// newPage begins a page: what man(1) has at its top and its bottom, and the line by which apropos(1) finds it.
func newPage(name string, section int, about string, build Build) *page {
	day := `""`
	if !build.Day.IsZero() {
		day = build.Day.UTC().Format(time.DateOnly)
	}
	p := new(page)
	p.line(fmt.Sprintf(`.TH %s %d %s %s Cordon`, argument(strings.ToUpper(name)), section, day, argument("cordon "+build.Version)))
	p.line(".nh") // no hyphens in names that are typed
	p.line(".ad l")
	p.heading("NAME")
	p.line(characters(name) + ` \- ` + characters(about))
	return p
}

// synopsis has a line for cmd if it runs by itself, and one for what is below it.
func (p *page) synopsis(cmd *cobra.Command) {
	if cmd.Runnable() {
		line := bold(cmd.CommandPath())
		if _, arguments, ok := strings.Cut(cmd.Use, " "); ok {
			line += " " + italic(arguments)
		}
		p.line(line + ` [\fIoption\fR ...]`)
	}
	if len(named(cmd)) > 0 {
		if cmd.Runnable() {
			p.line(".br")
		}
		p.line(bold(cmd.CommandPath()) + ` \fIcommand\fR [\fIoption\fR ...]`)
	}
}

// options are the flags that the help of cmd has, its own and those from above.
func (p *page) options(cmd *cobra.Command) {
	p.heading("OPTIONS")
	for _, flags := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.InheritedFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				p.item(flagTerm(f), flagUsage(f))
			}
		})
	}
}

func flagTerm(f *pflag.Flag) string {
	term := bold("--" + f.Name)
	if f.Shorthand != "" {
		term = bold("-"+f.Shorthand) + ", " + term
	}
	if value, _ := pflag.UnquoteUsage(f); value != "" {
		term += " " + italic(value)
	}
	return term
}

func flagUsage(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	usage = strings.ToUpper(usage[:1]) + usage[1:] // ASCII, like all of them
	switch f.DefValue {
	case "", "false", "[]":
		return usage + "."
	}
	return fmt.Sprintf("%s (default %s).", usage, f.DefValue)
}

// beside are the pages of the command above cmd and of those beside it, by their names and sections alone.
func beside(cmd *cobra.Command) (pages []Page) {
	if !cmd.HasParent() {
		return nil
	}
	for _, one := range append([]*cobra.Command{cmd.Parent()}, named(cmd.Parent())...) {
		if one != cmd {
			pages = append(pages, Page{Name: pageName(one), Section: 1})
		}
	}
	return pages
}

func (p *page) seeAlso(pages []Page) {
	for i, one := range pages {
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		p.line(reference(one) + comma)
	}
}

// reference names a page, as man(1) is to find it.
func reference(one Page) string { return fmt.Sprintf(`\%%%s(%d)`, bold(one.Name), one.Section) }
