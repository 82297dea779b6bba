package report

import (
	"math"
	"time"

	"cordon/cmd/cordon/audit"
)

// Report is all that the report says. As JSON its keys stay what they are; Format changes if one must not. Days are "2026-01-31" in
// TimeZone; times have its offset, and an until is the first moment that is no longer covered. Slices are never null.
type Report struct {
	Format   int       `json:"format"` // 1
	Made     time.Time `json:"made"`
	TimeZone string    `json:"time_zone"`
	From     string    `json:"from"` // the first day
	To       string    `json:"to"`   // the last day
	Agency   string    `json:"agency,omitempty"`
	Hash     string    `json:"policy_hash"`

	Bans     []Ban    `json:"bans"`     // in force in the period
	Agencies []Agency `json:"agencies"` // each after its parent
	Lists    []List   `json:"lists"`    // that a policy of those agencies has

	Unit      Unit   `json:"unit"`  // of Steps
	Steps     []Step `json:"steps"` // the period, in order
	Total     *Tally `json:"total"` // null: no data
	ByAgency  []Row  `json:"by_agency"`
	ByService []Row  `json:"by_service"`
	Counts    []Cell `json:"counts"` // what is not zero, by step, agency, policy and list

	Exceptions []Exception `json:"exceptions"`
	Incidents  Incidents   `json:"incidents"`
	Addresses  []Logged    `json:"addresses_logged"` // in the order in which they began
	Logs       []LogReport `json:"logs"`
	LeftOut    LeftOut     `json:"left_out"`

	period Period
}

// Tally is how many queries were refused, would have been (observed), and passed by an exception.
type Tally struct {
	Refused  uint64 `json:"refused"`
	Observed uint64 `json:"observed"`
	Excepted uint64 `json:"excepted"`
}

// Step is a part of the period: a day, a week or a month.
type Step struct {
	From    string `json:"from"` // the first day
	To      string `json:"to"`   // the last day
	Seconds int64  `json:"seconds"`
	Covered int64  `json:"covered_seconds"` // that the logs cover, on average
	Tally   *Tally `json:"tally"`           // null: no log covers any of it

	start, last time.Time // its first and its last day
}

// Row is what was counted for one agency, or for one service.
type Row struct {
	Name  string   `json:"name"`
	Total *Tally   `json:"total"`
	Steps []*Tally `json:"steps"` // as in Report.Steps
}

// Cell is what was counted in one step.
type Cell struct {
	Step    int    `json:"step"` // index in Report.Steps
	Agency  string `json:"agency"`
	Policy  string `json:"policy"`
	List    string `json:"list"`
	Service string `json:"service"` // what the list is about, its name if that is not said
	Tally
}

// LeftOut is what was not taken in because there was too much of it, or because it can't be. All zero, as a rule.
type LeftOut struct {
	Counts     int `json:"counts"`     // of other agencies, policies and lists than the first many
	Exceptions int `json:"exceptions"` // entries about other exceptions than the first many
	Incidents  int `json:"incidents"`
	Addresses  int `json:"addresses_logged"`
	Unusable   int `json:"unusable"` // entries of counts whose time can't be
}

// New is the report on period. Of several logs the counts are added.
func New(facts Facts, period Period, logs ...Log) *Report {
	r := &Report{
		Format: 1, Made: facts.Made.In(facts.Zone).Truncate(time.Second), TimeZone: facts.Zone.String(), Agency: facts.Only,
		Hash: facts.Hash,
		From: period.From.Format(time.DateOnly), To: period.Last().Format(time.DateOnly), period: period,
		Logs: []LogReport{},
	}
	in := newScope(&facts)
	r.Bans, r.Agencies, r.Lists = in.bans(period), in.agencies(), in.lists()

	c, x, i := newCounts(period, in), newExceptions(&facts, period, in), newIncidents(period, r.Made)
	a := &addresses{period: period, made: r.Made, in: in}
	for _, log := range logs {
		r.Logs = append(r.Logs, read(log, r.Made, c, x, i, a))
	}
	c.report(r, in)
	r.Exceptions, r.Incidents, r.Addresses = x.report(), i.report(), a.report()
	r.LeftOut = LeftOut{Counts: c.beyond, Unusable: c.unusable, Exceptions: x.beyond, Incidents: i.beyond, Addresses: a.beyond}
	return r
}

// scope is the part of the facts that the report is about.
type scope struct {
	facts  *Facts
	chosen map[string]bool // agencies; nil: all
	inTree []Agency        // those, each after its parent
	used   map[string]bool // policies that they have
}

// has says whether the report is about an agency of that name.
func (s *scope) has(agency string) bool { return s.chosen == nil || s.chosen[agency] }

func (t *Tally) add(c *audit.Count) {
	t.Refused, t.Observed, t.Excepted = sum(t.Refused, c.Refused), sum(t.Observed, c.Observed), sum(t.Excepted, c.Excepted)
}

func (t *Tally) plus(u *Tally) {
	t.Refused, t.Observed, t.Excepted = sum(t.Refused, u.Refused), sum(t.Observed, u.Observed), sum(t.Excepted, u.Excepted)
}

// all is the sum of what was counted.
func (t *Tally) all() uint64 { return sum(sum(t.Refused, t.Observed), t.Excepted) }

// sum is a + b, or the most that there is: a forged count must not make others small.
func sum(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
