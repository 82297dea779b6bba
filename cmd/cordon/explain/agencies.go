package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// AgencyVerdict is the verdict on one name for clients of an agency. An agency has several if exceptions are for some of its clients.
type AgencyVerdict struct {
	Agency    string    `json:"agency"`
	Mode      string    `json:"mode"`
	Clients   []string  `json:"clients,omitempty"` // none: all of the agency but those of other verdicts
	Verdict   string    `json:"verdict"`
	Policy    string    `json:"policy,omitempty"`
	Exception string    `json:"exception,omitempty"`
	Change    time.Time `json:"may_change_at,omitzero"`
	Source    string    `json:"source,omitempty"`           // of the agency
	PolicyAt  string    `json:"policy_source,omitempty"`    // of the policy
	ExceptAt  string    `json:"exception_source,omitempty"` // of the exception
}

// Agencies is the verdicts on name for every agency, in the order of the files.
func Agencies(s *policy.Snapshot, name []byte, now policy.Instant) []AgencyVerdict {
	var all []AgencyVerdict
	for _, agency := range s.Agencies() {
		askers := s.AskersOf(agency)
		general := s.Decide(askers[0], name, now)
		all = append(all, verdictFor(&general, now))
		var some []AgencyVerdict
		for _, asker := range askers[1:] {
			v := s.Decide(asker, name, now)
			if v.Exception != nil && (v.Exception != general.Exception || v.Policy != general.Policy || v.Action != general.Action) {
				one := verdictFor(&v, now)
				one.Clients = factsOfException(v.Exception).Clients
				some = append(some, one)
			}
		}
		slices.SortStableFunc(some, func(a, b AgencyVerdict) int { return strings.Compare(a.reason(), b.reason()) })
		all = append(all, slices.CompactFunc(some, func(a, b AgencyVerdict) bool { return a.reason() == b.reason() })...)
	}
	return all
}

// reason is what lifts what: names have no blanks.
func (v *AgencyVerdict) reason() string { return v.Exception + " " + v.Policy }

func verdictFor(v *policy.Verdict, now policy.Instant) AgencyVerdict {
	one := AgencyVerdict{
		Agency: v.Agency.Name, Mode: v.Agency.Mode.String(), Verdict: v.Action.String(), Source: v.Agency.Source,
	}
	if !v.Boundary.IsZero() {
		one.Change = v.Boundary.In(now.Now.Location())
	}
	if v.Policy != nil {
		one.Policy, one.PolicyAt = v.Policy.Name, v.Policy.Source
	}
	if v.Exception != nil {
		one.Exception, one.ExceptAt = v.Exception.Name, v.Exception.Source
	}
	return one
}

// WriteAgencies writes all as a table.
func WriteAgencies(w io.Writer, all []AgencyVerdict) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AGENCY\tMODE\tCLIENTS\tVERDICT\tPOLICY\tEXCEPTION\tHOLDS UNTIL")
	for i := range all {
		v := &all[i]
		clients, until := "all", "-"
		switch {
		case len(v.Clients) > 0:
			clients = listText(v.Clients)
		case i+1 < len(all) && len(all[i+1].Clients) > 0:
			clients = "all others"
		}
		if !v.Change.IsZero() {
			until = wording.Minute(v.Change)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			v.Agency, v.Mode, clients, v.Verdict, orDash(v.Policy), orDash(v.Exception), until)
	}
	return table.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// listText is all with commas, or the first few if they are many.
func listText(all []string) string {
	const few = 3
	if len(all) <= few+1 {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}
