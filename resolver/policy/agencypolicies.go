package policy

import "slices"

// PoliciesOf returns the policies that the clients of a, which is of this snapshot, have: those of its [Asker]s, in the order of the
// files. It is nil if no client can belong to a.
func (s *Snapshot) PoliciesOf(a *Agency) []*Policy {
	for _, asker := range s.askers {
		if asker.agency == a {
			return asker.policies
		}
	}
	return nil
}

// PoliciesByAgency returns what PoliciesOf does for every agency of s, by [Agency.Index], in one pass.
func (s *Snapshot) PoliciesByAgency() [][]*Policy {
	all := make([][]*Policy, len(s.agencies))
	for _, asker := range slices.Backward(s.askers) { // the first of an agency's counts
		all[asker.agency.Index] = asker.policies
	}
	return all
}
