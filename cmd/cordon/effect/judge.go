package effect

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"cordon/resolver/policy"
)

// turn is one action in place of another, for one reason, by one list.
type turn struct {
	before, after           policy.Action
	policy, exception, list string
	old                     bool // the policy is the old one's
}

// tally is the points of a turn.
type tally struct {
	names, networks, others int // rules of the list; others are points that are no rules of it
	first, firstOthers      []point
}

// finding is a turn with what it is about, within one span.
type finding struct {
	turn
	names, networks int
	first           []string
}

// key is the same for findings that say the same.
func (f *finding) key() string { return fmt.Sprintf("%+v", *f) }

// judge asks both policies about every class at one moment, for the two askers of p.
func (v *survey) judge(p *pair, at time.Time) []finding {
	now := policy.Instant{Now: at, HighWater: at}
	tallies := map[turn]*tally{}
	var turns []turn
	for _, c := range v.classes {
		if p.alike && !c.differs {
			continue
		}
		counted := map[turn]bool{}
		for i := range c.probes {
			q := &c.probes[i]
			t, reason, turned := turnOf(q.ask(v.old.snapshot, p.old, now), q.ask(v.next.snapshot, p.next, now))
			if !turned || counted[t] {
				continue
			}
			counted[t] = true
			if tallies[t] == nil {
				tallies[t] = &tally{}
				turns = append(turns, t)
			}
			tallies[t].add(c, q, reason.List == c.list && reason.Start == q.own && !reason.CDN)
		}
	}
	slices.SortFunc(turns, v.byOrder)
	found := make([]finding, 0, len(turns))
	for _, t := range turns {
		found = append(found, tallies[t].finding(t))
	}
	return found
}

// neutral is the question whose answer leads to the address of a probe: no list holds it.
const neutral = "\x0c_cordon-any_\x07invalid\x00"

// ask is the verdict of one policy on p.
func (p *probe) ask(s *policy.Snapshot, a *policy.Asker, now policy.Instant) policy.Verdict {
	if p.name != nil {
		return s.Decide(a, p.name, now)
	}
	return s.DecideAnswer(a, s.Decide(a, []byte(neutral), now), nil, []netip.Addr{p.addr}, now)
}

// turnOf is what one verdict in place of another means, and the one that has the reason. It says false for two verdicts that do the same.
func turnOf(old, next policy.Verdict) (turn, policy.Verdict, bool) {
	if old.Action == next.Action {
		return turn{}, next, false
	}
	t, reason := turn{before: old.Action, after: next.Action}, next
	if next.Policy == nil {
		t.old, reason = true, old
	}
	t.policy, t.list = reason.Policy.Name, reason.List
	switch {
	case next.Exception != nil:
		t.exception = next.Exception.Name
	case old.Exception != nil:
		t.exception = old.Exception.Name
	}
	return t, reason, true
}

func (t *tally) add(c *class, p *probe, own bool) {
	first := make([]point, len(c.first))
	for i, point := range c.first {
		if p.below {
			point.text = "*." + point.text
		}
		first[i] = point
	}
	switch {
	case !own:
		t.others += c.count
		t.firstOthers = append(t.firstOthers, first...)
		return
	case p.name == nil:
		t.networks += c.count
	default:
		t.names += c.count
	}
	t.first = append(t.first, first...)
}

func (t *tally) finding(of turn) finding {
	if t.names+t.networks == 0 {
		t.names, t.first = t.others, t.firstOthers
	}
	slices.SortFunc(t.first, func(a, b point) int { return cmp.Or(a.order-b.order, cmp.Compare(a.text, b.text)) })
	f := finding{turn: of, names: t.names, networks: t.networks}
	for _, p := range t.first[:min(len(t.first), manyFirst)] {
		f.first = append(f.first, p.text)
	}
	return f
}

// byOrder puts what is refused first, then goes by the files.
func (v *survey) byOrder(a, b turn) int {
	return cmp.Or(
		cmp.Compare(urgency(a), urgency(b)),
		v.placeOf(a)-v.placeOf(b),
		cmp.Compare(a.exception, b.exception),
		cmp.Compare(a.list, b.list),
		cmp.Compare(flag(a.old), flag(b.old)),
	)
}

// urgency orders the turns: to refuse, to pass, to except, to observe.
func urgency(t turn) int {
	return 8*slices.Index([]policy.Action{policy.Refuse, policy.Pass, policy.Except, policy.Observe}, t.after) + int(t.before)
}

// placeOf is where the policy of a turn stands in its files.
func (v *survey) placeOf(t turn) int { return v.policyOf(t).Index }

// policyOf is the policy of a turn, which is there.
func (v *survey) policyOf(t turn) *policy.Policy {
	side := v.next
	if t.old {
		side = v.old
	}
	for _, p := range side.snapshot.Policies() {
		if p.Name == t.policy {
			return p
		}
	}
	return nil
}

// stretch is a finding over as many spans as it is the same in.
type stretch struct {
	finding
	from, until time.Time // zero: no end
}

// stretches asks about p in every span, and joins the spans. What is found in the last of them ends where more begins, if there is more.
func (v *survey) stretches(p *pair, starts, more []time.Time) []stretch {
	var all []stretch
	open := map[string]int{} // the place in all, by key, of what was found in the span before
	for _, start := range starts {
		still := map[string]int{}
		for _, f := range v.judge(p, start) {
			key := f.key()
			place, is := open[key]
			if !is {
				place = len(all)
				all = append(all, stretch{finding: f, from: start})
			}
			still[key] = place
		}
		for key, place := range open {
			if _, is := still[key]; !is {
				all[place].until = start
			}
		}
		open = still
	}
	for _, place := range open {
		if len(more) > 0 {
			all[place].until = more[0]
		}
	}
	return all
}
