package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ParsePolicy makes one policy of the texts of files, which are bytes so that a reload can mix last good texts with new
// ones. The faults are those that a file has by itself; those that only the whole has are found by [Check]. The set is
// never nil: it has what could be read, so that Check can go on and all faults are found at once.
func ParsePolicy(files []File) (*PolicySet, Faults) {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	set := &PolicySet{Files: files, Hash: hashFiles(files), owners: make(map[string]string)}
	faults := make(Faults, 0, len(files))
	for _, f := range slices.SortedStableFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Order, b.Order) }) {
		set.owners[f.Path] = f.Owner
		faults = append(faults, set.add(&f)...)
	}
	set.MaxException = cmp.Or(set.MaxException, defaultMaxException)
	set.merge()
	return set, faults.sorted().bounded().excerpted(texts(files))
}

// LoadPolicy is ParsePolicy and Check in one: all that is wrong with files.
func LoadPolicy(files []File, o Options) (*PolicySet, Faults) {
	set, faults := ParsePolicy(files)
	faults = append(faults, Check(set, o)...)
	return set, faults.sorted()
}

// add reads one file into the set.
func (s *PolicySet) add(f *File) Faults {
	if f.Err != nil {
		s.lost = true
		return Faults{{File: f.Path, Message: fmt.Sprintf("the file can't be read: %v", f.Err)}}
	}
	root, faults := parseYAML(f.Path, f.Data)
	if root == nil {
		s.lost = true
		return faults
	}
	d := decoder{file: f.Path, dir: filepath.Dir(f.Path)}
	if !d.current(root, reflect.TypeFor[policyFile]()) {
		s.lost = true
		return d.faults
	}
	d.timezone(root)
	var file policyFile
	d.object(root, reflect.ValueOf(&file).Elem(), "")
	if d.local != nil && file.Timezone == "" {
		d.faults = append(d.faults, Fault{
			File: f.Path, Line: d.local.Line, Column: d.local.Column, Warning: true,
			Message: "the file has no timezone, so this is a time in UTC: write one, such as timezone: Europe/Brussels",
		})
	}
	if f.Owner != "" {
		if faults := file.tooMuch(); faults != nil {
			s.lost = true
			return append(d.faults, faults...)
		}
	}
	s.lost = s.lost || file.faulty || slices.ContainsFunc(file.Include, func(i Include) bool { return i.faulty })
	s.take(&file, f.Owner, d.dir)
	return append(d.faults, checkFile(&file)...)
}

// timezone finds the file's timezone before anything else is read. A fault in it is found again, and told, by nobody else.
func (d *decoder) timezone(root *yaml.Node) {
	d.zone = time.UTC
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, val := root.Content[i], root.Content[i+1]
		if key.Value != "timezone" || val.Kind != yaml.ScalarNode || val.ShortTag() != "!!str" || val.Value == "" {
			continue
		}
		zone, err := parseZone(val.Value)
		if err != nil {
			d.fault(val, "timezone: %s", err)
			return
		}
		d.zone = zone
		return
	}
}

// take adds a file's objects to the set. Those without a name can't be referred to and are left out.
func (s *PolicySet) take(file *policyFile, owner, dir string) {
	s.docs = append(s.docs, file)
	if owner == "" {
		s.OwnZones = append(s.OwnZones, file.OwnZones...)
		s.MaxException = cmp.Or(s.MaxException, file.MaxException)
	}
	for i := range file.Lists {
		l := &file.Lists[i]
		l.Dir = dir
		if owner != "" {
			l.Within = cmp.Or(directory(s.Files), dir)
		}
		if l.strays() {
			s.strays = appendNamed(s, s.strays, l, l.Name)
			continue
		}
		s.Lists = appendNamed(s, s.Lists, l, l.Name)
	}
	for i := range file.Policies {
		s.Policies = appendNamed(s, s.Policies, &file.Policies[i], file.Policies[i].Name)
	}
	for i := range file.Agencies {
		switch a := &file.Agencies[i]; {
		case owner != "" && a.Name == owner:
			s.additions = append(s.additions, a)
		case owner != "" && a.Name == DefaultAgency:
			s.usurpers = append(s.usurpers, a)
		default:
			s.Agencies = appendNamed(s, s.Agencies, a, a.Name)
		}
	}
	for i := range file.Exceptions {
		s.Exceptions = appendNamed(s, s.Exceptions, &file.Exceptions[i], file.Exceptions[i].Name)
	}
}

// directory is the policy directory: that of the main files; "" if there are none.
func directory(files []File) string {
	for i := range files {
		if files[i].Order == 0 {
			return filepath.Dir(files[i].Path)
		}
	}
	return ""
}

func appendNamed[T any](s *PolicySet, list []*T, one *T, name string) []*T {
	if name == "" {
		s.lost = true
		return list
	}
	return append(list, one)
}

func texts(files []File) map[string][]byte {
	all := make(map[string][]byte, len(files))
	for _, f := range files {
		all[f.Path] = f.Data
	}
	return all
}

// hashFiles is a hash of the texts, of where they lie from the directory of the main files on, and whose they are.
func hashFiles(files []File) string {
	sum := sha256.New()
	dir := directory(files)
	for _, f := range files {
		name := filepath.Base(f.Path)
		if rel, err := filepath.Rel(dir, f.Path); err == nil && f.Order != 0 {
			name = filepath.ToSlash(rel)
		}
		fmt.Fprintf(sum, "%q %q %d\n", name, f.Owner, len(f.Data))
		sum.Write(f.Data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
