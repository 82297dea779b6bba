package syscalls

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadAndWrite(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []string{"a datagram", "", "another, longer than its room"} {
		if n, errno := Write(pair[0], []byte(msg)); n != len(msg) || errno != 0 {
			t.Errorf("sent %d octets of %q: error %v", n, msg, errno)
		}
	}
	buf := make([]byte, 10)
	for _, want := range []string{"a datagram", "", "another, l"} {
		if n, errno := Read(pair[1], buf); !bytes.Equal(buf[:n], []byte(want)) || errno != 0 {
			t.Errorf("got %q, error %v, want %q", buf[:n], errno, want)
		}
	}
	if n, errno := Read(pair[1], buf); n != 0 || !errors.Is(errno, unix.EAGAIN) {
		t.Errorf("%d octets and error %v where nothing is, want EAGAIN", n, errno)
	}
	sent := 0
	for ; sent < 1<<20; sent++ {
		if _, errno := Write(pair[0], []byte("x")); errno != 0 {
			if !errors.Is(errno, unix.EAGAIN) {
				t.Errorf("error %v of a full socket, want EAGAIN", errno)
			}
			break
		}
	}
	if sent == 0 || sent == 1<<20 {
		t.Errorf("%d datagrams fit", sent)
	}
	for _, fd := range pair {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	}
	if _, errno := Write(-1, buf); !errors.Is(errno, unix.EBADF) {
		t.Errorf("error %v for no socket, want EBADF", errno)
	}
}
