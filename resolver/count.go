package resolver

import (
	"slices"
	"sync"
	"sync/atomic"

	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// counts are what the hot path counts: one shard a listener, and one counter for each agency, policy, list, service and action, for those
// of the first three that came together at least once. No address and no name gets here.
type counts struct {
	shards []shard

	prefetched, unrenewed atomic.Uint64 // renewals that brought an answer, and those that failed

	mu    sync.Mutex // of the maps; what they lead to is counted without it
	cells map[cellKey]cell
	uses  map[useKey]*padded
}

// shard is the counters of one listener, on cache lines of their own.
type shard struct {
	rcodes  [32]atomic.Uint64 // by RCODE, of which we send those below 32
	lookups [4]atomic.Uint64  // by cache.State
	own     atomic.Uint64     // answers from names of one's own
	_       [64]byte
}

type padded struct {
	n atomic.Uint64
	_ [56]byte
}

// cell is the counters of what one policy said to one agency by one list, by Verdict.Service: one of them for a list without services.
type cell []actions

// actions are the counters of one service: refuse, observe, except.
type actions struct {
	n [policy.Except]atomic.Uint64
	_ [64 - 8*policy.Except]byte
}

// action is the counter of an action other than Pass.
func (as *actions) action(a policy.Action) *atomic.Uint64 { return &as.n[a-policy.Refuse] }

// sum is that of all services.
func (c cell) sum(a policy.Action) (n uint64) {
	for service := range c {
		n += c[service].action(a).Load()
	}
	return n
}

type cellKey struct {
	agency, policy, list string
	services             bool // the list has them: one without may have had its name before
}

// useKey is an exception and the agency that it is for.
type useKey struct{ exception, agency string }

func (c *counts) init(workers int) {
	c.shards = make([]shard, workers)
	c.cells, c.uses = map[cellKey]cell{}, map[useKey]*padded{}
}

// answered counts the answer to q, unless that is our own.
func (c *counts) answered(q *wire.Query, answer []byte) {
	if q.Own() {
		return
	}
	s := &c.shards[q.Worker]
	rcode := answer[3] & 0xF
	if q.Problem == wire.BadVersion {
		rcode = byte(wire.BadVers)
	}
	s.rcodes[rcode].Add(1)
}

func (c *counts) looked(q *wire.Query, found cache.State) {
	if q.Own() {
		return
	}
	c.shards[q.Worker].lookups[found].Add(1)
}

// own counts an answer from names of one's own, be it a refusal for what it leads to.
func (c *counts) own(q *wire.Query) {
	if !q.Own() {
		c.shards[q.Worker].own.Add(1)
	}
}

// renewed counts a renewal by what it brought.
func (c *counts) renewed(entry *cache.Entry) {
	if entry.Failed() {
		c.unrenewed.Add(1)
	} else {
		c.prefetched.Add(1)
	}
}

// verdict counts v, if it is more than "pass" and q is not our own. The first of its kind in a snapshot takes a lock and allocates.
func (c *counts) verdict(s *state, q *wire.Query, v *policy.Verdict) {
	if v.Action == policy.Pass || q.Own() {
		return
	}
	found := s.tally.cell(v)
	if found == nil {
		found = c.open(s.tally, v)
	}
	found[v.Service].action(v.Action).Add(1)
	if v.Exception != nil {
		s.tally.uses[v.Exception.Index].n.Add(1)
	}
}

// tally finds the counters for the verdicts of one snapshot by their indexes. It begins without any, because agencies, policies and lists
// may be so many that those which never come together must take no room.
type tally struct {
	policies int
	services []bool                                  // by Verdict.ListIndex: whether the list has services
	agencies []atomic.Pointer[[]atomic.Pointer[row]] // by Agency.Index, then by Policy.Index; nil: nothing yet
	uses     []*padded                               // by Exception.Index
}

// row is the cells of one agency and one policy, by list. It never changes: a new list makes a new row.
type row struct {
	first int    // the index of the list of the first cell
	cells []cell // nil: nothing yet
}

// cell is the one for v, nil if there is none yet.
func (t *tally) cell(v *policy.Verdict) cell {
	policies := t.agencies[v.Agency.Index].Load()
	if policies == nil {
		return nil
	}
	r := (*policies)[v.Policy.Index].Load()
	if r == nil || v.ListIndex < r.first || v.ListIndex-r.first >= len(r.cells) {
		return nil
	}
	return r.cells[v.ListIndex-r.first]
}

// put makes c the cell for v. There is one put at a time.
func (t *tally) put(v *policy.Verdict, c cell) {
	policies := t.agencies[v.Agency.Index].Load()
	if policies == nil {
		made := make([]atomic.Pointer[row], t.policies)
		policies = &made
		t.agencies[v.Agency.Index].Store(policies)
	}
	r := &(*policies)[v.Policy.Index]
	r.Store(r.Load().with(v.ListIndex, c))
}

// with is r, which may be nil, with c for one list more.
func (r *row) with(list int, c cell) *row {
	if r == nil {
		return &row{first: list, cells: []cell{c}}
	}
	first, end := min(r.first, list), max(r.first+len(r.cells), list+1)
	next := &row{first: first, cells: make([]cell, end-first)}
	copy(next.cells[r.first-first:], r.cells)
	next.cells[list-first] = c
	return next
}

// open is the cell for v, the one that there is from an earlier snapshot or a new one, and puts it in t.
func (c *counts) open(t *tally, v *policy.Verdict) cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cellKey{agency: v.Agency.Name, policy: v.Policy.Name, list: v.List, services: t.services[v.ListIndex]}
	found := c.cells[key]
	if found == nil {
		found = make(cell, 1)
		if key.services {
			found = make(cell, policy.Services)
		}
		c.cells[key] = found
	}
	t.put(v, found)
	return found
}

