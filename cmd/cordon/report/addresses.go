package report

import (
	"cmp"
	"slices"
	"time"

	"cordon/cmd/cordon/audit"
)

// Logged is a time in which a server logged queries with the addresses of clients: an incident, as its administrators call it.
type Logged struct {
	Log        string    `json:"log"`
	What       string    `json:"what"` // which queries, in the words of the server
	Agency     string    `json:"agency,omitempty"`
	Reason     string    `json:"reason"`
	ApprovedBy string    `json:"approved_by"`
	Ticket     string    `json:"ticket,omitempty"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until,omitzero"` // zero: it had not ended when the report was made
	Seconds    int64     `json:"seconds"`        // of it that are in the period, up to when the report is made
}

// addresses collects them from all logs.
type addresses struct {
	period Period
	made   time.Time
	in     *scope
	all    []Logged
	beyond int
}

// add adds one that began with began and ended at until; zero: it has not ended.
func (s *addresses) add(log string, began *audit.Entry, until time.Time) {
	if !s.period.overlaps(began.Time, until) || began.Agency != "" && !s.in.has(began.Agency) {
		return
	}
	if len(s.all) >= mostIncidents {
		s.beyond++
		return
	}
	end := until
	if end.IsZero() {
		end = s.made
	} else {
		until = until.In(s.made.Location())
	}
	s.all = append(s.all, Logged{
		Log: log, What: withoutAddresses(began.What), Agency: bounded(began.Agency), Reason: withoutAddresses(began.Reason),
		ApprovedBy: withoutAddresses(began.ApprovedBy), Ticket: bounded(began.Ticket),
		From: began.Time.In(s.made.Location()), Until: until, Seconds: int64(s.period.within(began.Time, end).Seconds()),
	})
}

func (s *addresses) report() []Logged {
	told := append([]Logged{}, s.all...)
	slices.SortStableFunc(told, func(a, b Logged) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Log, b.Log)) })
	return told
}

// log takes in that addresses are logged from now on. A start of the server in between ends nothing.
func (r *reading) log(e *audit.Entry) {
	r.logged(e.Time)
	began := *e
	r.began = &began
}

// logged takes in that this is over at t; zero: that the log says no more of it. At the latest it ends at the time that was said.
func (r *reading) logged(t time.Time) {
	began := r.began
	if began == nil {
		return
	}
	r.began = nil
	planned := later(began.Until, began.Time)
	if t.IsZero() && planned.After(r.addresses.made) {
		r.addresses.add(r.told.Name, began, t)
		return
	}
	if t.IsZero() || t.After(planned) {
		t = planned
	}
	r.addresses.add(r.told.Name, began, later(t, began.Time))
}

// loggedSince takes in the end of what e says began at its From, also if the log does not have that beginning any more.
func (r *reading) loggedSince(e *audit.Entry) {
	if r.began == nil && !e.From.IsZero() {
		began := *e
		began.Time, began.Until = e.From, e.Time
		r.began = &began
	}
	r.logged(e.Time)
}
