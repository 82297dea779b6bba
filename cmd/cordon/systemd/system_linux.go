package systemd

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the time since the host was started, by which the manager tells a new reload from an old one (clock_gettime(2)).
func monotonic() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// isSocket says whether a descriptor is a socket. What is none belongs to somebody else in this process, such as the runtime.
func isSocket(descriptor int) bool {
	var stat unix.Stat_t
	return unix.Fstat(descriptor, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFSOCK
}
