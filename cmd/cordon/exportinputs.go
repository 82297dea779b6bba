package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
	"cordon/resolver/policy"
)

// readForExport is readAll, without faults.
func readForExport(cmd *cobra.Command, path string) (*inputs, error) {
	in, err := readAll(cmd, path)
	if err != nil {
		return nil, err
	}
	if in.generation == nil {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return nil, errors.New("the configuration has faults, so nothing is exported")
	}
	for what, h := range in.generation.holds { // of lists
		if h.absent {
			return nil, fmt.Errorf("nothing is exported, for a part of it would be missing: %s: %s", what, h.reason)
		}
	}
	in.sayHeld(cmd.ErrOrStderr())
	return in, nil
}

// choosePolicies are the policies called names; without any, the bans that are in force at now.
func choosePolicies(s *policy.Snapshot, names []string, now time.Time) ([]*policy.Policy, error) {
	var chosen []*policy.Policy
	for _, p := range s.Policies() {
		phase, _ := p.Phase(policy.Instant{Now: now})
		if slices.Contains(names, p.Name) || len(names) == 0 && phase == policy.InForce && !p.Recommendation {
			chosen = append(chosen, p)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(p *policy.Policy) bool { return p.Name == name }) {
			return nil, fmt.Errorf("there is no policy %q, want one of: %s", name, strings.Join(policyNames(s.Policies()), ", "))
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no ban is in force: name the policy to export with --policy")
	}
	return chosen, nil
}

func policyNames(policies []*policy.Policy) []string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.Name
	}
	return names
}

// chooseLists are the lists called names, each once; without any, the lists with networks of the bans in force and those inside the
// program.
func chooseLists(cmd *cobra.Command, in *inputs, names []string) ([]*blocklists.List, error) {
	wanted := names
	if len(wanted) == 0 {
		wanted = []string{"builtin:bytedance-networks", "builtin:bytedance-addresses"}
		chosen, err := choosePolicies(in.generation.snapshot, nil, time.Now())
		if err == nil { // without a ban in force, these two are all
			for _, p := range chosen {
				wanted = append(wanted, p.Lists...)
			}
		}
	}
	var lists []*blocklists.List
	for _, name := range slices.Compact(slices.Sorted(slices.Values(wanted))) {
		l, err := findList(cmd, in, name)
		if err != nil {
			return nil, err
		}
		if len(names) > 0 || l.Networks() > 0 {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// findList is the list called name: one of the policy, or one inside the program.
func findList(cmd *cobra.Command, in *inputs, name string) (*blocklists.List, error) {
	all := in.generation.lists
	if i := slices.IndexFunc(all, func(l *blocklists.List) bool { return l.Name() == name }); i >= 0 {
		return all[i], nil
	}
	if _, inside := strings.CutPrefix(name, builtin.Path("")); inside {
		return blocklists.Load(cmd.Context(), blocklists.Source{Name: name, Source: name}, nil)
	}
	known := make([]string, len(all))
	for i, l := range all {
		known[i] = l.Name()
	}
	return nil, fmt.Errorf("--list %q: there is no such list, want builtin:NAME or one of: %s", name, strings.Join(known, ", "))
}

// serial is the Unix time, in seconds, of the newest thing that the bans are made of: the program with its lists, the policy files and
// their directory, list files, and the last moment when a policy began or ended. So it rises with every change.
func (in *inputs) serial(now time.Time) uint32 {
	newest := time.Unix(1, 0)
	note := func(t time.Time) {
		if t.After(newest) && !t.After(now) {
			newest = t
		}
	}
	for _, path := range in.sources() {
		if info, err := os.Stat(path); err == nil { // what has gone since, or is no file, has no time
			note(info.ModTime())
		}
	}
	for _, p := range in.generation.snapshot.Policies() {
		note(p.From)
		note(p.Until)
	}
	return uint32(min(newest.Unix(), math.MaxUint32))
}

// sources are the files that the bans are made of.
func (in *inputs) sources() []string {
	var paths []string
	if program, err := os.Executable(); err == nil {
		paths = append(paths, program)
	}
	if in.service.PolicyDir != "" {
		paths = append(paths, in.service.PolicyDir)
		for _, f := range in.files {
			paths = append(paths, f.Path)
		}
	}
	for i, l := range in.generation.lists {
		paths = append(paths, l.Path())
		if declared := in.generation.set.Lists[i]; declared.Remote() {
			if copied := in.mirrored(declared); copied != nil {
				paths = append(paths, copied.Path)
			}
		}
	}
	return paths
}
