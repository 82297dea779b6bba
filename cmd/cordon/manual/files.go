package manual

import (
	"cmp"
	"fmt"
	"strings"

	"cordon/config"
)

// About is what a page about a kind of file says beside its keys.
type About struct {
	Name    string // of the page, such as cordon.yaml
	Short   string
	Long    string // prose
	Example string // a whole file
	See     []Page // by their names and sections alone
}

// File is the page about a kind of file.
func File(kind config.FileKind, about About, build Build) Page {
	p := newPage(about.Name, 5, about.Short, build)
	p.heading("DESCRIPTION")
	p.prose(about.Long)
	p.heading("KEYS")
	for key := range config.Describe(kind) {
		p.item(keyTerm(key), key.Text)
		if facts := keyFacts(key); facts != "" {
			p.line(".IP")
			p.line(facts)
		}
	}
	p.heading("EXAMPLE")
	p.verbatim(strings.Split(strings.TrimRight(about.Example, "\n"), "\n"))
	p.heading("SEE ALSO")
	p.seeAlso(about.See)
	return Page{Name: about.Name, Section: 5, Text: []byte(p.text.String())}
}

func keyTerm(key config.Key) string {
	return bold(key.Path) + ": " + italic(cmp.Or(key.Form, "keys, as follows"))
}

// keyFacts is a line of what the decoder goes by, in roff; "" if there is nothing to say.
func keyFacts(key config.Key) string {
	var facts []string
	add := func(label, roff string) { facts = append(facts, label+roff+".") }
	if key.Required {
		facts = append(facts, "Required.")
	}
	if len(key.OneOf) > 0 {
		add("One of: ", alternatives(key.OneOf))
	}
	if key.Min != "" {
		add("Range: ", fmt.Sprintf("%s to %s%s", characters(key.Min), characters(key.Max), orOff(key)))
	}
	if key.Default != "" {
		add("Default: ", bold(key.Default))
	}
	if key.Flag != "" {
		add("Flag: ", bold("--"+key.Flag))
	}
	if key.Variable != "" {
		add("Environment: ", bold(key.Variable))
	}
	return strings.Join(facts, "\n")
}

func orOff(key config.Key) string {
	if key.Off {
		return ", or " + bold("off")
	}
	return ""
}

func alternatives(words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = bold(word)
	}
	return strings.Join(all, ", ")
}
