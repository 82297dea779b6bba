//go:build !linux

package config

import "io/fs"

// statOf is the stat of a file. Without a time of change the contents are read at every look.
func statOf(info fs.FileInfo) stat {
	return stat{size: info.Size(), modified: info.ModTime()}
}
