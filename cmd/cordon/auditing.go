package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/blocklists"
	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/effect"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/policy"
)

// auditor tells the audit log what happens: it compares what is with what the log said last. The log says that of earlier processes too,
// so what began, ended or changed while no server ran is told at the next start. A nil auditor tells nothing. It is safe for concurrent
// use; no query waits for it.
type auditor struct {
	file *audit.Log
	log  *slog.Logger

	counted func() []resolver.Count                                     // what was decided since the process began
	used    func() map[string]uint64                                    // how often each exception was used since then; nil: not known
	failing func() []string                                             // the routes without an upstream that answers
	effect  func(before, after *policy.Snapshot, at time.Time) []string // what a change changes; nil: not said

	stop func() // ends what begin began

	queue sync.Mutex    // of sights
	sight []sight       // what is to be told, the oldest first
	wake  chan struct{} // has a value when there is a sight

	mu    sync.Mutex
	good  *generation // in force when it was last told of; nil: it never was
	last  time.Time   // of what was told last
	said  said
	fresh bool // nothing was said by an earlier process

	since   time.Time // when it was counted last
	counts  map[countKey]uint64
	uses    map[string]uint64
	usedBy  map[string]string // the agency of each exception of which it is to be told that it was used
	outages map[string]*outage
}

// said is what the log says of the present state.
type said struct {
	terms map[termKey]audit.Term
	holds map[string]auditedHold // by what is held
}

// auditedHold is a hold that the log knows.
type auditedHold struct {
	reason  string
	content blocklists.Content // as in hold; zero if an earlier process said it
}

// auditDir is where s has the audit log, "" for nowhere.
func auditDir(s *config.Service) string {
	if s.Audit.Dir == "" && s.StateDir != "" {
		return filepath.Join(s.StateDir, "audit")
	}
	return s.Audit.Dir
}

