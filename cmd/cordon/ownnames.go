package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"cordon/cmd/cordon/hosts"
	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/names"
)

// ownNames are the names of one's own in force, with the hosts files that they come from. It is used by one goroutine at a time.
type ownNames struct {
	files  hosts.Files
	table  *names.Table
	print  [sha256.Size]byte // of what table was made of
	holds  map[string]hold   // of hosts files, by their paths
	wanted []string          // the files that were last asked for, be they in force or not
}

// namesRead is one reading of the names of one's own.
type namesRead struct {
	table *names.Table
	print [sha256.Size]byte
	files *hosts.Reading
}

// ownRecords are the records of s, and what is wrong with them.
func ownRecords(s *config.Service) ([]names.Record, config.Faults) {
	var all []names.Record
	var faults config.Faults
	add := func(record int, message string) {
		pos := s.Local.AtElement("records", record)
		faults = append(faults, config.Fault{File: pos.File, Line: pos.Line, Column: pos.Column, Message: "records: " + message})
	}
	for i, text := range s.Local.Records {
		record, err := names.ParseRecord(text, s.Local.TTL)
		if err != nil {
			add(i, err.Error())
			continue
		}
		pos := s.Local.AtElement("records", i)
		record.At = names.Place{File: pos.File, Line: pos.Line}
		all = append(all, record)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	_, wrong := names.New(names.Config{Records: all, TTL: s.Local.TTL})
	for _, f := range wrong {
		add(max(f.Record, 0), f.Message)
	}
	return all, faults
}

// ownNames reads the names that service asks for. Nothing has changed until they are taken.
func (s *server) ownNames(service *config.Service) (*namesRead, error) {
	s.own.files.Earlier = s.earlierHosts
	s.own.wanted = service.Local.Hosts
	files, err := s.own.files.Read(service.Local.Hosts)
	if err != nil {
		return nil, hostsFaults(service, err)
	}
	records, faults := ownRecords(service)
	if faults.Bad() { // said by parseService, but for those of a file that is the last good one
		return nil, faults
	}
	read := &namesRead{files: files, print: sha256.Sum256(fmt.Append(nil, files.Print, records, service.Local.TTL))}
	if read.print == s.own.print {
		read.table = s.own.table
		return read, nil
	}
	read.table, err = newTable(service, records, files.Hosts)
	return read, err
}

// newTable is the table of records and of what stands in files.
func newTable(service *config.Service, records []names.Record, files []*names.Hosts) (*names.Table, error) {
	table, wrong := names.New(names.Config{Records: records, Hosts: files, TTL: service.Local.TTL})
	if len(wrong) > 0 {
		return nil, fmt.Errorf("local: %s", wrong[0].Message)
	}
	return table, nil
}

// hostsFaults are the faults that err says of hosts files without a good version, at the places where the files are named.
func hostsFaults(service *config.Service, err error) config.Faults {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	faults := make(config.Faults, 0, len(all))
	for _, one := range all {
		pos := service.Local.At("hosts")
		if wrong, ok := errors.AsType[*hosts.FileError](one); ok {
			pos = service.Local.AtElement("hosts", wrong.Index)
		}
		faults = append(faults, config.Fault{File: pos.File, Line: pos.Line, Column: pos.Column, Message: one.Error()})
	}
	return faults
}

// earlierHosts is the hosts file at path as an earlier process had it in force, nil for none.
func (s *server) earlierHosts(path string) []byte {
	kept, err := s.state.load()
	if err != nil || kept == nil {
		return nil
	}
	for i := range kept.Hosts {
		if kept.Hosts[i].Name == path {
			return kept.Hosts[i].Content
		}
	}
	return nil
}

// tookNames says what is new about the names that were put in force.
func (s *server) tookNames(read *namesRead) {
	o := &s.own
	holds := map[string]hold{}
	for path, wrong := range read.files.Held {
		h, before := hold{reason: wrong.Error(), since: time.Now()}, o.holds[path]
		if !before.since.IsZero() {
			h.since = before.since
		}
		if before.reason != h.reason {
			s.log.Error("held: the last good version stays in force", "what", path, "reason", h.reason)
		}
		holds[path] = h
	}
	for _, path := range slices.Sorted(maps.Keys(o.holds)) {
		if _, still := holds[path]; !still {
			s.log.Info("no longer held", "what", path, "held_for", time.Since(o.holds[path].since).Round(time.Second))
		}
	}
	if read.print != o.print {
		s.sayNames(read)
	}
	o.files.Accept(read.files)
	o.table, o.print, o.holds = read.table, read.print, holds
	s.naming.Store(read.table)
	s.outcome.holdHosts(holds)
}

// sayNames logs how many names there are now, and that lines of hosts files can't be used.
func (s *server) sayNames(read *namesRead) {
	for _, h := range read.files.Hosts {
		if h.Rejects > 0 {
			first := h.Skipped[0]
			s.log.Warn("local", "warning", fmt.Sprintf("%s can't be used; cordon check names them", wording.Count(h.Rejects, "entry")),
				"what", h.Path, "first", fmt.Sprintf("%s:%d:%d: %s", h.Path, first.Line, first.Column, first.Reason))
		}
	}
	if n := read.table.Len(); n > 0 || s.own.table.Len() > 0 {
		s.log.Info("local names in force", "names", n)
	}
}

// watched are the hosts files that matter: those of the service in force, and those that were asked for since.
func (o *ownNames) watched(service *config.Service) []string {
	return slices.Concat(service.Local.Hosts, o.wanted)
}

// keep are the good versions of the hosts files, for a later start.
func (o *ownNames) keep() []goodFile {
	good := o.files.Good()
	all := make([]goodFile, 0, len(good))
	for _, path := range slices.Sorted(maps.Keys(good)) {
		all = append(all, goodFile{Name: path, Content: good[path]})
	}
	return all
}
