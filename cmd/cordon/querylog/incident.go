package querylog

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"cordon/resolver/policy"
)

// Incident is a bounded time in which queries are logged with the addresses of clients.
type Incident struct {
	ID         string       `json:"id"` // chosen by who asked for it
	Reason     string       `json:"reason"`
	ApprovedBy string       `json:"approved_by"`
	Ticket     string       `json:"ticket,omitempty"`
	Agency     string       `json:"agency,omitempty"` // only the clients of this one; "": of all
	Network    netip.Prefix `json:"network,omitzero"` // only those in it; not valid: all
	Listed     bool         `json:"listed"`           // only queries that a policy bears on: refused, excepted or observed
	Begun      time.Time    `json:"begun"`
	Until      time.Time    `json:"until"`
}

// Scope says of which clients what is logged, for people.
func (i *Incident) Scope() string {
	what := "all queries"
	if i.Listed {
		what = "refused, excepted and observed queries"
	}
	of := " of all clients"
	if i.Agency != "" {
		of = " of the agency " + i.Agency
	}
	if i.Network.IsValid() {
		of += " in " + i.Network.String()
	}
	return what + of
}

// File is the name of the file with what was logged, in the directory of a [Keeper].
func (i *Incident) File() string {
	return incidentPrefix + i.Begun.UTC().Format("20060102T150405Z") + ".jsonl"
}

// maxText is how long a text of a request is, in octets.
const maxText = 500

// check says why i can't be what somebody asks for.
func (i *Incident) check() error {
	for _, one := range []struct{ what, text string }{
		{"a reason", i.Reason}, {"who approved it", i.ApprovedBy}, {"an identity", i.ID},
	} {
		if strings.TrimSpace(one.text) == "" {
			return fmt.Errorf("%s is missing", one.what)
		}
	}
	for _, text := range []string{i.Reason, i.ApprovedBy, i.ID, i.Ticket, i.Agency} {
		if len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("a text has more than %d octets, or control characters", maxText)
		}
	}
	return nil
}

// underway is an incident that is logged.
type underway struct {
	Incident

	path string
	end  time.Time // by a clock that nobody sets
}

// over says whether u has ended by now: by either clock.
func (u *underway) over(now time.Time) bool {
	return !now.Before(u.end) || !now.Round(0).Before(u.Until)
}

// wants says whether what has such a verdict is logged. A nil incident wants nothing.
func (u *underway) wants(action policy.Action) bool {
	return u != nil && (!u.Listed || action != policy.Pass)
}

// covers says whether e is logged. A nil incident covers nothing.
func (u *underway) covers(e *event) bool {
	switch {
	case !u.wants(e.action):
		return false
	case u.Agency != "" && (e.agency == nil || e.agency.Name != u.Agency):
		return false
	default:
		return !u.Network.IsValid() || u.Network.Contains(e.client.WithZone(""))
	}
}

// Its files.
const (
	incidentPrefix  = "incident-"
	maxIncidentFile = 1 << 30 // octets: five million queries
)
