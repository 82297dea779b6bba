package config

import (
	"fmt"
	"net/netip"

	"cordon/blocklists/domain"
)

// checkService finds what is wrong with a service whose keys are right one by one.
func checkService(s *Service) Faults {
	faults := s.checkUpstreams(s.Upstreams)
	if s.Has("upstreams") && !s.faulty && len(s.Upstreams) == 0 {
		faults = append(faults, faultAt(s.At("upstreams"), "upstreams: the list is empty: leave the key out to ask the servers of %s",
			s.ResolvConf))
	}
	faults = append(faults, s.checkForward()...)
	faults = append(faults, s.checkAdmin()...)
	faults = append(faults, s.checkQueryLog()...)
	return append(faults, s.checkClients()...)
}

// The most that local and forward may have.
const (
	maxHostsFiles = 64
	maxZones      = 4096 // of all entries of forward
)

// checkForward finds zones that are forwarded twice or not at all, and zones of local that are somebody else's.
func (s *Service) checkForward() Faults {
	var faults Faults
	places := make(map[domain.Name]Pos)
	for i := range s.Forward {
		f := &s.Forward[i]
		if !f.faulty && f.Zone == "" && len(f.Networks) == 0 {
			faults = append(faults, faultAt(f.Pos, `the key "zone" or "networks" is missing from this entry of "forward"`))
		}
		if f.Has("upstreams") && !f.faulty && len(f.Upstreams) == 0 {
			faults = append(faults, faultAt(f.At("upstreams"), "upstreams: the list is empty: want at least one"))
		}
		faults = append(faults, f.checkZones(places)...)
		faults = append(faults, s.checkUpstreams(f.Upstreams)...)
	}
	return append(faults, s.Local.check(places)...)
}

// checkZones adds the zones of f to places, where zones were found before. Of a network, the first zone that can't be added is told.
func (f *Forward) checkZones(places map[domain.Name]Pos) Faults {
	var faults Faults
	switch f.Zone {
	case "":
	case domain.Root:
		faults = append(faults, faultAt(f.At("zone"), "zone: the root is what upstreams are for"))
	default:
		faults = append(faults, addZone(places, f.Zone, f.At("zone"), "zone: "+f.Zone.String())...)
	}
	for i, network := range f.Networks {
		at := f.AtElement("networks", i)
		for _, zone := range domain.Reverse(network) {
			if wrong := addZone(places, zone, at, fmt.Sprintf("networks: %s (%s)", network, zone)); wrong != nil {
				faults = append(faults, wrong...)
				break
			}
		}
	}
	return faults
}

// addZone adds a zone, which is called what, to places, unless it is there or there are too many.
func addZone(places map[domain.Name]Pos, zone domain.Name, at Pos, what string) Faults {
	first, twice := places[zone]
	switch {
	case twice:
		return Faults{faultAt(at, "%s is there twice, first at %s", what, first)}
	case len(places) == maxZones:
		return Faults{faultAt(at, "%s is one zone too many: want %d at most, such as those of larger networks", what, maxZones)}
	}
	places[zone] = at
	return nil
}

// check finds zones that can't be local, because they are forwarded or have all names, and too many files.
func (l *Local) check(forwarded map[domain.Name]Pos) Faults {
	var faults Faults
	for i, zone := range l.Zones {
		at := l.AtElement("zones", i)
		first, twice := forwarded[zone]
		switch {
		case zone == domain.Root:
			faults = append(faults, faultAt(at, "zones: with the root, no upstream would ever be asked"))
		case twice:
			faults = append(faults, faultAt(at, "zones: %s is forwarded, at %s: all of it can't be here and there", zone, first))
		}
	}
	if n := len(l.Hosts); n > maxHostsFiles {
		faults = append(faults, faultAt(l.AtElement("hosts", maxHostsFiles), "hosts: found %d files, want %d at most", n, maxHostsFiles))
	}
	return faults
}

// checkAdmin finds an admin listener that strangers reach and that asks nobody who they are, and files without those that they need.
func (s *Service) checkAdmin() Faults {
	var faults Faults
	a := &s.Admin
	for _, one := range []struct{ key, path, needs, needed string }{
		{"certificate", a.Certificate, "key", a.Key},
		{"key", a.Key, "certificate", a.Certificate},
		{"client_ca", a.ClientCA, "certificate", a.Certificate},
	} {
		if one.path != "" && one.needed == "" && !a.faulty {
			faults = append(faults, faultAt(a.At(one.key), "%s: the key %q is missing beside it", one.key, one.needs))
		}
	}
	e := s.Listen.Admin
	if e.IsValid() && !e.IsPrivate() && a.TokenFile == "" && a.ClientCA == "" && !a.faulty {
		faults = append(faults, faultAt(s.Listen.At("admin"), "admin: other hosts reach %s, so it has to ask for a token or a "+
			"certificate: set admin.token_file or admin.client_ca, or listen on 127.0.0.1:%d or unix:/run/cordon/admin.sock",
			e, e.Addr.Port()))
	}
	return faults
}

// checkUpstreams finds servers that are in a group twice or are this server, which would ask itself for ever.
func (s *Service) checkUpstreams(upstreams []Upstream) Faults {
	var faults Faults
	seen := make(map[netip.AddrPort]bool)
	for i := range upstreams {
		u := &upstreams[i]
		switch {
		case !u.Address.IsValid():
			continue
		case seen[u.Address]:
			faults = append(faults, faultAt(u.At("address"), "address: %s is in this list twice", u.Address))
		case s.isOurs(u.Address):
			faults = append(faults, faultAt(u.At("address"), "address: %s is where this server listens: it would ask itself", u.Address))
		case u.ServerName != "":
			faults = append(faults, faultAt(u.At("server_name"), "server_name: it is for encrypted upstreams, which are not supported yet"))
		}
		seen[u.Address] = true
	}
	return faults
}

// isOurs says whether a query to an address would come to a listener of ours.
func (s *Service) isOurs(upstream netip.AddrPort) bool {
	for _, own := range s.Listen.DNS {
		all := own.Addr().IsUnspecified() && upstream.Addr().IsLoopback() && own.Addr().Is4() == upstream.Addr().Is4()
		if own.Port() == upstream.Port() && (own.Addr() == upstream.Addr() || all) {
			return true
		}
	}
	return false
}

// checkClients warns of a resolver that is open to the whole world.
func (s *Service) checkClients() Faults {
	for i, p := range s.AllowClients {
		if p.Bits() == 0 {
			return Faults{warningAt(s.AtElement("allow_clients", i), "allow_clients: %s lets the whole world ask: an open "+
				"resolver is used for attacks on others", p)}
		}
	}
	return nil
}

// checkQueryLog finds a reader of dnstap that can't be and files without room, and warns of what no data protection officer would expect.
func (s *Service) checkQueryLog() Faults {
	var faults Faults
	l := &s.QueryLog
	if f := &l.File; !f.faulty && f.MaxTotal < 2*f.MaxSize {
		faults = append(faults, faultAt(f.At("max_total"), "max_total: %d octets are less than twice max_size, which is %d: each file "+
			"would be removed as soon as the next is begun", f.MaxTotal, f.MaxSize))
	}
	if l.Dnstap.Address.Network == "udp" {
		faults = append(faults, faultAt(l.Dnstap.At("address"),
			"address: dnstap needs a stream: want unix: and a path, or tcp: and an address"))
	}
	if l.KeyFile != "" && l.Clients != "pseudonym" {
		faults = append(faults, warningAt(l.At("key_file"), "key_file: it is for pseudonyms, and clients is %s: it is not used", l.Clients))
	}
	return faults
}
