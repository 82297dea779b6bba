package listen

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Server listens on all addresses. It is made by [New], served by one [Server.Run], and all its sockets are its own.
type Server struct {
	limits    Limits
	log       *slog.Logger
	addresses []bound
	workers   []*worker
	acceptors []*acceptor
	table     *table
	counters  []counters // one for each value of wire.Query.Worker

	ran    atomic.Bool
	once   sync.Once
	closed chan struct{} // everything is shut: nobody waits for replies any more
}

// New binds every address of c, or takes the sockets that are given. If one cannot be bound, none is: the error is an [*InUseError] if
// another server has it. An address of a family that the host lacks is logged and left out, as long as another address works.
func New(c Config) (*Server, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	addresses, err := c.open()
	if err != nil {
		return nil, err
	}
	s := &Server{
		limits:    c.Limits,
		log:       c.Log,
		addresses: addresses,
		table:     newTable(c.Limits),
		counters:  make([]counters, c.Listeners()),
		closed:    make(chan struct{}),
	}
	s.assemble(c)
	return s, nil
}

// open is every address with its sockets.
func (c Config) open() ([]bound, error) {
	if len(c.Given) > 0 {
		return adopt(c.Given)
	}
	return bindAll(c.Addresses, c.Workers, c.Log)
}

// assemble gives every socket its goroutine-to-be, its index and its counters.
func (s *Server) assemble(c Config) {
	troubles := &troubleLog{log: c.Log}
	next := 0
	door := func() door {
		d := door{handler: c.Handler, rate: c.Rate, self: c.Self, index: next, counters: &s.counters[next], troubles: troubles}
		next++
		return d
	}
	for i := range s.addresses {
		b := &s.addresses[i]
		for _, conn := range b.udp {
			s.workers = append(s.workers, newWorker(door(), conn, b.addr.Addr(), c.Batch))
		}
		if b.tcp != nil {
			s.acceptors = append(s.acceptors, newAcceptor(door(), b.tcp, s.table, s.limits))
		}
	}
	for _, listener := range c.Streams {
		s.acceptors = append(s.acceptors, newAcceptor(door(), listener, s.table, s.limits))
	}
}

// Addrs returns the addresses that are served over UDP and TCP, in the order of the configuration, with their ports.
func (s *Server) Addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for i := range s.addresses {
		if s.addresses[i].tcp != nil {
			all = append(all, s.addresses[i].addr)
		}
	}
	return all
}

// Queries returns how many queries were read so far, malformed ones too. It rises as long as there are any and the server serves.
func (s *Server) Queries() uint64 {
	var all uint64
	for i := range s.counters {
		c := &s.counters[i]
		all += c.queries4.Load() + c.queries6.Load()
	}
	return all
}

// Run serves until ctx ends. Then it stops accepting and reading, waits until what is in flight is answered, but no longer
// than Limits.Drain, closes everything and returns nil. A server runs once: a second call is an error.
func (s *Server) Run(ctx context.Context) error {
	if !s.ran.CompareAndSwap(false, true) {
		return errors.New("listen: the server has run already")
	}
	var all sync.WaitGroup
	for _, w := range s.workers {
		all.Go(func() { w.run(ctx, s.closed) })
	}
	for _, a := range s.acceptors {
		all.Go(func() { a.run(ctx) })
	}
	for i := range s.addresses {
		if b := &s.addresses[i]; b.tcp != nil {
			s.log.Info("listening", "address", b.addr, "udp_sockets", len(b.udp))
		}
	}
	<-ctx.Done()
	s.stop()
	s.drain(&all)
	return nil
}

// stop ends accepting and reading, and leaves open what answers go through.
func (s *Server) stop() {
	for _, a := range s.acceptors {
		_ = a.listener.Close()
	}
	for _, w := range s.workers {
		_ = w.conn.SetReadDeadline(time.Unix(1, 0))
	}
	s.table.stop()
}

// drain waits for the goroutines in all to end by themselves, then ends them.
func (s *Server) drain(all *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	timer := time.NewTimer(s.limits.Drain)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		s.log.Warn("stopped with queries unanswered", "waited", s.limits.Drain)
	}
	s.Close()
	<-done
}

// Close closes every socket at once. It is for a server that is not going to run; [Server.Run] calls it at its end. It may be
// called again and again, from any goroutine.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closed)
		closeAll(s.addresses)
		for _, a := range s.acceptors {
			_ = a.listener.Close()
		}
		s.table.close()
	})
}
