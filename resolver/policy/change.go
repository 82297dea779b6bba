package policy

import (
	"slices"
	"time"
)

// Change is a policy or an exception that comes into force or ends.
type Change struct {
	At        time.Time
	Starts    bool       // else it ends
	Policy    *Policy    // nil for an exception
	Exception *Exception // nil for a policy
}

// Changes returns what starts or ends after the moment from and not after the moment to, in the order of time; policies before
// exceptions, then in the order of the files.
func (s *Snapshot) Changes(from, to time.Time) []Change {
	var changes []Change
	for _, c := range s.changes {
		if c.At.After(from) && !c.At.After(to) {
			changes = append(changes, c)
		}
	}
	return changes
}

// schedule lists every change that is written in s.
func schedule(s *Snapshot) []Change {
	var changes []Change
	add := func(c Change) {
		if !c.At.IsZero() {
			changes = append(changes, c)
		}
	}
	for _, p := range s.policies {
		add(Change{At: p.From, Starts: true, Policy: p})
		add(Change{At: p.Until, Policy: p})
	}
	for _, e := range s.exceptions {
		add(Change{At: e.From, Starts: true, Exception: e})
		add(Change{At: e.Until, Exception: e})
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return a.At.Compare(b.At) })
	return changes
}
