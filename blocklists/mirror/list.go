package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// longestFetch is when a source that does not end by itself is made to.
const longestFetch = time.Hour

// list is a remote list, its copy, and when its source is asked next.
type list struct {
	name, identity string

	m      *Mirror
	log    *slog.Logger
	asking chan struct{} // holds a value while the source is asked
	woken  chan struct{} // holds a value when due may have changed

	mu     sync.Mutex
	remote Remote
	have   *kept // nil: there is no copy
	status Status
	next   time.Time // with a monotonic reading
	poked  bool      // since the last attempt began
	begun  time.Time // when that was
	stop   context.CancelFunc
}

// newList is the list that r says, with the copy that is on the disk.
func (m *Mirror) newList(r Remote) *list {
	l := &list{
		name:     r.Name,
		identity: r.Identity,
		m:        m,
		log:      m.config.Log.With("list", r.Name),
		asking:   make(chan struct{}, 1),
		woken:    make(chan struct{}, 1),
		remote:   withDefaults(r),
		next:     time.Now(),
	}
	have, err := m.store.load(r.Name, r.Identity)
	if err != nil {
		l.log.Warn("the copy of this list is of no use and will be fetched again", "error", err)
	}
	if have != nil {
		l.have = have
		l.status.LastSuccess, l.status.LastChange = have.Checked, have.Fetched
		l.next = afterStart(time.Now(), have.Checked, l.refresh())
	}
	return l
}

func withDefaults(r Remote) Remote {
	if r.Refresh <= 0 {
		r.Refresh = defaultRefresh
	}
	if r.Retry <= 0 {
		r.Retry = defaultRetry
	}
	if r.MaxSize <= 0 {
		r.MaxSize = defaultMaxSize
	}
	return r
}

// update makes r, of the same identity, what the list goes by. A list that waits for its next refresh waits for the new time.
func (l *list) update(r Remote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.refresh()
	l.remote = withDefaults(r)
	if refresh := l.refresh(); refresh != before && l.have != nil && l.status.Failures == 0 {
		l.next = afterStart(time.Now(), l.have.Checked, refresh)
		signal(l.woken)
	}
}

// begin is the context to follow the list in, false if somebody does so.
func (l *list) begin(ctx context.Context) (context.Context, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		return nil, false
	}
	ctx, l.stop = context.WithCancel(ctx)
	return ctx, true
}

// leave ends what begin began, and lets the week of [Mirror.Sweep] begin.
func (l *list) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
	}
	l.m.store.touch(l.name, l.identity, time.Now())
}

// follow asks the source whenever that is due, until ctx ends.
func (l *list) follow(ctx context.Context) {
	for l.wait(ctx) {
		l.ask(ctx, l.isDue)
	}
}

// wait returns true when the source is to be asked, false when ctx has ended.
func (l *list) wait(ctx context.Context) bool {
	for {
		timer := time.NewTimer(time.Until(l.due()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-l.woken:
			timer.Stop()
		case <-timer.C:
			return true
		}
	}
}

// due is when the source is to be asked.
func (l *list) due() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.poked {
		return l.begun.Add(betweenPokes)
	}
	return l.next
}

func (l *list) isDue() bool { return time.Until(l.due()) <= 0 }

func (l *list) poke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.poked = true
	signal(l.woken)
}

// untried says whether there is neither a copy nor an attempt to get one.
func (l *list) untried() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.have == nil && l.status.Outcome == ""
}

// ask asks the source once, and acts on what it says. When its turn comes and there is nothing to do any more by then, it does nothing.
func (l *list) ask(ctx context.Context, still func() bool) {
	if !acquire(ctx, l.asking) {
		return
	}
	defer func() { <-l.asking }()
	if !acquire(ctx, l.m.slots) {
		return
	}
	defer func() { <-l.m.slots }()
	if !still() {
		return
	}
	remote, have := l.attempt()
	got, err := l.fetch(ctx, remote, have)
	switch {
	case err == nil:
		l.succeeded(got)
	case errors.Is(ctx.Err(), context.Canceled): // by us: it says nothing about the source
	default:
		l.failed(err, got.outcome)
	}
}

// acquire puts a value into c when there is room, and returns false if ctx ends before.
func acquire(ctx context.Context, c chan struct{}) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case c <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt notes that the source is asked now, and looks whether the copy is still there.
func (l *list) attempt() (Remote, *kept) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.poked, l.begun = false, time.Now()
	l.status.LastAttempt = wallTime()
	if l.have != nil && !l.have.intact() {
		if err := l.have.verify(); err != nil {
			l.log.Warn("the copy of this list was changed or removed: fetching it again", "file", l.have.Path, "error", err)
			l.have = nil
		}
	}
	return l.remote, l.have
}

// got is what an attempt came to.
type got struct {
	kept    *kept // what there is now
	changed bool
	outcome Outcome
}

