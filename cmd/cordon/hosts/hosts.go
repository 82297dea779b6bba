// Package hosts reads hosts files, and keeps the last good version of each for as long as what is written can't be used.
//
//	Read ─▶ Reading: of each file what is written, or its last good version and why ─▶ Accept: these are the good ones now
//
// A file can't be used if it can't be read, is no hosts file (see [names.ParseHosts]), or has no name left where it had some: a file that
// was emptied by mistake takes no names away. Who means that takes the file out of the configuration. A line that can't be used is skipped.
//
// Not its job: which files there are, and what comes of their names.
package hosts

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"cordon/config"
	"cordon/resolver/names"
)

// Files are hosts files with their last good versions. It is used by one goroutine at a time.
type Files struct {
	// Earlier is the text of a file that an earlier process had in force, nil for none. It may be nil.
	Earlier func(path string) []byte

	good map[string][]byte
}

// Reading is one reading of all files.
type Reading struct {
	Hosts []*names.Hosts   // in the order of the files
	Held  map[string]error // why the last good version of a file is in Hosts, by path
	Print [sha256.Size]byte

	texts map[string][]byte
}

// FileError is a file that can't be used and of which there is no good version.
type FileError struct {
	Index int // among those that were asked for
	Path  string
	Err   error
}

func (e *FileError) Error() string { return fmt.Sprintf("hosts file %s: %v", e.Path, e.Err) }

// Unwrap is what is wrong with the file.
func (e *FileError) Unwrap() error { return e.Err }

// Read reads the files at paths. All errors are *[FileError], joined. Nothing changes.
func (f *Files) Read(paths []string) (*Reading, error) {
	r := &Reading{Held: map[string]error{}, texts: map[string][]byte{}}
	sum := sha256.New()
	var wrong error
	for i, path := range paths {
		text, parsed, err := f.read(path)
		if err != nil {
			text, parsed = f.lastGood(path)
			r.Held[path] = err
		}
		if parsed == nil {
			wrong = errors.Join(wrong, &FileError{Index: i, Path: path, Err: err})
			continue
		}
		r.Hosts = append(r.Hosts, parsed)
		r.texts[path] = text
		part := sha256.Sum256(text)
		fmt.Fprintf(sum, "%q %x\n", path, part)
	}
	if wrong != nil {
		return nil, wrong
	}
	r.Print = [sha256.Size]byte(sum.Sum(nil))
	return r, nil
}

func (f *Files) read(path string) ([]byte, *names.Hosts, error) {
	text, err := config.ReadRegular(path, names.MaxHostsSize)
	if err != nil {
		return nil, nil, fmt.Errorf("it can't be read: %w", err)
	}
	parsed, err := names.ParseHosts(path, text)
	if err != nil {
		return nil, nil, err
	}
	if parsed.Names() == 0 {
		if _, before := f.lastGood(path); before != nil && before.Names() > 0 {
			return nil, nil, fmt.Errorf("it has no name any more, and had %d: take it out of local.hosts if that is meant", before.Names())
		}
	}
	return text, parsed, nil
}

// lastGood is the good version of a file, nil if there is none.
func (f *Files) lastGood(path string) ([]byte, *names.Hosts) {
	text, known := f.good[path]
	if !known && f.Earlier != nil {
		text = f.Earlier(path)
		known = text != nil
	}
	if !known {
		return nil, nil
	}
	parsed, err := names.ParseHosts(path, text)
	if err != nil { // another release may have taken it
		return nil, nil
	}
	return text, parsed
}

// Accept makes what was read the good versions, and those of other files nobody's.
func (f *Files) Accept(r *Reading) { f.good = r.texts }

// Good are the good versions by path. They must not change.
func (f *Files) Good() map[string][]byte { return f.good }
