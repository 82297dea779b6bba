package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
	"cordon/config"
	"cordon/resolver/policy"
)

// The reload path, from the files to the snapshot:
//
//	read ──────▶ check ───────▶ load lists ─────▶ compile ────────▶ publish
//	the files    every fault    each list, or     into a fresh      one atomic pointer
//	             at once        its last good     Snapshot          store, by the caller
//
// Everything here touches only new memory. What has a fault is held: its last good version stays in force. What there is no such version of
// is left out.
//
// Main files, which are those directly in the policy directory:
//   - A fault that one file has holds that file. At a first start, with nothing to fall back on, it ends the start. A new file, without a
//     last good version, is left out; but if a file is gone at the same time, it may be that one under a new name, and all that changed
//     is held.
//   - A fault that only several files have together holds all main files that changed, together.
//
// Owned files, which are those in subdirectories that main files include; while a main file is held, its last good version says which:
//   - A fault that one has holds that one, at a first start too: what others have is in force, and its clients have what main files say.
//   - A fault that it has together with main files, or with owned ones, holds it: of several owned files one that has changed, and of
//     those the last in the order of the includes. If its last good version does not fit any more either, it is left out.
//   - One that is gone is held while it is included. One that is no longer included is gone.
//
// A list that can't be loaded, or lost too much, is held by itself; a new one holds the file that names it. A new one from elsewhere does
// not: it is absent until it comes, unless a policy has no other list.

// loader turns policy files into generations. It is used by one goroutine at a time.
type loader struct {
	log      *slog.Logger
	allowed  []netip.Prefix // allow_clients
	forward  []domain.Name  // the zones of forward
	state    *stateDir
	mirrored func(*config.List) *mirror.Copy // the copy of a list that lies elsewhere, nil for none
	progress func(list string) func(read, size int64)
	reads    bool // only to say what is written: what is a server's and may not be read is not known, and no main file is held
	anywhere bool // it is not known which server that would be

	good    *generation                 // in force; nil before the first
	kept    *lastGood                   // what an earlier process had in force, until the first generation; nil for nothing
	keptSet map[string]*blocklists.List // those of kept's lists that were asked for, by name
	tried   map[string]trial            // what came of the lists in this load, by name
	holds   map[string]hold             // by file path or "list NAME"
	read    []config.File               // what the last load has read: also what is held
	lastID  uint64
}

// generation is a whole policy with what it was made of.
type generation struct {
	set      *config.PolicySet
	lists    []*blocklists.List // in the order of set.Lists
	holds    map[string]hold    // of lists
	warnings []string
	snapshot *policy.Snapshot
}

// trial is what came of a list that was read.
type trial struct {
	src    blocklists.Source
	before *blocklists.List
	list   *blocklists.List
	err    error
}

// hold says why a file or a list is not in force as it is written.
type hold struct {
	reason  string
	since   time.Time
	owner   string             // of an owned file
	absent  bool               // there is no last good version: it is not in force at all
	content blocklists.Content // of a list that `cordon lists accept` can have believed; zero for all else
	entries int                // that it would have then
}

// errNoPolicy says that there is nothing to put in force: neither what is written nor a last good version.
var errNoPolicy = errors.New("no policy can be put in force")

// ownFaults are faults that files have each by itself.
type ownFaults struct {
	error                   // all of them
	byFile map[string]error // by path
}

// Unwrap returns all of the faults as one error.
func (f *ownFaults) Unwrap() error { return f.error }

// load makes a generation of files, as far as they are without faults, and remembers it as the last good one. Without a last good
// version of what has a fault, its error wraps config.Faults or is about a list, and nothing has changed.
func (l *loader) load(ctx context.Context, files []config.File) (*generation, error) {
	if l.tried == nil { // else somebody has tried before, of what was written then
		l.tried = map[string]trial{}
		defer func() { l.tried = nil }()
	}
	f := l.newFitting(files)
	f.strict = !l.reads && l.good == nil && l.kept.hasPolicy()
	next, err := f.fit(ctx)
	l.read = f.read()
	if err != nil {
		return nil, err
	}
	holds := f.holds(next.set.Files)
	maps.Copy(holds, next.holds)
	l.report(holds)
	l.warn(next)
	l.good, l.kept, l.keptSet = next, nil, nil
	return next, nil
}

