package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

	// Owner is the agency that owns a policy file, as an [Include] says; "" for a main file. Order is that of the includes,
	// from 1; 0 for a main file: of two files that don't fit together, the one with the higher Order is at fault.
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

// ReadPolicyDir reads the policy files in dir, which are the main files, and those that they include, see [Included]. Symbolic links are
// followed, of owned files only those that stay in dir. A directory that changes while it is read (a Kubernetes volume swaps its link
// ..data) is read again. A file that can't be read is in files, with its Err, and so is an owned one for which there is no room; err is
// about the directory as a whole.
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
	return files, nil // if it changes all the time, the watcher says so again
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

// readFiles reads the files of those names, and what they include.
func readFiles(dir string, names []string) ([]File, error) {
	var files []File
	var sum bounds
	for _, name := range names {
		f := ReadFile(filepath.Join(dir, name))
		if errors.Is(f.Err, errDirectory) {
			continue // a link to one
		}
		if sum.add(&f); sum.err() != nil {
			return nil, sum.err()
		}
		files = append(files, f)
	}
	return Included(files, func(path string) File {
		if sum.err() == nil {
			f := ReadOwned(dir, path)
			if sum.add(&f); sum.err() == nil {
				return f
			}
		}
		return File{Path: path, Err: sum.err()}
	}), nil
}

// bounds holds what is read against the bounds of a policy directory.
type bounds struct{ files, size int }

func (b *bounds) add(f *File) {
	b.files++
	b.size += len(f.Data)
}

func (b *bounds) err() error {
	switch {
	case b.files > maxFiles:
		return fmt.Errorf("there are more than %d policy files, with those that they include", maxFiles)
	case b.size > maxTotalSize:
		return fmt.Errorf("the policy files have more than %d MiB together", maxTotalSize>>20)
	}
	return nil
}

var errDirectory = errors.New("is a directory")

// ReadFile reads one file. What is longer than is allowed is cut just beyond that, which makes it a fault when it is parsed.
func ReadFile(path string) File {
	data, err := readRegular(path, maxFileSize+1)
	f := NewFile(path, data)
	f.Err = err
	return f
}

// ReadOwned reads the owned file at path, as [ReadFile] does, unless it lies outside of the policy directory dir: an owner may well be
// able to make a symbolic link, and has no right to what the server can read. An absolute link is one that leads out.
func ReadOwned(dir, path string) File {
	data, err := readInside(dir, path)
	f := NewFile(path, data)
	f.Err = err
	return f
}

func readInside(dir, path string) ([]byte, error) {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer root.Close()
	if _, err := root.Stat(rel); err != nil && exists(path) {
		return nil, errors.New("a symbolic link on its way leads out of the policy directory, or is absolute")
	}
	return readRegularOf(root.Stat, root.OpenFile, rel, maxFileSize+1)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// ReadRegular reads a file of most octets at most, which may be a symbolic link to one. A named pipe or a device is an error: it would hold
// us up, or never end. Errors are without the path.
func ReadRegular(path string, most int64) ([]byte, error) {
	tooLarge := fmt.Errorf("it is larger than %d MiB", most>>20)
	if info, err := os.Stat(path); err == nil && info.Size() > most {
		return nil, tooLarge
	}
	data, err := readRegular(path, most+1)
	if err == nil && int64(len(data)) > most {
		return nil, tooLarge // it has grown since
	}
	return data, err
}

// readRegular reads up to limit octets of a regular file: a pipe or a device would hold us up, or never end.
func readRegular(path string, limit int64) ([]byte, error) {
	return readRegularOf(os.Stat, os.OpenFile, path, limit)
}

func readRegularOf(look func(string) (fs.FileInfo, error), open openFunc, path string, limit int64) ([]byte, error) {
	info, err := look(path)
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("is not a regular file (%s)", info.Mode())
	}
	f, err := openRegular(open, path)
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

// openFunc is [os.OpenFile], or that of a root.
type openFunc func(path string, flag int, perm os.FileMode) (*os.File, error)

// openRegular opens a file that was a regular one. Somebody may have made it a pipe since, which must not hold us up.
func openRegular(open openFunc, path string) (*os.File, error) {
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("is no longer a regular file"), err, f.Close())
	}
	return f, nil
}

// withoutPath is what went wrong, without the path that the message around it has anyway.
func withoutPath(err error) error {
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		return wrong.Err
	}
	return err
}
