package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"cordon/blocklists"
	"cordon/config"
	"cordon/resolver/policy"
)

// The reload path, from the files to the snapshot:
//
//	read ─▶ check ─▶ load lists ─▶ compile ─▶ publish
//	files   strict,   each list, or  into a fresh  one atomic
//	        per file  its last good  Snapshot      pointer store (by the caller)
//
// Everything here touches only new memory. What has a fault is held: its last good version stays in force.
//
//   - A fault in one file holds that file.
//   - A fault that only several files have together holds all that changed, together.
//   - A list that can't be loaded, or trips a guard, is held by itself; a new one, without a last good version, holds what changed.

// loader turns policy files into generations. It is used by one goroutine at a time.
type loader struct {
	log     *slog.Logger
	allowed []netip.Prefix // allow_clients
	state   *stateDir      // nil: nothing outlives the process

	good   *generation     // in force; nil before the first
	holds  map[string]hold // by file path or "list NAME"
	lastID uint64
}

// generation is a whole policy with what it was made of.
type generation struct {
	set      *config.PolicySet
	lists    []*blocklists.List // in the order of set.Lists
	copies   map[string]goodFile
	snapshot *policy.Snapshot
}

// hold says why a file or a list is not in force as it is written.
type hold struct {
	reason string
	since  time.Time
}

// errNoPolicy says that there is nothing to put in force: neither what is written nor a last good version.
var errNoPolicy = errors.New("no policy can be put in force")

// load makes a generation of files, as far as they are without faults, and remembers it as the last good one. Without a last good
// version of what has a fault, its error is config.Faults or about a list, and nothing has changed.
func (l *loader) load(ctx context.Context, files []config.File) (*generation, error) {
	holds := map[string]hold{}
	next, err := l.try(ctx, files, holds)
	if err != nil && l.good != nil {
		l.holdChanged(files, err, holds)
		next, err = l.try(ctx, l.good.set.Files, holds)
	}
	if err != nil {
		return nil, err
	}
	l.report(holds)
	l.good = next
	return next, nil
}

// try makes a generation of files. A fault that one file has by itself is no error if there is a last good version of it.
func (l *loader) try(ctx context.Context, files []config.File, holds map[string]hold) (*generation, error) {
	files, err := l.replaceFaulty(files, holds)
	if err != nil {
		return nil, err
	}
	set, faults := config.LoadPolicy(files, checkOptions())
	if faults.Bad() {
		return nil, faults.Errors()
	}
	next := &generation{set: set, copies: map[string]goodFile{}}
	for _, declared := range set.Lists {
		list, err := l.list(ctx, declared, next, holds)
		if err != nil {
			return nil, err
		}
		next.lists = append(next.lists, list)
	}
	l.lastID++
	next.snapshot, err = policy.Compile(policyConfig(set, next.lists, l.allowed, l.lastID))
	return next, err
}

