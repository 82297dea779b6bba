package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/mirror"
	"cordon/config"
)

// listStatus is what is known of one list: what `cordon lists` shows, what the admin listener tells it, and what /metrics has.
type listStatus struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	State    string `json:"state"` // one of listStates
	Names    int    `json:"names"`
	Networks int    `json:"networks"`
	Allowed  int    `json:"allowed"`  // entries that take something off the list again
	Rejected int    `json:"rejected"` // entries that can't be used
	Hash     string `json:"hash,omitempty"`

	Loaded  time.Time `json:"loaded,omitzero"`  // when the version in force was read
	Current time.Time `json:"current,omitzero"` // when the source was last known to have nothing newer
	MaxAge  float64   `json:"max_age_seconds,omitempty"`

	Held  *listHold  `json:"held,omitempty"`
	Fetch *listFetch `json:"fetch,omitempty"` // of a list from elsewhere

	RejectedLines []rejectedLine `json:"rejected_lines,omitempty"` // the first of them, where asked for
}

// listHold says why what the source has is not in force.
type listHold struct {
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
	Content string    `json:"content,omitempty"` // what `cordon lists accept` can have believed; "" if nobody can
	Entries int       `json:"entries,omitempty"` // that it would have then
}

// listFetch is how fetching goes.
type listFetch struct {
	Outcome  string    `json:"outcome"` // of the last attempt: changed, unchanged, failed, "" for none yet
	Last     time.Time `json:"last,omitzero"`
	Next     time.Time `json:"next,omitzero"`
	Failures int       `json:"failures"` // in a row
	Error    string    `json:"error,omitempty"`
}

type rejectedLine struct {
	Place  string `json:"place"`
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

// The states of a list.
const (
	stateInForce = "in force"
	stateHeld    = "held"   // the last good version is in force
	stateStale   = "stale"  // it is in force, but older than its max_age
	stateAbsent  = "absent" // there was never a version that could be used
)

func listStates() []string { return []string{stateInForce, stateHeld, stateStale, stateAbsent} }

// statuses are those of the lists of g, in the order of their declaration. fetched may be nil.
func statuses(g *generation, holds map[string]hold, fetched *mirror.Mirror, now time.Time) []listStatus {
	all := make([]listStatus, 0, len(g.set.Lists))
	for i, declared := range g.set.Lists {
		s := listStatus{Name: declared.Name, Source: cmp.Or(declared.Source, "names in the policy"), State: stateInForce}
		s.describe(g.lists[i])
		s.age(declared, fetched, now)
		if h, held := holds["list "+declared.Name]; held {
			s.hold(h)
		}
		all = append(all, s)
	}
	return all
}

func (s *listStatus) describe(list *blocklists.List) {
	hash := list.Hash()
	s.Names, s.Networks, s.Allowed, s.Rejected = list.Len(), list.Networks(), list.Allowed(), list.Rejected()
	s.Hash, s.Loaded = hex.EncodeToString(hash[:8]), list.Loaded()
}

func (s *listStatus) hold(h hold) {
	s.State, s.Current = stateHeld, s.Loaded // what is in force is as old as that, whatever has come since
	if h.absent {
		s.State, s.Loaded, s.Current = stateAbsent, time.Time{}, time.Time{}
	}
	s.Held = &listHold{Since: h.since, Reason: h.reason}
	if h.content != (blocklists.Content{}) {
		s.Held.Content, s.Held.Entries = h.content.String(), h.entries
	}
}

// age finds out how old the list is, and whether that is too old.
func (s *listStatus) age(declared *config.List, fetched *mirror.Mirror, now time.Time) {
	maxAge := declared.MaxAge
	switch kind, _ := declared.Kind(); {
	case declared.Remote() && fetched != nil:
		s.Fetch = fetchOf(fetched.Status(declared.Name))
		if copied := fetched.Copy(declared.Name, remoteIdentity(declared)); copied != nil {
			s.Current = copied.Checked
			maxAge = cmp.Or(maxAge, copied.Expire)
		}
		maxAge = cmp.Or(maxAge, defaultMaxAge)
	case kind == config.OnDisk:
		s.Current = newest(declared)
	}
	s.MaxAge = maxAge.Seconds()
	if maxAge > 0 && !s.Current.IsZero() && now.Sub(s.Current) > maxAge {
		s.State = stateStale
	}
}

// defaultMaxAge is how old a list from elsewhere may be before that is said, if neither it nor its source says.
const defaultMaxAge = 7 * 24 * time.Hour

func fetchOf(f mirror.Status) *listFetch {
	return &listFetch{Outcome: f.Outcome, Last: f.LastAttempt, Next: f.NextAttempt, Failures: f.Failures, Error: f.LastError}
}

// newest is when a file of the list was last written, zero if there is none.
func newest(declared *config.List) (last time.Time) {
	for _, w := range expand(config.Watched{Path: declared.Path(), Within: declared.Within}) {
		if info, err := os.Stat(w.Path); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// rejected are the rejected lines of list, with their places.
func rejected(list *blocklists.List) []rejectedLine {
	faults := list.Faults()
	lines := make([]rejectedLine, 0, len(faults))
	for _, f := range faults {
		lines = append(lines, rejectedLine{Place: list.PlaceText(f.Line), Text: f.Text, Reason: f.Reason})
	}
	return lines
}

// find is the status of the list called name.
func find(all []listStatus, name string) (*listStatus, error) {
	i := slices.IndexFunc(all, func(s listStatus) bool { return s.Name == name })
	if i < 0 {
		return nil, errors.New("there is no list called " + name)
	}
	return &all[i], nil
}
