package config

import (
	"maps"
	"slices"
)

// This file makes one policy of main and owned files. What an owned file may not say is found by Check, see delegate.go; what is here
// would be right even if it were not, because a set is looked at before it is checked.

// merge adds what owned files say of their owners to what main files say of them.
func (s *PolicySet) merge() {
	main := make(map[string]*Agency)
	chosen := make(map[string]bool) // agencies that have policies in a main file
	for _, a := range s.Agencies {
		if s.Owner(a.Pos.File) != "" {
			continue
		}
		if main[a.Name] == nil {
			main[a.Name] = a
		}
		chosen[a.Name] = chosen[a.Name] || len(a.Policies) > 0
	}
	for _, more := range s.additions {
		if a := main[more.Name]; a != nil {
			a.extend(more)
		}
	}
	s.keepBans(chosen)
	s.noteLifts()
}

// extend adds what more says to a, which goes before it.
func (a *Agency) extend(more *Agency) {
	a.faulty = a.faulty || more.faulty
	a.Networks = extended(&a.Place, &more.Place, "networks", a.Networks, more.Networks)
	a.Policies = extended(&a.Place, &more.Place, "policies", a.Policies, more.Policies)
	if lends(more, a, "forwarders") {
		a.Forwarders = extended(&a.Place, &more.Place, "forwarders", nil, more.Forwarders)
	}
	for _, one := range []struct {
		key      string
		to, from *string
	}{
		{"mode", &a.Mode, &more.Mode},
		{"language", &a.Language, &more.Language},
		{"contact", &a.Contact, &more.Contact},
	} {
		if lends(more, a, one.key) {
			*one.to = *one.from
			a.set(one.key, whole, more.At(one.key))
		}
	}
}

// lends says whether more has a key that a does not.
func lends(more, a *Agency, key string) bool { return more.Has(key) && !a.Has(key) }

// extended is all with those of more that it lacks, which keep their places.
func extended[T comparable](to, from *Place, key string, all, more []T) []T {
	has := make(map[T]bool, len(all))
	for _, one := range all {
		has[one] = true
	}
	if !to.Has(key) && from.Has(key) {
		to.set(key, whole, from.At(key))
	}
	for i, one := range more {
		if !has[one] {
			to.set(key, len(all), from.AtElement(key, i))
			all = append(all, one)
		}
	}
	return all
}

// keepBans writes out that an owner has every ban, where main files give its line no policies, and an owned file adds some to it or to
// an agency below it: an agency that has policies has no others, and so adding one would take away all the rest. chosen are the agencies
// that have policies in a main file.
func (s *PolicySet) keepBans(chosen map[string]bool) {
	agencies := make(map[string]*Agency)
	for _, a := range s.Agencies {
		if agencies[a.Name] == nil {
			agencies[a.Name] = a
		}
	}
	anyOf := func(set map[string]bool, line []string) bool {
		return slices.ContainsFunc(line, func(name string) bool { return set[name] })
	}
	adding := make(map[string]bool) // owners that have every ban, with an owned file that adds some
	for _, a := range s.Agencies {
		if len(a.Policies) > 0 && !anyOf(chosen, namesAbove(agencies, a.Name)) {
			adding[s.Owner(a.AtElement("policies", 0).File)] = true
		}
	}
	for _, owner := range s.ownersOfFiles() {
		if line := namesAbove(agencies, owner); agencies[owner] != nil && !anyOf(chosen, line) && anyOf(adding, line) {
			s.giveAll(agencies[owner], line)
		}
	}
}

// giveAll gives an agency every ban that it can have: those of main files, and of the files of an agency in its line.
func (s *PolicySet) giveAll(a *Agency, line []string) {
	for _, p := range s.Policies {
		within := s.Owner(p.Pos.File)
		if p.ban() && (within == "" || slices.Contains(line, within)) && !slices.Contains(a.Policies, p.Name) {
			a.Policies = append(a.Policies, p.Name)
		}
	}
}

// ban says whether p is a ban, and no recommendation.
func (p *Policy) ban() bool { return p.Strength != "recommendation" }

// namesAbove are those of an agency and the ones above it. It bears circles, and lines that are too long.
func namesAbove(agencies map[string]*Agency, name string) []string {
	line := []string{name}
	for len(line) <= maxDepth {
		a := agencies[line[len(line)-1]]
		if a == nil || a.Parent == "" || slices.Contains(line, a.Parent) {
			break
		}
		line = append(line, a.Parent)
	}
	return line
}

// ownersOfFiles are the agencies that have a file, each once.
func (s *PolicySet) ownersOfFiles() []string {
	found := make(map[string]bool)
	for i := range s.Files {
		if owner := s.Files[i].Owner; owner != "" {
			found[owner] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Binds says whether p may not be weakened by the files of owner. No policy binds a main file, whose owner is "".
func (p *Policy) Binds(owner string) bool {
	return owner != "" && p.Binding && !slices.Contains(p.ExceptionsBy, owner)
}

// noteLifts finds out once for each owner what exceptions in its files lift that name no policies.
func (s *PolicySet) noteLifts() {
	s.lifts = make(map[string][]string)
	for _, owner := range s.ownersOfFiles() {
		names := make([]string, 0, len(s.Policies))
		bound := false
		for _, p := range s.Policies {
			if p.Binds(owner) {
				bound = true
				continue
			}
			names = append(names, p.Name)
		}
		if bound {
			s.lifts[owner] = names
		}
	}
}

// Lifts are the names of the policies that e lifts; nil for whatever policy. An exception in an owned file that names none lifts those
// that may be lifted there. The slice is shared and read-only.
func (s *PolicySet) Lifts(e *Exception) []string {
	if len(e.Policies) > 0 {
		return e.Policies
	}
	return s.lifts[s.Owner(e.Pos.File)]
}
