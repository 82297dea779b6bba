package resolver

import (
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"cordon/resolver/answer"
	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// Start answers q when an upstream has: it copies q, joins or opens a flight, and returns at once. reply is called exactly once,
// from any goroutine; its argument is dead when it returns. Start is for queries that [Resolver.Answer] did not answer.
func (r *Resolver) Start(q *wire.Query, reply func([]byte)) {
	s := r.state.Load()
	w := &waiter{q: q.Clone(), reply: reply}
	f, outcome := r.flights.join(s.key(w.q), w)
	switch outcome {
	case joined:
	case opened:
		r.depart(s, f, w.q.Now)
	case again:
		r.finish(w, f.stale, cache.Stale)
		r.ask(s, f, w.q.Now, func(result upstream.Result) {
			defer func() { r.survive(f, recover()) }()
			if result.Err == nil { // else what was asked first goes on
				r.land(f, result)
			}
		})
	case late:
		r.finish(w, f.stale, cache.Stale)
	case crowded:
		r.turnAway(s, w)
	}
}

// turnAway replies to w, for which there is no place to wait, with what is in the cache, however old.
func (r *Resolver) turnAway(s *state, w *waiter) {
	entry, found := r.cache.Get(s.key(w.q), w.q.Now)
	if found == cache.Miss {
		entry, found = cache.NewFailure(s.key(w.q), tooMany, failureTTL, w.q.Now), cache.Fresh
	}
	r.finish(w, entry, found)
}

// depart sends f off. If the cache has something old for it, those who wait get that after StaleAfter (RFC 8767, section 5).
func (r *Resolver) depart(s *state, f *flight, now time.Time) {
	if entry, found := r.cache.Get(f.key, now); found == cache.Stale {
		f.stale = entry
		f.timer = time.AfterFunc(r.flights.limits.Load().StaleAfter, func() {
			defer func() { r.survive(f, recover()) }()
			for _, w := range r.flights.overdue(f) {
				r.finish(w, f.stale, cache.Stale)
			}
		})
	}
	r.ask(s, f, now, func(result upstream.Result) {
		defer func() { r.survive(f, recover()) }()
		r.land(f, result)
	})
}

// survive makes of the panic p, nil for none, a failure of this one question: whoever waits for f is answered, and the next who
// asks asks anew.
func (r *Resolver) survive(f *flight, p any) {
	if p == nil {
		return
	}
	r.log.Error("a question was lost by a fault in Cordon: please report this", "panic", p, "stack", string(debug.Stack()))
	failure := cache.NewFailure(f.key, wire.EDE{Code: wire.EDEOther}, failureTTL, time.Now())
	for _, w := range r.flights.land(f) {
		r.finish(w, failure, cache.Fresh)
	}
}

// ask asks the upstreams of f.
func (r *Resolver) ask(s *state, f *flight, now time.Time, done func(upstream.Result)) {
	question := upstream.Question{Name: f.key.Name, Type: f.key.Type, Class: f.key.Class, DO: f.key.DO, CD: f.key.CD}
	s.routes.exchanger(f.key.Route).Ask(question, now.Add(r.flights.limits.Load().QueryTimeout), done)
}

// land ends f with what the upstreams said.
func (r *Resolver) land(f *flight, result upstream.Result) {
	if f.timer != nil {
		f.timer.Stop()
	}
	entry, found := r.keep(f, result)
	for _, w := range r.flights.land(f) {
		r.finish(w, entry, found)
	}
}

// keep makes an entry of what the upstreams said, and stores it. A failure is stored too, unless there is stale data to serve.
func (r *Resolver) keep(f *flight, result upstream.Result) (*cache.Entry, cache.State) {
	now := time.Now()
	err := result.Err
	if err == nil {
		var entry *cache.Entry
		if entry, err = cache.Keep(f.key, result.Msg, now, result.Trusted); err == nil {
			r.cache.Put(entry)
			return entry, cache.Fresh
		}
	}
	failure := cache.NewFailure(f.key, explain(err), failureTTL, now)
	r.cache.Put(failure) // does not take the place of stale data: that is asked again after failureTTL
	if f.stale != nil {
		return f.stale, cache.Stale
	}
	return failure, cache.Fresh
}

// explain is the extended error for a client whose question failed.
func explain(err error) wire.EDE {
	if e, ok := errors.AsType[*upstream.Error](err); ok {
		return wire.EDE{Code: e.EDE()}
	}
	return wire.EDE{Code: wire.EDEInvalidData}
}

// finish replies to w with entry, or with what policy says by now: the state may have changed while w waited.
func (r *Resolver) finish(w *waiter, entry *cache.Entry, found cache.State) {
	buffer := buffers.Get().(*[]byte) //nolint:errcheck // that is what is in it
	w.q.Now = time.Now()
	dst := r.afresh((*buffer)[:0], w.q, entry, found)
	r.counts.answered(w.q, dst)
	w.reply(dst)
	*buffer = dst[:0]
	buffers.Put(buffer)
}

// afresh decides name and answer anew, by the state of this moment.
func (r *Resolver) afresh(dst []byte, q *wire.Query, entry *cache.Entry, found cache.State) []byte {
	s := r.state.Load()
	now := r.clock.At(q.Now)
	asker, allowed := s.policy.Asker(q.Client.Addr())
	if !allowed {
		return answer.AppendProhibited(dst, q)
	}
	verdict := s.policy.Decide(asker, q.Name, now)
	if verdict.Action == policy.Refuse {
		return r.refuse(dst, q, s, &verdict)
	}
	return r.deliver(dst, q, s, asker, &verdict, entry, found, now)
}

// buffers are for answers that don't come from a listener's loop.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}
