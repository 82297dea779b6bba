package config

import (
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// field is what the tags of a struct field say about its key:
//
//	yaml:"until"       the key
//	opt:"required"     words, divided by spaces: see below
//	default:"24h"      the value if the key is left out, as it would be written; of a list, divided by spaces
//	oneof:"ban off"    the texts allowed, divided by spaces
//	min:"1s" max:"1h"  the range of a number, size or duration, both ends included
//	was:"end last_day" what the key was called before, divided by spaces, the latest first; see former.go
//	wasoneof:"no=off"  texts of oneof as they were written before, and as they are written now
//	flag:"listen"      the command-line flag that sets it, with its help:"…", where 'WORD' is what its value is called
//
// The words of opt are: required; short (a plain value in place of the object is the value of this key); empty (an empty
// list is allowed); off (the word off is allowed and leaves the zero value); name (the name of an object); path (relative
// to the file's directory); pattern (a domain name, *. or = allowed before it); upstream (a server's address, port 53 if none is
// given); lastday (a date means the end of that day, not its beginning); fileonly (no environment variable sets it).
type field struct {
	index    int
	key      string
	fallback string
	oneOf    []string
	min, max string
	flag     string
	help     string

	was      []string          // earlier spellings of the key
	wasOneOf map[string]string // earlier spellings of texts, to those of now

	required, short, empty, off, name, path, pattern, upstream, lastDay, fileOnly bool
}

// shape is a struct type of ours: its fields, and a value that has nothing but the defaults.
type shape struct {
	fields []*field
	blank  reflect.Value
}

// language is a language tag as in BCP 47: two or three letters and perhaps a region or a script.
var language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z]{2,4})?$`)

// fieldsOf is what the decoder knows of a struct type, in the order of its fields. It panics on a tag that means nothing,
// which is a mistake in this package.
func fieldsOf(t reflect.Type) []*field {
	var fields []*field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key, ok := tag.Lookup("yaml")
		if !ok {
			continue
		}
		f := &field{
			index: i, key: key, fallback: tag.Get("default"), oneOf: strings.Fields(tag.Get("oneof")),
			min: tag.Get("min"), max: tag.Get("max"), flag: tag.Get("flag"), help: tag.Get("help"),
			was: strings.Fields(tag.Get("was")), wasOneOf: pairsOf(tag.Get("wasoneof")),
		}
		for word := range strings.FieldsSeq(tag.Get("opt")) {
			f.option(word)
		}
		fields = append(fields, f)
	}
	return fields
}

func (f *field) option(word string) {
	options := map[string]*bool{
		"required": &f.required, "short": &f.short, "empty": &f.empty, "off": &f.off, "name": &f.name, "path": &f.path,
		"pattern": &f.pattern, "upstream": &f.upstream, "lastday": &f.lastDay, "fileonly": &f.fileOnly,
	}
	*options[word] = true
}

// pairsOf are the words of a tag that are old=new.
func pairsOf(tag string) map[string]string {
	var pairs map[string]string
	for word := range strings.FieldsSeq(tag) {
		if pairs == nil {
			pairs = make(map[string]string)
		}
		before, now, _ := strings.Cut(word, "=")
		pairs[before] = now
	}
	return pairs
}

func shortField(fields []*field) *field {
	if i := slices.IndexFunc(fields, func(f *field) bool { return f.short }); i >= 0 {
		return fields[i]
	}
	return nil
}

// setDefaults gives every field of v that has a default its value. Objects inside v get theirs too.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		one := v.Field(f.index)
		if isObject(one.Type()) {
			setDefaults(one)
			continue
		}
		if f.fallback == "" {
			continue
		}
		d := decoder{owners: []*Place{{}}}
		d.value(textNode(one.Type(), f.fallback), one, f)
		if len(d.faults) > 0 {
			panic(fmt.Sprintf("config: the default of %s: %s", f.key, d.faults[0].Message)) // a mistake in a tag of ours
		}
	}
}

// enumerate is words in a sentence: a, b and c; or with "or" as the link.
func enumerate(link string, words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + link + " " + words[len(words)-1]
}

// Keys yields the keys of an object of ours, such as List{}, in the order of its fields.
func Keys(object any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range fieldsOf(reflect.TypeOf(object)) {
			if !yield(f.key) {
				return
			}
		}
	}
}
