package config

import (
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Files outlive programs. What this file promises to those who wrote one:
//
//	a key that is called something else now    it is read as the new one, with a warning that has the new spelling
//	a word that is called something else now   the same
//	both spellings of one key                  a fault: nobody could say which is meant
//	version: N                                 the form that the file was written in. Left out: 1, for ever, so that no file changes its
//	                                           meaning by itself. A file of a later form than this program knows is a fault, and nothing
//	                                           else in it is looked at: it may well mean something that this program can't know
//
// A new version is for what changes its meaning. What is only called something else needs none, see the tags was and wasoneof in [field].

// current makes n, which is read into the type t, what it would be if it were written today: the nodes have the spellings of now from here
// on, and their places. It says whether n can be read.
func (d *decoder) current(n *yaml.Node, t reflect.Type) bool {
	if d.isNewer(n, t) {
		return false
	}
	d.respell(n, t)
	return true
}

// isNewer says whether the file says that it is of a later form than is known.
func (d *decoder) isNewer(n *yaml.Node, t reflect.Type) bool {
	for _, f := range d.shape(t).fields {
		_, val := child(n, f.key)
		if f.key != "version" || val == nil {
			continue
		}
		known, _ := strconv.Atoi(f.max)
		if written, err := strconv.Atoi(val.Value); err == nil && written > known {
			d.fault(val, "version: this file is of version %d, and this program knows %s: run a newer cordon, or put back the file as it "+
				"was before", written, upTo(known))
			return true
		}
	}
	return false
}

func upTo(known int) string {
	if known == 1 {
		return "version 1 alone"
	}
	return "versions 1 to " + strconv.Itoa(known)
}

// respell writes the keys and words of n as they are written now. It goes where the types go, and leaves everything else to the decoder.
func (d *decoder) respell(n *yaml.Node, t reflect.Type) {
	switch {
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, one := range n.Content {
			d.respell(one, t.Elem())
		}
	case isObject(t) && n.Kind == yaml.MappingNode:
		for _, f := range d.shape(t).fields {
			d.respellKey(n, f)
			if _, val := child(n, f.key); val != nil {
				d.respellWords(val, f)
				d.respell(val, t.Field(f.index).Type)
			}
		}
	}
}

// respellKey gives the key of f in n its name of now. Where that is there as well, what has an earlier name is told, and left out.
func (d *decoder) respellKey(n *yaml.Node, f *field) {
	now, _ := child(n, f.key)
	for i := 0; f.was != nil && i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(f.was, key.Value):
		case now == nil:
			d.warn(key, "%s is called %s now: write that", key.Value, f.key)
			key.Value, now = f.key, key
		default:
			d.fault(key, "%s is what %s was called before, which is here as well, on line %d: want one of them", key.Value, f.key, now.Line)
			n.Content = slices.Delete(n.Content, i, i+2)
			i -= 2
		}
	}
}

// respellWords gives the texts in val, the value of f, their spelling of now.
func (d *decoder) respellWords(val *yaml.Node, f *field) {
	words := val.Content
	if val.Kind == yaml.ScalarNode {
		words = []*yaml.Node{val}
	}
	for _, one := range words {
		if now, ok := f.wasOneOf[one.Value]; ok && one.Kind == yaml.ScalarNode {
			d.warn(one, "%s: %s is called %s now: write that", f.key, quote(one.Value), now)
			one.Value = now
		}
	}
}

// warn notes what is not as it should be at n, and holds nothing back.
func (d *decoder) warn(n *yaml.Node, format string, args ...any) {
	if d.warned++; d.warned <= maxFaults {
		d.faults = append(d.faults, warningAt(d.pos(n), format, args...))
	}
}
