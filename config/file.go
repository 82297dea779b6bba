package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// The bounds of a policy directory.
const (
	maxFiles     = 1024     // files in it
	maxTotalSize = 64 << 20 // octets of all of them
	maxReads     = 5        // attempts to read it while it changes
)

// File is the text of one file.
type File struct {
	Path string
	Data []byte
	Hash [32]byte // SHA-256 of Data
	Err  error    // why it could not be read, nil if it was; a fault of this file for [ParsePolicy]

	// Owner is the agency that owns a policy file, as an [Include] says; "" for a main file. Order is that of the includes, from 1; 0 for a
	// main file: of two files that don't fit together, the one with the higher Order is at fault.
	Owner string
	Order int
}

// NewFile is the File of that text.
func NewFile(path string, data []byte) File {
	return File{Path: path, Data: data, Hash: sha256.Sum256(data)}
}

// IsPolicyFile says whether a file of that name in a policy directory is one of its files: *.yaml or *.yml, and no dot-file,
// which is an editor's or, as ..data, Kubernetes'.
func IsPolicyFile(name string) bool {
	ext := filepath.Ext(name)
	return !strings.HasPrefix(name, ".") && (ext == ".yaml" || ext == ".yml")
}

// ReadPolicyDir reads the policy files in dir, in the order of their names. Symbolic links are followed. A directory that
// changes while it is read (a Kubernetes volume swaps its link ..data) is read again. A file that can't be read is in
// files, with its Err; err is about the directory as a whole.
func ReadPolicyDir(dir string) (files []File, err error) {
	for range maxReads {
		before, err := policyNames(dir)
		if err != nil {
			return nil, fmt.Errorf("read policy directory: %w", err)
		}
		files, err = readFiles(dir, before.names)
		if err != nil {
			return nil, fmt.Errorf("read policy directory %s: %w", dir, err)
		}
		after, err := policyNames(dir)
		if err == nil && before.equal(after) {
			break
		}
	}
	return included(files), nil // if it changes all the time, the watcher says so again
}

// included is files with those that they include, each of which has its owner. A file of the directory that is included is an owned one.
func included(files []File) []File {
	owned := map[string]bool{}
	var all []File
	for _, f := range files {
		for _, i := range includes(&f) {
			if owned[i.File] {
				continue
			}
			owned[i.File] = true
			one := ReadFile(i.File)
			one.Owner, one.Order = i.Owner, len(owned)
			all = append(all, one)
		}
	}
	for _, f := range files {
		if !owned[f.Path] {
			all = append(all, f)
		}
	}
	return all
}

// includes are the files that f includes, as far as that can be read; what is wrong with the rest is found by [ParsePolicy].
func includes(f *File) []Include {
	root, _ := parseYAML(f.Path, f.Data)
	if root == nil {
		return nil
	}
	d := decoder{file: f.Path, dir: filepath.Dir(f.Path)}
	var file policyFile
	d.object(root, reflect.ValueOf(&file).Elem(), "")
	return slices.DeleteFunc(file.Include, func(i Include) bool { return i.File == "" || i.Owner == "" })
}

// listing is what a policy directory looks like.
type listing struct {
	names []string // of the policy files
	links []string // what the directory itself and Kubernetes' link in it point to
}

func (l listing) equal(other listing) bool {
	return slices.Equal(l.names, other.names) && slices.Equal(l.links, other.links)
}

func policyNames(dir string) (listing, error) {
	var l listing
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l, err
	}
	for _, entry := range entries {
		if IsPolicyFile(entry.Name()) && !entry.IsDir() {
			l.names = append(l.names, entry.Name())
		}
	}
	if len(l.names) > maxFiles {
		return l, fmt.Errorf("%s has %d policy files: want %d at most", dir, len(l.names), maxFiles)
	}
	for _, path := range []string{dir, filepath.Join(dir, "..data")} {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			target = "" // no such link
		}
		l.links = append(l.links, target)
	}
	return l, nil
}

func readFiles(dir string, names []string) ([]File, error) {
	var files []File
	total := 0
	for _, name := range names {
		f := ReadFile(filepath.Join(dir, name))
		if errors.Is(f.Err, errDirectory) {
			continue // a link to one
		}
		if total += len(f.Data); total > maxTotalSize {
			return nil, fmt.Errorf("the policy files have more than %d MiB together", maxTotalSize>>20)
		}
		files = append(files, f)
	}
	return files, nil
}

var errDirectory = errors.New("is a directory")

// ReadFile reads one file. What is longer than is allowed is cut just beyond that, which makes it a fault when it is parsed.
func ReadFile(path string) File {
	data, err := readRegular(path, maxFileSize+1)
	f := NewFile(path, data)
	f.Err = err
	return f
}

// readRegular reads up to limit octets of a regular file: a pipe or a device would hold us up, or never end.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("is not a regular file (%s)", info.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, withoutPath(err)
	}
	return data, nil
}

// withoutPath is what went wrong, without the path that the message around it has anyway.
func withoutPath(err error) error {
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		return wrong.Err
	}
	return err
}
