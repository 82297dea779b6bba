package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cordon/resolver/policy"
)

// oracle decides slowly, on text and on the Config as it is written, with nothing compiled. It is THE RULE once more, in other words.
type oracle struct {
	conf  *policy.Config
	lists map[string][]string // of names or networks, by list
}

// ruling is the part of a verdict that the oracle knows.
type ruling struct {
	action            policy.Action
	listed            bool
	policy, exception string
}

func (r ruling) String() string {
	return fmt.Sprintf("%s, listed %t, %q by %q", r.action, r.listed, r.policy, r.exception)
}

func (o oracle) agency(name string) policy.Agency {
	for _, a := range o.conf.Agencies {
		if a.Name == name {
			return a
		}
	}
	return policy.Agency{Name: name}
}

// line returns a and its ancestors.
func (o oracle) line(a policy.Agency) []policy.Agency {
	all := []policy.Agency{a}
	for a.Parent != "" {
		a = o.agency(a.Parent)
		all = append(all, a)
	}
	return all
}

func (o oracle) agencyOf(client netip.Addr) policy.Agency {
	best, bits := o.agency("default"), -1
	for _, a := range o.conf.Agencies {
		for _, p := range a.Networks {
			if p.Contains(client) && p.Bits() > bits {
				best, bits = a, p.Bits()
			}
		}
	}
	return best
}

func (o oracle) mode(a policy.Agency) policy.AgencyMode {
	for _, up := range o.line(a) {
		if up.Mode != policy.Inherit {
			return up.Mode
		}
	}
	return policy.Enforce
}

func (o oracle) policies(a policy.Agency) []policy.Policy {
	var written []string
	for _, up := range o.line(a) {
		written = append(written, up.Policies...)
	}
	var all []policy.Policy
	for _, p := range o.conf.Policies {
		stranger := p.Within != "" && !slices.ContainsFunc(o.line(a), func(up policy.Agency) bool { return up.Name == p.Within })
		if slices.Contains(written, p.Name) || len(written) == 0 && !p.Recommendation && !stranger {
			all = append(all, p)
		}
	}
	return all
}

// forms returns the names that a name is judged as: itself, and what a CDN carries in it.
func forms(name string) []string {
	all := []string{name}
	if carried, ok := strings.CutSuffix(name, ".edgesuite.net"); ok {
		all = append(all, carried)
	}
	if carried, ok := strings.CutSuffix(name, ".c.footprint.net"); ok {
		all = append(all, carried)
	}
	return all
}

func under(name, ancestor string) bool {
	return name == ancestor || strings.HasSuffix(name, "."+ancestor)
}

// holds says whether a list holds a name or an address.
func (o oracle) holds(list, what string) bool {
	addr, err := netip.ParseAddr(what)
	for _, rule := range o.lists[list] {
		if p, notNetwork := netip.ParsePrefix(rule); notNetwork == nil {
			if err == nil && p.Contains(addr) {
				return true
			}
			continue
		}
		if slices.ContainsFunc(forms(what), func(form string) bool { return under(form, rule) }) {
			return true
		}
	}
	return false
}

// longestFirst returns those of lists that hold what, the one with the longest rule first.
func (o oracle) longestFirst(lists []string, what string) []string {
	start := func(list string) int {
		least := len(what)
		for _, rule := range o.lists[list] {
			for _, form := range forms(what) {
				if under(form, rule) {
					least = min(least, len(form)-len(rule))
				}
			}
		}
		return least
	}
	var all []string
	for _, list := range someLists {
		if slices.Contains(lists, list) && o.holds(list, what) {
			all = append(all, list)
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return start(a) - start(b) })
	return all
}

func (o oracle) isFor(e policy.Exception, a policy.Agency, client netip.Addr) bool {
	mine := e.Agency == a.Name ||
		e.Descendants && slices.ContainsFunc(o.line(a), func(up policy.Agency) bool { return up.Name == e.Agency })
	return mine && (len(e.Clients) == 0 || slices.ContainsFunc(e.Clients, func(p netip.Prefix) bool { return p.Contains(client) }))
}

