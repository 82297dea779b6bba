package status

import (
	"cmp"
	"slices"
	"time"

	"cordon/cmd/cordon/wording"
)

// Status is how a server is at one moment. Its keys in JSON stay what they are. Times have the time zone of the policy files, an until is
// the first moment that something no longer covers, and a source is "file:line". Counts are since the start.
type Status struct {
	At      time.Time `json:"at"`
	Host    string    `json:"host"` // the name of the machine, "" if it has none
	Started time.Time `json:"started"`
	Uptime  float64   `json:"uptime_seconds"`
	Build   Build     `json:"build"`

	NotReady string `json:"not_ready,omitempty"` // why /readyz says that it is not ready: no self-test has passed yet, or one failed

	Snapshot   Snapshot    `json:"snapshot"`
	Next       []Change    `json:"next"`    // what begins or ends first by itself: all of that moment
	Held       []Held      `json:"held"`    // by what is held
	Restart    []string    `json:"restart"` // keys of the service file whose new values a restart puts in force
	Policies   []Policy    `json:"policies"`
	Agencies   []Agency    `json:"agencies"`   // each behind its parent
	Exceptions []Exception `json:"exceptions"` // in force or to come, the next to end first
	Lists      []List      `json:"lists"`
	Routes     []Route     `json:"routes"` // the default route first
	Traffic    Traffic     `json:"traffic"`
	LocalNames int         `json:"local_names"` // names of one's own, names of addresses included
	QueryLog   QueryLog    `json:"query_log"`
	Limits     []Limit     `json:"limits"`
	Tests      []Test      `json:"self_tests"` // by agency; none: there is no self-test, or it has not run yet
}

// Build is which build runs.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// Snapshot is the policy in force.
type Snapshot struct {
	Hash     string    `json:"hash"`  // servers with the same have the same policy
	Since    time.Time `json:"since"` // when this process put it in force
	From     string    `json:"from"`  // the policy directory, or words for the policy inside the program
	Whole    time.Time `json:"last_whole,omitzero"`
	Names    int       `json:"names"`
	Networks int       `json:"networks"`
}

// Change is a policy or an exception that begins or ends by itself.
type Change struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // such as "the ban nsc ends"
}

// Held is a file or a list of which not what is written is in force.
type Held struct {
	What   string    `json:"what"` // the path of a file, or "list NAME"
	Owner  string    `json:"owner,omitempty"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`           // with the place, without addresses of machines
	Absent bool      `json:"absent,omitempty"` // nothing of it is in force; else its last good version is
}

// Policy is a decision.
type Policy struct {
	Name           string    `json:"name"`
	Title          string    `json:"title,omitempty"`
	Language       string    `json:"language,omitempty"` // of the title
	Strength       string    `json:"strength"`           // ban or recommendation
	State          string    `json:"state"`              // in force, not yet in force, over
	Authority      string    `json:"authority,omitempty"`
	LegalReference string    `json:"legal_reference,omitempty"`
	From           time.Time `json:"from,omitzero"`
	Until          time.Time `json:"until,omitzero"`
	Review         time.Time `json:"review,omitzero"`
	Lists          []string  `json:"lists"`
	Source         string    `json:"source"`
	Verdicts
}

// InForce is the state of a policy, an exception or a list that is in force.
const InForce = "in force"

// Verdicts are how many queries were given each verdict.
type Verdicts struct {
	Refused  uint64 `json:"refused"`
	Observed uint64 `json:"observed"` // would be refused
	Excepted uint64 `json:"excepted"`
}

// Agency is a body, with what its clients have.
type Agency struct {
	Name     string   `json:"name"`
	Parent   string   `json:"parent,omitempty"`
	Depth    int      `json:"depth"`              // how many agencies are above it
	Networks []string `json:"networks,omitempty"` // the first of them
	MoreNets int      `json:"more_networks,omitempty"`
	Policies []string `json:"policies"` // in force for it, the first of them
	MorePols int      `json:"more_policies,omitempty"`
	Mode     string   `json:"mode"` // enforce, observe or off
	Source   string   `json:"source,omitempty"`
	Verdicts
}

