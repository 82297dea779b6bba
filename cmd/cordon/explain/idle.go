package explain

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"cordon/config"
	"cordon/resolver/policy"
)

// This file tells of the exceptions of a client that a compiled policy has no trace of, because they can't lift a ban: those in a file of
// an owner for whom the ban is binding, and those that were revoked before they began.

// tellIdle adds them to each policy that they would lift.
func (e *Explained) tellIdle(in *Policy, asker *policy.Asker, client netip.Addr) {
	set := in.Set
	policies := make(map[string]*config.Policy)
	for _, p := range set.Policies {
		policies[p.Name] = p
	}
	for _, x := range set.Exceptions {
		has := slices.ContainsFunc(asker.Exceptions(), func(of *policy.Exception) bool { return of.Name == x.Name })
		if !has && !(x.NeverBegan() && isFor(x, &e.Agency, client)) {
			continue
		}
		for p := range e.policiesInForce() {
			if why := whyIdle(set, x, policies[p.Name]); why != "" {
				p.Exceptions = append(p.Exceptions, considered{exceptionFacts: factsOfException(in.Compiled(x)), Effect: why})
			}
		}
	}
}

// policiesInForce are those in force for the agency, of each match.
func (e *Explained) policiesInForce() iter.Seq[*weighed] {
	return func(yield func(*weighed) bool) {
		for i := range e.Matches {
			for j := range e.Matches[i].Policies {
				if p := &e.Matches[i].Policies[j]; p.inForce() && !yield(p) {
					return
				}
			}
		}
	}
}

// whyIdle says why x does not lift p although it is for p, "" if it is not such an exception.
func whyIdle(set *config.PolicySet, x *config.Exception, p *config.Policy) string {
	owner, lifts := set.Owner(x.Pos.File), set.Lifts(x)
	switch {
	case len(x.Policies) == 0 && p.Binds(owner):
		return fmt.Sprintf("does not lift it: %s is binding%s, and exceptions_by does not name %s",
			p.Name, placeText(p.At("binding").String()), owner)
	case x.NeverBegan() && (lifts == nil || slices.Contains(lifts, p.Name)):
		return "does not lift it: it was revoked before it began"
	default:
		return ""
	}
}

// isFor says whether x is for a client of agency.
func isFor(x *config.Exception, agency *agencyFacts, client netip.Addr) bool {
	above := func(up ancestor) bool { return up.Name == x.Agency }
	holds := func(network netip.Prefix) bool { return network.Contains(client.Unmap().WithZone("")) }
	return (x.Agency == agency.Name || x.Descendants && slices.ContainsFunc(agency.Above, above)) &&
		(len(x.Clients) == 0 || slices.ContainsFunc(x.Clients, holds))
}
