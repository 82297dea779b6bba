package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// What an owned file may say. Its owner is an agency of a main file, and somebody who can write the file is nobody to trust: he must not
// weaken a binding policy, reach clients that are not the owner's, make the server read or connect to what he likes, nor put others
// at fault.
//
//	include, own_zones, max_exception    nothing: main files only
//	lists         names: builtin: and file: below the directory of the file; they are for its own policies
//	policies      not binding, exceptions_by; only the owner and agencies below it can have them
//	agencies      the owner: more policies, and what main files leave out; others, whose parent is the owner, an agency of a main file
//	              below it, or one of the owner's own. Their networks lie in those of the nearest agency of a main file above them: a
//	              client that came to another would leave that one's policies and mode, and have the other's exceptions
//	modes         not observe or off where a binding policy is weakened by it
//	exceptions    for the owner or an agency below it; not from binding policies, unless exceptions_by names the owner
//
// A name or a network that two files claim is that of the main file, or of the one that is included first.

// The most that an owned file may have: what is counted, and what is in memory, grows with agencies times policies, and with exceptions
// times networks.
const (
	maxOwnedAgencies   = 256
	maxOwnedPolicies   = 32
	maxOwnedLists      = 32
	maxOwnedExceptions = 1024
	maxOwnedNetworks   = 4096 // those of agencies, and the clients of exceptions
)

// tooMuch finds that an owned file has more than it may. Then nothing of it is looked at any further.
func (f *policyFile) tooMuch() (faults Faults) {
	networks, clients := 0, 0
	for i := range f.Agencies {
		networks += len(f.Agencies[i].Networks) + len(f.Agencies[i].Forwarders)
	}
	for i := range f.Exceptions {
		clients += len(f.Exceptions[i].Clients)
	}
	for _, one := range []struct {
		key, what   string
		count, most int
	}{
		{"lists", "", len(f.Lists), maxOwnedLists},
		{"policies", "", len(f.Policies), maxOwnedPolicies},
		{"agencies", "", len(f.Agencies), maxOwnedAgencies},
		{"agencies", " networks in all", networks, maxOwnedNetworks},
		{"exceptions", "", len(f.Exceptions), maxOwnedExceptions},
		{"exceptions", " clients in all", clients, maxOwnedNetworks},
	} {
		if one.count > one.most {
			faults = append(faults, faultAt(f.At(one.key), "%s: found %d%s, want %d at most in the file of one agency", one.key, one.count,
				one.what, one.most))
		}
	}
	return faults
}

// includes finds includes that can't be obeyed.
func (c *checker) includes() {
	c.included, c.ownerless = make(map[string]*Include), make(map[string]bool)
	owners := namesIn(c.mainAgencies())
	for _, doc := range c.set.docs {
		for i := range doc.Include {
			if one := &doc.Include[i]; one.File != "" && c.owner(doc.Pos) == "" {
				c.include(one)
				c.ownerOf(one, owners)
			}
		}
	}
}

func (c *checker) include(i *Include) {
	at, shown := i.At("file"), quote(i.File)
	first, twice := c.included[i.File]
	switch {
	case !i.inside():
		c.fault(at, nil, "file: %s is not in the policy directory: want a path from there on, such as agencies/defence.yaml", shown)
	case i.beside():
		c.fault(at, nil, "file: %s lies directly in the policy directory, where every file is a main file: want a subdirectory of its "+
			"own, such as agencies/defence.yaml", shown)
	case twice:
		c.fault(at, []Pos{first.Pos}, "file: %s is included twice, first at %s", shown, first.Pos)
	default:
		c.included[i.File] = i
	}
}

// ownerOf finds an owner that is none. That is a fault of the file that says so, whichever lacks the agency: to hold others for it would
// not help them.
func (c *checker) ownerOf(i *Include, owners names) {
	if i.Owner == "" || owners.has(i.Owner) {
		return
	}
	if c.set.Owner(i.File) == i.Owner {
		c.ownerless[i.File] = true
	}
	if !c.set.lost {
		c.fault(i.At("owner"), nil, "%s", c.unknown("owner", "agency of a main file", i.Owner, owners))
	}
}

