package config

import (
	"io/fs"
	"syscall"
	"time"
)

// statOf is the stat of a file. On Linux every write, rename or change of mode moves its time of change, which nobody can
// set.
func statOf(info fs.FileInfo) stat {
	s := stat{size: info.Size(), modified: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.changed = time.Unix(sys.Ctim.Unix())
		s.device, s.inode = sys.Dev, sys.Ino
	}
	return s
}
