package effect

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"cordon/resolver/policy"
)

// numbers gives equal texts equal numbers.
type numbers map[string]int

func (n numbers) of(text string) int {
	number, known := n[text]
	if !known {
		number = len(n)
		n[text] = number
	}
	return number
}

// regimes finds out which askers are judged alike from a moment on.
type regimes struct {
	at         time.Time
	numbers    numbers
	policies   map[*policy.Policy]int // numbers of what they say, whichever snapshot they are of
	exceptions map[*policy.Exception]int
}

func newRegimes(at time.Time, snapshots ...*policy.Snapshot) *regimes {
	r := &regimes{at: at, numbers: numbers{}, policies: map[*policy.Policy]int{}, exceptions: map[*policy.Exception]int{}}
	for _, s := range snapshots {
		for _, p := range s.Policies() {
			r.policies[p] = r.numbers.of(fmt.Sprintf("policy %q %q %d %d %t", p.Name, sorted(p.Lists), r.start(p.From), r.start(p.Until),
				p.Recommendation))
		}
		for _, e := range s.Exceptions() {
			r.exceptions[e] = r.numbers.of(fmt.Sprintf("exception %q %q %q %q %d %d", e.Name, sorted(e.Policies), sorted(e.Lists),
				sorted(e.Names), r.start(e.From), r.start(e.Until)))
		}
	}
	return r
}

// start is a moment as a number, 0 for one that has passed, or none.
func (r *regimes) start(t time.Time) int64 {
	if !t.After(r.at) {
		return 0
	}
	return t.UnixNano()
}

// over says whether something that ends then is over; without an end it never is.
func (r *regimes) over(until time.Time) bool { return !until.IsZero() && !until.After(r.at) }

// of is the regime that a is under, the same text for all that are under it.
func (r *regimes) of(a *policy.Asker) string {
	key := []byte{byte(a.Agency().Mode)}
	for _, p := range a.Policies() {
		if !r.over(p.Until) {
			key = binary.AppendUvarint(key, uint64(r.policies[p]))
		}
	}
	for _, e := range a.Exceptions() {
		if !r.over(e.Until) {
			key = binary.AppendUvarint(key, uint64(r.exceptions[e]))
		}
	}
	return string(key)
}

// pair is an old and a new regime, with everybody who goes from the one to the other.
type pair struct {
	old, next *policy.Asker // one of each
	alike     bool          // both are the same regime: only lists can differ
	grounds   []int
}

// pairs puts the grounds together that go from one regime to another, in the order of the first of them.
func (r *regimes) pairs(all []ground) []*pair {
	var found []*pair
	known := map[[2]string]*pair{}
	for i, g := range all {
		key := [2]string{r.of(g.old), r.of(g.next)}
		if known[key] == nil {
			known[key] = &pair{old: g.old, next: g.next, alike: key[0] == key[1]}
			found = append(found, known[key])
		}
		known[key].grounds = append(known[key].grounds, i)
	}
	return found
}

// starts are the moments at which the spans of p begin: now, and whenever something of it begins or ends.
func (r *regimes) starts(p *pair) []time.Time {
	starts := []time.Time{r.at}
	add := func(moments ...time.Time) {
		for _, t := range moments {
			if t.After(r.at) {
				starts = append(starts, t.In(r.at.Location()))
			}
		}
	}
	for _, a := range []*policy.Asker{p.old, p.next} {
		for _, p := range a.Policies() {
			add(p.From, p.Until)
		}
		for _, e := range a.Exceptions() {
			add(e.From, e.Until)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	return slices.CompactFunc(starts, time.Time.Equal)
}

// sorted is the elements of all in order.
func sorted[T ~string](all []T) []T { return slices.Sorted(slices.Values(all)) }
