// Package wording has the words that every command uses alike for numbers of things, for moments, and for the time between them.
//
//	Count    "1 list", "2 agencies"
//	After    "decided on 2023-03-10, by the council", and less if less is known
//	Moment   "from 2023-03-10", "from 2023-03-10 09:00 CET"
//	End      "to the end of 2023-09-10", "until 2023-09-10 12:00 CEST"
//	Span     "from 2023-03-10 to the end of 2023-09-10", "always"
//	Roughly  "90s", "36h", "12d"
//	Title    that of several in a language, and which it is in
//
// A moment is said in its own location; midnight is said by a day: as a beginning by the one that begins, as an end by the one that ends.
//
// Not its job: other languages than English, which the report has.
package wording

import (
	"fmt"
	"strings"
	"time"
)

// Count is a number of things, of which thing is one: "1 list", "2 agencies".
func Count(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	default:
		return fmt.Sprintf("%d %ss", n, thing)
	}
}

// After is first and second with between between them, if there are two.
func After(first, between, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + between + second
}

// Span is the time from one moment to just before another, either of which may be zero.
func Span(from, until time.Time) string {
	text := After(Moment("from ", from), " ", End(until))
	if text == "" {
		return "always"
	}
	return text
}

// End is the moment at which something ends; the end of a day is said by that day.
func End(until time.Time) string {
	switch {
	case until.IsZero():
		return ""
	case IsMidnight(until):
		return Day("to the end of ", until.AddDate(0, 0, -1))
	default:
		return "until " + Minute(until)
	}
}

// Moment is what and a moment, "" for the zero time; the begin of a day is said by that day.
func Moment(what string, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case IsMidnight(t):
		return Day(what, t)
	default:
		return what + Minute(t)
	}
}

// IsMidnight says whether a day begins at t, in its location.
func IsMidnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0
}

// Day is what and a day, "" for the zero time.
func Day(what string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return what + t.Format(time.DateOnly)
}

// Minute is a moment, to the minute.
func Minute(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// Roughly is a duration in its largest unit.
func Roughly(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}
