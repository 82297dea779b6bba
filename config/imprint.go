package config

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"time"
)

// maxHashed is the largest file, in octets, whose contents are always compared. A larger one is compared by its stat, and by
// its contents only just after it was written.
const maxHashed = 4 << 20

// maxFreshHashed is the largest file, in octets, whose contents are compared at all.
const maxFreshHashed = 256 << 20

// freshFor is how long after a file's last change its stat can't be trusted: the clock of a file system has steps, and a
// second change within one step leaves no trace in it.
const freshFor = 2 * time.Second

// imprint is what identifies the contents of a file at one moment.
type imprint struct {
	stat   stat
	hash   [sha256.Size]byte
	hashed bool
	lack   string // why there are no contents, "" if there are
}

// stat is what tells of a change without reading. Where the system has no inode and no time of change they are zero.
type stat struct {
	size              int64
	modified, changed time.Time
	device, inode     uint64
}

// imprints are those of all files that are watched, by path.
type imprints map[string]imprint

// look takes the imprints of the files in paths, and of the policy files in those that are directories. What is known
// from before is not read again if its stat says that it is the same.
func look(paths []Watched, before imprints) imprints {
	now := make(imprints)
	for _, w := range paths {
		if w.Within != "" || !isDir(w.Path) {
			now[w.Path] = w.take(before)
			continue
		}
		l, err := policyNames(w.Path)
		if err != nil {
			now[w.Path] = imprint{lack: err.Error()}
		}
		for _, name := range l.names {
			file := Watched{Path: filepath.Join(w.Path, name)}
			now[file.Path] = file.take(before)
		}
	}
	return now
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// take makes the imprint of one file.
func (w Watched) take(before imprints) imprint {
	if w.Within == "" {
		return take(w.Path, os.Stat, func() (*os.File, error) { return openRegular(os.OpenFile, w.Path) }, before)
	}
	root, err := os.OpenRoot(w.Within)
	if err != nil {
		return imprint{lack: withoutPath(err).Error()}
	}
	defer root.Close()
	name, err := filepath.Rel(w.Within, w.Path)
	if err != nil {
		return imprint{lack: err.Error()}
	}
	look := func(string) (os.FileInfo, error) { return root.Stat(name) }
	return take(w.Path, look, func() (*os.File, error) { return openRegular(root.OpenFile, name) }, before)
}

func take(path string, look func(string) (os.FileInfo, error), open func() (*os.File, error), before imprints) imprint {
	info, err := look(path)
	if err != nil {
		return imprint{lack: withoutPath(err).Error()}
	}
	if !info.Mode().IsRegular() {
		return imprint{lack: info.Mode().Type().String()}
	}
	p := imprint{stat: statOf(info)}
	old, known := before[path]
	fresh := p.stat.fresh(time.Now())
	switch {
	case known && old.lack == "" && old.stat.equal(p.stat) && !fresh:
		return old
	case info.Size() > maxHashed && !fresh, info.Size() > maxFreshHashed:
		return p
	}
	if p.hash, err = hashFile(open, maxFreshHashed); err != nil {
		return imprint{lack: withoutPath(err).Error()}
	}
	p.hashed = true
	return p
}

// hashFile is the SHA-256 of the first limit octets of a file.
func hashFile(open func() (*os.File, error), limit int64) (hash [sha256.Size]byte, err error) {
	f, err := open()
	if err != nil {
		return hash, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err = io.Copy(sum, io.LimitReader(f, limit)); err != nil {
		return hash, err
	}
	return [sha256.Size]byte(sum.Sum(nil)), nil
}

// fresh says whether the file may change, or have changed, without a trace in its stat.
func (s stat) fresh(now time.Time) bool {
	return s.changed.IsZero() || now.Sub(s.changed) < freshFor
}

func (s stat) equal(other stat) bool {
	return s.size == other.size && s.modified.Equal(other.modified) && s.changed.Equal(other.changed) &&
		s.device == other.device && s.inode == other.inode
}

// same says whether the files, and what is in them, are the same.
func (ps imprints) same(others imprints) bool {
	if len(ps) != len(others) {
		return false
	}
	for path, p := range ps {
		other, ok := others[path]
		if !ok || !p.same(other) {
			return false
		}
	}
	return true
}

func (p imprint) same(other imprint) bool {
	switch {
	case p.lack != "" || other.lack != "":
		return p.lack == other.lack
	case p.hashed && other.hashed:
		return bytes.Equal(p.hash[:], other.hash[:])
	}
	return p.stat.equal(other.stat)
}
