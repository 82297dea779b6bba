package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// certainty is how long a file must be too old before it is removed, by a clock that nobody sets: a moment in which the wall clock is
// wrong removes nothing.
const certainty = time.Hour

// retain removes the files whose last entry is older than what is kept, but never the one that is written to. Each has an entry
// before it goes, which says where the chain begins then.
func (w *writer) retain(now time.Time) error {
	if w.file == nil || !w.looked.IsZero() && now.Sub(w.looked) < certainty {
		return nil
	}
	w.looked = now
	all, err := files(w.config.Dir)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.path == w.path {
			return nil
		}
		end, err := f.end()
		if err != nil {
			return err
		}
		if !w.mayGo(end, now) {
			return nil
		}
		if err := w.remove(f, end); err != nil {
			return err
		}
	}
	return nil
}

// mayGo says whether a file with that end is too old, and has been for long enough.
func (w *writer) mayGo(end ending, now time.Time) bool {
	if now.Round(0).Sub(end.time) <= w.config.Keep { // by the wall clock
		w.due = time.Time{}
		return false
	}
	if w.due.IsZero() {
		w.due = now
	}
	return now.Sub(w.due) >= certainty
}

// remove removes f, which ends with end.
func (w *writer) remove(f logFile, end ending) error {
	if end.lines > 0 {
		_, err := w.write([]Entry{{
			Kind: Removed, Time: time.Now().UTC().Truncate(time.Millisecond), What: filepath.Base(f.path), Until: end.time,
			First: end.head.Sequence + 1, Hash: end.head.Hash,
		}})
		if err != nil {
			return err
		}
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	syncDir(w.config.Dir)
	w.config.Log.Info("audit log: a file is older than it is kept for, and was removed", "file", f.path, "last_entry", end.time)
	return nil
}

// syncDir has the directory's names on the disk, where that can be asked for.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
