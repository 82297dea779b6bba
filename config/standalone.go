package config

// standAlone finds what main files name of owned ones. An owned file may be left out at any time, because of a fault in it, and that must
// put nobody else at fault: what main files name is in main files. See also listsOf and placeInTree.
func (c *checker) standAlone() {
	for _, a := range c.set.Agencies {
		needs(c, &a.Place, "policies", "policy", a.Policies, c.policies, func(p *Policy) Pos { return p.Pos })
	}
	for _, e := range c.set.Exceptions {
		needs(c, &e.Place, "agency", "agency", given(e.Agency), c.agencies, func(a *Agency) Pos { return a.Pos })
		needs(c, &e.Place, "policies", "policy", e.Policies, c.policies, func(p *Policy) Pos { return p.Pos })
		needs(c, &e.Place, "lists", "list", e.Lists, c.lists, func(l *List) Pos { return l.Pos })
	}
}

// needs finds names in a main file of objects that an owned file has. What owned files have added to the list of names has no place in the
// main file.
func needs[T any](c *checker, p *Place, key, what string, words []string, objects map[string]T, of func(T) Pos) {
	for i, word := range words {
		object, there := objects[word]
		if !there || c.owner(of(object)) == "" {
			continue
		}
		element := i
		if key == "agency" {
			element = whole // it is one name
		}
		if at, written := p.fields[place{key, element}]; written && c.owner(at) == "" {
			pos := of(object)
			c.fault(at, []Pos{pos}, "%s: the %s %q is in a file of the agency %q (%s), which may be left out when it has a fault: want "+
				"one of a main file", key, what, word, c.owner(pos), pos)
		}
	}
}