// try makes a generation of files. Its error is an *ownFaults if files have faults by themselves.
func (l *loader) try(ctx context.Context, files []config.File) (*generation, error) {
	set, faults := l.check(files)
	if faults.Bad() {
		return nil, sorted(faults.Errors())
	}
	next := &generation{set: set, holds: map[string]hold{}}
	for _, w := range faults.Warnings() {
		next.warnings = append(next.warnings, w.String())
	}
	for _, declared := range set.Lists {
		list, err := l.list(ctx, set, declared, next)
		if err != nil {
			return nil, &ownFaults{error: err, byFile: map[string]error{declared.Pos.File: err}}
		}
		next.lists = append(next.lists, list)
		if n := list.Rejected(); n > 0 {
			next.warnings = append(next.warnings, fmt.Sprintf("list %s: %d entries can't be used; cordon lists show %s --rejected says why",
				list.Name(), n, list.Name()))
		}
	}
	if err := next.checkAbsent(); err != nil && !l.reads {
		return nil, err
	}
	return next, l.compile(next)
}

// check is what is written in files, and what is wrong with it, at the later of what the clock says and what the state directory has
// seen: a clock that is behind must not make an exception one that was approved in the future.
func (l *loader) check(files []config.File) (*config.PolicySet, config.Faults) {
	now := time.Now()
	if seen := l.state.seen(); seen.After(now) {
		now = seen
	}
	return config.LoadPolicy(files, checkOptions(now))
}

// sorted is faults as an *ownFaults if files have some by themselves, else as they are.
func sorted(faults config.Faults) error {
	byFile, _ := faults.Split()
	if len(byFile) == 0 {
		return faults
	}
	own := &ownFaults{error: faults, byFile: map[string]error{}}
	for path, f := range byFile {
		own.byFile[path] = f
	}
	return own
}

func (l *loader) compile(next *generation) (err error) {
	l.lastID++
	c := policyConfig(next.set, next.lists, l.allowed, l.lastID)
	if l.good != nil {
		c.Set = l.good.snapshot.Set()
	} else {
		c.Set = l.state.set(l.kept, next.lists)
	}
	next.snapshot, err = policy.Compile(c)
	return err
}

// keep is g as a later start needs it, with the policy files by their names in dir, the policy directory: without the lists that are in
// the program or in its files.
func (g *generation) keep(dir string) *lastGood {
	good := &lastGood{}
	for _, f := range g.set.Files {
		good.Policy = append(good.Policy, goodFile{Name: nameIn(dir, f.Path), Owner: f.Owner, Order: f.Order, Content: f.Data})
	}
	for i, declared := range g.set.Lists {
		if (declared.Remote() || declared.Path() != "") && !isAbsent(g.lists[i]) {
			good.Lists = append(good.Lists, goodFile{Name: declared.Name, Source: g.lists[i].Source(), List: g.lists[i]})
		}
	}
	if len(good.Lists) > 0 { // else it is compiled in no time
		good.Set = &goodFile{Name: "all lists", Set: g.snapshot.Set()}
	}
	return good
}

// owned are the owned files of g by their paths in dir, the policy directory.
func (g *lastGood) owned(dir string) []config.File {
	var owned []config.File
	for _, f := range g.Policy {
		if f.Order != 0 {
			file := config.NewFile(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Content)
			file.Owner, file.Order = f.Owner, f.Order
			owned = append(owned, file)
		}
	}
	return owned
}

// nameIn is the path of a policy file relative to dir, with slashes.
func nameIn(dir, path string) string {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		name = path
	}
	return filepath.ToSlash(name)
}

// hold is the hold of what is held for wrong: since when it has been is kept.
func (l *loader) hold(what string, wrong error) hold {
	h := hold{reason: reasonOf(wrong), since: time.Now()}
	if old, ok := l.holds[what]; ok {
		h.since = old.since
	}
	return h
}

// holdToo holds what for wrong, beside what is held already.
func (l *loader) holdToo(what string, wrong error) {
	holds := maps.Clone(l.holds)
	if holds == nil {
		holds = map[string]hold{}
	}
	holds[what] = l.hold(what, wrong)
	l.report(holds)
}

