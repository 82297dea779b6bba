package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"cordon/blocklists"
)

// Decide is THE RULE: what policy says when a asks for name at the moment now. Its specification are the rows of TestRule, TestTime and
// TestAnswer, which begin with these numbers: every sentence here is one of them.
//
//  1. The asker is an agency: that of the longest network that holds the client; a client in none is in "default". An agency's
//     policies are its own and its ancestors'. An agency with neither has every ban. A policy that is within an agency is for that
//     one and those below it alone.
//  2. A policy bears on name if a rule of its lists matches: the name itself or any parent, on label borders. It is in force
//     from From to Until. A policy that bears and is in force stands, unless an exception in force lifts it.
//     An exception lifts the policies that it names, for the clients that it names, where it covers the match: the list of the
//     matching rule is one of its lists, and name is one of its names or below one. What it leaves out it doesn't narrow.
//  3. <listed name>.<shared CDN suffix> is judged as the listed name, by exceptions too: tiktok.com covers
//     www.tiktok.com.edgesuite.net where tiktok.com is what a list holds.
//  4. What the answer leads to is judged as well: see [Snapshot.DecideAnswer].
//  5. A ban that stands refuses; in an agency that observes, it is observed. If none stands but an exception lifted one, that is
//     the verdict: except. Only then recommendations count: one that stands is observed, one that was lifted is excepted.
//     The first policy of the files is the reason, by its longest matching suffix, of the first list. In an agency whose mode is
//     off, everything passes.
//
// name is canonical, in wire form, and only read; the verdict holds a view of it. a comes from the same snapshot. A name that
// no list holds and a refused one allocate nothing. Safe for concurrent use.
func (s *Snapshot) Decide(a *Asker, name []byte, now Instant) (v Verdict) {
	v.Agency, v.Name = a.agency, name // 1
	var buf [inlineMatches]blocklists.Match
	if matches := s.set.Match(buf[:0], name); len(matches) > 0 { // 2, 3
		s.judge(&v, a, hit{name: name}, nil, matches, now) // 5
	}
	return v
}

// DecideAnswer is rule 4: the verdict on a query whose answer leads to names (every owner and target of its chain, SVCB
// targets, …; canonical, in wire form) and to addrs (A, AAAA, hints), after Decide gave question for the name that was asked.
//
//   - An exception that covers the question covers the whole answer for the policies it lifts, whatever lists and names it has.
//     It covers the question if its names do, whether or not a list holds that name, and if its lists do, where it has some.
//   - Other policies still apply: one that stands for a single name or address refuses all of the answer.
//   - A name of the answer is judged as if it were asked: an exception for that name lifts for it.
//   - The heavier of question and answer is the verdict, by rule 5; the question's, if both weigh the same.
//
// A refused question stays refused. question, a and now belong to s as in Decide; names and addrs are only read, and the verdict
// may hold a view of one of the names. Nothing is allocated. [Snapshot.Bears] is the cheap way to find that there is nothing to
// decide.
func (s *Snapshot) DecideAnswer(a *Asker, question Verdict, names [][]byte, addrs []netip.Addr, now Instant) (v Verdict) {
	if v = question; v.Action == Refuse {
		return v
	}
	var buf, asked [inlineMatches]blocklists.Match
	q := &inquiry{name: question.Name, matches: s.set.Match(asked[:0], question.Name)}
	for _, name := range names {
		if matches := s.set.Match(buf[:0], name); len(matches) > 0 {
			s.judge(&v, a, hit{name: name}, q, matches, now)
		}
	}
	for _, addr := range addrs {
		if matches := s.set.MatchAddr(buf[:0], addr); len(matches) > 0 {
			s.judge(&v, a, hit{addr: addr}, q, matches, now)
		}
	}
	return v
}

// Bears says whether any list holds one of the names or addresses that an answer leads to. If not, DecideAnswer returns the
// question's verdict for every asker, and that much may be remembered beside a cached answer for as long as s is in force.
func (s *Snapshot) Bears(names [][]byte, addrs []netip.Addr) bool {
	var buf [inlineMatches]blocklists.Match
	for _, name := range names {
		if len(s.set.Match(buf[:0], name)) > 0 {
			return true
		}
	}
	for _, addr := range addrs {
		if len(s.set.MatchAddr(buf[:0], addr)) > 0 {
			return true
		}
	}
	return false
}

// inlineMatches is how many lists may hold one name before a verdict allocates.
const inlineMatches = 8

// judge adds to v what a's policies say of the name or address of h, which the lists of matches hold. of is the question
// if that is in the answer. It reorders matches.
func (s *Snapshot) judge(v *Verdict, a *Asker, h hit, of *inquiry, matches []blocklists.Match, now Instant) {
	v.Listed, v.HasExceptions = true, a.hasExceptions(now)
	if a.mode == Off {
		return
	}
	if len(matches) > 1 {
		slices.SortFunc(matches, byReach)
	}
	for _, h.Match = range matches {
		for _, p := range a.policies {
			if !p.lists.has(h.List) {
				continue
			}
			w := a.weigh(p, &h, of, now)
			v.Boundary = sooner(v.Boundary, w.next)
			if v.outweighed(p, w.bearing) {
				s.because(v, a, p, &h, w)
				v.InAnswer = of != nil
			}
		}
	}
}

// byReach puts the longest suffix first, and the first list of several.
func byReach(a, b blocklists.Match) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.List, b.List))
}

// because makes w, of p about h, the reason of v.
func (s *Snapshot) because(v *Verdict, a *Asker, p *Policy, h *hit, w weighed) {
	v.Policy, v.Exception = p, w.exception
	v.Action = Refuse
	switch {
	case w.bearing == Lifted:
		v.Action = Except
	case p.Recommendation || a.mode == ObserveOnly:
		v.Action = Observe
	}
	v.List, v.ListIndex, v.Line, v.Start, v.CDN, v.Exact = s.lists[h.List].Name(), h.List, h.Line, h.Start, h.CDN, h.Exact
	v.Service = s.lists[h.List].Service(h.Line)
	v.Name, v.Addr = h.name, h.addr
}

// weighed is what one policy of the asker says of one hit.
type weighed struct {
	bearing   Bearing
	exception *Exception // what lifts it; nil unless Lifted
	next      time.Time  // when this may change; zero: never
}

// weigh is rules 2 to 4 for one policy of a and one hit.
func (a *Asker) weigh(p *Policy, h *hit, of *inquiry, now Instant) weighed {
	phase, next := p.Phase(now)
	if phase == NotYet {
		return weighed{bearing: BeforeItsTime, next: next}
	}
	if phase == Over {
		return weighed{bearing: AfterItsTime}
	}
	var buf [inlineMatches]*Exception
	for _, e := range a.lifting(buf[:0], p, h, of, now) {
		phase, end := e.Phase(now)
		next = sooner(next, end)
		if phase == InForce {
			return weighed{bearing: Lifted, exception: e, next: next}
		}
	}
	return weighed{bearing: Stands, next: next}
}