// Exception is one in force or to come.
type Exception struct {
	Name        string    `json:"name"`
	Agency      string    `json:"agency"`
	Descendants bool      `json:"descendants,omitempty"`
	State       string    `json:"state"`   // in force or not yet in force
	Clients     int       `json:"clients"` // addresses or networks that it is for; 0: the whole agency
	Class       string    `json:"class,omitempty"`
	Reason      string    `json:"reason"`
	ApprovedBy  string    `json:"approved_by"`
	From        time.Time `json:"from,omitzero"`
	Until       time.Time `json:"until"`
	DaysLeft    int       `json:"days_left"` // 0: its last day
	Uses        uint64    `json:"uses"`      // queries that it let pass
	Source      string    `json:"source"`
}

// List is a list of names.
type List struct {
	Name     string    `json:"name"`
	Origin   string    `json:"origin"` // its source in the policy file
	State    string    `json:"state"`  // in force, held, stale or absent
	Names    int       `json:"names"`
	Networks int       `json:"networks"`
	Rejected int       `json:"rejected"`
	Current  time.Time `json:"current,omitzero"`    // when its source was last known to have nothing newer
	Fetched  time.Time `json:"fetched,omitzero"`    // the last attempt
	Failures int       `json:"failures,omitempty"`  // to fetch it, in a row
	Error    string    `json:"error,omitempty"`     // of the last of them
	NextTry  time.Time `json:"next_fetch,omitzero"` // when it is fetched again
}

// Route is a group of servers that are asked.
type Route struct {
	Zone    string   `json:"zone"` // "." for the default route
	Failing bool     `json:"failing"`
	Servers []Server `json:"servers"`
}

// Server is an upstream.
type Server struct {
	Address  string  `json:"address"`
	Failing  bool    `json:"failing"`  // it failed several times in a row, and is asked last
	Failures int     `json:"failures"` // in a row, up to now
	Response float64 `json:"response_seconds,omitempty"`
}

// Traffic is what was asked and how it was answered.
type Traffic struct {
	Queries uint64 `json:"queries"`
	Verdicts
	CacheHit   uint64 `json:"cache_hit"`
	CacheStale uint64 `json:"cache_stale"`
	CacheMiss  uint64 `json:"cache_miss"`
	Waiting    int    `json:"waiting"` // queries that wait for upstreams
	Places     int    `json:"places"`  // how many may
}

// QueryLog is what is noted of queries.
type QueryLog struct {
	What     []string    `json:"what,omitempty"`    // which queries, as the service file says it
	Clients  string      `json:"clients,omitempty"` // how their clients are called, as it says
	Outputs  []LogOutput `json:"outputs"`           // where they are logged; none: they are not
	Incident *Incident   `json:"incident"`          // null: there is none
}

// LogOutput is where queries are logged.
type LogOutput struct {
	Name    string `json:"name"` // file, syslog or dnstap
	Written uint64 `json:"written"`
	Dropped uint64 `json:"dropped"` // for there was no room for them
	Errors  uint64 `json:"errors"`  // attempts to write that failed
}

// Incident is a time in which queries are logged with the addresses of clients.
type Incident struct {
	Begun   time.Time `json:"begun"`
	Until   time.Time `json:"until"`
	Scope   string    `json:"scope"`   // in words, without addresses of machines
	Written uint64    `json:"written"` // since the start of the server, those of incidents before it included
	Dropped uint64    `json:"dropped"`
	Errors  uint64    `json:"errors"`
}

// Limit is a bound and how often it was hit.
type Limit struct {
	What  string `json:"what"`
	Key   string `json:"key,omitempty"` // the setting that moves it
	Hits  uint64 `json:"hits"`
	Fault bool   `json:"fault,omitempty"` // it should never be hit
}

