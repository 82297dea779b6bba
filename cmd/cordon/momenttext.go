package main

import "time"

// This file has the words for moments and for the time between them.

// spanText is the time from one moment to just before another, either of which may be zero.
func spanText(from, until time.Time) string {
	text := after(momentText("from ", from), " ", endText(until))
	if text == "" {
		return "always"
	}
	return text
}

// endText is the moment at which something ends; the end of a day is said by that day.
func endText(until time.Time) string {
	switch {
	case until.IsZero():
		return ""
	case isMidnight(until):
		return dayText("to the end of ", until.AddDate(0, 0, -1))
	default:
		return "until " + minuteText(until)
	}
}

// momentText is what and a moment, "" for the zero time; the begin of a day is said by that day.
func momentText(what string, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case isMidnight(t):
		return dayText(what, t)
	default:
		return what + minuteText(t)
	}
}

func isMidnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0
}

// dayText is what and a day, "" for the zero time.
func dayText(what string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return what + t.Format(time.DateOnly)
}

func minuteText(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }
