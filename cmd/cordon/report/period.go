package report

import (
	"fmt"
	"slices"
	"time"
)

// Period is the time that a report is about: whole days in one time zone.
type Period struct {
	From time.Time // the first instant
	End  time.Time // the first instant after it, later than From
}

// mostYears is how long a period can be.
const mostYears = 10

// NewPeriod is the time from the day from to the day to, both included, such as "2026-01-01" and "2026-06-30" in zone.
func NewPeriod(from, to string, zone *time.Location) (Period, error) {
	var p Period
	first, err := time.ParseInLocation(time.DateOnly, from, zone)
	if err != nil {
		return p, fmt.Errorf("%q is not a day: want one such as 2026-01-01", from)
	}
	last, err := time.ParseInLocation(time.DateOnly, to, zone)
	if err != nil {
		return p, fmt.Errorf("%q is not a day: want one such as 2026-06-30", to)
	}
	switch {
	case last.Before(first):
		return p, fmt.Errorf("the period from %s to %s ends before it begins", from, to)
	case !last.Before(first.AddDate(mostYears, 0, 0)):
		return p, fmt.Errorf("the period from %s to %s is longer than %d years", from, to, mostYears)
	}
	return Period{From: first, End: last.AddDate(0, 0, 1)}, nil
}

// LastQuarter is the last whole quarter of a year before now, in the time zone of now.
func LastQuarter(now time.Time) Period {
	month := now.Month() - (now.Month()-1)%3
	end := time.Date(now.Year(), month, 1, 0, 0, 0, 0, now.Location())
	return Period{From: end.AddDate(0, -3, 0), End: end}
}

// Last is the last day of the period.
func (p Period) Last() time.Time { return p.End.AddDate(0, 0, -1) }

// overlaps says whether something between two moments was in the period. A zero from is since ever, a zero until without end.
func (p Period) overlaps(from, until time.Time) bool {
	return from.Before(p.End) && (until.IsZero() || until.After(p.From) && until.After(from))
}

// has says whether t is in the period.
func (p Period) has(t time.Time) bool { return !t.Before(p.From) && t.Before(p.End) }

// within is how much of the time between two moments is in the period.
func (p Period) within(from, until time.Time) time.Duration {
	if from.Before(p.From) {
		from = p.From
	}
	if until.IsZero() || until.After(p.End) {
		until = p.End
	}
	return max(0, until.Sub(from))
}

// Unit is how long the steps of a period are.
type Unit string

// The units. A week begins on Monday.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
)

// The longest periods by day, and by week.
const (
	mostDays  = 35
	mostWeeks = 200 // days; half a year, and some
)

func (p Period) unit() Unit {
	switch days := int((p.End.Sub(p.From) + 12*time.Hour) / (24 * time.Hour)); {
	case days <= mostDays:
		return Day
	case days <= mostWeeks:
		return Week
	default:
		return Month
	}
}

// starts are the moments at which the steps of the period begin. The first and the last step may be shorter than the unit.
func (p Period) starts(unit Unit) []time.Time {
	starts := []time.Time{p.From}
	for {
		next := after(starts[len(starts)-1], unit)
		if !next.Before(p.End) {
			return starts
		}
		starts = append(starts, next)
	}
}

// after is when the unit that holds the day t is over.
func after(t time.Time, unit Unit) time.Time {
	switch unit {
	case Month:
		return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, t.Location())
	case Week:
		monday := (int(t.Weekday()) + 6) % 7 // days since Monday
		return time.Date(t.Year(), t.Month(), t.Day()-monday+7, 0, 0, 0, 0, t.Location())
	case Day:
	}
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location())
}

// stepAt is the index of the step in which t is, -1 if it is before the first.
func stepAt(starts []time.Time, t time.Time) int {
	i, found := slices.BinarySearchFunc(starts, t, time.Time.Compare)
	if found {
		return i
	}
	return i - 1
}
