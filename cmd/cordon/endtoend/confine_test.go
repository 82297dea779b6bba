//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confined, in the environment, has the numbers of the system calls that are allowed. Then this test binary confines itself and becomes
// the program that its arguments are, as systemd does.
const confined = "RUN_CONFINED"

func isConfined(env []string) bool {
	return slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, confined+"=") })
}

// becomeConfined returns only if it fails.
func becomeConfined(numbers string, args []string) error {
	if err := confine(numbers); err != nil {
		return err
	}
	return syscall.Exec(args[0], args, os.Environ())
}

// confine has the system end this process at its first system call that is not among numbers, at memory that can be written and run
// (MemoryDenyWriteExecute=), and at a socket of another family than AF_UNIX, AF_INET and AF_INET6 (RestrictAddressFamilies=). systemd
// only refuses those; here they are not to happen.
func confine(numbers string) error {
	const (
		number, firstArgument, thirdArgument = 0, 16, 32 // where seccomp_data has them (seccomp(2)), the low half on little endian
		allow, kill                          = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_KILL_PROCESS
	)
	var program []unix.SockFilter
	load := func(offset uint32) {
		program = append(program, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
	}
	jump := func(how uint16, value uint32, yes, no uint8) {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, K: value, Jt: yes, Jf: no})
	}
	end := func(how uint32) { program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: how}) }

	load(number)
	jump(unix.BPF_JEQ, unix.SYS_MPROTECT, 0, 4)
	load(thirdArgument)
	jump(unix.BPF_JSET, unix.PROT_EXEC, 0, 1)
	end(kill)
	end(allow)
	jump(unix.BPF_JEQ, unix.SYS_MMAP, 0, 5)
	load(thirdArgument)
	program = append(program, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: unix.PROT_WRITE | unix.PROT_EXEC})
	jump(unix.BPF_JEQ, unix.PROT_WRITE|unix.PROT_EXEC, 0, 1)
	end(kill)
	end(allow)
	jump(unix.BPF_JEQ, unix.SYS_SOCKET, 0, 6)
	load(firstArgument)
	jump(unix.BPF_JEQ, unix.AF_UNIX, 3, 0)
	jump(unix.BPF_JEQ, unix.AF_INET, 2, 0)
	jump(unix.BPF_JEQ, unix.AF_INET6, 1, 0)
	end(kill)
	end(allow)
	for text := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return err
		}
		jump(unix.BPF_JEQ, uint32(n), 0, 1)
		end(allow)
	}
	end(kill)

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
