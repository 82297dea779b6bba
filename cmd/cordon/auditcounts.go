package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/resolver/policy"
)

// This file is what the auditor tells of what the server does: how often it refuses, which exceptions are used, and when it has nobody to
// ask.

// countKey is what verdicts are counted by.
type countKey struct {
	agency, policy, list string
	action               policy.Action
}

// maxCounts bounds how many counts an entry has; there are more entries if there are more.
const maxCounts = 5000

// tellHour tells what was decided, and which exceptions were used, since it did so last.
func (a *auditor) tellHour(now time.Time) {
	since := a.hour(now)
	a.tellUses(now, since)
	a.tellCounts(now, since)
	a.since = now
}

// hour is the beginning of what tellHour tells at now.
func (a *auditor) hour(now time.Time) time.Time {
	if since := utc(a.since); !since.After(utc(now)) {
		return since
	}
	return utc(now) // the clock stepped back
}

// tellCounts tells what was decided since then.
func (a *auditor) tellCounts(now, since time.Time) {
	rows := map[audit.Count]audit.Count{} // by what is counted
	before := a.counts
	a.counts = map[countKey]uint64{}
	for _, c := range a.counted() {
		key := countKey{c.Agency, c.Policy, c.List, c.Action}
		a.counts[key] = c.N
		n := c.N
		if n >= before[key] { // else it began at 0 again
			n -= before[key]
		}
		if n == 0 {
			continue
		}
		id := audit.Count{Agency: c.Agency, Policy: c.Policy, List: c.List}
		row, known := rows[id]
		if !known {
			row = id
		}
		switch c.Action {
		case policy.Refuse:
			row.Refused += n
		case policy.Observe:
			row.Observed += n
		case policy.Except:
			row.Excepted += n
		case policy.Pass:
			continue
		}
		rows[id] = row
	}
	sorted := slices.SortedFunc(maps.Values(rows), func(x, y audit.Count) int {
		return cmp.Or(cmp.Compare(x.Agency, y.Agency), cmp.Compare(x.Policy, y.Policy), cmp.Compare(x.List, y.List))
	})
	for part := range slices.Chunk(sorted, maxCounts) {
		a.file.Append(audit.Entry{Kind: audit.Counted, Time: now, Since: since, Counts: part})
	}
}

// noteUses takes in which exceptions were used, for the first time on the day of since. It is not told at once: an exception may be for
// one person, and an entry with that moment would be a record of them.
func (a *auditor) noteUses(since time.Time) {
	if a.used == nil {
		return
	}
	uses := a.used()
	for name, n := range uses {
		t, known := a.said.terms[termKey{exception: true, name: name}]
		if !known { // it is new, and not told of yet: it is used when it is
			uses[name] = a.uses[name]
			continue
		}
		if n != a.uses[name] && !sameDay(t.Used, since) {
			a.usedBy[name] = t.Agency
		}
	}
	a.uses = uses
}

// tellUses tells which exceptions were used for the first time on the day of since, be they in the files still or not.
func (a *auditor) tellUses(now, since time.Time) {
	a.noteUses(since)
	for _, name := range slices.Sorted(maps.Keys(a.usedBy)) {
		key := termKey{exception: true, name: name}
		if t, still := a.said.terms[key]; still {
			t.Used = since
			a.said.terms[key] = t
		}
		a.file.Append(audit.Entry{Kind: audit.ExceptionUsed, Time: now, Since: since, Exception: name, Agency: a.usedBy[name]})
	}
	clear(a.usedBy)
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}

// outage is that no upstream of a route answers.
type outage struct {
	since time.Time
	told  bool
}

// minOutage is how long nobody must have answered before it is worth an entry.
const minOutage = 5 * time.Second

// tellOutages tells which routes have nobody to ask, and which have again.
func (a *auditor) tellOutages(now time.Time) {
	failing := a.failing()
	slices.Sort(failing)
	for _, route := range failing {
		o := a.outages[route]
		if o == nil {
			o = &outage{since: now.Round(0)}
			a.outages[route] = o
		}
		if !o.told && now.Sub(o.since) >= minOutage {
			o.told = true
			a.file.Append(audit.Entry{Kind: audit.UpstreamsLost, Time: now, What: route, From: utc(o.since)})
		}
	}
	for _, route := range slices.Sorted(maps.Keys(a.outages)) {
		if slices.Contains(failing, route) {
			continue
		}
		if o := a.outages[route]; o.told {
			a.file.Append(audit.Entry{Kind: audit.UpstreamsBack, Time: now, What: route, From: utc(o.since), Until: utc(now)})
		}
		delete(a.outages, route)
	}
}

// utc is t as entries have it.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
