package policy

import (
	"fmt"
)

// addAgencies makes the tree of agencies, with "default" in it, and resolves what they inherit.
func (b *builder) addAgencies(c Config) error {
	b.agencyNames = newIndex("agency")
	for i, a := range c.Agencies {
		if err := b.agencyNames.add(a.Name, i); err != nil {
			return err
		}
		if a.Mode > Off {
			return fmt.Errorf("agency %q: found mode %d, want one of enforce, observe and off", a.Name, a.Mode)
		}
		a.Index = i
		b.agencies = append(b.agencies, &a)
	}
	if _, err := b.agencyNames.find(DefaultAgency); err != nil {
		stranger := &Agency{Name: DefaultAgency, Index: len(b.agencies)}
		b.agencies = append(b.agencies, stranger)
		b.agencyNames.places[DefaultAgency] = stranger.Index
	}
	return b.addParents()
}

func (b *builder) addParents() error {
	for _, a := range b.agencies {
		if a.Parent == "" {
			continue
		}
		parent, err := b.agencyNames.find(a.Parent)
		if err != nil {
			return fmt.Errorf("parent of agency %q: %w", a.Name, err)
		}
		a.parent = b.agencies[parent]
	}
	for _, a := range b.agencies {
		if err := b.checkLine(a); err != nil {
			return err
		}
	}
	for _, a := range b.agencies {
		a.Mode = a.mode()
		a.Language = a.nearest(func(up *Agency) string { return up.Language })
		a.Contact = a.nearest(func(up *Agency) string { return up.Contact })
	}
	return b.addOwners()
}

// addOwners finds the agencies that policies are within.
func (b *builder) addOwners() error {
	for _, p := range b.policies {
		if p.Within == "" {
			continue
		}
		place, err := b.agencyNames.find(p.Within)
		if err != nil {
			return fmt.Errorf("policy %q is within an agency: %w", p.Name, err)
		}
		p.owner = b.agencies[place]
	}
	return nil
}

// checkLine follows the parents of a for as many steps as there are agencies: more is a cycle.
func (b *builder) checkLine(a *Agency) error {
	steps := 0
	for up := a.parent; up != nil; up = up.parent {
		if steps++; steps > len(b.agencies) {
			return fmt.Errorf("agency %q: its parents lead in a circle, want a line that ends", a.Name)
		}
	}
	return nil
}

// mode returns the mode that a has written or inherits.
func (a *Agency) mode() AgencyMode {
	for up := a; up != nil; up = up.parent {
		if up.Mode != Inherit {
			return up.Mode
		}
	}
	return Enforce
}

// nearest returns what a has written or inherits, "" for nothing. what reads one field of an agency.
func (a *Agency) nearest(what func(*Agency) string) string {
	for up := a; up != nil; up = up.parent {
		if text := what(up); text != "" {
			return text
		}
	}
	return ""
}

// canHave says whether a is an agency that p is for.
func (a *Agency) canHave(p *Policy) bool { return p.owner == nil || a.within(p.owner) }

// within says whether a is ancestor or below it.
func (a *Agency) within(ancestor *Agency) bool {
	for up := a; up != nil; up = up.parent {
		if up == ancestor {
			return true
		}
	}
	return false
}

// agencyPolicies returns the policies of a and of its ancestors in the order of the files; every ban that a can have if nobody in
// that line has any.
func (b *builder) agencyPolicies(a *Agency) ([]*Policy, error) {
	var line []string
	for up := a; up != nil; up = up.parent {
		line = append(line, up.Policies...)
	}
	chosen, err := b.policyNames.choose(line)
	if err != nil {
		return nil, fmt.Errorf("agency %q: %w", a.Name, err)
	}
	var policies []*Policy
	for _, p := range b.policies {
		switch {
		case len(line) == 0 && !p.Recommendation && a.canHave(p):
		case len(line) == 0 || !chosen.has(p.Index):
			continue
		case !a.canHave(p):
			return nil, fmt.Errorf("agency %q: found policy %q, which is within %q, want one that is not or an agency below that",
				a.Name, p.Name, p.Within)
		}
		policies = append(policies, p)
	}
	return policies, nil
}
