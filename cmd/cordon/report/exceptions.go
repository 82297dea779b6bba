package report

import (
	"cmp"
	"slices"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/config"
)

// Exception is one that was in force in the period, or that something happened to then.
type Exception struct {
	Name        string   `json:"name"`
	Agency      string   `json:"agency,omitempty"`
	Descendants bool     `json:"descendants"` // also for the agencies below
	Written     bool     `json:"written"`     // it is in the policy files; else all is from the logs, and for whom it was is not known
	Addresses   int      `json:"addresses"`   // clients that it is for; without any, and without Networks, the whole agency
	Networks    int      `json:"networks"`    // of clients
	Names       int      `json:"names"`       // that it lifts, with all below them; 0: whatever name
	Policies    []string `json:"policies"`    // that it lifts; empty: whatever policy
	Lists       []string `json:"lists"`       // of the names that it lifts; empty: whatever list

	Class      string    `json:"class,omitempty"`
	Reason     string    `json:"reason"`
	ApprovedBy string    `json:"approved_by"`
	Ticket     string    `json:"ticket,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until,omitzero"`

	InForce  bool    `json:"in_force"` // at some time in the period
	Events   []Event `json:"events"`   // in the period
	UsedDays int     `json:"used_days"`
	FirstUse string  `json:"first_use,omitempty"` // the first day, in UTC, in the period
	LastUse  string  `json:"last_use,omitempty"`

	days     map[string]struct{}
	approved bool // the files say when it was granted
}

// Event is what happened to an exception.
type Event struct {
	Kind       EventKind `json:"kind"`
	On         time.Time `json:"on"`
	Until      time.Time `json:"until,omitzero"`        // the end that it gave
	ApprovedBy string    `json:"approved_by,omitempty"` // who decided it
}

// EventKind is what kind of thing happened.
type EventKind string

// The kinds of events.
const (
	Granted  EventKind = "granted"
	Extended EventKind = "extended"
	Revoked  EventKind = "revoked"
	Lapsed   EventKind = "lapsed"
)

// Bounds on what the logs can add.
const (
	mostExceptions = 20000
	mostEvents     = 50 // of one exception
)

// exceptions collects them from the files and from all logs.
type exceptions struct {
	period Period
	made   time.Time
	in     *scope
	zone   *time.Location
	all    map[string]*Exception
	beyond int
}

func newExceptions(facts *Facts, period Period, in *scope) *exceptions {
	x := &exceptions{period: period, made: facts.Made, in: in, zone: facts.Zone, all: map[string]*Exception{}}
	for _, e := range facts.Exceptions {
		x.all[e.Name] = x.written(e)
	}
	return x
}

// written is an exception of the files.
func (x *exceptions) written(e *config.Exception) *Exception {
	told := &Exception{
		Name: e.Name, Agency: e.Agency, Descendants: e.Descendants, Written: true, Names: len(e.Names),
		Policies: append([]string{}, e.Policies...), Lists: append([]string{}, e.Lists...),
		Class: e.Class, Reason: withoutAddresses(e.Reason), ApprovedBy: withoutAddresses(e.ApprovedBy), Ticket: withoutAddresses(e.Ticket),
		From: e.Start(), Until: e.End(), days: map[string]struct{}{},
	}
	for _, c := range e.Clients {
		if c.IsSingleIP() {
			told.Addresses++
		} else {
			told.Networks++
		}
	}
	told.InForce = x.period.overlaps(e.Start(), e.End()) && e.Start().Before(x.made)
	if told.approved = !e.Approved.IsZero(); told.approved {
		x.event(told, Event{Kind: Granted, On: e.Approved, ApprovedBy: e.ApprovedBy})
	}
	for i, p := range e.Extended {
		if isFirstEnd(i, p.On, e.Approved) {
			continue
		}
		x.event(told, Event{Kind: Extended, On: p.On, Until: p.Until, ApprovedBy: p.ApprovedBy})
	}
	if e.End().Equal(e.Until) {
		x.event(told, Event{Kind: Lapsed, On: e.Until})
	} else {
		x.event(told, Event{Kind: Revoked, On: e.Revoked, ApprovedBy: e.RevokedBy})
	}
	return told
}

// isFirstEnd says whether entry i of a history, decided on that moment, is the end that there was from the beginning, which is no
// prolongation: `cordon exception extend` writes it down first. agreed is when all was decided.
func isFirstEnd(i int, on, agreed time.Time) bool { return i == 0 && !on.After(agreed) }

// event adds one if it is in the period and has happened. What lapses at the end of the last day does so in the period.
func (x *exceptions) event(to *Exception, e Event) {
	in := x.period.has(e.On)
	if e.Kind == Lapsed {
		in = e.On.After(x.period.From) && !e.On.After(x.period.End)
	}
	if !in || e.On.After(x.made) || len(to.Events) >= mostEvents {
		return
	}
	e.ApprovedBy = withoutAddresses(e.ApprovedBy)
	to.Events = append(to.Events, e)
}

