package config

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// The edits of exceptions are functions from text to text:
//
//	text ──▶ nodes with places ──▶ what to insert, and where ──▶ new text ──▶ read again: is all as it was, but for what was asked?
//
// A file is never written anew from what was read of it: what is outside of the edit stays as it is, octet for octet. Each function
// returns the edited file, or an error: [Faults] for the person who asked, whose File is the flag ("--until") that gave the value, or the
// policy file.

// NewException is an exception to be written, each value as it would stand in the file. What is empty is left out.
type NewException struct {
	Name, Agency                    string
	Descendants                     bool
	Clients, Policies, Names, Lists []string
	Class, Reason, ApprovedBy       string
	Approved, From, Until           string // Approved: the day of Now, if empty
	Ticket                          string
	Now                             time.Time
}

// Extension is a later end for an exception, each value as it would stand in the file.
type Extension struct {
	Until, ApprovedBy string
	Reference         string // may be empty
	Approved          string // when the exception was approved, for the history of one that does not say so; else empty
	Now               time.Time
}

// Revocation is an end for an exception before its time.
type Revocation struct {
	By  string
	At  string // as it would stand in the file; empty: the minute of Now
	Now time.Time
}

// AddException is f with one more exception, the last of its exceptions.
func AddException(f File, e NewException) (File, error) {
	t, err := readEditable(f)
	if err != nil {
		return f, err
	}
	if e.Approved == "" {
		e.Approved = t.day(e.Now)
	}
	pairs := e.pairs()
	want, faults := decodePairs[Exception](pairs, t.zone)
	if faults = append(missingPairs[Exception](pairs), faults...); !faults.Bad() {
		faults = want.doubts(e.Now)
	}
	if faults.Bad() {
		return f, faults
	}
	t.appendTo(t.root, "exceptions", nil, inBlock, mappingItem(pairs))
	t.file.Exceptions = append(t.file.Exceptions, *want)
	return t.result()
}

// doubts are reasons not to write a new exception.
func (e *Exception) doubts(now time.Time) Faults {
	switch {
	case over(e.Until, now):
		return flagFault("--until", "that is over already, since %s: want an end to come", shown(e.Until))
	case e.Approved.After(now):
		return flagFault("--approved", "%s is to come: want the day on which it was approved", e.Approved.Format(time.DateOnly))
	case notAfter(e.Until, e.From):
		return flagFault("--until", "it ends at %s, which is not after its from, %s", shown(e.Until), shown(e.From))
	}
	return nil
}

// ExtendException is f with a later end of the exception called name, and that in its history.
func ExtendException(f File, name string, x Extension) (File, error) {
	t, err := readEditable(f)
	if err != nil {
		return f, err
	}
	node, e, err := t.standing(name, x.Now)
	if err != nil {
		return f, err
	}
	pairs := x.pairs(t.day(x.Now))
	next, faults := decodePairs[Prolonged](pairs, t.zone)
	switch faults = append(missingPairs[Prolonged](pairs), faults...); {
	case x.ApprovedBy == "":
		return f, flagFault("--approved-by", "it is missing: who signed for the extension?")
	case faults.Bad():
		return f, faults
	case !next.Until.After(e.Until):
		return f, flagFault("--until", "the end %s is not after the one that %q has, %s (%s): to end it before its time, revoke it",
			shown(next.Until), name, shown(e.Until), e.At("until"))
	}
	items := []item{mappingItem(pairs)}
	if len(e.Extended) == 0 {
		first, err := t.firstEnd(node, e, x.Approved)
		if err != nil {
			return f, err
		}
		items = slices.Insert(items, 0, mappingItem(first))
		original, wrong := decodePairs[Prolonged](first, t.zone)
		if wrong.Bad() {
			return f, wrong
		}
		e.Extended = append(e.Extended, *original)
	}
	_, until := child(node, "until")
	t.replaceScalar(until, x.Until)
	t.appendTo(node, "extended", until, asSiblings, items...)
	e.Until, e.Extended = next.Until, append(e.Extended, *next)
	return t.result()
}

