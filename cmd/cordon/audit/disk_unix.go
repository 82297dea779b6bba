//go:build linux || darwin

package audit

import "golang.org/x/sys/unix"

// space is what the file system of dir has room for, and what of that is free for who is not root, in octets. It says false if that is
// not known, as while there is no dir.
func space(dir string) (free, size float64, known bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, 0, false
	}
	return float64(s.Bavail) * float64(s.Bsize), float64(s.Blocks) * float64(s.Bsize), true
}