// spareOwnerless takes back what was found in files whose owner is none: whose they are is what has to be mended first.
func (c *checker) spareOwnerless() {
	c.faults = slices.DeleteFunc(c.faults, func(f Fault) bool { return c.ownerless[f.File] })
}

// whose says for a message whose a file is: this is a file of the agency "defence" (policy/main.yaml:3).
func (c *checker) whose(path string) string {
	text := fmt.Sprintf("this is a file of the agency %q", c.set.Owner(path))
	if at, ok := c.included[path]; ok {
		text += fmt.Sprintf(" (%s)", at.Pos)
	}
	return text
}

// delegation finds what owned files say and may not.
func (c *checker) delegation() {
	for _, doc := range c.set.docs {
		c.mainOnly(&doc.Place, "include", "own_zones", "max_exception")
	}
	for _, l := range c.set.strays {
		c.stray(l)
	}
	for _, p := range c.set.Policies {
		c.mainOnly(&p.Place, "binding", "exceptions_by")
		c.listsOf(p)
	}
	for _, more := range c.set.additions {
		c.addition(more)
	}
	for _, a := range c.set.usurpers {
		c.fault(a.At("name"), nil, "name: %q is for the clients of no agency: only a main file may speak of it, and %s", a.Name,
			c.whose(a.Pos.File))
	}
	whole := !c.set.lost && !c.agencyFaulty()
	for _, a := range c.set.Agencies {
		c.placeInTree(a)
		c.policiesOf(a)
		if whole { // else a network may be missing
			c.grants(a)
		}
	}
	c.standAlone()
	c.modes()
	for _, e := range c.set.Exceptions {
		c.ownedException(e)
	}
}

// mainOnly finds keys of an object in an owned file that only a main file may have.
func (c *checker) mainOnly(place *Place, keys ...string) {
	for _, key := range keys {
		if place.Has(key) && c.owner(place.Pos) != "" {
			c.fault(place.At(key), nil, "%s: only a main file may say that, and %s", key, c.whose(place.Pos.File))
		}
	}
}

// strays says whether l would make the server read or connect to what the owner of its file likes.
func (l *List) strays() bool {
	if l.Within == "" {
		return false
	}
	kind, path := l.Kind()
	return l.Remote() || l.Has("token_file") || l.Has("ca_file") || l.Has("tsig_file") || kind == OnDisk && !staysBelow(path)
}

// staysBelow says whether a path leads to a file below the directory that it begins in, links aside.
func staysBelow(path string) bool {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	return filepath.IsLocal(path) && !strings.HasPrefix(path, "/") && !slices.Contains(steps, "..")
}

// stray finds what is wrong with the source of a list that an owned file may not have. That it has no use for a key was found before.
func (c *checker) stray(l *List) {
	kind, path := l.Kind()
	switch {
	case l.Remote():
		c.fault(l.At("source"), nil, "source: only a main file may have a list from elsewhere, since the server connects to it, and %s: "+
			"want the list in a main file; its name can be used here", c.whose(l.Pos.File))
	case kind == OnDisk && !staysBelow(path):
		c.fault(l.At("source"), nil, "source: found %s, want a file in the directory of this one, such as file:lists/extra.txt, since %s",
			quote(l.Source), c.whose(l.Pos.File))
	}
}

// listsOf finds policies with lists of somebody else, who could change what they ban.
func (c *checker) listsOf(p *Policy) {
	for i, name := range p.Lists {
		l := c.lists[name]
		if l == nil {
			continue
		}
		if owner := c.owner(l.Pos); owner != "" && owner != c.owner(p.Pos) {
			c.fault(p.AtElement("lists", i), []Pos{l.Pos}, "lists: the list %q is in a file of the agency %q (%s), for the policies "+
				"there alone: want a list of a main file", name, owner, l.Pos)
		}
	}
}

