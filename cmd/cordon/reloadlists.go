package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cordon/blocklists"
	"cordon/config"
)

// This file is the part of the reload path that loads lists, each or its last good version.

// list loads what declared declares, or keeps its last good version.
func (l *loader) list(ctx context.Context, set *config.PolicySet, declared *config.List, next *generation) (*blocklists.List, error) {
	before := l.lastGoodList(declared.Name)
	list, err := l.listAsWritten(ctx, set, declared, before)
	if err == nil {
		return list, nil
	}
	err = fmt.Errorf("%s: %w", declared.Pos, err)
	if kind, _ := declared.Kind(); kind == config.Inline || before == nil && !declared.Remote() {
		return nil, err // the fault is in the file that declares it
	}
	h := l.hold("list "+declared.Name, err)
	if before == nil {
		h.absent, before = true, blocklists.Empty(declared.Name, declared.Source)
	}
	if guard, ok := errors.AsType[*blocklists.GuardError](err); ok {
		h.content, h.entries = guard.Content, guard.Entries
	}
	next.holds["list "+declared.Name] = h
	return before, nil
}

// listAsWritten loads what declared declares; before is the version that is in force, nil for none.
func (l *loader) listAsWritten(ctx context.Context, set *config.PolicySet, declared *config.List, before *blocklists.List,
) (*blocklists.List, error) {
	src, err := l.source(set, declared)
	if err != nil {
		return nil, fmt.Errorf("load list %s: %w", declared.Name, err)
	}
	return l.loadList(ctx, src, before)
}

// loadList loads a list, but not twice in one load of the policy.
func (l *loader) loadList(ctx context.Context, src blocklists.Source, before *blocklists.List) (*blocklists.List, error) {
	if t, ok := l.tried[src.Name]; ok && t.before == before && reflect.DeepEqual(t.src, src) {
		return t.list, t.err
	}
	t := trial{src: src, before: before}
	if l.progress != nil {
		src.Progress = l.progress(src.Name)
	}
	t.list, t.err = blocklists.Load(ctx, src, before)
	if l.tried != nil {
		l.tried[src.Name] = t
	}
	return t.list, t.err
}

// source is where declared comes from, and what it must hold.
func (l *loader) source(set *config.PolicySet, declared *config.List) (src blocklists.Source, err error) {
	if src, err = listSource(declared); err != nil {
		return src, err
	}
	src.OwnZones = slices.Concat(set.OwnZones, l.forward)
	if src.Accept, err = l.state.accepted(declared.Name); err != nil {
		l.log.Warn("what was accepted of a list can't be read, so nothing is", "list", declared.Name, "error", err)
	}
	if !declared.Remote() {
		return src, nil
	}
	if l.state == nil && !l.anywhere {
		return src, errNoState
	}
	copied := l.mirrored(declared)
	if copied == nil {
		return src, errNoCopy
	}
	src.Copy, src.Signature = copied.Path, copied.Signature
	return src, nil
}

// What a list from elsewhere may lack.
var (
	errNoCopy  = errors.New("it was not fetched yet: it is in force as soon as it is there")
	errNoState = errors.New("it comes from elsewhere, and there is no directory for its copy: set state_dir: in cordon.yaml")
)

// lastGoodList is the version of a list that is in force, or, before the first generation, that an earlier process had in force. It is nil
// if there is none.
func (l *loader) lastGoodList(name string) *blocklists.List {
	if l.good != nil {
		if list := l.good.list(name); list != nil && !isAbsent(list) {
			return list
		}
		return nil
	}
	kept, ok := l.kept.list(name)
	if !ok {
		return nil
	}
	if list, known := l.keptSet[name]; known {
		return list
	}
	list, err := l.state.list(kept)
	if err != nil {
		l.log.Error("the last good version of a list can't be used: whatever is there now is believed", "list", name, "error", err)
	}
	if l.keptSet == nil {
		l.keptSet = map[string]*blocklists.List{}
	}
	l.keptSet[name] = list
	return list
}

// isAbsent says whether list stands for one from elsewhere of which there was never a version that could be used: every other has
// something in it.
func isAbsent(list *blocklists.List) bool {
	return list.Content() == blocklists.Content{} && list.Len()+list.Networks() == 0
}

// lacksLists says whether a list from elsewhere is absent.
func (l *loader) lacksLists() bool { return slices.ContainsFunc(l.good.lists, isAbsent) }

// checkAbsent returns an error if a policy has nothing but absent lists: that would let everything pass.
func (g *generation) checkAbsent() error {
	for _, p := range g.set.Policies {
		var missing []string
		for _, name := range p.Lists {
			if isAbsent(g.list(name)) {
				missing = append(missing, g.holds["list "+name].reason)
			}
		}
		if len(missing) == len(p.Lists) {
			err := fmt.Errorf("%s: policy %s has no list that could be loaded: %s", p.Pos, p.Name, strings.Join(missing, "; "))
			return &ownFaults{error: err, byFile: map[string]error{p.Pos.File: err}}
		}
	}
	return nil
}

// list is the list called name, nil if there is none.
func (g *generation) list(name string) *blocklists.List {
	for i, declared := range g.set.Lists {
		if declared.Name == name {
			return g.lists[i]
		}
	}
	return nil
}

// warnOfFiles logs which files of lists that are made of several are gone.
func (l *loader) warnOfFiles(next *generation) {
	if l.good == nil {
		return
	}
	for _, list := range next.lists {
		old := l.good.list(list.Name())
		if old == nil || old == list || old.Source() != list.Source() {
			continue
		}
		for _, f := range old.Files() {
			isThere := func(other blocklists.File) bool { return other.Path == f.Path }
			if list.Path() != f.Path && !slices.ContainsFunc(list.Files(), isThere) {
				l.log.Warn("a file of a list is gone, and what it held with it", "list", list.Name(), "what", f.Path)
			}
		}
	}
}
