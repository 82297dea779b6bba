package policy

import "time"

// Phase is where a moment lies in the time of a policy or an exception.
type Phase uint8

// The phases, in the order of time.
const (
	NotYet Phase = iota
	InForce
	Over
)

// String returns "not yet in force", "in force" or "over".
func (p Phase) String() string { return word(p, "not yet in force", "in force", "over") }

// Phase returns the phase of p at now, and the moment when the next one begins; zero if none does.
func (p *Policy) Phase(now Instant) (phase Phase, next time.Time) {
	switch {
	case !p.Until.IsZero() && !now.Now.Before(p.Until):
		return Over, time.Time{}
	case now.Now.Before(p.From) && now.HighWater.Before(p.From):
		return NotYet, p.From
	default:
		return InForce, p.Until
	}
}

// Phase returns the phase of e at now, and the moment when the next one begins; zero if none does.
func (e *Exception) Phase(now Instant) (phase Phase, next time.Time) {
	switch {
	case !now.before(e.Until):
		return Over, time.Time{}
	case now.Now.Before(e.From):
		return NotYet, e.From
	default:
		return InForce, e.Until
	}
}

// before says whether t was never reached: a moment of the past stays past when the clock steps back.
func (i Instant) before(t time.Time) bool {
	return i.Now.Before(t) && i.HighWater.Before(t)
}

// sooner returns the earlier of two boundaries, of which the zero Time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
