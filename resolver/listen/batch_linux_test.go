//go:build amd64 || arm64

package listen

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

// step is what one sendmmsg does: it sends the first n messages, or fails.
type step struct {
	n     int
	errno syscall.Errno
}

// What one socket cannot be made to do at will: to send a part, to be full, to fail for one datagram.
func TestBatchSocketSends(t *testing.T) {
	const all = 1 << 10
	full := step{errno: unix.EAGAIN}
	tests := []struct {
		name   string
		steps  []step // the last one again and again
		sent   string // the answers, one letter each, of abcde
		failed int
	}{
		{name: "all at once", steps: []step{{n: all}}, sent: "abcde"},
		{name: "in parts", steps: []step{{n: 2}, {n: 1}, {n: all}}, sent: "abcde"},
		{name: "nothing, and no error", steps: []step{{n: 0}}, sent: "", failed: 5},
		{name: "the first is refused", steps: []step{{errno: unix.ECONNREFUSED}, {n: all}}, sent: "bcde", failed: 1},
		{name: "one in the middle is refused", steps: []step{{n: 2}, {errno: unix.EPERM}, {n: all}}, sent: "abde", failed: 1},
		{name: "the last is refused", steps: []step{{n: 4}, {errno: unix.ENETUNREACH}}, sent: "abcd", failed: 1},
		{name: "each is refused", steps: []step{{errno: unix.ENOBUFS}}, failed: 5},
		{name: "full for a moment", steps: []step{{n: 1}, full, full, {n: all}}, sent: "abcde"},
		{name: "full, then refused", steps: []step{full, {errno: unix.EINVAL}, {n: all}}, sent: "bcde", failed: 1},
		{name: "full and no end", steps: []step{{n: 3}, full}, sent: "abc", failed: 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newTestSocket(t, "127.0.0.1:0")
			var writable sync.WaitGroup
			defer writable.Wait()
			var sent []byte
			next := 0
			s.call.send = func(_ uintptr, messages []syscalls.Message) (int, syscall.Errno) {
				now := test.steps[min(next, len(test.steps)-1)]
				next++
				if now == full && next < len(test.steps) {
					writable.Go(func() { becomeWritable(t, s) })
				}
				for _, m := range messages[:min(now.n, len(messages))] {
					sent = append(sent, *m.Header.Iov.Base)
				}
				return min(now.n, len(messages)), now.errno
			}
			if failed := s.send(withAnswers(s, "ab", "", "cde")); failed != test.failed || string(sent) != test.sent {
				t.Errorf("sent %q and failed %d times, want %q and %d", sent, failed, test.sent, test.failed)
			}
			s.call = systemCalls
			wantSendsLater(t, s) // whatever has been, nothing of it stays
		})
	}
}

// becomeWritable has the system tell the poller that s takes more, as it does whenever a datagram has left.
func becomeWritable(t *testing.T, s *batchSocket) {
	err := onSocket(s.raw, func(fd int) error {
		return unix.Sendto(fd, nil, unix.MSG_DONTWAIT, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
	})
	if err != nil {
		t.Errorf("send a datagram: %v", err)
	}
}

func newTestSocket(t *testing.T, address string) *batchSocket {
	t.Helper()
	addr := netip.MustParseAddrPort(address)
	conn, err := listenUDP(addr, exclusive)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s, ok := newBatchSocket(conn, addr.Addr(), 8)
	if !ok {
		t.Skip("no recvmmsg here")
	}
	return s
}

// withAnswers gives a packet an answer for each letter, and one packet none for each empty text.
func withAnswers(s *batchSocket, texts ...string) []packet {
	n := 0
	for _, text := range texts {
		if text == "" {
			s.packets[n].answer = nil
			n++
		}
		for _, letter := range []byte(text) {
			s.packets[n].answer = append(s.packets[n].out, letter)
			n++
		}
	}
	return s.packets[:n]
}

func wantSendsLater(t *testing.T, s *batchSocket) {
	t.Helper()
	client, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	to := route{peer: netip.MustParseAddrPort(client.LocalAddr().String())}
	buffer := []byte("later, and what was another client's") // it is used again
	if err := s.sendLater(buffer[:len("later")], &to); err != nil {
		t.Errorf("an answer afterwards: %v", err)
	}
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	var got [100]byte
	if n, _, err := client.ReadFrom(got[:]); err != nil || string(got[:n]) != "later" {
		t.Errorf("an answer afterwards: got %q, %v", got[:n], err)
	}
}

// Who replies has others to serve.
func TestBatchSocketNeverWaitsToSendLater(t *testing.T) {
	s := newTestSocket(t, "127.0.0.1:0")
	to := route{peer: netip.MustParseAddrPort("127.0.0.1:9")}
	for _, now := range []step{{errno: unix.EAGAIN}, {errno: unix.EPERM}, {n: 0}} {
		s.call.send = func(uintptr, []syscalls.Message) (int, syscall.Errno) { return now.n, now.errno }
		if err := s.sendLater([]byte("later"), &to); err == nil || now.errno != 0 && !errors.Is(err, now.errno) {
			t.Errorf("%v: error %v", now, err)
		}
	}
	s.call = systemCalls
	wantSendsLater(t, s)
	_ = s.conn.Close()
	if err := s.sendLater([]byte("later"), &to); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a socket that is closed: error %v", err)
	}
}