// openAudit makes the auditor, if the service has an audit log, and tells that the server starts, with what.
func (s *server) openAudit() {
	dir := auditDir(s.service)
	if dir == "" {
		return
	}
	file := audit.New(audit.Config{Dir: dir, MaxFile: int64(s.service.Audit.MaxFile), Keep: s.service.Audit.Keep, Log: s.log})
	s.registry.MustRegister(file)
	s.audit = &auditor{
		effect: func(before, after *policy.Snapshot, at time.Time) []string {
			d := effect.Compare(before, after, at.In(zoneOf(after)))
			return d.Sentences()
		},
		file: file, log: s.log, counted: s.resolver.Counts, used: s.resolver.Uses, failing: s.upstream.failing, since: time.Now(),
		counts: map[countKey]uint64{}, uses: map[string]uint64{}, usedBy: map[string]string{},
		outages: map[string]*outage{}, wake: make(chan struct{}, 1),
	}
	earlier, fresh, err := recall(audit.ReadState(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("audit log: what it said last can't be read: everything counts as new", "error", err)
	}
	s.audit.fresh, s.audit.said = fresh, earlier
	file.Append(audit.Entry{Kind: audit.Start, Version: thisBuild().version, Hash: s.loader.good.snapshot.Hash()})
	s.audited()
}

// audited tells the audit log what has changed in what is in force, or is held.
func (s *server) audited() {
	if s.audit == nil {
		return
	}
	s.audit.look(s.loader.good, s.held(), time.Now())
}

// held is all that is not in force as it is written.
func (s *server) held() map[string]auditedHold {
	all := map[string]auditedHold{}
	for what, h := range s.loader.holds {
		all[what] = auditedHold{audit.WithoutAddresses(h.reason), h.content}
	}
	s.outcome.mu.Lock()
	defer s.outcome.mu.Unlock()
	for path, h := range s.outcome.hosts {
		all[path] = auditedHold{reason: audit.WithoutAddresses(h.reason)}
	}
	if h := s.outcome.service; h != nil {
		all[s.outcome.path] = auditedHold{reason: audit.WithoutAddresses(h.reason)}
	}
	return all
}

// tellHolds tells which holds are new, have another reason, or have ended by now.
func (a *auditor) tellHolds(held map[string]auditedHold, now time.Time) {
	for _, what := range slices.Sorted(maps.Keys(held)) {
		if old, known := a.said.holds[what]; known && old.reason == held[what].reason {
			continue
		}
		kind := audit.Rejected
		if _, isList := strings.CutPrefix(what, "list "); isList {
			kind = audit.Held
		}
		a.file.Append(audit.Entry{Kind: kind, Time: now, What: what, Reason: held[what].reason})
	}
	for _, what := range slices.Sorted(maps.Keys(a.said.holds)) {
		if _, still := held[what]; still {
			continue
		}
		kind := audit.Released
		if a.isBelieved(what, a.said.holds[what].content) {
			kind = audit.Accepted
		}
		a.file.Append(audit.Entry{Kind: kind, Time: now, What: what})
	}
	a.said.holds = held
}

// isBelieved says whether what is a list that is in force with the content for which it was held.
func (a *auditor) isBelieved(what string, content blocklists.Content) bool {
	name, isList := strings.CutPrefix(what, "list ")
	if !isList || content == (blocklists.Content{}) {
		return false
	}
	list := a.good.list(name)
	return list != nil && list.Content() == content
}

// tellSnapshot tells that another policy took effect, and everything that somebody needs to know what was in force.
func (a *auditor) tellSnapshot(changed []string, now time.Time) {
	e := audit.Entry{Kind: audit.Snapshot, Time: now, Hash: a.good.snapshot.Hash(), Effect: changed}
	for _, f := range a.good.set.Files {
		e.Files = append(e.Files, audit.File{Name: f.Path, Hash: hex.EncodeToString(f.Hash[:])})
	}
	for _, l := range a.good.lists {
		hash := l.Hash()
		e.Lists = append(e.Lists, audit.List{Name: l.Name(), Hash: hex.EncodeToString(hash[:]), Entries: l.Len() + l.Networks()})
	}
	for _, key := range slices.SortedFunc(maps.Keys(a.said.terms), termKey.compare) {
		if key.exception {
			e.Exceptions = append(e.Exceptions, a.said.terms[key])
		} else {
			e.Policies = append(e.Policies, a.said.terms[key])
		}
	}
	for _, what := range slices.Sorted(maps.Keys(a.said.holds)) {
		e.Holds = append(e.Holds, audit.Hold{What: what, Reason: a.said.holds[what].reason})
	}
	a.file.Append(e)
}

// What the auditor waits for.
const (
	auditPause     = 2 * time.Second // between two looks at upstreams, exceptions and the clock
	effectPatience = time.Second / 2 // for what a change changes, at the stop
	auditPatience  = 2 * time.Second // for the disk, at the stop
)

// begin starts to write, and to look at what happens by itself.
func (a *auditor) begin() {
	if a == nil {
		return
	}
	looking, stopLooking := context.WithCancel(context.Background())
	comparing, stopComparing := context.WithCancel(context.Background())
	writing, stopWriting := context.WithCancel(context.Background())
	looked, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(looked)
		a.run(looking, comparing)
	}()
	go func() {
		defer close(written)
		defer func() { a.survive(recover()) }()
		a.file.Run(writing)
	}()
	a.stop = func() {
		defer time.AfterFunc(effectPatience, stopComparing).Stop()
		stopLooking()
		<-looked
		a.survivingTick(comparing)
		a.tellEnd(time.Now())
		stopComparing()
		stopWriting()
		select {
		case <-written:
		case <-time.After(auditPatience):
			a.log.Error("audit log: the stop could not be written, for the disk does not answer")
		}
	}
}

// end tells what was counted last, and that the server stops. It waits until that is written, but not for long.
func (a *auditor) end() {
	if a != nil {
		a.stop()
	}
}

// run looks at what happens, until looking ends. What a change changes is found out until comparing ends.
func (a *auditor) run(looking, comparing context.Context) {
	ticker := time.NewTicker(auditPause)
	defer ticker.Stop()
	for {
		select {
		case <-looking.Done():
			return
		case <-a.wake:
		case <-ticker.C:
		}
		a.survivingTick(comparing)
	}
}

// survivingTick tells what was seen, and what has happened by itself, until now. A panic in it does not end the server.
func (a *auditor) survivingTick(comparing context.Context) {
	defer func() { a.survive(recover()) }()
	a.catchUp(comparing)
	a.tick(time.Now())
}

// survive says that there was a panic p, if there was.
func (a *auditor) survive(p any) {
	if p != nil {
		a.log.Error("audit log: a fault in Cordon: please report this", "panic", p)
	}
}

// tick tells what has happened by itself until now.
func (a *auditor) tick(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = now
	a.tellTerms(now)
	a.tellOutages(now)
	if !a.since.Truncate(time.Hour).Equal(now.Truncate(time.Hour)) { // later, or earlier if the clock stepped back
		a.tellHour(now)
	}
}

// tellEnd tells all that is left to tell.
func (a *auditor) tellEnd(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tellHour(now)
	a.file.Append(audit.Entry{Kind: audit.Stop, Time: now, Hash: a.good.snapshot.Hash()})
}
