package resolver

import (
	"cordon/resolver/answer"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// Observer is told what was answered. It is called in listeners' loops, before the answer is sent, and from any number of goroutines at
// once: it does not wait and takes no lock.
type Observer interface {
	// Observe is told of one answer. What a refers to is dead when Observe returns, but for the verdict's agency, policy, exception and
	// list.
	Observe(a Answered)
}

// Answered is a question with what became of it.
type Answered struct {
	Query   *wire.Query
	Verdict policy.Verdict // its zero value, without an agency, if the client is of no network
	Message []byte         // the answer
}

// watch is who is told of which answers. Its zero value tells nobody.
type watch struct {
	observer Observer
	wants    [policy.Except + 1]bool // by the verdict's action
}

// Observe tells o of every question whose verdict has one of these actions from now on, and nobody else of any; without actions, nobody of
// any. What is no question, such as a message that does not parse, and what this process asks itself is told to nobody.
func (r *Resolver) Observe(o Observer, actions ...policy.Action) {
	next := watch{observer: o}
	for _, a := range actions {
		next.wants[a] = true
	}
	r.change(func(s *state) { s.watch = next })
}

// answered tells whoever wants it that message answers q for v.
func (w *watch) answered(q *wire.Query, v *policy.Verdict, message []byte) {
	if w.wants[v.Action] {
		w.tell(q, v, message)
	}
}

// refuse appends the refusal of q for v, and tells of it. It is by itself, because what lives across a call costs those who tell nobody.
//
//go:noinline
func (w *watch) refuse(dst []byte, q *wire.Query, v *policy.Verdict, refusal answer.Refusal) []byte {
	start := len(dst)
	dst = answer.AppendRefusal(dst, q, refusal)
	w.tell(q, v, dst[start:])
	return dst
}

// tell is by itself, so that who asks whether anybody wants it pays for no more. What this process asks itself is told to nobody.
//
//go:noinline
func (w *watch) tell(q *wire.Query, v *policy.Verdict, message []byte) {
	if q.Own() {
		return
	}
	w.observer.Observe(Answered{Query: q, Verdict: *v, Message: message})
}
