package main

import "golang.org/x/sys/unix"

// lowerPriority makes the calling thread wait for others (setpriority(2): on Linux a nice value is a thread's).
func lowerPriority() {
	const lower = 5
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lower) // else it is as important as the others
}
