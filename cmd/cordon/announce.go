package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"cordon/resolver/policy"
)

// This file says in the log what comes by itself: a policy or an exception begins or ends, a review is due. Ends and reviews are said
// 30, 7 and 1 days ahead too, in the time zone of the policy file.

// ahead are the days before an event at which it is said, nearest first; 0 is the moment itself. A stage is a place in it.
var ahead = [...]int{0, 1, 7, 30}

const (
	passed    = 0
	farAhead  = len(ahead)     // a stage before all others
	sayAgain  = 24 * time.Hour // how soon the same may be said again: a clock that goes back and forth says little
	quietTime = time.Hour      // how long nothing is looked at if nothing is to come
)

// event is what comes at a known moment.
type event struct {
	about  slog.Attr // "policy" or "exception" and its name
	source string    // where that is written
	kind   eventKind
	at     time.Time
	passed bool // it is behind us, by the clock or by what the clock has once shown
	ban    bool // it is about a ban
}

type eventKind uint8

const (
	begins eventKind = iota // the only one that is not said ahead
	ends
	review
)

// eventKey is an event across snapshots. One that is put off is another event.
type eventKey struct {
	about, name string
	kind        eventKind
	at          int64
}

func (e *event) key() eventKey {
	return eventKey{about: e.about.Key, name: e.about.Value.String(), kind: e.kind, at: e.at.UnixMilli()}
}

// events are those of s that have a date, as they are at now.
func events(s *policy.Snapshot, now policy.Instant) []event {
	var all []event
	add := func(e event) {
		if !e.at.IsZero() {
			all = append(all, e)
		}
	}
	for _, p := range s.Policies() {
		about := slog.String("policy", p.Name)
		phase, _ := p.Phase(now)
		add(event{about: about, source: p.Source, kind: begins, at: p.From, passed: phase != policy.NotYet})
		add(event{about: about, source: p.Source, kind: ends, at: p.Until, passed: phase == policy.Over, ban: !p.Recommendation})
		if phase != policy.Over { // else there is nothing to look at again
			add(event{about: about, source: p.Source, kind: review, at: p.Review, passed: !now.Now.Before(p.Review)})
		}
	}
	for _, x := range s.Exceptions() {
		about := slog.String("exception", x.Name)
		phase, _ := x.Phase(now)
		add(event{about: about, source: x.Source, kind: begins, at: x.From, passed: phase != policy.NotYet})
		add(event{about: about, source: x.Source, kind: ends, at: x.Until, passed: phase == policy.Over})
	}
	return all
}

// farthest is the first stage at which e is said: a place in ahead.
func (e *event) farthest() int {
	if e.kind == begins {
		return passed
	}
	return farAhead - 1
}

// stage is how near e is: the least place in ahead whose moment has come.
func (e *event) stage(now time.Time) int {
	if e.passed {
		return passed
	}
	for stage := passed + 1; stage <= e.farthest(); stage++ {
		if !now.Before(e.at.AddDate(0, 0, -ahead[stage])) {
			return stage
		}
	}
	return farAhead
}

// next is the first moment after now at which e gets to another stage, zero if there is none.
func (e *event) next(now time.Time) time.Time {
	for stage := e.farthest(); stage >= passed; stage-- {
		if at := e.at.AddDate(0, 0, -ahead[stage]); at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// say says that e is near, or there.
func (e *event) say(log *slog.Logger, now time.Time) {
	level, text := slog.LevelWarn, e.text(now)
	if e.kind == ends && e.passed && e.ban {
		level, text = slog.LevelError, text+": what it bans passes, unless another policy bans it"
	}
	log.LogAttrs(context.Background(), level, text, //nolint:sloglint // how many days there are is what is to be read first
		e.about, slog.Time("at", e.at), slog.String("written_in", e.source))
}

func (e *event) text(now time.Time) string {
	when := "now"
	if !e.passed {
		when = "in " + daysText(e.at, now)
	}
	switch e.kind {
	case begins:
		return "comes into force " + when
	case ends:
		return "ends " + when
	default:
		return "a review is due " + when
	}
}

// daysText is how many days at most there are until at.
func daysText(at, now time.Time) string {
	days := 1
	for now.Before(at.AddDate(0, 0, -days)) {
		days++
	}
	switch {
	case at.AddDate(0, 0, -1).Before(now.Add(-time.Minute)):
		return "less than a day"
	case days == 1:
		return "1 day"
	}
	return strconv.Itoa(days) + " days"
}

// announcer says of every event when it gets to another stage: once, however often it looks, and again only if the clock went back
// meanwhile and a day has gone by. What was behind when it first looked is not said. It is used by one goroutine.
type announcer struct {
	log    *slog.Logger
	noted  map[eventKey]stages
	wakeAt time.Time // when there is something to say next, by the clock that was last shown; zero: never
}

// stages is how far an event was when it was last looked at, and when each stage was said, by the monotonic clock.
type stages struct {
	now  int
	said [farAhead]time.Time
}

// look says what is news of s.
func (a *announcer) look(s *policy.Snapshot, now policy.Instant) {
	noted := make(map[eventKey]stages, len(a.noted))
	a.wakeAt = time.Time{}
	for _, e := range events(s, now) {
		before, known := a.noted[e.key()]
		if !known {
			before.now = farAhead
		}
		stage := e.stage(now.Now)
		if news := stage < before.now && (known || stage != passed); news && before.mayBeSaid(stage) {
			before.said[stage] = time.Now()
			e.say(a.log, now.Now)
		}
		before.now = stage
		noted[e.key()] = before
		a.wake(e.next(now.Now))
	}
	a.noted = noted
}

// wake makes wakeAt the moment at, unless that is sooner; a zero at is never.
func (a *announcer) wake(at time.Time) {
	if !at.IsZero() && (a.wakeAt.IsZero() || at.Before(a.wakeAt)) {
		a.wakeAt = at
	}
}

func (s *stages) mayBeSaid(stage int) bool {
	last := s.said[stage]
	return last.IsZero() || time.Since(last) >= sayAgain
}

// announce logs what is to be said at now, and notes in the state directory that now was seen.
func (s *server) announce(now time.Time) {
	s.announcer.log = s.log
	s.announcer.look(s.loader.good.snapshot, s.resolver.Instant(now))
	s.announceStale(now)
	if err := s.state.touch(now); err != nil {
		s.outcome.notSaved()
		s.log.Warn("the time was not noted in the state directory", "error", err)
	}
}

// nextAnnouncement fires when there may be something to say, and every hour.
func (s *server) nextAnnouncement() *time.Timer {
	if s.announcer.wakeAt.IsZero() {
		return time.NewTimer(quietTime)
	}
	return time.NewTimer(min(quietTime, max(time.Until(s.announcer.wakeAt), time.Millisecond)))
}

// announceStale logs which lists are older than they may be, each once, and which no longer are.
func (s *server) announceStale(now time.Time) {
	stale := map[string]bool{}
	for _, list := range s.outcome.lists(now) {
		if list.State != stateStale {
			continue
		}
		stale[list.Name] = true
		if !s.stale[list.Name] {
			s.log.Error("a list is older than its max_age: it stays in force, but its source may be gone", "list", list.Name,
				"source", list.Source, "current", list.Current)
		}
	}
	for name := range s.stale {
		if !stale[name] {
			s.log.Info("a list is no longer too old", "list", name)
		}
	}
	s.stale = stale
}
