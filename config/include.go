package config

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Included is the whole policy that main files make, which are all those of a policy directory: the main files in the order of their
// paths, then the owned ones that those include, each once, with its Owner, its Order, and what read says of its path.
//
//	policy/main.yaml               a main file, as every file directly in the directory
//	    include: [{file: agencies/defence.yaml, owner: defence}]
//	policy/agencies/defence.yaml   owned: it lies in a subdirectory, and a main file includes it
//	policy/agencies/other.yaml     nothing: nobody includes it
//
// So no file is ever both, whatever any of them says. A main file that is no YAML includes nothing: whoever has an earlier text of it may
// put that in its place. An include that is faulty is left out; [Check] finds the fault.
func Included(main []File, read func(path string) File) []File {
	main = slices.SortedFunc(slices.Values(main), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	var owned []File
	seen := make(map[string]bool)
	for _, m := range main {
		for _, i := range readIncludes(&m) {
			if seen[i.File] || i.Owner == "" || !i.inside() || i.beside() {
				continue
			}
			seen[i.File] = true
			f := read(i.File)
			f.Owner, f.Order = i.Owner, len(seen)
			owned = append(owned, f)
		}
	}
	return append(main, owned...)
}

// readIncludes is what f includes, as far as that can be read.
func readIncludes(f *File) []Include {
	root, _ := parseYAML(f.Path, f.Data)
	if root == nil {
		return nil
	}
	d := decoder{file: f.Path, dir: filepath.Dir(f.Path)}
	if !d.current(root, reflect.TypeFor[policyFile]()) {
		return nil
	}
	var file struct {
		Place
		Include []Include `yaml:"include"`
	}
	d.object(root, reflect.ValueOf(&file).Elem(), "")
	return file.Include
}

// inside says whether the file that is included lies in the directory of the one that includes it, or below, by its name.
func (i Include) inside() bool {
	rel, err := filepath.Rel(filepath.Dir(i.Pos.File), i.File)
	return err == nil && i.File != "" && filepath.IsLocal(rel) && rel != "."
}

// beside says whether the file that is included lies directly in the directory of the one that includes it.
func (i Include) beside() bool { return filepath.Dir(i.File) == filepath.Dir(i.Pos.File) }
