package listen

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"cordon/resolver/limit"
	"cordon/resolver/wire"
)

// Handler answers queries. Its methods are called from many goroutines at once. A method that panics loses that one query.
type Handler interface {
	// Answer appends the answer to q to dst, if that needs no waiting. It must not block: it runs in the read loop. An empty
	// answer with ok drops the query. q and dst are dead when Answer returns, unless it says not ok: then Start gets the same q.
	Answer(dst []byte, q *wire.Query) (answer []byte, ok bool)

	// Start copies what it needs of q and returns at once. reply is called once, from any goroutine, soon (a connection that
	// has come to its limit waits for it); it does not block, and its slice is dead when it returns. An empty answer drops the
	// query. A second call does nothing.
	Start(q *wire.Query, reply func(answer []byte))
}

// Self knows the queries by which this process asks itself. Its methods are called in read loops, from many goroutines at once: they do not
// block. A query that is its own is no client's: it is neither counted nor held to a rate.
type Self interface {
	// From says whether client is a socket of this process' own.
	From(client netip.AddrPort) bool
	// As is the address that a query of client is to be judged as, by its [wire.Query.Claim], which is not nil and dead when As returns. It
	// is not valid, and the query like any other, unless the claim is true.
	As(client netip.AddrPort, claim []byte) netip.Addr
}

// Config is what a server needs. All of it belongs to the server from [New] on.
type Config struct {
	// Addresses to serve over UDP and TCP; any number. A wildcard means the addresses of its family only: [::] is not 0.0.0.0.
	// Port 0 is some free port, the same for UDP and TCP (see [Server.Addrs]).
	Addresses []netip.AddrPort
	// Streams are further listeners of connections that carry messages behind a length of two octets. The server closes them,
	// unless New fails.
	// Their connections need a remote address of the form IP:port.
	Streams []net.Listener
	// Given are sockets that somebody else has bound for us, such as a service manager. With them nothing is bound, and Addresses is
	// empty. Each address of theirs needs one of TCP and one or more of UDP, which are its workers. The server closes them, unless New
	// fails.
	Given []Given
	// Workers is how many UDP sockets an address has, 1 to 256; 0 means GOMAXPROCS. Systems without Linux's SO_REUSEPORT have 1.
	Workers int
	// Batch is how many datagrams a UDP socket moves at most with one system call, 1 to 64; 0 means 32. Nobody waits for a batch
	// to fill. Systems without recvmmsg have 1.
	Batch   int
	Handler Handler     // required
	Rate    *limit.Rate // what a client may ask; it may change while the server runs. nil: no limit
	Self    Self        // knows the queries of this process itself; nil: there are none
	Limits  Limits
	Log     *slog.Logger // nil: nothing is logged
}

// Given is a socket of UDP or of TCP; the other is nil.
type Given struct {
	UDP *net.UDPConn
	TCP net.Listener
}

// Limits bound what clients may hold. A zero means the default.
type Limits struct {
	Connections          int           // streams open at once, 1 to 1e6; default 1024
	ConnectionsPerClient int           // streams open at once from one client, as limit.Client tells them apart, 1 to 1e6; default 64
	InFlight             int           // queries of one stream that wait for an answer, 1 to 65535; default 128
	Idle                 time.Duration // until a stream without a query in flight is closed, ≤ 30 s; default 10 s
	Message              time.Duration // from the first octet of a message on a stream to its last, ≤ 30 s; default 5 s
	Write                time.Duration // that a write to a stream may take, ≤ 30 s; default 5 s
	Drain                time.Duration // that the end of [Server.Run] waits for replies, ≤ 30 s; default 3 s
}

const (
	maxWorkers   = 256 // bounds Config.Workers
	maxBatch     = 64  // bounds Config.Batch
	defaultBatch = 32
)

// Listeners is how many values wire.Query.Worker can take: they are 0 ≤ Worker < Listeners. A handler sizes its shards by it.
func (c Config) Listeners() int {
	return len(c.Addresses)*(c.workers()+1) + len(c.Given) + len(c.Streams)
}

func (c Config) workers() int {
	return cmp.Or(c.Workers, min(runtime.GOMAXPROCS(0), maxWorkers))
}

// complete checks c and fills in the defaults.
func (c Config) complete() (Config, error) {
	if c.Handler == nil {
		return c, errors.New("listen: no handler")
	}
	if len(c.Addresses)+len(c.Given)+len(c.Streams) == 0 {
		return c, errors.New("listen: no address to listen on")
	}
	if len(c.Addresses) > 0 && len(c.Given) > 0 {
		return c, errors.New("listen: found addresses to bind and sockets that are bound, want one of the two")
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		return c, fmt.Errorf("listen: %d workers an address, want 1 to %d, or 0 for one a processor", c.Workers, maxWorkers)
	}
	if c.Batch < 0 || c.Batch > maxBatch {
		return c, fmt.Errorf("listen: batches of %d datagrams, want 1 to %d, or 0 for %d", c.Batch, maxBatch, defaultBatch)
	}
	c.Batch = cmp.Or(c.Batch, defaultBatch)
	if c.Rate == nil {
		c.Rate = limit.New(limit.Rules{})
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Workers = c.workers()
	var err error
	if c.Addresses, err = distinct(c.Addresses); err != nil {
		return c, err
	}
	err = c.Limits.complete()
	return c, err
}

// distinct returns addresses without IPv4-mapped forms, or an error if one is invalid or says what another one says too.
func distinct(addresses []netip.AddrPort) ([]netip.AddrPort, error) {
	seen := make([]netip.AddrPort, 0, len(addresses))
	for _, a := range addresses {
		if !a.IsValid() {
			return nil, errors.New("listen: an address to listen on is not set")
		}
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		i := slices.IndexFunc(seen, func(b netip.AddrPort) bool { return overlap(a, b) })
		if i >= 0 {
			return nil, fmt.Errorf("listen: addresses %s and %s overlap, want one of them", seen[i], a)
		}
		seen = append(seen, a)
	}
	return seen, nil
}

func overlap(a, b netip.AddrPort) bool {
	if a.Port() == 0 || a.Port() != b.Port() || a.Addr().Is4() != b.Addr().Is4() {
		return false
	}
	return a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified()
}

func (l *Limits) complete() error {
	const most, longest = 1_000_000, 30 * time.Second
	return errors.Join(
		complete(&l.Connections, "connections", 1024, most),
		complete(&l.ConnectionsPerClient, "connections per client", 64, most),
		complete(&l.InFlight, "queries in flight per connection", 128, 65535),
		complete(&l.Idle, "idle time", 10*time.Second, longest),
		complete(&l.Message, "time for a message", 5*time.Second, longest),
		complete(&l.Write, "time for a write", 5*time.Second, longest),
		complete(&l.Drain, "time to drain", 3*time.Second, longest),
	)
}

func complete[T int | time.Duration](value *T, what string, byDefault, most T) error {
	if *value < 0 || *value > most {
		return fmt.Errorf("listen: limit of %s is %v, want more than 0 and at most %v", what, *value, most)
	}
	*value = cmp.Or(*value, byDefault)
	return nil
}
