package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cordon/cmd/cordon/audit"
)

// LogReport is what is known of one audit log, which is that of one server.
type LogReport struct {
	Name string `json:"name"`
	Check

	First           time.Time `json:"first,omitzero"` // entry, in the whole log
	Last            time.Time `json:"last,omitzero"`
	Seconds         int64     `json:"seconds"`         // of the period, up to when the report was made
	Covered         int64     `json:"covered_seconds"` // of those, that have counts
	Unreadable      int       `json:"unreadable"`      // lines
	FirstUnreadable string    `json:"first_unreadable,omitempty"`
}

// reading goes through one log.
type reading struct {
	period     Period
	counts     *counts
	exceptions *exceptions
	incidents  *incidents
	addresses  *addresses

	told    LogReport
	covered time.Duration
	last    struct {
		kind     audit.Kind
		time     time.Time
		sequence uint64
	}
	counted time.Time // up to when it is known what was counted, or that it is not known
	open    map[string]Incident
	began   *audit.Entry // of the addresses that are logged; nil: none are

	starting bool // there was a start, and no snapshot yet
}

// read adds what log has to c, x, i and a.
func read(log Log, made time.Time, c *counts, x *exceptions, i *incidents, a *addresses) LogReport {
	r := &reading{period: c.period, counts: c, exceptions: x, incidents: i, addresses: a, open: map[string]Incident{}}
	r.told = LogReport{Name: log.Name, Check: log.Checked, Seconds: int64(c.period.within(c.period.From, made).Seconds())}
	c.logs++
	for e, err := range log.Entries {
		if err != nil {
			r.told.Unreadable++
			r.told.FirstUnreadable = cmp.Or(r.told.FirstUnreadable, withoutAddresses(err.Error()))
			continue
		}
		r.entry(&e)
	}
	r.end()
	r.told.Covered = int64(r.covered.Seconds())
	r.told.First, r.told.Last = r.told.First.In(made.Location()), r.told.Last.In(made.Location())
	return r.told
}

func (r *reading) entry(e *audit.Entry) {
	if r.told.First.IsZero() {
		r.told.First = e.Time
	}
	continues := r.last.sequence != 0 && e.Sequence == r.last.sequence+1
	r.look(e, continues)
	if r.last.sequence != 0 && e.Sequence > r.last.sequence+1 {
		r.incident(LogGap, r.last.time, e.Time, e.Sequence-r.last.sequence-1)
	}
	r.about(e)
	r.told.Last = e.Time
	r.last.kind, r.last.time, r.last.sequence = e.Kind, e.Time, e.Sequence
}

// about takes in what e says. What is of no interest, or of a later version, is passed over.
func (r *reading) about(e *audit.Entry) {
	switch e.Kind {
	case audit.Start:
		r.start(e)
	case audit.Stop:
		r.tick(&r.incidents.Stops, e)
	case audit.Snapshot:
		r.snapshot(e)
	case audit.Rejected:
		r.begin(FileHeld, e.What, e.Reason, e.Time)
	case audit.Held:
		r.begin(ListHeld, e.What, e.Reason, e.Time)
	case audit.Released, audit.Accepted:
		r.finish(e.What, e.Time)
	case audit.UpstreamsLost:
		r.begin(NoUpstream, e.What, e.Reason, earlier(e.From, e.Time))
	case audit.UpstreamsBack:
		r.finish("route "+e.What, earlier(e.Until, e.Time))
	case audit.Gap:
		r.incident(LogGap, earlier(e.From, e.Time), earlier(e.Until, e.Time), e.Missing)
	case audit.Torn:
		r.incident(LogGap, e.Time, e.Time, 1)
	case audit.Counted:
		r.count(e)
	case audit.IncidentBegan:
		r.log(e)
	case audit.IncidentEnded:
		r.loggedSince(e)
	case audit.ExceptionAdded, audit.ExceptionExtended, audit.ExceptionShortened, audit.ExceptionRevoked, audit.ExceptionLapsed,
		audit.ExceptionUsed:
		r.exceptions.entry(e)
	default:
	}
}

// tick counts e if it is in the period.
func (r *reading) tick(n *int, e *audit.Entry) {
	if r.period.has(e.Time) {
		*n++
	}
}