// addition finds what an owner may not say of itself.
func (c *checker) addition(more *Agency) {
	if more.Has("parent") {
		c.fault(more.At("parent"), nil, "parent: only a main file says what the agency %q is below, and %s", more.Name,
			c.whose(more.Pos.File))
	}
	a := c.agencies[more.Name]
	if a == nil {
		return // the include has the fault
	}
	for _, key := range []string{"mode", "language", "contact", "forwarders"} {
		if said := a.At(key); more.Has(key) && said.File != more.Pos.File {
			c.fault(more.At(key), []Pos{said}, "%s: it is said already at %s, and this file can only add what is left out there", key, said)
		}
	}
}

// placeInTree finds agencies that are not below the owner of their file, and those that somebody else could move, or has an exception for.
func (c *checker) placeInTree(a *Agency) {
	owner, parent := c.owner(a.Pos), c.agencies[a.Parent]
	switch {
	case parent != nil && c.owner(parent.Pos) != "" && c.owner(parent.Pos) != owner:
		c.fault(a.At("parent"), []Pos{parent.Pos}, "parent: the agency %q is in a file of the agency %q (%s), for the agencies there "+
			"alone: want one of a main file", a.Parent, c.owner(parent.Pos), parent.Pos)
	case owner == "":
	case a.Parent == "" && !a.faulty:
		c.fault(a.Pos, nil, "agency %q has no parent: want parent: %s, or an agency below that, since %s", a.Name, owner,
			c.whose(a.Pos.File))
	case parent != nil && !c.below(parent, owner):
		c.fault(a.At("parent"), positions(c.lineage(parent)), "parent: %q is not %q or an agency below it, and %s", a.Parent, owner,
			c.whose(a.Pos.File))
	}
}

// below says whether a is the agency of that name, or stands below it. Where agencies are missing, it may.
func (c *checker) below(a *Agency, name string) bool {
	return c.set.lost || slices.ContainsFunc(c.lineage(a), func(up *Agency) bool { return up.Name == name })
}

// policiesOf finds agencies that have a policy of an owner they don't belong to.
func (c *checker) policiesOf(a *Agency) {
	for i, name := range a.Policies {
		p := c.policies[name]
		if p == nil {
			continue
		}
		if owner := c.owner(p.Pos); owner != "" && !c.below(a, owner) {
			c.fault(a.AtElement("policies", i), []Pos{p.Pos}, "policies: %q is in a file of the agency %q (%s), and %q is not below that",
				name, owner, p.Pos, a.Name)
		}
	}
}

// grants finds networks in an owned file that main files have not given to the nearest agency of theirs above.
func (c *checker) grants(a *Agency) {
	line := c.lineage(a)
	at := slices.IndexFunc(line, func(up *Agency) bool { return c.owner(up.Pos) == "" })
	if at < 0 {
		return // it has a fault already, by its parent
	}
	above := line[at]
	for i, p := range a.Networks {
		at := network{a, i}.pos()
		if c.owner(at) == "" {
			continue
		}
		switch around, found := c.granted.around(p, p.Bits()); {
		case !found:
			c.missing(at, "networks: %s is in no network that a main file gives to the agency %q, and %s", p, above.Name, c.whose(at.File))
		case around.agency != above:
			c.fault(at, []Pos{around.pos()}, "networks: %s belongs to the agency %q (%s): want one in a network that a main file gives "+
				"to the agency %q, since %s", p, around.agency.Name, around.pos(), above.Name, c.whose(at.File))
		}
	}
}

// modes finds modes of owned files that weaken a binding policy, of the agency itself or of one below it that has its mode.
func (c *checker) modes() {
	told := make(map[*Agency]bool)
	for _, a := range c.set.Agencies {
		line := c.lineage(a)
		at := slices.IndexFunc(line, func(up *Agency) bool { return up.Mode != "" })
		if at < 0 || told[line[at]] || line[at].Mode == "enforce" {
			continue
		}
		from := line[at]
		owner := c.owner(from.At("mode"))
		for _, p := range c.set.Policies {
			if !told[from] && p.Binds(owner) && c.has(a, p) {
				told[from] = true
				c.fault(from.At("mode"), []Pos{p.Pos}, "mode: %s for the agency %q: %s, which it has, is binding (%s): only a main "+
					"file or an owner in exceptions_by may weaken it", from.Mode, a.Name, p.Name, p.Pos)
			}
		}
	}
}

