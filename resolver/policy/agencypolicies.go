package policy

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
