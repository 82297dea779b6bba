package querylog

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// sink is where an output writes. Only encode is called by another goroutine than all else.
type sink interface {
	// encode appends r as it is written.
	encode(dst []byte, r *record) []byte
	// write writes b, or as much of it as it can until ctx ends, and says how many records that were.
	write(ctx context.Context, b *batch) (int, error)
	// tend does what is to be done from time to time, also if nothing is written.
	tend(now time.Time) error
	// close gives up what is open.
	close()
}

// counts are what became of the records of one output, over all of its settings.
type counts struct {
	written, dropped, errors atomic.Uint64
}

// output gives records to a sink, in a goroutine of its own. It is made by startOutput.
type output struct {
	name   string
	sink   sink
	counts *counts
	log    *slog.Logger
	wake   chan struct{} // has a value when there is something to write
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	pending batch
	closed  bool // nothing is taken any more
}

// Times of an output.
const (
	firstPause   = time.Second      // after a write that failed, doubled each time
	longestPause = 30 * time.Second // between two attempts
	tending      = time.Minute      // between two looks at what is to be tended
	lastPatience = time.Second      // for what is left to write at the end
)

// startOutput starts the goroutine of an output.
func startOutput(name string, s sink, c *counts, log *slog.Logger) *output {
	ctx, cancel := context.WithCancel(context.Background())
	o := &output{name: name, sink: s, counts: c, log: log, wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go o.run(ctx)
	return o
}

// add gives r to o, or counts it as dropped if there is no room.
func (o *output) add(r *record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || !o.pending.add(func(dst []byte) []byte { return o.sink.encode(dst, r) }) {
		o.counts.dropped.Add(1)
		return
	}
	select {
	case o.wake <- struct{}{}:
	default: // it has one
	}
}

// next takes all that waits, and leaves the room of used, which nobody needs any more.
func (o *output) next(used batch) batch {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.pending
	o.pending = batch{octets: used.octets[:0], ends: used.ends[:0]}
	return taken
}

// run writes what is added, until ctx ends: then what is left is tried once more.
func (o *output) run(ctx context.Context) {
	defer close(o.done)
	defer o.sink.close()
	w := worker{output: o}
	tick := time.NewTicker(tending)
	defer tick.Stop()
	w.tend()
	for {
		select {
		case <-ctx.Done():
			w.last()
			return
		case <-tick.C:
			w.tend()
		case <-o.wake:
			w.writeAll(ctx)
		}
	}
}

// stop ends o, and waits for that as long as ctx: a disk that does not answer holds nobody up.
func (o *output) stop(ctx context.Context) {
	o.cancel()
	select {
	case <-o.done:
	case <-ctx.Done():
		o.log.Error("query log: what was left could not be written, for the other side does not answer", "output", o.name)
	}
}

// worker is what the goroutine of an output has for itself.
type worker struct {
	*output

	batch  batch // in its hands
	failed bool  // the last attempt did, and that was said
}

// writeAll writes until nothing waits any more, or ctx ends. Between attempts it tends: what is too old may be what fills the disk.
func (w *worker) writeAll(ctx context.Context) {
	for pause := firstPause; ctx.Err() == nil; {
		if w.batch.len() == 0 {
			w.batch = w.next(w.batch)
		}
		if w.batch.len() == 0 {
			return
		}
		if w.write(ctx) {
			pause = firstPause
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			w.tend()
		}
		pause = min(2*pause, longestPause)
	}
}

// write makes one attempt, and says whether all of it went well.
func (w *worker) write(ctx context.Context) bool {
	n, err := w.sink.write(ctx, &w.batch)
	w.counts.written.Add(uint64(n))
	w.batch.drop(n)
	w.say(err)
	return err == nil
}

// tend has the sink tended.
func (w *worker) tend() {
	if err := w.sink.tend(time.Now()); err != nil {
		w.say(err)
	}
}

// say counts err, and logs that it is new or, if it is nil, over.
func (w *worker) say(err error) {
	switch {
	case err != nil:
		w.counts.errors.Add(1)
		if !w.failed {
			w.log.Error("query log: it can't be written: what there is no room for is dropped and counted", "output", w.name, "error", err)
		}
	case w.failed:
		w.log.Info("query log: it is written again", "output", w.name)
	}
	w.failed = err != nil
}

// last tries what is left, once, and counts the rest as dropped.
func (w *worker) last() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), lastPatience)
	defer cancel()
	for ok := true; ok; {
		if w.batch.len() == 0 {
			w.batch = w.next(w.batch)
		}
		ok = w.batch.len() > 0 && w.write(ctx)
	}
	rest := w.next(batch{})
	w.counts.dropped.Add(uint64(w.batch.len() + rest.len()))
}
