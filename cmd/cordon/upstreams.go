package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists/domain"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/upstream"
)

// upstreams are the groups of servers that are asked. A group stays over a reload, with what it knows of its servers.
type upstreams struct {
	log      *slog.Logger
	registry *prometheus.Registry
	resolver *resolver.Resolver
	dial     upstream.DialFunc // nil: the network of this host

	groups map[domain.Name]*upstream.Group
	names  []string // of the servers of the default route, for people
}

// choice is the servers for one zone.
type choice struct {
	zone     domain.Name
	servers  []upstream.Server
	identity string
}

// follow asks the servers of s from now on. On an error nothing has changed.
func (u *upstreams) follow(s *config.Service) error {
	choices, err := choose(s)
	if err != nil {
		return err
	}
	var routes []resolver.Route
	kept := map[domain.Name]*upstream.Group{}
	for _, c := range choices {
		group, err := u.group(c, s.Limits.WaitingTotal)
		if err != nil {
			return err
		}
		kept[c.zone] = group
		routes = append(routes, resolver.Route{Zone: c.zone, Upstreams: group, Identity: c.identity})
	}
	err = u.resolver.Configure(resolver.Routing{Default: routes[0], Zones: routes[1:], Local: localConfig(s)})
	if err != nil {
		return err
	}
	for zone, group := range u.groups {
		if kept[zone] == nil {
			u.registry.Unregister(group.Collector())
		}
	}
	u.groups = kept
	u.names = nil
	for _, server := range choices[0].servers {
		u.names = append(u.names, server.Addr.String())
	}
	return nil
}

// group is the group for c: the one that there is, with the servers of c, or a new one.
func (u *upstreams) group(c choice, inFlight int) (*upstream.Group, error) {
	if group := u.groups[c.zone]; group != nil {
		return group, group.SetServers(c.servers)
	}
	route := ""
	if c.zone != domain.Root {
		route = c.zone.String()
	}
	group, err := upstream.New(upstream.Config{
		Route: route, Servers: c.servers, Dial: u.dial, MaxInFlight: inFlight, Log: u.log,
	})
	if err != nil {
		return nil, err
	}
	return group, u.registry.Register(group.Collector())
}

// choose is the servers that s names, those of the default route first.
func choose(s *config.Service) ([]choice, error) {
	root := choice{zone: domain.Root, servers: servers(s.Upstreams)}
	root.identity = identity(root.servers)
	if len(root.servers) == 0 {
		root.identity = s.ResolvConf // whoever these servers are: the answers of the last ones stay good
		var err error
		if root.servers, err = machineServers(s.ResolvConf); err != nil {
			return nil, err
		}
	}
	choices := []choice{root}
	for _, f := range s.Forward {
		c := choice{zone: f.Zone, servers: servers(f.Upstreams)}
		c.identity = identity(c.servers)
		choices = append(choices, c)
	}
	for _, c := range choices {
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
	defer f.Close() //nolint:errcheck // it was only read
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