// fetch has the source write its newest version to the disk, and puts it in place if it is another one.
func (l *list) fetch(ctx context.Context, r Remote, have *kept) (got, error) {
	ctx, cancel := context.WithTimeout(ctx, longestFetch)
	defer cancel()
	d, err := l.m.store.draft(r.MaxSize)
	if err != nil {
		return got{}, err
	}
	defer d.discard()
	outcome, err := l.survive(ctx, r.Source, have.copied(), d)
	unchanged := errors.Is(err, ErrUnchanged)
	switch {
	case unchanged && have == nil:
		return got{outcome: outcome}, errors.New("the source says that nothing has changed, but there is no copy: want the content")
	case !unchanged && d.err != nil:
		return got{outcome: outcome}, d.err // it says more than what the source made of it
	case !unchanged && err != nil:
		return got{outcome: outcome}, err
	case !unchanged:
		if err := outcome.check(); err != nil {
			return got{}, err
		}
		return l.keep(d, have, outcome)
	}
	outcome.Version, outcome.Signature = have.Version, have.Signature
	return l.note(have, outcome), nil
}

// keep makes what was written to d the copy.
func (l *list) keep(d *draft, have *kept, o Outcome) (got, error) {
	sum, err := d.checksum()
	if err != nil {
		return got{outcome: o}, err
	}
	if have != nil && have.SHA256 == sum {
		g := l.note(have, o)
		g.changed = !bytes.Equal(have.Signature, o.Signature)
		return g, nil
	}
	fresh := newKept(l.name, l.identity, sum, d.size, o)
	if err := l.m.store.commit(d, fresh, have); err != nil {
		return got{outcome: o}, err
	}
	return got{kept: fresh, changed: true, outcome: o}, nil
}

// note writes down that the content of have is still the newest. If that fails, only a restart will not know.
func (l *list) note(have *kept, o Outcome) got {
	fresh := have.checkedAgain(o)
	if err := l.m.store.note(fresh); err != nil {
		l.log.Warn("this list is unchanged, but that was not written down: a restart will ask again", "error", err)
	}
	return got{kept: fresh, outcome: o}
}

// survive is Fetch, but a panic in it is an error.
func (l *list) survive(ctx context.Context, from Source, have *Copy, d *draft) (o Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("fetching a list ended by a fault in Cordon: please report this", "panic", p, "stack", string(debug.Stack()))
			o, err = Outcome{}, errors.New("it ended by a fault in Cordon, which is in the log: please report it")
		}
	}()
	return from.Fetch(ctx, have, d)
}

const maxVersion, maxSignature = 4 << 10, 4 << 10

// check looks at what goes into the small file beside the content.
func (o Outcome) check() error {
	switch {
	case len(o.Version) > maxVersion:
		return fmt.Errorf("the name of its version has %d octets: want at most %d", len(o.Version), maxVersion)
	case len(o.Signature) > maxSignature:
		return fmt.Errorf("its signature has %d octets: want at most %d", len(o.Signature), maxSignature)
	}
	return nil
}

// failed takes note of an attempt without success.
func (l *list) failed(err error, o Outcome) {
	l.mu.Lock()
	l.status.Failures++
	l.status.Outcome, l.status.LastError = Failed, err.Error()
	wait := afterFailure(l.status.Failures, o.Retry, l.remote.Retry, l.refresh())
	l.next = time.Now().Add(wait)
	failures, have := l.status.Failures, l.have != nil
	l.mu.Unlock()
	l.log.Warn("this list could not be fetched", "error", err, "failures", failures, "copy_stays", have,
		"again_in", wait.Round(time.Second))
}

// succeeded makes what the source gave the copy that everybody sees.
func (l *list) succeeded(g got) {
	l.mu.Lock()
	failures := l.status.Failures
	l.have = g.kept
	l.status.Failures, l.status.LastError, l.status.Outcome = 0, "", Unchanged
	l.status.LastSuccess, l.status.LastChange = g.kept.Checked, g.kept.Fetched
	if g.changed {
		l.status.Outcome = Changed
	}
	l.next = time.Now().Add(jitter(l.refresh()))
	l.mu.Unlock()

	level := slog.LevelDebug
	if g.changed || failures > 0 {
		level = slog.LevelInfo
	}
	l.log.Log(context.Background(), level, "list fetched", "changed", g.changed, "octets", g.kept.Size, "failures_before", failures)
	if g.changed && l.m.config.Changed != nil {
		l.m.config.Changed(l.name)
	}
}

// refresh is the time between two questions, as the source says or else the configuration. l.mu is held.
func (l *list) refresh() time.Duration {
	if l.have != nil && l.have.refresh > 0 {
		return min(max(l.have.refresh, leastWait), longestWait)
	}
	return l.remote.Refresh
}

func (l *list) copied() *Copy {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.have.copied()
}

func (l *list) currentStatus() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.NextAttempt = l.next.Round(0)
	return s
}

// wallTime is the time of day, without what only this process can compare.
func wallTime() time.Time { return time.Now().UTC().Round(0) }
