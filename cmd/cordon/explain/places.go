package explain

import (
	"net/netip"
	"slices"

	"cordon/config"
)

// place adds to e where in the policy files of set stands what a compiled policy no longer knows the place of.
func (e *Explained) place(set *config.PolicySet) {
	line := lineOf(set, e.Agency.Name)
	e.Agency.place(line)
	for i := range e.Matches {
		m := &e.Matches[i]
		m.place(set.Lists)
		for j := range m.Policies {
			m.Policies[j].place(line)
		}
		if e.Rule != nil && e.Rule.List == m.List && e.Rule.line == m.line {
			e.Rule.Source, e.Rule.ListSource = m.rule.Source, m.ListSource
		}
	}
}

// lineOf is the agency called name and those above it; none if nobody wrote it.
func lineOf(set *config.PolicySet, name string) []*config.Agency {
	var line []*config.Agency
	for name != "" && len(line) <= len(set.Agencies) {
		i := slices.IndexFunc(set.Agencies, func(a *config.Agency) bool { return a.Name == name })
		if i < 0 {
			break
		}
		line = append(line, set.Agencies[i])
		name = set.Agencies[i].Parent
	}
	return line
}

// place adds the places of what the agency at the beginning of line has, by itself or from those above it.
func (a *agencyFacts) place(line []*config.Agency) {
	for i, up := range line {
		if i > 0 {
			a.Above = append(a.Above, ancestor{Name: up.Name, Source: up.Pos.String()})
		}
		if a.ModeSource == "" && up.Has("mode") {
			a.ModeSource = up.At("mode").String()
		}
	}
	if len(line) == 0 {
		return
	}
	for i, network := range line[0].Networks {
		if p, err := netip.ParsePrefix(a.Network); err == nil && p == network {
			a.NetworkSource = line[0].AtElement("networks", i).String()
		}
	}
}

// place adds the nearest agency of line that has p. An agency that has every ban, and policies of an owned file beside them, has p without
// anybody naming it.
func (p *weighed) place(line []*config.Agency) {
	for _, a := range line {
		i := slices.Index(a.Policies, p.Name)
		if i < 0 {
			continue
		}
		if p.AgencySource = a.AtElement("policies", i).String(); a.HasElement("policies", i) {
			p.Through = a.Name
		}
		return
	}
}

// place adds where the list of r is declared. The rules of a list that stands in the policy file itself have their place there.
func (r *rule) place(lists []*config.List) {
	for _, declared := range lists {
		if declared.Name != r.List {
			continue
		}
		r.ListSource = declared.Pos.String()
		if r.Source == "" {
			r.Source = declared.AtElement("names", r.line-1).String()
		}
	}
}
