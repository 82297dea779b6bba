package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// write writes e for people: the verdict in words, then what led to it, each thing with the place where it is written.
func (e *Explained) write(w io.Writer) error {
	t := &tree{said: map[string]bool{}}
	fmt.Fprintf(&t.text, "%s, type %s, asked by %s at %s\n\n", e.Name, e.Type, e.Client, minuteText(e.At))
	t.fact(0, "verdict", e.Verdict+": "+e.meaning())
	if e.Allowed {
		if !e.Change.IsZero() {
			t.fact(0, "may change", "on "+minuteText(e.Change.In(e.At.Location()))+", when something here begins or ends")
		}
		t.text.WriteString("\n")
		t.agency(&e.Agency)
		for i := range e.Matches {
			t.match(&e.Matches[i], e.Agency.Name)
		}
	}
	_, err := io.WriteString(w, t.text.String())
	return err
}

// meaning is the verdict in words.
func (e *Explained) meaning() string {
	switch {
	case e.Verdict == "prohibited":
		return "the client gets " + e.Answer + ", whatever it asks. It is in no agency's network and not in allow_clients"
	case e.Verdict == "refuse":
		return "the client gets " + e.Answer
	case e.Verdict == "except":
		return "it passes, by the exception " + e.Exception.Name
	case e.Verdict == "observe" && e.Policy.Strength == "recommendation":
		return "it passes and is counted. If " + e.Policy.Name + " were a ban, the client would get " + e.Would
	case e.Verdict == "observe":
		return "it passes and is counted. If " + e.Agency.Name + " were not in mode observe, the client would get " + e.Would
	case e.Agency.Mode == "off":
		return "the mode of " + e.Agency.Name + " is off: nothing is refused to its clients"
	case len(e.Matches) > 0:
		return "no policy that has it is in force for " + e.Agency.Name
	case e.Here != "":
		return "no list has it. The client gets " + e.Here + ": this name is answered here, no upstream is asked"
	default:
		return "no list has it. What an answer leads to is judged too, when there is one"
	}
}

// tree is the text of an explanation as it grows.
type tree struct {
	text strings.Builder
	said map[string]bool // the policies and exceptions whose facts stand above
}

// fact writes a line: what is told, and what there is to tell. depth is how far below its cause it stands.
func (t *tree) fact(depth int, what, told string) {
	if told != "" {
		fmt.Fprintf(&t.text, "%-22s %s\n", strings.Repeat("  ", depth+1)+what, told)
	}
}

func (t *tree) agency(a *agencyFacts) {
	told := a.Name
	if a.Network != "" {
		told += ", by its network " + a.Network
	} else {
		told += ", as the client is in no agency's network"
	}
	if a.Parent != "" {
		told += "; below " + a.Parent
	}
	if a.Mode != "enforce" {
		told += "; mode " + a.Mode
	}
	t.fact(0, "agency", told)
	if a.Source == "" {
		t.fact(1, "written in", "no file, so it has every policy")
	}
	t.fact(1, "written in", a.Source)
}

func (t *tree) match(m *match, agency string) {
	told := m.List + " has " + m.rule.Name
	if m.CDN {
		told += ": a listed name in front of a suffix that a CDN's customers share"
	}
	t.fact(0, "list", told)
	t.fact(1, "written in", m.rule.Source)
	for i := range m.Policies {
		t.policy(&m.Policies[i], agency)
	}
}

func (t *tree) policy(p *weighed, agency string) {
	bearing := p.Bearing
	if bearing == "of another agency" {
		bearing = "not for " + agency
	}
	t.fact(1, "policy", p.Name+": "+bearing)
	if !t.said["policy "+p.Name] {
		t.said["policy "+p.Name] = true
		t.fact(2, p.Strength, titleOf(p.Title))
		t.fact(2, "authority", after(p.Authority, ", ", dayText("decided ", p.Decided)))
		t.fact(2, "legal ground", p.LegalReference)
		t.fact(2, "in force", spanText(p.From, p.Until))
		t.fact(2, "contact", p.Contact)
		t.fact(2, "written in", p.Source)
	}
	for i := range p.Exceptions {
		t.exception(&p.Exceptions[i])
	}
}

func (t *tree) exception(x *considered) {
	t.fact(2, "exception", x.Name+": "+x.Effect)
	if t.said["exception "+x.Name] {
		return
	}
	t.said["exception "+x.Name] = true
	t.fact(3, "reason", x.Reason)
	t.fact(3, "approved by", after(x.ApprovedBy, ", ", dayText("", x.Approved)))
	t.fact(3, "in force", spanText(x.From, x.Until))
	t.fact(3, "class", x.Class)
	t.fact(3, "ticket", x.Ticket)
	t.fact(3, "written in", x.Source)
}

// titleOf is a title in English, or in the first language that there is.
func titleOf(title map[string]string) string {
	if len(title) == 0 {
		return "without a title"
	}
	if text, ok := title["en"]; ok {
		return text
	}
	return title[slices.Min(slices.Collect(maps.Keys(title)))]
}

// after is first and second with between between them, if there are two.
func after(first, between, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + between + second
}

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
