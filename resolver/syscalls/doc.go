// Package syscalls is the few system calls of the hot path that go around package net, and all that Cordon uses package unsafe
// for, beside sizes: recvmmsg(2) and sendmmsg(2), which move many datagrams at once, and read(2) and write(2) of one.
//
// Why: a plain ReadFromUDPAddrPort and WriteToUDPAddrPort cost some 0.4 us of CPU time a query more. x/sys has no such calls, and
// those of x/net/ipv4 allocate for every datagram and cost more than they save. Those of x/sys for one datagram tell Go's scheduler that
// the thread may be away for long, which costs more than a tenth of a microsecond each way and wakes sysmon.
//
// And large pages for what is in memory (madvise(2)), for which x/sys has no call by address.
//
// What makes it safe: every pointer that the system follows is a Go pointer in a typed field of memory from the heap, so the
// garbage collector sees it and nothing moves; the one conversion to a uintptr stands in the argument list of a function of
// package syscall (unsafe.Pointer, rule 4).
//
// It is for Linux, and what moves many datagrams is for amd64 and arm64, where the layout of the system's structures has been
// checked; elsewhere the package is empty, and those who use it have a plain path beside it.
package syscalls
