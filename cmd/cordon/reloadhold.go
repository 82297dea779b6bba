package main

import (
	"cmp"
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
// last good version, and if that does not fit either, out; what is owned is found by the main files as far as those have stepped back.
// In the end whatever stepped back for the sake of another that did so too gets a second chance. A file takes two steps at most, so
// there is an end.
type fitting struct {
	loader  *loader
	try     func(context.Context, []config.File) (*generation, error)
	disk    func(path string) config.File // reads an included file that was not read yet
	strict  bool                          // nothing may step back
	paths   []string                      // of the files that were read and of the last good main files, sorted
	written map[string]config.File        // what was read
	later   map[string]config.File        // what disk has read: included by the last good version of a main file
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
		loader: l, try: l.try, written: map[string]config.File{}, later: map[string]config.File{},
		good: map[string]config.File{}, steps: map[string]step{}, unquiet: map[string]bool{},
	}
	for _, file := range written {
		f.written[file.Path] = file
		f.paths = append(f.paths, file.Path)
	}
	if l.good != nil {
		for _, file := range l.good.set.Files {
			f.good[file.Path] = file
			if file.Order == 0 {
				f.paths = append(f.paths, file.Path)
			}
		}
	}
	slices.Sort(f.paths)
	f.paths = slices.Compact(f.paths)
	dir := f.directory()
	f.disk = func(path string) config.File { return config.ReadOwned(dir, path) }
	return f
}

// directory is the policy directory: that of any main file, of now or before.
func (f *fitting) directory() string {
	for _, path := range f.paths {
		for _, files := range []map[string]config.File{f.written, f.good} {
			if file, there := files[path]; there && file.Order == 0 {
				return filepath.Dir(path)
			}
		}
	}
	return ""
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
	var dir []config.File
	for _, path := range f.paths {
		if file, there := f.inDirectory(path); there {
			dir = append(dir, file)
		}
	}
	f.owned = map[string]config.File{}
	var all []config.File
	for _, file := range config.Included(dir, f.text) {
		if file.Order != 0 {
			f.owned[file.Path] = file
		}
		if f.steps[file.Path].to != leftOut {
			all = append(all, file)
		}
	}
	return all
}

// inDirectory is the version of a file that may be a main file. What was read as an owned one never becomes that; of what may be one,
// what was a main file before stays that, as far as nobody in force includes it.
func (f *fitting) inDirectory(path string) (file config.File, there bool) {
	old, known := f.good[path]
	switch f.steps[path].to {
	case atLastGood:
		file, there = old, known
	case asWritten:
		if file, there = f.written[path]; unowned(file) && known && old.Order == 0 {
			file.Order = 0
		}
	case leftOut:
	}
	return file, there
}

// text is the version of an included file that does not lie in the directory.
func (f *fitting) text(path string) config.File {
	if f.steps[path].to == atLastGood {
		return f.good[path]
	}
	file, read := f.later[path]
	if read {
		return file
	}
	if f.size > maxLater {
		file = config.File{Path: path, Err: errTooMuch}
	} else {
		file = f.disk(path)
	}
	f.size += len(file.Data)
	f.later[path] = file
	return file
}

// maxLater is how many octets are read of included files that come later.
const maxLater = 64 << 20

var errTooMuch = fmt.Errorf("the included files have more than %d MiB together", maxLater>>20)

// stepBack has the files step back that are at fault for err. It says false if there is nothing more to do about it.
func (f *fitting) stepBack(err error) bool {
	moved := false
	if own, ok := errors.AsType[*ownFaults](err); ok {
		moved = f.stepBackByThemselves(own.byFile)
	} else if faults, ok := errors.AsType[config.Faults](err); ok {
		moved = f.stepBackTogether(faults.Errors())
	}
	if moved {
		f.keepMains()
	}
	return moved
}

// stepBackByThemselves has each file step back that has a fault of its own. A file of which nobody knows yet whose it is waits: it is
// known as soon as the one that may include it has stepped back.
func (f *fitting) stepBackByThemselves(byFile map[string]error) bool {
	var faulty []config.File
	for _, file := range f.files() {
		if byFile[file.Path] != nil {
			faulty = append(faulty, file)
		}
	}
	if slices.ContainsFunc(faulty, func(file config.File) bool { return !unowned(file) }) {
		faulty = slices.DeleteFunc(faulty, unowned)
	}
	for _, file := range faulty {
		if !f.stepBackOne(file, byFile[file.Path]) {
			return false
		}
	}
	if slices.ContainsFunc(faulty, func(file config.File) bool { return file.Order == 0 && file.Err != nil }) {
		f.holdNewMains()
	}
	return len(faulty) > 0
}

// holdNewMains leaves out what was no main file before, while one can't be read that may include them.
func (f *fitting) holdNewMains() {
	for _, file := range f.files() {
		if old, known := f.good[file.Path]; file.Order == 0 && (!known || old.Order != 0) {
			f.step(file.Path, leftOut, errIncluder)
		}
	}
}

// unowned says whether file may be included by one that can't be read.
func unowned(file config.File) bool { return file.Order != 0 && file.Owner == "" }

// stepBackOne has file step back for why, if it can. A new main file can't while another is gone: it may be that one.
func (f *fitting) stepBackOne(file config.File, why error) bool {
	old, known := f.good[file.Path]
	main := file.Order == 0
	switch {
	case known && f.steps[file.Path].to == asWritten && differ(file, old) && (!main || old.Order == 0):
		f.step(file.Path, atLastGood, why)
	case main && (known && old.Order == 0 || f.loader.good == nil || f.someGone()):
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

// keepMains keeps main files as they were that only those that have stepped back make owned ones.
func (f *fitting) keepMains() {
	now := f.files()
	for _, path := range f.paths {
		_, there := fileAt(now, path)
		_, stepped := f.steps[path]
		if old, known := f.good[path]; !there && !stepped && known && old.Order == 0 && f.written[path].Order != 0 {
			f.step(path, atLastGood, errIncluder)
		}
	}
}

var errIncluder = errors.New("a file that includes it, or may, is held")

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
	f.owned = map[string]config.File{}
	for path, old := range f.good {
		if old.Order != 0 {
			f.owned[path] = old
		}
	}
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
	for path, file := range f.written {
		if _, held := holds[path]; !held && file.Order != 0 {
			if _, there := fileAt(inForce, path); !there {
				holds[path] = f.loader.hold(path, errIncluder)
			}
		}
	}
	for path, h := range holds {
		_, there := fileAt(inForce, path)
		h.absent, h.owner = !there, cmp.Or(f.owned[path].Owner, f.written[path].Owner)
		holds[path] = h
	}
	return holds
}

// read is all that was read, and may be put in force when what has a fault is mended.
func (f *fitting) read() []config.File {
	all := slices.Collect(maps.Values(f.written))
	for path, file := range f.later {
		if owned, is := f.owned[path]; is {
			file.Owner, file.Order = owned.Owner, owned.Order
			all = append(all, file)
		}
	}
	return all
}
