package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"cordon/blocklists/domain"
)

// This file says in JSON Schema what the decoder takes, out of the same types and tags, for editors that complete keys and underline what
// is wrong while it is typed. It is draft 7, which is what those of YAML understand best.
//
// A schema can't say everything: that two dates are in order, that a name is known, that a duration is in its range. What it refuses, the
// decoder refuses too, but for plain values that are written in quotes as if they were text (port: "53"), which the decoder takes.

// schema is one JSON Schema. Its keys are in alphabetic order when it is written.
type schema map[string]any

// Schema is the JSON Schema of a kind of file, ending in a line break. "" is both: it tells a policy file by its keys, as check does.
func Schema(kind FileKind) []byte {
	var s schema
	switch kind {
	case ServiceFile, PolicyFile:
		s = schemaOf(kind)
	default:
		s = schemaOfBoth()
	}
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("config: " + err.Error()) // for a value that is none of JSON's
	}
	return append(text, '\n')
}

func schemaOf(kind FileKind) schema {
	w := schemaWalk{texts: descriptions()}
	s := w.object(kind.root())
	s["title"] = map[FileKind]string{
		ServiceFile: "The service of Cordon: cordon.yaml",
		PolicyFile:  "A file of Cordon's policy directory",
	}[kind]
	return s
}

// schemaOfBoth takes for a policy file what has a key that no service file has.
func schemaOfBoth() schema {
	service := slices.Collect(Keys(Service{}))
	var own []schema
	for key := range Keys(policyFile{}) {
		if !slices.Contains(service, key) {
			own = append(own, schema{"required": []string{key}})
		}
	}
	return schema{
		"title": "A file of Cordon: cordon.yaml, or one of the policy directory",
		"if":    schema{"anyOf": own}, "then": schemaOf(PolicyFile), "else": schemaOf(ServiceFile),
	}
}

// schemaWalk makes schemas of types.
type schemaWalk struct {
	texts map[string]map[string]string // see descriptionsJSON
}

