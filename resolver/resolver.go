package resolver

import (
	"cmp"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver/answer"
	"cordon/resolver/cache"
	"cordon/resolver/names"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// Exchanger asks a group of upstreams. [upstream.Group] is one; tests bring their own.
type Exchanger interface {
	// Ask asks q until deadline, returns at once, and calls done exactly once, from any goroutine.
	Ask(q upstream.Question, deadline time.Time, done func(upstream.Result))
}

// Config is what a Resolver needs and keeps.
type Config struct {
	Cache   *cache.Cache // not nil
	Workers int          // ≥ 1: queries come with 0 ≤ Query.Worker < Workers
	Limits  Limits
	Log     *slog.Logger // nil: nothing is logged
}

// Limits bound the work that clients can cause. A zero field means its default.
type Limits struct {
	Waiting          int           // queries that wait for upstreams at once, in total; default 10000
	WaitingPerClient int           // the same for one client, as limit.Client tells them apart; default 1000
	QueryTimeout     time.Duration // from a query to its answer, whatever upstreams do; default 4.5 s: below a stub's 5 s
	StaleAfter       time.Duration // how long a client waits before it gets stale data (RFC 8767, section 5); default 1.8 s
}

func (l Limits) withDefaults() Limits {
	if l.Waiting <= 0 {
		l.Waiting = 10_000
	}
	if l.WaitingPerClient <= 0 {
		l.WaitingPerClient = 1000
	}
	if l.QueryTimeout <= 0 {
		l.QueryTimeout = 4500 * time.Millisecond
	}
	if l.StaleAfter <= 0 {
		l.StaleAfter = 1800 * time.Millisecond
	}
	return l
}

// Resolver answers queries. Its methods may be called from any number of goroutines at once.
type Resolver struct {
	log     *slog.Logger
	cache   *cache.Cache
	clock   policy.Clock
	flights flights
	counts  counts

	publish sync.Mutex // held by writers of state
	state   atomic.Pointer[state]
}

// state is all that may change while the resolver runs. A query loads it once.
type state struct {
	policy     *policy.Snapshot
	audiences  []audience // by Agency.Index
	tally      *tally
	structured StructuredErrors
	names      *names.Table
	local      *answer.Local
	routes     *routes
	notify     NotifyFunc // nil: nobody listens
	watch      watch
}

// NotifyFunc takes a NOTIFY (RFC 1996), the octets msg from client, and appends the answer to dst. It says false if the client may not
// send one. It is called in a listener's loop, so it does not wait, and from any number of goroutines at once; msg is dead
// when it returns.
type NotifyFunc func(dst []byte, client netip.Addr, msg []byte) (reply []byte, ok bool)

// New is a Resolver that refuses everybody until it has a policy: see [Resolver.Publish] and [Resolver.Configure].
func New(c Config) (*Resolver, error) {
	if c.Cache == nil || c.Workers < 1 {
		return nil, errors.New("resolver: a cache and at least one worker are needed")
	}
	r := &Resolver{cache: c.Cache, log: cmp.Or(c.Log, slog.New(slog.DiscardHandler))}
	r.flights.init(c.Limits.withDefaults(), r.newFlight)
	r.counts.init(c.Workers)
	return r, nil
}

// Publish puts s in force for every query that comes from now on, and for those that wait. s is not nil.
func (r *Resolver) Publish(s *policy.Snapshot) {
	r.change(func(next *state) {
		next.policy = s
		next.audiences = audiences(s, next.structured.Operator)
		next.tally = r.counts.tally(s)
	})
}

// Configure puts routes, names of one's own and local zones in force.
func (r *Resolver) Configure(c Routing) error {
	routes, err := r.routes().with(c)
	if err != nil {
		return err
	}
	c.Local.Forwarded = routes.zones()
	if c.Names != nil {
		c.Local.Owns = c.Names.Exists
	}
	local := answer.NewLocal(c.Local)
	if err := routes.leadAway(c.Names, local); err != nil {
		return err
	}
	r.change(func(next *state) {
		next.routes, next.local, next.names = routes, local, c.Names
	})
	return nil
}

// Notify gives every NOTIFY that comes from now on to f, the one opcode beside QUERY that is answered.
func (r *Resolver) Notify(f NotifyFunc) {
	r.change(func(next *state) { next.notify = f })
}

// StructuredErrors say why a query was refused in JSON, to clients that ask for it: draft-ietf-dnsop-structured-dns-error.
type StructuredErrors struct {
	// Option is the EDNS option that a query has, without data, to ask for them; it has no number of its own yet. 0: nobody gets any.
	Option uint16
	// Operator is the organization that refuses, by this server; the one that decided stands in the policy. Empty: not told.
	Operator string
}

// StructureErrors puts e in force for queries that come from now on, and for those that wait. A new Resolver gives structured errors to
// nobody. A client acts on such an error only if it came over a transport with integrity; over plain UDP and TCP it is for diagnosis.
func (r *Resolver) StructureErrors(e StructuredErrors) {
	r.change(func(next *state) {
		if next.policy != nil && e.Operator != next.structured.Operator {
			next.audiences = audiences(next.policy, e.Operator)
		}
		next.structured = e
	})
}

// SetLimits puts l in force for queries that come from now on.
func (r *Resolver) SetLimits(l Limits) {
	l = l.withDefaults()
	r.flights.limits.Store(&l)
}

// Remember makes r go by t where its clock shows less: what an earlier process has seen. Bans that had begun by t are on, and
// exceptions that had ended stay ended.
func (r *Resolver) Remember(t time.Time) { r.clock.Raise(t) }

// Instant is the moment at which verdicts are made when the clock shows now.
func (r *Resolver) Instant(now time.Time) policy.Instant { return r.clock.At(now) }

// change makes a changed copy of the state and swaps it in.
func (r *Resolver) change(edit func(next *state)) {
	r.publish.Lock()
	defer r.publish.Unlock()
	next := new(state)
	if current := r.state.Load(); current != nil {
		*next = *current
	}
	edit(next)
	r.state.Store(next)
}

func (r *Resolver) routes() *routes {
	if s := r.state.Load(); s != nil {
		return s.routes
	}
	return nil
}

// ready says whether there is a policy and a route: without both nobody is served.
func (s *state) ready() bool { return s != nil && s.policy != nil && s.routes != nil }

// Snapshot is the policy in force, nil before the first Publish.
func (r *Resolver) Snapshot() *policy.Snapshot {
	if s := r.state.Load(); s != nil {
		return s.policy
	}
	return nil
}

// Answer appends the answer to q to dst, if it needs no waiting: a refusal, a cached answer, a local name, an error. q views
// the listener's buffer and is dead when Answer returns. It allocates nothing if dst has room.
func (r *Resolver) Answer(dst []byte, q *wire.Query) ([]byte, bool) {
	s := r.state.Load()
	start := len(dst)
	dst, ok := r.answer(dst, q, s)
	if ok {
		r.counts.answered(q, dst[start:])
	}
	return dst, ok
}

// answer is the order of the stages: the figure in the package comment.
func (r *Resolver) answer(dst []byte, q *wire.Query, s *state) ([]byte, bool) {
	if q.Problem != wire.None {
		return s.problem(dst, q), true
	}
	if !s.ready() {
		return answer.AppendFailure(dst, q, notReady), true
	}
	now := r.clock.At(q.Now)
	asker, allowed := s.policy.Asker(q.Asker())
	if !allowed {
		return s.prohibit(dst, q), true
	}
	verdict := s.policy.Decide(asker, q.Name, now)
	if verdict.Action == policy.Refuse {
		return r.refuse(dst, q, s, &verdict), true
	}
	if meta, ok := answer.AppendMeta(dst, q); ok {
		s.watch.answered(q, &verdict, meta[len(dst):])
		return meta, true
	}
	local, where := r.local(dst, q, s, asker, &verdict, now)
	if where == names.Here {
		return local, true
	}
	entry, state := r.cache.Get(s.keyAt(q, where), q.Now)
	r.counts.looked(q, state)
	if state == cache.Miss || state == cache.Stale && !entry.Deferred(q.Now) {
		return dst, false
	}
	dst = r.deliver(dst, q, s, asker, &verdict, entry, state, now)
	if state == cache.Due && verdict.Action != policy.Refuse && !q.Own() {
		r.renew(s, entry, q.Now)
	}
	return dst, true
}

// prohibit answers a client of no network.
func (s *state) prohibit(dst []byte, q *wire.Query) []byte {
	start := len(dst)
	dst = answer.AppendProhibited(dst, q)
	s.watch.answered(q, &policy.Verdict{}, dst[start:])
	return dst
}

// problem answers what is no question: a NOTIFY by who listens for it, all else with an error.
func (s *state) problem(dst []byte, q *wire.Query) []byte {
	if s != nil && s.notify != nil && q.Problem == wire.NotImplemented && q.Opcode() == wire.OpcodeNotify {
		if notified, ok := s.notify(dst, q.Client.Addr(), q.Msg); ok && len(notified) >= len(dst)+wire.HeaderLen {
			return notified
		}
	}
	return answer.AppendProblem(dst, q)
}

var (
	notReady = wire.EDE{Code: wire.EDENotReady, Text: "no policy is loaded"}
	tooMany  = wire.EDE{Code: wire.EDEOther, Text: "too many queries are waiting"}
)

// deliver appends what entry answers to q, unless it leads to what the asker is refused.
func (r *Resolver) deliver(dst []byte, q *wire.Query, s *state, asker *policy.Asker, verdict *policy.Verdict,
	entry *cache.Entry, state cache.State, now policy.Instant,
) []byte {
	if id := s.policy.ID(); !entry.Clean(id) {
		var buffer [leads][]byte
		var addresses [leads]netip.Addr
		to, addrs := split(buffer[:0], entry.Names()), entry.Addrs(addresses[:0])
		if s.policy.Bears(to, addrs) {
			*verdict = s.policy.DecideAnswer(asker, *verdict, to, addrs, now)
		} else {
			entry.MarkClean(id)
		}
	}
	if verdict.Action == policy.Refuse {
		return r.refuse(dst, q, s, verdict)
	}
	r.counts.verdict(s, q, verdict)
	start := len(dst)
	dst = entry.Append(dst, q, cache.Options{
		Now:    q.Now,
		Stale:  state == cache.Stale,
		TTLCap: ttlCap(verdict, q.Now),
		EDE:    staleness(entry, state),
	})
	s.watch.answered(q, verdict, dst[start:])
	return dst
}

// leads is how many names and addresses an answer may lead to before looking at them allocates.
const leads = 32

// split appends the names in packed to dst.
func split(dst [][]byte, packed []byte) [][]byte {
	for len(packed) > 0 {
		var name []byte
		name, packed = wire.NextName(packed)
		dst = append(dst, name)
	}
	return dst
}

// staleness is the extended error of an answer that is past its time (RFC 8914, sections 4.4 and 4.20).
func staleness(entry *cache.Entry, state cache.State) wire.EDE {
	switch {
	case state != cache.Stale:
		return wire.EDE{Code: wire.EDENone}
	case entry.Rcode() == wire.NXDomain:
		return wire.EDE{Code: wire.EDEStaleNXDomain}
	default:
		return wire.EDE{Code: wire.EDEStaleAnswer}
	}
}
