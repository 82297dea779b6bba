package listen_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cordon/resolver/listen"
)

// A connected client takes an answer only from the address that it asked.
func TestWildcardAnswersFromTheAddressAsked(t *testing.T) { bothWays(t, testWildcard) }

func testWildcard(t *testing.T, batch int) {
	tests := []struct {
		name, listen, from string
		asked              netip.Addr
	}{
		{name: "IPv4", listen: "0.0.0.0:0", from: "127.0.0.1:0", asked: netip.MustParseAddr("127.0.0.2")},
		{name: "IPv6", listen: "[::]:0", from: "[::1]:0", asked: otherIPv6()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !test.asked.IsValid() {
				t.Skip("this host has no second IPv6 address")
			}
			h := newHandler()
			s, _ := serve(t, listen.Config{Addresses: addrs(test.listen), Workers: 1, Batch: batch, Handler: h})
			dialer := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.MustParseAddrPort(test.from))}
			conn, err := dialer.Dial("udp", netip.AddrPortFrom(test.asked, s.Addrs()[0].Port()).String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			wantAnswers(t, h, conn)
		})
	}
}

// wantAnswers asks at both doors.
func wantAnswers(t *testing.T, h *handler, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(deadline())
	send(t, conn, query(1, "www.example"))
	if id, _ := receive(t, conn); id != 1 {
		t.Errorf("first door: answer %d, want 1", id)
	}
	send(t, conn, query(2, "slow.example"))
	(<-h.started).answer()
	if id, _ := receive(t, conn); id != 2 {
		t.Errorf("second door: answer %d, want 2", id)
	}
}

// otherIPv6 is an address of this host that is not ::1, or none.
func otherIPv6() netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Is6() && prefix.Addr().IsGlobalUnicast() {
			return prefix.Addr()
		}
	}
	return netip.Addr{}
}

func TestQueriesAreSpreadOverWorkers(t *testing.T) {
	h := newHandler()
	s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 4, Handler: h})
	seen := map[int]bool{}
	for i := 0; len(seen) < 4; i++ {
		if i == 500 {
			t.Fatalf("500 clients reached workers %v only, want 4", seen)
		}
		conn := dial(t, "udp", s.Addrs()[0])
		send(t, conn, query(1, "slow.example"))
		q := <-h.started
		q.answer()
		receive(t, conn)
		seen[q.q.Worker] = true
		_ = conn.Close()
	}
}

// A server with SO_REUSEPORT, as Cordon's own workers have it, must not share its clients with us unseen.
func TestAddressOfAServerWithReusePort(t *testing.T) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(err, c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}))
	}}
	other, err := config.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	addr := netip.MustParseAddrPort(other.LocalAddr().String())
	wantInUse(t, addr, "udp", addr)
}

// In a new network namespace no interface has ::1.
func TestFamilyThatTheHostLacks(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Log("not allowed to make a network namespace:", err)
			return
		}
		var log bytes.Buffer
		c := listen.Config{Handler: newHandler(), Log: slog.New(slog.NewTextHandler(&log, nil))}
		c.Addresses = addrs("[::1]:0", "0.0.0.0:0")
		s, err := listen.New(c)
		if err != nil {
			t.Errorf("New: %v, want the other family served", err)
			return
		}
		defer s.Close()
		if got := s.Addrs(); len(got) != 1 || !got[0].Addr().Is4() {
			t.Errorf("Addrs() = %v, want the IPv4 one", got)
		}
		if !strings.Contains(log.String(), "address=[::1]:0") {
			t.Errorf("log %q, want a warning that names [::1]:0", log.String())
		}
		c.Addresses = addrs("[::1]:0")
		if s, err := listen.New(c); err == nil {
			s.Close()
			t.Error("New without any address that works: no error")
		}
	}()
	<-done
}
