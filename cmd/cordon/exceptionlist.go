package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/wording"
	"cordon/config"
)

// listedException is an exception in a list, for people and, as JSON, for programs. Its keys stay what they are. An until is the first
// moment that it no longer covers; source is "file:line".
type listedException struct {
	Name        string    `json:"name"`
	Agency      string    `json:"agency"`
	Descendants bool      `json:"descendants,omitempty"`
	Clients     []string  `json:"clients,omitempty"`  // none: the whole agency
	Policies    []string  `json:"policies,omitempty"` // none: all
	Names       []string  `json:"names,omitempty"`
	Lists       []string  `json:"lists,omitempty"`
	Class       string    `json:"class,omitempty"`
	Reason      string    `json:"reason"`
	ApprovedBy  string    `json:"approved_by"`
	Approved    time.Time `json:"approved,omitzero"`
	From        time.Time `json:"from,omitzero"`
	Until       time.Time `json:"until"`
	Revoked     time.Time `json:"revoked,omitzero"`
	RevokedBy   string    `json:"revoked_by,omitempty"`
	Ticket      string    `json:"ticket,omitempty"`
	State       string    `json:"state"`     // in force, to come, over or revoked
	DaysLeft    int       `json:"days_left"` // 0: its last day, or it has none left
	Source      string    `json:"source"`
}

// The states of an exception at some time.
const (
	termInForce = "in force"
	termToCome  = "to come"
	termOver    = "over"
	termRevoked = "revoked"
)

// listOptions are the flags of `cordon exception list`.
type listOptions struct {
	config, at, agency string
	all, json          bool
}

func exceptionListCommand() *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Say which exceptions there are",
		Long:  "Say which exceptions are in force or to come, by the policy files as they are now, the next to end first.",
		Args:  noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listExceptions(cmd, &o)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "also those that are over or revoked")
	cmd.Flags().StringVar(&o.at, "at", "", "as of a `TIME` such as 2027-09-11T09:00, in the timezone of the policy (default now)")
	cmd.Flags().StringVar(&o.agency, "agency", "", "those of this `AGENCY` alone")
	cmd.Flags().BoolVar(&o.json, "json", false, "answer in JSON")
	policyDirFlags(cmd, &o.config)
	return cmd
}

func listExceptions(cmd *cobra.Command, o *listOptions) error {
	dir, err := policyDirOf(cmd, o.config)
	if err != nil {
		return explained(cmd.ErrOrStderr(), "exception list", err)
	}
	p, err := readPolicySet(dir)
	if err != nil {
		return fmt.Errorf("exception list: %w", err)
	}
	at, err := moment(o.at, zoneOfExceptions(p.set))
	if err != nil {
		return fmt.Errorf("exception list: %w", err)
	}
	if o.agency != "" {
		if err := p.knowsAgency(o.agency); err != nil {
			return fmt.Errorf("exception list: %w", err)
		}
	}
	if unread := p.unread(); unread != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "cordon: the exceptions are listed%s; a server keeps the last good version of such a file\n", unread)
	}
	listed := listedExceptions(p.set, at, o)
	if o.json {
		return writeJSON(cmd.OutOrStdout(), listed)
	}
	if len(listed) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), o.none())
		return err
	}
	return writeExceptions(cmd.OutOrStdout(), listed)
}

// none says that nothing is to be listed.
func (o *listOptions) none() string {
	text := "there is no exception"
	if o.agency != "" {
		text += " of " + o.agency
	}
	if !o.all {
		text += " in force or to come"
	}
	return text
}