// object is the schema of a struct type of ours, or of the plain value that may stand for it.
func (w *schemaWalk) object(t reflect.Type) schema {
	properties := schema{}
	var needed []any
	for _, f := range fieldsOf(t) {
		s := w.value(t.Field(f.index).Type, f)
		s["description"] = w.texts[t.Name()][f.key]
		properties[f.key] = s
		for _, before := range f.was {
			properties[before] = former(s, before, f.key)
		}
		if f.required {
			needed = append(needed, f.needed())
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if needed != nil {
		s["allOf"] = needed
	}
	if short := shortField(fieldsOf(t)); short != nil {
		return schema{"anyOf": []schema{w.value(t.Field(short.index).Type, short), s}}
	}
	return s
}

// needed says that the key is there, by one of its names.
func (f *field) needed() schema {
	if f.was == nil {
		return schema{"required": []string{f.key}}
	}
	names := []schema{}
	for _, name := range append([]string{f.key}, f.was...) {
		names = append(names, schema{"required": []string{name}})
	}
	return schema{"anyOf": names}
}

// former is s for the name that the key had before. Editors strike it through.
func former(s schema, before, now string) schema {
	old := schema{"deprecated": true, "deprecationMessage": fmt.Sprintf("%s is called %s now: write that", before, now)}
	maps.Copy(old, s)
	return old
}

// value is the schema of what f reads into the type t.
func (w *schemaWalk) value(t reflect.Type, f *field) schema {
	if isObject(t) {
		return w.object(t)
	}
	if t.Kind() == reflect.Slice {
		return w.list(t, f)
	}
	s := w.leaf(t, f)
	if f.off {
		s = schema{"anyOf": []schema{s, {"const": "off"}}}
	}
	if f.fallback != "" {
		s["default"] = f.asDefault(t, f.fallback)
	}
	return s
}

// list is the schema of a list, in which nothing plain may be twice, and which has to have something plain in it unless f says otherwise.
func (w *schemaWalk) list(t reflect.Type, f *field) schema {
	if isObject(t.Elem()) {
		return schema{"type": "array", "items": w.object(t.Elem())}
	}
	s := schema{"type": "array", "items": w.leaf(t.Elem(), f), "uniqueItems": true}
	if !f.empty {
		s["minItems"] = 1
	}
	if f.fallback != "" {
		words := []any{}
		for word := range strings.FieldsSeq(f.fallback) {
			words = append(words, f.asDefault(t.Elem(), word))
		}
		s["default"] = words
	}
	return s
}

// leaf is the schema of one plain value.
func (w *schemaWalk) leaf(t reflect.Type, f *field) schema {
	switch t {
	case reflect.TypeFor[bool]():
		return schema{"type": "boolean"}
	case reflect.TypeFor[int]():
		return f.wholeNumber()
	case reflect.TypeFor[map[string]string]():
		return schema{
			"type": "object", "propertyNames": schema{"pattern": language.String()},
			"additionalProperties": schema{"type": "string", "pattern": textPattern, "maxLength": maxTextLen},
		}
	case reflect.TypeFor[string]():
		return f.text()
	}
	return schema{"type": "string", "pattern": f.patternOf(t)}
}

// wholeNumber has the range of f, which a schema can say of numbers alone.
func (f *field) wholeNumber() schema {
	s := schema{"type": "integer"}
	for key, text := range map[string]string{"minimum": f.min, "maximum": f.max} {
		if bound, err := strconv.Atoi(text); err == nil {
			s[key] = bound
		}
	}
	return s
}

func (f *field) text() schema {
	switch {
	case len(f.oneOf) > 0:
		words := slices.Clone(f.oneOf)
		for before := range f.wasOneOf {
			words = append(words, before)
		}
		slices.Sort(words[len(f.oneOf):])
		return schema{"type": "string", "enum": words}
	case f.name:
		return schema{"type": "string", "pattern": objectName.String()}
	case f.pattern:
		return schema{"type": "string", "pattern": namePattern}
	}
	return schema{"type": "string", "pattern": textPattern, "maxLength": maxTextLen}
}

// asDefault is the text of a default as a value of JSON.
func (f *field) asDefault(t reflect.Type, text string) any {
	switch t {
	case reflect.TypeFor[bool]():
		return text == "true"
	case reflect.TypeFor[int]():
		if count, err := strconv.Atoi(text); err == nil {
			return count
		}
	}
	return text
}

// The regular expressions, of those that ECMA 262 and package regexp have in common, for what is read from one text.
const (
	textPattern = `\S`
	namePattern = `^\S+$`

	octetPattern   = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Pattern    = octetPattern + `(\.` + octetPattern + `){3}`
	ipv6Pattern    = `[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(` + ipv4Pattern + `)?`
	zonePattern    = `(%[^\s\]]+)?`
	portPattern    = `:[0-9]{1,5}`
	networkPattern = `^(` + ipv4Pattern + `(/([0-9]|[12][0-9]|3[0-2]))?|` + ipv6Pattern + `(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?)$`
	hostPattern    = `(` + ipv4Pattern + `|\[` + ipv6Pattern + zonePattern + `\])`
	listenPattern  = hostPattern + portPattern
	askedPattern   = `^(` + hostPattern + `(` + portPattern + `)?|` + ipv6Pattern + zonePattern + `)$`

	durationPattern = `^([0-9]+d|\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	sizePattern     = `^[0-9]+\s*(KiB|MiB|GiB|kB|MB|GB|B)$`
	percentPattern  = `^\+?[0-9]+\s*%$`
	momentPattern   = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$`
)

// patternOf is the regular expression for the texts of the type t.
func (f *field) patternOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return durationPattern
	case reflect.TypeFor[Size]():
		return sizePattern
	case reflect.TypeFor[Percent]():
		return percentPattern
	case reflect.TypeFor[netip.Prefix]():
		return networkPattern
	case reflect.TypeFor[netip.AddrPort]():
		if f.upstream {
			return askedPattern
		}
		return "^" + listenPattern + "$"
	case reflect.TypeFor[Endpoint]():
		return `^(` + listenPattern + `|` + unixScheme + `[^@\s].*)$`
	case reflect.TypeFor[Remote]():
		return `^((udp|tcp):` + listenPattern + `|` + unixScheme + `[^@\s].*)$`
	case reflect.TypeFor[domain.Name]():
		return namePattern
	case reflect.TypeFor[time.Time]():
		return momentPattern
	}
	panic("config: no schema for a " + t.String()) // a field of ours with a type that is not above
}
