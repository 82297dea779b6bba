package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// file is what the writer needs of the file that it appends to.
type file interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
	Stat() (os.FileInfo, error)
}

const (
	lockFile = "lock"
	dirMode  = 0o750 // nobody but the server and its administrators reads the log
	fileMode = 0o640
)

var errLocked = errors.New("another process writes the log")

func openFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
}

// writer is the goroutine of a Log with its files.
type writer struct {
	config Config

	lock *os.File
	file file // nil: the next entry opens one
	path string
	size int64 // octets of it that are whole entries
	torn bool  // there is more than that
	cut  *Entry

	known   bool // head is what is written
	head    Head
	written uint64
	last    time.Time

	looked time.Time // when it was last looked for files that are too old
	due    time.Time // since when there are some; zero: there are none
}

// write appends entries, each with its place in the chain, and says how many are on the disk: as many of the first as go into one file. If
// that fails, it is as if it had not been tried.
func (w *writer) write(entries []Entry) (int, error) {
	if err := w.prepare(); err != nil {
		return 0, err
	}
	if w.cut != nil {
		if e := &entries[0]; e.Time.Before(w.cut.Time) { // it waited: the clock did not step back
			w.cut.Time = e.Time
		}
		if _, err := w.put([]Entry{*w.cut}); err != nil {
			return 0, err
		}
		w.cut = nil
	}
	return w.put(entries)
}

// prepare makes sure that the directory is there and ours, that the head is known, and that the open file is the one that was opened.
func (w *writer) prepare() error {
	if w.file != nil {
		if err := w.look(); err != nil {
			w.config.Log.Error("audit log: somebody else has changed it: the chain goes on in a new file", "error", err)
			_ = w.file.Close()
			w.file, w.torn = nil, false
		}
	}
	if w.lock == nil {
		if err := w.own(); err != nil {
			return err
		}
	}
	if !w.known {
		return w.resume()
	}
	return nil
}

// own makes the directory and takes its lock.
func (w *writer) own() error {
	if err := os.MkdirAll(w.config.Dir, dirMode); err != nil {
		return err
	}
	held, err := lock(filepath.Join(w.config.Dir, lockFile))
	if errors.Is(err, errLocked) {
		w.known = false // what is the head is its business now
		return fmt.Errorf("%s: %w", w.config.Dir, err)
	}
	if err != nil {
		return err
	}
	w.lock = held
	return nil
}

// look says what is wrong with the open file: it is no longer at its path, or somebody has written to it.
func (w *writer) look() error {
	there, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		w.unlock() // the directory may be another
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // what is wrong with the directory is said when the file is written
	}
	opened, err := w.file.Stat()
	switch {
	case err != nil:
		return err
	case !os.SameFile(there, opened):
		w.unlock()
		return fmt.Errorf("%s is another file", w.path)
	case there.Size() != w.size && !w.torn:
		return fmt.Errorf("%s has %d octets, want the %d that were written", w.path, there.Size(), w.size)
	}
	return nil
}

// put appends entries to the open file, or to the next if that is full, and says how many: those that there is room for, and the first.
func (w *writer) put(entries []Entry) (int, error) {
	b := batch{head: w.head}
	for i := range entries {
		if err := b.encode(&entries[i]); err != nil {
			return 0, err
		}
		if i > 0 && w.size+int64(len(b.text)+len(b.next)) > w.config.MaxFile {
			break
		}
		if i == 0 {
			if err := w.room(int64(len(b.next))); err != nil {
				return 0, err
			}
		}
		b.add()
	}
	if err := w.append(b.text); err != nil {
		return 0, err
	}
	w.size += int64(len(b.text))
	w.head = b.head
	w.written += uint64(len(b.lines))
	w.last = b.last
	for _, line := range b.lines {
		w.tell(line.kind, line.head)
	}
	return len(b.lines), nil
}

// append has text at the end of the open file, and on the disk: what is not sure to be there counts as not written.
func (w *writer) append(text []byte) error {
	if w.torn {
		if err := w.file.Truncate(w.size); err != nil {
			return err
		}
		w.torn = false
	}
	_, err := w.file.Write(text)
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		w.torn = w.file.Truncate(w.size) != nil
	}
	return err
}

// tell logs a head, so that it is known outside of the file too; not for what comes often.
func (w *writer) tell(kind Kind, head Head) {
	if kind != Counted && kind != ExceptionUsed {
		w.config.Log.Info("audit log", "event", kind, "seq", head.Sequence, "head", head.Hash)
	}
}

// room sees to it that a file is open that has room for so many octets.
func (w *writer) room(octets int64) error {
	if w.file != nil && w.size > 0 && w.size+octets > w.config.MaxFile {
		err := w.file.Close()
		w.file = nil
		if err != nil {
			return fmt.Errorf("%s: %w", w.path, err)
		}
	}
	if w.file != nil {
		return nil
	}
	path := filepath.Join(w.config.Dir, fileName(w.head.Sequence+1))
	opened, err := w.config.open(path)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err == nil && info.Size() > 0 {
		err = fmt.Errorf("%s: it is there already, and was not written by this server: move it away", path)
	}
	if err != nil {
		_ = opened.Close()
		return err
	}
	syncDir(w.config.Dir)
	w.file, w.path, w.size, w.torn = opened, path, 0, false
	return nil
}

// resume finds the head of what an earlier process wrote, opens its last file, and cuts off what is not a whole line.
func (w *writer) resume() error {
	all, err := files(w.config.Dir)
	if err != nil {
		return err
	}
	w.head = Head{Hash: noHash}
	for i, f := range slices.Backward(all) {
		last, err := f.end()
		if err != nil {
			return err
		}
		if i == len(all)-1 && last.size+last.tornOctets > 0 {
			if err := w.reopen(f.path, last); err != nil {
				return err
			}
		}
		if last.lines > 0 {
			w.head = last.head
			break
		}
	}
	if w.file != nil && w.size == 0 && w.path != filepath.Join(w.config.Dir, fileName(w.head.Sequence+1)) {
		_ = w.file.Close() // it is empty, and not the next
		w.file = nil
	}
	w.known = true
	return nil
}

// reopen goes on with the file at path, which ends with last.
func (w *writer) reopen(path string, last ending) error {
	opened, err := w.config.open(path)
	if err != nil {
		return err
	}
	if last.tornOctets > 0 {
		if err = errors.Join(opened.Truncate(last.size), opened.Sync()); err != nil {
			_ = opened.Close()
			return err
		}
		w.config.Log.Error("audit log: its last line was not finished, by a crash of the server or of the machine: it was cut off",
			"file", path, "octets", last.tornOctets)
		w.cut = &Entry{
			Kind: Torn, Time: time.Now().UTC().Truncate(time.Millisecond), What: filepath.Base(path),
			Reason: fmt.Sprintf("%d octets without an end", last.tornOctets),
		}
	}
	if last.bad {
		w.config.Log.Error("audit log: its last line is no entry; `cordon audit verify` says what is wrong", "file", path)
	}
	w.file, w.path, w.size, w.torn = opened, path, last.size, false
	return nil
}

// unlock gives the lock back, which may be that of a directory that is gone.
func (w *writer) unlock() {
	if w.lock != nil {
		_ = w.lock.Close()
		w.lock = nil
	}
}

// close closes what is open.
func (w *writer) close() {
	if w.file != nil {
		_ = w.file.Close() // what counts as written is on the disk
		w.file = nil
	}
	w.unlock()
}
