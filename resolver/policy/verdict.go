package policy

import (
	"net/netip"
	"time"

	"cordon/blocklists"
)

// Services is how many values Verdict.Service can have: it is less.
const Services = blocklists.Services

// Service is the service that a rule is about; its String is "other" for 0.
type Service = blocklists.Service

// Action is what is to be done with a query.
type Action uint8

// The actions.
const (
	Pass    Action = iota // no policy stands, and none was lifted
	Refuse                // a ban stands
	Observe               // to be let pass and counted: a recommendation stands, or a ban in an agency that only observes
	Except                // to be let pass and counted: an exception lifted what else would stand
)

// String returns pass, refuse, observe or except.
func (a Action) String() string { return word(a, "pass", "refuse", "observe", "except") }

// Verdict is what policy says of one query, with its reason: log line, metrics, answer and explanation all come from it.
// Its zero value is no verdict of anybody's. It holds a view of the caller's name, and dies with that.
type Verdict struct {
	Action        Action
	Listed        bool // a rule of any loaded list matched the name or something in the answer, whatever came of it
	InAnswer      bool // the reason is in the answer, not in the question
	HasExceptions bool // Listed, and the asker has an exception that is not over: it may be allowed names below a refused one
	CDN           bool // the rule matched by the form <listed name>.<shared CDN suffix>
	Exact         bool // the rule is for this one name, not for those below

	Service Service // that the rule is about; 0 for Pass, and unless its list is one from the binary

	Agency    *Agency    // whose client asks; never nil
	Policy    *Policy    // the reason; nil exactly for Pass
	Exception *Exception // what lifted Policy; nil unless Except
	List      string     // name of the list whose rule matched; "" for Pass
	ListIndex int        // place of that list in Config.Lists: a stable number for metrics; 0 for Pass
	Line      int        // line of that rule in its list, from 1; 0 for Pass

	Name  []byte     // what was judged, canonical: the question, or with InAnswer the name in the answer, nil for an address
	Start int        // octet of Name where the matched suffix begins
	Addr  netip.Addr // the address in the answer that matched; not valid if a name did

	Boundary time.Time // the next from or until of a policy or exception that bears on this verdict; zero: none
}

// Rule returns the suffix of the name that a rule matched, in wire form: a view of Name; nil for Pass and for an address.
func (v *Verdict) Rule() []byte {
	if v.Policy == nil || v.Name == nil {
		return nil
	}
	return v.Name[v.Start:]
}

// Bearing is how one policy bears on one match.
type Bearing uint8

// The bearings. The three last have no part in the verdict.
const (
	Stands          Bearing = iota // in force and not lifted
	Lifted                         // in force and lifted by an exception
	BeforeItsTime                  // not yet in force
	AfterItsTime                   // over
	OfAnotherAgency                // the asker doesn't have this policy
)

// String returns the bearing in words.
func (b Bearing) String() string {
	return word(b, "stands", "lifted", "not yet in force", "over", "of another agency")
}

// weight orders what policies say: the heaviest makes the verdict. All that bans say comes before anything that
// recommendations say.
type weight uint8

const (
	weightless weight = iota
	adviceLifted
	adviceStands
	banLifted
	banStands
)

func weightOf(p *Policy, b Bearing) weight {
	switch {
	case b == Stands && p.Recommendation:
		return adviceStands
	case b == Stands:
		return banStands
	case b == Lifted && p.Recommendation:
		return adviceLifted
	case b == Lifted:
		return banLifted
	default:
		return weightless
	}
}

// weight returns the weight of what v says.
func (v *Verdict) weight() weight {
	switch v.Action {
	case Refuse, Observe:
		return weightOf(v.Policy, Stands)
	case Except:
		return weightOf(v.Policy, Lifted)
	default:
		return weightless
	}
}

// outweighed says whether b of p is a heavier reason than that of v: of two as heavy, the policy that was written first.
func (v *Verdict) outweighed(p *Policy, b Bearing) bool {
	mine, other := v.weight(), weightOf(p, b)
	return other > mine || other == mine && other != weightless && p.Index < v.Policy.Index
}
