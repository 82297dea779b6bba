package main

import (
	"fmt"
	"strings"

	"cordon/cmd/cordon/hosts"
	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/names"
)

// checkNames reads the names of one's own, and adds what is wrong with hosts files: those that can't be used, and lines of them that are
// skipped. Of a file that can't be used, no name is known.
func (in *inputs) checkNames() {
	if in.serviceBad {
		return
	}
	records, _ := ownRecords(in.service) // what is wrong with them is said
	var files []*names.Hosts
	for i, path := range in.service.Local.Hosts {
		read, err := new(hosts.Files).Read([]string{path})
		if err != nil {
			pos := in.service.Local.AtElement("hosts", i)
			in.faults = append(in.faults, faultAt([]config.File{config.ReadFile(in.path)}, pos, err.Error()))
			in.lostHosts = append(in.lostHosts, err.Error())
			continue
		}
		files = append(files, read.Hosts...)
		in.faults = append(in.faults, skipped(read.Hosts[0])...)
	}
	var err error
	if in.names, err = newTable(in.service, records, files); err != nil {
		in.faults = append(in.faults, faultAt([]config.File{config.ReadFile(in.path)}, in.service.At("local"), err.Error()))
	}
}

// skipped are the entries of h that can't be used, as warnings.
func skipped(h *names.Hosts) config.Faults {
	var faults config.Faults
	for _, s := range h.Skipped[:min(len(h.Skipped), mostRejects)] {
		faults = append(faults, config.Fault{
			File: h.Path, Line: s.Line, Column: s.Column, Warning: true, Message: fmt.Sprintf("skipped %q: %s", s.Text, s.Reason),
		})
	}
	if more := h.Rejects - mostRejects; more > 0 {
		faults = append(faults, config.Fault{File: h.Path, Warning: true, Message: "skipped: " + wording.Count(more, "more entry")})
	}
	return faults
}

// ownNames says how many names of one's own there are, "" for none, and where that is not known.
func (in *inputs) ownNames() string {
	s := &in.service.Local
	if in.serviceBad || in.names.Len() == 0 && len(s.Zones) == 0 {
		return ""
	}
	told := []string{wording.Count(in.names.Len(), "name") + " with records"}
	if n := len(s.Zones); n > 0 {
		told = append(told, wording.Count(n, "whole zone"))
	}
	return strings.Join(told, ", ")
}
