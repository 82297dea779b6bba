package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/policy"
)

// greet says what runs: where it listens, what is in force, who is asked, what is kept, and how to try it.
func (s *server) greet(w io.Writer) {
	addresses := s.listener.Addrs()
	snapshot := s.loader.good.snapshot
	set := snapshot.Set()
	fmt.Fprintf(w, "Cordon answers on %s, UDP and TCP\n", join(addresses))
	fmt.Fprintf(w, "  policy     %s: %s with %s and %s\n", policyName(s.service),
		wording.Count(len(set.Lists()), "list"), wording.Count(set.Names(), "name"), wording.Count(set.Networks(), "network"))
	fmt.Fprintf(w, "  in force   %s, for %s\n", inForce(snapshot, time.Now()), wording.Count(len(snapshot.Agencies()), "agency"))
	fmt.Fprintf(w, "  upstreams  %s\n", strings.Join(s.upstream.names, ", "))
	fmt.Fprintf(w, "  kept       %s\n", keptText(s.service))
	if s.admin != nil {
		fmt.Fprintf(w, "  metrics    %s\n", s.admin.URL("/metrics"))
	}
	fmt.Fprintf(w, "  try        %s\n", digLine(addresses[0]))
}

// keptText says where the last good policy and the audit log are kept.
func keptText(s *config.Service) string {
	dir := auditDir(s)
	switch {
	case dir == "":
		return "nothing: no last good policy for a restart, no audit log (set state_dir)"
	case s.StateDir == "":
		return "the audit log in " + dir + ", no last good policy for a restart (set state_dir)"
	}
	return "the last good policy in " + s.StateDir + ", the audit log in " + dir
}

// inForce names the policies in force, with how many exceptions are.
func inForce(s *policy.Snapshot, now time.Time) string {
	at := policy.Instant{Now: now}
	var names []string
	for _, p := range s.Policies() {
		if phase, _ := p.Phase(at); phase == policy.InForce {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "no policy"
	}
	text := strings.Join(names, ", ")
	exceptions := 0
	for _, e := range s.Exceptions() {
		if phase, _ := e.Phase(at); phase == policy.InForce {
			exceptions++
		}
	}
	if exceptions > 0 {
		text += " with " + wording.Count(exceptions, "exception")
	}
	return text
}

func digLine(a netip.AddrPort) string {
	host := a.Addr()
	if host.IsUnspecified() {
		host = loopback(host)
	}
	return fmt.Sprintf("dig @%s -p %d www.tiktok.com", host, a.Port())
}

func join(addresses []netip.AddrPort) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return strings.Join(texts, " and ")
}
