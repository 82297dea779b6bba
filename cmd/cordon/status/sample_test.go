package status

import (
	"fmt"
	"time"
)

// hostile is what a policy file may have in a title: markup, an end of an attribute, a turn of the writing direction, and no end of it.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u202e\u2067 \u05e9\u05dc\u05d5\u05dd"

// sample is a server of which everything there is to say is said, some of it in hostile words.
func sample() *Status {
	zone := time.FixedZone("CET", 3600)
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, zone)
	}
	now := time.Date(2027, 3, 1, 9, 30, 0, 0, zone)
	return &Status{
		At: now, Host: "ns1.example", Started: now.Add(-50 * time.Hour), Uptime: 50 * 3600,
		Build: Build{Version: "v1.2.3", Commit: "0123456789ab", Go: "go1.26"},
		Snapshot: Snapshot{
			Hash: "b35c10c0c7c5c25394c7541ff754ef27", Since: now.Add(-26 * time.Hour), From: "/etc/cordon/policy", Whole: now.Add(-26 * time.Hour),
			Names: 282, Networks: 162,
		},
		Next:    []Change{{At: day(2027, 3, 5), What: "the exception press ends"}, {At: day(2027, 3, 5), What: "the ban old ends"}},
		Restart: []string{"listen.dns"},
		Held: []Held{
			{What: "list cert", Since: now.Add(-time.Hour), Reason: "it has an HTML page", Absent: true},
			{What: "policy/parks.yaml", Owner: "parks", Since: now.Add(-2 * time.Hour), Reason: "policy/parks.yaml:18:13: answer: " + hostile},
		},
		Policies: []Policy{
			{
				Name: "nsc", Title: hostile, Language: "he", Strength: "ban", State: InForce, Authority: hostile, LegalReference: hostile,
				From: day(2026, 3, 10), Until: day(2027, 9, 11), Review: day(2027, 8, 1), Lists: []string{"tiktok"},
				Source: "policy/federal.yaml:24", Verdicts: Verdicts{Refused: 12345, Excepted: 7},
			},
			{Name: "later", Strength: "recommendation", State: "not yet in force", From: day(2027, 4, 1), Source: "policy/federal.yaml:40"},
			{Name: "old", Strength: "ban", State: over, Until: day(2027, 1, 1), Source: "policy/federal.yaml:50"},
		},
		Agencies: []Agency{
			{
				Name: "federal", Networks: []string{"10.10.0.0/16"}, MoreNets: 3, Policies: []string{"nsc"}, Mode: "enforce",
				Source: "policy/federal.yaml:72", Verdicts: Verdicts{Refused: 12345},
			},
			{Name: "defence", Parent: "federal", Depth: 1, Policies: []string{"nsc", "more"}, MorePols: 1, Mode: "observe"},
			{Name: defaultAgency, Policies: []string{}, Mode: "enforce"},
		},
		Exceptions: []Exception{
			{
				Name: "press", Agency: "defence", Descendants: true, State: InForce, Clients: 3, Class: hostile, Reason: hostile,
				ApprovedBy: hostile, From: day(2026, 3, 13), Until: day(2027, 3, 5), DaysLeft: 3, Uses: 7, Source: "policy/defence.yaml:3",
			},
			{Name: "all", Agency: "federal", State: "not yet in force", Reason: "r", ApprovedBy: "a", Until: day(2027, 9, 1), DaysLeft: 183},
		},
		Lists: []List{
			{Name: "tiktok", Origin: "builtin:tiktok", State: InForce, Names: 280},
			{
				Name: "cert", Origin: "https://lists.example/a", State: stateStale, Names: 2, Rejected: 1, Current: now.Add(-9 * 24 * time.Hour),
				Fetched: now.Add(-time.Hour), Failures: 4, Error: hostile, NextTry: now.Add(time.Hour),
			},
		},
		Routes: []Route{
			{Zone: ".", Servers: []Server{{Address: "192.0.2.53:53", Response: 0.0063}, {Address: "[2001:db8::53]:53", Failing: true, Failures: 9}}},
			{Zone: "internal.example", Failing: true, Servers: []Server{{Address: "192.0.2.54:53", Failing: true, Failures: 3}}},
		},
		Traffic: Traffic{
			Queries: 1234567, Verdicts: Verdicts{Refused: 12345, Observed: 2, Excepted: 7}, CacheHit: 999, CacheMiss: 1, Waiting: 3, Places: 10000,
		},
		LocalNames: 12,
		QueryLog: QueryLog{
			What: []string{"refusals", "exceptions"}, Clients: "pseudonym",
			Outputs: []LogOutput{{Name: "file", Written: 12345}, {Name: "syslog", Written: 12000, Dropped: 345, Errors: 1}},
			Incident: &Incident{
				Begun: now.Add(-time.Hour), Until: now.Add(time.Hour), Scope: "all queries of the agency " + hostile + " in [address]", Written: 999,
			},
		},
		Limits: []Limit{
			{What: "queries of one client in a second, over UDP", Key: "limits.queries_per_second", Hits: 41},
			{What: "TCP connections of one client", Key: "limits.tcp_connections_per_client"},
			{What: "queries lost by a fault in Cordon", Hits: 1, Fault: true},
		},
		Tests: []Test{
			{Agency: "federal", Expect: "refuse", Name: "www.tiktok.com", OK: true, At: now, Since: now},
			{Agency: "defence", Expect: "refuse", Name: "www.tiktok.com", Reason: hostile, At: now, Since: now.Add(-time.Hour)},
		},
	}
}

// crowd is a server with n of everything that a policy can have many of.
func crowd(n int) *Status {
	s := sample()
	policy, agency, exception, list, held, test := s.Policies[0], s.Agencies[0], s.Exceptions[0], s.Lists[0], s.Held[0], s.Tests[0]
	s.Policies, s.Agencies, s.Exceptions, s.Lists, s.Held, s.Tests = nil, nil, nil, nil, nil, nil
	for i := range n {
		policy.Name, agency.Name, exception.Name = fmt.Sprint("policy-", i), fmt.Sprint("agency-", i), fmt.Sprint("exception-", i)
		list.Name, held.What, test.Agency = fmt.Sprint("list-", i), fmt.Sprint("held-", i), agency.Name
		agency.Refused = uint64(i)
		s.Policies, s.Agencies, s.Exceptions = append(s.Policies, policy), append(s.Agencies, agency), append(s.Exceptions, exception)
		s.Lists, s.Held, s.Tests = append(s.Lists, list), append(s.Held, held), append(s.Tests, test)
	}
	return s
}

func explained() *Explanation {
	return &Explanation{
		Name: "www.tiktok.com", Client: "10.10.7.42", At: sample().At, Programs: map[string]string{"verdict": "refuse"},
		Facts: []Fact{{What: "verdict", Told: "refuse: by the ban nsc"}},
		Because: []Fact{
			{What: "client", Told: "10.10.7.42 is of the agency defence [policy/defence.yaml:3]"},
			{Depth: 1, What: "below", Told: "federal"},
			{What: "name", Told: "the list tiktok [a.yaml:1] has tiktok.com [b.yaml:2:3]"},
			{Depth: 1, What: "decision", Told: "the ban nsc"},
			{Depth: 2, What: "title", Told: hostile, Language: "he"},
			{Depth: 1, What: "others", Told: "none"},
		},
	}
}
