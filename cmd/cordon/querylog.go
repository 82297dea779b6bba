package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/miekg/dns"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/files"
	"cordon/cmd/cordon/querylog"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/policy"
)

// This file has the query log written, and its incidents told to the audit log.

// newQueryLog makes the log of the queries of s, and what begins and ends incidents; nothing is written yet.
func (s *server) newQueryLog(listeners int) {
	hostname, _ := os.Hostname() // without one there is none in the records
	s.queries = querylog.New(querylog.Config{
		Workers: listeners, Words: dnsWords(), Hostname: hostname, Version: thisBuild().version, Log: s.log,
		Watch: func(actions ...policy.Action) { s.resolver.Observe(s.queries, actions...) },
	})
	s.setQueryLog(s.service)
	s.registry.MustRegister(s.queries)
}

// newIncidents makes what begins and ends incidents, nil if there is no directory to be asked in.
func (s *server) newIncidents() *querylog.Keeper {
	if s.state == nil {
		return nil
	}
	return querylog.NewKeeper(querylog.KeeperConfig{
		Dir: incidentDir(s.service), Log: s.queries, Logger: s.log,
		Max: s.service.QueryLog.Incident.Max, Keep: s.service.QueryLog.Incident.Keep,
		Seen: s.earlier, Audited: s.audit.hasIncident, Known: s.hasAgency,
		Began: s.audit.incidentBegan, Ended: s.audit.incidentEnded, Changed: s.tellIncident,
	})
}

// tellIncident has the service manager told that an incident began or ended.
func (s *server) tellIncident() {
	select {
	case s.incident <- struct{}{}:
	default: // it has a value
	}
}

// incidentDir is where incidents are asked for and logged, "" for nowhere.
func incidentDir(s *config.Service) string {
	if s.StateDir == "" {
		return ""
	}
	return filepath.Join(s.StateDir, "incident")
}

// hasAgency says whether the policy in force has an agency of that name.
func (s *server) hasAgency(name string) bool {
	for _, a := range s.resolver.Snapshot().Agencies() {
		if a.Name == name {
			return true
		}
	}
	return false
}

// setQueryLog puts in force what service says of the query log.
func (s *server) setQueryLog(service *config.Service) {
	if err := s.queries.Set(queryLog(service)); err != nil {
		s.log.Error("query log: the key file can't be read: the key before it is used, or one that no other server has", "error", err)
	} else if path := service.QueryLog.KeyFile; files.IsExposed(path) {
		s.log.Warn("query log: who reads the key can find out whose pseudonym is whose", "key_file", files.Exposed(path))
	}
	if s.incidents != nil {
		s.incidents.Set(service.QueryLog.Incident.Max, service.QueryLog.Incident.Keep)
	}
}

// checkQueryLog warns of a key file that can't be used, as far as who checks may read it, or that others may read. Both are about this
// machine.
func (in *inputs) checkQueryLog() {
	if in.faults.Bad() || in.path == "" || in.service.QueryLog.KeyFile == "" {
		return
	}
	l := &in.service.QueryLog
	wrong := ""
	if err := querylog.CheckKey(l.KeyFile); err != nil {
		wrong = err.Error() + ": until it can be read, each server has pseudonyms of its own"
	} else if files.IsExposed(l.KeyFile) {
		wrong = files.Exposed(l.KeyFile)
	}
	if wrong != "" {
		f := faultAt([]config.File{config.ReadFile(in.path)}, l.At("key_file"), "key_file: "+wrong)
		f.Warning, f.Elsewhere = true, true
		in.faults = append(in.faults, f)
	}
}

// logQueries writes the query log until done is called: that waits for what is left to be written, but not for long.
func (s *server) logQueries() (done func()) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s.queries.Begin()
	go func() {
		defer close(ended)
		s.queries.Run(ctx)
	}()
	return func() {
		stop()
		<-ended
	}
}

// queryLog is what service says of the query log.
func queryLog(service *config.Service) querylog.Settings {
	l := &service.QueryLog
	settings := querylog.Settings{
		KeyFile: l.KeyFile,
		Naming: map[string]querylog.Naming{
			"pseudonym": querylog.Pseudonym, "truncated": querylog.Truncated, "none": querylog.Nameless,
		}[l.Clients],
		File:   querylog.FileConfig{Path: l.File.Path, MaxSize: int64(l.File.MaxSize), Keep: l.File.Keep, Total: int64(l.File.MaxTotal)},
		Syslog: querylog.SyslogConfig{RemoteConfig: reader(l.Syslog.Address), Facility: facility(l.Syslog.Facility)},
		Dnstap: reader(l.Dnstap.Address),
	}
	for _, what := range l.What {
		settings.What = append(settings.What, map[string][]policy.Action{
			"refusals": {policy.Refuse}, "exceptions": {policy.Except}, "observed": {policy.Observe},
			"all": {policy.Pass, policy.Refuse, policy.Observe, policy.Except},
		}[what]...)
	}
	return settings
}

func reader(r config.Remote) querylog.RemoteConfig {
	return querylog.RemoteConfig{Network: r.Network, Address: r.Address}
}

// facility is the number of a facility (RFC 5424, section 6.2.1).
func facility(name string) int {
	named := map[string]int{"user": 1, "daemon": 3, "auth": 4, "authpriv": 10}
	if number, ok := named[name]; ok {
		return number
	}
	const local0 = 16
	n, _ := strconv.Atoi(name[len("local"):]) // it is one of local0 to local7
	return local0 + n
}

// dnsWords are the words of the DNS, and TYPE65280 and the like for what has none (RFC 3597, section 5).
func dnsWords() querylog.Words {
	return querylog.Words{
		Type:  func(n uint16) string { return dns.Type(n).String() },
		Class: func(n uint16) string { return dns.Class(n).String() },
		Rcode: func(n int) string {
			if word, known := dns.RcodeToString[n]; known {
				return word
			}
			return strconv.Itoa(n)
		},
	}
}

// hasIncident says why the audit log can't have an incident now, nil if it can: who has addresses logged says so where it stays.
func (a *auditor) hasIncident() error {
	switch {
	case a == nil:
		return errors.New("there is no audit log to say so in: set state_dir or audit.dir")
	case a.file.Failing():
		return errors.New("the audit log, which is to say so, can't be written: the server's log says why")
	default:
		return nil
	}
}

// incidentBegan has it noted that queries are logged with the addresses of clients, and why.
func (a *auditor) incidentBegan(i *querylog.Incident) {
	e := incidentEntry(audit.IncidentBegan, i)
	e.Time, e.Until = i.Begun, i.Until
	a.file.Append(e)
}

// incidentEnded has it noted that this is over since at.
func (a *auditor) incidentEnded(i *querylog.Incident, at time.Time, why string) {
	e := incidentEntry(audit.IncidentEnded, i)
	e.Time, e.From, e.Until = at, i.Begun, at
	e.Reason += " (" + why + ")"
	a.file.Append(e)
}

func incidentEntry(kind audit.Kind, i *querylog.Incident) audit.Entry {
	return audit.Entry{
		Kind: kind, What: audit.WithoutAddresses(i.Scope()), Reason: i.Reason, Agency: i.Agency, ApprovedBy: i.ApprovedBy, Ticket: i.Ticket,
	}
}

var _ resolver.Observer = (*querylog.Log)(nil)
