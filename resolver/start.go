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
// from any goroutine; its argument is dead when it returns. Start is for queries that [Resolver.Answer] did not answer. Nobody is asked
// for a query of our own: that it got here is the answer.
func (r *Resolver) Start(q *wire.Query, reply func([]byte)) {
	if q.Own() {
		reply(answer.AppendPassed(nil, q))
		return
	}
	s := r.state.Load()
	w := newWaiter(q, reply)
	key, now := s.key(&w.q), w.q.Now
	found := r.flights.join(key, r.cache.Hash(key), w, r.stale(key, now))
	switch f := found.flight; found.outcome {
	case joined:
	case opened:
		r.ask(s, f, now, f.landed)
	case again:
		r.finish(w, found.stale, cache.Stale, now)
		r.ask(s, f, now, f.landedAgain)
	case late:
		r.finish(w, found.stale, cache.Stale, now)
	case crowded:
		r.turnAway(s, w)
	}
}

// stale is what the cache has for key that is past its time, but better than nothing; nil if there is nothing.
func (r *Resolver) stale(key cache.Key, now time.Time) *cache.Entry {
	if entry, state := r.cache.Get(key, now); state == cache.Stale {
		return entry
	}
	return nil
}

// turnAway replies to w, for which there is no place to wait, with what is in the cache, however old.
func (r *Resolver) turnAway(s *state, w *waiter) {
	key, now := s.key(&w.q), w.q.Now
	entry, found := r.cache.Get(key, now)
	if found == cache.Miss {
		entry, found = cache.NewFailure(key, tooMany, failureTTL, now), cache.Fresh
	}
	r.finish(w, entry, found, now)
}

// newFlight is a flight that r lands.
func (r *Resolver) newFlight() *flight {
	f := new(flight)
	f.landed = func(result upstream.Result) { r.land(f, result) }
	f.landedAgain = func(result upstream.Result) { r.landAgain(f, result) }
	f.overdue = func() {
		waiting, stale := r.flights.overdue(f)
		r.finishAll(waiting, stale, cache.Stale, time.Now())
	}
	return f
}

// ask asks the upstreams of f, for which the caller has a use: done ends it.
func (r *Resolver) ask(s *state, f *flight, now time.Time, done func(upstream.Result)) {
	question := upstream.Question{Name: f.key.Name, Type: f.key.Type, Class: f.key.Class, DO: f.key.DO, CD: f.key.CD}
	s.routes.target(f.key.Route).Ask(question, now.Add(r.flights.limits.Load().QueryTimeout), done)
}

// land ends f with what the upstreams said. If they failed, those who wait get what is stale, if anything is.
func (r *Resolver) land(f *flight, result upstream.Result) {
	now := time.Now()
	entry, found := r.keep(f.key, result, now), cache.Fresh
	r.state.Load().routes.told(f.key.Route, result.Err)
	waiting, stale, renewed := r.flights.land(f)
	if renewed {
		r.counts.renewed(entry)
	}
	if entry.Failed() && stale != nil {
		entry, found = stale, cache.Stale
	}
	r.finishAll(waiting, entry, found, now)
}

// landAgain ends f with what the upstreams said when they were asked once more. If they failed, what was asked first goes on.
func (r *Resolver) landAgain(f *flight, result upstream.Result) {
	if result.Err != nil {
		r.flights.giveUp(f)
		return
	}
	r.land(f, result)
}

// keep makes an entry of what the upstreams said, and stores it. A failure does not take the place of stale data in the cache: that
// is asked again after failureTTL. A panic is a failure of this one question, and the next who asks asks anew.
func (r *Resolver) keep(key cache.Key, result upstream.Result, now time.Time) (entry *cache.Entry) {
	defer func() {
		if p := recover(); p != nil {
			r.lost(p)
			entry = cache.NewFailure(key, fault, failureTTL, now)
		}
	}()
	err := result.Err
	if err == nil {
		if entry, err = cache.Keep(key, result.Msg, now, result.Trusted); err == nil {
			r.cache.Put(entry)
			return entry
		}
	}
	entry = cache.NewFailure(key, explain(err), failureTTL, now)
	r.cache.Put(entry)
	return entry
}

// explain is the extended error for a client whose question failed.
func explain(err error) wire.EDE {
	if e, ok := errors.AsType[*upstream.Error](err); ok {
		return wire.EDE{Code: e.EDE()}
	}
	return wire.EDE{Code: wire.EDEInvalidData}
}

// fault is what a client is told whose question was lost.
var fault = wire.EDE{Code: wire.EDEOther}

// lost tells the administrator of the panic p.
func (r *Resolver) lost(p any) {
	r.log.Error("a question was lost by a fault in Cordon: please report this", "panic", p, "stack", string(debug.Stack()))
}

// finishAll replies to w and all who came after it.
func (r *Resolver) finishAll(w *waiter, entry *cache.Entry, found cache.State, now time.Time) {
	for w != nil {
		next := w.next
		r.finish(w, entry, found, now)
		w = next
	}
}

// finish replies to w with entry, or with what policy says by now: the state may have changed while w waited. A panic is a failure
// for w alone. w is dead afterwards.
func (r *Resolver) finish(w *waiter, entry *cache.Entry, found cache.State, now time.Time) {
	defer func() {
		if p := recover(); p != nil {
			r.lost(p)
			w.send(answer.AppendFailure(nil, &w.q, fault))
		}
		w.release()
	}()
	buffer := buffers.Get().(*[]byte) //nolint:errcheck // that is what is in it
	w.q.Now = now
	dst := r.afresh((*buffer)[:0], &w.q, entry, found)
	r.counts.answered(&w.q, dst)
	w.send(dst)
	*buffer = dst[:0]
	buffers.Put(buffer)
}

// send replies to w, once.
func (w *waiter) send(msg []byte) {
	if reply := w.reply; reply != nil {
		w.reply = nil
		reply(msg)
	}
}

// afresh decides name and answer anew, by the state of this moment.
func (r *Resolver) afresh(dst []byte, q *wire.Query, entry *cache.Entry, found cache.State) []byte {
	s := r.state.Load()
	now := r.clock.At(q.Now)
	asker, allowed := s.policy.Asker(q.Asker())
	if !allowed {
		return s.prohibit(dst, q)
	}
	verdict := s.policy.Decide(asker, q.Name, now)
	if verdict.Action == policy.Refuse {
		return r.refuse(dst, q, s, &verdict)
	}
	return r.deliver(dst, q, s, asker, &verdict, entry, found, now)
}

// buffers are for answers that don't come from a listener's loop.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}
