package config

import (
	_ "embed"
	"encoding/json"
	"iter"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"cordon/blocklists/domain"
)

//go:generate go run ./gen

// descriptionsJSON has what is said of every key, by the name of its type and then by the key; under the key "", of the type as a whole.
// It is made of the comments in this package.
//
//go:embed descriptions.json
var descriptionsJSON []byte

func descriptions() map[string]map[string]string {
	var texts map[string]map[string]string
	if err := json.Unmarshal(descriptionsJSON, &texts); err != nil {
		panic("config: " + err.Error()) // it is embedded
	}
	return texts
}

// FileKind is one of the two kinds of files.
type FileKind string

// The kinds of files.
const (
	ServiceFile FileKind = "service" // cordon.yaml, a [Service]
	PolicyFile  FileKind = "policy"  // those in the policy directory
)

// root is the type that a file of the kind is read into.
func (k FileKind) root() reflect.Type {
	if k == ServiceFile {
		return reflect.TypeFor[Service]()
	}
	return reflect.TypeFor[policyFile]()
}

// Key is what there is to know of one key of a file. It follows from what the decoder goes by.
type Key struct {
	Path     string   // from the top of the file: limits.tcp_idle, or agencies[].networks for a key of what is in a list
	Form     string   // what its value is, in words: "duration", "list of networks"; "" for an object, or a list of them
	Text     string   // what is said of it: sentences, and perhaps indented lines, without a line break at the end
	Default  string   // the value if it is left out, of a list divided by blanks; "" for none
	Min, Max string   // the range of a number, size or duration, both ends included; "" without one
	OneOf    []string // the texts allowed, nil for any
	Was      []string // what the key was called before, which is still read
	Off      bool     // the word off is allowed as well
	Required bool
	Flag     string // the command-line flag that sets it, without --; "" for none
	Variable string // the environment variable that sets it, "" for none
}

// Describe yields the keys of a kind of file in the order of the fields: an object, and then the keys in it.
func Describe(kind FileKind) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		w := keyWalk{texts: descriptions(), yield: yield}
		w.keys(kind.root(), "", kind == ServiceFile)
	}
}

// keyWalk goes through keys until yield wants no more.
type keyWalk struct {
	texts map[string]map[string]string // see descriptionsJSON
	yield func(Key) bool
}

// keys yields the keys of the type t, whose path ends in a dot or is "", and says whether more are wanted. settable says that environment
// variables set them.
func (w *keyWalk) keys(t reflect.Type, path string, settable bool) bool {
	for _, f := range fieldsOf(t) {
		of := t.Field(f.index).Type
		k := f.about(of)
		k.Path, k.Text = path+f.key, w.texts[t.Name()][f.key]
		if settable && isLeaf(of) && !f.fileOnly {
			k.Variable = paths{k.Path}.variables()[0]
		}
		if !w.yield(k) || !w.below(of, k.Path, settable) {
			return false
		}
	}
	return true
}

// below yields the keys in the value of the key at path, which is of type t.
func (w *keyWalk) below(t reflect.Type, path string, settable bool) bool {
	switch {
	case t.Kind() == reflect.Slice && isObject(t.Elem()):
		return w.keys(t.Elem(), path+"[].", false)
	case isObject(t):
		return w.keys(t, path+".", settable)
	}
	return true
}

// about is what f and the type of its value say.
func (f *field) about(t reflect.Type) Key {
	k := Key{
		Default: f.fallback, Min: f.min, Max: f.max, OneOf: f.oneOf, Off: f.off, Required: f.required, Flag: f.flag, Was: f.was,
	}
	if t.Kind() == reflect.Slice {
		if many := f.form(t.Elem()); many != "" {
			k.Form = "list of " + plural(many)
		}
		return k
	}
	k.Form = f.form(t)
	return k
}

// form is what one value of type t is, in words; "" for an object.
func (f *field) form(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int]():
		return "whole number"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Size]():
		return "size"
	case reflect.TypeFor[Percent]():
		return "percentage"
	case reflect.TypeFor[netip.Prefix]():
		return "network"
	case reflect.TypeFor[netip.AddrPort](), reflect.TypeFor[Endpoint](), reflect.TypeFor[Remote]():
		return "address"
	case reflect.TypeFor[domain.Name]():
		return "domain name"
	case reflect.TypeFor[time.Time]():
		return "date"
	case reflect.TypeFor[map[string]string]():
		return "texts by language"
	case reflect.TypeFor[string]():
		return f.formOfText()
	}
	return ""
}

func (f *field) formOfText() string {
	switch {
	case f.path:
		return "path"
	case f.pattern:
		return "domain name"
	case f.name:
		return "name"
	case len(f.oneOf) > 0:
		return "word"
	}
	return "text"
}

func plural(noun string) string {
	if strings.HasSuffix(noun, "address") {
		return noun + "es"
	}
	return noun + "s"
}
