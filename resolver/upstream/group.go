package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"cordon/resolver/wire"
)

// MaxServers is how many servers a group may have.
const MaxServers = 16

// MaxWait is how long an Ask takes at most, whatever its deadline.
const MaxWait = 5 * time.Second

// defaultInFlight is Config.MaxInFlight if that is 0.
const defaultInFlight = 4096

// Server is one server of a group as the operator wrote it.
type Server struct {
	Addr    netip.AddrPort // UDP and TCP; an address with a zone is allowed, port 0 is not
	Trusted bool           // it validates DNSSEC and the way to it is safe: its AD bit means something
}

// DialFunc opens a connection to addr; network is "udp" or "tcp". A "udp" connection is connected to addr, has a local port
// of its own, and keeps datagrams apart: one Write is one datagram, one Read is one. It is dialled and written to inside Ask, so
// neither waits. The connection outlives ctx.
type DialFunc func(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error)

// Config is what a group needs.
type Config struct {
	Route       string       // what metrics call the group; "" if there is one group only
	Servers     []Server     // 1 to MaxServers, without repetition
	Dial        DialFunc     // nil: the network of this host
	MaxInFlight int          // Asks at a time; one more fails with ErrBusy; 0: 4096
	Log         *slog.Logger // nil: no log
}

// Group is servers that know the same names. It is safe for concurrent use. It has goroutines and sockets only while it
// is used: they end by themselves within maxAge and MaxWait of the last Ask.
type Group struct {
	route       string
	dial        DialFunc
	log         *slog.Logger
	maxInFlight int64

	inFlight atomic.Int64
	servers  atomic.Pointer[[]entry]
	replace  sync.Mutex // held by SetServers
	flights  sync.Pool  // of *flight
	clock    clock
	network  network
	meters   meters
}

// entry is a server of the group at the moment, with what is remembered of it.
type entry struct {
	*server
	trusted bool
}

