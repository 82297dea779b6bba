package main

import (
	"context"
	"slices"
	"time"

	"cordon/resolver/policy"
)

// This file is how the auditor sees that something else took effect. Whoever puts it in force goes on at once; what it changes is found
// out and told by the auditor's own goroutine, because that may take seconds.

// sight is what is in force, and what is held, at a moment.
type sight struct {
	good *generation
	held map[string]auditedHold
	at   time.Time
}

// look sees that next is in force, and held is what is not, as it is written. It waits for nothing.
func (a *auditor) look(next *generation, held map[string]auditedHold, now time.Time) {
	a.queue.Lock()
	a.sight = append(a.sight, sight{next, held, now})
	a.queue.Unlock()
	select {
	case a.wake <- struct{}{}:
	default: // it has one
	}
}

// seen takes the oldest sight that is not told yet, and says how many came after it.
func (a *auditor) seen() (oldest sight, after int, found bool) {
	a.queue.Lock()
	defer a.queue.Unlock()
	if len(a.sight) == 0 {
		return sight{}, 0, false
	}
	oldest = a.sight[0]
	a.sight = slices.Delete(a.sight, 0, 1) // which lets go of it: a policy takes memory
	return oldest, len(a.sight), true
}

// maxSights is how many sights may wait for one whose effect is found out: the policies in them take memory.
const maxSights = 3

// unknownEffect is told in place of an effect.
const unknownEffect = "what it changes is not known: there was no time to find it out"

// catchUp tells of all sights that there are. What they change is found out until comparing ends.
func (a *auditor) catchUp(comparing context.Context) {
	for s, after, found := a.seen(); found; s, after, found = a.seen() {
		var effect []string
		if before := a.good; before != nil && a.effect != nil && before.snapshot.Hash() != s.good.snapshot.Hash() {
			effect = []string{unknownEffect}
			if after <= maxSights {
				effect = a.effectOf(comparing, before.snapshot, s.good.snapshot, s.at)
			}
		}
		a.tell(s, effect)
		if effect != nil {
			giveBack() // what was in force before is no longer needed
		}
	}
}

// tell tells what has changed since the sight before s.
func (a *auditor) tell(s sight, effect []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, now := a.good, s.at
	if now.Before(a.last) { // it was seen while something later was told
		now = a.last
	}
	if before != nil {
		a.noteUses(a.hour(now)) // by the exceptions that there were until now
	}
	a.good, a.last = s.good, now
	a.tellHolds(s.held, now)
	a.tellTerms(now)
	if before == nil || before.snapshot.Hash() != a.good.snapshot.Hash() {
		a.tellSnapshot(effect, now)
	}
	a.fresh = false
}

// effectOf is what a change changes, if that is found out before ctx ends. It is left to itself then, for the process ends too.
func (a *auditor) effectOf(ctx context.Context, before, after *policy.Snapshot, at time.Time) []string {
	found := make(chan []string, 1)
	go func() {
		effect := []string{unknownEffect}
		defer func() {
			a.survive(recover())
			found <- effect
		}()
		aside(func() { effect = a.effect(before, after, at) })
	}()
	select {
	case effect := <-found:
		return effect
	case <-ctx.Done():
		return []string{unknownEffect}
	}
}