// firstEnd is the entry of the history for the end that an exception had at first. approved is when it was approved, if the file does
// not say so.
func (t *editable) firstEnd(node nodePtr, e *Exception, approved string) ([]pair, error) {
	_, until := child(node, "until")
	if _, written := child(node, "approved"); written != nil {
		approved = written.Value
	}
	if approved == "" {
		return nil, flagFault("--approved", "it is missing: the file does not say when %q was approved (%s), and its history begins with "+
			"that: want the day, such as 2027-03-13", e.Name, e.Pos)
	}
	return []pair{
		{key: "on", flag: "--approved", form: asMoment, values: []string{approved}},
		{key: "until", flag: "--until", form: asMoment, values: []string{until.Value}},
		{key: "approved_by", flag: "--approved-by", form: asText, values: []string{e.ApprovedBy}},
	}, nil
}

// RevokeException is f with an earlier end of the exception called name, which stays there for the report.
func RevokeException(f File, name string, r Revocation) (File, error) {
	t, err := readEditable(f)
	if err != nil {
		return f, err
	}
	node, e, err := t.standing(name, r.Now)
	if err != nil {
		return f, err
	}
	if r.At == "" {
		r.At = t.minute(r.Now)
	}
	pairs := r.pairs()
	want, faults := decodePairs[Exception](pairs, t.zone)
	switch {
	case r.By == "":
		return f, flagFault("--by", "it is missing: who decided that?")
	case faults.Bad():
		return f, faults
	case want.Revoked.Before(r.Now.Truncate(time.Minute)):
		return f, flagFault("--at", "%s is past: want a time to come, or leave it out, which is now", shown(want.Revoked))
	case !want.Revoked.Before(e.Until):
		return f, flagFault("--at", "the exception %q ends at %s by itself (%s): want a time before that",
			name, shown(e.Until), e.At("until"))
	}
	_, anchor := child(node, "extended")
	if anchor == nil {
		_, anchor = child(node, "until")
	}
	items := make([]item, 0, len(pairs))
	for _, p := range pairs {
		items = append(items, p.item())
	}
	t.insertAfter(node, anchor, items...)
	e.Revoked, e.RevokedBy = want.Revoked, want.RevokedBy
	return t.result()
}

// standing is the exception called name, in force at now or to come.
func (t *editable) standing(name string, now time.Time) (nodePtr, *Exception, error) {
	i := slices.IndexFunc(t.file.Exceptions, func(e Exception) bool { return e.Name == name })
	if i < 0 {
		return nil, nil, t.faults(faultAt(Pos{File: t.path}, "there is no exception %q here", name))
	}
	e := &t.file.Exceptions[i]
	_, all := child(t.root, "exceptions")
	node := all.Content[i]
	_, until := child(node, "until")
	switch {
	case e.Until.IsZero() || until == nil:
		return nil, nil, t.faults(faultAt(e.Pos, "exception %q has no end that can be read: mend that first", name))
	case !e.Revoked.IsZero() || e.Has("revoked"):
		return nil, nil, t.faults(faultAt(e.At("revoked"), "exception %q was revoked for %s: if it is needed again, add a new one",
			name, shown(e.Revoked)))
	case over(e.Until, now):
		return nil, nil, t.faults(faultAt(e.At("until"), "exception %q has been over since %s: if it is needed again, add a new one",
			name, shown(e.Until)))
	}
	return node, e, nil
}

// day is the date of a moment in the file's timezone.
func (t *editable) day(now time.Time) string { return now.In(t.zone).Format(time.DateOnly) }

// minute is a moment to the minute as it stands in the file: without an offset, unless the file has no timezone or the clocks there
// show that time twice.
func (t *editable) minute(now time.Time) string {
	moment := now.In(t.zone).Truncate(time.Minute)
	text := moment.Format(localLayouts[0])
	read, err := time.Parse(localLayouts[0], text)
	if t.file.Timezone == "" || err != nil || len(instants(read, t.zone)) != 1 {
		return moment.Format(time.RFC3339)
	}
	return text
}

// flagFault is the fault of a flag.
func flagFault(flag, format string, args ...any) Faults {
	return Faults{{File: flag, Message: fmt.Sprintf(format, args...)}}
}

// faults is a fault of this file with its line.
func (t *editable) faults(f Fault) Faults {
	return Faults{f}.excerpted(map[string][]byte{t.path: t.text})
}

// notUTF8 finds a value that can't be written.
func notUTF8(pairs []pair) Faults {
	for _, p := range pairs {
		for _, text := range p.values {
			if !utf8.ValidString(text) {
				return flagFault(p.flag, "found %q, want UTF-8 text", text)
			}
		}
	}
	return nil
}
