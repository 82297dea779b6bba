package listen

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"cordon/resolver/limit"
	"cordon/resolver/wire"
)

// door is what stands between one listener and the handler.
type door struct {
	handler  Handler
	rate     *limit.Rate
	self     Self // nil: there is none
	index    int  // wire.Query.Worker
	counters *counters
	troubles *troubleLog
}

// parse reads msg into q and says whether it is to be answered. q.Client, q.Now and q.Stream are the caller's.
func (d *door) parse(q *wire.Query, msg []byte) bool {
	if q.Parse(msg) == wire.Drop {
		d.counters.dropped.Add(1)
		return false
	}
	q.Worker = d.index
	if claim := q.Claim(); claim != nil && d.self != nil {
		if as := d.self.As(q.Client, claim); as.IsValid() {
			q.JudgeAs(as)
		}
	}
	if !q.Own() {
		d.counters.count(q.Client.Addr())
	}
	return true
}

// wait is how long the client of q has to wait before it may ask this. A query that may not be asked now is counted.
func (d *door) wait(q *wire.Query) time.Duration {
	wait := d.rate.Take(q.Client.Addr(), q.Now)
	if wait > 0 && d.self != nil && d.self.From(q.Client) {
		return 0
	}
	if wait > 0 {
		d.counters.limited.Add(1)
	}
	return wait
}

// crashed counts and logs a panic in the handling of one query.
func (d *door) crashed(reason any) {
	d.counters.panics.Add(1)
	d.troubles.panicked(reason)
}

// client is peer as the handler sees it: without the IPv4-mapped form and without a zone, so that it can be looked up.
func client(peer netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(peer.Addr().Unmap().WithZone(""), peer.Port())
}

// troubleLog logs at most one panic a second, for whoever knows a query that panics can send many of them, and once a minute that
// connections can't be accepted.
type troubleLog struct {
	log              *slog.Logger
	panics, refusals seldom
}

func (l *troubleLog) panicked(reason any) {
	if l.panics.now(time.Second) {
		l.log.Error("a query panicked and was dropped", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
	}
}

func (l *troubleLog) acceptFailed(err error) {
	if l.refusals.now(time.Minute) {
		l.log.Error("connections of clients can't be accepted, it is tried again and again", "error", err)
	}
}

// seldom says when a thing was done last, in nanoseconds since 1970. Its zero value is ready; it is safe for concurrent use.
type seldom struct{ last atomic.Int64 }

// now says whether it is to be done again, which is so at most once in every. After a step of the clock back it is.
func (s *seldom) now(every time.Duration) bool {
	now, last := time.Now().UnixNano(), s.last.Load()
	return (now < last || now-last >= int64(every)) && s.last.CompareAndSwap(last, now)
}
