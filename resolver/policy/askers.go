package policy

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"cordon/resolver/agency"
)

// ground is what is known of the addresses of a network that are in no smaller one.
type ground struct {
	network netip.Prefix
	agency  *Agency      // nil: that of the network around
	allowed bool         // may ask; so may everything within
	clients []*Exception // those that name a network around as their clients, or this one
}

// addNetworks makes the table from networks to askers. Sorted, a network stands directly after those around it and their
// other parts, so one walk with a stack of the networks around knows everything about each.
func (b *builder) addNetworks(c Config) error {
	grounds, err := b.grounds(c)
	if err != nil {
		return err
	}
	askers, err := newAskers(b)
	if err != nil {
		return err
	}
	elsewhere := ground{agency: b.agencies[b.agencyNames.places[DefaultAgency]]}
	b.stranger = b.askers[askers.of(elsewhere)]
	entries := make([]agency.Entry, 0, len(grounds))
	var around []ground
	for _, g := range grounds {
		for len(around) > 0 && !around[len(around)-1].network.Overlaps(g.network) {
			around = around[:len(around)-1]
		}
		outer := elsewhere
		if len(around) > 0 {
			outer = around[len(around)-1]
		}
		g = g.within(outer)
		around = append(around, g)
		entries = append(entries, agency.Entry{Prefix: g.network, ID: askers.of(g)})
	}
	if b.networks, err = agency.NewTable(entries); err != nil {
		return fmt.Errorf("compiling the networks: %w", err)
	}
	return nil
}

// within returns g with what it has from the next network around.
func (g ground) within(outer ground) ground {
	if g.agency == nil {
		g.agency = outer.agency
	}
	g.allowed = g.allowed || outer.allowed
	g.clients = slices.Concat(outer.clients, g.clients)
	return g
}

// grounds returns every network that is written anywhere, once, in the order of [netip.Prefix.Compare]: one that holds others
// before them.
func (b *builder) grounds(c Config) ([]ground, error) {
	found := survey{}
	for _, a := range b.agencies {
		if err := found.addAgency(a); err != nil {
			return nil, fmt.Errorf("agency %q: %w", a.Name, err)
		}
	}
	for _, p := range c.Allowed {
		g, err := found.at(p)
		if err != nil {
			return nil, fmt.Errorf("allowed clients: %w", err)
		}
		g.allowed = true
	}
	for _, e := range b.exceptions {
		if err := found.addException(e); err != nil {
			return nil, fmt.Errorf("exception %q: %w", e.Name, err)
		}
	}
	sorted := make([]ground, 0, len(found))
	for _, p := range slices.SortedFunc(maps.Keys(found), netip.Prefix.Compare) {
		sorted = append(sorted, *found[p])
	}
	return sorted, nil
}

// survey collects grounds by their network.
type survey map[netip.Prefix]*ground

func (s survey) at(p netip.Prefix) (*ground, error) {
	p, err := agency.Canonical(p)
	if err != nil {
		return nil, err
	}
	if s[p] == nil {
		s[p] = &ground{network: p}
	}
	return s[p], nil
}

func (s survey) addAgency(a *Agency) error {
	for _, p := range a.Networks {
		g, err := s.at(p)
		if err != nil {
			return err
		}
		if g.agency != nil {
			return fmt.Errorf("found network %s, which agency %q has, want each network once", p, g.agency.Name)
		}
		g.agency, g.allowed = a, true
	}
	return nil
}

func (s survey) addException(e *Exception) error {
	for _, p := range e.Clients {
		g, err := s.at(p)
		if err != nil {
			return err
		}
		g.clients = append(g.clients, e)
	}
	return nil
}

// askers makes one Asker for all grounds that are alike.
type askers struct {
	builder  *builder
	policies [][]*Policy    // by agency
	here     []*permissions // by agency: for all of its own clients, not for those below it; nil for none
	below    []*permissions // by agency: for those below it too; nil for none
	known    map[string]agency.ID
}

func newAskers(b *builder) (*askers, error) {
	m := &askers{builder: b, known: map[string]agency.ID{}}
	here, below := make([][]*Exception, len(b.agencies)), make([][]*Exception, len(b.agencies))
	for _, e := range b.exceptions {
		switch {
		case len(e.Clients) > 0:
		case e.Descendants:
			below[e.owner.Index] = append(below[e.owner.Index], e)
		default:
			here[e.owner.Index] = append(here[e.owner.Index], e)
		}
	}
	for _, a := range b.agencies {
		policies, err := b.agencyPolicies(a)
		if err != nil {
			return nil, err
		}
		m.policies = append(m.policies, policies)
		m.here = append(m.here, newPermissions(here[a.Index]))
		m.below = append(m.below, newPermissions(below[a.Index]))
	}
	for _, a := range b.agencies {
		b.general = append(b.general, m.newAsker(ground{agency: a, allowed: true}, nil))
	}
	return m, nil
}

// isFor says whether clients of a can use e.
func (e *Exception) isFor(a *Agency) bool {
	return a == e.owner || e.Descendants && a.within(e.owner)
}

// of returns the number of the asker that the clients on g are.
func (m *askers) of(g ground) agency.ID {
	var own []*Exception
	for _, e := range g.clients {
		if e.isFor(g.agency) {
			own = append(own, e)
		}
	}
	slices.SortFunc(own, byIndex)
	own = slices.Compact(own)
	key := askerKey(g, own)
	id, ok := m.known[key]
	if !ok {
		id = agency.ID(len(m.builder.askers))
		m.known[key] = id
		asker := m.newAsker(g, own)
		for _, ps := range asker.permissions {
			ps.use()
		}
		m.builder.askers = append(m.builder.askers, asker)
	}
	return id
}

// newAsker makes the asker that the clients on g are, with the exceptions own that name them.
func (m *askers) newAsker(g ground, own []*Exception) *Asker {
	a := &Asker{
		agency: g.agency, allowed: g.allowed, mode: g.agency.Mode, policies: m.policies[g.agency.Index], named: len(own) > 0,
	}
	a.permit(newPermissions(own))
	a.permit(m.here[g.agency.Index])
	for up := g.agency; up != nil; up = up.parent {
		a.permit(m.below[up.Index])
	}
	return a
}

// permit lets a use ps, unless that is nil.
func (a *Asker) permit(ps *permissions) {
	if ps == nil {
		return
	}
	a.permissions = append(a.permissions, ps)
	if ps.lastEnd.After(a.lastEnd) {
		a.lastEnd = ps.lastEnd
	}
}

func askerKey(g ground, own []*Exception) string {
	key := make([]byte, 0, binary.MaxVarintLen16*(len(own)+2))
	key = binary.AppendUvarint(key, uint64(g.agency.Index))
	if g.allowed {
		key = append(key, 1)
	} else {
		key = append(key, 0)
	}
	for _, e := range own {
		key = binary.AppendUvarint(key, uint64(e.Index))
	}
	return string(key)
}
