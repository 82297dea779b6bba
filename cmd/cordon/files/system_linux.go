package files

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of an open directory (flock(2)), which ends with the file, however the process ends, and leaves nothing behind.
// taken: somebody else has it.
func tryLock(dir *os.File) (taken bool, err error) {
	switch err = unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return false, nil
	case unix.EWOULDBLOCK, unix.EINTR:
		return true, nil
	default:
		return false, err
	}
}

// lockHolder is the process that has the lock of dir, as far as the system says (proc_locks(5)); "" if it does not.
func lockHolder(dir *os.File) string {
	var stat unix.Stat_t
	if unix.Fstat(int(dir.Fd()), &stat) != nil {
		return ""
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino)
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer locks.Close()
	lines := bufio.NewScanner(locks)
	for lines.Scan() {
		// 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
		const kind, pid, inode, fields = 1, 4, 5, 8
		f := strings.Fields(lines.Text())
		if len(f) == fields && f[kind] == "FLOCK" && f[inode] == file && f[pid] != "0" {
			return f[pid]
		}
	}
	return ""
}

// keepOwner gives f the owner and the group that old has.
func keepOwner(f *os.File, old fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	is, isKnown := info.Sys().(*syscall.Stat_t)
	was, wasKnown := old.Sys().(*syscall.Stat_t)
	if !isKnown || !wasKnown || is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