// New makes a group. Its error says which part of c is wrong.
func New(c Config) (*Group, error) {
	if c.MaxInFlight < 0 {
		return nil, fmt.Errorf("upstream group: MaxInFlight is %d, want 0 or more", c.MaxInFlight)
	}
	if !utf8.ValidString(c.Route) {
		return nil, fmt.Errorf("upstream group: route %q, want UTF-8", c.Route)
	}
	g := &Group{
		route:       c.Route,
		dial:        c.Dial,
		log:         c.Log,
		maxInFlight: int64(cmp.Or(c.MaxInFlight, defaultInFlight)),
		flights:     sync.Pool{New: emptyFlight},
		meters:      newMeters(c.Route),
	}
	g.network = dialled{g.dial}
	if g.dial == nil {
		g.dial, g.network = dialHost, hostNetwork()
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if err := g.SetServers(c.Servers); err != nil {
		return nil, err
	}
	return g, nil
}

// SetServers replaces the servers of g, all at once; Asks in flight go on with the old ones. A server whose address stays
// keeps what is remembered of it. On an error nothing has changed. The slice stays the caller's.
func (g *Group) SetServers(servers []Server) error {
	if err := checkServers(servers); err != nil {
		return err
	}
	g.replace.Lock()
	defer g.replace.Unlock()
	var old []entry
	if p := g.servers.Load(); p != nil {
		old = *p
	}
	entries := make([]entry, len(servers))
	for i, s := range servers {
		addr := unmap(s.Addr)
		entries[i] = entry{server: find(old, addr), trusted: s.Trusted}
		if entries[i].server == nil {
			entries[i].server = newServer(addr, &g.meters)
		}
	}
	g.servers.Store(&entries)
	for _, e := range old {
		if find(entries, e.addr) == nil {
			g.meters.forget(e.addr)
		}
	}
	return nil
}

// Failing says whether every server of g has failed several times in a row, so that none is known to answer. What nobody asks does not
// fail, and does not come back.
func (g *Group) Failing() bool {
	for _, e := range *g.servers.Load() {
		if !e.failing() {
			return false
		}
	}
	return true
}

// State is what is known of one server.
type State struct {
	Server

	Failing  bool          // it failed several times in a row, and is asked last
	Failures int           // in a row, up to now
	Response time.Duration // smoothed, of answers over UDP; 0 if it never gave one
}

// States are those of the servers of g, in the order of SetServers. It may be called at any time.
func (g *Group) States() []State {
	entries := *g.servers.Load()
	all := make([]State, len(entries))
	for i, e := range entries {
		all[i] = State{
			Server:  Server{Addr: e.addr, Trusted: e.trusted},
			Failing: e.failing(), Failures: int(e.failures.Load()), Response: e.smoothed(),
		}
	}
	return all
}

func checkServers(servers []Server) error {
	if len(servers) == 0 {
		return errors.New("upstream group: no servers, want at least one")
	}
	if len(servers) > MaxServers {
		return fmt.Errorf("upstream group: %d servers, want at most %d", len(servers), MaxServers)
	}
	seen := make(map[netip.AddrPort]bool, len(servers))
	for _, s := range servers {
		addr := unmap(s.Addr)
		switch {
		case !addr.IsValid() || addr.Port() == 0:
			return fmt.Errorf("upstream group: server %q, want an address and a port from 1 to 65535", s.Addr)
		case !validZone(addr.Addr()):
			return fmt.Errorf("upstream group: server %q, want a zone of printable ASCII", s.Addr)
		case seen[addr]:
			return fmt.Errorf("upstream group: server %q appears twice", addr)
		}
		seen[addr] = true
	}
	return nil
}

// validZone says whether the zone of a, if it has one, may be logged and be in a label: it is the name of an interface, which
// can be any octets.
func validZone(a netip.Addr) bool {
	return !strings.ContainsFunc(a.Zone(), func(r rune) bool { return r <= ' ' || r > '~' })
}

func find(entries []entry, addr netip.AddrPort) *server {
	for _, e := range entries {
		if e.addr == addr {
			return e.server
		}
	}
	return nil
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Question is what is asked.
type Question struct {
	Name   []byte // canonical wire form: uncompressed, lower case, with the root label; not needed after Ask
	Type   uint16
	Class  uint16
	DO, CD bool
}

// Result is the end of an Ask: Msg or Err, never both.
type Result struct {
	// Msg is the answer, with the response code NOERROR or NXDOMAIN. Its ID is of no meaning, its header and its one
	// question match what was asked, all of it parses. It is dead when done returns.
	Msg     []byte
	Trusted bool  // Msg is from a server marked so, and its AD bit may be relayed
	Err     error // an *Error, or nil
}

// Ask asks the servers of g for q and calls done exactly once: with the first answer, or when no server is left to ask, or
// when deadline or MaxWait has passed, whichever is first; the zero deadline is MaxWait. Ask returns at once, and done never
// runs inside Ask, so that a caller may hold a lock that done takes. done runs on a goroutine of g that others wait for: it must
// not block; it may Ask again.
func (g *Group) Ask(q Question, deadline time.Time, done func(Result)) {
	if !validName(q.Name) {
		go g.tell(done, Result{Err: &Error{Kind: Invalid}})
		return
	}
	if g.inFlight.Add(1) > g.maxInFlight {
		g.inFlight.Add(-1)
		g.meters.busy.Inc()
		go g.tell(done, Result{Err: ErrBusy})
		return
	}
	now := time.Now()
	if limit := now.Add(MaxWait); deadline.IsZero() || deadline.After(limit) {
		deadline = limit
	}
	f := g.newFlight(deadline, maxPackets, done)
	f.question.set(&q)
	if e, due := f.rank(*g.servers.Load(), now); due {
		g.probe(e, &f.question, now)
	}
	if result, over := f.advance(now); over {
		go g.finish(f.land(), result)
		return
	}
	f.mu.Unlock()
}

// finish tells done the end of its Ask.
func (g *Group) finish(done func(Result), result Result) {
	if done != nil {
		g.inFlight.Add(-1)
		g.tell(done, result)
	}
}

// tell calls done. A fault in it is its own: others wait for the goroutine that it runs on.
func (g *Group) tell(done func(Result), result Result) {
	defer func() { g.survive(recover()) }()
	done(result)
}

// survive tells of the panic p, nil for none, where a fault in Cordon is not to end the process.
func (g *Group) survive(p any) {
	if p != nil {
		g.log.Error("an upstream's answer was lost by a fault in Cordon: please report this",
			slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	}
}

func dialHost(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	if network == "udp" {
		conn, err := d.DialUDP(ctx, network, netip.AddrPort{}, addr)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	conn, err := d.DialTCP(ctx, network, netip.AddrPort{}, addr)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// question is a Question that owns its name.
type question struct {
	rtype, class uint16
	do, cd       bool
	length       int
	octets       [wire.MaxName]byte
}

func (q *question) set(to *Question) {
	q.rtype, q.class, q.do, q.cd = to.Type, to.Class, to.DO, to.CD
	q.length = copy(q.octets[:], to.Name)
}

func (q *question) name() []byte { return q.octets[:q.length] }
