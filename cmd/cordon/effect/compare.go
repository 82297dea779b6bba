package effect

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// Compare says what next, in the place of old, changes in effect from the moment at on. Times of the result are in at's location. Neither
// snapshot may be nil; both are only read. The same two policies have the same difference.
//
// Two policies without a difference between agencies, policies and exceptions take the time to hash the lists whose hashes differ; else
// every rule of the lists that a policy has is looked up. It needs 8 octets for each name of the two versions of one list that differ.
func Compare(old, next *policy.Snapshot, at time.Time) Difference {
	r := newRegimes(at, old, next)
	h := newHashes()
	all := grounds(old, next)
	pairs := r.pairs(all)

	numbers := listNumbers{}
	s := &survey{old: newSide(old, r, numbers), next: newSide(next, r, numbers), known: map[string]*class{}}
	diffs := s.diffs(h)
	s.lookAt(diffs, h, !slices.ContainsFunc(pairs, func(p *pair) bool { return !p.alike }))

	d := Difference{At: at, Changes: []Change{}, Moves: []Move{}, Effects: []Effect{}}
	d.Changes = append(d.Changes, changes(r, s, pairs, diffs)...)
	d.Moves = append(d.Moves, moves(all)...)
	c := newCrowd(next, all)
	effects, gaps := s.ask(r, pairs)
	d.Effects = append(d.Effects, s.effects(effects, c)...)
	for _, g := range gaps {
		g.Who, g.Summary = c.who(g.grounds)
		d.Gaps = append(d.Gaps, g.Gap)
	}
	return d
}

// diffs compares the lists that both policies have, by name.
func (v *survey) diffs(h hashes) map[string]*rulesDiff {
	diffs := map[string]*rulesDiff{}
	for _, l := range v.next.used {
		if old := v.old.list(l.Name()); old != nil {
			diffs[l.Name()] = h.compare(old, l)
		}
	}
	return diffs
}

// lookAt finds the points: all, or, where all askers are judged by the same policies and exceptions (alike), those that are at or below
// a name whose rules differ, and those at which a CDN may carry one.
func (v *survey) lookAt(diffs map[string]*rulesDiff, h hashes, alike bool) {
	var differ []*rulesDiff
	for _, l := range v.next.used {
		if d := diffs[l.Name()]; d != nil && !d.same() {
			differ = append(differ, d)
		}
	}
	if alike && len(differ) == 0 {
		return
	}
	if alike {
		v.keep = func(name domain.Name) bool { return h.mayTurn(name, differ) }
	}
	v.oneSet = slices.EqualFunc(v.old.snapshot.Set().Lists(), v.next.snapshot.Set().Lists(), func(a, b *blocklists.List) bool {
		return a.Name() == b.Name() && a.Hash() == b.Hash()
	})
	v.lists(diffs, h)
	v.exceptions()
}

// answers are the stretches of all pairs, those together that are of the same time and say the same.
type answers struct {
	together [][]stretch
	grounds  [][]int // of whom, for each of together
	places   map[string]int
}

func (a *answers) add(together []stretch, grounds []int) {
	key := keyOf(together)
	place, known := a.places[key]
	if !known {
		place = len(a.together)
		a.places[key] = place
		a.together = append(a.together, together)
		a.grounds = append(a.grounds, nil)
	}
	a.grounds[place] = append(a.grounds[place], grounds...)
}

// gap is a Gap in the making.
type gap struct {
	Gap
	grounds []int
}

// maxWeighing is how many times an exception or a policy is weighed for one comparison: some seconds. Who has thousands of exceptions
// that begin and end gets a gap then, and nobody else: those who need the least are asked first.
const maxWeighing = 50_000_000

// ask asks about everybody, as far as that may cost.
func (v *survey) ask(r *regimes, pairs []*pair) (*answers, []gap) {
	byCost := slices.Clone(pairs)
	starts := map[*pair][]time.Time{}
	cost := map[*pair]int{}
	for _, p := range pairs {
		starts[p] = r.starts(p)
		cost[p] = v.cost(p) * len(starts[p])
	}
	slices.SortStableFunc(byCost, func(a, b *pair) int { return cost[a] - cost[b] })
	found, left := &answers{places: map[string]int{}}, maxWeighing
	var gaps []gap
	for _, p := range byCost {
		spans := starts[p]
		if cost[p] > left {
			spans = spans[:left/v.cost(p)]
			gaps = append(gaps, gap{Gap{From: starts[p][len(spans)]}, p.grounds})
		}
		left -= v.cost(p) * len(spans)
		for _, together := range bySpan(v.stretches(p, spans, starts[p][len(spans):])) {
			found.add(together, p.grounds)
		}
	}
	return found, gaps
}

// cost is how much is weighed to judge one span of p.
func (v *survey) cost(p *pair) int {
	asked := 0
	for _, c := range v.classes {
		if !p.alike || c.differs {
			asked += len(c.probes)
		}
	}
	return asked * (2 + len(p.old.Policies())*(1+len(p.old.Exceptions())) + len(p.next.Policies())*(1+len(p.next.Exceptions())))
}

// effects are what was found, in order.
func (v *survey) effects(a *answers, c *crowd) []Effect {
	found := make([]Effect, 0, len(a.together))
	for i, together := range a.together {
		e := Effect{From: together[0].from, Until: together[0].until, Outcomes: v.outcomes(together)}
		e.Who, e.Summary = c.who(a.grounds[i])
		found = append(found, e)
	}
	slices.SortStableFunc(found, func(a, b Effect) int {
		return cmp.Or(a.From.Compare(b.From), laterFirst(a.Until, b.Until), c.place(a.Who)-c.place(b.Who))
	})
	return found
}

// laterFirst puts the later of two ends first, and no end before any.
func laterFirst(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return cmp.Compare(flag(!a.IsZero()), flag(!b.IsZero()))
	}
	return b.Compare(a)
}

// bySpan puts the stretches together that have the same beginning and end.
func bySpan(all []stretch) [][]stretch {
	var groups [][]stretch
	for _, one := range all {
		at := slices.IndexFunc(groups, func(g []stretch) bool { return g[0].from.Equal(one.from) && g[0].until.Equal(one.until) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], one)
	}
	return groups
}

func keyOf(together []stretch) string {
	keys := append(make([]string, 0, 2+len(together)), together[0].from.String(), together[0].until.String())
	for i := range together {
		keys = append(keys, together[i].key())
	}
	return strings.Join(keys, "\n")
}

// outcomes are the findings of one span, the lists of one decision together.
func (v *survey) outcomes(together []stretch) []Outcome {
	var all []Outcome
	var last turn
	for _, f := range together {
		t := f.turn
		t.list = ""
		if len(all) == 0 || t != last {
			all = append(all, Outcome{
				Before: t.before.String(), After: t.after.String(),
				Policy: t.policy, LegalReference: v.policyOf(t).LegalReference, Exception: t.exception,
			})
			last = t
		}
		o := &all[len(all)-1]
		o.Lists = append(o.Lists, Listed{List: f.list, Names: f.names, Networks: f.networks, First: f.first})
	}
	return all
}
