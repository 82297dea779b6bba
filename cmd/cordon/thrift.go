package main

import (
	"runtime/debug"
	"sync"

	"cordon/resolver/syscalls"
)

// thrift bounds what work on whole lists leaves behind: the policy in force is tens of MB, and so is the next one, and by itself the
// garbage collector lets as much garbage gather beside them as there is of both.
//
//   - While such work is under way it runs when a tenth has gathered: what is live then is mostly names, which hold no pointers and cost
//     it nothing.
//   - At the end, what is free goes back to the system, which happens by itself only after minutes, and what is left goes on large pages.
//
// GOGC=off, and a lower one than ours, stay as they are.
type thrift struct {
	mu      sync.Mutex
	under   int // pieces of work
	percent int // GOGC as it was before
}

const thriftyPercent = 10

// wholeLists is what all work on whole lists goes by: there is one garbage collector.
var wholeLists thrift //nolint:gochecknoglobals // like the garbage collector itself

// begin begins a piece of work.
func (t *thrift) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.under++; t.under > 1 {
		return
	}
	if t.percent = debug.SetGCPercent(thriftyPercent); t.percent < thriftyPercent {
		debug.SetGCPercent(t.percent)
	}
}

// end ends one.
func (t *thrift) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.under--; t.under == 0 {
		debug.SetGCPercent(t.percent)
	}
	debug.FreeOSMemory()
	syscalls.LargePages()
}
