package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Config is what a Log needs.
type Config struct {
	Dir     string        // where its files are; made if need be
	MaxFile int64         // octets: an entry that would make a file longer begins another
	Keep    time.Duration // how long after its last entry a file is kept; more than 0
	Log     *slog.Logger  // hears of heads, and of what can't be written

	open func(path string) (file, error) // for appending; nil: as the system does
}

// What is kept in memory while it can't be written: all that begins when thousands of exceptions come at once.
const (
	maxWaiting       = 16 << 10
	maxWaitingOctets = 16 << 20
)

// Head is the last entry of a log.
type Head struct {
	Sequence uint64 // 0: there is none
	Hash     string // of its line; 64 zeros if there is none
}

// Log writes the log in a directory. It is safe for concurrent use, and nothing but Run ever waits for the disk.
type Log struct {
	config Config
	wake   chan struct{} // has a value when there is something to write

	mu      sync.Mutex
	waiting []waiting // to be written, the oldest first
	octets  int       // of all of them, as lines
	lost    Entry     // [Gap] of the entries that were dropped since the last that waits; Missing 0: none were
	refuses bool      // Run has ended
	counts  counts
}

// waiting is an entry that is to be written, and how long it is.
type waiting struct {
	entry  Entry
	octets int
}

// counts are what is known of a log outside of it.
type counts struct {
	head    Head
	written uint64
	failed  uint64 // attempts
	failing bool   // the last attempt did
	lost    uint64 // entries
	last    time.Time
}

// New makes a Log. It touches nothing: see [Log.Run].
func New(c Config) *Log {
	if c.open == nil {
		c.open = openFile
	}
	return &Log{config: c, wake: make(chan struct{}, 1)}
}

// Append gives e to the log, to be written with the number and the hash that its place in the chain has, and with the present time if e
// has none. It never blocks; what there is no room for is counted, and the log says how many it lost. What e refers to must not change.
func (l *Log) Append(e Entry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	octets, err := bound(&e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || l.refuses || len(l.waiting) >= maxWaiting || l.octets+octets > maxWaitingOctets {
		l.drop(e.Time)
		return
	}
	l.admitLost()
	l.admit(e, octets)
}

// admit puts e last among those that wait. The caller holds l.mu.
func (l *Log) admit(e Entry, octets int) {
	l.waiting = append(l.waiting, waiting{e, octets})
	l.octets += octets
	select {
	case l.wake <- struct{}{}:
	default: // it has one
	}
}

// drop counts an entry that is lost. The caller holds l.mu.
func (l *Log) drop(at time.Time) {
	l.counts.lost++
	if l.lost.Missing == 0 {
		l.lost = Entry{Kind: Gap, From: at}
	}
	l.lost.Missing++
	l.lost.Until = at
}

// admitLost admits an entry for those that were lost, if any were. The caller holds l.mu.
func (l *Log) admitLost() {
	const roughly = 256
	if l.lost.Missing == 0 {
		return
	}
	gap := l.lost
	gap.Time = gap.Until
	l.lost = Entry{}
	l.config.Log.Error("audit log: entries are lost: there was no room for them while it could not be written",
		"entries", gap.Missing, "from", gap.From, "until", gap.Until)
	l.admit(gap, roughly)
}

// maxBatch is how much is written at once, in octets, unless one entry is longer. The disk is waited for once for all of that. While
// nothing can be written, one entry at once is tried.
const maxBatch = 1 << 20

// next are the entries to write next, the oldest of those that wait: one, and more of up to most octets. There are none if none wait.
func (l *Log) next(most int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.admitLost()
	}
	var oldest []Entry
	octets := 0
	for _, one := range l.waiting {
		if octets += one.octets; octets > most && len(oldest) > 0 {
			break
		}
		oldest = append(oldest, one.entry)
	}
	return oldest
}

// Run writes what is appended, until ctx ends: then what still waits is tried once more. It removes files that are no longer to be kept.
// While another process writes the log in the directory, Run tries again like after any other error; the chain goes on then from what
// that process wrote, with what waited here, the start of this process first.
func (l *Log) Run(ctx context.Context) {
	w := &writer{config: l.config}
	defer w.close()
	var t trouble
	for ctx.Err() == nil {
		err := l.write(w, t.reason != "")
		l.wait(ctx, t.after(err, l.config.Log), err != nil)
	}
	l.end(l.write(w, false))
}

// wait waits until there is something to write or pause is over; if it is failing, for the pause in any case.
func (l *Log) wait(ctx context.Context, pause time.Duration, failing bool) {
	wake := l.wake
	if failing {
		wake = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

// write writes all that waits, at first one entry if it is failing, and then removes files that are too old.
func (l *Log) write(w *writer, failing bool) error {
	most := maxBatch
	if failing {
		most = 0
	}
	for oldest := l.next(most); len(oldest) > 0; oldest = l.next(maxBatch) {
		n, err := w.write(oldest)
		l.note(w, err)
		if err != nil {
			return err
		}
		l.written(n)
	}
	err := w.retain(time.Now())
	l.note(w, err)
	return err
}

// written forgets the oldest n of the entries that wait.
func (l *Log) written(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.waiting[:n] {
		l.octets -= one.octets
	}
	clear(l.waiting[:n])
	l.waiting = l.waiting[n:]
}

// note takes over what w knows, after an attempt that had err.
func (l *Log) note(w *writer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.head, l.counts.written, l.counts.last, l.counts.failing = w.head, w.written, w.last, err != nil
	if err != nil {
		l.counts.failed++
	}
}

// Failing says whether the last attempt to write failed: then what is appended waits.
func (l *Log) Failing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts.failing
}

// end says what of the log is lost because nothing is written from now on, for err if that is why.
func (l *Log) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := uint64(len(l.waiting)) + l.lost.Missing
	l.counts.lost += uint64(len(l.waiting))
	l.waiting, l.octets, l.refuses = nil, 0, true
	if lost > 0 {
		l.config.Log.Error("audit log: entries are lost: they could not be written before the end", "entries", lost, "error", err)
	}
}

// trouble is that nothing can be written.
type trouble struct {
	reason string // as it was said last; "": there is none
	said   time.Time
	pause  time.Duration
}

// How long a Log waits.
const (
	firstPause = time.Second
	longPause  = time.Minute
	idlePause  = time.Hour // until it looks for files that are too old
	sayAgain   = time.Hour
)

// after is how long to wait after an attempt that had err. It says what is new, and what still is, once an hour.
func (t *trouble) after(err error, log *slog.Logger) time.Duration {
	if err == nil {
		if t.reason != "" {
			log.Info("audit log: it is written again")
		}
		*t = trouble{}
		return idlePause
	}
	if t.reason != err.Error() || time.Since(t.said) >= sayAgain {
		log.Error("audit log: it can't be written: entries wait in memory and are tried again", "error", err)
		t.reason, t.said = err.Error(), time.Now()
	}
	t.pause = min(max(2*t.pause, firstPause), longPause)
	return t.pause
}