// tally is that of s. Counters go on where they were before s.
func (c *counts) tally(s *policy.Snapshot) *tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(s)
	t := &tally{policies: len(s.Policies()), agencies: make([]atomic.Pointer[[]atomic.Pointer[row]], len(s.Agencies()))}
	for _, list := range s.Lists() {
		t.services = append(t.services, list.Services() != nil)
	}
	for _, e := range s.Exceptions() {
		key := useKey{exception: e.Name, agency: e.Agency}
		if c.uses[key] == nil {
			c.uses[key] = new(padded)
		}
		t.uses = append(t.uses, c.uses[key])
	}
	return t
}

// maxGone is how many counters are kept of what no snapshot speaks of any more: enough for all that ever was in a ministry, and a bound
// on what names that change with each reload can take.
const maxGone = 4096

// forget drops the counters of what s does not have, once there are too many. The caller holds c.mu.
func (c *counts) forget(s *policy.Snapshot) {
	if len(c.cells) <= maxGone && len(c.uses) <= maxGone {
		return
	}
	agencies, policies, exceptions := map[string]bool{}, map[string]*policy.Policy{}, map[useKey]bool{}
	for _, a := range s.Agencies() {
		agencies[a.Name] = true
	}
	for _, p := range s.Policies() {
		policies[p.Name] = p
	}
	for _, e := range s.Exceptions() {
		exceptions[useKey{exception: e.Name, agency: e.Agency}] = true
	}
	forget(c.cells, func(k cellKey) bool {
		p := policies[k.policy]
		return agencies[k.agency] && p != nil && slices.Contains(p.Lists, k.list)
	})
	forget(c.uses, func(k useKey) bool { return exceptions[k] })
}

// forget deletes from all what is not there, if that is more than maxGone.
func forget[K comparable, V any](all map[K]V, there func(K) bool) {
	var gone []K
	for k := range all {
		if !there(k) {
			gone = append(gone, k)
		}
	}
	if len(gone) <= maxGone {
		return
	}
	for _, k := range gone {
		delete(all, k)
	}
}

// Count is how many queries a verdict other than "pass" was given, since the process began.
type Count struct {
	Agency, Policy, List string
	Action               policy.Action
	N                    uint64
}

// Counts returns every verdict that was given at least once, in no order. It may be called at any time. A counter goes on over reloads
// that leave out its agency, policy or list, and begins at 0 again only if thousands of others have gone too.
func (r *Resolver) Counts() []Count {
	c := &r.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := map[Count]uint64{} // by those without N
	for key, found := range c.cells {
		for action := policy.Refuse; action <= policy.Except; action++ {
			if n := found.sum(action); n > 0 {
				sums[Count{Agency: key.agency, Policy: key.policy, List: key.list, Action: action}] += n
			}
		}
	}
	all := make([]Count, 0, len(sums))
	for count, n := range sums {
		count.N = n
		all = append(all, count)
	}
	return all
}

// Uses returns how many queries each exception let pass since the process began, by its name, for those that let any pass. It may be
// called at any time. The counters live as those of Counts do.
func (r *Resolver) Uses() map[string]uint64 {
	c := &r.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]uint64{}
	for key, used := range c.uses {
		if n := used.n.Load(); n > 0 {
			all[key.exception] += n
		}
	}
	return all
}
