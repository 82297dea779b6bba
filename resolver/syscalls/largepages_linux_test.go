//go:build amd64 || arm64

package syscalls

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAnonymous(t *testing.T) {
	tests := []struct {
		line     string
		from, to uintptr
	}{
		{line: "c000000000-c004000000 rw-p 00000000 00:00 0 ", from: 0xc000000000, to: 0xc004000000},
		{line: "00400000-016c1000 r-xp 00000000 fe:00 10014536                           /usr/bin/cordon"},
		{line: "016c1000-0177a000 rw-p 012c1000 fe:00 10014536                           /usr/bin/cordon"},
		{line: "22dca000-22deb000 rw-p 00000000 00:00 0                                  [heap]"},
		{line: "c004000000-c008000000 ---p 00000000 00:00 0 "},
		{line: "zz-c008000000 rw-p 00000000 00:00 0"},
		{line: ""},
	}
	for _, test := range tests {
		if from, to := anonymous(test.line); from != test.from || to != test.to {
			t.Errorf("%q is %x to %x, want %x to %x", test.line, from, to, test.from, test.to)
		}
	}
}

// Memory in use is on large pages afterwards, with what is in it; memory that is mostly not in use takes no more than before.
func TestLargePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this system has no large pages")
	}
	used, unused := anonymousMemory(t, 8*largePage), anonymousMemory(t, 8*largePage)
	for i := range used {
		used[i] = byte(i >> 3)
	}
	for i := 0; i < len(unused); i += largePage / 2 {
		unused[i] = 1
	}
	before := resident(t)
	if n := LargePages(); n < 6 { // one at each end may not fit
		t.Skipf("%d large pages: a kernel before 6.1, or no memory in one piece", n)
	}
	if after := resident(t); after > before+6*largePage {
		t.Errorf("%d MiB in memory, %d before", after>>20, before>>20)
	}
	for i := range used {
		if used[i] != byte(i>>3) {
			t.Fatalf("octet %d is %d, want %d", i, used[i], byte(i>>3))
		}
	}
	runtime.KeepAlive(unused)
}

func anonymousMemory(t *testing.T, size int) []byte {
	t.Helper()
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	return memory
}

// resident is how many octets of the process are in memory.
func resident(t *testing.T) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, c := range strings.Fields(string(statm))[1] {
		pages = pages*10 + int(c-'0')
	}
	return pages * os.Getpagesize()
}