// replaceFaulty is files with the last good version in place of each that has a fault by itself. Without a last good policy the
// faults are the error.
func (l *loader) replaceFaulty(files []config.File, holds map[string]hold) ([]config.File, error) {
	_, faults := config.ParsePolicy(files)
	if !faults.Bad() {
		return files, nil
	}
	if l.good == nil {
		_, faults = config.LoadPolicy(files, checkOptions()) // with those that span files, to say all at once
		return nil, faults.Errors()
	}
	bad, _ := faults.Errors().Split()
	var kept []config.File
	for _, f := range files {
		if faults, isBad := bad[f.Path]; isBad {
			holds[f.Path] = l.hold(f.Path, faults.Error())
			old, ok := fileAt(l.good.set.Files, f.Path)
			if !ok {
				continue // a new file, with nothing good in it yet
			}
			f = old
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// holdChanged holds every file that is not what it was: together they have a fault.
func (l *loader) holdChanged(files []config.File, fault error, holds map[string]hold) {
	clear(holds)
	for _, f := range files {
		if old, ok := fileAt(l.good.set.Files, f.Path); !ok || old.Hash != f.Hash {
			holds[f.Path] = l.hold(f.Path, fault.Error())
		}
	}
	for _, old := range l.good.set.Files {
		if _, ok := fileAt(files, old.Path); !ok {
			holds[old.Path] = l.hold(old.Path, "it was deleted, but: "+fault.Error())
		}
	}
}

// list loads what declared declares, or keeps its last good version.
func (l *loader) list(ctx context.Context, declared *config.List, next *generation, holds map[string]hold) (*blocklists.List, error) {
	src, err := listSource(declared)
	if err != nil {
		return nil, err
	}
	old := l.goodList(declared.Name)
	var text bytes.Buffer
	keep := bufio.NewWriter(&text)
	list, err := blocklists.Load(ctx, src, declared.Dir, keep)
	err = errors.Join(err, keep.Flush())
	if err == nil && old != nil {
		err = blocklists.ShrunkTooFar(old, list)
	}
	if err == nil {
		return list, l.keepCopy(declared, text.Bytes(), next)
	}
	err = fmt.Errorf("%s: %w", source(&declared.Place), err)
	if old == nil {
		return nil, err
	}
	holds["list "+declared.Name] = l.hold("list "+declared.Name, err.Error())
	if c, ok := l.good.copies[declared.Name]; ok {
		next.copies[declared.Name] = c
	}
	return old, nil
}

// keepCopy stores what a list was read from; only files need that.
func (l *loader) keepCopy(declared *config.List, text []byte, next *generation) error {
	if len(text) == 0 || l.state == nil {
		return nil
	}
	sum, err := l.state.store(text)
	if err != nil {
		l.log.Error("can't keep a copy of a list for the next start", "list", declared.Name, "error", err)
		return nil
	}
	next.copies[declared.Name] = goodFile{Name: declared.Name, SHA256: sum}
	return nil
}

func (l *loader) goodList(name string) *blocklists.List {
	if l.good == nil {
		return nil
	}
	i := slices.IndexFunc(l.good.lists, func(list *blocklists.List) bool { return list.Name() == name })
	if i < 0 {
		return nil
	}
	return l.good.lists[i]
}

// hold is the hold of what is held for reason: since when it has been is kept.
func (l *loader) hold(what, reason string) hold {
	h := hold{reason: reason, since: time.Now()}
	if old, ok := l.holds[what]; ok {
		h.since = old.since
	}
	return h
}

// report makes holds those in force and logs what is new about them.
func (l *loader) report(holds map[string]hold) {
	for what, h := range holds {
		if l.holds[what].reason != h.reason {
			l.log.Error("held: the last good version stays in force", "what", what, "reason", h.reason)
		}
	}
	for what, h := range l.holds {
		if _, still := holds[what]; !still {
			l.log.Info("no longer held", "what", what, "held_for", time.Since(h.since).Round(time.Second))
		}
	}
	l.holds = holds
}

// seed makes what an earlier process had in force the last good generation, so that faults can be held at the first load.
func (l *loader) seed(kept *lastGood) error {
	files := make([]config.File, len(kept.Policy))
	for i, f := range kept.Policy {
		files[i] = config.NewFile(f.Name, f.Content)
	}
	set, faults := config.LoadPolicy(files, checkOptions())
	if faults.Bad() {
		return faults.Errors()
	}
	seeded := &generation{set: set, copies: map[string]goodFile{}}
	for _, declared := range set.Lists {
		list, err := l.seedList(declared, kept, seeded)
		if err != nil {
			return err
		}
		seeded.lists = append(seeded.lists, list)
	}
	var err error
	l.lastID++
	if seeded.snapshot, err = policy.Compile(policyConfig(set, seeded.lists, l.allowed, l.lastID)); err == nil {
		l.good = seeded
	}
	return err
}

// seedList is a list as it was kept, or as its source has it if it needed no keeping.
func (l *loader) seedList(declared *config.List, kept *lastGood, seeded *generation) (*blocklists.List, error) {
	src, err := listSource(declared)
	if err != nil {
		return nil, err
	}
	for _, f := range kept.Lists {
		if f.Name == declared.Name {
			seeded.copies[f.Name] = f
			return blocklists.Parse(src, "last good copy of "+declared.Source, bytes.NewReader(f.Content))
		}
	}
	return blocklists.Load(context.Background(), src, declared.Dir, nil)
}

func fileAt(files []config.File, path string) (config.File, bool) {
	i := slices.IndexFunc(files, func(f config.File) bool { return f.Path == path })
	if i < 0 {
		return config.File{}, false
	}
	return files[i], true
}