// listedExceptions are those that o asks for, the next to end first. It is never nil.
func listedExceptions(set *config.PolicySet, at time.Time, o *listOptions) []listedException {
	listed := []listedException{}
	sorted := slices.SortedStableFunc(slices.Values(set.Exceptions), func(a, b *config.Exception) int {
		return cmp.Or(a.End().Compare(b.End()), strings.Compare(a.Name, b.Name))
	})
	for _, e := range sorted {
		state := stateOf(e, at)
		if o.agency != "" && e.Agency != o.agency || !o.all && (state == termOver || state == termRevoked) {
			continue
		}
		listed = append(listed, listedException{
			Name: e.Name, Agency: e.Agency, Descendants: e.Descendants, Clients: prefixTexts(e.Clients), Policies: set.Lifts(e),
			Names: texts(e.Names), Lists: e.Lists, Class: e.Class, Reason: e.Reason, ApprovedBy: e.ApprovedBy, Approved: e.Approved,
			From: e.Start(), Until: e.Until, Revoked: e.Revoked, RevokedBy: e.RevokedBy, Ticket: e.Ticket,
			State: state, DaysLeft: daysLeft(e.End(), at), Source: e.Pos.String(),
		})
	}
	return listed
}

func stateOf(e *config.Exception, at time.Time) string {
	switch {
	case !e.Revoked.IsZero() && e.End().Equal(e.Revoked) && !at.Before(e.Revoked):
		return termRevoked
	case !at.Before(e.Until):
		return termOver
	case at.Before(e.Start()):
		return termToCome
	}
	return termInForce
}

// daysLeft is how many midnights lie between a moment and the last instant before end, there.
func daysLeft(end, at time.Time) int {
	if !at.Before(end) {
		return 0
	}
	day := func(t time.Time) time.Time {
		year, month, date := t.In(end.Location()).Date()
		return time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
	}
	return int(day(end.Add(-time.Nanosecond)).Sub(day(at)).Hours() / 24)
}

// zoneOfExceptions is the timezone of all exceptions in set, or that of this machine if there are several.
func zoneOfExceptions(set *config.PolicySet) *time.Location {
	var zone *time.Location
	for _, e := range set.Exceptions {
		switch {
		case zone == nil:
			zone = e.Until.Location()
		case zone.String() != e.Until.Location().String():
			return time.Local
		}
	}
	if zone == nil {
		return time.Local
	}
	return zone
}

// writeExceptions writes a table for people.
func writeExceptions(w io.Writer, listed []listedException) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tAGENCY\tCLIENTS\tPOLICIES\tCLASS\tUNTIL\tSTATE\tDAYS LEFT\tWRITTEN IN")
	for i := range listed {
		e := &listed[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, e.agencyText(), someOf(e.Clients), someOf(e.Policies),
			cmp.Or(e.Class, "-"), e.untilText(), e.State, e.daysText(), e.Source)
	}
	return table.Flush()
}

func (e *listedException) agencyText() string {
	if e.Descendants {
		return e.Agency + " and below"
	}
	return e.Agency
}

// untilText is its last day, or the minute at which it ends.
func (e *listedException) untilText() string {
	end := e.Until
	if !e.Revoked.IsZero() && e.Revoked.Before(end) {
		end = e.Revoked
	}
	if wording.IsMidnight(end) {
		return end.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return wording.Minute(end)
}

func (e *listedException) daysText() string {
	if e.State == termOver || e.State == termRevoked {
		return "-"
	}
	return strconv.Itoa(e.DaysLeft)
}

// someOf are the first of some texts, and how many more there are; "all" for none.
func someOf(all []string) string {
	const most = 2
	switch {
	case len(all) == 0:
		return "all"
	case len(all) <= most:
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", all[0], len(all)-1)
}

// prefixTexts are networks as they are written: an address without its length.
func prefixTexts(prefixes []netip.Prefix) []string {
	all := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		if p.IsSingleIP() {
			all = append(all, p.Addr().String())
			continue
		}
		all = append(all, p.String())
	}
	return all
}

func texts[T fmt.Stringer](all []T) []string {
	written := make([]string, 0, len(all))
	for _, one := range all {
		written = append(written, one.String())
	}
	return written
}
