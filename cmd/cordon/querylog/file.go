package querylog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// FileConfig is a log in a file, one JSON object a line.
type FileConfig struct {
	Path    string        // "": none
	MaxSize int64         // octets, after which the next file is begun
	Keep    time.Duration // how long after its end a file is kept
	Total   int64         // octets of all of them, above which the oldest is removed; 0: there is one file, which ends at MaxSize
}

// disk is an open file.
type disk interface {
	io.WriteCloser
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
}

// file is a sink: the file at Path is written to. When it is of an earlier day, in UTC, or full, it is renamed to Path with the time of
// that behind it, and another begun. One that was renamed longer ago than Keep is removed: no event is there for longer than Keep and a
// day.
type file struct {
	FileConfig
	openFile func(path string) (disk, error)

	open disk // nil: none
	size int64
	torn bool // there may be a part of a line at its end
	day  string
}

// renamed is the form of the time in the name of a file that is no longer written to.
const renamed = "20060102T150405.000Z"

const fileMode, dirMode = 0o640, 0o750

func newFile(c FileConfig) *file { return &file{FileConfig: c, openFile: openFile} }

func openFile(path string) (disk, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, errors.New(path + " is not a regular file")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := endLine(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// endLine ends the last line of f, which a crash may have cut, so that the next is one by itself.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

func (f *file) encode(dst []byte, r *record) []byte {
	return append(append(dst, r.line...), '\n')
}

func (f *file) write(_ context.Context, b *batch) (int, error) {
	if err := f.ready(time.Now(), int64(len(b.octets))); err != nil {
		return 0, err
	}
	return f.append(b)
}

// append has b at the end of the open file, or as many whole lines of it as there is room for, and says how many.
func (f *file) append(b *batch) (int, error) {
	n, err := f.open.Write(b.octets)
	records := b.whole(n)
	whole := 0
	if records > 0 {
		whole = b.ends[records-1]
	}
	f.size += int64(whole)
	if whole < n {
		f.torn = f.open.Truncate(f.size) != nil
	}
	return records, err
}

// ready sees to it that the file at Path is open, is of today, and has room for so many octets, unless it is empty.
func (f *file) ready(now time.Time, octets int64) error {
	f.look()
	if f.open != nil && f.torn {
		if err := f.open.Truncate(f.size); err != nil {
			return err
		}
		f.torn = false
	}
	if f.open == nil {
		if err := f.reopen(); err != nil {
			return err
		}
	}
	switch full := f.size+octets > f.MaxSize; {
	case f.Total == 0 && full:
		return fmt.Errorf("%s is full: no more than %d octets are logged", f.Path, f.MaxSize)
	case f.Total > 0 && f.size > 0 && (full || f.day != dayOf(now)):
		return f.rotate(now)
	}
	f.day = dayOf(now)
	return nil
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// look closes the open file if another one, or none, is at Path by now.
func (f *file) look() {
	if f.open == nil {
		return
	}
	there, err := os.Stat(f.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // what is wrong is said when it is written
	}
	opened, statErr := f.open.Stat()
	if err != nil || statErr != nil || !os.SameFile(there, opened) {
		f.close()
	}
}

// reopen opens the file at Path, and makes it and its directory if need be.
func (f *file) reopen() error {
	if err := os.MkdirAll(filepath.Dir(f.Path), dirMode); err != nil {
		return err
	}
	opened, err := f.openFile(f.Path)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err != nil {
		_ = opened.Close()
		return err
	}
	f.open, f.size, f.torn, f.day = opened, info.Size(), false, dayOf(info.ModTime())
	return nil
}

// rotate renames the file and begins the next.
func (f *file) rotate(now time.Time) error {
	f.close()
	if err := f.rename(now); err != nil {
		return err
	}
	return errors.Join(f.reopenFor(now), f.expire(now))
}

func (f *file) reopenFor(now time.Time) error {
	err := f.reopen()
	f.day = dayOf(now)
	return err
}

// rename gives the file a name that no other has.
func (f *file) rename(now time.Time) error {
	for at := now.UTC().Truncate(time.Millisecond); ; at = at.Add(time.Millisecond) {
		to := f.Path + "." + at.Format(renamed)
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return os.Rename(f.Path, to)
		} else if err != nil {
			return err
		}
	}
}

// tend renames a file of an earlier day, and removes those that are too old.
func (f *file) tend(now time.Time) error {
	if f.Total == 0 {
		return nil // [Keeper] does that
	}
	if info, err := os.Stat(f.Path); err == nil && info.Mode().IsRegular() && info.Size() > 0 && dayOf(info.ModTime()) < dayOf(now) {
		f.close()
		if err := f.rename(now); err != nil {
			return err
		}
	}
	return f.expire(now)
}

// expire removes the files that were renamed longer ago than Keep, and the oldest of those for which there is no room.
func (f *file) expire(now time.Time) error {
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var failed []error
	if err != nil {
		failed = append(failed, err)
	}
	total := f.MaxSize                           // of the file at Path, soon
	for _, e := range slices.Backward(entries) { // their names are in the order of time
		ending, ours := strings.CutPrefix(e.Name(), filepath.Base(f.Path)+".")
		at, err := time.Parse(renamed, ending)
		info, infoErr := e.Info()
		if !ours || err != nil || infoErr != nil || !info.Mode().IsRegular() {
			continue
		}
		if total += info.Size(); now.Sub(at) <= f.Keep && total <= f.Total {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(f.Path), e.Name())); err != nil {
			failed = append(failed, fmt.Errorf("a file that is too old is still there: %w", err))
		}
	}
	return errors.Join(failed...)
}

func (f *file) close() {
	if f.open != nil {
		_ = f.open.Close() // what was written is with the system
		f.open = nil
	}
}
