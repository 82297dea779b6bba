package config

import (
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxKept is how many faults a decoder keeps: more than [maxFaults] of one file are never shown.
const maxKept = 10 * maxFaults

// decoder fills Go values from YAML nodes. What it does follows from the types and from the tags of their fields (see
// field); it keeps going after a fault, so that all of a file's faults are found at once.
type decoder struct {
	file string         // for the places of faults
	dir  string         // what relative paths are relative to; "": the working directory
	zone *time.Location // of dates and times without an offset

	faults Faults
	count  int      // of all faults, also of those that were too many to keep
	warned int      // of all warnings likewise
	owners []*Place // the objects being filled, outermost first
	local  *Pos     // the first time that was written without an offset, nil if none was
	shapes map[reflect.Type]*shape
}

// fault notes what is wrong at n, and that the object in hand lacks something.
func (d *decoder) fault(n *yaml.Node, format string, args ...any) {
	if d.count++; d.count <= maxKept {
		d.faults = append(d.faults, Fault{
			File: d.file, Line: n.Line, Column: n.Column,
			Message: fmt.Sprintf(format, args...),
		})
	}
	if len(d.owners) > 0 {
		d.owners[len(d.owners)-1].faulty = true
	}
}

func (d *decoder) pos(n *yaml.Node) Pos { return Pos{File: d.file, Line: n.Line, Column: n.Column} }

// value fills v, described by f, from n.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f *field) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		if isObject(v.Type()) { // an empty one in a list: it has a place all the same
			*placeOf(v) = Place{Pos: d.pos(n), faulty: true}
		}
		d.fault(n, "%s: no value (null): write one, or leave the key out", f.key)
	case isObject(v.Type()):
		d.object(n, v, f.key)
	case v.Kind() == reflect.Slice:
		d.list(n, v, f)
	case v.Kind() == reflect.Map:
		d.texts(n, v, f)
	default:
		d.leaf(n, v, f)
	}
}

// isObject tells our own structs, whose fields have keys, from those that are read from one text, such as netip.Addr.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Type == reflect.TypeFor[Place]()
}

// placeOf is the Place in an object of ours.
func placeOf(v reflect.Value) *Place {
	place, _ := reflect.TypeAssert[*Place](v.Field(0).Addr()) // isObject says that it is one
	return place
}

// object fills the struct v from the mapping n, which stands under the key name.
func (d *decoder) object(n *yaml.Node, v reflect.Value, name string) {
	shape := d.shape(v.Type())
	v.Set(shape.blank)
	owner := placeOf(v)
	owner.Pos = d.pos(n)
	d.owners = append(d.owners, owner)
	defer func() { d.owners = d.owners[:len(d.owners)-1] }()

	if short := shortField(shape.fields); short != nil && n.Kind == yaml.ScalarNode {
		owner.set(short.key, whole, d.pos(n))
		d.value(n, v.Field(short.index), short)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, "%s: found %s, want keys with values", name, describe(n))
		return
	}
	d.pairs(n, v, shape.fields, owner)
	for _, f := range shape.fields {
		if f.required && !owner.Has(f.key) {
			d.fault(n, "the key %q is missing%s", f.key, of(name))
		}
	}
}

