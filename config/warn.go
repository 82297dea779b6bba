package config

import (
	"slices"
	"time"
)

// warn finds what can be used but is probably not meant.
func (c *checker) warn() {
	c.unusedLists()
	c.noteForwarders()
	held := c.held()
	for _, p := range c.set.Policies {
		c.warnPolicy(p)
		if !c.set.lost && !held(p) {
			c.warning(p.Pos, "no agency has the policy %q: it refuses nothing", p.Name)
		}
	}
	for _, a := range c.set.Agencies {
		c.warnAgency(a)
	}
	for _, e := range c.set.Exceptions {
		if !e.faulty {
			c.warnException(e)
			c.warnNoEffect(e)
		}
	}
}

func (c *checker) warning(at Pos, format string, args ...any) {
	c.faults = append(c.faults, warningAt(at, format, args...))
}

func (c *checker) unusedLists() {
	if c.set.lost {
		return
	}
	used := make(map[string]bool)
	for _, p := range c.set.Policies {
		for _, name := range p.Lists {
			used[name] = true
		}
	}
	for _, l := range c.set.Lists {
		if !used[l.Name] {
			c.warning(l.Pos, "no policy has the list %q: it refuses nothing", l.Name)
		}
	}
}

func (c *checker) warnPolicy(p *Policy) {
	if p.Answer == "refused" {
		c.warning(p.At("answer"), "answer: REFUSED sends clients (glibc, systemd-resolved, Android, Chrome) to their next server, "+
			"makes musl wait for 5 s, and makes Android and Apple devices avoid this server: nxdomain has none of that")
	}
	now := c.options.Now
	if over(p.Until, now) {
		c.warning(p.At("until"), "policy %q has been over since %s: it refuses nothing", p.Name, shown(p.Until))
		return
	}
	c.warnEnd(p.At("until"), "policy", p.Name, p.Until)
	switch {
	case p.Review.IsZero() || now.Before(p.Review.Add(-dueAhead)):
	case now.Before(p.Review):
		c.warning(p.At("review"), "policy %q is due for review on %s", p.Name, p.Review.Format(time.DateOnly))
	default:
		c.warning(p.At("review"), "policy %q was due for review on %s", p.Name, p.Review.Format(time.DateOnly))
	}
}

// held says of a policy whether there is an agency that has it: by its name, or because it has every ban that it can have, as one does
// without any policy of its own or its ancestors', and the default agency if it is not written.
func (c *checker) held() func(*Policy) bool {
	named := make(map[string]bool)
	_, written := c.agencies[DefaultAgency]
	all := map[string]bool{"": !written} // whose bans such an agency has: those of main files, and of the files of its line
	for _, a := range c.set.Agencies {
		names := c.effective(a)
		for _, name := range names {
			named[name] = true
		}
		if len(names) > 0 {
			continue
		}
		all[""] = true
		for _, up := range c.lineage(a) {
			all[up.Name] = true
		}
	}
	return func(p *Policy) bool {
		return named[p.Name] || p.Strength != "recommendation" && all[c.owner(p.Pos)]
	}
}

// effective are the names of the policies that an agency has, its own and its ancestors'. None means every policy.
func (c *checker) effective(a *Agency) []string {
	var names []string
	for _, one := range c.lineage(a) {
		names = append(names, one.Policies...)
	}
	return names
}

func (c *checker) warnAgency(a *Agency) {
	if a.Mode == "off" {
		c.warning(a.At("mode"), "mode: off: nothing is refused for the agency %q, nor counted: observe counts it", a.Name)
	}
	for i, p := range a.Networks {
		outer, found := c.networks.around(p, p.Bits()-1)
		if found && !c.set.lost && !c.above(outer.agency, a) {
			c.warning(a.AtElement("networks", i), "networks: %s lies in a network of the agency %q (%s), which is not above %q: "+
				"its clients leave that agency", p, outer.agency.Name, outer.pos(), a.Name)
		}
	}
}

func (c *checker) warnException(e *Exception) {
	if len(e.Clients)+len(e.Names)+len(e.Lists) == 0 {
		c.warning(e.Pos, "exception %q has no clients, names or lists: it lifts all that its policies ban for the whole agency", e.Name)
	}
	if over(e.End(), c.options.Now) {
		at := "until"
		if e.End().Before(e.Until) {
			at = "revoked"
		}
		c.warning(e.At(at), "exception %q has been over since %s: it lifts nothing", e.Name, shown(e.End()))
		return
	}
	c.warnEnd(e.At("until"), "exception", e.Name, e.End())
	c.warnClients(e)
}

// warnEnd tells of an end that comes soon.
func (c *checker) warnEnd(at Pos, what, name string, end time.Time) {
	if !end.IsZero() && !c.options.Now.Before(end.Add(-dueAhead)) {
		last := end.Add(-time.Nanosecond) // of `until: 2028-01-01` that is still the first of January
		c.warning(at, "%s %q ends on %s", what, name, last.Format(time.DateOnly))
	}
}

// warnNoEffect finds policies and lists in an exception that its agency has nothing to do with.
func (c *checker) warnNoEffect(e *Exception) {
	agency, ok := c.agencies[e.Agency]
	if !ok || agency.faulty || c.set.lost {
		return
	}
	lifted := c.effective(agency)
	if len(lifted) == 0 {
		lifted = keys(c.policies)
	}
	for i, name := range e.Policies {
		if _, known := c.policies[name]; known && !e.Descendants && len(e.Clients) == 0 && !slices.Contains(lifted, name) {
			c.warning(e.AtElement("policies", i), "policies: the agency %q does not have %q: there is nothing to lift", e.Agency, name)
		}
	}
	if len(e.Policies) > 0 {
		lifted = e.Policies
	}
	for i, name := range e.Lists {
		if _, known := c.lists[name]; known && !c.bans(lifted, name) {
			c.warning(e.AtElement("lists", i), "lists: none of the policies has the list %q: there is nothing to lift", name)
		}
	}
}

// bans says whether one of the policies has the list.
func (c *checker) bans(policies []string, list string) bool {
	return slices.ContainsFunc(policies, func(name string) bool {
		p, ok := c.policies[name]
		return ok && slices.Contains(p.Lists, list)
	})
}

// over says whether an end is there and has passed.
func over(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
