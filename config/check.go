package config

import (
	"fmt"
	"strings"
	"time"
)

// Options are what a check needs to know beside the files.
type Options struct {
	// BuiltinKnown says whether there is a built-in list of that name ("tiktok", "service/capcut"): nil if there is, else an
	// error that says which there are. A nil function knows all names.
	BuiltinKnown func(name string) error
	// SignatureKey says what is wrong with a minisign public key, nil for nothing. A nil function believes all keys.
	SignatureKey func(text string) error
	// Now is the time that warnings about what is over or due go by; zero: the time of the call.
	Now time.Time
}

// dueAhead is how long before a policy's review date, and before the end of a policy or an exception, the warnings begin.
const dueAhead = 30 * 24 * time.Hour

// checkFile finds what is wrong with the objects of one file, each looked at by itself.
func checkFile(f *policyFile) Faults {
	var faults Faults
	for i, zone := range f.OwnZones {
		if zone.Labels() < 2 || strings.HasPrefix(zone.String(), "*.") {
			faults = append(faults, faultAt(f.AtElement("own_zones", i),
				"own_zones: found %q, want a zone that is yours, such as ministry.example", zone))
		}
	}
	for i := range f.Lists {
		faults = append(faults, f.Lists[i].check()...)
	}
	for i := range f.Policies {
		faults = append(faults, f.Policies[i].check()...)
	}
	for i := range f.Agencies {
		faults = append(faults, f.Agencies[i].check()...)
	}
	for i := range f.Exceptions {
		faults = append(faults, f.Exceptions[i].check()...)
	}
	return faults
}

// faultAt is a fault at a place.
func faultAt(p Pos, format string, args ...any) Fault {
	return Fault{File: p.File, Line: p.Line, Column: p.Column, Message: fmt.Sprintf(format, args...)}
}

// warningAt is a warning at a place.
func warningAt(p Pos, format string, args ...any) Fault {
	f := faultAt(p, format, args...)
	f.Warning = true
	return f
}

func (p *Policy) check() Faults {
	var faults Faults
	if notAfter(p.Until, p.From) {
		faults = append(faults, faultAt(p.At("until"), "policy %q ends at %s, which is not after its from, %s",
			p.Name, shown(p.Until), shown(p.From)))
	}
	faults = append(faults, checkWord(&p.Place, "contact", p.Contact, wrongContact)...)
	faults = append(faults, checkWord(&p.Place, "link", p.Link, wrongLink)...)
	return append(faults, checkHistory("prolonged", p.Prolonged, p.Until)...)
}

func (a *Agency) check() Faults {
	faults := checkWord(&a.Place, "contact", a.Contact, wrongContact)
	faults = append(faults, checkWord(&a.Place, "language", a.Language, wrongLanguage)...)
	if a.Name == DefaultAgency && a.Has("networks") {
		faults = append(faults, faultAt(a.At("networks"), "networks: the agency %q has none: it is for the clients that are in no other "+
			"agency's networks", DefaultAgency))
	}
	return faults
}

func (e *Exception) check() Faults {
	faults := checkHistory("extended", e.Extended, e.Until)
	for _, pair := range [][2]string{{"revoked", "revoked_by"}, {"revoked_by", "revoked"}} {
		if e.Has(pair[0]) && !e.Has(pair[1]) {
			faults = append(faults, faultAt(e.At(pair[0]), "%s: the key %q is missing beside it", pair[0], pair[1]))
		}
	}
	for _, start := range []struct {
		key  string
		time time.Time
	}{{"from", e.From}, {"approved", e.Approved}} {
		if notAfter(e.Until, start.time) {
			return append(faults, faultAt(e.At("until"), "exception %q ends at %s, which is not after its %s, %s",
				e.Name, shown(e.Until), start.key, shown(start.time)))
		}
	}
	return faults
}

// notAfter says whether two times are there, and the end is not after the start.
func notAfter(end, start time.Time) bool {
	return !end.IsZero() && !start.IsZero() && !end.After(start)
}

// shown is an instant in a message.
func shown(t time.Time) string { return t.Format("2006-01-02T15:04Z07:00") }
