//go:build amd64 || arm64

package syscalls

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	largePage = 2 << 20
	smallPage = 4 << 10
	// mostlyThere is how many of the small pages of a large one must be in memory: what is not there yet takes memory from then on.
	mostlyThere = largePage / smallPage * 15 / 16
)

// LargePages asks the system to put what the process has in memory on pages of 2 MiB (madvise(2), MADV_COLLAPSE, Linux 6.1), as far as
// nearly all of such a page is in use. A look-up in a large table goes to places all over it, and with small pages the processor has to
// find out again and again where they are: that is a tenth of what a query costs. It returns how many large pages there are now; a
// system that does not do this, or has them already, changes nothing. The process may go on meanwhile: a page that is being moved is
// waited for, for some hundreds of microseconds at most.
func LargePages() (n int) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0
	}
	defer func() { _ = maps.Close() }()
	pages, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return 0
	}
	defer func() { _ = pages.Close() }()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		from, to := anonymous(lines.Text())
		for at := (from + largePage - 1) &^ (largePage - 1); at+largePage <= to; at += largePage {
			if isThere(pages, at) && collapse(at) {
				n++
			}
		}
	}
	return n
}

// anonymous is the range of addresses of a line of /proc/self/maps (proc(5)), empty unless it is memory that can be written and belongs
// to no file: "c000000000-c004000000 rw-p 00000000 00:00 0".
func anonymous(line string) (from, to uintptr) {
	fields := strings.Fields(line)
	if len(fields) != 5 || fields[1] != "rw-p" || fields[4] != "0" {
		return 0, 0
	}
	first, last, _ := strings.Cut(fields[0], "-")
	a, errA := strconv.ParseUint(first, 16, 64)
	b, errB := strconv.ParseUint(last, 16, 64)
	if errA != nil || errB != nil {
		return 0, 0
	}
	return uintptr(a), uintptr(b)
}

// isThere says whether nearly all of the large page at an address is in memory. pages is /proc/self/pagemap (proc(5)): 64 bits for each
// small page, in the host's order, the highest of which says that it is there.
func isThere(pages io.ReaderAt, at uintptr) bool {
	var words [largePage / smallPage * 8]byte
	if _, err := pages.ReadAt(words[:], int64(at/smallPage*8)); err != nil {
		return false
	}
	there := 0
	for i := 7; i < len(words); i += 8 { // amd64 and arm64 are little-endian
		there += int(words[i] >> 7)
	}
	return there >= mostlyThere
}

func collapse(at uintptr) bool {
	_, _, errno := syscall.Syscall(unix.SYS_MADVISE, at, largePage, unix.MADV_COLLAPSE)
	return errno == 0
}