// pairs fills the fields of v from the keys and values of n.
func (d *decoder) pairs(n *yaml.Node, v reflect.Value, fields []*field, owner *Place) {
	first := make(map[string]int, len(n.Content)/2) // line of each key
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		f := d.known(key, fields)
		if line, twice := first[key.Value]; f != nil && twice {
			d.fault(key, "the key %q is here twice, first on line %d", key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		if f == nil {
			continue
		}
		owner.set(f.key, whole, d.pos(val))
		d.value(val, v.Field(f.index), f)
	}
}

// shape is what the decoder knows of the struct type t, found out once.
func (d *decoder) shape(t reflect.Type) *shape {
	if known := d.shapes[t]; known != nil {
		return known
	}
	if d.shapes == nil {
		d.shapes = make(map[reflect.Type]*shape)
	}
	s := &shape{fields: fieldsOf(t), blank: reflect.New(t).Elem()}
	setDefaults(s.blank)
	d.shapes[t] = s
	return s
}

// known is the field that the key names, or nil with a fault.
func (d *decoder) known(key *yaml.Node, fields []*field) *field {
	for _, f := range fields {
		if key.Kind == yaml.ScalarNode && f.key == key.Value {
			return f
		}
	}
	if d.count >= maxKept {
		d.fault(key, "") // only counted: looking for the nearest key is not worth it
		return nil
	}
	keys := make([]string, 0, len(fields))
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	if key.Kind != yaml.ScalarNode {
		d.fault(key, "found %s as a key, want one of %s", describe(key), enumerate("and", keys))
		return nil
	}
	hint := didYouMean(key.Value, keys)
	if hint == "" {
		hint = ": known here are " + enumerate("and", keys)
	}
	d.fault(key, "unknown key %s%s", quote(key.Value), hint)
	return nil
}

// list fills the slice v from the sequence n. No value may be in it twice. An empty list of plain values is a fault unless
// the field allows it: whoever writes `clients: []` probably does not mean everybody.
func (d *decoder) list(n *yaml.Node, v reflect.Value, f *field) {
	if n.Kind != yaml.SequenceNode {
		d.fault(n, "%s: found %s, want a list such as [%s]", f.key, describe(n), exampleOf(n))
		return
	}
	element := v.Type().Elem()
	if len(n.Content) == 0 && !f.empty && !isObject(element) {
		d.fault(n, "%s: the list is empty: leave the key out if nothing is meant", f.key)
	}
	list := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	seen := make(map[any]int)
	for _, child := range n.Content {
		before := d.count
		one := reflect.New(element).Elem()
		d.value(child, one, f)
		if isObject(element) {
			list = reflect.Append(list, one)
			continue
		}
		if d.count > before {
			continue
		}
		if line, twice := seen[one.Interface()]; twice {
			d.fault(child, "%s: %s is in this list twice, first on line %d", f.key, quote(child.Value), line)
			continue
		}
		seen[one.Interface()] = child.Line
		d.owners[len(d.owners)-1].set(f.key, list.Len(), d.pos(child))
		list = reflect.Append(list, one)
	}
	v.Set(list)
}

// texts fills the map v, from languages to texts, from the mapping n.
func (d *decoder) texts(n *yaml.Node, v reflect.Value, f *field) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, "%s: found %s, want texts by language such as {en: %q}", f.key, describe(n), brief(n.Value))
		return
	}
	texts := reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		one := reflect.New(v.Type().Elem()).Elem()
		switch {
		case key.Kind != yaml.ScalarNode || !language.MatchString(key.Value):
			d.fault(key, "%s: found %s, want a language such as en, fr or nl-BE", f.key, describe(key))
		case texts.MapIndex(reflect.ValueOf(key.Value)).IsValid():
			d.fault(key, "%s: the language %q is here twice", f.key, key.Value)
		default:
			d.value(val, one, f)
			texts.SetMapIndex(reflect.ValueOf(key.Value), one)
		}
	}
	v.Set(texts)
}

// leaf fills v from one plain value.
func (d *decoder) leaf(n *yaml.Node, v reflect.Value, f *field) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, "%s: found %s, want one value", f.key, describe(n))
		return
	}
	if explicitTag(n) {
		d.fault(n, "%s: found %s, want a plain value", f.key, describe(n))
		return
	}
	if v.Kind() == reflect.String && v.Type() == reflect.TypeFor[string]() && !isText(n) {
		d.fault(n, "%s: found %s, want text: put it in quotes", f.key, describe(n))
		return
	}
	if err := d.parse(n, v, f); err != nil {
		d.fault(n, "%s: %s", f.key, err)
	}
}

func isText(n *yaml.Node) bool { return n.ShortTag() == "!!str" || n.ShortTag() == "!!timestamp" }

// exampleOf is what to put between the brackets when a list is missing around n.
func exampleOf(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		return brief(n.Value)
	}
	return "…"
}

// of is the end of a message about an object under the key name.
func of(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" from this entry of %q", name)
}
