package upstream

import (
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// loopback is a socket that keeps what comes, on a port of the loopback interface.
func loopback(t *testing.T) (fd int, at netip.AddrPort) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip("no IPv6 here")
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err = unix.Bind(fd, &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}); err != nil {
		t.Skip("no IPv6 here")
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, netip.AddrPortFrom(netip.IPv6Loopback(), uint16(name.(*unix.SockaddrInet6).Port))
}

// descriptors are those of this process that are sockets or epoll.
func descriptors(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && (strings.HasPrefix(to, "socket:") || strings.Contains(to, "eventpoll")) {
			n++
		}
	}
	return n
}

// However many questions are open, there are no more sockets than ports and one epoll descriptor; when the ports are old and nothing is
// open, there are none, nor a goroutine. Then it begins anew.
func TestSocketsComeAndGo(t *testing.T) {
	_, server := loopback(t)
	g, err := New(Config{Servers: []Server{{Addr: server}}, MaxInFlight: 2000})
	if err != nil {
		t.Fatal(err)
	}
	ss := g.network.(*sockets)
	s := (*g.servers.Load())[0].server
	for range 2 {
		goroutines, before := runtime.NumGoroutine(), descriptors(t)
		results := make(chan Result, 2000)
		for range 2000 {
			g.Ask(example, time.Now().Add(200*time.Millisecond), func(r Result) { results <- r })
		}
		if got := descriptors(t) - before; got > maxPorts+1 {
			t.Errorf("%d descriptors more while 2000 questions are open", got)
		}
		ports := s.pool.ports
		for _, p := range ports {
			if p != nil {
				p.ring(time.Now())
			}
		}
		if got := descriptors(t) - before; got < maxPorts {
			t.Errorf("only %d descriptors more, but questions are open", got)
		}
		for range 2000 {
			if r := <-results; r.Err == nil {
				t.Error("want an error")
			}
		}
		for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
			if time.Now().After(limit) {
				t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
			}
		}
		if got := descriptors(t) - before; got != 0 || ss.epoll != nil {
			t.Errorf("%d descriptors are left", got)
		}
	}
}

// A socket that is closed is not sent to, and not read from: its descriptor may be another's.
func TestSocketClosed(t *testing.T) {
	_, server := loopback(t)
	ss := new(sockets)
	l, err := ss.open(server, new(port))
	if err != nil {
		t.Fatal(err)
	}
	l.close()
	if err := l.send([]byte("late")); err == nil {
		t.Error("a datagram was sent")
	}
	l.(*socket).receive(make([]byte, 10))
	if ss.at(0) != nil {
		t.Error("somebody is at its place")
	}
}

// That nobody listened to an earlier datagram, of which nobody has been told yet, does not keep one from being sent.
func TestSocketThatWasRefused(t *testing.T) {
	fd, err := connect(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	s := &socket{fd: fd}
	if err = s.send([]byte("nobody is there")); err != nil {
		t.Fatal(err)
	}
	ready := []unix.PollFd{{Fd: int32(fd)}}
	if n, err := unix.Poll(ready, 1000); err != nil || n != 1 || ready[0].Revents&unix.POLLERR == 0 {
		t.Skip("somebody listens on port 1, or is silent")
	}
	if err = s.send([]byte("is somebody there now?")); err != nil {
		t.Error(err)
	}
}

func TestZone(t *testing.T) {
	for zone, want := range map[string]uint32{"": 0, "17": 17} {
		if got, err := zoneID(zone); got != want || err != nil {
			t.Errorf("%q: got %d, %v", zone, got, err)
		}
	}
	if _, err := zoneID("no-such-interface"); err == nil {
		t.Error("want an error for an interface that is not there")
	}
	if _, err := connect(netip.MustParseAddrPort("[fe80::1%no-such-interface]:53")); err == nil {
		t.Error("want an error for an address at an interface that is not there")
	}
}
