package resolver

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"sync/atomic"

	"cordon/blocklists/domain"
	"cordon/resolver/answer"
	"cordon/resolver/cache"
	"cordon/resolver/names"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// Routing says who is asked for what.
type Routing struct {
	Default Route
	Zones   []Route            // no zone twice
	Local   answer.LocalConfig // Forwarded and Owns are set by the resolver
	Names   *names.Table       // of one's own; nil for none
}

// Route is a group of upstreams for a zone and all below it.
type Route struct {
	Zone      domain.Name   // the root for the default route
	Also      []domain.Name // more zones with the same upstreams
	Upstreams Exchanger     // not nil
	// Identity tells this route's data from that of another: data fetched by a route is never served after the route of a name
	// got another identity. The addresses of the servers, say.
	Identity string
}

// routes are the routes in force. Immutable.
type routes struct {
	ids     map[string]uint16 // by zone and identity; an id is never given twice
	targets map[uint16]*target
	root    uint16
	byZone  map[string]uint16
	aliases uint16 // of aliases of one's own that lead away; of no meaning where there are none
}

// with is the routes of c, which keep the ids that the same routes have in rs. rs may be nil.
func (rs *routes) with(c Routing) (*routes, error) {
	next := &routes{ids: map[string]uint16{}, targets: map[uint16]*target{}, byZone: map[string]uint16{}}
	if rs != nil {
		maps.Copy(next.ids, rs.ids)
	}
	for _, route := range append([]Route{c.Default}, c.Zones...) {
		if route.Upstreams == nil {
			return nil, fmt.Errorf("route for %s: no upstreams", route.Zone)
		}
		id, err := next.id(string(route.Zone) + route.Identity)
		if err != nil {
			return nil, err
		}
		next.targets[id] = &target{Exchanger: route.Upstreams}
		next.byZone[string(route.Zone)] = id
		for _, zone := range route.Also {
			next.byZone[string(zone)] = id
		}
	}
	next.root = next.byZone[string(c.Default.Zone)]
	delete(next.byZone, string(c.Default.Zone))
	return next, nil
}

func (rs *routes) id(identity string) (uint16, error) {
	if id, ok := rs.ids[identity]; ok {
		return id, nil
	}
	if len(rs.ids) > math.MaxUint16 {
		return 0, errors.New("routes: 65,536 changes of the upstreams since the start; a restart is needed")
	}
	id := uint16(len(rs.ids))
	rs.ids[identity] = id
	return id, nil
}

// zones are the zones with routes of their own, in canonical wire form.
func (rs *routes) zones() [][]byte {
	all := make([][]byte, 0, len(rs.byZone))
	for zone := range rs.byZone {
		all = append(all, []byte(zone))
	}
	return all
}

// target is whom a route asks.
type target struct {
	Exchanger
	failing atomic.Bool // nobody answered what was last asked
}

func (rs *routes) target(id uint16) *target { return rs.targets[id] }

// told takes note of how a question to a route ended. A route that is not there any more is of no interest. A response code that is no
// answer is one for this.
func (rs *routes) told(id uint16, err error) {
	t := rs.targets[id]
	if t == nil {
		return
	}
	e, ok := errors.AsType[*upstream.Error](err)
	if failing := ok && e.Kind != upstream.Refused; t.failing.Load() != failing {
		t.failing.Store(failing)
	}
}

// route is the id of the route for a canonical wire name: that of the longest zone holding it.
func (rs *routes) route(name []byte) uint16 {
	if len(rs.byZone) == 0 {
		return rs.root
	}
	for off := 0; name[off] != 0; off += 1 + int(name[off]) {
		if id, ok := rs.byZone[string(name[off:])]; ok {
			return id
		}
	}
	return rs.root
}

// key is the cache key of q; it views q.
func (s *state) key(q *wire.Query) cache.Key {
	where := names.Nowhere
	if s.names.LeadsAway() {
		where = s.names.Look(q.Name, q.Type).Where
	}
	return s.keyAt(q, where)
}

// keyAt is key where it is known what the names of one's own have of q.
func (s *state) keyAt(q *wire.Query, where names.Where) cache.Key {
	route := s.routes.aliases
	if where != names.Away {
		route = s.routes.route(q.Name)
	}
	return cache.Key{Name: q.Name, Type: q.Type, Class: q.Class, DO: q.DO, CD: q.CD(), Route: route}
}
