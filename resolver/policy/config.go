package policy

import (
	"net/netip"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

// Config is the whole policy in the words of its files, read and checked by the caller, who knows the positions to blame.
// [Compile] checks again what it depends on. Order is meaning in one place only: of several policies or exceptions that bear
// on one query, the first in the slice is the one that is named.
type Config struct {
	Lists      []*blocklists.List
	Policies   []Policy
	Agencies   []Agency
	Exceptions []Exception
	Allowed    []netip.Prefix  // networks that may ask although they belong to no agency
	Hash       string          // of everything above; for people, Compile doesn't look at it
	Set        *blocklists.Set // a set that may be of these Lists: the one in force, or one read back; nil for none
	ID         uint64          // ≥ 1; no two snapshots of one process have the same
}

// Policy is a decision to ban what some lists hold. A *Policy that comes from a [Snapshot] is immutable.
type Policy struct {
	Name           string            // required, unique
	Title          map[string]string // by language tag
	Authority      string            // who decided
	LegalReference string
	Link           string      // where that can be read
	Prolonged      []Prolonged // for people
	Within         string      // only this agency and those below it can have it; "": every agency can
	Contact        string
	Source         string    // where it is written, "file:line"
	Lists          []string  // names of lists, at least one
	From           time.Time // the first moment it is in force; zero: always was
	Until          time.Time // the first moment it is no longer in force; zero: no end
	Decided        time.Time // for people
	Review         time.Time // for people
	Recommendation bool      // observed and counted instead of refused
	Answer         Mode
	EDE            uint16 // extended DNS error code, RFC 8914, section 5.2; 0: what fits Answer, Compile sets it

	// Index is the place in [Snapshot.Policies]: a stable number for metrics. Compile sets it.
	Index int

	lists selection
	owner *Agency // that of Within; nil if that is ""
}

// Strength is "ban" or "recommendation", as policy files have it.
func (p *Policy) Strength() string {
	if p.Recommendation {
		return "recommendation"
	}
	return "ban"
}

// Prolonged is a prolongation of a policy, or an extension of an exception: what once gave it a later end.
type Prolonged struct {
	On         time.Time // when that was decided
	Until      time.Time // the end that it gave
	Reference  string
	ApprovedBy string
}

// Mode is the form of the answer to a refused query.
type Mode uint8

// The answer modes. What each looks like on the wire is the business of package answer.
const (
	NXDomain Mode = iota // the default: every resolver accepts it and stops
	NoData
	Refused // the literal RCODE; makes many clients ask their next server
	NullIP  // 0.0.0.0 and ::
)

// String returns the word of the files: nxdomain, nodata, refused or null-ip.
func (m Mode) String() string {
	return word(m, "nxdomain", "nodata", "refused", "null-ip")
}

// Agency is a body whose clients share policy. An *Agency that comes from a [Snapshot] is immutable.
type Agency struct {
	Name     string // required, unique
	Parent   string // its name; "": none
	Source   string // where it is written, "file:line"; "" for the agency "default" if nobody wrote it
	Networks []netip.Prefix
	Policies []string // beside those of its ancestors
	Mode     AgencyMode
	Language string // of what its clients are told; "": the parent's, or none. Compile resolves it.
	Contact  string // for its clients, as a URI; "": the parent's, or none. Compile resolves it.

	// Index is the place in [Snapshot.Agencies]: a stable number for metrics. Compile sets it.
	Index int

	parent *Agency
}

// DefaultAgency is the name of the agency of the clients that are in no agency's network. It exists even if nobody wrote it,
// and then it has every ban.
const DefaultAgency = "default"

// AgencyMode is what becomes of the verdicts on an agency's clients.
type AgencyMode uint8

// The agency modes.
const (
	Inherit AgencyMode = iota // the parent's; Enforce without a parent. No agency of a Snapshot has it: Compile resolves it.
	Enforce
	ObserveOnly // what would be refused is let pass and counted
	Off         // everything passes and nothing is counted
)

// String returns the word of the files: inherit, enforce, observe or off.
func (m AgencyMode) String() string {
	return word(m, "inherit", "enforce", "observe", "off")
}

// Exception is permission that lifts policies for an agency or for some of its clients. What it leaves out it doesn't
// narrow; what it states together must all be true. An *Exception that comes from a [Snapshot] is immutable.
type Exception struct {
	Name        string         // required, unique
	Agency      string         // required
	Descendants bool           // also for the agencies below
	Clients     []netip.Prefix // empty: the whole agency
	Policies    []string       // empty: whatever policy
	Lists       []string       // of the matching rule; empty: whatever list
	Names       []domain.Name  // each with everything below it; empty: whatever name
	Source      string         // where it is written, "file:line"
	Class       string
	Reason      string
	ApprovedBy  string
	Ticket      string
	Approved    time.Time // for people
	Extended    []Prolonged
	Revoked     time.Time // for people: when it was, zero if it was not. Until is that moment then, or earlier
	RevokedBy   string
	From        time.Time // the first moment it is in force; zero: always was
	Until       time.Time // the first moment it is no longer in force; required

	// Index is the place in [Snapshot.Exceptions]: a stable number for metrics. Compile sets it.
	Index int

	policies selection
	lists    selection
	owner    *Agency             // that of Agency
	names    map[string]struct{} // wire form without the root label; nil: whatever name
	longest  int                 // octets of the longest of names
	used     bool                // some asker has it
}

// word returns the word at place v, or a question mark for a value that has none.
func word[T ~uint8](v T, words ...string) string {
	if int(v) < len(words) {
		return words[v]
	}
	return "?"
}