// start takes in that the server starts: whatever had no end before it ended when the server did.
func (r *reading) start(e *audit.Entry) {
	r.tick(&r.incidents.Starts, e)
	r.starting = true
	if r.last.sequence == 0 {
		return
	}
	kind := NotRunning
	if r.last.kind != audit.Stop {
		kind = Crashed
	}
	r.incident(kind, r.last.time, e.Time, 1)
	r.finishAll(r.last.time)
}

// snapshot takes in that another policy is in force, and all that is held then.
func (r *reading) snapshot(e *audit.Entry) {
	if !r.starting { // else it is what a start begins with
		r.tick(&r.incidents.Changes, e)
	}
	r.starting = false
	held := map[string]bool{}
	for _, h := range e.Holds {
		held[h.What] = true
		kind := FileHeld
		if strings.HasPrefix(h.What, listPrefix) {
			kind = ListHeld
		}
		if _, known := r.open[h.What]; !known {
			r.begin(kind, h.What, h.Reason, e.Time)
		}
	}
	for key, one := range r.open {
		if one.Kind != NoUpstream && !held[key] {
			r.finish(key, e.Time)
		}
	}
}

// listPrefix begins what is a list in an entry.
const listPrefix = "list "

// begin notes that something goes wrong from now on. If it is known already, it is said once more.
func (r *reading) begin(kind IncidentKind, what, reason string, now time.Time) {
	what, reason = cut(what, mostText), cut(reason, mostText)
	key := what
	if kind == NoUpstream {
		key = "route " + what
	}
	one, known := r.open[key]
	if !known && len(r.open) >= mostOpen {
		r.incidents.beyond++
		return
	}
	if !known {
		one = Incident{Kind: kind, Log: r.told.Name, What: strings.TrimPrefix(what, listPrefix), From: now}
	}
	one.Reason = cmp.Or(reason, one.Reason)
	one.Times++
	r.open[key] = one
}

// finish notes that what is under way by that key is over.
func (r *reading) finish(key string, now time.Time) {
	key = cut(key, mostText)
	if one, known := r.open[key]; known {
		one.Until = later(now, one.From)
		r.incidents.add(one)
		delete(r.open, key)
	}
}

// finishAll notes that all that is under way is over; with a zero now, that the log says no more of it.
func (r *reading) finishAll(now time.Time) {
	keys := make([]string, 0, len(r.open))
	for key := range r.open {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if now.IsZero() {
			r.incidents.add(r.open[key])
			continue
		}
		r.finish(key, now)
	}
}

func (r *reading) incident(kind IncidentKind, from, until time.Time, times uint64) {
	r.incidents.add(Incident{Kind: kind, Log: r.told.Name, From: from, Until: later(until, from), Times: times})
}

// latest is how old a count is at most when it is written, with some slack.
const latest = time.Hour + time.Minute

// look takes in up to when the counts are known at e: an hour without any is not written, but as soon as the same process writes something
// later, there were none. What was decided since the last counts is lost if a process ends without a stop, and so is what is in a gap.
func (r *reading) look(e *audit.Entry, continues bool) {
	switch {
	case e.Kind == audit.Start:
		r.counted = later(r.counted, e.Time)
	case !continues && e.Kind == audit.Counted && !e.Since.IsZero():
		r.counted = later(r.counted, e.Since)
	case !continues:
		r.counted = later(r.counted, e.Time)
	case e.Kind == audit.Gap:
		r.coverTo(earlier(e.From, e.Time))
		r.counted = later(r.counted, earlier(e.Until, e.Time))
	}
	if e.Kind == audit.Counted || e.Kind == audit.Stop {
		r.coverTo(e.Time)
	}
	r.coverTo(e.Time.Add(-latest))
}

// coverTo notes that the counts are known from r.counted to t.
func (r *reading) coverTo(t time.Time) {
	if t.After(r.counted) {
		r.covered += r.counts.cover(r.counted, t)
		r.counted = t
	}
}

// count takes in counts.
func (r *reading) count(e *audit.Entry) {
	if e.Since.IsZero() || e.Time.Before(e.Since) {
		r.counts.unusable++
		return
	}
	r.counts.add(e)
}

// end takes in that the log has no more entries.
func (r *reading) end() {
	r.finishAll(time.Time{})
	r.logged(time.Time{})
	if r.last.kind == audit.Stop {
		r.incidents.add(Incident{Kind: NotRunning, Log: r.told.Name, From: r.last.time, Times: 1})
	}
}

// earlier is t, or now if that is zero or later.
func earlier(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		return now
	}
	return t
}

// later is the later of two moments.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
