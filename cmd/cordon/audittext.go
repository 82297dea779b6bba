package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/wording"
)

// auditText is e as a line for people.
func auditText(e *audit.Entry) string {
	var parts []string
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, oneLine(value)))
		}
	}
	add("version %s", e.Version)
	add("%s", e.What)
	add("exception %s", e.Exception)
	add("policy %s", e.Policy)
	add("of %s", e.Agency)
	add("class %s", e.Class)
	add("from %s", shownSet(e.From))
	add("until %s", shownSet(e.Until))
	add("since %s", shownSet(e.Since))
	add("signed for by %s", e.ApprovedBy)
	if e.Kind == audit.ExceptionExtended && e.ApprovedBy == "" {
		parts = append(parts, "the files do not say who signed for that")
	}
	add("ticket %s", e.Ticket)
	add("%s", e.Reference)
	add("%s", e.Reason)
	add("hash %s", e.Hash)
	add("%s", countsText(e))
	for _, sentence := range e.Effect {
		add("%s", sentence)
	}
	return fmt.Sprintf("%s  %6d  %-18s %s", shownUTC(e.Time), e.Sequence, oneLine(string(e.Kind)), strings.Join(parts, ", "))
}

// countsText is what e has many of.
func countsText(e *audit.Entry) string {
	var parts []string
	for _, has := range []struct {
		what string
		n    int
	}{
		{"file", len(e.Files)},
		{"list", len(e.Lists)},
		{"policy", len(e.Policies)},
		{"exception", len(e.Exceptions)},
		{"hold", len(e.Holds)},
		{"missing entry", int(min(e.Missing, math.MaxInt))},
	} {
		if has.n > 0 {
			parts = append(parts, wording.Count(has.n, has.what))
		}
	}
	for _, c := range e.Counts {
		var line strings.Builder
		line.WriteString(c.Agency + " " + c.Policy)
		if c.List != "" {
			line.WriteString(" " + c.List)
		}
		for _, done := range []struct {
			what string
			n    uint64
		}{{"refused", c.Refused}, {"observed", c.Observed}, {"excepted", c.Excepted}} {
			if done.n > 0 {
				line.WriteString(" " + strconv.FormatUint(done.n, 10) + " " + done.what)
			}
		}
		parts = append(parts, line.String())
	}
	return strings.Join(parts, ", ")
}

// shownSet is t, "" for the zero time.
func shownSet(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return shownUTC(t)
}

// oneLine is text without what would leave its line, or move a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