// The system is asked in earnest: an answer that it refuses takes no other with it.
func TestBatchSocketPassesOverWhatCannotBeSent(t *testing.T) {
	s := newTestSocket(t, "127.0.0.1:0")
	client, err := net.Dial("udp", s.conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	for _, text := range []string{"a", "b", "c"} {
		if _, err := client.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	packets, err := s.receive()
	if err != nil || len(packets) != 3 {
		t.Fatalf("received %d, %v; want 3", len(packets), err)
	}
	packets[0].answer = packets[0].query
	packets[1].answer = make([]byte, 1<<16) // longer than any datagram
	packets[2].answer = packets[2].query
	if failed := s.send(packets); failed != 1 {
		t.Errorf("%d failed, want 1", failed)
	}
	for _, want := range []string{"a", "c"} {
		buf := make([]byte, 64)
		n, err := client.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("got %q, %v; want %q", buf[:n], err, want)
		}
	}
}

func TestBatchSocketReceives(t *testing.T) {
	t.Run("cut off, and the next one whole", func(t *testing.T) {
		s := newTestSocket(t, "0.0.0.0:0")
		port := s.conn.LocalAddr().(*net.UDPAddr).Port
		client, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		want := [][]byte{bytes.Repeat([]byte{1}, 60_000), {}, bytes.Repeat([]byte{2}, maxDatagram), {3}}
		for range 3 { // the places are used again
			for _, data := range want {
				if _, err := client.Write(data); err != nil {
					t.Fatal(err)
				}
			}
			packets, err := s.receive()
			if err != nil || len(packets) != len(want) {
				t.Fatalf("received %d, %v; want %d", len(packets), err, len(want))
			}
			for i := range packets {
				p := &packets[i]
				if !bytes.Equal(p.query, want[i][:min(len(want[i]), maxDatagram)]) {
					t.Errorf("%d: got %d octets, want %d or as many as fit", i, len(p.query), len(want[i]))
				}
				if p.peer != client.LocalAddr().(*net.UDPAddr).AddrPort() || p.controlLen == 0 {
					t.Errorf("%d: from %v with %d octets of control, want %v and some", i, p.peer, p.controlLen, client.LocalAddr())
				}
			}
		}
	})
	t.Run("an error", func(t *testing.T) {
		s := newTestSocket(t, "127.0.0.1:0")
		s.call.receive = func(uintptr, []syscalls.Message) (int, syscall.Errno) { return 0, unix.ECONNREFUSED }
		if _, err := s.receive(); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("error %v, want ECONNREFUSED", err)
		}
	})
	t.Run("until a deadline", func(t *testing.T) {
		s := newTestSocket(t, "127.0.0.1:0")
		time.AfterFunc(time.Millisecond, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
		if _, err := s.receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v, want os.ErrDeadlineExceeded", err)
		}
	})
	t.Run("until the end", func(t *testing.T) {
		s := newTestSocket(t, "127.0.0.1:0")
		time.AfterFunc(time.Millisecond, func() { _ = s.conn.Close() })
		if _, err := s.receive(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v, want net.ErrClosed", err)
		}
	})
}

func TestSocketIsChosen(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.0.1:0")
	conn := newTestSocket(t, addr.String()).conn
	if _, ok := newSocket(conn, addr.Addr(), 32).(*batchSocket); !ok {
		t.Error("batches of 32: not a batchSocket")
	}
	if _, ok := newSocket(conn, addr.Addr(), 1).(*plainSocket); !ok {
		t.Error("batches of 1: not a plainSocket")
	}
	if _, ok := newSocket(conn, netip.IPv4Unspecified(), 1).(*askedSocket); !ok {
		t.Error("batches of 1 on a wildcard: not an askedSocket")
	}
}
