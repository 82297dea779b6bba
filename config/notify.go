package config

import (
	"log/slog"
	"maps"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// notifier is told by the file system that something happened in a directory. What it was is not believed: it is only a
// reason to look. The zero notifier is told nothing.
type notifier struct {
	fs      *fsnotify.Watcher
	log     *slog.Logger
	watched map[string]bool
}

// events has a value for everything that happens. An error (too many events at once, say) is harmless, since polling makes
// up for what was lost, but it must be taken: fsnotify waits for that.
func (n *notifier) events() <-chan fsnotify.Event {
	if n.fs == nil {
		return nil
	}
	select {
	case err := <-n.fs.Errors:
		n.log.Debug("missed file changes, polling finds them", "error", err)
	default:
	}
	return n.fs.Events
}

// watch makes the directories around paths the ones that are watched. A file is watched by its directory, else a file
// that is renamed over it would end the watch. It is called again and again: a directory that was not there may be now,
// and one that was replaced must be watched anew.
func (n *notifier) watch(paths []Watched) {
	if n.fs == nil {
		return
	}
	wanted := make(map[string]bool)
	for _, w := range paths {
		for _, dir := range around(w) {
			wanted[dir] = true
		}
	}
	for dir := range n.watched {
		if !wanted[dir] {
			_ = n.fs.Remove(dir) // it may be gone already
		}
	}
	for dir := range wanted {
		if n.fs.Add(dir) != nil { // not there, or no watch left: polling sees it
			delete(wanted, dir)
		}
	}
	n.watched = maps.Clone(wanted)
}

// around are the directories in which something happens when what can be read at path changes: the path itself, if it is a
// directory, and the one that it is in, both as written and without symbolic links. The links of somebody who is not trusted are left to
// polling: they may lead where something happens all the time.
func around(w Watched) []string {
	path := w.Path
	dirs := []string{filepath.Dir(path)}
	if w.Within != "" {
		return dirs
	}
	if isDir(path) {
		dirs = append(dirs, path)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != filepath.Clean(path) {
		dirs = append(dirs, filepath.Dir(target))
	}
	return dirs
}

func (n *notifier) close() {
	if n.fs != nil {
		_ = n.fs.Close() // nothing was written
	}
}
