package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
)

// result is the edited file, if it says what it should and nothing else.
func (t *editable) result() (File, error) {
	if t.odd != nil {
		return t.File, t.faults(Fault{File: t.path, Line: t.odd.line, Column: t.odd.column, Message: byHand})
	}
	next := NewFile(t.path, applied(t.text, t.edits))
	next.Owner, next.Order = t.File.Owner, t.File.Order
	after, err := readEditable(next)
	if err != nil || !sameFile(&t.file, &after.file) {
		at := t.edits[len(t.edits)-1].at
		return t.File, t.faults(Fault{File: t.path, Line: t.line(at) + 1, Column: 1, Message: byHand})
	}
	return next, nil
}

// byHand is what is said of a file whose form is beyond these edits.
const byHand = "the file is written in a form that can't be edited for you around here: edit it by hand"

// applied is text with its edits, none of which overlap.
func applied(text []byte, edits []edit) []byte {
	edits = slices.SortedStableFunc(slices.Values(edits), func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	done := 0
	for _, e := range edits {
		b.Write(text[done:e.at])
		b.WriteString(e.text)
		done = e.at + e.length
	}
	b.Write(text[done:])
	return []byte(b.String())
}

// sameFile says whether two files say the same, wherever that stands in them. It leaves both without their places.
func sameFile(a, b *policyFile) bool {
	for _, f := range []*policyFile{a, b} {
		forgetPlaces(reflect.ValueOf(f).Elem())
	}
	return reflect.DeepEqual(a, b)
}

// forgetPlaces clears every Place in an object of ours, and gives its times one timezone.
func forgetPlaces(v reflect.Value) {
	for i := range v.NumField() {
		switch one := v.Field(i); {
		case one.Type() == reflect.TypeFor[Place]():
			one.SetZero()
		case one.Type() == reflect.TypeFor[time.Time]():
			if moment, ok := reflect.TypeAssert[time.Time](one); ok {
				one.Set(reflect.ValueOf(moment.UTC()))
			}
		case one.Kind() == reflect.Slice && isObject(one.Type().Elem()):
			for j := range one.Len() {
				forgetPlaces(one.Index(j))
			}
		}
	}
}
