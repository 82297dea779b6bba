package effect

import (
	"net/netip"
	"time"
)

// Difference is what one policy, put in the place of another, changes from a moment on. It shares nothing with the two. In each part,
// the order is that of time, then of the new policy's files, and the same for the same two policies.
type Difference struct {
	At      time.Time `json:"at"`      // the moment; what went before it is not compared. All times are in its location
	Changes []Change  `json:"changes"` // what it comes from
	Moves   []Move    `json:"moves"`   // clients that belong to another agency
	Effects []Effect  `json:"effects"` // whose queries are judged otherwise, and when
	Gaps    []Gap     `json:"not_compared,omitempty"`
}

// Nothing says that nobody gets another answer by the new policy than by the old.
func (d *Difference) Nothing() bool {
	return len(d.Changes)+len(d.Moves)+len(d.Effects)+len(d.Gaps) == 0
}

// Change is something written in another way that does something from the moment on: a policy that lasts longer, an exception that is
// revoked, a list with other rules.
type Change struct {
	What  string   `json:"what"` // agency, policy, exception or list
	Name  string   `json:"name"`
	Texts []string `json:"texts"` // what changed, for people: at least one
}

// Move is clients that change agency.
type Move struct {
	Networks []netip.Prefix `json:"networks"`
	From     string         `json:"from"` // names of agencies; "default" for clients that are in no agency's network
	To       string         `json:"to"`
	MayAsk   string         `json:"may_ask,omitempty"` // "newly" or "no longer", if that they may ask at all changes with it
}

// Effect is verdicts that turn for the same clients in the same span of time.
type Effect struct {
	Summary  string    `json:"summary"` // who, for people: "federal and the 3 agencies below it"
	Who      []Who     `json:"who"`
	From     time.Time `json:"from"`           // the first moment
	Until    time.Time `json:"until,omitzero"` // the first moment after it; zero: no end
	Outcomes []Outcome `json:"outcomes"`       // at least one
}

// Gap is clients whose verdicts are not compared from a moment on, because thousands of exceptions begin and end there.
type Gap struct {
	Summary string    `json:"summary"`
	Who     []Who     `json:"who"`
	From    time.Time `json:"from"`
}

// Who is clients of one agency, as the new policy has it. A client belongs to the longest network that is written here.
type Who struct {
	Agency  string         `json:"agency"`
	Clients []netip.Prefix `json:"clients,omitempty"` // those in these networks; empty: all of them
	But     []netip.Prefix `json:"but,omitempty"`     // not those in these
}

// Outcome is names and networks for which one action takes the place of another, by one policy.
type Outcome struct {
	Before         string   `json:"before"` // pass, refuse, observe or except
	After          string   `json:"after"`
	Policy         string   `json:"policy"`                    // the reason: of After, or of Before where nothing stands any more
	LegalReference string   `json:"legal_reference,omitempty"` // of Policy
	Exception      string   `json:"exception,omitempty"`       // what lifts Policy, or lifted it before
	Lists          []Listed `json:"lists"`                     // at least one
}

// Listed is how much of a list an outcome is about.
type Listed struct {
	List     string   `json:"list"`
	Names    int      `json:"names"` // rules for names, each with what it matches; or names of exceptions, if it is only about such
	Networks int      `json:"networks"`
	First    []string `json:"first"` // up to three of them, in the order of their sources; "*.tiktok.com" is only what lies below
}
