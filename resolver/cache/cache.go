package cache

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Config is what [New] needs.
type Config struct {
	MaxBytes int64         // octets of memory, table and entries with all that is theirs; at least MinBytes
	Stale    time.Duration // how long an expired answer may still be used (RFC 8767); 0 for not at all, at most MaxStale
}

// Bounds of a [Config].
const (
	MinBytes = 1 << 20
	MaxStale = 24 * time.Hour
)

// State is what [Cache.Get] found.
type State uint8

// The states. A stale entry has expired and should be renewed; it is better than no answer. One that is due is fresh, but not for long,
// and is asked for again and again: who renews it now ([Entry.Claim]) spares the next client the wait.
const (
	Miss State = iota
	Fresh
	Stale
	Due
)

// stripes is how many locks the writers share.
const stripes = 256

// entryGuess is the size of an entry in octets for which the table is laid out: well below what one address takes, so that
// octets run out before buckets do.
const entryGuess = 160

// Cache is safe for concurrent use. The readers take no lock.
type Cache struct {
	hasher  hasher
	stale   time.Duration
	max     int64
	buckets []bucket
	locks   [stripes]sync.Mutex

	bytes     atomic.Int64
	entries   atomic.Int64
	evictions atomic.Uint64
	hand      atomic.Uint64 // the bucket where room is made next
}

// New makes an empty cache. Its table is allocated at once: some 6 % of MaxBytes.
func New(c Config) (*Cache, error) {
	if c.MaxBytes < MinBytes {
		return nil, fmt.Errorf("make cache: max_bytes is %d, at least %d are needed", c.MaxBytes, MinBytes)
	}
	if c.Stale < 0 || c.Stale > MaxStale {
		return nil, fmt.Errorf("make cache: stale answers for %s, want 0s to %s", c.Stale, MaxStale)
	}
	cache := &Cache{
		hasher:  newHasher(),
		stale:   c.Stale,
		max:     c.MaxBytes,
		buckets: make([]bucket, max(1, c.MaxBytes/entryGuess/slots)),
	}
	cache.bytes.Store(int64(len(cache.buckets)) * int64(unsafe.Sizeof(bucket{})))
	return cache, nil
}

// Get returns what is kept for k, as it is at now. The entry is nil on a Miss. A failure in force is Fresh, see
// [Entry.Failed]. An entry is Stale only within [Config].Stale after it expired, and never a failure. It is Due, instead of Fresh, in
// the last tenth of a lifetime of 10 s or more, if Get has found it before in this lifetime and nobody has claimed it lately.
func (c *Cache) Get(k Key, now time.Time) (*Entry, State) {
	fields := k.fields()
	hash := c.hasher.hash(k.Name, fields)
	b := &c.buckets[c.index(hash)]
	i, e := b.find(hash, k.Name, fields)
	if e == nil {
		return nil, Miss
	}
	moment := now.Sub(epoch)
	state := e.state(moment, c.stale)
	if state == Miss {
		return nil, Miss
	}
	if state == Fresh && e.due(moment-e.stored) && b.used(i) {
		state = Due
	}
	b.use(i)
	return e, state
}

// Put keeps e in place of what was kept for its key. There are two exceptions. A failure does not replace an answer that is
// fresh or may be used stale: that answer remembers it, see [Entry.Deferred]. And an entry that does not live (see
// [Entry.Lifetime]) is not kept, but what it outdates goes.
func (c *Cache) Put(e *Entry) {
	hash := c.hasher.hash(e.name(), e.fields)
	index := c.index(hash)
	c.put(index, hash, e)
	c.makeRoom(e.stored)
}

func (c *Cache) put(index, hash uint64, e *Entry) {
	lock := &c.locks[index%stripes]
	lock.Lock()
	defer lock.Unlock()
	b := &c.buckets[index]
	i, old := b.find(hash, e.name(), e.fields)
	switch {
	case old != nil && e.failed != nil && old.failed == nil && old.state(e.stored, c.stale) != Miss:
		old.putOff(e)
		return
	case e.lifetime == 0:
		if old != nil {
			c.drop(b, i)
		}
		return
	case old == nil:
		i = c.vacate(b, hash, e.stored)
	default:
		c.drop(b, i)
	}
	b.set(i, hash, e)
	c.entries.Add(1)
	c.bytes.Add(e.size())
}

// vacate returns an empty slot of b, at now, counted from epoch. If there is none, it makes one: of what can no longer be used,
// else of what was not used lately, else of any.
func (c *Cache) vacate(b *bucket, hash uint64, now time.Duration) int {
	victim, rank := 0, -1
	from := int(hash >> 8 & 0xFF)
	for n := range slots {
		i := (from + n) % slots
		if r := c.rank(b, i, now); r > rank {
			victim, rank = i, r
		}
	}
	if rank < empty {
		c.evict(b, victim, rank)
	}
	if rank == used {
		b.forgetUse()
	}
	return victim
}

// The ranks of slots, worth keeping first.
const (
	used = iota
	unused
	dead
	empty
)

func (c *Cache) rank(b *bucket, i int, now time.Duration) int {
	e := b.slots[i].Load()
	switch {
	case e == nil:
		return empty
	case e.state(now, c.stale) == Miss:
		return dead
	case b.used(i):
		return used
	default:
		return unused
	}
}

// makeRoom moves the hand over the buckets until the cache is within its bound. Two rounds empty the table, so it ends.
func (c *Cache) makeRoom(now time.Duration) {
	for range 2 * len(c.buckets) {
		if c.bytes.Load() <= c.max {
			return
		}
		c.sweep(c.hand.Add(1)%uint64(len(c.buckets)), now)
	}
}

// sweep drops what cannot be used any more, and then, as long as room is needed, what was not used since the hand last came
// by.
func (c *Cache) sweep(index uint64, now time.Duration) {
	lock := &c.locks[index%stripes]
	lock.Lock()
	defer lock.Unlock()
	b := &c.buckets[index]
	for _, rank := range [...]int{dead, unused} {
		for i := range slots {
			if c.rank(b, i, now) == rank && (rank == dead || c.bytes.Load() > c.max) {
				c.evict(b, i, rank)
			}
		}
	}
	b.forgetUse()
}

// evict drops an entry to make room. It is counted if it could have been used.
func (c *Cache) evict(b *bucket, i, rank int) {
	if rank != dead {
		c.evictions.Add(1)
	}
	c.drop(b, i)
}

func (c *Cache) drop(b *bucket, i int) {
	e := b.slots[i].Load()
	b.clear(i)
	c.entries.Add(-1)
	c.bytes.Add(-e.size())
}

// Stats are figures of one moment.
type Stats struct {
	Entries   int64
	Bytes     int64 // of the table and the entries
	MaxBytes  int64
	Evictions uint64 // usable entries that went to make room, since the start
}

// Stats reads the figures. They may be a write apart from each other.
func (c *Cache) Stats() Stats {
	return Stats{Entries: c.entries.Load(), Bytes: c.bytes.Load(), MaxBytes: c.max, Evictions: c.evictions.Load()}
}