// Test is the outcome of a question that the server asks itself.
type Test struct {
	Agency string    `json:"agency"`
	Expect string    `json:"expect"` // what must become of it, such as refuse or pass
	Name   string    `json:"name"`
	OK     bool      `json:"ok"`
	Reason string    `json:"reason,omitempty"` // why not
	At     time.Time `json:"at"`               // when it was last asked
	Since  time.Time `json:"since"`            // since when that has been its outcome
}

// Add adds n to v.
func (v *Verdicts) Add(n Verdicts) {
	v.Refused += n.Refused
	v.Observed += n.Observed
	v.Excepted += n.Excepted
}

// PoliciesInForce is how many there are.
func (s *Status) PoliciesInForce() int {
	n := 0
	for i := range s.Policies {
		if s.Policies[i].State == InForce {
			n++
		}
	}
	return n
}

// Wrong is what somebody has to look at, in words, the gravest first; none if all is well.
func (s *Status) Wrong() []string {
	var all []string
	note := func(n int, one, rest string) {
		if n > 0 {
			all = append(all, wording.Count(n, one)+rest)
		}
	}
	failed, failingRoutes, failing, hits := 0, 0, 0, uint64(0)
	for i := range s.Tests {
		failed += number(!s.Tests[i].OK)
	}
	for i := range s.Routes {
		failingRoutes += number(s.Routes[i].Failing)
		for j := range s.Routes[i].Servers {
			failing += number(s.Routes[i].Servers[j].Failing)
		}
	}
	for i := range s.Limits {
		if s.Limits[i].Fault {
			hits += s.Limits[i].Hits
		}
	}
	if s.NotReady != "" {
		all = append(all, "not ready: "+s.NotReady)
	}
	if s.PoliciesInForce() == 0 {
		all = append(all, "no policy is in force")
	}
	note(failed, "self-test", " failed")
	note(len(s.Held), "fault", " held")
	note(failingRoutes, "zone", " of which no upstream answers")
	note(failing, "upstream", " failing")
	note(s.listsIn(stateStale), "list", " too old")
	note(s.listsIn(stateAbsent), "list", " never loaded")
	note(int(min(hits, 1<<30)), "fault", " of the program itself, see the log")
	return all
}

// States of lists that are said in the headline; a held one is among what is held.
const (
	stateStale  = "stale"
	stateAbsent = "absent"
)

func (s *Status) listsIn(state string) int {
	n := 0
	for i := range s.Lists {
		n += number(s.Lists[i].State == state)
	}
	return n
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// need says how much an agency needs somebody: which of too many are shown.
func (s *Status) need(a *Agency, failed map[string]bool) int {
	switch {
	case failed[a.Name]:
		return 0
	case a.Mode != "enforce" || len(a.Policies) == 0:
		return 1
	default:
		return 2
	}
}

// agenciesFirst are at most so many agencies, those that need somebody and then those with the most refusals, still each behind its
// parent if that is among them.
func (s *Status) agenciesFirst(most int) []Agency {
	if len(s.Agencies) <= most {
		return s.Agencies
	}
	failed := map[string]bool{}
	for i := range s.Tests {
		if !s.Tests[i].OK {
			failed[s.Tests[i].Agency] = true
		}
	}
	places := make([]int, len(s.Agencies))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int {
		x, y := &s.Agencies[a], &s.Agencies[b]
		return cmp.Or(cmp.Compare(s.need(x, failed), s.need(y, failed)), cmp.Compare(y.Refused, x.Refused))
	})
	places = places[:most]
	slices.Sort(places)
	first := make([]Agency, most)
	for i, place := range places {
		first[i] = s.Agencies[place]
	}
	return first
}

// listsFirst are at most so many lists, those that are not simply in force first.
func (s *Status) listsFirst(most int) []List {
	if len(s.Lists) <= most {
		return s.Lists
	}
	all := slices.Clone(s.Lists)
	slices.SortStableFunc(all, func(a, b List) int { return number(a.State == InForce) - number(b.State == InForce) })
	return all[:most]
}

// some are at most so many of all.
func some[T any](all []T, most int) []T { return all[:min(len(all), most)] }
