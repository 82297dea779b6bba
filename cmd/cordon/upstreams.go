package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists/domain"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/names"
	"cordon/resolver/upstream"
)

// upstreams are the groups of servers that are asked. A group stays over a reload, with what it knows of its servers.
type upstreams struct {
	log      *slog.Logger
	traffic  *slog.Logger // for the groups: upstreams can make them say something again and again
	registry *prometheus.Registry
	resolver *resolver.Resolver
	dial     upstream.DialFunc // nil: the network of this host

	groups map[string]*upstream.Group                 // by what they are called
	names  []string                                   // of the servers of the default route, for people
	now    atomic.Pointer[map[string]*upstream.Group] // groups, for who looks at them meanwhile
}

// choice is the servers for one entry of forward, or for all names of no entry.
type choice struct {
	label    string // of the group: a zone or a network
	zones    []domain.Name
	servers  []upstream.Server
	identity string
}

// rootLabel is what the group of the default route is called.
const rootLabel = "."

// follow asks the servers of s from now on, for all but the names of one's own. On an error nothing has changed: everything that can fail
// comes first.
func (u *upstreams) follow(s *config.Service, own *names.Table) error {
	choices, err := choose(s)
	if err != nil {
		return err
	}
	groups := map[string]*upstream.Group{}
	var routes []resolver.Route
	for _, c := range choices {
		if groups[c.label] = u.groups[c.label]; groups[c.label] == nil {
			if groups[c.label], err = u.group(c); err != nil {
				return err
			}
		}
		routes = append(routes, resolver.Route{
			Zone: c.zones[0], Also: c.zones[1:], Upstreams: groups[c.label], Identity: c.identity,
		})
	}
	err = u.resolver.Configure(resolver.Routing{Default: routes[0], Zones: routes[1:], Local: localConfig(s), Names: own})
	if err != nil {
		return err
	}
	return u.settle(choices, groups)
}

// settle gives each group its servers, makes groups those in use, and their metrics the ones that are shown.
func (u *upstreams) settle(choices []choice, groups map[string]*upstream.Group) error {
	var wrong error
	for label, group := range u.groups {
		if groups[label] == nil {
			u.registry.Unregister(group.Collector())
		}
	}
	for _, c := range choices {
		wrong = errors.Join(wrong, groups[c.label].SetServers(c.servers))
		if u.groups[c.label] == nil {
			wrong = errors.Join(wrong, u.registry.Register(groups[c.label].Collector()))
		}
	}
	u.groups = groups
	u.now.Store(&groups)
	addresses := make([]string, len(choices[0].servers))
	for i, server := range choices[0].servers {
		addresses[i] = server.Addr.String()
	}
	if u.names != nil && !slices.Equal(u.names, addresses) {
		u.log.Info("upstreams in force", "addresses", addresses)
	}
	u.names = addresses
	return wrong
}

// failing are the zones, or networks, of which no server answers. It may be called at any time.
func (u *upstreams) failing() []string {
	var zones []string
	groups := u.now.Load()
	if groups == nil {
		return nil
	}
	for label, group := range *groups {
		if group.Failing() {
			zones = append(zones, label)
		}
	}
	return zones
}

// group is a new group for c.
func (u *upstreams) group(c choice) (*upstream.Group, error) {
	route := ""
	if c.label != rootLabel {
		route = c.label
	}
	group, err := upstream.New(upstream.Config{
		Route: route, Servers: c.servers, Dial: u.dial, MaxInFlight: maxInFlight, Log: u.traffic,
	})
	if err != nil {
		return nil, fmt.Errorf("upstreams: %w", err)
	}
	return group, nil
}

// maxInFlight bounds the questions under way to a group beside what bounds the queries that wait: a question whose clients got
// stale data goes on alone.
const maxInFlight = 65536

// choose is the servers that s names, those of the default route first.
func choose(s *config.Service) ([]choice, error) {
	root := choice{label: rootLabel, zones: []domain.Name{domain.Root}, servers: servers(s.Upstreams)}
	root.identity = identity(root.servers)
	if len(root.servers) == 0 {
		root.identity = s.ResolvConf // whoever these servers are: the answers of the last ones stay good
		var err error
		if root.servers, err = machineServers(s.ResolvConf); err != nil {
			return nil, err
		}
	}
	choices := []choice{root}
	for i := range s.Forward {
		f := &s.Forward[i]
		c := choice{label: f.Label(), zones: f.Zones(), servers: servers(f.Upstreams)}
		c.identity = identity(c.servers)
		choices = append(choices, c)
	}
	for _, c := range choices {
		if _, err := upstream.New(upstream.Config{Servers: c.servers}); err != nil {
			return nil, fmt.Errorf("upstreams: %w", err)
		}
		for _, server := range c.servers {
			if isSelf(server.Addr, s.Listen.DNS) {
				return nil, fmt.Errorf("upstream %s is this server itself: every query would come back to it; "+
					"name the resolvers behind it in `upstreams:`", server.Addr)
			}
		}
	}
	return choices, nil
}

// machineServers are the nameservers of the resolv.conf at path.
func machineServers(path string) ([]upstream.Server, error) {
	const advice = "name the resolvers to ask in `upstreams:`"
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("upstreams: %w; %s", err, advice)
	}
	defer f.Close()
	addrs, err := upstream.ParseResolvConf(f)
	if err != nil {
		return nil, fmt.Errorf("upstreams: %s: %w; %s", path, err, advice)
	}
	if len(addrs) == 0 {
		return nil, errors.New("upstreams: " + path + " names no nameserver; " + advice)
	}
	all := make([]upstream.Server, len(addrs))
	for i, a := range addrs {
		all[i].Addr = a
	}
	return all, nil
}

// isSelf says whether a query to server would reach a listener of ours on one of the listening addresses.
func isSelf(server netip.AddrPort, listening []netip.AddrPort) bool {
	for _, l := range listening {
		if l.Port() != server.Port() {
			continue
		}
		if l.Addr() == server.Addr().WithZone("") || l.Addr().IsUnspecified() && isOurs(server.Addr()) {
			return true
		}
	}
	return false
}

// isOurs says whether a is an address of this host.
func isOurs(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, n := range addrs {
		if prefix, err := netip.ParsePrefix(n.String()); err == nil && prefix.Addr().WithZone("") == a.WithZone("") {
			return true
		}
	}
	return false
}
