package config

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The rhythm of a [Watcher], unless its Config says otherwise. A change is noticed at once where the file system tells of
// it, else after poll; it is announced when nothing has changed for the debounce, or after maxSettle of unrest. The worst
// case, poll + maxSettle, is below one second.
const (
	defaultDebounce = 100 * time.Millisecond
	defaultPoll     = 400 * time.Millisecond
	maxSettle       = 500 * time.Millisecond
)

// WatcherConfig is what a Watcher needs.
type WatcherConfig struct {
	// Paths are the files and directories to watch; it is asked again at every look, from one goroutine. What is not there yet is
	// watched all the same. Required.
	Paths func() []Watched
	// Log gets one line if the file system can't tell of changes. Required.
	Log *slog.Logger
	// Debounce is how long it must be quiet before a change is announced; default 100 ms.
	Debounce time.Duration
	// Poll is the time between two looks without a reason; default 400 ms. A look costs a stat for a file that did not
	// change.
	Poll time.Duration
	// PollOnly: do not ask the file system to tell of changes, as a network file system doesn't.
	PollOnly bool
}

// Watched is a file to watch, or a directory, which stands for its policy files ([IsPolicyFile]).
type Watched struct {
	Path string
	// Within is a directory that Path is in, as it is written, and must lie in by symbolic links too, else nothing is there; somebody
	// who is not trusted may have made those. It makes Path that of a file. "": anywhere.
	Within string
}

// Watcher says when the contents of files have changed: written in place, renamed over, created, deleted, or swapped by a
// symbolic link somewhere on the way. What counts is what a reader would read: a touched file has not changed, and one
// of the same size and time may have.
//
//	file system tells ─┐
//	                   ├─▶ wait until quiet ─▶ look ─▶ as announced before? ─ yes ─▶ (nothing)
//	poll ──────────────┘                                │ no
//	                                                    └─▶ Changes ─▶ the reader reads everything again
//
// The last state always wins: what changes after the look is seen by the next one. A half-written file is read as it is if
// the writer pauses for longer than the debounce; it is a fault then, and announced again when it is whole.
type Watcher struct {
	config  WatcherConfig
	changes chan struct{}
	seen    imprints // what was announced last
}

// NewWatcher takes its first look, so that nothing is missed between this and [Watcher.Run]: make it before the files are
// read.
func NewWatcher(c WatcherConfig) (*Watcher, error) {
	if c.Paths == nil || c.Log == nil {
		return nil, errors.New("make a watcher: Paths and Log are required")
	}
	if c.Debounce <= 0 {
		c.Debounce = defaultDebounce
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	w := &Watcher{config: c, changes: make(chan struct{}, 1)}
	w.seen = look(c.Paths(), nil)
	return w, nil
}

// Changes has a value when something has changed since the last one was taken, however often. It is never closed.
func (w *Watcher) Changes() <-chan struct{} { return w.changes }

// Run watches until ctx ends, and returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	notifier := w.newNotifier()
	defer notifier.close()
	poll := time.NewTicker(w.config.Poll)
	defer poll.Stop()
	for {
		notifier.watch(w.config.Paths())
		if !w.seen.same(look(w.config.Paths(), w.seen)) {
			w.settle(ctx, notifier)
			w.announce()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-notifier.events():
		}
	}
}

// settle waits until the file system has been quiet for the debounce, but not for ever.
func (w *Watcher) settle(ctx context.Context, n *notifier) {
	limit := time.NewTimer(maxSettle)
	defer limit.Stop()
	quiet := time.NewTimer(w.config.Debounce)
	defer quiet.Stop()
	for {
		select {
		case <-n.events():
			quiet.Reset(w.config.Debounce)
		case <-quiet.C:
			return
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// announce takes a look, and tells if it is another one than was told before. A value that still waits to be taken
// covers this change too: whoever takes it reads afterwards.
func (w *Watcher) announce() {
	now := look(w.config.Paths(), w.seen)
	same := w.seen.same(now)
	w.seen = now
	if same {
		return
	}
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

// newNotifier asks the file system to tell. If it can't, polling has to do.
func (w *Watcher) newNotifier() *notifier {
	if w.config.PollOnly {
		return &notifier{}
	}
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		w.config.Log.Warn("the system can't tell of file changes, polling instead", "error", err, "poll", w.config.Poll)
		return &notifier{}
	}
	return &notifier{fs: fs, log: w.config.Log, watched: make(map[string]bool)}
}
