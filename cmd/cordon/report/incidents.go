package report

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Incidents are what went wrong in the period, as far as the logs say.
type Incidents struct {
	Starts   int   `json:"starts"`
	Stops    int   `json:"stops"`
	Changes  int   `json:"policy_changes"` // that took effect
	Rejected int   `json:"changes_rejected"`
	Held     int   `json:"lists_held"`
	Down     int64 `json:"not_running_seconds"` // of all servers
	Lost     int64 `json:"no_upstream_seconds"` // of all servers and routes
	Missing  int64 `json:"log_entries_missing"`

	All []Incident `json:"all"` // the first many, in the order in which they began
}

// Incident is one of them.
type Incident struct {
	Kind    IncidentKind `json:"kind"`
	Log     string       `json:"log"`
	What    string       `json:"what,omitempty"` // the file, the list, or the zone of the route
	Reason  string       `json:"reason,omitempty"`
	From    time.Time    `json:"from"`
	Until   time.Time    `json:"until,omitzero"` // zero: it had not ended when the log did
	Seconds int64        `json:"seconds"`        // of it that are in the period, up to when the report is made
	Times   uint64       `json:"times"`          // that it was said meanwhile; of LogGap, entries that are missing
}

// IncidentKind is what kind of thing went wrong.
type IncidentKind string

// The kinds of incidents.
const (
	FileHeld   IncidentKind = "file-held"   // a change of a file was rejected, the last good version stayed in force
	ListHeld   IncidentKind = "list-held"   // a list was not believed, the last good version stayed in force
	NoUpstream IncidentKind = "no-upstream" // no upstream answered
	NotRunning IncidentKind = "not-running" // from a stop to the next start
	Crashed    IncidentKind = "crashed"     // from the last entry to the next start, without a stop
	LogGap     IncidentKind = "log-gap"     // entries are missing
)

// mostIncidents is how many are kept; mostOpen how many can be under way at once.
const (
	mostIncidents = 1000
	mostOpen      = 10000
)

// incidents collects them from all logs.
type incidents struct {
	Incidents

	period Period
	made   time.Time
	beyond int
}

func newIncidents(period Period, made time.Time) *incidents {
	return &incidents{period: period, made: made}
}

// add adds one that is over, or that is not and never will be for this log.
func (s *incidents) add(one Incident) {
	if !s.period.overlaps(one.From, one.Until) && !(one.From.Equal(one.Until) && s.period.has(one.From)) {
		return
	}
	end := one.Until
	if end.IsZero() {
		end = s.made
	}
	one.Seconds = int64(s.period.within(one.From, end).Seconds())
	one.From, one.Until = one.From.In(s.made.Location()), one.Until.In(s.made.Location())
	one.What, one.Reason = withoutAddresses(one.What), withoutAddresses(one.Reason)
	s.sum(&one)
	if len(s.All) >= mostIncidents {
		s.beyond++
		return
	}
	s.All = append(s.All, one)
}

func (s *incidents) sum(one *Incident) {
	switch one.Kind {
	case FileHeld:
		s.Rejected++
	case ListHeld:
		s.Held++
	case NoUpstream:
		s.Lost += one.Seconds
	case NotRunning, Crashed:
		s.Down += one.Seconds
	case LogGap:
		s.Missing = int64(sum(uint64(s.Missing), min(one.Times, 1<<32)))
	}
}

func (s *incidents) report() Incidents {
	told := s.Incidents
	told.All = append([]Incident{}, s.All...)
	slices.SortStableFunc(told.All, func(a, b Incident) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Log, b.Log), cmp.Compare(a.Kind, b.Kind))
	})
	return told
}

// What looks like an IPv4 address, or a network of such, and what may be an IPv6 one.
var (
	ipv4 = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?`)
	ipv6 = regexp.MustCompile(`[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:/\d+)?`)
)

// withoutAddresses is text, or its beginning if it is very long, without the addresses and networks in it.
func withoutAddresses(text string) string {
	const instead = "[address]"
	text = ipv4.ReplaceAllString(cut(text, mostText), instead)
	return ipv6.ReplaceAllStringFunc(text, func(word string) string {
		bare, _, _ := strings.Cut(word, "/")
		for _, candidate := range []string{bare, strings.TrimSuffix(bare, ":")} {
			if _, err := netip.ParseAddr(candidate); err == nil {
				return instead
			}
		}
		return word
	})
}

// Bounds on the texts that logs have, in octets.
const (
	mostText = 2000
	mostName = 200
)

// bounded is name, or its beginning if it is longer than any name that the policy files can have.
func bounded(name string) string { return cut(name, mostName) }

// cut is text without what is beyond most octets.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "\u2026"
}
