package policy

import (
	"bytes"
	"net/netip"
	"slices"

	"cordon/blocklists"
)

// Explanation is a verdict with everything that was weighed for it, as a tree: asker → matches → policies → exceptions.
type Explanation struct {
	Asker   *Asker
	Verdict Verdict
	Matches []Matched // the question's first, the answer's after it; of one name, the longest suffix first
	// Covering are the exceptions in force that cover the question, and so the whole answer for the policies that they lift. Remaining
	// are the asker's bans in force that none of them lifts: they apply to the answer all the same. Both in the order of the files.
	Covering  []*Exception
	Remaining []*Policy
}

// Matched is one list that holds the question or something in the answer.
type Matched struct {
	List     *blocklists.List
	Line     int        // of the rule in its list, from 1
	CDN      bool       // by the form <listed name>.<shared CDN suffix>
	InAnswer bool       // else it is the question that the list holds
	Name     []byte     // what matched, canonical; nil for an address. A view of the caller's
	Rule     []byte     // the suffix of Name that the rule matched; nil for an address
	Addr     netip.Addr // the address that matched; not valid if a name did
	Policies []Weighed  // every policy of the snapshot that has the list, in the order of the files
}

// Weighed is how one policy bears on one match.
type Weighed struct {
	Policy     *Policy
	Bearing    Bearing
	Exception  *Exception   // what lifts it; nil unless Lifted
	Decisive   bool         // this is the reason of the verdict; a name that stands twice in an answer is marked twice
	Considered []Considered // the asker's exceptions that are for this policy; nil if the policy isn't in force here
	Others     []*Exception // those for this policy and other clients of the agency that are not over; nil unless it Stands
}

// Considered is an exception that is for a policy, and lifts it if it covers the match and is in force.
type Considered struct {
	Exception *Exception
	Covers    bool
	Phase     Phase
}

// Explain returns the verdict of Decide for the same arguments, and how it came about.
func (s *Snapshot) Explain(a *Asker, name []byte, now Instant) Explanation {
	return s.ExplainAnswer(a, s.Decide(a, name, now), nil, nil, now)
}

// ExplainAnswer returns the verdict of DecideAnswer for the same arguments, and how it came about, from the question on.
func (s *Snapshot) ExplainAnswer(a *Asker, question Verdict, names [][]byte, addrs []netip.Addr, now Instant) Explanation {
	x := Explanation{Asker: a, Verdict: s.DecideAnswer(a, question, names, addrs, now)}
	q := &inquiry{name: question.Name, matches: s.set.Match(nil, question.Name)}
	x.cover(q, now)
	s.explain(&x, hit{name: question.Name}, nil, q.matches, now)
	for _, name := range names {
		s.explain(&x, hit{name: name}, q, s.set.Match(nil, name), now)
	}
	for _, addr := range addrs {
		s.explain(&x, hit{addr: addr}, q, s.set.MatchAddr(nil, addr), now)
	}
	return x
}

// cover says what covers the question.
func (x *Explanation) cover(q *inquiry, now Instant) {
	for _, e := range x.Asker.Exceptions() {
		if phase, _ := e.Phase(now); phase == InForce && e.coversQuestion(q) {
			x.Covering = append(x.Covering, e)
		}
	}
	for _, p := range x.Asker.policies {
		lifted := slices.ContainsFunc(x.Covering, func(e *Exception) bool { return e.policies.has(p.Index) })
		if phase, _ := p.Phase(now); phase == InForce && !p.Recommendation && !lifted {
			x.Remaining = append(x.Remaining, p)
		}
	}
}

// explain adds the matches of one name or address.
func (s *Snapshot) explain(x *Explanation, h hit, of *inquiry, matches []blocklists.Match, now Instant) {
	slices.SortFunc(matches, byReach)
	for _, h.Match = range matches {
		found := Matched{
			List: s.lists[h.List], Line: h.Line, CDN: h.CDN,
			InAnswer: of != nil, Name: h.name, Addr: h.addr,
		}
		if h.name != nil {
			found.Rule = h.name[h.Start:]
		}
		for _, p := range s.policies {
			if p.lists.has(h.List) {
				w := s.weigh(x.Asker, p, h, of, now)
				w.Decisive = x.decidedBy(p, found)
				found.Policies = append(found.Policies, w)
			}
		}
		x.Matches = append(x.Matches, found)
	}
}

// weigh returns how p bears on h, with every exception that has to do with it.
func (s *Snapshot) weigh(a *Asker, p *Policy, h hit, of *inquiry, now Instant) Weighed {
	if !slices.Contains(a.policies, p) {
		return Weighed{Policy: p, Bearing: OfAnotherAgency}
	}
	w := a.weigh(p, &h, of, now)
	weighed := Weighed{Policy: p, Bearing: w.bearing, Exception: w.exception}
	if w.bearing != Stands && w.bearing != Lifted {
		return weighed
	}
	for _, e := range a.Exceptions() {
		if e.policies.has(p.Index) {
			phase, _ := e.Phase(now)
			weighed.Considered = append(weighed.Considered, Considered{Exception: e, Covers: e.covers(&h, of), Phase: phase})
		}
	}
	if w.bearing == Stands {
		weighed.Others = s.ofOthers(a, p, now)
	}
	return weighed
}

// ofOthers returns the exceptions from p that are for a's agency, but not for a, and are not over.
func (s *Snapshot) ofOthers(a *Asker, p *Policy, now Instant) []*Exception {
	var others []*Exception
	own := a.Exceptions()
	for _, e := range s.exceptions {
		phase, _ := e.Phase(now)
		if phase != Over && e.policies.has(p.Index) && e.isFor(a.agency) && !slices.Contains(own, e) {
			others = append(others, e)
		}
	}
	return others
}

// decidedBy says whether p about m is the reason of the verdict.
func (x *Explanation) decidedBy(p *Policy, m Matched) bool {
	v := &x.Verdict
	return v.Policy == p && v.List == m.List.Name() && v.InAnswer == m.InAnswer && v.Addr == m.Addr && bytes.Equal(v.Name, m.Name)
}
