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

// tellCounts tells what was decided since it did so last.
func (a *auditor) tellCounts(now time.Time) {
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
	since := utc(a.since)
	if since.After(utc(now)) { // the clock stepped back
		since = utc(now)
	}
	for part := range slices.Chunk(sorted, maxCounts) {
		a.file.Append(audit.Entry{Kind: audit.Counted, Time: now, Since: since, Counts: part})
	}
	a.since = now
}

// tellUses tells which exceptions were used for the first time on this day.
func (a *auditor) tellUses(now time.Time) {
	if a.used == nil {
		return
	}
	uses := a.used()
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		key := termKey{exception: true, name: name}
		t, known := a.said.terms[key]
		if !known { // it is new, and not told of yet: it is used when it is
			uses[name] = a.uses[name]
		}
		if uses[name] == a.uses[name] || sameDay(t.Used, now) {
			continue
		}
		t.Used = now.UTC().Truncate(time.Millisecond)
		a.said.terms[key] = t
		a.file.Append(audit.Entry{Kind: audit.ExceptionUsed, Time: now, Exception: name, Agency: t.Agency})
	}
	a.uses = uses
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
