package resolver

import "cordon/resolver/cache"

// Totals are counts of all queries since the process began, and how full the places are of those who wait.
type Totals struct {
	Hit, Stale, Miss uint64 // look-ups in the cache, by what was found
	Waiting, Places  int    // queries that wait for upstreams, and how many may
	Crowded          uint64 // queries that found no place to wait: all were taken, or all that one client may have
}

// Totals may be called at any time.
func (r *Resolver) Totals() Totals {
	found := func(states ...cache.State) (n uint64) {
		for i := range r.counts.shards {
			for _, state := range states {
				n += r.counts.shards[i].lookups[state].Load()
			}
		}
		return n
	}
	t := Totals{Hit: found(cache.Fresh, cache.Due), Stale: found(cache.Stale), Miss: found(cache.Miss)}
	fs := &r.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	t.Waiting, t.Places, t.Crowded = fs.waiting, fs.limits.Load().Waiting, fs.crowded
	return t
}
