package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"cordon/config"
)

// This file is the part of the reload path that decides what is held.

// fitting looks for versions of all files that go together. Each file begins as it is written. One that has a fault steps back to its
// last good version, and if that does not fit either, out; which files are owned is what the main files say, each in the version that it
// has then. In the end whatever stepped back for the sake of another that did so too gets a second chance. A file takes two steps at
// most, so there is an end.
type fitting struct {
	loader  *loader
	try     func(context.Context, []config.File) (*generation, error)
	disk    func(path string) config.File // reads an owned file that was not read yet
	strict  bool                          // nothing may step back
	paths   []string                      // of the main files, those that were read and those of the last good policy, sorted
	written map[string]config.File        // what was read, main files and owned ones, each by the include of it that was seen last
	size    int                           // of what disk has read, in octets
	good    map[string]config.File        // the last good versions
	steps   map[string]step               // of the files that are not as they are written
	unquiet map[string]bool               // the files that have ever stepped back in this search
	mains   []string                      // the main files that stepped back together
	owned   map[string]config.File        // the owned files as they were last included, in force or not
}

// step is where a file has stepped back to, and why the versions before that are not in force; nil for one that was not tried.
type step struct {
	to  version
	why [leftOut]error
}

type version int

const (
	asWritten version = iota
	atLastGood
	leftOut
)

func (l *loader) newFitting(written []config.File) *fitting {
	f := &fitting{
		loader: l, try: l.try, written: byPath(written), good: map[string]config.File{},
		steps: map[string]step{}, unquiet: map[string]bool{},
	}
	if l.good != nil {
		f.good = byPath(l.good.set.Files)
	}
	for _, files := range []map[string]config.File{f.written, f.good} {
		for path, file := range files {
			if file.Order == 0 {
				f.paths = append(f.paths, path)
			}
		}
	}
	slices.Sort(f.paths)
	f.paths = slices.Compact(f.paths)
	dir := f.directory()
	f.disk = func(path string) config.File { return config.ReadOwned(dir, path) }
	if l.reads && !l.anywhere && l.kept != nil {
		f.good = byPath(l.kept.owned(dir))
	}
	return f
}

func byPath(files []config.File) map[string]config.File {
	all := map[string]config.File{}
	for _, file := range files {
		all[file.Path] = file
	}
	return all
}

// directory is the policy directory: that of any main file, of now or before.
func (f *fitting) directory() string {
	if len(f.paths) == 0 {
		return ""
	}
	return filepath.Dir(f.paths[0])
}

// fit makes a generation of as much of what is written as goes together. Its error is about all that is written, and there is one only
// before the first generation.
func (f *fitting) fit(ctx context.Context) (*generation, error) {
	next, err := f.try(ctx, f.files())
	for first := err; err != nil; next, err = f.try(ctx, f.files()) {
		if f.strict {
			return nil, first
		}
		if f.stepBack(err) {
			continue
		}
		if f.loader.good == nil {
			return nil, first
		}
		f.holdAll(err)
		return f.try(ctx, f.loader.good.set.Files)
	}
	if len(f.steps) > 1 {
		next = f.secondChances(ctx, next)
	}
	return next, nil
}

// files are the versions of all files that are tried next.
func (f *fitting) files() []config.File {
	var mains, all []config.File
	for _, path := range f.paths {
		if file, there := f.version(path); there {
			mains = append(mains, file)
		}
	}
	f.owned = map[string]config.File{}
	for _, file := range config.Included(mains, f.ownedVersion) {
		if file.Order != 0 {
			f.owned[file.Path] = file
			f.note(file)
		}
		if f.steps[file.Path].to != leftOut {
			all = append(all, file)
		}
	}
	return all
}

// version is the version of a file that is tried next, if there is one.
func (f *fitting) version(path string) (file config.File, there bool) {
	switch f.steps[path].to {
	case asWritten:
		file, there = f.written[path]
	case atLastGood:
		file, there = f.good[path]
	case leftOut:
	}
	return file, there
}

// ownedVersion is version for an included file, which is read if it was not read with the others: the text that includes it is a last good
// one. Of one that is left out it is any.
func (f *fitting) ownedVersion(path string) config.File {
	if _, read := f.written[path]; !read {
		f.written[path] = f.readLater(path)
	}
	if f.steps[path].to == atLastGood {
		return f.good[path]
	}
	return f.written[path]
}

