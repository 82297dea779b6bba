//go:build unix

package resolver_test

import (
	"syscall"
	"time"
)

// cpuTime is what this process has had of the CPU so far: what others take of it meanwhile does not count.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