// report makes holds those in force and logs what is new about them.
func (l *loader) report(holds map[string]hold) {
	for what, h := range holds {
		log, before := h.log(l.log).With("what", what), l.holds[what]
		switch {
		case before.reason == h.reason && before.absent == h.absent: // said already
		case h.absent:
			log.Error("held: not in force, there is no earlier version of it", "reason", h.reason)
		default:
			log.Error("held: the last good version stays in force", "reason", h.reason)
		}
	}
	for what, h := range l.holds {
		if _, still := holds[what]; !still {
			h.log(l.log).With("what", what).Info("no longer held", "held_for", time.Since(h.since).Round(time.Second))
		}
	}
	l.holds = holds
}

// log is log for what is about h.
func (h hold) log(log *slog.Logger) *slog.Logger {
	if h.owner == "" {
		return log
	}
	return log.With("owner", h.owner)
}

// warn logs what is new in next and legal but unwise, and which files are gone.
func (l *loader) warn(next *generation) {
	var known []string
	if l.good != nil {
		known = l.good.warnings
		l.warnOfGone(next)
	}
	l.warnOfFiles(next)
	for _, w := range next.warnings {
		if !slices.Contains(known, w) {
			l.log.Warn("policy", "warning", w)
		}
	}
}

// warnOfGone logs which policy files are gone, or are somebody else's.
func (l *loader) warnOfGone(next *generation) {
	for _, old := range l.good.set.Files {
		now, there := fileAt(next.set.Files, old.Path)
		_, held := l.holds[old.Path]
		switch {
		case there && now.Owner != old.Owner:
			l.log.Warn("a policy file has another owner", "what", old.Path, "owner", now.Owner, "before", old.Owner)
		case !there && !held:
			hold{owner: old.Owner}.log(l.log).Warn("a policy file is gone, and what it said with it", "what", old.Path)
		}
	}
}

// seed makes what an earlier process had in force the last good generation, so that faults can be held at the first load. Its files
// count as those of the same names in dir, the policy directory: that may have moved, or be written in another way. What it says of
// owned files that does not fit, as another release may see it, is left out.
func (l *loader) seed(ctx context.Context, dir string) error {
	var main []config.File
	for _, f := range l.kept.Policy {
		if f.Order == 0 {
			main = append(main, config.NewFile(filepath.Join(dir, filepath.Base(f.Name)), f.Content))
		}
	}
	owned := byPath(l.kept.owned(dir))
	f := l.newFitting(main)
	f.try = l.trySeed
	f.disk = func(path string) config.File { // the main files alone say which are included, and nothing is read
		if file, kept := owned[path]; kept {
			return file
		}
		return config.File{Path: path, Err: errNotKept}
	}
	seeded, err := f.fit(ctx)
	if err != nil {
		return err
	}
	l.good, l.kept, l.keptSet = seeded, nil, nil
	return nil
}

var errNotKept = errors.New("there is no last good version of it")

// trySeed is try for what an earlier process had in force.
func (l *loader) trySeed(ctx context.Context, files []config.File) (*generation, error) {
	set, faults := l.check(files)
	if faults.Bad() {
		return nil, sorted(faults.Errors())
	}
	seeded := &generation{set: set}
	for _, declared := range set.Lists {
		list := l.lastGoodList(declared.Name)
		if list == nil { // it needed no keeping
			var err error
			list, err = l.listAsWritten(ctx, set, declared, nil)
			if err != nil && declared.Remote() {
				list, err = blocklists.Empty(declared.Name, declared.Source), nil // the load that follows says so
			}
			if err != nil {
				return nil, &ownFaults{error: err, byFile: map[string]error{declared.Pos.File: err}}
			}
		}
		seeded.lists = append(seeded.lists, list)
	}
	return seeded, l.compile(seeded)
}

// reasonOf is err in one line, with every fault that it is about, but not too many.
func reasonOf(err error) string {
	const most = 10
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		return err.Error()
	}
	var all []string
	for _, f := range faults[:min(len(faults), most)] {
		all = append(all, f.String())
	}
	if more := len(faults) - most; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

func fileAt(files []config.File, path string) (config.File, bool) {
	i := slices.IndexFunc(files, func(f config.File) bool { return f.Path == path })
	if i < 0 {
		return config.File{}, false
	}
	return files[i], true
}
