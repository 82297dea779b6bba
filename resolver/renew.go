package resolver

import (
	"time"

	"cordon/resolver/cache"
)

// renew asks upstreams for what entry answers, which is due, so that nobody who asks for it often ever waits for it. Of all who find it
// due one does, once in a while; nobody waits for the answer, which takes the place of entry in the cache. If upstreams fail, entry
// goes on to its end. It is called in a listener's loop and does not wait.
func (r *Resolver) renew(s *state, entry *cache.Entry, now time.Time) {
	key := entry.Key()
	if !entry.Claim(now) || s.routes.target(key.Route).failing.Load() {
		return
	}
	if f := r.flights.renew(key, r.cache.Hash(key), now); f != nil {
		r.ask(s, f, now, f.landed)
	}
}