// has says whether an agency has a policy: among its own or its ancestors', or, if it has none of those, because it has every ban. nil is
// the default agency unwritten.
func (c *checker) has(a *Agency, p *Policy) bool {
	var line []*Agency
	if a != nil {
		line = c.lineage(a)
	}
	every := true
	for _, up := range line {
		if slices.Contains(up.Policies, p.Name) {
			return true
		}
		every = every && len(up.Policies) == 0
	}
	owner := c.owner(p.Pos)
	return every && p.ban() && (owner == "" || slices.ContainsFunc(line, func(up *Agency) bool { return up.Name == owner }))
}

// ownedException finds what an exception in an owned file may not lift, and for whom it may not be.
func (c *checker) ownedException(e *Exception) {
	owner, agency := c.owner(e.Pos), c.agencies[e.Agency]
	switch {
	case owner == "":
		return
	case agency == nil && e.Agency == DefaultAgency:
		c.fault(e.At("agency"), nil, "agency: %q is not %q or an agency below it, and %s", e.Agency, owner, c.whose(e.Pos.File))
	case agency != nil && !c.below(agency, owner):
		c.fault(e.At("agency"), []Pos{agency.Pos}, "agency: %q (%s) is not %q or an agency below it, and %s", e.Agency, agency.Pos, owner,
			c.whose(e.Pos.File))
	}
	for i, name := range e.Policies {
		if p := c.policies[name]; p != nil && p.Binds(owner) {
			c.bound(e.AtElement("policies", i), p)
		}
	}
	if len(e.Policies) == 0 {
		c.nothingToLift(e, owner, agency)
	}
}

func (c *checker) bound(at Pos, p *Policy) {
	c.fault(at, []Pos{p.Pos}, "exceptions: %s is binding (%s): only a main file or an owner in exceptions_by may except it", p.Name, p.Pos)
}

// nothingToLift finds an exception that names no policies, and all that it would lift are binding. If only some are, it warns.
func (c *checker) nothingToLift(e *Exception, owner string, agency *Agency) {
	lifts := c.set.Lifts(e)
	if agency == nil || lifts == nil {
		return
	}
	binding, free := c.firstToLift(e, owner, agency, len(lifts) > 0)
	if all := c.set.Policies; binding == nil && len(lifts) == 0 && len(all) > 0 {
		binding = all[0] // whatever it is meant to lift
	}
	switch {
	case binding == nil:
	case free == nil:
		c.bound(e.Pos, binding)
	case !over(e.End(), c.options.Now):
		c.warning(e.Pos, "exception %q does not lift %s, which is binding (%s): only a main file or an owner in exceptions_by may "+
			"except it", e.Name, binding.Name, binding.Pos)
	}
}

// firstToLift are the first policies that an exception without policies would lift: one that is binding for its owner, and one that is
// not; nil for none. They are those that have one of its lists, if it names some, and, if had, that its agency has or, where it is for
// them, one of those below.
func (c *checker) firstToLift(e *Exception, owner string, agency *Agency, had bool) (binding, free *Policy) {
	reach := c.reach(e, agency)
	for _, p := range c.set.Policies {
		switch {
		case binding != nil && free != nil:
			return binding, free
		case len(e.Lists) > 0 && !slices.ContainsFunc(e.Lists, func(l string) bool { return slices.Contains(p.Lists, l) }):
		case had && !slices.ContainsFunc(reach, func(a *Agency) bool { return c.has(a, p) }):
		case p.Binds(owner):
			binding = cmp.Or(binding, p)
		default:
			free = cmp.Or(free, p)
		}
	}
	return binding, free
}

// reach are the agencies that an exception for a can be for.
func (c *checker) reach(e *Exception, a *Agency) []*Agency {
	all := []*Agency{a}
	if !e.Descendants && len(e.Clients) == 0 || a == nil {
		return all
	}
	seen := map[*Agency]bool{a: true}
	for at := 0; at < len(all); at++ {
		for _, child := range c.children[all[at].Name] {
			if !seen[child] {
				seen[child] = true
				all = append(all, child)
			}
		}
	}
	return all
}
