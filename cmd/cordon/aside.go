package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// aside runs work, which keeps a processor busy for long, so that the listeners hardly notice, and returns when it is done:
//
//   - Go gives a processor to whoever has one for up to 10 ms, and the garbage collector wants one too: there are more of them meanwhile,
//     so that a listener that wakes up finds one free.
//   - The system then has more threads than cores, and prefers those that work is not on: its thread has a lower priority, where the
//     system can do that. It is not the lowest, with which work could take for ever on a busy host.
//   - What it leaves behind is bounded, see [thrift].
//
// A panic in work is one in the caller, with the stack that it came from.
func aside(work func()) {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + extraProcessors)
	defer restoreProcessors()
	ended := make(chan string, 1)
	go func() {
		defer func() { ended <- describePanic(recover()) }()
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and its priority with it
		lowerPriority()
		wholeLists.begin()
		defer wholeLists.end()
		work()
	}()
	if p := <-ended; p != "" {
		panic(p)
	}
}

// giveBack gives to the system what nobody needs any more, as each piece of work does at its end.
func giveBack() { aside(func() {}) }

// describePanic is p with the stack of its goroutine, "" for no panic.
func describePanic(p any) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%v\n%s", p, debug.Stack())
}

// extraProcessors are for work and for the garbage collector.
const extraProcessors = 2

// restoreProcessors goes back to so many processors as the system gives us now, unless somebody said how many. It takes the extra ones
// from other work that is under way, which is better than to keep them.
func restoreProcessors() {
	if n, err := strconv.Atoi(os.Getenv("GOMAXPROCS")); err == nil && n > 0 {
		runtime.GOMAXPROCS(n)
		return
	}
	runtime.SetDefaultGOMAXPROCS()
}
