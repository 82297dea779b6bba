package files

import (
	"io/fs"
	"os"
	"runtime"
)

// everybody is what a file of mode lets users do that are neither its owner nor in its group.
const everybody fs.FileMode = 0o007

// IsExposed says whether the file at path is for every user of this host. Where permissions are others, none is, nor is one that can't be
// looked at.
func IsExposed(path string) bool {
	if path == "" || runtime.GOOS == "windows" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode()&everybody != 0
}

// Exposed says of a secret that it is for every user, and what to do.
func Exposed(path string) string {
	return path + " can be read by every user of this host: take that from them, such as by chmod o-rwx"
}
