package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"cordon/config"
)

// This file is the part of the reload path that decides which of several files is held for what they have done together.

// stepBackTogether has files step back for faults that none has by itself: of the owned files that a fault involves, one that has
// changed, else one that main files leave no room for; of those the latest in the order of the includes. What main files have among
// themselves comes before that: the owned files are not judged by what is not going to be in force.
func (f *fitting) stepBackTogether(faults config.Faults) bool {
	files := f.files()
	var ofMains config.Faults
	changed, others := map[string]config.Faults{}, map[string]config.Faults{}
	for _, fault := range faults {
		culprit, mine := f.culprit(files, fault)
		switch {
		case culprit.Path == "":
			ofMains = append(ofMains, fault)
		case mine:
			changed[culprit.Path] = append(changed[culprit.Path], fault)
		default:
			others[culprit.Path] = append(others[culprit.Path], fault)
		}
	}
	switch {
	case len(ofMains) > 0:
		return f.loader.good != nil && (f.holdMains(ofMains) || f.stepBackLatest(files, ofMains))
	case len(changed) > 0:
		others = changed
	}
	for path, why := range others {
		f.stepBackOne(f.owned[path], why)
	}
	return len(others) > 0
}

// culprit is the owned file that has to step back for fault, and whether it has changed; zero if the fault is in a main file, which may
// name nothing that owned ones have.
func (f *fitting) culprit(files []config.File, fault config.Fault) (culprit config.File, changed bool) {
	if f.owned[fault.File].Order == 0 {
		return culprit, false
	}
	for _, file := range files {
		if file.Order == 0 || file.Path != fault.File && !slices.Contains(fault.Files, file.Path) {
			continue
		}
		if mine := f.changed(file); culprit.Path == "" || mine && !changed || mine == changed && file.Order > culprit.Order {
			culprit, changed = file, mine
		}
	}
	return culprit, changed
}

// changed says whether an owned file is another one than the last good one.
func (f *fitting) changed(file config.File) bool {
	old, known := f.good[file.Path]
	return !known || differ(file, old) || file.Owner != old.Owner
}

// stepBackLatest has the latest owned file step back that has changed, whatever it has to do with why.
func (f *fitting) stepBackLatest(files []config.File, why error) bool {
	var latest config.File
	for _, file := range files {
		if file.Order > latest.Order && f.changed(file) {
			latest = file
		}
	}
	return latest.Path != "" && f.stepBackOne(latest, why)
}

// holdMains has every main file step back that is not what it was: together they have a fault. It says false if there is none.
func (f *fitting) holdMains(why error) bool {
	moved := false
	for _, path := range f.paths {
		if _, stepped := f.steps[path]; stepped {
			continue
		}
		if to := f.mainBefore(path); to != asWritten {
			f.step(path, to, why)
			f.mains = append(f.mains, path)
			moved = true
		}
	}
	return moved
}

// mainBefore is the version that a main file was in force in, asWritten if it has not changed.
func (f *fitting) mainBefore(path string) version {
	file, there := f.written[path]
	old, known := f.good[path]
	switch {
	case known && (!there || differ(file, old)):
		return atLastGood
	case !known:
		return leftOut
	}
	return asWritten
}

// secondChances takes back the steps that are not needed any more: those of main files first, then those of owned ones, the unchanged
// before the changed, in the order of the includes, until none fits any better. There are so many chances and no more: each costs a check
// of all files.
func (f *fitting) secondChances(ctx context.Context, next *generation) *generation {
	if better := f.instead(ctx, asWritten, f.mains...); better != nil {
		next = better
	}
	const most = 64
	chances := most
	for found := true; found; {
		found = false
		for _, path := range f.steppedOwned() {
			if better := f.bestOf(ctx, path, &chances); better != nil {
				next, found = better, true
			}
		}
	}
	return next
}

// bestOf is the generation with the best version of the file at path that fits now, nil if that is none before the one that it has.
func (f *fitting) bestOf(ctx context.Context, path string, chances *int) *generation {
	for to := asWritten; to < f.steps[path].to && *chances > 0; to++ {
		if !f.hasChance(path, to) {
			continue
		}
		*chances--
		if better := f.instead(ctx, to, path); better != nil {
			return better
		}
	}
	return nil
}

// steppedOwned are the owned files that have stepped back, in the order in which they have a second chance.
func (f *fitting) steppedOwned() []string {
	var paths []string
	for path := range f.steps {
		if _, is := f.owned[path]; is {
			paths = append(paths, path)
		}
	}
	changed := func(path string) float64 {
		return truth(f.changed(f.written[path]))
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(cmp.Compare(changed(a), changed(b)), cmp.Compare(f.owned[a].Order, f.owned[b].Order))
	})
	return paths
}

// hasChance says whether a version of the file at path may fit now: each of its faults involves another file, and that has moved.
func (f *fitting) hasChance(path string, to version) bool {
	faults, ok := errors.AsType[config.Faults](f.steps[path].why[to])
	return ok && !slices.ContainsFunc(faults, func(fault config.Fault) bool {
		return !fault.Spanning || !slices.ContainsFunc(fault.Files, func(other string) bool {
			return f.moved(other) && (other != path || len(fault.Files) == 1) // one that lacks something may get it from any
		})
	})
}

// moved says whether a file has stepped back, for good or not, or is no longer included because others have.
func (f *fitting) moved(path string) bool {
	file, read := f.written[path]
	_, included := f.owned[path]
	return f.unquiet[path] || !read || file.Order != 0 && !included
}

// instead is the generation with other versions of the files at paths, nil if there is none; then nothing has changed.
func (f *fitting) instead(ctx context.Context, to version, paths ...string) *generation {
	if len(paths) == 0 {
		return nil
	}
	before := maps.Clone(f.steps)
	for _, path := range paths {
		if to == asWritten {
			delete(f.steps, path)
		} else {
			s := f.steps[path]
			s.to = to
			f.steps[path] = s
		}
	}
	if files := f.files(); f.allThere(files, paths) {
		if next, err := f.try(ctx, files); err == nil {
			return next
		}
	}
	f.steps = before
	f.files() // which are included
	return nil
}

// allThere says whether files have all of paths that were read.
func (f *fitting) allThere(files []config.File, paths []string) bool {
	return !slices.ContainsFunc(paths, func(path string) bool {
		_, read := f.written[path]
		_, there := fileAt(files, path)
		return read && !there
	})
}
