package selftest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// newNeutralName is a name that must pass for everybody. It is of the names that nobody can have (RFC 2606, section 3), and is another one
// in each process: a list from elsewhere that had it would take every server that has the list out of service. It is answered at the
// second door, as names that are not known yet are.
func newNeutralName() domain.Name {
	var octets [8]byte
	_, _ = rand.Read(octets[:]) // it has no error
	return domain.MustParse(fmt.Sprintf("must-pass-%x.example", octets))
}

// plan is what is written in the policy files, as far as it says what is refused.
type plan struct {
	snapshot uint64    // the number of the snapshot that was compiled of it
	agencies []*agency // those that a client can be in, in the order of the files
}

// agency is one agency with an address that a client of it can have.
type agency struct {
	name       string
	client     netip.Addr
	bans       []*ban              // that its clients have, in the order of the files; nil where nothing is refused
	exceptions []*policy.Exception // that may lift something for client
}

// ban is one policy with some names that it bans.
type ban struct {
	policy *policy.Policy
	names  []banned
}

// banned is a name that a list holds.
type banned struct {
	name domain.Name
	list string
}

// namesOfList is how many names of a list are looked at: one would do, if no exception lifted it.
const namesOfList = 8

// newPlan makes the plan of c, of which a snapshot could be compiled.
func newPlan(c policy.Config) *plan {
	w := newWritten(c)
	p := &plan{snapshot: c.ID}
	for i := range w.agencies {
		a := &w.agencies[i]
		client, named, ok := w.clientOf(a)
		if !ok {
			continue
		}
		p.agencies = append(p.agencies, &agency{
			name: a.Name, client: client, bans: w.bansOf(a), exceptions: slices.Concat(w.whole(a), named),
		})
	}
	return p
}

// mustRefuse is a name that clients of a are refused at now; not ok if there is none.
func (a *agency) mustRefuse(now policy.Instant) (name domain.Name, ok bool) {
	for _, b := range a.bans {
		if phase, _ := b.policy.Phase(now); phase != policy.InForce {
			continue
		}
		for _, n := range b.names {
			if !slices.ContainsFunc(a.exceptions, func(e *policy.Exception) bool { return mayLift(e, b.policy, n, now) }) {
				return n.name, true
			}
		}
	}
	return "", false
}

// mayLift says whether e lifts p for n at now, or whether that is not plain.
func mayLift(e *policy.Exception, p *policy.Policy, n banned, now policy.Instant) bool {
	phase, _ := e.Phase(now)
	return phase == policy.InForce && hasOrAll(e.Policies, p.Name) && hasOrAll(e.Lists, n.list) && mayName(e.Names, n.name)
}

func hasOrAll(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// mayName says whether one of names, empty for all, is name, a parent of it, or stands in it: a listed name stands before the suffix of a
// CDN.
func mayName(names []domain.Name, name domain.Name) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(n domain.Name) bool {
		return bytes.Contains([]byte(name), []byte(n[:len(n)-1])) // an octet too many is a name too few, and no harm
	})
}

// written is a policy.Config by names.
type written struct {
	agencies   []policy.Agency // "default" is among them
	byName     map[string]*policy.Agency
	bans       []*ban                         // of all policies that ban, in the order of the files
	exceptions map[string][]*policy.Exception // for whole agencies, by agency
	land       land
}

func newWritten(c policy.Config) *written {
	w := &written{agencies: slices.Clone(c.Agencies), byName: map[string]*policy.Agency{}, exceptions: map[string][]*policy.Exception{}}
	if !slices.ContainsFunc(w.agencies, func(a policy.Agency) bool { return a.Name == policy.DefaultAgency }) {
		w.agencies = append(w.agencies, policy.Agency{Name: policy.DefaultAgency})
	}
	for i := range w.agencies {
		w.byName[w.agencies[i].Name] = &w.agencies[i]
	}
	var named []*policy.Exception // those with clients
	for i := range c.Exceptions {
		e := &c.Exceptions[i]
		if len(e.Clients) > 0 {
			named = append(named, e)
		} else {
			w.exceptions[e.Agency] = append(w.exceptions[e.Agency], e)
		}
	}
	w.bans = bansIn(c)
	w.land = newLand(w.agencies, named, c.Allowed)
	return w
}

// bansIn are the policies of c that refuse, with names of their lists.
func bansIn(c policy.Config) []*ban {
	names := map[string][]banned{}
	for _, l := range c.Lists {
		names[l.Name()] = firstNames(l)
	}
	var all []*ban
	for i := range c.Policies {
		p := &c.Policies[i]
		if p.Recommendation {
			continue
		}
		b := &ban{policy: p}
		for _, list := range p.Lists {
			b.names = append(b.names, names[list]...)
		}
		all = append(all, b)
	}
	return all
}

// firstNames are the first names that l holds by a rule of their own.
func firstNames(l *blocklists.List) []banned {
	var first []banned
	for rule := range l.NameRules() {
		if len(first) == namesOfList {
			break
		}
		if rule.Self == blocklists.Blocks {
			first = append(first, banned{rule.Name, l.Name()})
		}
	}
	return first
}

// line is a and its ancestors, a first.
func (w *written) line(a *policy.Agency) []*policy.Agency {
	var all []*policy.Agency
	for up := a; up != nil && len(all) <= len(w.agencies); up = w.byName[up.Parent] {
		all = append(all, up)
	}
	return all
}

// bansOf are the bans that refuse clients of a something: those of its line, or all that it can have if that has no policies.
func (w *written) bansOf(a *policy.Agency) []*ban {
	line := w.line(a)
	if mode := modeOf(line); mode != policy.Enforce {
		return nil
	}
	var chosen []string
	for _, up := range line {
		chosen = append(chosen, up.Policies...)
	}
	var all []*ban
	for _, b := range w.bans {
		within := b.policy.Within == "" || slices.ContainsFunc(line, func(up *policy.Agency) bool { return up.Name == b.policy.Within })
		if within && hasOrAll(chosen, b.policy.Name) {
			all = append(all, b)
		}
	}
	return all
}

// modeOf is the mode of the agency that line begins with.
func modeOf(line []*policy.Agency) policy.AgencyMode {
	for _, up := range line {
		if up.Mode != policy.Inherit {
			return up.Mode
		}
	}
	return policy.Enforce
}

// whole are the exceptions for all clients of a.
func (w *written) whole(a *policy.Agency) []*policy.Exception {
	var all []*policy.Exception
	for i, up := range w.line(a) {
		for _, e := range w.exceptions[up.Name] {
			if i == 0 || e.Descendants {
				all = append(all, e)
			}
		}
	}
	return all
}

// clientOf is an address of a client of a, with the exceptions that name it among their clients: none, unless they name all of a. It is
// not ok if nobody can be in a.
func (w *written) clientOf(a *policy.Agency) (client netip.Addr, named []*policy.Exception, ok bool) {
	if client, ok = w.land.find(a, true); ok {
		return client, nil, true
	}
	if client, ok = w.land.find(a, false); !ok {
		return client, nil, false
	}
	return client, w.land.naming(client), true
}