// carried returns the names that a CDN carries in what for list: those that made list hold it, when it doesn't hold it as it stands.
func (o oracle) carried(list, what string) []string {
	if slices.ContainsFunc(o.lists[list], func(rule string) bool { return under(what, rule) }) || !o.holds(list, what) {
		return nil
	}
	return forms(what)[1:]
}

// named says whether e has what by name, by itself or as one of the forms, or no names at all.
func named(e policy.Exception, what string, forms ...string) bool {
	for _, n := range e.Names {
		if slices.ContainsFunc(append(forms, what), func(form string) bool { return under(form, n.String()) }) {
			return true
		}
	}
	return len(e.Names) == 0
}

// covers is for what, a name or address that list holds.
func (o oracle) covers(e policy.Exception, list, what string) bool {
	return (len(e.Lists) == 0 || slices.Contains(e.Lists, list)) && named(e, what, o.carried(list, what)...)
}

func (o oracle) coversQuestion(e policy.Exception, question string) bool {
	if len(e.Lists) == 0 && named(e, question) {
		return true
	}
	return slices.ContainsFunc(someLists, func(l string) bool { return o.holds(l, question) && o.covers(e, l, question) })
}

// lifts returns the first exception that lifts p for what, a name on list, asked or in the answer to question.
func (o oracle) lifts(client netip.Addr, p policy.Policy, list, what, question string, now policy.Instant) string {
	a := o.agencyOf(client)
	for _, e := range o.conf.Exceptions {
		inForce := !now.Now.Before(e.From) && now.HighWater.Before(e.Until)
		forThis := len(e.Policies) == 0 || slices.Contains(e.Policies, p.Name)
		covers := o.covers(e, list, what) || what != question && o.coversQuestion(e, question)
		if inForce && forThis && covers && o.isFor(e, a, client) {
			return e.Name
		}
	}
	return ""
}

// decide judges everything that a query is about, the question first.
func (o oracle) decide(client netip.Addr, question string, answer []string, now policy.Instant) ruling {
	a := o.agencyOf(client)
	verdict := o.judge(client, question, question, now)
	if verdict.action == policy.Refuse {
		return verdict
	}
	for _, what := range answer {
		found := o.judge(client, what, question, now)
		found.listed = found.listed || verdict.listed
		if o.heavier(found, verdict) {
			verdict = found
		}
		verdict.listed = found.listed
	}
	if o.mode(a) == policy.Off {
		return ruling{listed: verdict.listed}
	}
	return verdict
}

// judge asks in the order of weight, and for each weight in the order of the files.
func (o oracle) judge(client netip.Addr, what, question string, now policy.Instant) ruling {
	a := o.agencyOf(client)
	var r ruling
	for list := range o.lists {
		r.listed = r.listed || o.holds(list, what)
	}
	if o.mode(a) == policy.Off {
		return r
	}
	for _, ask := range []struct{ advice, lifted bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		for _, p := range o.policies(a) {
			inForce := !now.HighWater.Before(p.From) && (p.Until.IsZero() || now.Now.Before(p.Until))
			if !inForce || p.Recommendation != ask.advice {
				continue
			}
			for _, list := range o.longestFirst(p.Lists, what) {
				by := o.lifts(client, p, list, what, question, now)
				if (by != "") != ask.lifted {
					continue
				}
				return ruling{action: o.action(a, p, by), listed: true, policy: p.Name, exception: by}
			}
		}
	}
	return r
}

func (o oracle) action(a policy.Agency, p policy.Policy, by string) policy.Action {
	switch {
	case by != "":
		return policy.Except
	case p.Recommendation || o.mode(a) == policy.ObserveOnly:
		return policy.Observe
	default:
		return policy.Refuse
	}
}

// heavier says whether the reason x goes before the earlier reason y.
func (o oracle) heavier(x, y ruling) bool {
	rank := func(r ruling) int {
		place := slices.IndexFunc(o.conf.Policies, func(p policy.Policy) bool { return p.Name == r.policy })
		if place < 0 {
			return 1 << 20
		}
		order := place
		if o.conf.Policies[place].Recommendation {
			order += 2000
		}
		if r.exception != "" {
			order += 1000
		}
		return order
	}
	return rank(x) < rank(y)
}
