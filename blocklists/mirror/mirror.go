package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"
)

// Config is what a Mirror needs.
type Config struct {
	// Dir is where the copies are, made if need be; nobody else writes there. "": there is no state directory, and [Mirror.Set] refuses
	// every list.
	Dir string
	// Log gets a line when a list fails, recovers or changes. Required.
	Log *slog.Logger
	// Changed is called when a list has a new copy, after [Mirror.Copy] returns it; not for one whose content and signature are the
	// same. It is called by several goroutines and must not block. nil: nobody wants to know.
	Changed func(name string)
}

// Remote is a list and where it comes from.
type Remote struct {
	Name     string        // of the list: a letter or digit, then at most 62 letters, digits, dots, hyphens and underscores
	Identity string        // all that makes it the list that it is, but no secret; it is compared, and kept only as a hash
	Source   Source        // required
	Refresh  time.Duration // the time between two questions, unless the source says another; 0: an hour
	Retry    time.Duration // the most that is waited after a first failure; 0: 30 s
	MaxSize  int64         // octets of the largest content that is kept; 0: 128 MiB
}

const (
	defaultRefresh = time.Hour
	defaultRetry   = 30 * time.Second
	defaultMaxSize = 128 << 20

	atOnce = 4 // sources that are asked at the same time
)

// What a [Status] calls an outcome.
const (
	Changed   = "changed"
	Unchanged = "unchanged"
	Failed    = "failed"
)

// Status is how a list is doing. A zero time: never. LastSuccess and LastChange go back to before the start if there was a copy.
type Status struct {
	LastAttempt time.Time // when the source was last asked
	LastSuccess time.Time // when the source last said what is the newest content
	LastChange  time.Time // when the content came that there is
	NextAttempt time.Time // when the source will be asked if nothing happens
	LastError   string    // what was wrong with the last attempt, "" if nothing was
	Failures    int       // since the last success
	Outcome     string    // of the last attempt: [Changed], [Unchanged], [Failed], or "" before the first
}

// Mirror keeps copies of remote lists. It is safe for concurrent use.
type Mirror struct {
	config Config
	store  *store
	slots  chan struct{} // holds a value for each source that is asked
	added  chan struct{} // holds a value when there may be lists that nobody follows

	setting sync.Mutex // held by Set throughout

	mu    sync.Mutex
	lists map[string]*list // replaced, never written to
}

// New makes the directory, and starts nothing.
func New(c Config) (*Mirror, error) {
	if c.Log == nil {
		return nil, errors.New("make a mirror of lists: Log is required")
	}
	m := &Mirror{
		config: c,
		store:  &store{dir: c.Dir},
		slots:  make(chan struct{}, atOnce),
		added:  make(chan struct{}, 1),
	}
	if c.Dir == "" {
		return m, nil
	}
	if err := m.store.open(); err != nil {
		return nil, fmt.Errorf("directory for copies of lists: %w", err)
	}
	return m, nil
}

// Set makes lists the ones to keep copies of. A list that there is, with the same identity, keeps its copy and its schedule; a list
// that is left out is not asked any more, and its copy stays on the disk, see [Mirror.Sweep]. After an error everything is as before.
//
// It reads the copies of lists that are new, whole, and looks whether they are what they were when they were written.
func (m *Mirror) Set(lists []Remote) error {
	m.setting.Lock()
	defer m.setting.Unlock()
	if err := m.check(lists); err != nil {
		return err
	}
	before, next := m.current(), make(map[string]*list, len(lists))
	for _, r := range lists {
		if old := before[r.Name]; old != nil && old.identity == r.Identity {
			next[r.Name] = old
		} else {
			next[r.Name] = m.newList(r)
		}
	}
	m.mu.Lock()
	m.lists = next
	m.mu.Unlock()
	for _, r := range lists {
		next[r.Name].update(r)
	}
	for name, old := range before {
		if next[name] != old {
			old.leave()
		}
	}
	signal(m.added)
	return nil
}

func (m *Mirror) check(lists []Remote) error {
	if m.config.Dir == "" && len(lists) > 0 {
		return fmt.Errorf("list %s: it comes from another server, and there is no directory for the copy that a restart needs: "+
			"set state_dir", lists[0].Name)
	}
	seen := make(map[string]bool, len(lists))
	for _, r := range lists {
		switch {
		case !validName(r.Name):
			return fmt.Errorf("list %q: want a name of letters, digits, dots, hyphens and underscores, 63 at most, "+
				"that begins with a letter or digit", r.Name)
		case r.Source == nil:
			return fmt.Errorf("list %s: it has no source to copy it from", r.Name)
		case seen[r.Name]:
			return fmt.Errorf("list %s: it is there twice: want each name once", r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}

var listName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`) })

// validName says whether name may be the beginning of a file's name.
func validName(name string) bool { return listName().MatchString(name) }

// Run asks the sources when their time comes, until ctx ends, and returns nil when the last of them has ended. It is called once.
func (m *Mirror) Run(ctx context.Context) error {
	var following sync.WaitGroup
	defer following.Wait()
	for {
		for _, l := range m.current() {
			if mine, ok := l.begin(ctx); ok {
				following.Go(func() { l.follow(mine) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.added:
		}
	}
}

// First asks the sources of all lists that have no copy, once, and returns when they have answered or failed, or when ctx ends. It
// needs no [Mirror.Run], and may be called beside it: a list is asked once.
func (m *Mirror) First(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, l := range m.current() {
		if l.untried() {
			asking.Go(func() { l.ask(ctx, l.untried) })
		}
	}
}

// Again asks the sources of all lists, whether they have a copy or not, once, and returns as [Mirror.First] does.
func (m *Mirror) Again(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, l := range m.current() {
		asking.Go(func() { l.ask(ctx, func() bool { return true }) })
	}
}

// Poke has the source of the list called name asked now: somebody said that there is something new. It returns at once. Pokes within a
// second of each other are one; one that comes while the source is asked has it asked again. A name that is not known is ignored.
func (m *Mirror) Poke(name string) {
	if l := m.current()[name]; l != nil {
		l.poke()
	}
}

// Copy is the copy of the list called name, nil if there is none or if it is one of another identity. Its file stays in place until
// the version after the next one has come.
func (m *Mirror) Copy(name, identity string) *Copy {
	l := m.current()[name]
	if l == nil || l.identity != identity {
		return nil
	}
	return l.copied()
}

// Status is how the list called name is doing, all zero if the name is not known.
func (m *Mirror) Status(name string) Status {
	if l := m.current()[name]; l != nil {
		return l.currentStatus()
	}
	return Status{}
}

// Sweep removes the files of lists that [Mirror.Set] does not know, once nobody has used them for a week, and what a crash left
// half written. Call it when the lists of a whole, faultless configuration are set.
func (m *Mirror) Sweep() error {
	if m.config.Dir == "" {
		return nil
	}
	known := map[string]bool{}
	for _, l := range m.current() {
		known[stem(l.name, l.identity)] = true
	}
	if err := m.store.sweep(known, time.Now()); err != nil {
		return fmt.Errorf("clear old copies of lists: %w", err)
	}
	return nil
}

func (m *Mirror) current() map[string]*list {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lists
}

// signal leaves a value in c, which has room for one, for whoever waits there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
