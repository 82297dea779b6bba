package resolver

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"cordon/resolver/answer"
	"cordon/resolver/names"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// local appends the answer to q if it is made here, by the names of one's own or else by the zones that nobody is asked about. An alias of
// one's own whose end is elsewhere is Away: not even such a zone denies it.
func (r *Resolver) local(dst []byte, q *wire.Query, s *state, asker *policy.Asker, verdict *policy.Verdict, now policy.Instant) (
	[]byte, names.Where,
) {
	if s.names != nil {
		if own, where := r.own(dst, q, s, asker, verdict, now); where != names.Nowhere {
			return own, where
		}
	}
	if answered, ok := s.local.Append(dst, q); ok {
		s.watch.answered(q, verdict, answered[len(dst):])
		return answered, names.Here
	}
	return dst, names.Nowhere
}

// own appends the answer to q from the names of one's own, which are not nil, if all of it is there, or the refusal that what it leads to
// calls for.
func (r *Resolver) own(dst []byte, q *wire.Query, s *state, asker *policy.Asker, verdict *policy.Verdict, now policy.Instant) (
	[]byte, names.Where,
) {
	found := s.names.Look(q.Name, q.Type)
	if found.Where == names.Here {
		r.counts.own(q)
		dst = r.give(dst, q, s, asker, verdict, &found, now)
	}
	return dst, found.Where
}

// give appends what was found of one's own, unless it leads to what the asker is refused.
func (r *Resolver) give(dst []byte, q *wire.Query, s *state, asker *policy.Asker, verdict *policy.Verdict, found *names.Found,
	now policy.Instant,
) []byte {
	var buffer [leads][]byte
	var addresses [leads]netip.Addr
	to, addrs := found.Leads(buffer[:0], addresses[:0])
	if s.policy.Bears(to, addrs) {
		*verdict = s.policy.DecideAnswer(asker, *verdict, to, addrs, now)
	}
	if verdict.Action == policy.Refuse {
		return r.refuse(dst, q, s, verdict)
	}
	r.counts.verdict(s, q, verdict)
	start := len(dst)
	dst = found.Append(dst, q, ttlCap(verdict, q.Now))
	s.watch.answered(q, verdict, dst[start:])
	return dst
}

// aliases is who is asked for an alias of one's own that leads away: the servers for its end. From then on the answer is like any other: it
// is kept, and policy judges what it leads to.
type aliases struct {
	names  *names.Table
	local  *answer.Local
	routes *routes
}

// leadAway makes rs lead away from the aliases in table to whom their ends belong.
func (rs *routes) leadAway(table *names.Table, local *answer.Local) error {
	if !table.LeadsAway() {
		return nil
	}
	asked := &aliases{names: table, local: local, routes: rs}
	sum := sha256.New()
	for _, name := range table.Aways() {
		sum.Write(name)
		found := table.Look(name, 0)
		for _, target := range found.Targets() {
			sum.Write(target)
		}
		id := rs.route(found.End())
		sum.Write(binary.BigEndian.AppendUint16(nil, id))
		here, _ := asked.here(upstream.Question{Name: found.End(), Type: wire.TypeA, Class: wire.ClassINET})
		sum.Write(here) // what was fetched is over when a zone of ours has the end, and the other way round
	}
	var err error
	if rs.aliases, err = rs.id("aliases " + hex.EncodeToString(sum.Sum(nil))); err != nil {
		return err
	}
	rs.targets[rs.aliases] = &target{Exchanger: asked}
	return nil
}

var errNoAlias = errors.New("the name is no alias")

// Ask implements [Exchanger].
func (a *aliases) Ask(q upstream.Question, deadline time.Time, done func(upstream.Result)) {
	name := append([]byte(nil), q.Name...)
	found := a.names.Look(name, q.Type)
	if found.Where != names.Away { // can't be: other aliases have another route
		go done(upstream.Result{Err: errNoAlias})
		return
	}
	q.Name = found.End()
	if msg, ok := a.here(q); ok {
		go done(ofAlias(&found, name, upstream.Result{Msg: msg}))
		return
	}
	a.routes.target(a.routes.route(q.Name)).Ask(q, deadline, func(r upstream.Result) { done(ofAlias(&found, name, r)) })
}

// here is the answer to q, if its name is in a zone that is answered here.
func (a *aliases) here(q upstream.Question) ([]byte, bool) {
	msg := make([]byte, wire.HeaderLen, wire.HeaderLen+len(q.Name)+4)
	binary.BigEndian.PutUint16(msg[2:], wire.FlagRD)
	binary.BigEndian.PutUint16(msg[4:], 1)
	msg = append(msg, q.Name...)
	msg = binary.BigEndian.AppendUint16(msg, q.Type)
	msg = binary.BigEndian.AppendUint16(msg, q.Class)
	var query wire.Query
	query.Parse(msg)
	query.Stream = true
	return a.local.Append(nil, &query)
}

// ofAlias is r, which is about the end of found, for the alias name.
func ofAlias(found *names.Found, name []byte, r upstream.Result) upstream.Result {
	if r.Err != nil {
		return upstream.Result{Err: r.Err}
	}
	msg, err := found.Join(name, r.Msg)
	return upstream.Result{Msg: msg, Err: err}
}
