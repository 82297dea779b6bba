package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/policy"
)

// write answers with what was found, and what it amounts to.
func (c *checking) write(cmd *cobra.Command, in *inputs) error {
	if c.json {
		return writeJSON(cmd.OutOrStdout(), in.report())
	}
	report := in.faults.Render()
	if report != "" {
		report += "\n"
	}
	_, err := io.WriteString(cmd.OutOrStdout(), report+in.summary())
	return err
}

// checkReport is what check --json answers.
type checkReport struct {
	Faults   []checkFault `json:"faults"`
	Warnings []checkFault `json:"warnings"`
}

type checkFault struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	Message   string `json:"message"`
	Elsewhere bool   `json:"elsewhere,omitempty"` // it is about this machine: --strict passes it
}

// report has the faults and the warnings apart, in the order of their places.
func (in *inputs) report() checkReport {
	list := func(faults config.Faults) []checkFault {
		all := make([]checkFault, 0, len(faults))
		for _, f := range faults {
			all = append(all, checkFault{f.File, f.Line, f.Column, f.Message, f.Elsewhere})
		}
		return all
	}
	return checkReport{Faults: list(in.faults.Errors()), Warnings: list(in.faults.Warnings())}
}

// summary says what was checked, what it amounts to if it is without faults, and how many there are.
func (in *inputs) summary() string {
	var b strings.Builder
	line := func(what, told string) {
		if told != "" {
			fmt.Fprintf(&b, "%-10s %s\n", what, told)
		}
	}
	line("checked", in.read())
	line("local", in.ownNames())
	if in.generation != nil && !in.faults.Bad() {
		s, now := in.generation.snapshot, time.Now()
		set := s.Set()
		line("lists", fmt.Sprintf("%d, with %s and %s", len(set.Lists()),
			wording.Count(set.Names(), "name"), wording.Count(set.Networks(), "network")))
		line("agencies", fmt.Sprintf("%d, with default", len(s.Agencies())))
		line("in force", inForce(s, now))
		line("to come", strings.Join(toCome(s, now), "\n"+strings.Repeat(" ", 11)))
	}
	found := wording.Count(len(in.faults.Errors()), "fault") + ", " + wording.Count(len(in.faults.Warnings()), "warning")
	if in.faults.Bad() {
		found += ". " + in.served()
	}
	line("found", found)
	return b.String()
}

// served says what a server does about the faults.
func (in *inputs) served() string {
	var held []string
	for what := range in.holds {
		if _, list := in.generation.holds[what]; !list {
			held = append(held, nameIn(in.service.PolicyDir, what))
		}
	}
	if len(held) == 0 {
		return "A server keeps its last good version; one that has none does not start"
	}
	slices.Sort(held)
	return "A server holds " + strings.Join(held, ", ") + " only"
}

// read names the files that were read.
func (in *inputs) read() string {
	from := " in " + in.service.PolicyDir
	if in.service.PolicyDir == "" {
		from = " inside the program"
	}
	if in.files == nil {
		return in.path
	}
	return wording.After(in.path, " and ", wording.Count(len(in.files), "policy file")+from)
}

// toCome names what comes into force later by itself, in that order.
func toCome(s *policy.Snapshot, now time.Time) []string {
	var all []string
	for _, c := range s.Changes(now, now.AddDate(300, 0, 0)) {
		switch {
		case !c.Starts:
		case c.Exception != nil:
			all = append(all, "exception "+c.Exception.Name+wording.Moment(" from ", c.At))
		default:
			all = append(all, c.Policy.Name+wording.Moment(" from ", c.At))
		}
	}
	return all
}
