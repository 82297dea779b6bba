package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Included is the whole policy that the files of a policy directory make: those of them that are main files, and the owned ones that
// those include, each with its Owner and Order. An owned file is taken from files if it is there, else it is what read says of its path.
//
//	main.yaml     include: [{file: health.yaml, owner: health}, {file: agencies/defence.yaml, owner: defence}]
//	health.yaml   in the directory, but included: owned, never a main file
//	tax.yaml      in the directory, and nobody includes it: a main file
//
// The texts may be mixed, last good ones with new ones, but all files of the directory must be there, also those that have a fault: a
// file whose includes can't be read for sure claims every file whose name stands in its text, and those have an Err then, and are no
// main files, until they have an owner again. A file of files that has an Order already, as Included itself gave it for other texts, is
// never a main file: if no main file includes it, it is left out. A file that could not be read at all claims nothing: who goes on without
// it must not let in other new files meanwhile.
func Included(files []File, read func(path string) File) []File {
	t := newTree(files)
	t.settle()
	var main, owned []File
	seen := make(map[string]bool)
	for _, f := range t.files {
		if t.state[f.Path] != isMain {
			continue
		}
		main = append(main, *f)
		for _, i := range t.includes[f.Path] {
			if seen[i.File] || !i.inside() {
				continue
			}
			seen[i.File] = true
			owned = append(owned, t.owned(i, len(seen), read))
		}
	}
	for _, f := range t.files {
		if t.state[f.Path] == isMain || seen[f.Path] || f.Order != 0 {
			continue
		}
		lost := *f // it is in a circle of includes
		lost.Owner, lost.Order, lost.Err = "", len(seen)+1, &unownedError{by: t.claims[f.Path]}
		owned = append(owned, lost)
	}
	return append(main, owned...)
}

// IncludedPaths are the paths of the owned files that the main ones of files include, each once, those that are not there too. They
// lie in the policy directory or below it.
func IncludedPaths(files []File) []string {
	var all []string
	for _, f := range Included(files, func(path string) File { return File{Path: path} }) {
		if f.Order != 0 {
			all = append(all, f.Path)
		}
	}
	return all
}

// unownedError is why nobody can say whose a file is.
type unownedError struct{ by []string }

func (e *unownedError) Error() string {
	return fmt.Sprintf("it can't be known whose it is: %s includes it, or may, and has a fault there", enumerate(e.by))
}

// The states of a file of the directory.
const (
	undecided = iota
	isMain
	isOwned
)

// includeTree finds out which files of a directory are main files. An include counts if it stands in a main file, so that an owned file
// makes nobody else an owned one.
type includeTree struct {
	files    []*File // in the order of their paths
	includes map[string][]Include
	targets  map[string][]string // the files of the directory that a file includes, or may include, by path
	claims   map[string][]string // the other way round
	state    map[string]int
}

func newTree(files []File) *includeTree {
	t := &includeTree{
		includes: make(map[string][]Include), targets: make(map[string][]string), claims: make(map[string][]string),
		state: make(map[string]int),
	}
	for _, f := range files {
		if _, unowned := errors.AsType[*unownedError](f.Err); unowned {
			f.Err = nil
		}
		t.files = append(t.files, &f)
	}
	slices.SortStableFunc(t.files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range t.files {
		t.link(f)
	}
	return t
}

// link finds what f includes.
func (t *includeTree) link(f *File) {
	includes, sure := readIncludes(f)
	t.includes[f.Path] = includes
	named := make(map[string]bool)
	for _, i := range includes {
		named[i.File] = true
	}
	for _, other := range t.files {
		if other.Path == f.Path {
			continue
		}
		if named[other.Path] || !sure && bytes.Contains(f.Data, []byte(filepath.Base(other.Path))) {
			t.targets[f.Path] = append(t.targets[f.Path], other.Path)
			t.claims[other.Path] = append(t.claims[other.Path], f.Path)
		}
	}
}

// settle decides about every file that is not in a circle: it is a main file if no other than owned files include it, and owned if a
// main file does.
func (t *includeTree) settle() {
	open := make(map[string]int) // how many files include it that may be main files
	var ready []string
	for _, f := range t.files {
		open[f.Path] = len(t.claims[f.Path])
		if f.Order != 0 {
			t.state[f.Path] = isOwned
		}
	}
	for _, f := range t.files {
		switch {
		case f.Order != 0:
			ready = append(ready, t.own(f.Path, open)...)
		case len(t.claims[f.Path]) == 0:
			ready = append(ready, f.Path)
		}
	}
	for len(ready) > 0 {
		path := ready[0]
		ready = ready[1:]
		t.state[path] = isMain
		for _, target := range t.targets[path] {
			if t.state[target] == undecided {
				ready = append(ready, t.own(target, open)...)
			}
		}
	}
}

// own makes a file an owned one. What it includes does not count, so that some of those may be main files: free are the ones that
// nobody else includes.
func (t *includeTree) own(path string, open map[string]int) (free []string) {
	t.state[path] = isOwned
	for _, target := range t.targets[path] {
		if open[target]--; open[target] == 0 && t.state[target] == undecided {
			free = append(free, target)
		}
	}
	return free
}

// owned is the file that i includes.
func (t *includeTree) owned(i Include, order int, read func(path string) File) File {
	var f File
	if at := slices.IndexFunc(t.files, func(f *File) bool { return f.Path == i.File }); at >= 0 {
		f = *t.files[at]
	} else {
		f = read(i.File)
	}
	f.Owner, f.Order = i.Owner, order
	if i.Owner == "" {
		f.Err = &unownedError{by: []string{i.Pos.String()}}
	}
	return f
}

// inside says whether the file that is included lies in the directory of the one that includes it, or below, by its name.
func (i Include) inside() bool {
	rel, err := filepath.Rel(filepath.Dir(i.Pos.File), i.File)
	return err == nil && filepath.IsLocal(rel) && rel != "." && i.File != i.Pos.File
}

// readIncludes is what f includes, as far as that can be read. sure says whether that is all: not if the text is no YAML, or has a
// fault where an include may be meant.
func readIncludes(f *File) (includes []Include, sure bool) {
	root, _ := parseYAML(f.Path, f.Data)
	if root == nil {
		return nil, false
	}
	d := decoder{file: f.Path, dir: filepath.Dir(f.Path)}
	var file policyFile
	d.object(root, reflect.ValueOf(&file).Elem(), "")
	sure = !file.faulty
	for _, i := range file.Include {
		sure = sure && !i.faulty
		if i.File != "" {
			includes = append(includes, i)
		}
	}
	return includes, sure
}
