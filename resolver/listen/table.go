package listen

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver/limit"
)

// table holds the open connections of a server and keeps their number within its limits.
type table struct {
	most, mostPerClient int

	mu        sync.Mutex // taken before a conn's
	conns     map[*conn]struct{}
	perClient map[netip.Addr]int // by limit.Client
	stopped   bool

	accepted, rejected, evicted atomic.Uint64
}

func newTable(l Limits) *table {
	return &table{
		most:          l.Connections,
		mostPerClient: l.ConnectionsPerClient,
		conns:         make(map[*conn]struct{}),
		perClient:     make(map[netip.Addr]int),
	}
}

// add takes c in, unless its client has enough connections or the server is stopping. If the table was full, evicted is the
// connection that made way: it is out of the table, and the caller cuts it.
func (t *table) add(c *conn) (evicted *conn, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return nil, false
	}
	client := limit.Client(c.client.Addr())
	if t.perClient[client] >= t.mostPerClient {
		t.rejected.Add(1)
		return nil, false
	}
	if len(t.conns) >= t.most {
		evicted = t.longestIdle()
		t.drop(evicted)
		t.evicted.Add(1)
	}
	t.accepted.Add(1)
	t.conns[c] = struct{}{}
	t.perClient[client]++
	return evicted, true
}

// longestIdle is the connection that has done nothing for the longest time: of those that wait for no answer, if there are any.
func (t *table) longestIdle() *conn {
	var longest *conn
	var since time.Time
	busy := true
	for c := range t.conns {
		s, b := c.activity()
		if longest == nil || busy && !b || busy == b && s.Before(since) {
			longest, since, busy = c, s, b
		}
	}
	return longest
}

// remove forgets c, if it is still there.
func (t *table) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.conns[c]; ok {
		t.drop(c)
	}
}

func (t *table) drop(c *conn) {
	delete(t.conns, c)
	client := limit.Client(c.client.Addr())
	if t.perClient[client]--; t.perClient[client] == 0 {
		delete(t.perClient, client)
	}
}

// open is the number of open connections.
func (t *table) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns)
}

// stop refuses new connections and ends reading from those that are open.
func (t *table) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	for c := range t.conns {
		c.stop()
	}
}

// close cuts all connections.
func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	for c := range t.conns {
		c.cut()
	}
}
