package syscalls

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read reads one datagram from a non-blocking socket into buf, which is not empty, and cuts off what does not fit. EAGAIN: there is none.
func Read(fd int, buf []byte) (int, syscall.Errno) {
	return move(unix.SYS_READ, fd, buf)
}

// Write sends one datagram through a non-blocking, connected socket. EAGAIN: it has no room.
func Write(fd int, msg []byte) (int, syscall.Errno) {
	return move(unix.SYS_WRITE, fd, msg)
}

// move does without syscall.Syscall for the reason of transfer: a non-blocking socket keeps nobody waiting.
func move(number uintptr, fd int, octets []byte) (int, syscall.Errno) {
	first := unsafe.Pointer(unsafe.SliceData(octets)) //nolint:gosec // G103: see above
	n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(first), uintptr(len(octets)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
