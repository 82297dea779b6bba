package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// logLimit bounds how many lines a second are logged of what clients and upstreams do. What they can make the server say goes through
// [logLimit.handler]; what is said of the configuration, of the audit log and of the server itself does not, and is never dropped:
//
//	resolver, upstream, transfer, HTTP ─▶ limit ─┬▶ standard error
//	reload, lists, state, audit, start, stop ────┘
//
// Package listen bounds by itself the two lines that clients can cause.
//
// One text may have a quarter of the lines, so that others are still seen beside it. What is dropped is counted, and said in one line
// some seconds later. It is safe for concurrent use.
type logLimit struct {
	plain     slog.Handler // is told how many lines were dropped
	perSecond atomic.Int64
	dropped   atomic.Uint64 // since the start, for /metrics

	mu      sync.Mutex
	second  int64          // Unix time of the second that is counted
	total   int            // lines of it
	lines   map[string]int // of them, by text; no more texts than lines
	unsaid  int            // lines that were dropped and not yet told of
	example string         // the text of the last of them
}

// untilDropsAreSaid is how long after the first line that is dropped it is said how many were.
const untilDropsAreSaid = 10 * time.Second

func newLogLimit(plain slog.Handler, perSecond int) *logLimit {
	l := &logLimit{plain: plain, lines: map[string]int{}}
	l.set(perSecond)
	return l
}

// set makes perSecond, which is at least 1, the limit from now on.
func (l *logLimit) set(perSecond int) { l.perSecond.Store(int64(perSecond)) }

// handler is the plain handler behind the limit.
func (l *logLimit) handler() slog.Handler { return limitedHandler{Handler: l.plain, limit: l} }

// allow says whether a line with that text is within the limit now.
func (l *logLimit) allow(now time.Time, text string) bool {
	most := int(l.perSecond.Load())
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.second {
		l.second, l.total = second, 0
		clear(l.lines)
	}
	if l.total < most && l.lines[text] < max(1, most/4) {
		l.total++
		l.lines[text]++
		return true
	}
	l.dropped.Add(1)
	if l.unsaid == 0 {
		time.AfterFunc(untilDropsAreSaid, l.say)
	}
	l.unsaid++
	l.example = text
	return false
}

// say logs how many lines were dropped since it was last said, if there were any.
func (l *logLimit) say() {
	l.mu.Lock()
	unsaid, example := l.unsaid, l.example
	l.unsaid = 0
	l.mu.Unlock()
	if unsaid > 0 {
		slog.New(l.plain).Warn("log lines were dropped: there were more than log.max_per_second", "lines", unsaid, "such_as", example)
	}
}

// limitedHandler is a [slog.Handler] that drops what is over the limit.
type limitedHandler struct {
	slog.Handler
	limit *logLimit
}

// Handle implements [slog.Handler].
func (h limitedHandler) Handle(ctx context.Context, r slog.Record) error {
	if !h.limit.allow(time.Now(), r.Message) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h limitedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limitedHandler{Handler: h.Handler.WithAttrs(attrs), limit: h.limit}
}

// WithGroup implements [slog.Handler].
func (h limitedHandler) WithGroup(name string) slog.Handler {
	return limitedHandler{Handler: h.Handler.WithGroup(name), limit: h.limit}
}
