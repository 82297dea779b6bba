package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// pair is a key with its value, to be written.
type pair struct {
	key    string
	flag   string // that gave the value, or NAME
	form   form
	values []string // of a list; of anything else one
}

// form is how a value is written.
type form int

const (
	asWord   form = iota // plain where YAML reads the same text, else in quotes
	asText               // in quotes, as a sentence is
	asMoment             // plain: there is nothing in a date that YAML minds
	asList               // [word, word]
)

// pairs are what is given of a new exception, in the order of the fields of [Exception].
func (e *NewException) pairs() []pair {
	descendants := ""
	if e.Descendants {
		descendants = "true"
	}
	return written(
		pair{"name", "NAME", asWord, []string{e.Name}},
		pair{"agency", "--agency", asWord, []string{e.Agency}},
		pair{"descendants", "--descendants", asMoment, []string{descendants}},
		pair{"clients", "--client", asList, e.Clients},
		pair{"policies", "--policy", asList, e.Policies},
		pair{"names", "--name", asList, e.Names},
		pair{"lists", "--list", asList, e.Lists},
		pair{"class", "--class", asWord, []string{e.Class}},
		pair{"reason", "--reason", asText, []string{e.Reason}},
		pair{"approved_by", "--approved-by", asText, []string{e.ApprovedBy}},
		pair{"approved", "--approved", asMoment, []string{e.Approved}},
		pair{"from", "--from", asMoment, []string{e.From}},
		pair{"until", "--until", asMoment, []string{e.Until}},
		pair{"ticket", "--ticket", asText, []string{e.Ticket}},
	)
}

// pairs are the extension as an entry of the history, decided on that day.
func (x *Extension) pairs(day string) []pair {
	return written(
		pair{"on", "--on", asMoment, []string{day}},
		pair{"until", "--until", asMoment, []string{x.Until}},
		pair{"reference", "--reference", asText, []string{x.Reference}},
		pair{"approved_by", "--approved-by", asText, []string{x.ApprovedBy}},
	)
}

func (r *Revocation) pairs() []pair {
	return written(
		pair{"revoked", "--at", asMoment, []string{r.At}},
		pair{"revoked_by", "--by", asText, []string{r.By}},
	)
}

// written are the pairs that have a value.
func written(pairs ...pair) []pair {
	return slices.DeleteFunc(pairs, func(p pair) bool {
		return len(p.values) == 0 || p.form != asList && p.values[0] == ""
	})
}

// decodePairs is the object that a file with these pairs would give. The faults name the flags.
func decodePairs[T any](pairs []pair, zone *time.Location) (*T, Faults) {
	object := new(T)
	v := reflect.ValueOf(object).Elem()
	setDefaults(v)
	faults := notUTF8(pairs)
	fields := fieldsOf(v.Type())
	for _, p := range pairs {
		i := slices.IndexFunc(fields, func(f *field) bool { return f.key == p.key })
		d := decoder{file: p.flag, zone: zone, owners: []*Place{placeOf(v)}}
		d.value(p.node(), v.Field(fields[i].index), fields[i])
		for _, f := range d.faults {
			f.Message = strings.TrimPrefix(f.Message, p.key+": ") // the flag says it
			faults = append(faults, f)
		}
	}
	return object, faults
}

func (p *pair) node() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, text := range p.values {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
	}
	if p.form == asList {
		return list
	}
	return list.Content[0]
}

// missingPairs are the required keys of an object that no pair has.
func missingPairs[T any](pairs []pair) Faults {
	var faults Faults
	for _, f := range fieldsOf(reflect.TypeFor[T]()) {
		if f.required && !slices.ContainsFunc(pairs, func(p pair) bool { return p.key == f.key }) {
			faults = append(faults, flagFault("--"+strings.ReplaceAll(f.key, "_", "-"), "it is missing")...)
		}
	}
	return faults
}

// item is something to be written, in both styles of YAML: the lines of a block, and one line between brackets.
type item struct {
	block []string
	flow  string
}

// item is the pair as a key of a mapping.
func (p *pair) item() item {
	text := p.key + ": " + p.text()
	return item{block: []string{text}, flow: text}
}

// mappingItem is an object as an element of a list; its block has no dash yet.
func mappingItem(pairs []pair) item {
	lines := make([]string, 0, len(pairs))
	for _, p := range pairs {
		lines = append(lines, p.item().flow)
	}
	return item{block: lines, flow: "{" + strings.Join(lines, ", ") + "}"}
}

func (p *pair) text() string {
	switch p.form {
	case asText:
		return quoted(p.values[0])
	case asMoment:
		return p.values[0]
	case asList:
		words := make([]string, 0, len(p.values))
		for _, text := range p.values {
			words = append(words, word(text))
		}
		return "[" + strings.Join(words, ", ") + "]"
	case asWord:
	}
	return word(p.values[0])
}

// plainWord is a word in which YAML minds nothing, if it does not take the whole for a number, a truth value or null.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// word is text as YAML, plain if that is read as the same text.
func word(text string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if plainWord.MatchString(text) && n.ShortTag() == "!!str" && !oldBool(text) {
		return text
	}
	return quoted(text)
}

// oldBool says whether YAML 1.1 takes a word for a truth value: other programs that read the file may.
func oldBool(text string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false"}, strings.ToLower(text))
}

// quoted is text in double quotes on one line (YAML 1.2, section 5.7).
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
