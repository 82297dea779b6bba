package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
	"cordon/blocklists/format"
	"cordon/blocklists/signature"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/answer"
	"cordon/resolver/cache"
	"cordon/resolver/limit"
	"cordon/resolver/listen"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
)

// This file turns what package config read into each package's own Config. It is the only place that knows everybody.

// checkOptions are what config can't know by itself, such as the time, which is now; zero: by the wall clock.
func checkOptions(now time.Time) config.Options {
	return config.Options{
		Now: now,
		BuiltinKnown: func(name string) error {
			_, err := builtin.Open(name)
			return err
		},
		SignatureKey: func(text string) error {
			_, err := signature.ParseKey(text)
			return err
		},
	}
}

// listSource is a list as it is declared. What the loader alone knows of it (its copy, own zones) is not there.
func listSource(l *config.List) (blocklists.Source, error) {
	f, err := format.ParseFormat(l.Format)
	if err != nil {
		return blocklists.Source{}, err
	}
	if kind, _ := l.Kind(); kind == config.Zone {
		f = format.RPZ
	}
	src := blocklists.Source{
		Name: l.Name, Source: l.Source, Dir: l.Dir, Within: l.Within, Format: f, Inline: l.Names,
		Guards: blocklists.Guards{
			MinEntries: l.MinEntries, MaxShrink: int(l.MaxShrink), MaxGrowth: int(l.MaxGrowth), MaxRejected: int(l.MaxRejected),
			MustContain: l.MustContain, MustNotContain: l.MustNotContain, EndMarker: l.EndMarker == "required",
		},
	}
	if l.SignedBy != "" {
		key, err := signature.ParseKey(l.SignedBy)
		if err != nil {
			return src, err
		}
		src.Guards.Key = &key
	}
	return src, nil
}

// policyConfig is set with its lists, which are in the order of set.Lists.
func policyConfig(set *config.PolicySet, lists []*blocklists.List, allowed []netip.Prefix, id uint64) policy.Config {
	c := policy.Config{Lists: lists, Allowed: allowed, ID: id, Hash: policyHash(set, lists)}
	for _, p := range set.Policies {
		decision := policyOf(p)
		decision.Within = set.Owner(p.Pos.File)
		c.Policies = append(c.Policies, decision)
	}
	for _, a := range set.Agencies {
		c.Agencies = append(c.Agencies, agencyOf(a))
	}
	for _, e := range set.Exceptions {
		if !e.NeverBegan() {
			c.Exceptions = append(c.Exceptions, *exceptionOf(set, e))
		}
	}
	return c
}

// policyHash is the same for two servers exactly if their policy files and their lists are.
func policyHash(set *config.PolicySet, lists []*blocklists.List) string {
	sum := sha256.New()
	sum.Write([]byte(set.Hash))
	for _, l := range lists {
		hash := l.Hash()
		sum.Write(hash[:])
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func policyOf(p *config.Policy) policy.Policy {
	return policy.Policy{
		Name:           p.Name,
		Title:          p.Title,
		Authority:      p.Authority,
		LegalReference: p.LegalReference,
		Link:           p.Link,
		Prolonged:      prolongedOf(p.Prolonged),
		EDE:            uint16(p.EDE),
		Contact:        p.Contact,
		Source:         p.Pos.String(),
		Lists:          p.Lists,
		From:           p.From,
		Until:          p.Until,
		Decided:        p.Decided,
		Review:         p.Review,
		Recommendation: p.Strength == "recommendation",
		Answer: map[string]policy.Mode{
			"nxdomain": policy.NXDomain, "nodata": policy.NoData, "refused": policy.Refused, "null-ip": policy.NullIP,
		}[p.Answer],
	}
}

func prolongedOf(all []config.Prolonged) []policy.Prolonged {
	history := make([]policy.Prolonged, 0, len(all))
	for _, p := range all {
		history = append(history, policy.Prolonged{On: p.On, Until: p.Until, Reference: p.Reference, ApprovedBy: p.ApprovedBy})
	}
	return history
}

func agencyOf(a *config.Agency) policy.Agency {
	mode := policy.Inherit
	if a.Has("mode") {
		mode = map[string]policy.AgencyMode{
			"enforce": policy.Enforce, "observe": policy.ObserveOnly, "off": policy.Off,
		}[a.Mode]
	}
	return policy.Agency{
		Name:     a.Name,
		Parent:   a.Parent,
		Source:   a.Pos.String(),
		Networks: a.Networks,
		Policies: a.Policies,
		Mode:     mode,
		Language: a.Language,
		Contact:  a.Contact,
	}
}

// exceptionOf is e, of set.
func exceptionOf(set *config.PolicySet, e *config.Exception) *policy.Exception {
	return &policy.Exception{
		Name:        e.Name,
		Agency:      e.Agency,
		Descendants: e.Descendants,
		Clients:     e.Clients,
		Policies:    set.Lifts(e),
		Lists:       e.Lists,
		Names:       e.Names,
		Source:      e.Pos.String(),
		Class:       e.Class,
		Reason:      e.Reason,
		ApprovedBy:  e.ApprovedBy,
		Ticket:      e.Ticket,
		Approved:    e.Approved,
		Extended:    prolongedOf(e.Extended),
		Revoked:     e.Revoked,
		RevokedBy:   e.RevokedBy,
		From:        e.Start(),
		Until:       e.End(),
	}
}

func cacheConfig(s *config.Service) cache.Config {
	c := cache.Config{MaxBytes: int64(s.Cache.MaxBytes)}
	if s.Cache.ServeStale {
		c.Stale = s.Cache.MaxStale
	}
	return c
}

func limits(s *config.Service) resolver.Limits {
	return resolver.Limits{
		Waiting:          s.Limits.WaitingTotal,
		WaitingPerClient: s.Limits.WaitingPerClient,
		QueryTimeout:     s.Limits.QueryTimeout,
	}
}

// rate is what one client may ask in a second.
func rate(s *config.Service) limit.Rules {
	return limit.Rules{
		PerSecond: s.Limits.QueriesPerSecond,
		Burst:     s.Limits.QueriesBurst,
		IPv4Bits:  s.Limits.QueriesIPv4Prefix,
		IPv6Bits:  s.Limits.QueriesIPv6Prefix,
		Unlimited: s.Limits.QueriesUnlimited,
	}
}

func listenLimits(s *config.Service) listen.Limits {
	return listen.Limits{
		Connections:          s.Limits.TCPConnections,
		ConnectionsPerClient: s.Limits.TCPConnectionsPerClient,
		Idle:                 s.Limits.TCPIdle,
	}
}

func structuredErrors(s *config.Service) resolver.StructuredErrors {
	return resolver.StructuredErrors{Option: uint16(s.StructuredErrors.Option), Operator: s.StructuredErrors.Organization}
}

func localConfig(s *config.Service) answer.LocalConfig {
	c := answer.LocalConfig{
		Firefox: s.Canaries.Firefox, ICloud: s.Canaries.ICloudPrivateRelay,
		TTL: uint32(s.Local.TTL / time.Second),
	}
	for _, zone := range s.Local.Zones {
		c.Zones = append(c.Zones, []byte(zone))
	}
	return c
}

func servers(list []config.Upstream) []upstream.Server {
	all := make([]upstream.Server, len(list))
	for i, u := range list {
		all[i] = upstream.Server{Addr: u.Address, Trusted: u.Trusted}
	}
	return all
}

// identity tells one group of servers from another.
func identity(list []upstream.Server) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s %t ", s.Addr, s.Trusted)
	}
	return b.String()
}
