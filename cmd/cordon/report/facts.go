package report

import (
	"iter"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/config"
	"cordon/resolver/policy"
)

// Facts are what the policy files say now. The report keeps parts of it; none of it is changed.
type Facts struct {
	Made       time.Time      // when the report is made: what is later has not happened yet
	Zone       *time.Location // of the policy files
	Hash       string         // of the policy
	Policies   []*policy.Policy
	Agencies   []AgencyFacts // each parent is one of them
	Exceptions []*config.Exception
	Lists      []List
	Only       string // the agency that the report is about, with those below it; "": all
}

// AgencyFacts are an agency with the policies that its clients have.
type AgencyFacts struct {
	*policy.Agency

	Policies []*policy.Policy // nil also if it has no clients
}

// Log is the audit log of one server.
type Log struct {
	Name    string                        // how people tell it from the others
	Entries iter.Seq2[audit.Entry, error] // in the order of the log, also those before and after the period; it ends after an error
	Checked Check
}

// Check is what came of verifying a whole log.
type Check struct {
	Intact  bool   `json:"intact"`
	Broken  string `json:"broken,omitempty"` // where it is not intact, and why
	Head    string `json:"head,omitempty"`   // the hash of its last line, in hexadecimal digits
	Entries uint64 `json:"entries"`
}