// entry takes in what a log says of an exception.
func (x *exceptions) entry(e *audit.Entry) {
	name := bounded(e.Exception)
	told := x.all[name]
	if told == nil {
		if len(x.all) >= mostExceptions {
			x.beyond++
			return
		}
		told = &Exception{Name: name, Policies: []string{}, Lists: []string{}, days: map[string]struct{}{}}
		x.all[name] = told
	}
	if e.Kind == audit.ExceptionUsed {
		x.use(told, e.Day())
		return
	}
	if !told.Written {
		told.learn(e, x.zone)
	}
	if kind, news := x.newsOf(told, e); news {
		x.event(told, Event{Kind: kind, On: happened(e).In(x.zone), Until: e.Until.In(x.zone), ApprovedBy: e.ApprovedBy})
	}
}

// happened is when what e says happened: an end happens when it is due, which the server may have been told before, or have slept over.
func happened(e *audit.Entry) time.Time {
	if (e.Kind == audit.ExceptionRevoked || e.Kind == audit.ExceptionLapsed) && !e.Until.IsZero() {
		return e.Until
	}
	return e.Time
}

// learn takes over what e says of an exception that the files don't have.
func (x *Exception) learn(e *audit.Entry, zone *time.Location) {
	x.Agency, x.Class = cmp.Or(bounded(e.Agency), x.Agency), cmp.Or(bounded(e.Class), x.Class)
	x.Ticket = cmp.Or(withoutAddresses(e.Ticket), x.Ticket)
	x.Reason = cmp.Or(withoutAddresses(e.Reason), x.Reason)
	if e.Kind != audit.ExceptionRevoked { // there it is who revoked
		x.ApprovedBy = cmp.Or(withoutAddresses(e.ApprovedBy), x.ApprovedBy)
	}
	if !e.From.IsZero() {
		x.From = e.From.In(zone)
	}
	if !e.Until.IsZero() {
		x.Until = e.Until.In(zone)
	}
	if e.Kind == audit.ExceptionRevoked {
		x.Until = happened(e).In(zone)
	}
}

// newsOf is what kind of event e is, and whether nobody has told it yet: the files go before the logs, and one log before others.
func (x *exceptions) newsOf(told *Exception, e *audit.Entry) (kind EventKind, news bool) {
	switch e.Kind {
	case audit.ExceptionAdded:
		kind = Granted
	case audit.ExceptionExtended:
		kind = Extended
	case audit.ExceptionShortened: // its time says so
		return "", false
	case audit.ExceptionRevoked:
		kind = Revoked
	default:
		kind = Lapsed
	}
	if told.Written && (kind == Revoked || kind == Lapsed || kind == Granted && told.approved) {
		return kind, false
	}
	return kind, !slices.ContainsFunc(told.Events, func(known Event) bool {
		return known.Kind == kind && (kind != Extended || known.Until.Equal(e.Until))
	})
}

// use notes that the exception was used on the day of t.
func (x *exceptions) use(told *Exception, t time.Time) {
	if !x.period.has(t) {
		return
	}
	told.days[t.UTC().Format(time.DateOnly)] = struct{}{}
}

// report are those that belong into the report, by agency and name.
func (x *exceptions) report() []Exception {
	all := []Exception{}
	for _, told := range x.all {
		x.finish(told)
		if x.belongs(told) && (told.InForce || len(told.Events) > 0 || told.UsedDays > 0) {
			all = append(all, *told)
		}
	}
	slices.SortFunc(all, func(a, b Exception) int { return cmp.Or(cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Name, b.Name)) })
	return all
}

func (x *exceptions) finish(told *Exception) {
	told.UsedDays = len(told.days)
	for day := range told.days {
		told.LastUse = max(told.LastUse, day)
		if told.FirstUse == "" || day < told.FirstUse {
			told.FirstUse = day
		}
	}
	if !told.Written {
		told.InForce = told.UsedDays > 0 || x.period.overlaps(told.From, told.Until) && !told.Until.IsZero()
	}
	slices.SortStableFunc(told.Events, func(a, b Event) int { return a.On.Compare(b.On) })
	told.Events = append([]Event{}, told.Events...)
}

// belongs says whether the report is about an agency that the exception is for.
func (x *exceptions) belongs(told *Exception) bool {
	return x.in.has(told.Agency) || told.Descendants && x.in.below(told.Agency)
}

// below says whether the agency that the report is about is below ancestor.
func (s *scope) below(ancestor string) bool {
	parents := map[string]string{}
	for _, a := range s.facts.Agencies {
		parents[a.Name] = a.Parent
	}
	name := s.facts.Only
	for range parents { // a circle ends too
		if name = parents[name]; name == ancestor && name != "" {
			return true
		}
	}
	return false
}
