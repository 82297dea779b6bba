package main

import "golang.org/x/sys/unix"

// lowerPriority makes the calling thread the last to get a core (setpriority(2): on Linux a nice value is a thread's).
func lowerPriority() {
	const lowest = 19
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowest) // else it is as important as the others
}