func (f *fitting) readLater(path string) config.File {
	if f.size > maxLater {
		return config.File{Path: path, Err: errTooMuch}
	}
	file := f.disk(path)
	f.size += len(file.Data)
	return file
}

// note notes whose an owned file is.
func (f *fitting) note(file config.File) {
	written := f.written[file.Path]
	written.Owner, written.Order = file.Owner, file.Order
	f.written[file.Path] = written
}

// maxLater is how many octets are read of included files that come later.
const maxLater = 64 << 20

var errTooMuch = fmt.Errorf("the included files have more than %d MiB together", maxLater>>20)

// stepBack has the files step back that are at fault for err. It says false if there is nothing more to do about it.
func (f *fitting) stepBack(err error) bool {
	if own, ok := errors.AsType[*ownFaults](err); ok {
		return f.stepBackByThemselves(own.byFile) || f.loader.good != nil && f.holdMains(own)
	}
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return f.stepBackTogether(faults.Errors())
	}
	return false
}

// stepBackByThemselves has each file step back that has a fault of its own.
func (f *fitting) stepBackByThemselves(byFile map[string]error) bool {
	moved := false
	for _, file := range f.files() {
		if why := byFile[file.Path]; why != nil {
			if !f.stepBackOne(file, why) {
				return false
			}
			moved = true
		}
	}
	return moved
}

// stepBackOne has file step back for why, if it can. A new main file can't while another is gone: it may be that one.
func (f *fitting) stepBackOne(file config.File, why error) bool {
	old, known := f.good[file.Path]
	switch {
	case known && f.steps[file.Path].to == asWritten && differ(file, old):
		f.step(file.Path, atLastGood, why)
	case file.Order == 0 && (known || f.loader.good == nil || f.someGone()):
		return false
	default:
		f.step(file.Path, leftOut, why)
	}
	return true
}

// step has the file at path step back for why.
func (f *fitting) step(path string, to version, why error) {
	s := f.steps[path]
	s.why[s.to] = why
	s.to = to
	f.steps[path], f.unquiet[path] = s, true
}

// differ says whether the texts of two versions do.
func differ(file, old config.File) bool { return file.Hash != old.Hash || file.Err != nil }

// someGone says whether a main file of the last good policy is no longer there.
func (f *fitting) someGone() bool {
	return slices.ContainsFunc(f.paths, func(path string) bool {
		_, there := f.written[path]
		return !there
	})
}

// holdAll holds every file that is not what it was.
func (f *fitting) holdAll(why error) {
	clear(f.steps)
	for path, file := range f.written {
		if old, known := f.good[path]; !known {
			f.step(path, leftOut, why)
		} else if differ(file, old) || file.Owner != old.Owner {
			f.step(path, atLastGood, why)
		}
	}
	for path, old := range f.good {
		if _, there := f.written[path]; !there && old.Order == 0 {
			f.step(path, atLastGood, why)
		}
	}
	f.owned = maps.Clone(f.good)
	maps.DeleteFunc(f.owned, func(_ string, old config.File) bool { return old.Order == 0 })
}

// holds are the holds of what has stepped back. inForce are the files that have not, and the versions that are in force in their place.
func (f *fitting) holds(inForce []config.File) map[string]hold {
	holds := map[string]hold{}
	for path, s := range f.steps {
		why := s.why[asWritten]
		if _, there := f.written[path]; !there && f.good[path].Order == 0 && s.to == atLastGood {
			why = fmt.Errorf("it was deleted, but: %s", reasonOf(why))
		}
		if s.to == leftOut && s.why[atLastGood] != nil {
			why = fmt.Errorf("%s; and the last good version of it does not fit any more: %s", reasonOf(why), reasonOf(s.why[atLastGood]))
		}
		holds[path] = f.loader.hold(path, why)
	}
	for path, h := range holds {
		_, there := fileAt(inForce, path)
		h.absent, h.owner = !there, f.written[path].Owner
		holds[path] = h
	}
	return holds
}

// read is all that was read, and may be put in force when what has a fault is mended.
func (f *fitting) read() []config.File { return slices.Collect(maps.Values(f.written)) }
