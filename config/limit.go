package config

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// limits finds exceptions that are longer or wider than is allowed, and forwarders in other agencies' networks.
func (c *checker) limits() {
	said := c.maxException()
	var forbidding []*Policy
	for _, p := range c.set.Policies {
		if p.BlanketExceptions == "forbidden" {
			forbidding = append(forbidding, p)
		}
	}
	for _, e := range c.set.Exceptions {
		c.tooLong(e, said)
		for _, p := range forbidding {
			c.blanket(e, p)
		}
	}
	for _, a := range c.set.Agencies {
		c.forwarders(a)
	}
}

// maxException is where max_exception is said, nil if it is not; more than one file must not.
func (c *checker) maxException() (at []Pos) {
	for _, doc := range c.set.docs {
		if c.owner(doc.Pos) != "" || !doc.Has("max_exception") {
			continue
		}
		if one := doc.At("max_exception"); at == nil {
			at = []Pos{one}
		} else {
			c.fault(one, at, "max_exception: it is said already at %s: want it in one file", at[0])
		}
	}
	return at
}

// tooLong finds an exception that ends too long after somebody last agreed to it. One that was revoked ends then.
func (c *checker) tooLong(e *Exception, said []Pos) {
	if e.faulty {
		return
	}
	base, what := e.agreed(c.options.Now)
	limit := after(base, c.set.MaxException)
	if !e.End().After(limit) {
		return
	}
	where := "the default"
	if said != nil {
		where = said[0].String()
	}
	c.fault(e.At("until"), said, "until: exception %q ends %s, which is more than max_exception (%s, %s) after %s: want %s at the latest",
		e.Name, shown(e.Until), days(c.set.MaxException), where, what, lastDay(limit.In(e.Until.Location())).Format(time.DateOnly))
}

// agreed is when somebody last agreed to the exception: to its last extension, else to it, else when it is to begin, else now. What is
// still to be agreed to counts as now.
func (e *Exception) agreed(now time.Time) (at time.Time, what string) {
	switch {
	case len(e.Extended) > 0 && !e.Extended[len(e.Extended)-1].On.IsZero():
		at, what = e.Extended[len(e.Extended)-1].On, "its last extension"
	case !e.Approved.IsZero():
		at, what = e.Approved, "its approval"
	case !e.From.IsZero():
		return e.From, "its beginning"
	}
	if at.IsZero() || at.After(now) {
		return now, "today"
	}
	return at, fmt.Sprintf("%s on %s", what, at.Format(time.DateOnly))
}

// after is so long after a moment. Days are those of the calendar, which the change of the clocks makes longer or shorter.
func after(t time.Time, span time.Duration) time.Time {
	const day = 24 * time.Hour
	return t.AddDate(0, 0, int(span/day)).Add(span % day)
}

// lastDay is the last day that is over at a moment, which is what until says.
func lastDay(t time.Time) time.Time { return t.AddDate(0, 0, -1) }

func days(span time.Duration) string {
	const day = 24 * time.Hour
	if span%day == 0 {
		return fmt.Sprintf("%dd", span/day)
	}
	return span.String()
}

// blanket finds an exception for a whole agency from a policy that forbids that.
func (c *checker) blanket(e *Exception, p *Policy) {
	lifts := c.set.Lifts(e)
	if lifts != nil && !slices.Contains(lifts, p.Name) {
		return
	}
	agency := c.agencies[e.Agency]
	if agency == nil && e.Agency != DefaultAgency {
		return
	}
	covered := newPrefixSet(e.Clients).joined()
	for _, a := range c.reach(e, agency) {
		if len(e.Policies) == 0 && !c.has(a, p) {
			continue
		}
		if len(e.Clients) == 0 {
			c.fault(e.Pos, []Pos{p.Pos}, "exception %q is for a whole agency, and %s forbids blanket exceptions (%s): want clients", e.Name,
				p.Name, p.Pos)
			return
		}
		if all := networksOf(a); len(all) > 0 && covered.hold(all) {
			c.fault(e.At("clients"), []Pos{p.Pos}, "clients: they are all networks of the agency %q, and %s forbids blanket exceptions "+
				"(%s): want fewer clients", agencyName(a), p.Name, p.Pos)
			return
		}
	}
}

// networksOf are the networks of an agency. Those of the default agency, which may be nil, are all there are.
func networksOf(a *Agency) []netip.Prefix {
	if agencyName(a) == DefaultAgency {
		return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	}
	return a.Networks
}

func agencyName(a *Agency) string {
	if a == nil {
		return DefaultAgency
	}
	return a.Name
}

// forwarders finds forwarders that are not in the agency's own networks. Where networks are missing, nobody can say.
func (c *checker) forwarders(a *Agency) {
	if c.set.lost || a.faulty {
		return
	}
	for i, p := range a.Forwarders {
		mine := a.AtElement("forwarders", i)
		switch found, ok := c.networks.around(p, p.Bits()); {
		case !ok:
			c.missing(mine, "forwarders: %s is in no network of the agency %q", p, a.Name)
		case !c.above(a, found.agency):
			at, other := c.last(mine, found.pos())
			c.fault(at, []Pos{other}, "forwarders: %s belongs to the agency %q (%s), not to %q", p, found.agency.Name, found.pos(), a.Name)
		}
	}
}
