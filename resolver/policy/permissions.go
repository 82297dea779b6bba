package policy

import (
	"slices"
	"time"
)

// permissions are exceptions that go together: some askers have all of them. They are found by their names, so that what they cost does
// not grow with their number; of those for whatever name, up to the first that lifts is looked at. Immutable and shared once the snapshot
// is made.
type permissions struct {
	all     []*Exception            // in the order of the files
	unnamed []*Exception            // those for whatever name
	byName  map[string][]*Exception // by each of their names, as in Exception.names
	longest int                     // octets of the longest of these names
	lastEnd time.Time               // when the last one ends
	used    bool                    // some asker has them
}

// newPermissions takes all, in the order of the files; it returns nil for none.
func newPermissions(all []*Exception) *permissions {
	if len(all) == 0 {
		return nil
	}
	ps := &permissions{all: all, byName: map[string][]*Exception{}}
	for _, e := range all {
		if e.Until.After(ps.lastEnd) {
			ps.lastEnd = e.Until
		}
		if e.names == nil {
			ps.unnamed = append(ps.unnamed, e)
			continue
		}
		for name := range e.names {
			ps.byName[name] = append(ps.byName[name], e)
		}
		ps.longest = max(ps.longest, e.longest)
	}
	return ps
}

// use notes that there is an asker with these.
func (ps *permissions) use() {
	if ps.used {
		return
	}
	ps.used = true
	for _, e := range ps.all {
		e.used = true
	}
}

// lifting appends those that lift p for h, if their time has not gone by, in no order, and perhaps twice.
func (ps *permissions) lifting(dst []*Exception, p *Policy, h *hit, of *inquiry, now Instant) []*Exception {
	add := func(candidates []*Exception) { dst = appendLifting(dst, candidates, p, h, of, now) }
	add(ps.unnamed)
	if len(ps.byName) == 0 {
		return dst
	}
	ps.named(h, add)
	if of == nil {
		return dst
	}
	ps.named(&hit{name: of.name}, add)
	for _, m := range of.matches {
		if m.CDN {
			ps.named(&hit{Match: m, name: of.name}, add)
		}
	}
	return dst
}

// appendLifting appends those of candidates that lift, up to the first that is in force: those behind it don't matter.
func appendLifting(dst, candidates []*Exception, p *Policy, h *hit, of *inquiry, now Instant) []*Exception {
	for _, e := range candidates {
		phase, _ := e.Phase(now)
		if phase == Over || !e.policies.has(p.Index) || !e.covers(h, of) {
			continue
		}
		if dst = append(dst, e); phase == InForce {
			break
		}
	}
	return dst
}

// named gives found the exceptions that have among their names that of h or a parent of it, as it stands or without what a CDN put
// behind it.
func (ps *permissions) named(h *hit, found func([]*Exception)) {
	if h.name == nil {
		return
	}
	ps.namedBy(h.name, len(h.name)-1, found)
	if h.CDN {
		ps.namedBy(h.name, h.End, found)
	}
}

func (ps *permissions) namedBy(name []byte, end int, found func([]*Exception)) {
	for at := 0; at < end; at += 1 + int(name[at]) {
		if end-at <= ps.longest {
			found(ps.byName[string(name[at:end])])
		}
	}
}

// lifting returns the exceptions of a that lift p for h and are or will be in force, in the order of the files, in dst if that has room.
func (a *Asker) lifting(dst []*Exception, p *Policy, h *hit, of *inquiry, now Instant) []*Exception {
	for _, ps := range a.permissions {
		dst = ps.lifting(dst, p, h, of, now)
	}
	if len(dst) > 1 {
		slices.SortFunc(dst, byIndex)
		dst = slices.Compact(dst)
	}
	return dst
}
