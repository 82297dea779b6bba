package main

import (
	"context"
	"time"

	"cordon/cmd/cordon/systemd"
	"cordon/cmd/cordon/wording"
)

// This file tells the service manager how the server is: ready, reading again, stopping, and whether it answers.

// manager is the way to the service manager, and what it was told last. It is used by one goroutine at a time, but for its notifier.
type manager struct {
	notifier *systemd.Notifier // nil: there is none
	status   string
}

// tellReady tells that a policy is in force and that the sockets are open.
func (s *server) tellReady() {
	s.manager.status = s.statusLine()
	s.told(s.manager.notifier.Ready(s.manager.status))
}

func (s *server) tellReloading() { s.told(s.manager.notifier.Reloading()) }

// tellStopping tells it when ctx ends.
func (s *server) tellStopping(ctx context.Context) {
	<-ctx.Done()
	s.told(s.manager.notifier.Stopping())
}

// tellStatus tells what is in force, if that is news.
func (s *server) tellStatus() {
	if status := s.statusLine(); status != s.manager.status {
		s.manager.status = status
		s.told(s.manager.notifier.Status(status))
	}
}

func (s *server) told(err error) {
	if err != nil {
		s.log.Warn("the service manager was not told how the server is", "error", err)
	}
}

// statusLine says how much is held, which policy is in force, how old the oldest list is, and what the policy bans by: in this order, as a
// service manager shows the beginning of a long line.
func (s *server) statusLine() string {
	now, snapshot := time.Now(), s.loader.good.snapshot
	text := "policy " + snapshot.Hash()[:shortHash]
	if held := len(s.held()); held > 0 {
		text = wording.Count(held, "fault") + " held: see cordon status; " + text
	}
	if oldest := oldestList(s.outcome.lists(now)); oldest != nil {
		text += "; oldest list " + oldest.Name + ", current " + wording.Minute(oldest.Current.Local())
	}
	text += "; in force: " + inForce(snapshot, now)
	if until := s.queries.IncidentUntil(); !until.IsZero() {
		text += "; incident mode until " + wording.Minute(until)
	}
	return text
}

// shortHash is how many digits of a hash tell policies apart for people.
const shortHash = 8

// oldestList is the one whose source was known to have nothing newer the longest ago; nil if that is not known of any.
func oldestList(all []listStatus) (oldest *listStatus) {
	for i := range all {
		l := &all[i]
		if !l.Current.IsZero() && (oldest == nil || l.Current.Before(oldest.Current)) {
			oldest = l
		}
	}
	return oldest
}

// assure tells the service manager that the server is well, as long as that is so, twice in the time after which it would end the process;
// 0: nobody looks. The server is well if it answers a query of its own, or has read queries of others meanwhile: in a flood, our own may be
// lost.
func (s *server) assure(ctx context.Context, patience time.Duration) {
	if patience == 0 {
		return
	}
	tick := time.NewTicker(patience / 2) // one that comes late is in time
	defer tick.Stop()
	for read := uint64(0); ; {
		before := read
		err := s.selftest.Alive(ctx, patience/4)
		if read = s.listener.Queries(); err == nil || read > before {
			s.told(s.manager.notifier.Alive())
		} else if ctx.Err() == nil {
			s.log.Error("the server does not answer its own query: the service manager may end it", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
